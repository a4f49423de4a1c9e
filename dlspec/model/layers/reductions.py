"""Operations that make one value of those along an axis; values that a mask covers are left out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dlspec.language.fields import Flag, Primary
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.axes import Axes, places_of
from dlspec.model.layers.base import LAYERS, Example
from dlspec.model.layers.masking import over
from dlspec.model.layers.operations import Masks, Operation
from dlspec.model.layers.sight import Sight

LOWEST = -1e30
"""What stands in masked places where the largest value is looked for; in 16 bits the lowest number there is."""


class Reducing(Operation):
    """Base of the operations that make one value of those along some axes.

    Where a mask covers one of these axes, the places that it leaves out do not count; a sample in which nothing counts
    gives 0. A mask over other axes is handed on.

    Input shape:  (batch, ...)
    Output shape: the same without the axes, or with `keepdims` with size 1 there
    """

    heeds_mask = True

    axis: Axes = Primary(description="the axis, or axes, counted with the batch as 0")
    keepdims: Flag = Field(False, description="keep the axis, with size 1")

    def output_shape(self, input_shape: Shape) -> Shape:
        places = places_of(self.axis, input_shape)
        if self.keepdims:
            return tuple(1 if axis in places else size for axis, size in enumerate(input_shape))
        kept = tuple(size for axis, size in enumerate(input_shape) if axis not in places)
        if len(kept) == 1:
            raise ShapeError(
                f"`{self.type_name}` over every axis of {show_shape(input_shape)} leaves none",
                help="add `keepdims: true`, or name fewer axes",
            )
        return kept

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        places, axis = places_of(self.axis, shapes[0]), seen[0].axis
        if axis in places:
            return None
        return seen[0] if self.keepdims else seen[0]._replace(axis=axis - sum(place < axis for place in places))

    def cure_of_sight(self) -> str:
        return "name axes that are no timesteps"

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        if not masked[0] or shapes[0] is None:
            return 0
        left = masked[0] - sum(place <= masked[0] for place in places_of(self.axis, shapes[0]))
        return 0 if not left else masked[0] if self.keepdims else left

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        from keras import ops

        covered = len(masks[0].shape) - 1
        places = [place for place in places_of(self.axis, inputs[0].shape) if place <= covered]
        if len(places) == covered:
            return None
        return ops.any(masks[0], axis=places, keepdims=self.keepdims) if places else masks[0]

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        (x,), (mask,) = inputs, masks
        axes = places_of(self.axis, x.shape)
        if mask is None or axes[0] >= len(mask.shape):
            return self.reduced(x, axes)
        there = ops.logical_and(over(mask, x), ops.ones_like(x, dtype="bool"))
        counted = ops.sum(ops.cast(there, x.dtype), axis=axes, keepdims=self.keepdims)
        return ops.where(counted > 0, self.reduced_where(x, there, ops.maximum(counted, 1), axes), 0.0)

    @abstractmethod
    def reduced(self, x: Any, axes: tuple[int, ...]) -> Any:
        """One value of all along some axes."""

    @abstractmethod
    def reduced_where(self, x: Any, there: Any, counted: Any, axes: tuple[int, ...]) -> Any:
        """One value of those along some axes that are there.

        Args:
            there: which are, in the shape of `x`.
            counted: how many they are, at least 1, in the shape of what comes out.
        """

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)


@LAYERS.register
class Sum(Reducing):
    """Adds up values along an axis. Timesteps that a mask covers do not count.

    Input shape:  (batch, ...)
    Output shape: the same without the axis, or with `keepdims` with size 1 there
    """

    also: ClassVar = ("reduce_sum",)
    examples: ClassVar = [
        Example({"sum": 1}, (None, 5, 8)),
        Example({"sum": {"axis": -1, "keepdims": True}}, (None, 8)),
    ]

    def reduced(self, x: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return ops.sum(x, axis=axes, keepdims=self.keepdims)

    def reduced_where(self, x: Any, there: Any, counted: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return self.reduced(ops.where(there, x, 0.0), axes)


@LAYERS.register
class Mean(Reducing):
    """The mean of the values along an axis. Timesteps that a mask covers do not count.

    Input shape:  (batch, ...)
    Output shape: the same without the axis, or with `keepdims` with size 1 there
    """

    also: ClassVar = ("reduce_mean",)
    examples: ClassVar = [
        Example({"mean": 1}, (None, 5, 8)),
        Example({"mean": {"axis": [1, 2], "keepdims": True}}, (None, 5, 6, 3)),
    ]

    def reduced(self, x: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return ops.mean(x, axis=axes, keepdims=self.keepdims)

    def reduced_where(self, x: Any, there: Any, counted: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return ops.sum(ops.where(there, x, 0.0), axis=axes, keepdims=self.keepdims) / counted

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape) + count(self.output_shape(input_shape))

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Max(Reducing):
    """The largest of the values along an axis. Timesteps that a mask covers do not count.

    Input shape:  (batch, ...)
    Output shape: the same without the axis, or with `keepdims` with size 1 there
    """

    also: ClassVar = ("reduce_max", "amax")
    examples: ClassVar = [
        Example({"max": 1}, (None, 5, 8)),
        Example({"max": {"axis": 1, "keepdims": True}}, (None, 5, 8)),
    ]

    def reduced(self, x: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return ops.max(x, axis=axes, keepdims=self.keepdims)

    def reduced_where(self, x: Any, there: Any, counted: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return self.reduced(ops.where(there, x, _lowest(x)), axes)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Min(Reducing):
    """The smallest of the values along an axis. Timesteps that a mask covers do not count.

    Input shape:  (batch, ...)
    Output shape: the same without the axis, or with `keepdims` with size 1 there
    """

    also: ClassVar = ("reduce_min", "amin")
    examples: ClassVar = [
        Example({"min": 1}, (None, 5, 8)),
        Example({"min": {"axis": 1, "keepdims": True}}, (None, 5, 8)),
    ]

    def reduced(self, x: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return ops.min(x, axis=axes, keepdims=self.keepdims)

    def reduced_where(self, x: Any, there: Any, counted: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return self.reduced(ops.where(there, x, -_lowest(x)), axes)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Var(Reducing):
    """The variance of the values along an axis: the mean square of what each is off their mean. Timesteps that a mask
    covers do not count.

    Input shape:  (batch, ...)
    Output shape: the same without the axis, or with `keepdims` with size 1 there
    """

    also: ClassVar = ("variance", "reduce_variance")
    examples: ClassVar = [
        Example({"var": 1}, (None, 5, 8)),
        Example({"var": {"axis": -1, "keepdims": True}}, (None, 8)),
    ]

    def reduced(self, x: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return ops.var(x, axis=axes, keepdims=self.keepdims)

    def reduced_where(self, x: Any, there: Any, counted: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        kept = ops.where(there, x, 0.0)
        number = counted if self.keepdims else _with_axes(counted, axes)
        off = ops.where(there, kept - ops.sum(kept, axis=axes, keepdims=True) / number, 0.0)
        return ops.sum(ops.square(off), axis=axes, keepdims=self.keepdims) / counted

    def flops(self, input_shape: Shape) -> int:
        return 4 * count(input_shape) + 2 * count(self.output_shape(input_shape))


@LAYERS.register
class Logsumexp(Reducing):
    """The logarithm of the sum of the exponentials along an axis, a smooth maximum. Timesteps that a mask covers do not
    count.

    Input shape:  (batch, ...)
    Output shape: the same without the axis, or with `keepdims` with size 1 there
    """

    also: ClassVar = ("reduce_logsumexp",)
    examples: ClassVar = [
        Example({"logsumexp": 1}, (None, 5, 8)),
        Example({"logsumexp": {"axis": -1, "keepdims": True}}, (None, 5, 8)),
    ]

    def reduced(self, x: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return ops.logsumexp(x, axis=axes, keepdims=self.keepdims)

    def reduced_where(self, x: Any, there: Any, counted: Any, axes: tuple[int, ...]) -> Any:
        from keras import ops

        return self.reduced(ops.where(there, x, _lowest(x)), axes)

    def flops(self, input_shape: Shape) -> int:
        return 4 * count(input_shape) + 2 * count(self.output_shape(input_shape))


def _lowest(x: Any) -> float:
    """A number below all others of its type."""
    return -6e4 if x.dtype == "float16" else LOWEST


def _with_axes(x: Any, axes: Sequence[int]) -> Any:
    """The axes put back with size 1."""
    from keras import ops

    for axis in axes:
        x = ops.expand_dims(x, axis)
    return x
