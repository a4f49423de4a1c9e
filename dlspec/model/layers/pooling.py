"""Layers that keep the largest or the mean value of a neighbourhood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dlspec.language.fields import Primary, Size1D, Size2D, Size3D
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import IMAGE, LAYERS, SEQUENCE, VOLUME, DataFormat, Example, LayerSpec, Spatial
from dlspec.model.layers.convolution import Padding, along_window, slide
from dlspec.model.layers.resizing import enlarge, fit
from dlspec.model.layers.sight import Sight


class Pooling(Spatial):
    """Base of the layers that pool windows; behind a convolution they belong to its code in pretraining.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, *places, channels)
    """

    follows_code = True
    moves_values = True

    if TYPE_CHECKING:
        pool_size: Sequence[int]
        strides: Sequence[int] | None
        padding: Padding

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes, channels = self.split(input_shape)
        axes = zip(sizes, self.pool_size, self.strides or self.pool_size, strict=True)
        places = tuple(slide(size, window, step, self.padding) for size, window, step in axes)
        if any(place is not None and place < 1 for place in places):
            raise ShapeError(
                f"`{self.type_name}` has a window of {' x '.join(map(str, self.pool_size))}, larger than its "
                f"input {show_shape(input_shape)}",
                help="pool less often, or write `padding: same`",
            )
        return self.join(input_shape[0], places, channels)

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        place = seen[0].axis - (2 if self.channels_first else 1)
        if not 0 <= place < len(self.pool_size) or (self.strides or self.pool_size)[place] > 1:
            return None
        return along_window(seen[0], self.pool_size[place] - 1, self.padding)

    def flops(self, input_shape: Shape) -> int:
        return count(self.output_shape(input_shape)) * math.prod(self.pool_size)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """Repeats what a window gave at every place that it moved over."""
        sizes, _ = self.split(input_shape)
        if None in sizes or (self.channels_first and len(sizes) == 1):
            return None
        steps = tuple(self.strides or self.pool_size)
        places, _ = self.split(self.output_shape(input_shape))
        repeated = [(place or 0) * step for place, step in zip(places, steps, strict=True)]
        return (enlarge(steps, self.data_format), *fit(repeated, [size or 0 for size in sizes], self.data_format))


class Pooling1D(Pooling):
    """Base of the layers that pool along a sequence."""

    axes = SEQUENCE

    pool_size: Size1D = Primary((2,), description="timesteps in a window")
    strides: Size1D | None = Field(None, description="how far a window moves; as far as it is wide, if left out")
    padding: Padding = Field("valid", description="`same` pools what is left over at the edges, too")
    data_format: DataFormat | None = None


class Pooling2D(Pooling):
    """Base of the layers that pool over an image."""

    axes = IMAGE

    pool_size: Size2D = Primary((2, 2), description="height and width of a window")
    strides: Size2D | None = Field(None, description="how far a window moves; as far as it is wide, if left out")
    padding: Padding = Field("valid", description="`same` pools what is left over at the edges, too")
    data_format: DataFormat | None = None


class Pooling3D(Pooling):
    """Base of the layers that pool through a volume."""

    axes = VOLUME

    pool_size: Size3D = Primary((2, 2, 2), description="depth, height and width of a window")
    strides: Size3D | None = Field(None, description="how far a window moves; as far as it is wide, if left out")
    padding: Padding = Field("valid", description="`same` pools what is left over at the edges, too")
    data_format: DataFormat | None = None


@LAYERS.register
class MaxPooling1D(Pooling1D):
    """The largest value of each window of timesteps.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, channels)
    """

    examples: ClassVar = [
        Example({"max_pooling1d": 2}, (None, 9, 2)),
        Example({"max_pooling1d": {"pool_size": 3, "strides": 2, "padding": "same"}}, (None, 9, 2)),
    ]


@LAYERS.register
class MaxPooling2D(Pooling2D):
    """The largest value of each window of an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, rows, columns, channels)
    """

    examples: ClassVar = [
        Example({"max_pooling2d": 2}, (None, 8, 9, 2)),
        Example({"max_pooling2d": {"pool_size": 3, "strides": 2, "padding": "same"}}, (None, 8, 9, 2)),
    ]


@LAYERS.register
class MaxPooling3D(Pooling3D):
    """The largest value of each window of a volume.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, layers, rows, columns, channels)
    """

    examples: ClassVar = [
        Example({"max_pooling3d": 2}, (None, 4, 8, 9, 2)),
        Example({"max_pooling3d": {"pool_size": 3, "strides": 2, "padding": "same"}}, (None, 4, 8, 9, 2)),
    ]


@LAYERS.register
class AveragePooling1D(Pooling1D):
    """The mean of each window of timesteps.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, channels)
    """

    examples: ClassVar = [
        Example({"average_pooling1d": 2}, (None, 9, 2)),
        Example({"average_pooling1d": {"pool_size": 3, "strides": 2, "padding": "same"}}, (None, 9, 2)),
    ]

    pool_size: Size1D = Primary(description="timesteps in a window")


@LAYERS.register
class AveragePooling2D(Pooling2D):
    """The mean of each window of an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, rows, columns, channels)
    """

    examples: ClassVar = [
        Example({"average_pooling2d": 2}, (None, 8, 9, 2)),
        Example({"average_pooling2d": {"pool_size": 3, "strides": 2, "padding": "same"}}, (None, 8, 9, 2)),
    ]

    pool_size: Size2D = Primary(description="height and width of a window")


@LAYERS.register
class AveragePooling3D(Pooling3D):
    """The mean of each window of a volume.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, layers, rows, columns, channels)
    """

    examples: ClassVar = [
        Example({"average_pooling3d": 2}, (None, 4, 8, 9, 2)),
        Example({"average_pooling3d": {"pool_size": 3, "strides": 2, "padding": "same"}}, (None, 4, 8, 9, 2)),
    ]

    pool_size: Size3D = Primary(description="depth, height and width of a window")
