"""Layers that make training harder so that what is learned holds on new data."""

from __future__ import annotations

from typing import ClassVar

from dlspec.fields import Deviation, NonNegativeInt, Primary, Rate
from dlspec.layers.base import LAYERS, Example, LayerSpec, Shape, count


@LAYERS.register
class Dropout(LayerSpec):
    """Sets inputs to zero with probability `rate` while training (Srivastava et al., 2014).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    keeps_shape = True
    passes_values = True
    examples: ClassVar = [Example({"dropout": 0.5}, (None, 8))]

    rate: Rate = Primary(description="fraction of inputs dropped, 0 <= rate < 1")
    seed: NonNegativeInt | None = None

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class GaussianNoise(LayerSpec):
    """Adds normal noise to its input while training.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    keeps_shape = True
    passes_values = True
    examples: ClassVar = [Example({"gaussian_noise": 0.1}, (None, 8))]

    stddev: Deviation = Primary(description="standard deviation of the noise, 0 <= stddev <= 1")
    seed: NonNegativeInt | None = None

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside
