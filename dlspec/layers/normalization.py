"""Layers that keep values at mean zero and variance one."""

from __future__ import annotations

from typing import ClassVar

from dlspec.fields import Flag, PositiveNumber, Rate
from dlspec.layers.base import LAYERS, Example, LayerSpec, Shape, count, known


class Normalizing(LayerSpec):
    """Base of the normalizations over the last axis.

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    weighted = True
    keeps_shape = True
    follows_code = True
    epsilon: PositiveNumber = 1e-3
    center: Flag = True
    scale: Flag = True

    def parameters(self, input_shape: Shape) -> int:
        return known(input_shape[-1]) * (self.center + self.scale)

    def flops(self, input_shape: Shape) -> int:
        return 4 * count(input_shape)


@LAYERS.register
class BatchNormalization(Normalizing):
    """Normalizes each feature over the batch (Ioffe and Szegedy, 2015).

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example("batch_normalization", (None, 8)),
        Example({"batch_normalization": {"momentum": 0.9, "scale": False}}, (None, 4, 4, 3)),
    ]

    momentum: Rate = 0.99

    def parameters(self, input_shape: Shape) -> int:
        return super().parameters(input_shape) + 2 * known(input_shape[-1])  # running mean and variance


@LAYERS.register
class LayerNormalization(Normalizing):
    """Normalizes the features of each sample (Ba et al., 2016).

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    examples: ClassVar = [Example("layer_normalization", (None, 4, 8))]
