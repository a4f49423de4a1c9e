"""What an editor shows beside a spec: shapes and parameters behind each layer, and its sections as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dlspec.editor.examining import Examined
from dlspec.language.shapes import show_shape
from dlspec.language.yaml import read_text
from dlspec.language.yaml.editing import EditedText
from dlspec.language.yaml.parts import Entry
from dlspec.model.folded import folded
from dlspec.model.graph import GraphLayer

PARAMETERS = {"en": "{:,} parameters", "ko": "매개변수 {:,}개"}


@dataclass(frozen=True)
class Hint:
    """What stands behind a line, from 1, in an editor and not in the text.

    Args:
        label: what comes out of its layers, and how many parameters they have.
        layers: their names.
    """

    line: int
    label: str
    layers: tuple[str, ...]


def hints(examined: Examined, language: str = "en") -> list[Hint]:
    """Of each line with layers, in order."""
    by_line: dict[int, list[GraphLayer]] = {}
    for layer in folded(examined.graph).layers:
        span = examined.spans.get(layer.path)
        if span is not None and span.file == examined.file:
            by_line.setdefault(span.line, []).append(layer)
    found = []
    for line, layers in sorted(by_line.items()):
        shape = layers[-1].output_shape
        parameters = sum(layer.parameters for layer in layers)
        parts = [f"× {len(layers)}"] if len(layers) > 1 else []
        parts += [f"→ {show_shape(shape)}"] if shape is not None else []
        parts += [PARAMETERS[language].format(parameters)] if parameters else []
        if parts:
            found.append(Hint(line, " · ".join(parts), tuple(layer.name for layer in layers)))
    return found


@dataclass(frozen=True)
class Symbol:
    """A section, or a layer of the model.

    Args:
        line, column, end_line, end_column: all of it, from 1, in characters.
        name_end: where its name ends, in its first line.
        layer: whether it is one of a list of layers.
    """

    name: str
    line: int
    column: int
    end_line: int
    end_column: int
    name_end: int
    layer: bool
    below: tuple[Symbol, ...]


def symbols(examined: Examined) -> list[Symbol]:
    """The top level with what is in it: keys of sections, layers of the model."""
    edited = EditedText(examined.file, examined.text, read_text(examined.text, examined.file).as_read)
    root = edited.root
    return [_symbol(entry, deep=2) for entry in root.entries] if root is not None and root.kind == "mapping" else []


def _symbol(entry: Entry, *, deep: int) -> Symbol:
    named = entry.key or entry.value
    if entry.key is None and entry.value.kind == "mapping" and entry.value.entries:
        named = entry.value.entries[0].key or named
    start, end = entry.start, max(entry.end, named.end)
    below = tuple(_symbol(inner, deep=deep - 1) for inner in _inner(entry)) if deep > 1 else ()
    name_end = named.end[1] + 1 if named.kind == "scalar" else start[1] + 2
    return Symbol(
        named.text or "…", start[0] + 1, start[1] + 1, end[0] + 1, end[1] + 1, name_end, entry.key is None, below
    )


def _inner(entry: Entry) -> Iterator[Entry]:
    if entry.value.kind in ("mapping", "list"):
        yield from entry.value.entries
