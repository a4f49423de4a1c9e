"""How far apart two inputs are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from dlspec.language.fields import Primary, mistake
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import LAYERS, Example, MaskError
from dlspec.model.layers.masking import all_of
from dlspec.model.layers.operations import Masks, MergingOperation
from dlspec.model.layers.sight import Sight, together


@LAYERS.register
class Distance(MergingOperation):
    """How far apart two inputs are along the last axis: the Euclidean distance, its square, the sum of the absolute
    differences (`manhattan`), or 1 minus the cosine of the angle between them (`cosine`).

    Input shape:  two of (batch, ..., features)
    Output shape: (batch, ..., 1), never negative
    """

    takes: ClassVar = (2, 2)
    examples: ClassVar = [
        Example({"distance": {"from": ["a", "b"]}}, [(None, 8), (None, 8)]),
        Example({"distance": {"metric": "cosine", "from": ["a", "b"]}}, [(None, 5, 8), (None, 5, 8)]),
    ]

    metric: Literal["euclidean", "squared_euclidean", "manhattan", "cosine"] = Primary(
        "euclidean", description="how the distance is measured"
    )

    def model_post_init(self, context: object) -> None:
        if self.from_ is not None and len(self.from_) == 2 and len(set(self.from_)) == 1:
            raise mistake(
                "wrong-value",
                f"the distance of `{self.from_[0]}` from itself is always 0",
                help="name two layers in `from`",
            )

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        left, right = shapes
        pairs = zip(left[1:], right[1:], strict=False)
        if min(len(left), len(right)) < 2:
            raise ShapeError(f"`distance` needs two inputs (batch, ..., features), got {show_shape(left)}")
        if len(left) != len(right) or any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise ShapeError(
                f"`distance` needs two inputs of one shape, got {show_shape(left)} and {show_shape(right)}",
                help="let both end in layers of the same size, such as shared ones",
            )
        sizes = zip(left[1:-1], right[1:-1], strict=True)
        return (None, *(one if other is None else other for one, other in sizes), 1)

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        places, values = count(self.merged_shape(shapes)), count(shapes[0])
        return 6 * values + 6 * places if self.metric == "cosine" else 3 * values + places

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        same = len({each.axis for each in seen}) == 1 and seen[0].axis < len(shapes[0]) - 1
        return together(seen) if same else None

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        for covered, shape in zip(masked, shapes, strict=True):
            if shape is not None and covered >= len(shape) - 1:
                raise MaskError(
                    f"`distance` adds up along axis {len(shape) - 1}, which has a mask",
                    help="put it above the layer that makes the mask",
                )
        return max(masked)

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        a, b = inputs
        if self.metric == "cosine":
            along = ops.sum(a * b, axis=-1, keepdims=True)
            return ops.maximum(1 - along / (_length(a) * _length(b)), 0)
        if self.metric == "manhattan":
            return ops.sum(ops.abs(a - b), axis=-1, keepdims=True)
        squared = ops.sum(ops.square(a - b), axis=-1, keepdims=True)
        return squared if self.metric == "squared_euclidean" else _root(squared)

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        return all_of([mask for mask in masks if mask is not None], output)


def _root(x: Any) -> Any:
    """The square root of what is never negative, without a gradient at 0, where it is infinitely steep."""
    from keras import ops

    above = ops.greater(x, 0)
    return ops.where(above, ops.sqrt(ops.where(above, x, 1.0)), x)


def _length(x: Any) -> Any:
    """The Euclidean norm along the last axis, and 1 of zeros."""
    from keras import ops

    squared = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return ops.sqrt(ops.where(ops.greater(squared, 0), squared, 1.0))
