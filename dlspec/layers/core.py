"""Dense layers, activations and the output."""

from __future__ import annotations

from typing import ClassVar

from dlspec.fields import Flag, PositiveInt, Primary
from dlspec.layers.base import LAYERS, Example, LayerSpec, Shape, ShapeError, count, known, show_shape
from dlspec.parts.activations import UNIT_INTERVAL, ActivationName
from dlspec.parts.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Zeros
from dlspec.parts.regularizers import AnyRegularizer


@LAYERS.register
class Dense(LayerSpec):
    """Multiplies the last axis by a matrix and adds a bias: activation(x W + b).

    Input shape:  (batch, ..., features)
    Output shape: (batch, ..., units)
    """

    weighted = True
    examples: ClassVar = [
        Example({"dense": 3}, (None, 8)),
        Example({"dense": {"units": 3, "activation": "relu", "use_bias": False}}, (None, 5, 8)),
    ]

    units: PositiveInt = Primary(description="how many numbers come out")
    activation: ActivationName = "linear"
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ShapeError(f"`dense` needs (batch, features), got {show_shape(input_shape)}")
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: Shape) -> int:
        return (known(input_shape[-1]) + self.use_bias) * self.units

    def flops(self, input_shape: Shape) -> int:
        outputs = count(self.output_shape(input_shape))
        return outputs * (2 * known(input_shape[-1]) + self.use_bias + (self.activation != "linear"))

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        features = input_shape[-1]
        return (Dense(units=features),) if features else None


@LAYERS.register
class Activation(LayerSpec):
    """Applies a function to every value.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    keeps_shape = True
    follows_code = True
    examples: ClassVar = [Example({"activation": "relu"}, (None, 8))]

    activation: ActivationName = Primary(description="name of the function")

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL or (input_inside and self.activation in ("linear", "relu"))


@LAYERS.register
class Output(LayerSpec):
    """A dense layer with as many units, and the activation, that the target needs.

    A number gives linear units, two classes one sigmoid unit, more classes a softmax unit each.

    Input shape:  (batch, features)
    Output shape: (batch, units)
    """

    axes = ("features",)
    weighted = True
    examples: ClassVar = [Example("output", (None, 8))]

    units: PositiveInt | None = None
    activation: ActivationName | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.units)

    def parameters(self, input_shape: Shape) -> int:
        return (known(input_shape[-1]) + 1) * known(self.units)

    def flops(self, input_shape: Shape) -> int:
        return known(self.units) * (2 * known(input_shape[-1]) + 1 + (self.activation not in (None, "linear")))
