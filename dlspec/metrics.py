"""How good predictions are, by formulas of the field.

All of them are computed on the target itself, in its own units, whatever the network puts out.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from dlspec.registry import Kind, OneOf, Registry

if TYPE_CHECKING:
    import numpy as np


def show_number(value: float) -> str:
    """Four digits that count, `13.60`, and all digits of large numbers, `22,351,900`."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:#.4g}"


class Metric(Kind):
    """Base of the metrics."""

    of: ClassVar[Literal["number", "class"]]
    better: ClassVar[Literal["lower", "higher"]]
    label: ClassVar[str]
    """As tables and figures name it."""
    unit: ClassVar[Literal["target", "percent", ""]] = ""
    """Of its value: the target's own, percent of 1, or none."""

    @classmethod
    def heading(cls, unit: str | None) -> str:
        """Its label with the unit of the target, where it has that: `RMSE (USD)`."""
        return f"{cls.label} ({unit})" if cls.unit == "target" and unit else cls.label

    @classmethod
    def show(cls, value: float | None) -> str:
        """A value as tables print it; None is a value that cannot be computed."""
        if value is None:
            return "none"
        return f"{value:.1%}" if cls.unit == "percent" else show_number(value)

    @abstractmethod
    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        """The value over all samples.

        Args:
            truth: numbers, shape (samples,), or class indices.
            predicted: numbers, shape (samples,), or the probability of each class, (samples, classes).
            naive_error: of a series: mean absolute error of persistence on the training part.
        """


METRICS: Registry[Metric] = Registry(
    "metric", __name__, later=("mape", "smape", "f1", "auc", "precision", "recall", "top_k_accuracy")
)
AnyMetric = Annotated[Metric, OneOf(METRICS)]


@METRICS.register
class MAE(Metric):
    """Mean absolute error: mean |truth - predicted|."""

    of, better, label, unit = "number", "lower", "MAE", "target"
    examples: ClassVar = ["mae"]

    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        return float(abs(truth - predicted).mean())


@METRICS.register
class RMSE(Metric):
    """Root mean squared error: sqrt(mean (truth - predicted)^2)."""

    of, better, label, unit = "number", "lower", "RMSE", "target"
    examples: ClassVar = ["rmse"]

    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        return float(((truth - predicted) ** 2).mean() ** 0.5)


@METRICS.register
class MASE(Metric):
    """Mean absolute scaled error: MAE divided by the MAE of persistence on the training part (Hyndman and
    Koehler, 2006). One is as good as persistence was there; only a series has it."""

    of, better, label = "number", "lower", "MASE"
    examples: ClassVar = ["mase"]

    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        assert naive_error is not None, "checks refuse `mase` without a series"
        return float(abs(truth - predicted).mean() / naive_error) if naive_error else float("inf")


@METRICS.register
class R2(Metric):
    """Share of the variance that is explained: 1 - sum (truth - predicted)^2 / sum (truth - mean)^2."""

    of, better, label = "number", "higher", "R²"
    examples: ClassVar = ["r2"]

    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        spread = ((truth - truth.mean()) ** 2).sum()
        return float(1 - ((truth - predicted) ** 2).sum() / spread) if spread else float("nan")


@METRICS.register
class Accuracy(Metric):
    """Share of samples whose most probable class is the true one."""

    of, better, label, unit = "class", "higher", "Accuracy", "percent"
    examples: ClassVar = ["accuracy"]

    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        return float((predicted.argmax(axis=1) == truth).mean())


@METRICS.register
class LogLoss(Metric):
    """Mean negative logarithm of the probability given to the true class, in nats."""

    of, better, label = "class", "lower", "Log loss"
    examples: ClassVar = ["log_loss"]

    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        import numpy as np

        given = predicted[np.arange(len(truth)), truth]
        return float(-np.log(np.clip(given, 1e-12, 1)).mean())
