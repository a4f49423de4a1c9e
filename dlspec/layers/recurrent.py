"""Layers that walk through a sequence, one timestep after the other, and remember."""

from __future__ import annotations

from typing import ClassVar

from dlspec.fields import Flag, NonNegativeInt, PositiveInt, Primary, Rate
from dlspec.layers.base import LAYERS, Example, LayerSpec, Shape, known
from dlspec.layers.core import Dense
from dlspec.layers.reshaping import RepeatVector
from dlspec.parts import (
    UNIT_INTERVAL,
    ActivationName,
    AnyInitializer,
    AnyRegularizer,
    BiasInitializer,
    GlorotUniform,
    Orthogonal,
    Zeros,
)


class Recurrent(LayerSpec):
    """Base of the recurrent layers.

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    axes = ("timesteps", "features")
    weighted = True
    gates: ClassVar[int]
    """How many matrices of (features + units) x units it has."""

    units: PositiveInt = Primary(description="size of the state")
    activation: ActivationName = "tanh"
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    recurrent_initializer: AnyInitializer = Orthogonal()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    recurrent_regularizer: AnyRegularizer | None = None
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0
    seed: NonNegativeInt | None = None
    return_sequences: Flag = False
    go_backwards: Flag = False

    def output_shape(self, input_shape: Shape) -> Shape:
        batch, timesteps, _ = input_shape
        return (batch, timesteps, self.units) if self.return_sequences else (batch, self.units)

    def biases(self) -> int:
        return self.gates * self.units if self.use_bias else 0

    def parameters(self, input_shape: Shape) -> int:
        return self.gates * (known(input_shape[-1]) + self.units) * self.units + self.biases()

    def flops(self, input_shape: Shape) -> int:
        # products with input and state, biases, then about four operations a gate and unit on the state
        timestep = 2 * self.gates * (known(input_shape[-1]) + self.units) * self.units
        return (input_shape[1] or 1) * (timestep + self.biases() + 4 * self.gates * self.units)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """Reads the code again at every timestep and unrolls it (Srivastava et al., 2015)."""
        _, timesteps, features = input_shape
        if not timesteps or not features:
            return None
        decoder = type(self)(units=self.units, return_sequences=True)
        return (RepeatVector(n=timesteps), decoder, Dense(units=features))

    def why_shape(self) -> str:
        return "returns every timestep: {shape}" if self.return_sequences else "returns only its last output: {shape}"

    def with_axes(self, wanted: int) -> LayerSpec | None:
        return self.model_copy(update={"return_sequences": wanted == 3}) if wanted in (2, 3) else None


@LAYERS.register
class LSTM(Recurrent):
    """Long short-term memory: gates decide what is kept, forgotten and shown (Hochreiter and Schmidhuber, 1997).

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    gates = 4
    examples: ClassVar = [
        Example({"lstm": 4}, (None, 6, 3)),
        Example({"lstm": {"units": 4, "return_sequences": True}}, (None, 6, 3)),
    ]

    recurrent_activation: ActivationName = "sigmoid"
    unit_forget_bias: Flag = True


@LAYERS.register
class GRU(Recurrent):
    """Gated recurrent unit: an LSTM with two gates (Cho et al., 2014).

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    gates = 3
    examples: ClassVar = [
        Example({"gru": 4}, (None, 6, 3)),
        Example({"gru": {"units": 4, "reset_after": False, "return_sequences": True}}, (None, 6, 3)),
    ]

    recurrent_activation: ActivationName = "sigmoid"
    reset_after: Flag = True

    def biases(self) -> int:
        return super().biases() * (2 if self.reset_after else 1)  # one for input, one for the state


@LAYERS.register
class SimpleRNN(Recurrent):
    """The state is a function of the input and the state before it (Elman, 1990).

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    gates = 1
    examples: ClassVar = [Example({"simple_rnn": 4}, (None, 6, 3))]
