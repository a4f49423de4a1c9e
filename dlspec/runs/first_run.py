"""A first spec that runs: its data are read as a run would read them, and what they need is written into it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.language.yaml import read_text
from dlspec.runs.job import load_data
from dlspec.runs.settling import settled
from dlspec.spec.checks import check
from dlspec.spec.composition import compose
from dlspec.spec.first_spec import Start, write_start
from dlspec.spec.first_spec.saying import Said, say

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.spec.spec import Spec

TEXT_AMONG_NUMBERS = say("text among numbers")
EMPTY = 0.95
"""A column that lacks a larger share of its values is left out."""
APART = 10
"""Channels whose ranges differ by this factor or more have scales of their own."""
FIRST = 1000
"""Samples whose ranges are looked at."""
KEPT = 0.8
"""The share of rows that is kept, if leaving out columns with holes can do it."""


def made_to_run(start: Start) -> Start:
    """The same start, with what is done about missing values, and without columns that cannot be read.

    Args:
        start: of data that may be read.
    """
    mended = _mended_series if start.kind == "series" else _mended_table
    for _ in range(len(start.description.columns) + 3):  # each time one is left out, or one thing is settled
        spec = _spec_of(start)
        if spec is None:
            return start
        try:
            data = load_data(spec)
        except DataError as error:
            better = mended(start, spec, error) or _without_text(start, error)
            if better is None:
                return replace(start, problem=error)
            start = better
            continue
        return _with_scales(start, data) if start.kind == "arrays" else start
    return start


def _with_scales(start: Start, data: Prepared) -> Start:
    """With a scale for each channel of arrays, where one for all would hide the small ones."""
    samples = data.train.raw[:FIRST]
    values = samples.reshape(-1, samples.shape[-1]).astype("float64")
    ranges = values.max(axis=0) - values.min(axis=0)
    ranges = ranges[ranges > 0]
    if len(ranges) < 2 or ranges.max() < APART * ranges.min():
        return start
    return replace(start, settings={**start.settings, "scale_by": "channel"})


def _mended_table(start: Start, spec: Spec, error: DataError) -> Start | None:
    """With what settles all that is wrong with values."""
    lacking, rows = _lacking(error), start.description.rows or 0
    empty = {
        name: say("has no values") if count >= rows else _lacks(count)
        for name, count in lacking.items()
        if name in start.features and count > EMPTY * rows
    }
    if empty and len(empty) < len(start.features):
        return start.without(empty)
    found, least = settled(spec, error, load_data), KEPT * rows
    if found is None or (found.settings.get("missing") == "drop" and found.samples < least):
        worst = max((name for name in lacking if name in start.features), key=lacking.__getitem__, default=None)
        if worst is not None and len(start.features) > 1:
            return start.without({worst: _lacks(lacking[worst])})
    if found is None:
        return None
    return replace(start, settings={**start.settings, **found.settings}, notes=_in_words(lacking))


def _mended_series(start: Start, spec: Spec, error: DataError) -> Start | None:
    """With one thing more that is done about holes and repeated times, or a shorter window."""
    codes = {problem.code for problem in error.diagnostics}
    if codes == {"missing-value"} and "missing" not in start.settings:
        notes = _in_words(_lacking(error))
        return replace(start, settings={**start.settings, "missing": "previous"}, notes=notes)
    if codes == {"time-not-increasing"} and "duplicates" not in start.settings:
        return replace(start, settings={**start.settings, "duplicates": "mean"})
    if codes == {"too-few-rows"} and start.longest_window > 1:
        return replace(start, longest_window=start.longest_window // 2)
    return None


def _without_text(start: Start, error: DataError) -> Start | None:
    """Without the columns that have text where numbers are needed."""
    of_text = _of_text(error)
    if start.target in of_text and start.likely:
        others = [each for each in start.likely if each.column not in of_text]
        if others:
            known = dict.fromkeys(of_text, TEXT_AMONG_NUMBERS)
            return replace(start, likely=tuple(others)).predicting(others[0].column).without(known)
    unread = [name for name in of_text if name in start.features]
    if not unread or len(unread) == len(start.features):
        return None
    return start.without(dict.fromkeys(unread, TEXT_AMONG_NUMBERS))


def _spec_of(start: Start) -> Spec | None:
    """The spec that would be written; None: it has mistakes."""
    try:
        checked = check(compose(read_text(write_start(start))))
    except (DataError, SpecError):
        return None
    return None if checked.errors else checked.spec


def _lacking(error: DataError) -> dict[str, int]:
    """Column -> how many values it lacks."""
    found = (
        re.match(r"column `(.+)` lacks a (?:value|label) in (?:(\d+) rows|row)", each.message)
        for each in error.diagnostics
    )
    return {match[1]: int(match[2] or 1) for match in found if match}


def _lacks(count: int) -> Said:
    return say("lacks {count:,} values", count=count)


def _in_words(lacking: dict[str, int]) -> tuple[Said, ...]:
    return tuple(say("{count} of {name}", count=count, name=name) for name, count in lacking.items())


def _of_text(error: DataError) -> list[str]:
    """The columns that have text where numbers are needed."""
    found = (re.match(r"column `(.+)` has the text", each.message) for each in error.diagnostics)
    return [match[1] for match in found if match]
