"""Constants that hold names, and what is done alike to many columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dlspec.data.features.base import Raw
from dlspec.ejection.python import Call, Code, literal, source, width
from dlspec.ejection.script import FITTED, Script

MOST_IN_SCRIPT = 40
"""Names that stand in the script itself; more stand beside it."""
KINDS: dict[Raw, str] = {"number": "numbers", "word": "words", "text": "texts", "time": "dates"}
"""What the saved model takes of a column -> what several such columns are called."""
ALIKE = 6
"""So many columns in a row that are treated alike are treated in a loop."""


def held_names(script: Script, wanted: str, values: Any, section: str, comment: str = "") -> Code:
    """A constant with names, a list or a mapping from them, or what reads it from beside the script.

    One of the same name and values is there once.
    """
    value = values
    if len(values) > MOST_IN_SCRIPT:
        key = wanted
        while key in script.fitted and script.fitted[key] != values:
            key = f"{key}_"
        value = Code(f"{FITTED}[{literal(key)}]") if key in script.fitted else script.keep(key, values)
    for one in script.constants:
        if one.value == value and one.name.rstrip("_") == wanted.upper():
            return Code(one.name)
    return script.constant(wanted, value, section, comment)


@dataclass(frozen=True)
class Treated:
    """What is done to a column.

    Args:
        kind: what several such columns are called.
    """

    name: str
    call: Call
    kind: str

    @property
    def template(self) -> tuple[str, str]:
        """The same for columns that are treated alike, with `name` in place of the column."""
        return self.kind, literal(self.call).replace(literal(self.name), "name")


def runs(columns: Sequence[Treated]) -> Iterator[list[Treated]]:
    """Columns that follow each other and are treated alike, together where they are many."""
    for _, group in groupby(columns, key=lambda column: column.template):
        own = list(group)
        yield from [own] if len(own) >= ALIKE else ([column] for column in own)


def in_list(script: Script, columns: Sequence[Treated], section: str) -> str:
    """A list of what is done to columns, inside a function, as source."""
    lines = []
    for own in runs(columns):
        if len(own) == 1:
            lines.append(f"        {source(own[0].call, 8, 0, 1)},\n")
        else:
            lines.append(f"        *({own[0].template[1]} for name in {_names(script, own, section)}),\n")
    return "[\n" + "".join(lines) + "    ]"


def in_mapping(script: Script, columns: Sequence[Treated], section: str) -> str:
    """A mapping from columns to what is done to them, inside a function, as source."""
    lines = []
    for own in runs(columns):
        if len(own) == 1:
            key = f"{literal(own[0].name)}: "
            lines.append(f"        {key}{source(own[0].call, 8, width(key), 1)},\n")
        else:
            lines.append(f"        **{{name: {own[0].template[1]} for name in {_names(script, own, section)}}},\n")
    return "{\n" + "".join(lines) + "    }"


def _names(script: Script, columns: Sequence[Treated], section: str) -> Code:
    return held_names(script, columns[0].kind, [column.name for column in columns], section)
