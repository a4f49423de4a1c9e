"""Layers that do something in training alone."""

from functools import partial

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, RATES, UNITS, shape, some

SEEDS = st.integers(0, 9)


def dropping(name, draw):
    given = shape(draw, draw(UNITS) % 4)
    arguments = {"rate": draw(RATES), **some(draw, seed=SEEDS)}
    if draw(FLAGS):
        arguments["noise_shape"] = [draw(st.sampled_from([None, 1, size])) for size in given]
    return {name: arguments}, [given]


def spatial(axes, draw):
    arguments = {"rate": draw(RATES), **some(draw, seed=SEEDS)}
    if axes > 1:
        arguments |= some(draw, data_format=st.sampled_from(["channels_last", "channels_first"]))
    return {f"spatial_dropout{axes}d": arguments}, [shape(draw, axes + 1)]


def gaussian(name, key, draw):
    return {name: {key: draw(RATES), **some(draw, seed=SEEDS)}}, [shape(draw, draw(UNITS) % 4)]


def activity_regularization(draw):
    return {"activity_regularization": some(draw, l1=RATES, l2=RATES)}, [shape(draw, draw(UNITS) % 4)]


DRAWS = {
    "dropout": partial(dropping, "dropout"),
    "alpha_dropout": partial(dropping, "alpha_dropout"),
    **{f"spatial_dropout{axes}d": partial(spatial, axes) for axes in (1, 2, 3)},
    "gaussian_noise": partial(gaussian, "gaussian_noise", "stddev"),
    "gaussian_dropout": partial(gaussian, "gaussian_dropout", "rate"),
    "activity_regularization": activity_regularization,
}
