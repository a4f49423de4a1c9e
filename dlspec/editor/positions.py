"""Columns as editors count them: in UTF-16 or UTF-8 units, where dlspec counts characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_UNITS: Mapping[str, Callable[[str], int]] = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "utf-32": len,
}


def to_units(line: str, column: int, encoding: str) -> int:
    """Units in front of a column of a line, from 0; one behind its end is its end."""
    before = line[: max(0, column)]
    return len(before) if before.isascii() else _UNITS[encoding](before)


def to_column(line: str, units: int, encoding: str) -> int:
    """The column, from 0, that so many units lead to; within a character, that in front of it."""
    if line.isascii() or encoding == "utf-32":
        return max(0, min(units, len(line)))
    count = _UNITS[encoding]
    at = 0
    for column, character in enumerate(line):
        at += count(character)
        if at > units:
            return column
    return len(line)
