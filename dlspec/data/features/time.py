"""A point in time, as parts of the calendar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.data.datasets import Column
from dlspec.data.features.base import FEATURES, Fitted, GatheredFeature, Missing
from dlspec.data.features.scaling import Affine, Scale, fit_affine
from dlspec.data.features.summaries import NumberSummary
from dlspec.language.fields import OneOrMore, Primary

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

CalendarPart = Literal["year", "month", "day", "day_of_year", "weekday", "hour"]
CYCLES: dict[CalendarPart, float] = {"month": 12, "day": 31, "day_of_year": 365.2425, "weekday": 7, "hour": 24}
"""After how much each part begins anew; a year does not."""
DEFAULT: tuple[CalendarPart, ...] = ("year", "month", "weekday")
CLOCK: tuple[CalendarPart, ...] = ("hour",)
DAY = 86_400
"""Seconds of a day."""


@FEATURES.register
class Time(GatheredFeature):
    """A date, with or without a clock time, as parts of the calendar.

    The year is a scaled number. What comes again (the month, the day of the month or of the year, the weekday, the hour
    with its minutes) is two numbers, the sine and the cosine of its place in the cycle, so that December lies beside
    January. By default year, month and weekday, and the hour where a clock time other than midnight stands in the
    training part. All numbers of a missing date are 0, unless it is an `error` or its row is left out (`drop`). The
    saved model takes seconds since the beginning of 1970; `dlspec predict` takes dates as they are written.
    """

    takes = ("time",)
    raw = "time"
    examples: ClassVar = ["time", {"time": {"parts": ["month", "weekday", "hour"]}}]

    parts: Annotated[list[CalendarPart], OneOrMore, Field(min_length=1)] | None = Primary(
        None, description="of the calendar that the network sees"
    )

    def width(self, column: Column) -> int:
        return _width(self.parts or DEFAULT)

    def inside(self, scale: Scale) -> bool:
        return False

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        import numpy as np

        there = values[~np.isnan(values)]
        parts = tuple(self.parts or (DEFAULT + CLOCK if (there % DAY).any() else DEFAULT))
        years = calendar(there, np.floor)["year"] if len(there) else np.zeros(1)
        return FittedTime(name, parts, fit_affine(years[:, None], scale))

    def summary(self) -> NumberSummary:
        return NumberSummary()

    def fit_summary(self, name: str, summary: NumberSummary, scale: Scale, missing: Missing) -> Fitted:
        return self.fit(name, summary.sample, scale, missing)


@dataclass(frozen=True)
class FittedTime(Fitted):
    """Parts of the calendar.

    Args:
        years: the scale of the year.
    """

    parts: tuple[CalendarPart, ...]
    years: Affine

    raw = "time"

    @property
    def width(self) -> int:
        return _width(self.parts)

    def encode(self, values: Array) -> Array:
        import numpy as np

        return np.concatenate(self._numbers(values[:, None], np), axis=1).astype("float32")

    def connect(self, raw: Any) -> Any:
        from keras import ops

        return ops.cast(ops.concatenate(self._numbers(raw, ops), axis=-1), "float32")

    def _numbers(self, seconds: Any, module: Any) -> list[Any]:
        """What the network sees, each (rows, 1), computed by numpy or by Keras's operations of the same names."""
        missing = module.isnan(seconds)
        known = calendar(module.where(missing, module.zeros_like(seconds), seconds), module.floor)
        found = []
        for part in self.parts:
            if part == "year":
                found.append(known[part] * self.years.scale.item() + self.years.offset.item())
            else:
                angle = known[part] * (2 * math.pi / CYCLES[part])
                found += [module.sin(angle), module.cos(angle)]
        return [module.where(missing, module.zeros_like(values), values) for values in found]


def _width(parts: Sequence[CalendarPart]) -> int:
    return sum(1 if part == "year" else 2 for part in parts)


def calendar(seconds: Any, floor: Any) -> dict[CalendarPart, Any]:
    """The parts of the Gregorian calendar, counted from 0 but for the year, Monday being the first weekday.

    Years begin in March here, so that a leap day is the last one of its year (Howard Hinnant, `chrono`-compatible
    low-level date algorithms, 2014).

    Args:
        seconds: since the beginning of 1970, float64.
        floor: of such an array or tensor.
    """
    days = floor(seconds / DAY)
    since = days + 719_468  # since 1 March of the year 0
    era = floor(since / 146_097)  # of 400 years
    in_era = since - era * 146_097
    year = floor((in_era - floor(in_era / 1460) + floor(in_era / 36_524) - floor(in_era / 146_096)) / 365)
    in_year = in_era - (365 * year + floor(year / 4) - floor(year / 100))
    month = floor((5 * in_year + 2) / 153)
    turned = floor(month / 10)  # January and February
    civil = year + era * 400 + turned
    before = civil - 1
    first = 365 * before + floor(before / 4) - floor(before / 100) + floor(before / 400) - 719_162
    return {
        "year": civil,
        "month": month + 2 - 12 * turned,
        "day": in_year - floor((153 * month + 2) / 5),
        "day_of_year": days - first,
        "weekday": days + 3 - 7 * floor((days + 3) / 7),
        "hour": (seconds - days * DAY) / 3600,
    }
