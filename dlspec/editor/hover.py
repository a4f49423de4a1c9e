"""What a word of a spec means: a key, a layer with its shapes, or a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from dlspec.editor.cursor import Step
from dlspec.editor.examining import UNTITLED, Examined, examine_document
from dlspec.editor.forms import Key, forms_at, in_language, keys_of, words_of
from dlspec.language.shapes import show_shape
from dlspec.language.yaml import read_text
from dlspec.language.yaml.editing import EditedText
from dlspec.language.yaml.parts import Entry, Part
from dlspec.model.folded import folded
from dlspec.model.graph import GraphLayer
from dlspec.views.prose.telling import LANGUAGES, tell

WORDS = {
    "en": {"parameters": "{:,} parameters", "flops": "{:,} FLOPs a sample", "several": "{} layers", "from": "from"},
    "ko": {"parameters": "매개변수 {:,}개", "flops": "표본마다 연산 {:,}회", "several": "층 {}개", "from": "입력"},
}
"""What is said of a layer, by language."""
MOST_LAYERS = 6
"""Layers of one entry that are told one by one."""


@dataclass(frozen=True)
class Hover:
    """What there is to say about a word.

    Args:
        line, column, end_line, end_column: the word that is explained, from 1, in characters.
        name: of the key, layer or value.
        text: Markdown.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    name: str
    text: str

    def as_values(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def explain_at(
    text: str,
    line: int,
    column: int,
    *,
    folder: str | Path | None = None,
    file: str | Path | None = None,
    language: str = "en",
) -> Hover | None:
    """What the key, layer or value at a place means: what it does, what it takes, its default; of a layer its shapes
    and parameters. Nothing is raised.

    Args:
        text: of the spec, which may be half typed.
        line, column: from 1, in characters.
        folder: what relative paths in it start from.
        file: its name, instead of a folder.
        language: `en` or `ko`; what is not said in it is said in English.

    Returns:
        None: there is nothing to say.
    """
    name = str(file) if file is not None else str(Path(folder or "") / UNTITLED)
    return explain_in(examine_document(read_text(text, name)), line, column, language)


def explain_in(examined: Examined, line: int, column: int, language: str = "en") -> Hover | None:
    """The same of a text that was examined."""
    read = read_text(examined.text, examined.file).as_read
    edited = EditedText(examined.file, examined.text, read)
    found = _word_at(edited, line - 1, column - 1)
    if found is None:
        return None
    entry, part = found
    parts = [each for each in _Teller(examined, language).about(entry, part) if each]
    if not parts:
        return None
    return Hover(part.start[0] + 1, part.start[1] + 1, part.end[0] + 1, part.end[1] + 1, part.text, "\n\n".join(parts))


def _word_at(edited: EditedText, line: int, column: int) -> tuple[Entry, Part] | None:
    """The entry and the key or plain value of it that stands there."""
    for entry in edited.entries():
        for part in (entry.key, entry.value):
            if (
                part is not None
                and part.kind == "scalar"
                and part.start <= (line, column) <= part.end
                and not part.empty
            ):
                return entry, part
    return None


class _Teller:
    def __init__(self, examined: Examined, language: str) -> None:
        self.examined = examined
        self.language = language if language in LANGUAGES else "en"
        self.words = WORDS[self.language]
        self.blocks = bool(examined.spec.document.blocks)

    def about(self, entry: Entry, part: Part) -> Iterator[str]:
        """Paragraphs of Markdown."""
        path = entry.path
        if part is entry.key:
            yield from self._key(path, entry)
        elif isinstance(path[-1], int):
            yield from self._key((*path, part.text), entry)
        else:
            yield from self._value(path, entry)

    def _key(self, path: tuple[Step, ...], entry: Entry) -> Iterator[str]:
        part = entry.key or entry.value
        key = keys_of(forms_at(path[:-1], blocks=self.blocks)).get(part.text)
        layers = self._layers(part)
        told = self._told(entry) if self.language != "en" else ""
        yield told
        yield f"**{part.text}**" + (f": {_lead(key)}" if key is not None else "")
        yield from (self._shapes(layer, described=bool(told)) for layer in layers[:MOST_LAYERS])
        if len(layers) > MOST_LAYERS:
            yield self.words["several"].format(len(layers))
        if key is not None:
            yield key.documentation.partition("\n")[2].strip()

    def _value(self, path: tuple[Step, ...], entry: Entry) -> Iterator[str]:
        """A value, with the key that it stands behind."""
        part = entry.value
        if part.text.startswith("$") and part.text[1:] in self.examined.spec.document.variables:
            value = self.examined.spec.document.variables[part.text[1:]].plain()
            yield f"`{part.text}` = `{value}`"
        word = next((each for each in words_of(forms_at(path)) if str(each.value) == part.text), None)
        if word is not None and word.documentation:
            yield in_language(part.text, word.documentation, self.language)
            yield f"**{part.text}**: {word.documentation}"
        key = keys_of(forms_at(path[:-1], blocks=self.blocks)).get(str(path[-1]))
        if key is not None:
            yield self._told(entry) if self.language != "en" else ""
            yield f"**{key.name}**: {key.documentation}"

    def _told(self, entry: Entry) -> str:
        """What the line says of an entry, in a sentence; nothing where the spec cannot be told."""
        if self.examined.errors:
            return ""
        sentences = tell(self.examined.spec, self.examined.graph, self.language)
        here = [each.text for each in sentences if each.line == entry.start[0] + 1]
        words = [word for word in (entry.name, entry.value.text) if word]
        named = [text for text in here if any(re.search(rf"\b{re.escape(word)}\b", text, re.ASCII) for word in words)]
        return "\n\n".join(named if len(here) > 1 else here)

    def _layers(self, part: Part) -> list[GraphLayer]:
        """The layers that are written there."""
        spans = self.examined.spans
        place = part.start[0] + 1, part.start[1] + 1
        return [
            layer
            for layer in folded(self.examined.graph).layers
            if (span := spans.get(layer.path)) is not None
            and span.file == self.examined.file
            and (span.line, span.column) == place
        ]

    def _shapes(self, layer: GraphLayer, *, described: bool) -> str:
        """`dense_1: (batch, 64) → (batch, 32) · 2,080 parameters`."""
        given = ", ".join(show_shape(shape) for shape in layer.input_shapes)
        facts = [f"{given} → {show_shape(layer.output_shape)}"]
        facts += [self.words["parameters"].format(layer.parameters)] if layer.parameters else []
        facts += [self.words["flops"].format(layer.flops)] if layer.flops else []
        kind = import_module(LANGUAGES[self.language])
        what = kind.describe(layer.told) if self.language != "en" and not described else ""
        return f"`{layer.name}`: {' · '.join(facts)}" + (f"\n\n{what}" if what else "")


def _lead(key: Key) -> str:
    """The first line of what a key means."""
    return key.documentation.partition("\n")[0].strip()
