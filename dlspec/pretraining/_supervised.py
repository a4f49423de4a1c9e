"""A layer below a temporary output, on the Keras side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
from keras import ops

from dlspec.data.signature import Target
from dlspec.model.forms import by_values
from dlspec.model.states import without_states
from dlspec.pretraining._stage_model import StageModel


class SupervisedModel(StageModel):
    """Encoder, then an output that is thrown away afterwards, trained on the target.

    Args:
        head: layers that lead from the code to the target's output.
        loss: the Keras loss of the target.
    """

    of_keras: ClassVar = True

    def __init__(self, encoder: list[Any], head: list[Any], loss: Any) -> None:
        super().__init__(encoder)
        self.head = list(head)
        self.target_loss = loss

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape)
        for layer in self.encoder:
            shape = without_states(layer, layer.compute_output_shape(shape))
        for layer in self.head:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def compiled_parts(self) -> list[Any]:
        return [*self.encoder, *self.head]

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> dict[str, Any]:
        x = self.encode(x, training=drawn is not None)
        for layer in self.head:
            x = layer(x)
        return {"output": x}

    def objective(self, x: Any, y: Any, found: Mapping[str, Any], sample_weight: Any = None) -> Any:
        return self.target_loss(y, found["output"], sample_weight=sample_weight)


class LastTimestep(keras.layers.Layer):
    """What a sequence ends in: (batch, timesteps, features) -> (batch, features)."""

    def call(self, inputs: Any) -> Any:
        return ops.take(inputs, -1, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *input_shape[2:])


class ByValues(keras.layers.Layer):
    """Numbers that are given by several values each: (batch, numbers * values) -> (batch, numbers, values).

    Args:
        target: with quantiles or a mixture.
    """

    def __init__(self, target: Target, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.target = target

    def call(self, inputs: Any) -> Any:
        return by_values(inputs, self.target)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] // self.target.values_each, self.target.values_each)
