"""Normalizations over one axis or several."""

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, SIZES, shape, some

ADJUSTING = {
    "center": FLAGS,
    "scale": FLAGS,
    "epsilon": st.sampled_from([1e-3, 1e-5]),
    "gamma_initializer": st.sampled_from(["ones", "zeros"]),
    "beta_regularizer": st.just({"l2": 0.1}),
    "gamma_constraint": st.just("non_neg"),
}


def given_with(draw, known, axes):
    """A shape, some sizes unknown, but not those of the axes in `known`."""
    drawn = shape(draw, axes, known_last=True)
    return tuple(draw(SIZES) if i in known else size for i, size in enumerate(drawn))


def some_axes(draw, axes, *, several=True):
    """Axes as they may be written, some from the end, and the same counted from the batch."""
    most = axes if several else 1
    chosen = draw(st.lists(st.integers(1, axes), min_size=1, max_size=most, unique=True))
    written = [axis - axes - 1 if draw(FLAGS) else axis for axis in chosen]
    return written[0] if len(written) == 1 and (not several or draw(FLAGS)) else written, chosen


def batch_normalization(draw):
    axes = draw(st.integers(1, 4))
    axis, known = some_axes(draw, axes, several=False)
    arguments = {
        "axis": axis,
        **some(
            draw, **ADJUSTING, momentum=st.just(0.5), renorm=FLAGS, renorm_momentum=st.just(0.9), synchronized=FLAGS
        ),
    }
    if arguments.get("renorm"):
        arguments |= some(draw, renorm_clipping=st.sampled_from([{"rmax": 3.0}, {"rmin": 0.5, "dmax": 1.0}]))
    return {"batch_normalization": arguments}, [given_with(draw, known, axes)]


def layer_normalization(draw):
    axes = draw(st.integers(1, 4))
    axis, known = some_axes(draw, axes)
    return {"layer_normalization": {"axis": axis, **some(draw, **ADJUSTING)}}, [given_with(draw, known, axes)]


def group_normalization(draw):
    axes = draw(st.integers(1, 4))
    axis, (known,) = some_axes(draw, axes, several=False)
    groups, each = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    given = list(given_with(draw, [known], axes))
    given[known] = groups * each
    arguments = {"groups": draw(st.sampled_from([groups, -1])), "axis": axis, **some(draw, **ADJUSTING)}
    return {"group_normalization": arguments}, [tuple(given)]


def rms_normalization(draw):
    axes = draw(st.integers(1, 4))
    number = draw(st.integers(1, axes))
    known = list(range(axes - number + 1, axes + 1))
    from_end = [axis - axes - 1 for axis in known]
    axis = draw(st.sampled_from([known, from_end, known[::-1], *([-1, axes] if number == 1 else [])]))
    arguments = {"axis": axis, **some(draw, epsilon=st.just(1e-5))}
    return {"rms_normalization": arguments}, [given_with(draw, known, axes)]


def unit_normalization(draw):
    axes = draw(st.integers(1, 4))
    axis, _ = some_axes(draw, axes)
    return {"unit_normalization": {"axis": axis}}, [shape(draw, axes)]


DRAWS = {
    "batch_normalization": batch_normalization,
    "layer_normalization": layer_normalization,
    "group_normalization": group_normalization,
    "rms_normalization": rms_normalization,
    "unit_normalization": unit_normalization,
}
