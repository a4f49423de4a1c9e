"""Baselines that guess a normal distribution: that of the training part, or a guess and how far it is off there.

A guess is a mixture of one component, (samples, 3) or of several numbers (samples, numbers, 3): its weight, which is 1,
mean and deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlspec.data.preparation import Part, Prepared
from dlspec.evaluation.fitted import Fitted, FittedLinear
from dlspec.evaluation.mixtures import as_mixtures
from dlspec.model.mixtures import FLOOR

Array = np.ndarray


def deviations_of(errors: Array, data: Prepared, weights: Array | None = None) -> Array:
    """The root of the mean square of errors, (columns,), no smaller than a component of the network can be.

    Args:
        errors: (samples, columns), in the target's units.
        weights: how much each sample counts, (samples,); None: all alike.
    """
    assert data.preprocessing.target is not None, "a number has a scale"
    least = FLOOR / np.abs(data.preprocessing.target.scale)
    return np.asarray(np.maximum(np.average(errors**2, axis=0, weights=weights) ** 0.5, least))


def _check(values: Array) -> None:
    if (values <= 0).any():
        raise ValueError("`deviations` are not above zero")


def _of(means: Array, deviations: Array, single: Array) -> Array:
    """Means, (samples, numbers), as mixtures."""
    found = as_mixtures(means, deviations)
    return found[:, 0] if single[0] else found


@dataclass(frozen=True)
class FittedGaussian(Fitted):
    """The same for every sample.

    Args:
        means, deviations: (numbers,).
        single: (1,): 1 where the target is one number.
    """

    means: Array
    deviations: Array
    single: Array

    axes: ClassVar = {"means": 1, "deviations": 1, "single": 1}

    def check(self) -> None:
        _check(self.deviations)

    def guess(self, part: Part) -> Array:
        return _of(np.repeat(self.means[None], len(part), axis=0), self.deviations, self.single)


@dataclass(frozen=True)
class FittedGaussianSteps(Fitted):
    """The last value that is known, and how far the next ones were from it in the training part.

    Args:
        deviations, single: as of `FittedGaussian`.
    """

    deviations: Array
    single: Array

    axes: ClassVar = {"deviations": 1, "single": 1}

    def check(self) -> None:
        _check(self.deviations)

    def guess(self, part: Part) -> Array:
        assert part.last is not None, "a series keeps the last value of each window"
        return _of(np.asarray(part.last, "float64").reshape(len(part), -1), self.deviations, self.single)


@dataclass(frozen=True)
class FittedGaussianLine(FittedLinear):
    """A linear model of numbers, and how far it was off each training sample when it was fitted without it.

    Args:
        deviations: (outputs,), in the target's units.
        scale, offset, single: as of `FittedLine`.
        change: (1,): what the line gives: 0 levels, 1 differences to the last value.
    """

    deviations: Array
    scale: Array
    offset: Array
    change: Array
    single: Array

    axes: ClassVar = {**FittedLinear.axes, "deviations": 1, "scale": 1, "offset": 1, "change": 1, "single": 1}

    def check(self) -> None:
        super().check()
        _check(self.deviations)
        same = len(self.scale) == len(self.offset) == len(self.level) == len(self.deviations)
        if not same or (self.scale <= 0).any():
            raise ValueError("`scale`, `offset` and `deviations` do not fit `level`")

    def guess(self, part: Part) -> Array:
        means = (self.outputs(part) - self.offset) / self.scale
        if part.last is not None and self.change[0]:
            means = means + np.asarray(part.last, "float64").reshape(len(part), -1)
        return _of(means, self.deviations, self.single)
