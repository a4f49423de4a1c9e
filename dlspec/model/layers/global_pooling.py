"""Layers that pool everything but the channels."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from dlspec.language.fields import Flag
from dlspec.language.shapes import Shape, count
from dlspec.model.layers.base import IMAGE, LAYERS, SEQUENCE, VOLUME, DataFormat, Example, Spatial


class GlobalPooling(Spatial):
    """Base of the layers that pool everything but the channels.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, channels), or with axes of size 1 if `keepdims`
    """

    data_format: DataFormat | None = None
    keepdims: Flag = Field(False, description="keep the axes that are pooled, with size 1")

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes, channels = self.split(input_shape)
        return self.join(input_shape[0], (1,) * len(sizes) if self.keepdims else (), channels)

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class GlobalAveragePooling1D(GlobalPooling):
    """The mean over all timesteps, one for each channel.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, channels)
    """

    axes = SEQUENCE
    heeds_mask = True
    examples: ClassVar = [
        Example("global_average_pooling1d", (None, 9, 2)),
        Example({"global_average_pooling1d": {"keepdims": True}}, (None, 9, 2)),
    ]


@LAYERS.register
class GlobalAveragePooling2D(GlobalPooling):
    """The mean over an image, one for each channel.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, channels)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example("global_average_pooling2d", (None, 8, 9, 2)),
        Example({"global_average_pooling2d": {"keepdims": True}}, (None, 8, 9, 2)),
    ]


@LAYERS.register
class GlobalAveragePooling3D(GlobalPooling):
    """The mean over a volume, one for each channel.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, channels)
    """

    axes = VOLUME
    examples: ClassVar = [
        Example("global_average_pooling3d", (None, 4, 8, 9, 2)),
        Example({"global_average_pooling3d": {"keepdims": True}}, (None, 4, 8, 9, 2)),
    ]


@LAYERS.register
class GlobalMaxPooling1D(GlobalPooling):
    """The largest value over all timesteps, one for each channel.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, channels)
    """

    axes = SEQUENCE
    examples: ClassVar = [
        Example("global_max_pooling1d", (None, 9, 2)),
        Example({"global_max_pooling1d": {"keepdims": True}}, (None, 9, 2)),
    ]


@LAYERS.register
class GlobalMaxPooling2D(GlobalPooling):
    """The largest value over an image, one for each channel.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, channels)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example("global_max_pooling2d", (None, 8, 9, 2)),
        Example({"global_max_pooling2d": {"keepdims": True}}, (None, 8, 9, 2)),
    ]


@LAYERS.register
class GlobalMaxPooling3D(GlobalPooling):
    """The largest value over a volume, one for each channel.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, channels)
    """

    axes = VOLUME
    examples: ClassVar = [
        Example("global_max_pooling3d", (None, 4, 8, 9, 2)),
        Example({"global_max_pooling3d": {"keepdims": True}}, (None, 4, 8, 9, 2)),
    ]
