"""Recurrent layers over series of sequences, images or volumes, whose gates are convolutions (Shi et al., 2015)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeInt, PositiveInt, Rate, Size1D, Size2D, Size3D
from dlspec.language.shapes import Shape, UnknownSize, show_shape
from dlspec.model.activations import UNIT_INTERVAL, ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Orthogonal, Zeros
from dlspec.model.layers.base import LAYERS, DataFormat, Example, LayerSpec
from dlspec.model.layers.convolution import Padding, Sliding
from dlspec.model.layers.recurrent import masked_timesteps
from dlspec.model.layers.sight import Sight
from dlspec.model.regularizers import AnyRegularizer


class ConvLSTM(Sliding):
    """Base of the convolutional LSTMs.

    Input shape:  (batch, timesteps, *sizes, channels)
    Output shape: (batch, *places, filters), or (batch, timesteps, *places, filters) with `return_sequences`
    """

    filters: PositiveInt = Field(description="how many feature maps the state has")
    kernel_size: tuple[int, ...] = Field(description="how large each filter is")
    strides: tuple[int, ...] = Field((1,), description="how far a filter moves from place to place, on the input")
    padding: Padding = Field("valid", description="`same` adds zeros at the edges")
    data_format: DataFormat | None = None
    dilation_rate: tuple[int, ...] = Field((1,), description="how far apart the places are that a filter reads")
    activation: ActivationName = Field("tanh", description="of the state")
    recurrent_activation: ActivationName = Field("sigmoid", description="of the gates")
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    recurrent_initializer: AnyInitializer = Orthogonal()
    bias_initializer: BiasInitializer = Zeros()
    unit_forget_bias: Flag = Field(True, description="start the bias of the forget gate at 1 (Jozefowicz et al., 2015)")
    kernel_regularizer: AnyRegularizer | None = None
    recurrent_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    recurrent_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    dropout: Rate = Field(0.0, description="fraction of the inputs dropped, the same ones at every timestep")
    recurrent_dropout: Rate = Field(0.0, description="fraction of the state dropped, the same at every timestep")
    seed: NonNegativeInt | None = None
    return_sequences: Flag = Field(False, description="give what comes out at every timestep, not only at the last")
    go_backwards: Flag = Field(False, description="walk from the last timestep to the first")

    def _frame(self, input_shape: Shape) -> Shape:
        """The shape of one timestep, batch first."""
        return (input_shape[0], *input_shape[2:])

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return None

    heeds_mask = True

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        return masked_timesteps(self, masked)

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes, _ = self.split(self._frame(input_shape))
        if input_shape[2:] != (None,) * (len(sizes) + 1) and None in sizes:
            raise UnknownSize(
                f"`{self.type_name}` needs to know every size in space, got {show_shape(input_shape)}",
                help="put `resizing` above it",
            )
        state = super().output_shape(self._frame(input_shape))
        return (state[0], input_shape[1], *state[1:]) if self.return_sequences else state

    def parameters(self, input_shape: Shape) -> int:
        channels = self.channels(self._frame(input_shape))
        return 4 * self.filters * (self.window * (channels + self.filters) + self.use_bias)

    def _state(self, input_shape: Shape) -> int:
        """How many values one state has."""
        return math.prod(size or 1 for size in super().output_shape(self._frame(input_shape))[1:])

    def flops(self, input_shape: Shape) -> int:
        channels = self.channels(self._frame(input_shape))
        # four gates: products with input and state, biases; then about four operations a gate and value on the state
        value = 4 * (2 * self.window * (channels + self.filters) + self.use_bias + 4)
        return (input_shape[1] or 1) * self._state(input_shape) * value

    def activations(self, input_shape: Shape) -> int:
        return (input_shape[1] or 1) * 2 * self._state(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL and self.recurrent_activation in UNIT_INTERVAL

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0] if seen[0].axis == 1 and self.return_sequences and not self.go_backwards else None

    def cure_of_sight(self) -> str:
        return "remove `go_backwards: true`" if self.go_backwards else "write `return_sequences: true`"

    def why_shape(self) -> str:
        return "returns every timestep: {shape}" if self.return_sequences else "returns only its last output: {shape}"

    def with_axes(self, wanted: int) -> LayerSpec | None:
        axes = len(self.kernel_size) + 2
        return self.model_copy(update={"return_sequences": wanted > axes}) if wanted in (axes, axes + 1) else None


@LAYERS.register
class ConvLSTM1D(ConvLSTM):
    """An LSTM over a series of sequences, whose gates are convolutions (Shi et al., 2015).

    Input shape:  (batch, timesteps, places, channels)
    Output shape: (batch, *places, filters), or (batch, timesteps, *places, filters) with `return_sequences`
    """

    axes = ("timesteps", "places", "channels")
    examples: ClassVar = [
        Example({"conv_lstm1d": {"filters": 3, "kernel_size": 2}}, (None, 4, 6, 2)),
        Example(
            {"conv_lstm1d": {"filters": 3, "kernel_size": 3, "padding": "same", "return_sequences": True}},
            (None, 4, 6, 2),
        ),
    ]

    kernel_size: Size1D = Field(description="how large each filter is")
    strides: Size1D = Field((1,), description="how far a filter moves from place to place, on the input")
    dilation_rate: Size1D = Field((1,), description="how far apart the places are that a filter reads")


@LAYERS.register
class ConvLSTM2D(ConvLSTM):
    """An LSTM over a series of images, whose gates are convolutions (Shi et al., 2015).

    Input shape:  (batch, timesteps, height, width, channels)
    Output shape: (batch, *places, filters), or (batch, timesteps, *places, filters) with `return_sequences`
    """

    axes = ("timesteps", "height", "width", "channels")
    examples: ClassVar = [
        Example({"conv_lstm2d": {"filters": 3, "kernel_size": 2}}, (None, 4, 6, 7, 2)),
        Example(
            {"conv_lstm2d": {"filters": 3, "kernel_size": 3, "padding": "same", "return_sequences": True}},
            (None, 4, 6, 7, 2),
        ),
    ]

    kernel_size: Size2D = Field(description="how large each filter is")
    strides: Size2D = Field((1, 1), description="how far a filter moves from place to place, on the input")
    dilation_rate: Size2D = Field((1, 1), description="how far apart the places are that a filter reads")


@LAYERS.register
class ConvLSTM3D(ConvLSTM):
    """An LSTM over a series of volumes, whose gates are convolutions (Shi et al., 2015).

    Input shape:  (batch, timesteps, depth, height, width, channels)
    Output shape: (batch, *places, filters), or (batch, timesteps, *places, filters) with `return_sequences`
    """

    axes = ("timesteps", "depth", "height", "width", "channels")
    examples: ClassVar = [
        Example({"conv_lstm3d": {"filters": 3, "kernel_size": 2}}, (None, 3, 4, 5, 6, 2)),
        Example(
            {"conv_lstm3d": {"filters": 3, "kernel_size": 3, "padding": "same", "return_sequences": True}},
            (None, 3, 4, 5, 6, 2),
        ),
    ]

    kernel_size: Size3D = Field(description="how large each filter is")
    strides: Size3D = Field((1, 1, 1), description="how far a filter moves from place to place, on the input")
    dilation_rate: Size3D = Field((1, 1, 1), description="how far apart the places are that a filter reads")
