"""Layers with several inputs."""

from functools import partial

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, KNOWN_OR_NOT, SIZES, UNITS, shape

NAMES = ["a", "b", "c"]


def elementwise(name, draw, most=3):
    """Shapes that are alike but for axes of size 1, and axes left out in front."""
    full = shape(draw, draw(UNITS) % 3 + 1)
    shapes = []
    for _ in range(2 if most == 2 else draw(st.integers(2, 3))):
        sizes = [1 if size is not None and draw(st.integers(0, 3)) == 0 else size for size in full[1:]]
        left_out = draw(st.integers(0, len(sizes) - 1)) if None not in full[1:] and draw(st.integers(0, 3)) == 0 else 0
        shapes.append((None, *sizes[left_out:]))
    return {name: {"from": NAMES[: len(shapes)]}}, shapes


def concatenate(draw):
    first = shape(draw, draw(UNITS) % 3 + 1)
    axis = draw(st.integers(1, len(first) - 1))
    shapes = [first]
    for _ in range(draw(st.integers(1, 2))):
        sizes = list(first)
        sizes[axis] = draw(KNOWN_OR_NOT)
        shapes.append(tuple(sizes))
    written = axis if draw(FLAGS) else axis - len(first)
    return {"concatenate": {"axis": written, "from": NAMES[: len(shapes)]}}, shapes


def dot(draw):
    size = draw(SIZES)
    shapes, axes = [], []
    for _ in range(2):
        sizes = list(shape(draw, draw(UNITS) % 2 + 1, unknown=False))
        axes.append(draw(st.integers(1, len(sizes) - 1)))
        sizes[axes[-1]] = size
        shapes.append(tuple(sizes))
    if axes[0] == axes[1] and draw(FLAGS):
        axes = axes[0]
    return {"dot": {"axes": axes, "normalize": draw(FLAGS), "from": ["a", "b"]}}, shapes


DRAWS = {
    **{name: partial(elementwise, name) for name in ("add", "average", "maximum", "minimum", "multiply")},
    "subtract": partial(elementwise, "subtract", most=2),
    "concatenate": concatenate,
    "dot": dot,
}
