"""How good quantiles of a number are."""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.metrics.base import METRICS, Metric, mean_of

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


def pinball(truth: Array, predicted: Array, levels: tuple[float, ...]) -> Array:
    """The pinball loss of each quantile, the shape of `predicted`.

    Args:
        truth: (samples, ...).
        predicted: (samples, ..., quantiles).
    """
    import numpy as np

    shares = np.array(levels)
    errors = truth[..., None] - predicted
    return np.maximum(shares * errors, (shares - 1) * errors)


class QuantileMetric(Metric):
    """A metric of all quantiles of a number, and not of its median alone; of a mixture of the two ends of its
    interval."""

    of = "number"
    forms = frozenset({"quantiles"})

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        """The value of a single number, as of its median alone; see `judge`."""
        return self.judge(truth, predicted[:, None], (0.5,), weights)

    @abstractmethod
    def judge(self, truth: Array, predicted: Array, levels: tuple[float, ...], weights: Weights = None) -> float:
        """The value over all samples.

        Args:
            truth: (samples,).
            predicted: (samples, quantiles).
            levels: the share of what is true that is to lie below each quantile, ascending.
            weights: as of `compute`.
        """


@METRICS.register
class Pinball(QuantileMetric):
    """Mean pinball loss over all quantiles (Koenker and Bassett, 1978): of a quantile q the error truth - predicted
    times q where it is positive, and times q - 1 where it is negative. Of the median alone it is half of MAE; of very
    many quantiles it is half of the continuous ranked probability score."""

    better, label, unit, bounds = "lower", "Pinball loss", "target", (0, inf)
    also: ClassVar = ("pinball_loss", "quantile_loss")
    examples: ClassVar = ["pinball"]

    def judge(self, truth: Array, predicted: Array, levels: tuple[float, ...], weights: Weights = None) -> float:
        return mean_of(pinball(truth, predicted, levels), weights)


@METRICS.register
class Coverage(QuantileMetric):
    """The share of what is true that lies between the first and the last quantile, of a mixture between those of 0.1
    and 0.9. It should be the difference of
    their shares, which stands in its heading: less is a promise that is not kept, more is a band that is too wide."""

    forms = frozenset({"quantiles", "mixture"})
    better, label, bounds, ranks = "higher", "Coverage", (0, 1), False
    unit = "percent"
    examples: ClassVar = ["coverage"]

    @classmethod
    def heading(cls, unit: str | None, covered: tuple[float, ...] = ()) -> str:
        return f"{cls.label} of {100 * (covered[-1] - covered[0]):.4g}%" if covered else cls.label

    def judge(self, truth: Array, predicted: Array, levels: tuple[float, ...], weights: Weights = None) -> float:
        inside = (predicted[:, 0] <= truth) & (truth <= predicted[:, -1])
        return mean_of(inside.astype("float64"), weights)


@METRICS.register
class Width(QuantileMetric):
    """The mean distance between the first and the last quantile, of a mixture between those of 0.1 and 0.9. Of two
    bands that cover as much, the narrower one says more."""

    forms = frozenset({"quantiles", "mixture"})
    better, label, unit, bounds, ranks = "lower", "Width", "target", (0, inf), False
    examples: ClassVar = ["width"]

    def judge(self, truth: Array, predicted: Array, levels: tuple[float, ...], weights: Weights = None) -> float:
        return mean_of(predicted[:, -1] - predicted[:, 0], weights)
