"""The Keras side of pretraining; imported when a stage begins, since it loads Keras.

Only `keras` and `keras.ops`, so that every backend can train it.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class ReconstructingModel(keras.Model):
    """Encoder, then decoder; the encoder's layers belong to the final model and are trained in place.

    Args:
        encoder: the layer with weights and what belongs to its code.
        decoder: layers that lead back to the input.
        corruption: layer that spoils the input while training.
        tied_to: a dense layer whose transposed kernel is the decoder's; `decoder` is then not used.
        output_activation: what the reconstruction passes through.
        sequence: the input is a sequence, its code the last output, and it is decoded last timestep first.
    """

    def __init__(
        self,
        encoder: list[Any],
        decoder: list[Any],
        *,
        corruption: Any = None,
        tied_to: Any = None,
        output_activation: str = "linear",
        sequence: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = list(encoder)
        self.decoder = [] if tied_to is not None else list(decoder)
        self.corruption = corruption
        self.tied_to = tied_to
        self.output_activation = keras.activations.get(output_activation)
        self.sequence = sequence

    def build(self, input_shape: Any) -> None:
        if self.tied_to is not None:
            self.visible_bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="visible_bias")
        outputs = self.encoder[-1].output  # the encoder is part of the final model, and built
        shape = self.code(outputs).shape
        for layer in self.decoder:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def encode(self, x: Any) -> Any:
        for layer in self.encoder:
            x = layer(x)
        return self.code(x)

    def code(self, outputs: Any) -> Any:
        """What the decoder starts from, given what the encoder's layers put out."""
        return outputs[:, -1, :] if self.sequence and len(outputs.shape) == 3 else outputs

    def decode(self, code: Any) -> Any:
        if self.tied_to is not None:
            x = ops.matmul(code, ops.transpose(self.tied_to.kernel)) + self.visible_bias
        else:
            x = code
            for layer in self.decoder:
                x = layer(x)
        if self.sequence:
            x = ops.flip(x, axis=1)  # the decoder begins with what the encoder saw last
        return self.output_activation(x)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = inputs if self.corruption is None else self.corruption(inputs, training=training)
        return self.decode(self.encode(x))


class MaskingNoise(keras.layers.Layer):
    """Sets values to zero with probability `rate` while training; unlike dropout, the rest stays as it is."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training:
            return inputs
        kept = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator) >= self.rate
        return inputs * ops.cast(kept, inputs.dtype)


class SaltAndPepperNoise(MaskingNoise):
    """Sets values to the batch's lowest or highest with probability `rate` while training."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training:
            return inputs
        draw = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator)
        extreme = ops.where(draw < self.rate / 2, ops.min(inputs), ops.max(inputs))
        return ops.where(draw < self.rate, extreme, inputs)
