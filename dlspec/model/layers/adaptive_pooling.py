"""Layers that pool to a size that is given, with windows as large as that takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from dlspec.language.fields import Primary, Size1D, Size2D, Size3D
from dlspec.language.shapes import Shape, UnknownSize, count, show_shape
from dlspec.model.layers.base import IMAGE, LAYERS, SEQUENCE, VOLUME, DataFormat, Example, Spatial


class AdaptivePooling(Spatial):
    """Base of the layers that pool to a given size.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, *output_size, channels)
    """

    if TYPE_CHECKING:
        output_size: Sequence[int]

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes, channels = self.split(input_shape)
        if None in sizes and any(size is not None for size in input_shape[1:]):
            raise UnknownSize(
                f"`{self.type_name}` needs to know every size in space, got {show_shape(input_shape)}",
                help="pool with a window, or put `resizing` above it",
            )
        return self.join(input_shape[0], tuple(self.output_size), channels)

    def flops(self, input_shape: Shape) -> int:
        return max(count(input_shape), count(self.output_shape(input_shape)))

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class AdaptiveAveragePooling1D(AdaptivePooling):
    """The mean of each window of timesteps, with as many windows as asked.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, *output_size, channels)
    """

    axes = SEQUENCE
    examples: ClassVar = [Example({"adaptive_average_pooling1d": 3}, (None, 9, 2))]

    output_size: Size1D = Primary(description="how many places come out along each axis")
    data_format: DataFormat | None = None


@LAYERS.register
class AdaptiveAveragePooling2D(AdaptivePooling):
    """The mean of each window of an image, with as many windows as asked.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, *output_size, channels)
    """

    axes = IMAGE
    examples: ClassVar = [Example({"adaptive_average_pooling2d": [2, 3]}, (None, 8, 9, 2))]

    output_size: Size2D = Primary(description="how many places come out along each axis")
    data_format: DataFormat | None = None


@LAYERS.register
class AdaptiveAveragePooling3D(AdaptivePooling):
    """The mean of each window of a volume, with as many windows as asked.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, *output_size, channels)
    """

    axes = VOLUME
    examples: ClassVar = [Example({"adaptive_average_pooling3d": 2}, (None, 4, 8, 9, 2))]

    output_size: Size3D = Primary(description="how many places come out along each axis")
    data_format: DataFormat | None = None


@LAYERS.register
class AdaptiveMaxPooling1D(AdaptivePooling):
    """The largest value of each window of timesteps, with as many windows as asked.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, *output_size, channels)
    """

    axes = SEQUENCE
    examples: ClassVar = [Example({"adaptive_max_pooling1d": 3}, (None, 9, 2))]

    output_size: Size1D = Primary(description="how many places come out along each axis")
    data_format: DataFormat | None = None


@LAYERS.register
class AdaptiveMaxPooling2D(AdaptivePooling):
    """The largest value of each window of an image, with as many windows as asked.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, *output_size, channels)
    """

    axes = IMAGE
    examples: ClassVar = [Example({"adaptive_max_pooling2d": [2, 3]}, (None, 8, 9, 2))]

    output_size: Size2D = Primary(description="how many places come out along each axis")
    data_format: DataFormat | None = None


@LAYERS.register
class AdaptiveMaxPooling3D(AdaptivePooling):
    """The largest value of each window of a volume, with as many windows as asked.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, *output_size, channels)
    """

    axes = VOLUME
    examples: ClassVar = [Example({"adaptive_max_pooling3d": 2}, (None, 4, 8, 9, 2))]

    output_size: Size3D = Primary(description="how many places come out along each axis")
    data_format: DataFormat | None = None
