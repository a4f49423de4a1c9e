"""A number, scaled, or the bin that it lies in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from dlspec.data.datasets import Column
from dlspec.data.features.base import DTYPES, FEATURES, Fitted, GatheredFeature, Missing
from dlspec.data.features.scaling import Affine, Scale, fit_affine
from dlspec.data.features.summaries import NumberSummary
from dlspec.language.fields import Flag, PositiveInt, mistake

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


MOST_BINS = 1000
EXACT = 2**24
"""Whole numbers up to this are float32 numbers."""
WHOLE = 2**53
"""Whole numbers up to this are float64 numbers."""


def rounded_by_float32(low: float, high: float) -> bool:
    """Whether float32 does not have all whole numbers of this range, and float64 has."""
    return EXACT < max(abs(low), abs(high)) <= WHOLE


def all_whole(values: Array) -> bool:
    """Whether all values are whole numbers; none may be missing."""
    import numpy as np

    return values.dtype.kind in "iu" or bool((values == np.floor(values)).all())


@FEATURES.register
class Numeric(GatheredFeature):
    """A number, scaled as measured in the training part.

    With `bins` the network sees in which of so many bins it lies, a number of 0 or 1 for each, in place of the number
    itself. Every bin has as many values of the training part as the others, as far as equal values allow it; values
    beyond all of these lie in the first or the last one. A value that is missing, and not filled in, lies in none.
    """

    takes = ("number",)
    raw = "number"
    examples: ClassVar = [
        "numeric",
        {"numeric": {"scale": "robust", "missing": "median", "indicator": True}},
        {"numeric": {"bins": 30}},
    ]

    scale: Scale | None = Field(None, description="of this column, where it is not that of `data`")
    indicator: Flag = Field(False, description="whether a second number says that the value is missing")

    bins: Annotated[PositiveInt, Field(ge=2, le=MOST_BINS)] | None = Field(
        None, description="bins with as many training values each, of which the network sees the one it lies in"
    )

    def model_post_init(self, context: object) -> None:
        if self.bins is not None and self.scale is not None:
            raise mistake("wrong-value", "a bin is 0 or 1, and has no `scale`", help="remove `scale`, or `bins`")

    def width(self, column: Column) -> int:
        return (self.bins or 1) + self.indicator

    def inside(self, scale: Scale) -> bool:
        return self.bins is not None or (self.scale or scale) == "min_max"

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        import numpy as np

        fill = None
        there = values[~np.isnan(values)]
        if missing in ("mean", "median"):
            fill = float((np.mean if missing == "mean" else np.median)(there)) if len(there) else 0.0
        elif isinstance(missing, int | float):
            fill = float(missing)
        whole = there if fill is None else np.where(np.isnan(values), fill, values)
        if self.bins is not None:
            return FittedBins(name, _edges(whole, self.bins), fill, self.indicator)
        return FittedNumber(name, fit_affine(whole[:, None], self.scale or scale), fill, self.indicator)

    def summary(self) -> NumberSummary:
        return NumberSummary()

    def fit_summary(self, name: str, summary: NumberSummary, scale: Scale, missing: Missing) -> Fitted:
        fill = None
        if missing in ("mean", "median"):
            fill = summary.mean if missing == "mean" else summary.median
        elif isinstance(missing, int | float):
            fill = float(missing)
        if self.bins is not None:
            return FittedBins(name, _edges(summary.sample, self.bins), fill, self.indicator)
        return FittedNumber(name, summary.affine(self.scale or scale, fill), fill, self.indicator)


@dataclass(frozen=True)
class FittedNumber(Fitted):
    """A number and its scale.

    Args:
        fill: what stands in for a missing value; None: there is none.
        whole: whether the saved model takes it as a whole number, which Keras does not round.
    """

    affine: Affine
    fill: float | None
    indicator: bool
    whole: bool = False

    raw = "number"

    @property
    def width(self) -> int:
        return 1 + self.indicator

    @property
    def dtype(self) -> str:
        return "int64" if self.whole else DTYPES[self.raw]

    @property
    def is_plain(self) -> bool:
        """Whether it is scaled and nothing else."""
        return self.fill is None and not self.indicator

    def encode(self, values: Array) -> Array:
        import numpy as np

        missing = np.isnan(values)
        known = values if self.fill is None else np.where(missing, self.fill, values)
        scaled = self.affine(known[:, None]).astype("float32")
        return np.hstack([scaled, missing[:, None].astype("float32")]) if self.indicator else scaled

    def connect(self, raw: Any) -> Any:
        from keras import ops

        x = raw if self.fill is None else ops.where(ops.isnan(raw), self.fill, raw)
        x = ops.cast(self.affine.layer()(x), "float32")
        return ops.concatenate([x, ops.cast(ops.isnan(raw), "float32")], axis=-1) if self.indicator else x


@dataclass(frozen=True)
class FittedBins(Fitted):
    """The bin that a number lies in.

    Args:
        edges: between the bins; a value on one of them lies above it.
        fill: what stands in for a missing value; None: it lies in no bin.
    """

    edges: tuple[float, ...]
    fill: float | None
    indicator: bool

    raw = "number"

    @property
    def width(self) -> int:
        return len(self.edges) + 1 + self.indicator

    def encode(self, values: Array) -> Array:
        import numpy as np

        missing = np.isnan(values)
        known = values if self.fill is None else np.where(missing, self.fill, values)
        places = np.searchsorted(np.array(self.edges), known, side="right")
        found = (places[:, None] == np.arange(len(self.edges) + 1)).astype("float32")
        found[np.isnan(known)] = 0
        return np.hstack([found, missing[:, None].astype("float32")]) if self.indicator else found

    def connect(self, raw: Any) -> Any:
        import numpy as np
        from keras import ops

        known = raw if self.fill is None else ops.where(ops.isnan(raw), self.fill, raw)
        most = np.finfo("float64").max
        low, high = np.array([[-most, *self.edges]]), np.array([[*self.edges, most]])
        found = ops.cast(ops.logical_and(ops.greater_equal(known, low), ops.less(known, high)), "float32")
        return ops.concatenate([found, ops.cast(ops.isnan(raw), "float32")], axis=-1) if self.indicator else found


def _edges(values: Array, bins: int) -> tuple[float, ...]:
    """What lies between bins with as many values each; of equal ones the upper bins have none."""
    import numpy as np

    if not len(values):
        return (0.0,) * (bins - 1)
    return tuple(float(edge) for edge in np.quantile(values, np.arange(1, bins) / bins))
