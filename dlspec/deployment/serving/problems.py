"""What is wrong with a request, and how it is said."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, NamedTuple

MOST_SAID = 100
"""Mistakes, and warnings, that an answer names."""


class Problem(NamedTuple):
    """A mistake, or a warning.

    Args:
        row: counted from 1; None: of the whole request.
        column: None: of the whole row.
        help: what to write instead; None in a warning.
    """

    row: int | None
    column: str | None
    message: str
    help: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in self._asdict().items() if value is not None}


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        problems: what is wrong.
        headers: more headers of the answer.
    """

    def __init__(self, status: int, problems: list[Problem], headers: dict[str, str] | None = None) -> None:
        super().__init__(problems[0].message)
        self.status = status
        self.problems = problems
        self.headers = headers or {}

    @classmethod
    def of(cls, status: int, message: str, help: str | None = None, **headers: str) -> Refused:
        """With one problem of the whole request."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, [Problem(None, None, message, help)], said)


def said(problems: list[Problem]) -> list[dict[str, Any]]:
    """Problems for an answer: the first ones, and how many more there are."""
    found = [problem.as_json() for problem in problems[:MOST_SAID]]
    if len(problems) > MOST_SAID:
        found.append({"message": f"and {len(problems) - MOST_SAID:,} more"})
    return found


def meant(name: str, known: list[str]) -> str:
    """The known name that another is a slip of, or all names: what a cure says."""
    near = get_close_matches(str(name), known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"the columns are {listed(known)}."


def listed(names: list[str], most: int = 12) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def shown(value: Any) -> str:
    """A value as JSON has it, cut where it is long."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
