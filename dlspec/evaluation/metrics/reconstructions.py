"""How far what a network gives back is from its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.metrics.base import METRICS, Metric

if TYPE_CHECKING:
    import numpy as np


@METRICS.register
class SquaredError(Metric):
    """Squared error summed over all values of a sample, and its mean over samples: mean sum (truth - predicted)^2
    (Hinton and Salakhutdinov, 2006). Of inputs as the network sees them."""

    of, better = "input", "lower"
    label = "Squared error"
    also: ClassVar = ("sse", "summed_squared_error")
    examples: ClassVar = ["squared_error"]

    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        return float(((truth - predicted) ** 2).sum(axis=1, dtype="float64").mean())
