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

if TYPE_CHECKING:
    from dlspec.spec.spec import Spec


def made_to_run(start: Start) -> Start:
    """The same start, with what is done about missing values, and without columns that cannot be read.

    Args:
        start: of a table; of one that is too large for memory it stays as it is.
    """
    for _ in start.description.columns:  # each time one is left out at least
        spec = _spec_of(start)
        if spec is None:
            return start
        try:
            load_data(spec)
        except DataError as error:
            found = settled(spec, error, load_data)
            if found is not None:
                return replace(start, settings=found.settings, notes=_lacking(error))
            unread = [name for name in _of_text(error) if name in start.features]
            if not unread or len(unread) == len(start.features):
                return start
            why = dict.fromkeys(unread, "text among numbers")
            kept = tuple(name for name in start.features if name not in why)
            start = replace(start, features=kept, left_out={**start.left_out, **why})
            continue
        return start
    return start


def _spec_of(start: Start) -> Spec | None:
    """The spec that would be written; None: it has mistakes, or its table is too large to be read here."""
    try:
        checked = check(compose(read_text(write_start(start))))
    except (DataError, SpecError):
        return None
    return None if checked.errors or start.is_large else checked.spec


def _lacking(error: DataError) -> tuple[str, ...]:
    """How many values which columns lack."""
    found = (re.match(r"column `(.+)` lacks a value in (?:(\d+) rows|row)", each.message) for each in error.diagnostics)
    return tuple(f"{match[2] or 1} of {match[1]}" for match in found if match)


def _of_text(error: DataError) -> list[str]:
    """The columns that have text where numbers are needed."""
    found = (re.match(r"column `(.+)` has the text", each.message) for each in error.diagnostics)
    return [match[1] for match in found if match]
