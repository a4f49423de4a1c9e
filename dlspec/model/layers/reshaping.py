"""Layers that move values, or repeat them, without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from dlspec.language.fields import PositiveInt, Primary, Whole, mistake
from dlspec.language.shapes import Shape, ShapeError, product, show_shape
from dlspec.model.layers.base import LAYERS, DataFormat, Example, LayerSpec
from dlspec.model.layers.sight import Sight


class Moving(LayerSpec):
    """Base of the layers whose output holds the values of their input."""

    moves_values = True

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Flatten(Moving):
    """Puts all values of a sample into one axis.

    Input shape:  (batch, ...)
    Output shape: (batch, values)
    """

    passes_values = True
    examples: ClassVar = [Example("flatten", (None, 4, 3))]

    data_format: DataFormat | None = Field(
        None, description="with `channels_first`, channels come out last all the same"
    )

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], product(input_shape[1:]))

    def without_input(self) -> Shape | None:
        return (None, None)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return back_to(input_shape)


@LAYERS.register
class Reshape(Moving):
    """Gives a sample another shape with as many values; -1 stands for what is left over.

    Input shape:  (batch, ...)
    Output shape: (batch, *target_shape)
    """

    passes_values = True
    examples: ClassVar = [
        Example({"reshape": [4, 3]}, (None, 12)),
        Example({"reshape": {"target_shape": [-1, 2]}}, (None, 3, 4)),
    ]

    target_shape: Annotated[list[Whole], Field(min_length=1)] = Primary(description="sizes without the batch")

    def model_post_init(self, context: object) -> None:
        sizes = self.target_shape
        if sizes.count(-1) > 1 or any(size < -1 or size == 0 for size in sizes):
            raise mistake("wrong-value", f"`target_shape` holds sizes from 1 and at most one -1, got `{sizes}`")

    def output_shape(self, input_shape: Shape) -> Shape:
        values = product(input_shape[1:])
        fixed = math.prod(size for size in self.target_shape if size != -1)
        if values is None:
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        if values % fixed or (-1 not in self.target_shape and values != fixed):
            raise ShapeError(
                f"`reshape` cannot turn {show_shape(input_shape)}, which is {values} values, into "
                f"{show_shape((None, *self.target_shape))}"
            )
        return (input_shape[0], *(values // fixed if size == -1 else size for size in self.target_shape))

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        after, axis = self.output_shape(shapes[0]), seen[0].axis
        return seen[0] if None not in after[1:] and after[: axis + 1] == shapes[0][: axis + 1] else None

    def without_input(self) -> Shape | None:
        return (None, *(None if size == -1 else size for size in self.target_shape))

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return back_to(input_shape)


def back_to(shape: Shape) -> tuple[LayerSpec, ...] | None:
    """What brings values into this shape; None: its sizes are not all known."""
    sizes = [size for size in shape[1:] if size is not None]
    return (Reshape(target_shape=sizes),) if len(sizes) == len(shape) - 1 and sizes else None


@LAYERS.register
class Permute(Moving):
    """Changes the order of the axes.

    Input shape:  (batch, ...)
    Output shape: the same sizes in the order of `dims`
    """

    examples: ClassVar = [Example({"permute": [2, 1]}, (None, 4, 3)), Example({"permute": [3, 1, 2]}, (None, 4, 3, 2))]

    dims: Annotated[list[PositiveInt], Field(min_length=1)] = Primary(
        description="the axes in their new order, the first behind the batch being 1"
    )

    def model_post_init(self, context: object) -> None:
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise mistake(
                "wrong-value",
                f"`dims` names every axis from 1 to {len(self.dims)} once, got `{self.dims}`",
                help="to swap two axes write them, such as `permute: [2, 1]`",
            )

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != len(self.dims) + 1:
            raise ShapeError(f"`dims` names {len(self.dims)} axes, and the input is {show_shape(input_shape)}")
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0]._replace(axis=self.dims.index(seen[0].axis) + 1)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return (Permute(dims=[self.dims.index(axis + 1) + 1 for axis in range(len(self.dims))]),)

    def without_input(self) -> Shape | None:
        return (None,) * (len(self.dims) + 1)


@LAYERS.register
class RepeatVector(Moving):
    """Repeats a vector `n` times, as timesteps.

    Input shape:  (batch, features)
    Output shape: (batch, n, features)
    """

    axes = ("features",)
    examples: ClassVar = [Example({"repeat_vector": 3}, (None, 4))]

    n: PositiveInt = Primary(description="how many timesteps")

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.n, input_shape[1])
