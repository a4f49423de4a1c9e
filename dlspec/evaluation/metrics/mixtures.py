"""How good mixtures of normal distributions are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.metrics.base import METRICS, Metric, mean_of

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


@METRICS.register
class LogLikelihood(Metric):
    """Mean logarithm of the density that is given to what is true, in nats, of a number in the mean (Good, 1952). No
    network gains by saying what it does not believe. The density is that of the target's own units, so that figures of
    one target in other units differ by a constant, and differences between two guesses do not."""

    of, forms = "number", frozenset({"mixture"})
    better, label = "higher", "Log likelihood"
    also: ClassVar = ("nll", "negative_log_likelihood", "log_density")
    examples: ClassVar = ["log_likelihood"]

    @classmethod
    def heading(cls, unit: str | None, covered: tuple[float, ...] = ()) -> str:
        return f"{cls.label} (nats)"

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        """The value of single numbers, as of normal distributions around them whose deviation is their RMSE; see
        `judge`."""
        error = mean_of((truth - predicted) ** 2, weights)
        return math.inf if error == 0 else -0.5 * (math.log(2 * math.pi * error) + 1)

    def judge(self, densities: Array, weights: Weights = None) -> float:
        """The value over all samples.

        Args:
            densities: the logarithm of the density that is given to what is true, (samples,).
            weights: as of `compute`.
        """
        return mean_of(densities, weights)
