"""Pooling with windows, of everything, and to a size that is given."""

from functools import partial

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, shape, some
from tests.drawn.convolution import FORMATS, PADDINGS, sizes


def windows(kind, axes, draw):
    arguments = some(draw, strides=sizes(axes), padding=st.sampled_from(PADDINGS), data_format=FORMATS)
    return {f"{kind}_pooling{axes}d": {"pool_size": draw(sizes(axes)), **arguments}}, [shape(draw, axes + 1, low=3)]


def everything(kind, axes, draw):
    return {f"global_{kind}_pooling{axes}d": some(draw, keepdims=FLAGS, data_format=FORMATS)}, [shape(draw, axes + 1)]


def adaptive(kind, axes, draw):
    arguments = {"output_size": draw(sizes(axes)), **some(draw, data_format=FORMATS)}
    return {f"adaptive_{kind}_pooling{axes}d": arguments}, [shape(draw, axes + 1, low=3, unknown=False)]


DRAWS = {
    **{f"{kind}_pooling{axes}d": partial(windows, kind, axes) for kind in ("max", "average") for axes in (1, 2, 3)},
    **{
        f"global_{kind}_pooling{axes}d": partial(everything, kind, axes)
        for kind in ("max", "average")
        for axes in (1, 2, 3)
    },
    **{
        f"adaptive_{kind}_pooling{axes}d": partial(adaptive, kind, axes)
        for kind in ("max", "average")
        for axes in (1, 2, 3)
    },
}
