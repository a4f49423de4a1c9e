"""Values of one column of a table: checked, and as the network takes them."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .problems import Problem, shown

LARGEST = {"float16": 65504.0, "float32": 3.4028234e38, "float64": sys.float_info.max}
LARGEST_WHOLE = 2**53
QUARTER = re.compile(r"\s*(\d{4})[- ]?[Qq]([1-4])\s*")
WEEK = re.compile(r"\s*(\d{4})-?W(\d\d)(?:-?([1-7]))?\s*")
MONTH = re.compile(r"\s*(\d{4})(?:-(\d\d?))?\s*")
WHOLE_WORD = re.compile(r"-?(0|[1-9]\d*)")
WITH_ZEROS = re.compile(r"-?(0|[1-9]\d*)\.0*")
LEADING_ZEROS = re.compile(r"^(-?)0+(?=\d)")
MOST_WORDS = 12
"""Words that a message lists."""

Problems = list[Problem]
Reader = Callable[[Any, int, Problems, Problems], Any]
"""(value, row, mistakes, warnings) -> the value as the network takes it."""


def reader_of(given: dict[str, Any], missing_word: str) -> Reader:
    """The reader of a column.

    Args:
        given: a column out of `inputs` of `signature.json`.
        missing_word: what stands for a word that is missing.
    """
    kind = given.get("kind", "number" if given["dtype"] != "string" else "text")
    if kind == "time":
        return time_reader(given)
    if kind in ("word", "text"):
        return word_reader(given, missing_word if kind == "word" else "")
    return number_reader(given)


def lacks(column: str, row: int, example: str) -> Problem:
    return Problem(row, column, f"`{column}` lacks a value", f"write one, such as {example}; the column had no holes")


def number_reader(given: dict[str, Any]) -> Reader:
    """Finite numbers, NaN for None where one may be missing."""
    column, holes = given["column"], given.get("may_be_missing", False)
    low: Any = given.get("min")
    high: Any = given.get("max")
    whole = given["dtype"].startswith(("int", "uint"))
    largest = LARGEST_WHOLE if whole else LARGEST.get(given["dtype"], sys.float_info.max)
    example = f"{low:g}" if low is not None else "1.5"
    ranged = low is not None and high is not None
    unit = f" {given['unit']}" if given.get("unit") else ""

    def mistake(value: Any, row: int) -> Problem:
        if value is None:
            return lacks(column, row, example)
        if isinstance(value, bool):
            return Problem(row, column, f"`{column}` has {shown(value)}, where a number is needed", "write 1 or 0")
        if isinstance(value, str):
            said = f"`{column}` has the text {shown(value)}, where a number is needed"
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if math.isfinite(number):
                return Problem(row, column, said, f"write {value.strip()} without quotes")
            return Problem(row, column, said, f"write a number, such as {example}" + ", or null" * holes)
        if isinstance(value, int | float):
            if whole and abs(value) <= largest:
                return Problem(row, column, f"`{column}` has {shown(value)}, which is not whole", "round it")
            return Problem(row, column, f"`{column}` has a number that is too large", f"write one such as {example}")
        return Problem(
            row, column, f"`{column}` has {shown(value)}, where a number is needed", f"write one, such as {example}"
        )

    def read(value: Any, row: int, problems: Problems, warnings: Problems) -> Any:
        if type(value) is float or type(value) is int:
            if not -largest <= value <= largest or (whole and value != int(value)):
                problems.append(mistake(value, row))
                return 0
            if ranged and not low <= value <= high:
                warnings.append(
                    Problem(row, column, f"{value:g}{unit} lies outside the training data, {low:g} to {high:g}{unit}")
                )
            return int(value) if whole else float(value)
        if value is None and holes and not whole:
            return math.nan
        problems.append(mistake(value, row))
        return 0

    return read


def as_word(value: Any) -> str | None:
    """A value as one of several words, as training reads it; None: it is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else str(value)
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    return text.partition(".")[0] if WITH_ZEROS.fullmatch(text) else text


