"""Layers that move values, cut off edges or add them."""

import math
from functools import partial

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, SIZES, UNITS, shape, some

FORMATS = st.sampled_from(["channels_last", "channels_first"])
EDGE = st.integers(0, 3)
EDGES = st.one_of(EDGE, st.lists(EDGE, min_size=2, max_size=2))


def of_axes(count):
    """One number for all axes, one for each, or two for each."""
    return st.one_of(EDGE, st.lists(EDGES, min_size=count, max_size=count))


def flatten(draw):
    return {"flatten": some(draw, data_format=FORMATS)}, [shape(draw, draw(UNITS) % 4)]


def reshape(draw):
    target = [draw(SIZES) for _ in range(draw(UNITS) % 3 + 1)]
    values = math.prod(target)
    divisor = draw(st.sampled_from([n for n in range(1, values + 1) if values % n == 0]))
    if draw(FLAGS):
        target[draw(st.integers(0, len(target) - 1))] = -1
    first = None if draw(st.integers(0, 3)) == 0 and -1 in target else values // divisor
    return {"reshape": target}, [(None, first, divisor)]


def permute(draw):
    given = shape(draw, draw(UNITS) % 4 + 1)
    return {"permute": draw(st.permutations(range(1, len(given))))}, [given]


def repeat_vector(draw):
    return {"repeat_vector": draw(SIZES)}, [shape(draw, 1)]


def cropping(axes, draw):
    arguments = some(draw, cropping=EDGES if axes == 1 else of_axes(axes))
    if axes > 1:
        arguments |= some(draw, data_format=FORMATS)
    return {f"cropping{axes}d": arguments}, [shape(draw, axes + 1, low=7, high=11)]


def zero_padding(axes, draw):
    arguments = some(draw, padding=EDGES if axes == 1 else of_axes(axes), data_format=FORMATS)
    return {f"zero_padding{axes}d": arguments}, [shape(draw, axes + 1)]


def up_sampling(axes, draw):
    factor = st.integers(1, 3)
    size = factor if axes == 1 else st.one_of(factor, st.lists(factor, min_size=axes, max_size=axes))
    arguments = some(draw, size=size)
    if axes > 1:
        arguments |= some(draw, data_format=FORMATS)
    if axes == 2:
        arguments |= some(
            draw, interpolation=st.sampled_from(["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
        )
    return {f"up_sampling{axes}d": arguments}, [shape(draw, axes + 1)]


DRAWS = {
    "flatten": flatten,
    "reshape": reshape,
    "permute": permute,
    "repeat_vector": repeat_vector,
    **{f"cropping{axes}d": partial(cropping, axes) for axes in (1, 2, 3)},
    **{f"zero_padding{axes}d": partial(zero_padding, axes) for axes in (1, 2, 3)},
    **{f"up_sampling{axes}d": partial(up_sampling, axes) for axes in (1, 2, 3)},
}
