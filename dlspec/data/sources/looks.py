"""What the values of a column look like as they are written: numbers, dates, two whole numbers, a row of names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from dlspec.data.sources.formats.dialect import MISSING, may_be_number

MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
MAX_SPELLINGS = 4
"""Two whole numbers may be written in so many ways: as `1` and `1.0`."""


def holds_values(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether what should be the names of columns is a row of values like those below it.

    Where all columns of numbers are called by a number, which do not count the columns or the years, and words in it
    come again below.
    """
    named = [(place, name) for place, name in enumerate(header) if name]
    columns = {name: written_values(rows, place) for place, name in named}
    numeric = [name for _, name in named if columns[name] and mostly_numbers(columns[name])]
    words = [name for _, name in named if name not in numeric]
    given = [name.strip() for name in numeric if not MISSING.fullmatch(name)]
    if not given or not all(map(may_be_number, given)):
        return False
    whole = [int(name) for name in given if re.fullmatch(r"\d{1,9}", name)]
    steps = {b - a for a, b in pairwise(whole)} if len(whole) == len(given) else set()
    if len(steps) == 1 and (len(whole) > 2 or steps == {1}):
        return False
    return not words or any(name in columns[name] for name in words) or len(given) > max(2, len(words))


def written_values(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in rows if row[place].strip()]


def two_whole_numbers(values: Collection[str], decimal: str) -> tuple[str, ...]:
    """The whole numbers that a column holds, where they are two: a column of yes and no; else nothing."""
    whole = rf"[-+]?\d{{1,15}}([{decimal}]0*)?"
    if len(values) > MAX_SPELLINGS or not all(re.fullmatch(whole, value) for value in values):
        return ()
    found = {str(int(value.partition(decimal)[0])) for value in values}
    return tuple(sorted(found)) if len(found) == 2 else ()


def all_dates(values: list[str]) -> bool:
    """Whether a column holds dates, written as year-month-day."""
    date = r"\s*\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[-+]\d\d:?\d\d)?)?\s*"
    return bool(values) and all(re.fullmatch(date, value) for value in values)


def mostly_dates(values: list[str]) -> bool:
    """Whether a column that the spec calls a time may be one; a value that is no date is named when all are read."""
    forms = (
        r"\d+[-/.]\d+[-/.]\d+",
        r"[12]\d{3}[-/.](0?[1-9]|1[012])\s*$",
        r"[12]\d{3}(0[1-9]|1[012])[0-3]\d\s*$",
        rf"{MONTH}[a-z]*\.?[ -]\d|\d+[ -]{MONTH}",
        r"\d{4}[- ]?[QqWw]\d",
    )
    date = re.compile(r"\s*(" + "|".join(forms) + ")", re.IGNORECASE)
    return 2 * sum(bool(date.match(value)) for value in values) >= len(values)


def given(values: Iterable[str]) -> list[str]:
    """The values that are not missing."""
    return [value for value in values if not MISSING.fullmatch(value)]


def mostly_numbers(values: list[str]) -> bool:
    """Whether a column is meant to hold numbers; one that does not parse here is named when all are read."""
    known = given(values)
    return 2 * sum(map(may_be_number, known)) >= len(known)
