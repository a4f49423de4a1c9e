"""The lines under `data` that settle what is wrong with values: each way is tried on the data before it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
LONGEST = 16
"""Characters of a word that stands for a missing value, such as `not applicable`."""
POLICIES = (None, "median", "drop")
"""What may be done about missing values, the gentlest first."""


@dataclass(frozen=True)
class Settled:
    """What settles all that is wrong with the values of some data.

    Args:
        settings: key of `data` -> what to write.
        samples: as many as are left.
    """

    settings: Mapping[str, Any]
    samples: int


def settled(spec: Spec, error: DataError, load: Callable[[Spec], Prepared]) -> Settled | None:
    """What to write under `data` so that nothing is wrong with the values; None: that is not known.

    Args:
        load: the data of a spec; raises DataError.
    """
    of_values = all(problem.code in OF_VALUES for problem in error.diagnostics)
    if not of_values or spec.data.window is not None or not (spec.data.table or spec.data.text):
        return None
    ways = (_settled_by(spec, policy, error.diagnostics, load) for policy in POLICIES)
    return next((found for found in ways if found), None)


def with_lines_that_settle(spec: Spec, error: DataError, load: Callable[[Spec], Prepared]) -> DataError:
    """The same error, whose last problem says what to write so that all of several are settled, where that is known."""
    found = settled(spec, error, load) if len(error.diagnostics) > 1 else None
    if found is None:
        return error
    shown = one_of([to_inline_yaml({key: value}) for key, value in found.settings.items()])
    left = f", which leaves {found.samples:,} samples" if found.settings.get("missing") == "drop" else ""
    *others, last = error.diagnostics
    note = f"{shown} under `data` settle{'s' * (len(found.settings) == 1)} all of this{left}"
    return DataError([*others, replace(last, notes=(*last.notes, note))], error.texts)


def _settled_by(
    spec: Spec, policy: str | None, problems: Sequence[Diagnostic], load: Callable[[Spec], Prepared]
) -> Settled | None:
    """What to write with this policy; None: the data have mistakes even so."""
    words = _words_in(problems)
    if not all(map(_may_mean_missing, words)):
        return None
    for _ in range(MOST_WORDS):
        changes: dict[str, Any] = {"na": [*(spec.data.na or ()), *words]} if words else {}
        if policy is not None:
            changes["missing"] = policy
        try:
            data = load(spec.with_changes(data=spec.data.model_copy(update=changes)))
        except DataError as error:
            more = [word for word in _words_in(error.diagnostics) if word not in words]
            if not more or len(words) + len(more) > MOST_WORDS or not all(map(_may_mean_missing, more)):
                return None
            words += more
            continue
        return Settled(changes, sum(map(len, (data.train, data.validation, data.test))))
    return None


def _may_mean_missing(word: str) -> bool:
    """Whether a text among numbers may stand for none: `207a` is an id, and a long text says something else."""
    return not re.search(r"\d", word) and len(word) <= LONGEST


def _words_in(problems: Sequence[Diagnostic]) -> list[str]:
    """The texts that stand where numbers are needed."""
    found = (re.search(r'has the text "(.+)" in row', problem.message) for problem in problems)
    return list(dict.fromkeys(match[1] for match in found if match))
