"""How well a predicted number follows the truth."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.metrics.base import METRICS, Metric, mean_of
from dlspec.language.fields import NonNegativeInt

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


class AgreementMetric(Metric):
    """The larger, the better; 1 is perfect."""

    of, better = "number", "higher"


@METRICS.register
class R2(AgreementMetric):
    """Share of the variance that is explained: 1 - sum (truth - predicted)^2 / sum (truth - mean)^2.

    With `num_regressors` it is adjusted for so many features (Theil, 1961).
    """

    label, bounds = "R²", (-inf, 1)
    also: ClassVar = ("r2_score", "r_squared")
    keras_names = ("R2Score",)
    num_regressors: NonNegativeInt = 0
    examples: ClassVar = ["r2", {"r2": {"num_regressors": 4}}]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        spread = mean_of((truth - mean_of(truth, weights)) ** 2, weights)
        if not spread:
            return float("nan")
        share = 1 - mean_of((truth - predicted) ** 2, weights) / spread
        left = len(truth) - self.num_regressors - 1
        if self.num_regressors and left > 0:
            share = 1 - (1 - share) * (len(truth) - 1) / left
        return float(share)


@METRICS.register
class PearsonCorrelation(AgreementMetric):
    """How straight the line between truth and prediction is, whatever its slope (Pearson, 1895)."""

    label, bounds = "Pearson's r", (-1, 1)
    also: ClassVar = ("pearson", "correlation")
    keras_names = ("PearsonCorrelation",)
    examples: ClassVar = ["pearson_correlation"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        x, y = truth - mean_of(truth, weights), predicted - mean_of(predicted, weights)
        spread = (mean_of(x**2, weights) * mean_of(y**2, weights)) ** 0.5
        return mean_of(x * y, weights) / spread if spread else float("nan")


@METRICS.register
class ConcordanceCorrelation(AgreementMetric):
    """Pearson's correlation that also counts a wrong level or slope: 2 cov / (var + var + (mean - mean)^2) (Lin,
    1989)."""

    label, bounds = "Concordance", (-1, 1)
    also: ClassVar = ("ccc", "concordance")
    keras_names = ("ConcordanceCorrelation",)
    examples: ClassVar = ["concordance_correlation"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        middle, other = mean_of(truth, weights), mean_of(predicted, weights)
        x, y = truth - middle, predicted - other
        spread = mean_of(x**2, weights) + mean_of(y**2, weights) + (middle - other) ** 2
        return 2 * mean_of(x * y, weights) / spread if spread else float("nan")
