"""A number, scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from dlspec.data.datasets import Column
from dlspec.data.features.base import DTYPES, FEATURES, Fitted, GatheredFeature, Missing
from dlspec.data.features.scaling import Affine, Scale, fit_affine
from dlspec.data.features.summaries import NumberSummary
from dlspec.language.fields import Flag

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


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
    """A number, scaled as measured in the training part."""

    takes = ("number",)
    raw = "number"
    examples: ClassVar = ["numeric", {"numeric": {"scale": "robust", "missing": "median", "indicator": True}}]

    scale: Scale | None = Field(None, description="of this column, where it is not that of `data`")
    indicator: Flag = Field(False, description="whether a second number says that the value is missing")

    def width(self, column: Column) -> int:
        return 1 + self.indicator

    def inside(self, scale: Scale) -> bool:
        return (self.scale or scale) == "min_max"

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        import numpy as np

        fill = None
        there = values[~np.isnan(values)]
        if missing in ("mean", "median"):
            fill = float((np.mean if missing == "mean" else np.median)(there)) if len(there) else 0.0
        elif isinstance(missing, int | float):
            fill = float(missing)
        whole = there if fill is None else np.where(np.isnan(values), fill, values)
        return FittedNumber(name, fit_affine(whole[:, None], self.scale or scale), fill, self.indicator)

    def summary(self) -> NumberSummary:
        return NumberSummary()

    def fit_summary(self, name: str, summary: NumberSummary, scale: Scale, missing: Missing) -> Fitted:
        fill = None
        if missing in ("mean", "median"):
            fill = summary.mean if missing == "mean" else summary.median
        elif isinstance(missing, int | float):
            fill = float(missing)
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
