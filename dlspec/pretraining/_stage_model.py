"""What a stage of pretraining trains, on the Keras side; imported when a stage begins, since it loads Keras.

Only `keras` and `keras.ops`, so that every backend can train it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from dlspec.model.states import without_states


class StageModel(keras.Model):
    """Layers of the final model, trained in place, and what is needed to train them alone.

    A step draws what is random in it, leads the input forward, and makes the objective small. Drawing is apart, since
    it takes several times as long inside a compiled step.

    Args:
        encoder: Keras layers that make the code, the one with weights first.
    """

    of_keras: ClassVar = False
    """Whether the objective is a loss of Keras, which divides it by the number of devices."""

    def __init__(self, encoder: list[Any]) -> None:
        super().__init__()
        self.encoder = list(encoder)

    def build(self, input_shape: Any) -> None:
        self.built = True  # the encoder belongs to the final model, and is

    def encode(self, x: Any, training: bool | None = None) -> Any:
        """The code of the input."""
        for layer in self.encoder:
            takes = {"training": training} if layer._call_has_training_arg else {}
            x = without_states(layer, layer(x, **takes))
        return x

    def compiled_parts(self) -> list[Any]:
        """The layers that a step goes through, apart from what is drawn."""
        return self.encoder

    def draw(self, x: Any) -> tuple[Any, ...]:
        """Everything that a step draws at random for a batch."""
        return ()

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> dict[str, Any]:
        """What the objective is made of; `drawn` is None in use, when nothing is random."""
        raise NotImplementedError

    def objective(self, x: Any, y: Any, found: Mapping[str, Any], sample_weight: Any = None) -> Any:
        """What is made small, as the mean over the samples of the batch."""
        raise NotImplementedError

    def measures(self, held_out: np.ndarray, trained: np.ndarray) -> dict[str, float]:
        """What else is worth a column of the history, from as many held-out samples as samples trained on; without any
        that are held out, from the latter alone."""
        return {}

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        return self.forward(inputs, self.draw(inputs) if training else None)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        loss = self.objective(x, y, y_pred, sample_weight)
        if not self.of_keras:
            loss = self._aggregate_additional_loss(loss)  # divides by the number of devices
        for penalty in self.losses:  # of regularizers
            loss = loss + ops.cast(self._aggregate_additional_loss(penalty), loss.dtype)
        return loss


class DecodingModel(StageModel):
    """A stage model that leads from the code back to the input."""

    def decode(self, code: Any) -> Any:
        """The input as the code remembers it."""
        raise NotImplementedError

    def reconstruct(self, x: Any) -> Any:
        """The input, led to its code and back."""
        return self.decode(self.encode(x, training=False))

    def decoder_weights(self) -> list[list[np.ndarray]]:
        """Kernel and bias, or whatever weights it has, of every layer of the decoder that has some, in order."""
        raise NotImplementedError


def values_of(layer: Any) -> list[np.ndarray]:
    """Copies of a layer's weights."""
    return [np.array(ops.convert_to_numpy(weight)) for weight in layer.weights]


def summed(values: Any) -> Any:
    """The sum over all axes but the batch."""
    return ops.sum(ops.reshape(values, (ops.shape(values)[0], -1)), axis=1)
