"""What networks of Keras are made of besides layers that a spec can name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.language.shapes import Shape, count
from dlspec.model.layers.base import LayerSpec


class LearnedNormalization(LayerSpec):
    """Takes a mean off the values and divides by a standard deviation, both of which are among the weights.

    Input shape:  (batch, ..., channels)
    Output shape: same as input
    """

    keeps_shape = True
    weighted = True

    invert: bool = False

    @property
    def has_weights(self) -> bool:
        return True

    def parameters(self, input_shape: Shape) -> int:
        return 2 * (input_shape[-1] or 0) + 1  # means, variances, and of how many values they are

    def flops(self, input_shape: Shape) -> int:
        return 2 * count(input_shape)

    def build(self, name: str | None = None) -> Any:
        import keras

        return keras.layers.Normalization(axis=-1, invert=self.invert, name=name, dtype=self.dtype)


class ReversedChannels(LayerSpec):
    """The channels of images in the other order: blue, green and red for red, green and blue.

    Input shape:  (batch, ..., channels)
    Output shape: same as input
    """

    keeps_shape = True
    moves_values = True

    def build(self, name: str | None = None) -> Any:
        import keras

        return keras.layers.Identity(name=name)

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        from keras import ops

        return ops.flip(built(inputs[0]), axis=-1)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside
