"""What all metrics have in common.

They are computed on the target itself, in its own units, whatever the network puts out.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from dlspec.parts.left_out import left_out
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
    unit: ClassVar[Literal["target", "squared", "percent", "count", ""]] = ""
    """Of its value: the target's own, its square, percent of 1, a number of samples, or none."""
    only_series: ClassVar[bool] = False
    keras_names: ClassVar[tuple[str, ...]] = ()
    """Classes of `keras.metrics` that it stands for."""

    @classmethod
    def heading(cls, unit: str | None) -> str:
        """Its label with the unit of the target, where it has that: `RMSE (USD)`."""
        shown = {"target": f"{cls.label} ({unit})", "squared": f"{cls.label} ({unit}²)"}
        return shown.get(cls.unit, cls.label) if unit else cls.label

    @classmethod
    def show(cls, value: float | None) -> str:
        """A value as tables print it; None is a value that cannot be computed."""
        if value is None:
            return "none"
        if cls.unit == "count":
            return f"{value:,.0f}"
        return f"{value:.1%}" if cls.unit == "percent" else show_number(value)

    @abstractmethod
    def compute(self, truth: np.ndarray, predicted: np.ndarray, naive_error: float | None = None) -> float:
        """The value over all samples.

        Args:
            truth: numbers, shape (samples,), or class indices.
            predicted: numbers, shape (samples,), or the probability of each class, (samples, classes).
            naive_error: of a series: mean absolute error of persistence on the training part.
        """

    def refuses(self, classes: int) -> tuple[str, str] | None:
        """Why it cannot be computed for so many classes, and what to do about it; None where it can."""
        return None


METRICS: Registry[Metric] = Registry("metric", "dlspec.metrics", left_out=left_out("metrics"), variable="METRICS")
AnyMetric = Annotated[Metric, OneOf(METRICS)]
