"""Scales of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

Scale = Literal["standard", "min_max", "robust", "none"]
SCALES: tuple[Scale, ...] = get_args(Scale)


@dataclass(frozen=True)
class Affine:
    """x * scale + offset, one pair for each feature, or one for all."""

    scale: Array
    offset: Array

    def __call__(self, values: Array) -> Array:
        return values * self.scale + self.offset

    def back(self, values: Array) -> Array:
        return (values - self.offset) / self.scale


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
