"""Convolutions in which every channel has filters of its own, and what comes out is mixed after that or not at all."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from dlspec.language.fields import Flag, PositiveInt, Primary, Size1D, Size2D
from dlspec.language.shapes import Shape, count
from dlspec.model.activations import ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Zeros
from dlspec.model.layers.base import IMAGE, LAYERS, SEQUENCE, DataFormat, Example
from dlspec.model.layers.convolution import Padding, Sliding
from dlspec.model.regularizers import AnyRegularizer


class Depthwise(Sliding):
    """Base of the convolutions that do not mix channels.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, *places, channels * depth_multiplier)
    """

    kernel_size: tuple[int, ...] = Primary(description="how large each filter is")
    strides: tuple[int, ...] = Field((1,), description="how far a filter moves from place to place")
    padding: Padding = Field("valid", description="`same` adds zeros at the edges")
    depth_multiplier: PositiveInt = Field(1, description="how many filters each channel has")
    data_format: DataFormat | None = None
    dilation_rate: tuple[int, ...] = Field((1,), description="how far apart the places are that a filter reads")
    activation: ActivationName = "linear"
    use_bias: Flag = True
    depthwise_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    depthwise_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    depthwise_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None

    def filters_of(self, channels: int | None) -> int | None:
        return None if channels is None else channels * self.depth_multiplier

    def parameters(self, input_shape: Shape) -> int:
        return self.channels(input_shape) * self.depth_multiplier * (self.window + self.use_bias)

    def flops(self, input_shape: Shape) -> int:
        return 2 * count(self.output_shape(input_shape)) * self.window + self.finishing(input_shape)


@LAYERS.register
class DepthwiseConv1D(Depthwise):
    """Slides filters along each channel of a sequence on its own.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, channels * depth_multiplier)
    """

    axes = SEQUENCE
    examples: ClassVar = [
        Example({"depthwise_conv1d": 3}, (None, 9, 2)),
        Example({"depthwise_conv1d": {"kernel_size": 3, "depth_multiplier": 2, "strides": 2}}, (None, 9, 2)),
    ]

    kernel_size: Size1D = Primary(description="how many timesteps a filter reads")
    strides: Size1D = Field((1,), description="how far a filter moves from place to place")
    dilation_rate: Size1D = Field((1,), description="how far apart the timesteps are that a filter reads")


@LAYERS.register
class DepthwiseConv2D(Depthwise):
    """Slides filters over each channel of an image on its own.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, rows, columns, channels * depth_multiplier)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example({"depthwise_conv2d": 3}, (None, 8, 9, 2)),
        Example({"depthwise_conv2d": {"kernel_size": [3, 2], "padding": "same", "use_bias": False}}, (None, 8, 9, 2)),
    ]

    kernel_size: Size2D = Primary(description="height and width of a filter")
    strides: Size2D = Field((1, 1), description="how far a filter moves from place to place")
    dilation_rate: Size2D = Field((1, 1), description="how far apart the pixels are that a filter reads")


class Separable(Sliding):
    """Base of the convolutions that filter channel by channel, and mix the channels after that (Chollet, 2017).

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, *places, filters)
    """

    filters: PositiveInt = Field(description="how many mixtures come out, each of which is a channel")
    kernel_size: tuple[int, ...] = Field(description="how large each filter is")
    strides: tuple[int, ...] = Field((1,), description="how far a filter moves from place to place")
    padding: Padding = Field("valid", description="`same` adds zeros at the edges")
    data_format: DataFormat | None = None
    dilation_rate: tuple[int, ...] = Field((1,), description="how far apart the places are that a filter reads")
    depth_multiplier: PositiveInt = Field(1, description="how many filters each channel has")
    activation: ActivationName = "linear"
    use_bias: Flag = True
    depthwise_initializer: AnyInitializer = GlorotUniform()
    pointwise_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    depthwise_regularizer: AnyRegularizer | None = None
    pointwise_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    depthwise_constraint: AnyConstraint | None = None
    pointwise_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None

    def _between(self, input_shape: Shape) -> int:
        """How many channels the filters give, before they are mixed."""
        return self.channels(input_shape) * self.depth_multiplier

    def parameters(self, input_shape: Shape) -> int:
        return self._between(input_shape) * (self.window + self.filters) + self.use_bias * self.filters

    def flops(self, input_shape: Shape) -> int:
        places = count(self.output_shape(input_shape)) // self.filters
        return 2 * places * self._between(input_shape) * (self.window + self.filters) + self.finishing(input_shape)


@LAYERS.register
class SeparableConv1D(Separable):
    """Slides filters along each channel of a sequence, and mixes the channels at every place.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, filters)
    """

    axes = SEQUENCE
    examples: ClassVar = [
        Example({"separable_conv1d": {"filters": 4, "kernel_size": 3}}, (None, 9, 2)),
        Example({"separable_conv1d": {"filters": 4, "kernel_size": 3, "padding": "same"}}, (None, 9, 2)),
    ]

    kernel_size: Size1D = Field(description="how many timesteps a filter reads")
    strides: Size1D = Field((1,), description="how far a filter moves from place to place")
    dilation_rate: Size1D = Field((1,), description="how far apart the timesteps are that a filter reads")


@LAYERS.register
class SeparableConv2D(Separable):
    """Slides filters over each channel of an image, and mixes the channels at every place (Chollet, 2017).

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, rows, columns, filters)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example({"separable_conv2d": {"filters": 4, "kernel_size": 3}}, (None, 8, 9, 2)),
        Example(
            {"separable_conv2d": {"filters": 4, "kernel_size": [3, 2], "depth_multiplier": 2, "padding": "same"}},
            (None, 8, 9, 2),
        ),
    ]

    kernel_size: Size2D = Field(description="height and width of a filter")
    strides: Size2D = Field((1, 1), description="how far a filter moves from place to place")
    padding: Padding = Field("valid", description="`same` adds zeros around the image")
    dilation_rate: Size2D = Field((1, 1), description="how far apart the pixels are that a filter reads")
