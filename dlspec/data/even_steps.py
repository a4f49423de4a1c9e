"""What is done about a series that is not even: missing values, times that come twice, and steps of other lengths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, Field, PlainValidator

from dlspec.language.fields import PositiveInt, Primary, SpecModel, mistake, show_value
from dlspec.language.words import did_you_mean

Duplicates = Literal["error", "first", "last", "mean"]
How = Literal["mean", "sum", "min", "max", "first", "last", "median"]
FROM_NEIGHBOURS = ("previous", "interpolate")
"""What fills the holes of a series from the values around them."""
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNITS = {
    "s": ("s", "sec", "second", "seconds"),
    "min": ("min", "minute", "minutes"),
    "h": ("h", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "month": ("month", "months", "mon"),
    "quarter": ("quarter", "quarters", "q"),
    "year": ("year", "years", "y"),
}
"""Unit -> how it may be written."""


class Filling(SpecModel):
    """How the holes of a series are filled, and up to which length."""

    how: Annotated[Literal["previous", "interpolate"] | float, Field(union_mode="left_to_right")] = Primary(
        description="`previous`: with the value before; `interpolate`: on a line to the next value, which is not known "
        "when a forecast is made, so that no window ends in such a value; or a number"
    )
    limit: PositiveInt | None = Field(
        None, description="longer holes, in timesteps, are not filled: the series is cut there"
    )


def _missing_of_data(value: Any) -> Any:
    if value in FROM_NEIGHBOURS or isinstance(value, dict | Filling):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number and value not in ("error", "drop", "mean", "median"):
        help = did_you_mean(str(value), ("error", "drop", "mean", "median", *FROM_NEIGHBOURS), otherwise="")
        raise mistake(
            "wrong-value",
            "`missing` is `error`, `drop`, `mean`, `median` or a number that stands in, of a series also `previous` or "
            f"`interpolate`, got {show_value(value)}",
            help=help or None,
        )
    return value


MissingOfData = Annotated[
    Literal["error", "drop", "mean", "median", "previous", "interpolate"] | float | Filling,
    BeforeValidator(_missing_of_data),
]


def _every(value: Any) -> float | str:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    if isinstance(value, str) and duration(value) is not None:
        return value
    raise mistake(
        "wrong-value",
        f"`every` is a step in time, got {show_value(value)}",
        help="write such as `every: 1 h`, `15 min`, `1 d`, `1 month`, or a number where times are numbers",
    )


def duration(text: str) -> tuple[int, Literal["s", "month"]] | None:
    """A step in time as so many seconds or months; None: it is none. `15 min` is (900, "s")."""
    found = re.fullmatch(r"\s*(\d+)?\s*([A-Za-z]+)\s*", text)
    unit = next((unit for unit, words in UNITS.items() if found and found[2].lower() in words), None)
    count = int(found[1] or 1) if found else 0
    if unit is None or not count:
        return None
    return (count * MONTHS[unit], "month") if unit in MONTHS else (count * SECONDS[unit], "s")


class Resample(SpecModel):
    """Brings a series to even steps: each takes the values of the rows within it."""

    every: Annotated[float | str, PlainValidator(_every, json_schema_input_type=float | str)] = Primary(
        description="the step: `15 min`, `1 h`, `1 d`, `1 w`, `1 month`; a number where times are numbers"
    )
    how: How = Field("mean", description="what becomes of several rows in one step; of words, the last one is taken")


def _as_resample(value: Any) -> Any:
    return value if isinstance(value, dict | Resample) else {"every": value}


AnyResample = Annotated[Resample, BeforeValidator(_as_resample, json_schema_input_type=float | str | Resample)]


Fill = Literal["error", "drop", "mean", "median", "previous", "interpolate"] | float


def filling_of(missing: Fill | Filling) -> tuple[Fill, int | None]:
    """What is done about missing values, and the longest hole that is filled."""
    return (missing.how, missing.limit) if isinstance(missing, Filling) else (missing, None)


@dataclass(frozen=True)
class Policy:
    """What the spec says of holes, repeated times and steps.

    Args:
        cut: whether the series is cut where rows were left out, also where their times tell how far apart they are.
    """

    missing: Fill | Filling = "error"
    duplicates: Duplicates = "error"
    resample: Resample | None = None
    cut: bool = False

    @property
    def changes_rows(self) -> bool:
        """Whether rows may be left out, put together or added."""
        return self.missing != "error" or self.duplicates != "error" or self.resample is not None

    @property
    def allows_repeats(self) -> bool:
        return self.duplicates != "error" or self.resample is not None


class _Said(Protocol):
    """A section `data`, as far as it says what is done about a series that is not even."""

    @property
    def missing(self) -> Fill | Filling: ...

    @property
    def duplicates(self) -> Duplicates: ...

    @property
    def resample(self) -> Resample | None: ...


def policy_of(section: _Said) -> Policy:
    return Policy(section.missing, section.duplicates, section.resample)
