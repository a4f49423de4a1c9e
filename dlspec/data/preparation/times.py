"""Columns of dates and times: how they are written, and whether they run forwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlspec.data.preparation.problems import FILL, First, ValueProblem, check_all, is_missing, row_at
from dlspec.language.diagnostics.errors import DataError

Array = np.ndarray

_DAYS = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d", "%b %d %Y", "%b %d, %Y",
    "%d %b %Y", "%d-%b-%Y", "%b-%d-%Y", "%B %d %Y", "%B %d, %Y", "%d %B %Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
COMPACT, QUARTER, WEEK = "%Y%m%d", "quarter", "week"
DATE_FORMS = ("ISO8601", *(f"{day}{clock}" for day in _DAYS for clock in _CLOCKS), COMPACT, QUARTER, WEEK)
"""How a time may be written, the best first."""
LOOKED_AT = 50
"""Values that tell which of these it may be, before all are read."""


def to_seconds(
    name: str,
    values: Array,
    *,
    holes: bool = False,
    first: First = 0,
    forms: Sequence[str] = DATE_FORMS,
    trained: Array | None = None,
) -> Array:
    """A column of dates as seconds since the beginning of 1970, float64, NaN where one is missing.

    Args:
        holes, first: as of `to_numbers`.
        forms: how dates may be written.
        trained: which of the values tell that, (values,) bool; None: all.

    Raises:
        DataError: a value is no date, or it is not clear what is the day, or one is missing and none may be.
    """
    missing = is_missing(values)
    if not holes:
        check_all(name, missing, first, "lacks a date", FILL)
    if values.dtype.kind != "M":
        if trained is not None and forms == DATE_FORMS and trained.any() and not trained.all():
            rows = (first + np.arange(len(values)) if isinstance(first, int) else first)[trained]
            forms = (date_form(name, values[trained], ordered=False, first=rows),)
        values, _ = _read_dates(name, values, forms, first, ordered=False)
    seconds = values.astype("datetime64[us]").astype("int64") / 1e6
    return np.where(missing, np.nan, seconds)


def to_times(
    name: str,
    values: Array,
    groups: Array | None = None,
    *,
    forms: Sequence[str] = DATE_FORMS,
    first: int = 0,
    dated: bool | None = None,
    repeats: bool = False,
) -> Array:
    """A column of times, checked to run forwards: as datetime64[us], or as numbers.

    Args:
        repeats: whether rows may have the same time.
        groups: which of several series each row belongs to; time runs forwards in each.
        forms: how dates may be written.
        first: the row of the file that the first value stands in, counted from 0.
        dated: whether numbers are dates, as in 20240131; None: where all of them can be.

    Raises:
        DataError: a value is no time, or does not come after the one before it.
    """
    if values.dtype.kind in "iu":
        values = values.astype("float64")
    if values.dtype.kind == "f":
        if dated is None:
            dated = compact(values) if forms == DATE_FORMS else forms[0] != DATE_FORMS[0]
        if dated:
            values, _ = _read_dates(name, values, forms, first, groups=groups, repeats=repeats)
    if values.dtype == object:
        values, _ = _read_dates(name, values, forms, first, groups=groups, repeats=repeats)
    elif values.dtype.kind == "f":
        check_all(name, np.isinf(values), first, "is infinite", "mend this value")
        check_all(name, np.isnan(values), first, "lacks a value", FILL)
    back = _step_back(values, groups, repeats)
    if back is not None:
        places = [f"row {first + place + 1} ({_show_time(values[place])})" for place in back]
        of = "" if groups is None else f" of `{groups[back[1]]}`"
        text = f"column `{name}` does not increase from {places[0]} to {places[1]}{of}"
        help = "sort the rows by time, oldest first, one for each time"
        several = ", or write `group: COLUMN` where a column separates several series" if groups is None else ""
        if values[back[0]] == values[back[1]]:
            several += ", or `duplicates: mean`, `first` or `last` where rows have the same time"
        raise ValueProblem.at(first + back[1], "time-not-increasing", text, help + several)
    return values


def _show_time(value: Any) -> str:
    return str(value).removesuffix(".000000").removesuffix("T00:00:00").replace("T", " ")


def _step_back(values: Array, groups: Array | None, repeats: bool = False) -> tuple[int, int] | None:
    """The first two rows that follow each other, in a group, of which the second is not later.

    Args:
        repeats: whether it may be as late.
    """
    steps = values.astype("int64") if values.dtype.kind == "M" else values

    def not_later(of: Array) -> Array:
        return np.diff(of) < 0 if repeats else np.diff(of) <= 0

    if groups is None:
        wrong = not_later(steps)
        row = int(np.argmax(wrong)) if wrong.any() else None
        return None if row is None else (row, row + 1)
    order = np.argsort(groups, kind="stable")
    wrong = not_later(steps[order]) & (groups[order][1:] == groups[order][:-1])
    if not wrong.any():
        return None
    places = np.flatnonzero(wrong)
    place = places[np.argmin(order[places + 1])]
    return int(order[place]), int(order[place + 1])


def date_form(
    name: str,
    values: Array,
    groups: Array | None = None,
    *,
    ordered: bool = True,
    known: str | None = None,
    first: First = 0,
    repeats: bool = False,
) -> str:
    """How the dates of a column are written.

    Args:
        repeats: see `to_times`.
        groups: see `to_times`.
        ordered: whether they run forwards, which may tell what is the day.
        known: how other data of this kind are written, which holds where these can be read so.
        first: as of `to_numbers`.

    Raises:
        DataError: a value is no date, or it is not clear what is the day.
    """
    there = values[~is_missing(values)]
    if known is not None and values.dtype.kind != "M" and not np.isnat(_parsed(_as_text(there), known)).any():
        return known
    if values.dtype.kind in "iuf":
        return COMPACT if compact(there) else DATE_FORMS[0]
    if values.dtype != object:
        return DATE_FORMS[0]
    return _read_dates(name, values, first=first, groups=groups, ordered=ordered, repeats=repeats)[1]


def _read_dates(
    name: str,
    values: Array,
    forms: Sequence[str] = DATE_FORMS,
    first: First = 0,
    *,
    groups: Array | None = None,
    ordered: bool = True,
    repeats: bool = False,
) -> tuple[Array, str]:
    """Dates as datetime64[us], and their form: year-month-day, or another if there is one reading of all of them alone.

    Args:
        ordered: whether they run forwards, which may tell the right reading, and none is missing.
    """
    given = _as_text(values)
    known = np.ones(len(values), bool) if ordered else ~is_missing(values)
    some = np.flatnonzero(known)[:LOOKED_AT]
    cure = f"write dates as year-month-day{', or leave the column out' * ordered}"
    said = f', or say how they are written: `time: {{column: {name}, format: "%d/%m/%Y"}}`' if ordered else ""
    readings: dict[str, Array] = {}
    fewest, worst = known, len(some) + 1
    for form in forms:
        off = int(np.isnat(_parsed(given[some], form)).sum())
        if off and readings:
            continue
        if off:
            if off < worst:
                worst, fewest = off, np.isin(np.arange(len(known)), some[np.isnat(_parsed(given[some], form))])
            continue
        reading = _parsed(given, form)
        wrong = np.isnat(reading) & known
        if not wrong.any():
            if not any(np.array_equal(reading[known], other[known]) for other in readings.values()):
                readings[form] = reading
            if form == DATE_FORMS[0]:
                break
        else:
            worst, fewest = 0, wrong if worst or wrong.sum() < fewest.sum() else fewest
    if not readings:
        row = int(np.argmax(fewest))
        wanted = "no date such as 2024-01-31" if len(forms) > 1 else f"no time of the form `{forms[0]}`"
        text = f'column `{name}` has "{given[row]}" in row {row_at(first, row) + 1}, which is {wanted}'
        raise ValueProblem.at(row_at(first, row), "not-a-time", text, cure + said * (worst == len(some) > 1))
    fitting = list(readings)
    if ordered:
        fitting = [form for form, reading in readings.items() if _step_back(reading, groups, repeats) is None]
    if len(fitting) > 1 and known.any():
        text = f'column `{name}` may begin with the day or with the month: "{values[0]}" to "{values[-1]}"'
        raise DataError.of("not-a-time", text, help=cure + said)
    form = (fitting or list(readings))[0]
    return readings[form], form


def _as_text(values: Array) -> Array:
    """Times as they are written, whole numbers without a point, None where there is none; what was read stays."""

    def text(value: object) -> object:
        if isinstance(value, float):
            return None if value != value else f"{value:.0f}" if value.is_integer() else f"{value:g}"
        return str(value) if isinstance(value, int) else value

    return np.array([text(value) for value in values.tolist()], object)


def _parsed(given: Array, form: str) -> Array:
    """Texts as datetime64[us], NaT where they are not of the form."""
    import pandas as pd

    texts = pd.Series(given, dtype=object)
    if form == QUARTER:
        parts = texts.astype(str).str.extract(r"^\s*(\d{4})[- ]?[Qq]([1-4])\s*$")
        months = pd.to_numeric(parts[1]) * 3 - 2
        texts = parts[0] + "-" + months.map("{:02.0f}".format)
        form = "%Y-%m"
    elif form == WEEK:
        parts = texts.astype(str).str.extract(r"^\s*(\d{4})-?W(\d\d)(?:-?([1-7]))?\s*$")
        texts = parts[0] + "-" + parts[1] + "-" + parts[2].fillna("1")
        form = "%G-%V-%u"
    parsed = pd.to_datetime(texts, errors="coerce", format=form, utc=True)
    return np.asarray(parsed.dt.tz_localize(None).to_numpy("datetime64[us]"))


def compact(values: Array) -> bool:
    """Whether all of some numbers are dates such as 20240131."""
    if not len(values) or not ((values >= 1800_01_01) & (values <= 2199_12_31) & (values == np.floor(values))).all():
        return False
    return not np.isnat(_parsed(_as_text(values), COMPACT)).any()
