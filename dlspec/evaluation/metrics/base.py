"""What all metrics have in common.

They are computed on the target itself, in its own units, whatever the network puts out.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from inspect import signature
from math import inf
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeVar

from dlspec.language.left_out import left_out, why_no_argument
from dlspec.language.registry import Kind, OneOf, Registry

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.forms import Form

    Naive = float | np.ndarray | None
    Weights = np.ndarray | None


Value = TypeVar("Value", float, float | None)

MOST_DIGITS = 12
"""That count, of figures that differ by little."""


def show_number(value: float, digits: int = 4) -> str:
    """Four digits that count, `13.60`, or as many as are asked for, and all digits of large numbers, `22,351,900`."""
    shown = f"{value:#.{digits}g}"
    if abs(float(shown)) < 1e4 or not math.isfinite(value):
        return shown.removesuffix(".")
    return f"{value:,.{max(0, digits - len(str(int(abs(value)))))}f}"


def show_apart(values: Sequence[Value], show: Callable[[Value, int], str]) -> list[str]:
    """Values as `show` prints them, with so many digits that those which differ can be told from each other, if at all.

    Args:
        show: a value with so many digits that count, four of them at first.
    """
    for digits in range(4, MOST_DIGITS):
        shown: list[str] = [show(value, digits) for value in values]
        if len({*shown}) == len({*values}):
            return shown
    return [show(value, 4) for value in values]


def mean_of(values: np.ndarray, weights: Weights) -> float:
    """The mean over samples, of several values each over all of them."""
    if weights is None:
        return float(values.mean())
    each = values.reshape(len(values), -1).mean(axis=1, dtype="float64")
    return float(weights @ each / weights.sum())


JUDGED = {
    "class": "accuracy",
    "tokens": "perplexity",
    "sequence": "exact_match",
    "labels": "log_loss",
    "number": "rmse",
    "quantiles": "pinball",
    "mixture": "log_likelihood",
    "input": "squared_error",
}
"""What a target is judged as -> the metric with which verdicts are said."""


def judged_by(kind: str, metrics: Sequence[str]) -> str:
    """The metric, of those that were computed, by which a network is judged against the baselines.

    Args:
        kind: of the target.
    """
    return JUDGED[kind] if JUDGED[kind] in metrics else metrics[0]


class Metric(Kind):
    """Base of the metrics."""

    of: ClassVar[Literal["number", "class", "input", "tags", "sequence"]]
    """What it judges: a number, a class, an input that was given back, tags of words (see `SpanMetric`), or a text that
    was written."""
    of_inputs: ClassVar[bool] = False
    """Whether it judges inputs that were given back, too: all their values alike."""
    of_labels: ClassVar[bool] = False
    """Whether it judges labels, too, of which a sample may have any number."""
    forms: ClassVar[frozenset[Form]] = frozenset({"value", "quantiles", "mixture"})
    """Of numbers that are given by one value, by quantiles or by a mixture, those that it judges; see
    `QuantileMetric`. Of quantiles it sees the median, of a mixture the mean, if it judges single values too."""
    ranks: ClassVar[bool] = True
    """Whether the best value is that of the best guess."""
    better: ClassVar[Literal["lower", "higher"]]
    label: ClassVar[str]
    """As tables and figures name it."""
    unit: ClassVar[Literal["target", "squared", "percent", "count", ""]] = ""
    """Of its value: the target's own, its square, percent of 1, a number of samples, or none."""
    only_series: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = -inf, inf
    """The least and the most that it can be."""
    slow: ClassVar[bool] = False
    """Whether it takes long to compute."""
    keras_names: ClassVar[tuple[str, ...]] = ()
    """Classes of `keras.metrics` that it stands for."""

    @classmethod
    def why_no_argument(cls, key: str) -> str | None:
        return why_no_argument("metrics", cls.keras_names, key)

    @classmethod
    def judges(cls, kind: str, *, series: bool, form: Form = "value") -> bool:
        """Whether it is for a target of this kind.

        Args:
            form: what numbers are given by.
        """
        also = (cls.of_inputs and kind == "input") or (cls.of_labels and kind == "labels")
        return (cls.of == kind or also) and (series or not cls.only_series) and form in cls.forms

    @classmethod
    def heading(cls, unit: str | None, covered: tuple[float, ...] = ()) -> str:
        """Its label with the unit of the target, where it has that: `RMSE (USD)`.

        Args:
            covered: the shares that are to lie below quantiles, or below the ends of the interval of a mixture.
        """
        shown = {"target": f"{cls.label} ({unit})", "squared": f"{cls.label} ({unit}²)"}
        return shown.get(cls.unit, cls.label) if unit else cls.label

    @classmethod
    def show(cls, value: float | None, digits: int = 4) -> str:
        """A value as tables print it; None is a value that cannot be computed.

        Args:
            digits: that count; of a percentage all but three stand behind the point.
        """
        if value is None:
            return "none"
        if cls.unit == "count":
            return f"{value:,.0f}"
        return f"{value:.{digits - 3}%}" if cls.unit == "percent" else show_number(value, digits)

    @classmethod
    def is_better(cls, one: float | None, other: float | None) -> bool:
        """Whether a value is better than another; None is a value that cannot be computed."""
        if one is None or other is None:
            return False
        return one < other if cls.better == "lower" else one > other

    @classmethod
    def show_all(cls, values: Sequence[float | None]) -> list[str]:
        """Values as a column of a table, so that those which differ can be told from each other."""
        return show_apart(values, cls.show)

    @classmethod
    def show_interval(cls, ends: tuple[float, float] | None) -> str:
        """`12.31 to 14.02`, where a value lies with 95% confidence; None: that cannot be told."""
        return "unknown" if ends is None else f"{cls.show(ends[0]).removesuffix('%')} to {cls.show(ends[1])}"

    @classmethod
    def show_spread(cls, value: float | None, sd: float | None) -> str:
        """`mean ± sd`, of several trainings, both to the same digit."""
        mean = cls.show(value)
        if sd is None:
            return mean
        plain = cls.unit not in ("percent", "count") and "e" not in mean
        return f"{mean} ± {sd:,.{len(mean.partition('.')[2])}f}" if plain else f"{mean} ± {cls.show(sd)}"

    @property
    def of_several(self) -> bool:
        """Whether its settings speak of several classes or labels, so that one alone has no such value."""
        names = ("class_id", "top_k", "label_weights", "average")
        return any(getattr(self, name, None) is not None for name in names) or getattr(self, "multi_label", False)

    @abstractmethod
    def compute(
        self, truth: np.ndarray, predicted: np.ndarray, naive_error: Naive = None, weights: Weights = None
    ) -> float:
        """The value over all samples.

        Args:
            truth: numbers, shape (samples,), or class indices; of inputs, (samples, values); of labels whether each is
                there, (samples, labels).
            predicted: numbers, shape (samples,), or the probability of each class, (samples, classes); of inputs,
                (samples, values); of labels the probability of each, (samples, labels).
            naive_error: of a series: mean absolute error of persistence on the training part, one step ahead; that of
                each sample's series, (samples,), where there are several.
            weights: how much each sample counts, (samples,); None: all alike. A sample of weight 2 is as good as two.
        """

    @classmethod
    def weighs_samples(cls) -> bool:
        """Whether samples may count differently, which a metric of a plugin need not know of."""
        return "weights" in signature(cls.compute).parameters

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        """Why it cannot be computed for so many classes, and what to do about it; None where it can.

        Args:
            labels: whether they are labels, of which a sample may have any number.
        """
        return None


METRICS: Registry[Metric] = Registry("metric", "dlspec.evaluation.metrics", left_out=left_out("metrics"), lazy=True)
AnyMetric = Annotated[Metric, OneOf(METRICS)]
