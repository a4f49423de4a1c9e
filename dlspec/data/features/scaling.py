"""Scales of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dlspec.data.arrays import Samples, blocks, some_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

Scale = Literal["standard", "min_max", "robust", "none"]
ScaledBy = Literal["channel"] | None


@dataclass(frozen=True)
class Affine:
    """x * scale + offset, one pair for each feature, or one for all."""

    scale: Array
    offset: Array

    def __call__(self, values: Array) -> Array:
        return values * self.scale + self.offset

    def back(self, values: Array) -> Array:
        return (values - self.offset) / self.scale

    @property
    def inverse(self) -> Affine:
        return Affine(1 / self.scale, -self.offset / self.scale)

    def layer(self, name: str | None = None) -> Any:
        """The same as a layer of Keras, in float64: a large offset is lost in float32.

        Scale and offset are arrays, since Keras makes float32 of single numbers and of lists.
        """
        import keras

        return keras.layers.Rescaling(self.scale, self.offset, name=name, dtype="float64")


def of_parameters(units: Affine, components: int) -> Affine:
    """The way of numbers, a pair each, as that of mixtures of them, (numbers, 3 * components): weights stay, means are
    numbers, deviations have the scale alone."""
    import numpy as np

    ones = np.ones((len(units.scale), components))
    scale, offset = units.scale[:, None] * ones, units.offset[:, None] * ones
    return Affine(np.hstack([ones, scale, np.abs(scale)]), np.hstack([0 * ones, offset, 0 * ones]))


def fit_affine(values: Array, how: Scale) -> Affine:
    """The scale that brings `values`, (rows, features), to mean 0 and deviation 1, to 0 and 1, or, robust against
    values far out, to median 0 and a distance of 1 between the quartiles."""
    import numpy as np

    ones = np.ones(values.shape[-1])
    if how == "none":
        return Affine(ones, 0 * ones)
    if how == "standard":
        middle, spread = values.mean(axis=0), values.std(axis=0)
    elif how == "robust":
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        spread = high - low
    else:
        middle = values.min(axis=0).astype("float64")
        spread = values.max(axis=0) - middle
    scale = 1 / np.where(spread > 1e-12 * (1 + abs(middle)), spread, 1.0)  # a constant column stays constant
    return Affine(scale, -middle * scale)


def fit_scale_of_samples(samples: Samples, how: Scale, by: ScaledBy = None) -> Affine:
    """One scale for all values of all samples, (samples, ...), or one for each channel, the last axis.

    Samples that are not in memory are read once. The quartiles are then those of 10 million values at most.
    """
    import numpy as np

    shape = (-1,) if by is None else (-1, samples.shape[-1])
    width = shape[1:] or (1,)
    if how == "none":
        return fit_affine(np.zeros((1, *width)), how)
    if how == "robust":
        return fit_affine(samples[some_of(samples, 10**7)].reshape(-1, *width), how)
    count = 0
    total = squares = np.zeros(shape[1:])
    low, high = np.full(shape[1:], np.inf), np.full(shape[1:], -np.inf)
    shift = samples[:1].reshape(shape).mean(axis=0, dtype="float64")  # so that squares of large values lose nothing
    for block in blocks(samples):
        values = block.reshape(shape)
        if how == "standard":
            values = values.astype("float64") - shift
            total, count = total + values.sum(axis=0), count + len(values)
            squares = squares + np.einsum("i...,i...->...", values, values)
        else:
            low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
    if how == "standard":  # of two values as far from the mean as the deviation, mean and deviation are the same
        middle = total / count
        spread = np.sqrt(np.maximum(squares / count - middle**2, 0.0))
        low, high = shift + middle - spread, shift + middle + spread
    return fit_affine(np.reshape([low, high], (2, *width)), how)
