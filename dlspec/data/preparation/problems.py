"""What is wrong with a value, and the row that it stands in."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.language.diagnostics.errors import DataError

Array = np.ndarray

FILL = "fill or remove what is missing"


class ValueProblem(DataError):
    """A value that is wrong, and the row that it stands in, counted from 0."""

    row: int

    @classmethod
    def at(cls, row: int, code: str, message: str, help: str) -> ValueProblem:
        problem = cls.of(code, message, help=help)
        problem.row = row
        return problem


First = int | Array


def row_at(first: First, place: int) -> int:
    """The row of the data that the value at a place stands in."""
    return first + place if isinstance(first, int) else int(first[place])


def check_all(name: str, wrong: Array, first: First, what: str, help: str) -> None:
    """Raises ValueProblem at the first row of which a value is wrong."""
    rows = wrong.any(axis=tuple(range(1, wrong.ndim)))
    if rows.any():
        row, count = row_at(first, int(np.argmax(rows))), int(rows.sum())
        where = f"in row {row + 1}" if count == 1 else f"in {count} rows, the first is row {row + 1}"
        raise ValueProblem.at(row, "missing-value", f"column `{name}` {what} {where}", help)


def is_missing(values: Array) -> Array:
    """Which values of a column are missing, (rows,)."""
    if values.dtype == object:
        return np.array([is_no_value(value) or value == "" for value in values.tolist()], bool)
    if values.dtype.kind not in "fM":
        return np.zeros(len(values), bool)
    return np.asarray(np.isnan(values) if values.ndim == 1 else np.isnan(values).reshape(len(values), -1).any(axis=1))


def is_no_value(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))