def word_reader(given: dict[str, Any], missing_word: str) -> Reader:
    """Words and texts, the word for a missing one where there is none."""
    column, holes, known = given["column"], given.get("may_be_missing", False), given.get("words")
    words = None if known is None else set(known)
    whole = bool(known) and all(map(WHOLE_WORD.fullmatch, known or []))
    some = ", ".join(shown(word) for word in (known or [])[:MOST_WORDS])
    some += ", ..." if known and len(known) > MOST_WORDS else ""
    if {"yes", "no", "true", "false"} <= set(known or []):
        some = '"yes" and "no", or how else these are written'
    example = shown(known[0]) if known else '"a word"'
    what = "words" if given.get("kind") == "text" else "a word"

    def read(value: Any, row: int, problems: Problems, warnings: Problems) -> str:
        word = as_word(value)
        if word is None:
            said = f"`{column}` has {shown(value)}, where {what} should stand"
            problems.append(Problem(row, column, said, f"write {example}"))
            return ""
        if not word:
            if not holes:
                problems.append(lacks(column, row, example))
            return missing_word
        if not word.isascii() and any("\ud800" <= letter <= "\udfff" for letter in word):
            said = f"`{column}` has half of a letter, {shown(word)}"
            problems.append(Problem(row, column, said, "write the text in UTF-8"))
            return ""
        if words is not None and word not in words:
            other = LEADING_ZEROS.sub(r"\1", word) if whole else word
            if other in words:
                return other
            warnings.append(Problem(row, column, f"{shown(word)} was not in the training data, which had {some}"))
        return word

    return read


def time_reader(given: dict[str, Any]) -> Reader:
    """Times as seconds since the beginning of 1970 in UTC, NaN for None where one may be missing."""
    column, holes, form = given["column"], given.get("may_be_missing", False), given.get("form", "ISO8601")
    example = shown(given.get("from", "2024-01-31"))
    low, high = (seconds_of(given[key], "ISO8601") if key in given else None for key in ("from", "to"))
    ranged = low is not None and high is not None

    def read(value: Any, row: int, problems: Problems, warnings: Problems) -> float:
        seconds: float | None = None
        if value is None:
            if holes:
                return math.nan
            problems.append(lacks(column, row, example))
            return 0.0
        if isinstance(value, str):
            seconds = seconds_of(value, form)
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
            compact = seconds_of(f"{value:.0f}", form) if form == "%Y%m%d" else None
            seconds = float(value) if compact is None else compact
        if seconds is None:
            said = f"`{column}` has {shown(value)}, which is no time"
            problems.append(Problem(row, column, said, f"write a date such as {example}, or seconds since 1970"))
            return 0.0
        if ranged and not low <= seconds <= high:  # type: ignore[operator]
            said = f"{shown(value)} lies outside the training data, {given['from']} to {given['to']}"
            warnings.append(Problem(row, column, said))
        return seconds

    return read


def seconds_of(text: str, form: str) -> float | None:
    """A time as seconds since the beginning of 1970, in UTC where it does not say otherwise; None: it is none.

    Args:
        form: how the training data write it; ISO 8601 is read too.
    """
    for way in (form, "ISO8601"):
        try:
            found = _parsed(text, way)
        except (ValueError, OverflowError):
            continue
        if found is not None:
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
            return (found - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return None


def _parsed(text: str, form: str) -> datetime | None:
    if form == "quarter":
        match = QUARTER.fullmatch(text)
        return datetime(int(match[1]), int(match[2]) * 3 - 2, 1) if match else None
    if form == "week":
        match = WEEK.fullmatch(text)
        return datetime.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1)) if match else None
    if form != "ISO8601":
        return datetime.strptime(text.strip(), form)
    match = MONTH.fullmatch(text)
    return datetime(int(match[1]), int(match[2] or 1), 1) if match else datetime.fromisoformat(text.strip())
