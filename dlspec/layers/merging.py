"""Layers that bring several inputs together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dlspec.fields import Primary, Whole
from dlspec.layers.base import LAYERS, Example, Merging, Shape, ShapeError, show_shape


@LAYERS.register
class Add(Merging):
    """Adds its inputs, value by value.

    Input shape:  several of (batch, ...)
    Output shape: same as each input
    """

    examples: ClassVar = [Example({"add": {"from": ["a", "b"]}}, [(None, 8), (None, 8)])]

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) > 1:
            raise ShapeError(f"`add` needs inputs of one shape, got {' and '.join(map(show_shape, shapes))}")
        return shapes[0]


@LAYERS.register
class Concatenate(Merging):
    """Puts its inputs side by side along an axis.

    Input shape:  several of (batch, ...), equal but for one axis
    Output shape: the same with the sizes of that axis added up
    """

    examples: ClassVar = [Example({"concatenate": {"from": ["a", "b"]}}, [(None, 8), (None, 4)])]

    axis: Whole = Primary(-1, description="the axis, counted with the batch as 0")

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        total = [shape[self.axis] for shape in shapes]
        summed = None if None in total else sum(size or 0 for size in total)
        return (*shapes[0][:-1], summed)
