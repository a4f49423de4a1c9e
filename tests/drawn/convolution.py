"""Convolutions, plain, transposed, by channel and recurrent."""

from functools import partial

from hypothesis import assume
from hypothesis import strategies as st

from tests.drawn.common import ACTIVATIONS, FLAGS, UNITS, shape, some

FORMATS = st.sampled_from(["channels_last", "channels_first"])
PADDINGS = ["valid", "same"]


def sizes(axes, low=1, high=3):
    size = st.integers(low, high)
    return st.one_of(size, st.lists(size, min_size=axes, max_size=axes))


def settings(draw, axes, paddings=PADDINGS):
    """The arguments that all of them have; steps and gaps exclude each other."""
    steps = {"strides": sizes(axes)} if draw(FLAGS) else {"dilation_rate": sizes(axes)}
    arguments = some(
        draw, padding=st.sampled_from(paddings), use_bias=FLAGS, activation=ACTIVATIONS, data_format=FORMATS,
        bias_constraint=st.just("non_neg"), **steps,
    )  # fmt: skip
    return {"kernel_size": draw(sizes(axes)), **arguments}


def known_channels(draw, arguments, axes, **limits):
    """A shape whose channels are known, wherever they stand."""
    given = list(shape(draw, axes + 1, **{"low": 7, "high": 12, **limits}))
    channels = draw(UNITS)
    given[1 if arguments.get("data_format") == "channels_first" else -1] = channels
    return tuple(given), channels


def convolution(axes, draw):
    arguments = settings(draw, axes, [*PADDINGS, "causal"] if axes == 1 else PADDINGS)
    groups = draw(st.integers(1, 3))
    given, channels = known_channels(draw, arguments, axes)
    given = tuple(size * groups if size == channels and place in (1, len(given) - 1) else size
                  for place, size in enumerate(given))  # fmt: skip
    place = 1 if arguments.get("data_format") == "channels_first" else -1
    assume(given[place] % groups == 0)
    return {f"conv{axes}d": {"filters": draw(UNITS) * groups, "groups": groups, **arguments}}, [given]


def transposed(axes, draw):
    arguments = settings(draw, axes)
    steps = arguments.get("strides", 1)
    if draw(FLAGS):
        steps = steps if isinstance(steps, list) else [steps] * axes
        arguments["output_padding"] = [draw(st.integers(0, step - 1)) for step in steps]
    given, _ = known_channels(draw, arguments, axes, low=2, high=6)
    return {f"conv{axes}d_transpose": {"filters": draw(UNITS), **arguments}}, [given]


def depthwise(axes, draw):
    arguments = {**settings(draw, axes), **some(draw, depth_multiplier=st.integers(1, 3))}
    given, _ = known_channels(draw, arguments, axes)
    return {f"depthwise_conv{axes}d": arguments}, [given]


def separable(axes, draw):
    arguments = {"filters": draw(UNITS), **settings(draw, axes), **some(draw, depth_multiplier=st.integers(1, 3))}
    given, _ = known_channels(draw, arguments, axes)
    return {f"separable_conv{axes}d": arguments}, [given]


def recurrent(axes, draw):
    arguments = {
        "filters": draw(UNITS),
        **settings(draw, axes),
        **some(draw, return_sequences=FLAGS, go_backwards=FLAGS),
    }
    given, _ = known_channels(draw, arguments, axes, unknown=False)
    steps = draw(st.sampled_from([None, 1, 3]))
    return {f"conv_lstm{axes}d": arguments}, [(None, steps, *given[1:])]


DRAWS = {
    **{f"conv{axes}d": partial(convolution, axes) for axes in (1, 2, 3)},
    **{f"conv{axes}d_transpose": partial(transposed, axes) for axes in (1, 2, 3)},
    **{f"depthwise_conv{axes}d": partial(depthwise, axes) for axes in (1, 2)},
    **{f"separable_conv{axes}d": partial(separable, axes) for axes in (1, 2)},
    **{f"conv_lstm{axes}d": partial(recurrent, axes) for axes in (1, 2, 3)},
}
