"""A spec with every default written out, and where each value came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlspec.language.yaml import Document, to_inline_yaml
from dlspec.language.yaml.nodes import Path_
from dlspec.spec.composition.variables import REFERENCE
from dlspec.spec.origins import show_place, written_at
from dlspec.spec.reading import read_spec
from dlspec.spec.spec import Spec

COLUMN = 44
"""Where the words about origins begin."""


def write_resolved(spec: Spec) -> str:
    """The spec as YAML that runs again as it is; behind each value stands who gave it.

    That is a line of the file, a file that it extends, the command line (`--set …`), the data (a target, a loss that
    fits it) or dlspec itself (`default`).
    """
    given = read_spec(spec.document)[0].written()
    return "\n".join(_lines(spec.written(), (), _Origins(spec.document, given), "")) + "\n"


class _Origins:
    def __init__(self, document: Document, given: dict[str, Any]) -> None:
        self.document = document
        self.given = given

    def of(self, path: Path_, value: Any) -> str:
        """In words, where the value at `path` came from."""
        node = written_at(self.document, path, value)
        if node is None:
            return "default" if _at(self.given, path) == [value] else "from the data"
        trail = (label.text.replace("`", "") for label in node.span.trail)
        return ", ".join([show_place(self.document, node.span), *trail])


def _at(values: Any, path: Path_) -> list[Any]:
    """The value at `path`, or nothing."""
    part: Any
    for part in path:
        in_list = isinstance(values, list) and isinstance(part, int) and part < len(values)
        if in_list or (isinstance(values, dict) and part in values):
            values = values[part]
        else:
            return []
    return [values]


def _lines(value: Any, path: Path_, origins: _Origins, indent: str) -> Iterator[str]:
    """The lines of a mapping or list, each ending in a scalar with its origin."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        head = f"{indent}- " if isinstance(value, list) else f"{indent}{to_inline_yaml(str(key))}:"
        below = (*path, key)
        if not _is_nested(inner):
            text = f"{head.rstrip()} {to_inline_yaml(_escaped(inner)) if not isinstance(inner, dict) else '{}'}"
            yield f"{text:{COLUMN}}  # {origins.of(below, inner)}"
        elif isinstance(value, list):
            first, *rest = _lines(inner, below, origins, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield head
            yield from _lines(inner, below, origins, f"{indent}  ")


def _escaped(value: Any) -> Any:
    """A value, or a list of them, in which no `$` stands for a variable."""
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    if isinstance(value, str) and (REFERENCE.search(value) or value.startswith("$(")):
        return value.replace("$", "$$")
    return value


def _is_nested(value: Any) -> bool:
    """Whether it takes lines of its own: a mapping, or a list with mappings or lists in it."""
    if isinstance(value, dict):
        return bool(value)
    return isinstance(value, list | tuple) and any(isinstance(item, dict | list) for item in value)
