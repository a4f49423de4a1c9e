"""How well a predicted number follows the truth."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.metrics.base import METRICS, Metric
from dlspec.language.fields import NonNegativeInt

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive

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

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None) -> float:
        spread = ((truth - truth.mean()) ** 2).sum()
        if not spread:
            return float("nan")
        share = 1 - ((truth - predicted) ** 2).sum() / spread
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

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None) -> float:
        x, y = truth - truth.mean(), predicted - predicted.mean()
        spread = ((x**2).sum() * (y**2).sum()) ** 0.5
        return float((x * y).sum() / spread) if spread else float("nan")


@METRICS.register
class ConcordanceCorrelation(AgreementMetric):
    """Pearson's correlation that also counts a wrong level or slope: 2 cov / (var + var + (mean - mean)^2) (Lin,
    1989)."""

    label, bounds = "Concordance", (-1, 1)
    also: ClassVar = ("ccc", "concordance")
    keras_names = ("ConcordanceCorrelation",)
    examples: ClassVar = ["concordance_correlation"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None) -> float:
        gap = truth.mean() - predicted.mean()
        spread = truth.var() + predicted.var() + gap**2
        shared = ((truth - truth.mean()) * (predicted - predicted.mean())).mean()
        return float(2 * shared / spread) if spread else float("nan")
