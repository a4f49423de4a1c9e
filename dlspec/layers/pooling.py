"""Layers that keep the largest or the mean value of a neighbourhood."""

from __future__ import annotations

from typing import ClassVar

from dlspec.fields import Primary, Size1D, Size2D
from dlspec.layers.base import LAYERS, Example, LayerSpec, Shape, ShapeError, count, show_shape
from dlspec.layers.convolution import Padding, slide


class Pooling(LayerSpec):
    """Base of the layers that pool windows.

    Input shape:  (batch, *sizes, channels)
    Output shape: (batch, *places, channels)
    """

    pool_size: tuple[int, ...]
    strides: tuple[int, ...] | None = None
    padding: Padding = "valid"

    def output_shape(self, input_shape: Shape) -> Shape:
        steps = self.strides or self.pool_size
        places = tuple(
            slide(size, window, step, self.padding)
            for size, window, step in zip(input_shape[1:-1], self.pool_size, steps, strict=True)
        )
        if any(place is not None and place < 1 for place in places):
            raise ShapeError(
                f"`{self.type_name}` has a window of {' x '.join(map(str, self.pool_size))}, larger than its "
                f"input {show_shape(input_shape)}",
                help="pool less often, or write `padding: same`",
            )
        return (input_shape[0], *places, input_shape[-1])

    def flops(self, input_shape: Shape) -> int:
        window = 1
        for size in self.pool_size:
            window *= size
        return count(self.output_shape(input_shape)) * window

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


class Pooling1D(Pooling):
    """Base of the layers that pool along a sequence."""

    axes = ("timesteps", "channels")
    pool_size: Size1D = Primary((2,), description="timesteps in a window")
    strides: Size1D | None = None


class Pooling2D(Pooling):
    """Base of the layers that pool over an image."""

    axes = ("height", "width", "channels")
    pool_size: Size2D = Primary((2, 2), description="height and width of a window")
    strides: Size2D | None = None


@LAYERS.register
class MaxPooling1D(Pooling1D):
    """The largest value of each window of timesteps.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, channels)
    """

    examples: ClassVar = [Example({"max_pooling1d": 2}, (None, 9, 2))]


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
class AveragePooling1D(Pooling1D):
    """The mean of each window of timesteps.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, channels)
    """

    examples: ClassVar = [Example({"average_pooling1d": 3}, (None, 9, 2))]

    pool_size: Size1D = Primary(description="timesteps in a window")


@LAYERS.register
class AveragePooling2D(Pooling2D):
    """The mean of each window of an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, rows, columns, channels)
    """

    examples: ClassVar = [Example({"average_pooling2d": 2}, (None, 8, 9, 2))]

    pool_size: Size2D = Primary(description="height and width of a window")


class GlobalPooling(LayerSpec):
    """Base of the layers that pool everything but the channels.

    Input shape:  (batch, *sizes, channels)
    Output shape: (batch, channels)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[-1])

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class GlobalAveragePooling1D(GlobalPooling):
    """The mean over all timesteps.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, channels)
    """

    axes = ("timesteps", "channels")
    examples: ClassVar = [Example("global_average_pooling1d", (None, 9, 2))]


@LAYERS.register
class GlobalMaxPooling1D(GlobalPooling):
    """The largest value over all timesteps.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, channels)
    """

    axes = ("timesteps", "channels")
    examples: ClassVar = [Example("global_max_pooling1d", (None, 9, 2))]


@LAYERS.register
class GlobalAveragePooling2D(GlobalPooling):
    """The mean over an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, channels)
    """

    axes = ("height", "width", "channels")
    examples: ClassVar = [Example("global_average_pooling2d", (None, 8, 9, 2))]


@LAYERS.register
class GlobalMaxPooling2D(GlobalPooling):
    """The largest value over an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, channels)
    """

    axes = ("height", "width", "channels")
    examples: ClassVar = [Example("global_max_pooling2d", (None, 8, 9, 2))]
