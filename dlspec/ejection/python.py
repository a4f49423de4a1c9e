"""Values and calls as Python source, broken into lines as `ruff format` breaks them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np

WIDTH = 120
INDENT = 4


class NotWritten(Exception):
    """Something has no source, such as a layer of a plugin."""


class Code(str):
    """Source that stands as it is, in one line."""

    __slots__ = ()


@dataclass(frozen=True)
class Call:
    """`name(*args, **keywords)`.

    Args:
        name: what is called, which may be a call itself: `layers.Dense(8)(x)`.
    """

    name: str | Call
    args: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)


def call(name: str | Call, /, *args: Any, **keywords: Any) -> Call:
    """A call of a function."""
    return Call(name, args, keywords)


def literal(value: Any) -> str:
    """A value in one line.

    Raises:
        TypeError: it has no source.
    """
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, Call):
        name = literal(value.name) if isinstance(value.name, Call) else value.name
        return f"{name}({', '.join(_arguments(value))})"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return f'float("{value}")'
        return repr(int(value)) + ".0" if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, PurePath):
        return f"Path({quoted(value.as_posix())})"
    opened, closed = _brackets(value)
    items = [_item(item) for item in _items(value)]
    return f"{opened}{', '.join(items)}{',' if opened == '(' and len(items) == 1 else ''}{closed}"


def quoted(text: str) -> str:
    """A text in double quotes, unless it has some itself."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in text else shown


def width(text: str) -> int:
    """How many columns of a screen a text takes: letters of East Asia take two."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def source(value: Any, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """A value in as few lines as it takes.

    Args:
        indent: spaces in front of the statement that it stands in.
        before, after: characters in front of it in its first line, without the indent, and behind it in its last one.
    """
    line = literal(value)
    if indent + before + width(line) + after <= WIDTH or isinstance(value, Code | str | int | float | None):
        return line
    opened, items, closed = _parts(value, indent, before)
    if not items:
        return line
    inner = " " * (indent + INDENT)
    together = ", ".join(literal(item) if prefix is None else f"{prefix}{literal(item)}" for prefix, item in items)
    if isinstance(value, Call) and len(inner) + width(together) <= WIDTH:
        return f"{opened}\n{inner}{together}\n{' ' * indent}{closed}"
    lines = [
        f"{inner}{prefix or ''}{source(item, indent + INDENT, width(prefix or ''), 1)},\n" for prefix, item in items
    ]
    return f"{opened}\n{''.join(lines)}{' ' * indent}{closed}"


def statement(target: str, value: Any, indent: int = 0, after: int = 0) -> str:
    """`target = value`, without the spaces in front of the first line."""
    return f"{target} = {source(value, indent, width(target) + 3, after)}"


def _parts(value: Any, indent: int, before: int) -> tuple[str, list[tuple[str | None, Any]], str]:
    """What opens a value, its items with what stands in front of each, and what closes it."""
    if isinstance(value, Call):
        given: list[tuple[str | None, Any]] = [(None, item) for item in value.args]
        given += [(f"{key}=", item) for key, item in value.keywords.items()]
        if isinstance(value.name, Call):
            made = literal(value.name)
            if given and indent + before + width(made) + 1 <= WIDTH:  # all but `x)` of `Dense(…)(x)`
                return f"{made}(", given, ")"
            tail = f"({', '.join(_arguments(value))})"
            opened, items, closed = _parts(value.name, indent, before)
            if items:  # the first call is broken, `(x)` behind it stays in one line
                return opened, items, closed + tail
            return f"{made}(", given, ")"
        return f"{value.name}(", given, ")"
    opened, closed = _brackets(value)
    if isinstance(value, Mapping):
        return opened, [(f"{literal(key)}: ", item) for key, item in value.items()], closed
    return opened, [(None, item) for item in value], closed


def _arguments(value: Call) -> list[str]:
    return [*map(literal, value.args), *(f"{key}={literal(item)}" for key, item in value.keywords.items())]


def _brackets(value: Any) -> tuple[str, str]:
    if isinstance(value, Mapping):
        return "{", "}"
    if isinstance(value, tuple):
        return "(", ")"
    if isinstance(value, Sequence):
        return "[", "]"
    raise TypeError(f"{type(value).__name__} has no source")


def _items(value: Any) -> list[Any]:
    return list(value.items()) if isinstance(value, Mapping) else [(None, item) for item in value]


def _item(item: tuple[Any, Any]) -> str:
    key, value = item
    return literal(value) if key is None else f"{literal(key)}: {literal(value)}"
