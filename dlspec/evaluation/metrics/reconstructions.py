"""How far what a network gives back is from its input."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.metrics.base import METRICS, Metric, mean_of

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights


@METRICS.register
class SquaredError(Metric):
    """Squared error summed over all values of a sample, and its mean over samples: mean sum (truth - predicted)^2
    (Hinton and Salakhutdinov, 2006). Of inputs as the network sees them."""

    of, better, bounds = "input", "lower", (0, inf)
    label = "Squared error"
    also: ClassVar = ("sse", "summed_squared_error")
    examples: ClassVar = ["squared_error"]

    def compute(
        self, truth: np.ndarray, predicted: np.ndarray, naive_error: Naive = None, weights: Weights = None
    ) -> float:
        return mean_of(((truth - predicted) ** 2).sum(axis=1, dtype="float64"), weights)
