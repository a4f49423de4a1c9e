"""Are the rows of a file timesteps? What their times are, and which column separates several series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from dlspec.data.signature import TIME_NAMES
from dlspec.data.sources.formats.dialect import MISSING, Settled, to_float
from dlspec.data.sources.looks import mostly_dates
from dlspec.language.diagnostics.errors import DataError
from dlspec.spec.first_spec.target import speaks_for

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

NUMBERED = (
    "time",
    "year",
    "yr",
    "t",
    "ts",
    "timestamp",
    "epoch",
    "unixtime",
    "unix_time",
    "연도",
    "년도",
    "년",
    "시점",
)
"""Names of columns of numbers that are times."""
DATED = (
    *TIME_NAMES,
    "day",
    "ds",
    "month",
    "week",
    "period",
    "quarter",
    "when",
    "datum",
    "날짜",
    "일자",
    "일시",
    "시간",
    "년월",
)
"""Names that columns of dates have; other columns of dates come after these."""
PARTS = (
    "quarter",
    "qtr",
    "month",
    "mon",
    "week",
    "day",
    "weekday",
    "hour",
    "minute",
    "season",
    "분기",
    "월",
    "주",
    "일",
    "시간",
)
"""Names of columns with a part of the time, which separate no series."""
LEAST_ROWS, LEAST_IN_GROUP = 40, 10
"""Of fewer rows, in all and in a series, no windows are cut."""
MANY_WORDS, MOSTLY = 2, 0.7
"""Columns of words that single samples have, and the share of steps that are about the usual one in a series."""
LONG_RUN, LEAST_OF_RUNS = 20, 200
"""Rows that a class lasts for on average, and rows of a series, where no times say that they follow each other."""
FEW_REPEATS = 0.02
"""The share of rows that may have the time of another one."""


@dataclass(frozen=True)
class InTime:
    """Rows that follow each other in time.

    Args:
        time: the column with their times; None: there is none, or several have parts of them, as a year and a quarter.
        group: the column that separates several series.
        length: rows of one of these, on average.
        repeats: whether some rows have the same time.
    """

    time: str | None
    group: str | None
    length: int
    repeats: bool = False


def in_time(columns: Mapping[str, Sequence[str]], numeric: Mapping[str, bool], signs: Settled) -> InTime | None:
    """The times and the series of rows that follow each other; None: they are single samples.

    Args:
        columns: the values of the first rows, as they are written.
        numeric: of each column, whether it holds numbers.
        signs: how these are written.
    """
    count = len(next(iter(columns.values()), ()))
    if count < LEAST_ROWS:
        return None
    for name in _candidates(columns, numeric):
        times = _times(name, columns[name], numeric[name], signs)
        if times is None:
            continue
        words = sum(not numeric[other] for other in columns if other != name)
        repeats = _repeats(times)
        if repeats is None:
            found = _in_parts(name, times, columns) or _in_groups(name, times, columns)
        else:
            found = None if words >= MANY_WORDS and not _is_even(times) else InTime(name, None, count, repeats > 0)
        if found is not None:
            return found
    return _in_runs(columns, numeric)


def _in_runs(columns: Mapping[str, Sequence[str]], numeric: Mapping[str, bool]) -> InTime | None:
    """Rows without times that follow each other none the less: a class lasts for many rows and comes back later, as
    activities do. What stands in one block of rows each separates several series."""
    count = len(next(iter(columns.values())))
    words = [name for name in columns if not numeric[name]]
    runs = {name: sum(a != b for a, b in pairwise(columns[name])) + 1 for name in words}
    sorts = {name: len(set(columns[name])) for name in words}
    lasting = [name for name in words if 1 < sorts[name] < runs[name] <= count / LONG_RUN and speaks_for(name) > 0]
    if count < LEAST_OF_RUNS or not lasting or not any(numeric.values()):
        return None
    blocks = [name for name in words if name not in lasting and 1 < sorts[name] == runs[name]]
    blocks = [name for name in blocks if count / sorts[name] >= LEAST_OF_RUNS]
    group = min(blocks, key=sorts.__getitem__, default=None)
    return InTime(None, group, count // sorts[group] if group is not None else count)


def _candidates(columns: Mapping[str, Sequence[str]], numeric: Mapping[str, bool]) -> list[str]:
    """Columns that may have the times: those of dates, by name first, then numbers that are called so."""
    dates = [name for name, values in columns.items() if not numeric[name] and mostly_dates(list(values[:50]))]
    numbers = [name for name in columns if numeric[name] and name.lower() in (*NUMBERED, *DATED)]
    return sorted(dates, key=lambda name: name.lower() not in DATED) + numbers


def _times(name: str, values: Sequence[str], is_number: bool, signs: Settled) -> Array | None:
    """The times of all rows as numbers; None: some are none."""
    import numpy as np

    from dlspec.data.preparation.times import COMPACT, DATE_FORMS, compact, to_seconds

    if any(MISSING.fullmatch(value) for value in values):
        return None
    given: Array = np.array(values, object)
    forms: Sequence[str] = DATE_FORMS
    if is_number:
        numbers = np.array([to_float(value, signs) for value in values], "float64")
        if not compact(numbers):
            return numbers if name.lower() in NUMBERED and np.isfinite(numbers).all() else None
        given, forms = numbers, (COMPACT,)
    for form in forms:
        try:
            return to_seconds(name, given, forms=(form,))
        except DataError:
            continue
    return None


def _repeats(times: Array) -> int | None:
    """How many rows have the time of the one before, where times grow, or fall, from row to row; None: they do not, or
    many of them come again."""
    import numpy as np

    steps = np.diff(times)
    if (steps < 0).all():
        return 0
    repeats = int((steps == 0).sum())
    return None if (steps < 0).any() or repeats > FEW_REPEATS * len(times) else repeats


def _is_even(times: Array) -> bool:
    """Whether most steps are about the usual one. Rows with several words each at other times are visits, sales and the
    like, and no timesteps."""
    import numpy as np

    steps = abs(np.diff(times))
    usual = np.median(steps)
    return bool(((steps >= usual / 2) & (steps <= 4 * usual)).mean() >= MOSTLY)


def _in_parts(name: str, times: Array, columns: Mapping[str, Sequence[str]]) -> InTime | None:
    """One series, whose times are years with the number of the quarter, month or day beside them."""
    import numpy as np

    if (np.diff(times) < 0).any():
        return None
    keys = [times.tolist()]
    for other, values in columns.items():
        if other != name and other.lower() in PARTS and all(value.strip().isdigit() for value in values):
            keys.append([int(value) for value in values])
    rows = list(zip(*keys, strict=True))
    return InTime(None, None, len(rows)) if len(keys) > 1 and all(a < b for a, b in pairwise(rows)) else None


def _in_groups(name: str, times: Array, columns: Mapping[str, Sequence[str]]) -> InTime | None:
    """Several series, by the column with the fewest different values in each of which times grow."""
    import numpy as np

    found = []
    for other, values in columns.items():
        if other == name or other.lower() in PARTS:
            continue
        names, codes = np.unique(np.array(values, str), return_inverse=True)
        length = len(times) / len(names)
        if len(names) < 2 or length < LEAST_IN_GROUP or "" in names:
            continue
        order = np.argsort(codes, kind="stable")
        same = np.diff(codes[order]) == 0
        steps = np.diff(times[order])[same]
        if (steps > 0).all():
            found.append((len(names), InTime(name, other, round(length))))
    return min(found, key=lambda each: each[0])[1] if found else None
