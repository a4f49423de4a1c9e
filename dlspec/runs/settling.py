"""The lines under `data` that settle what is wrong with values: each way is tried on the data before it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.language.yaml import to_inline_yaml
from dlspec.spec.spec import Spec

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared

OF_VALUES = ("missing-value", "not-a-number")
"""Codes of what lines under `data` may settle."""
MOST_WORDS = 5
"""So many words are taken for missing values at most; more are no mistakes of typing."""
POLICIES = (None, "median", "drop")
"""What may be done about missing values, the gentlest first."""


def with_lines_that_settle(spec: Spec, error: DataError, load: Callable[[Spec], Prepared]) -> DataError:
    """The same error, whose last problem says what to write so that all of them are settled, where that is known.

    Args:
        load: the data of a spec; raises DataError.
    """
    several = len(error.diagnostics) > 1 and all(problem.code in OF_VALUES for problem in error.diagnostics)
    if not several or spec.data.window is not None or not (spec.data.table or spec.data.text):
        return error
    for policy in POLICIES:
        lines = _lines_with(spec, policy, error.diagnostics, load)
        if lines:
            *others, last = error.diagnostics
            return DataError([*others, replace(last, notes=(*last.notes, lines))], error.texts)
    return error


def _lines_with(
    spec: Spec, policy: str | None, problems: Sequence[Diagnostic], load: Callable[[Spec], Prepared]
) -> str | None:
    """What to write with this policy; None: the data have mistakes even so."""
    words = _words_in(problems)
    for _ in range(MOST_WORDS):
        changes: dict[str, Any] = {"na": [*(spec.data.na or ()), *words]} if words else {}
        if policy is not None:
            changes["missing"] = policy
        try:
            data = load(spec.with_changes(data=spec.data.model_copy(update=changes)))
        except DataError as error:
            more = [word for word in _words_in(error.diagnostics) if word not in words]
            if not more or len(words) + len(more) > MOST_WORDS:
                return None
            words += more
            continue
        shown = one_of([to_inline_yaml({key: value}) for key, value in changes.items()])
        left = f", which leaves {sum(map(len, (data.train, data.validation, data.test))):,} samples"
        return f"{shown} under `data` settle all of this{left if policy == 'drop' else ''}"
    return None


def _words_in(problems: Sequence[Diagnostic]) -> list[str]:
    """The texts that stand where numbers are needed."""
    found = (re.search(r'has the text "(.+)" in row', problem.message) for problem in problems)
    return list(dict.fromkeys(match[1] for match in found if match))
