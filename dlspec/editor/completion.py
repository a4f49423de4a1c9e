"""What may be written at the cursor: keys with what each does, layers, values, and the names that the spec and its data
bring along."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from dlspec.editor.cursor import Cursor, Step, find_cursor
from dlspec.editor.examining import UNTITLED, Examined, examine_document
from dlspec.editor.forms import Key, forms_at, in_language, keys_of, takes_list, words_of
from dlspec.language.yaml import read_text, to_inline_yaml
from dlspec.language.yaml.reading import DATA_FILES
from dlspec.model.layers import LAYERS
from dlspec.spec.fixes.candidates import USUAL
from dlspec.views.reference.catalogue import Entry

Sort = Literal["key", "layer", "name", "value", "column", "file", "variable", "block"]

MOST_FILES = 300
"""Files and folders of one folder that are looked at."""
FILES: Mapping[str, tuple[str, ...]] = {
    "table": tuple(DATA_FILES),
    "series": tuple(DATA_FILES),
    "arrays": (".npz", ".npy"),
    "images": (),
    "masks": (),
    "audio": (),
    "text": (".txt", ".csv", ".tsv", ".jsonl"),
    "path": (),
    "extends": (".yaml", ".yml"),
    "file": (".keras", ".json"),
    "vocabulary": (".txt",),
}
"""Keys whose value is a file or a folder -> how its name ends; nothing: folders alone."""
COLUMNS = frozenset({"target", "features", "time", "weight", "group", "column", "groups"})
"""Keys whose value is a column of the data, or a list of them, or has columns as keys."""
LAYER_NAMES = frozenset({"from", "state_from", "layers", "layer", "up_to", "shared"})
"""Keys whose value is a layer of the spec, or a list of them."""

COMMON = {
    name: place
    for place, name in enumerate(
        ["dense", "dropout", "conv2d", "max_pooling2d", "flatten", "lstm", "gru", "batch_normalization", "output",
         "conv1d", "embedding", "bidirectional", "global_average_pooling2d", "repeat", "skip"]
    )
}  # fmt: skip
"""Layers that people write most -> their place at the top of a list."""


@dataclass(frozen=True)
class Completion:
    """Something that may be written at the cursor.

    Args:
        label: what a list shows.
        text: what is put in place of what has been typed.
        sort: of what sort it is.
        detail: what it does, in a line.
        documentation: the same at length, as Markdown.
        required: whether a key has to be there.
        line, column, end_column: from 1, in characters: what `text` takes the place of.
    """

    label: str
    text: str
    sort: Sort
    detail: str = ""
    documentation: str = ""
    required: bool = False
    line: int = 0
    column: int = 0
    end_column: int = 0

    def as_values(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def complete(
    text: str,
    line: int,
    column: int,
    *,
    folder: str | Path | None = None,
    file: str | Path | None = None,
    language: str = "en",
) -> list[Completion]:
    """What may be written at a place of a spec, which may be half typed; the likeliest first. Nothing is raised.

    Args:
        text: of the spec.
        line, column: of the cursor, from 1, in characters.
        folder: what relative paths in it start from.
        file: its name, instead of a folder.
        language: of explanations, `en` or `ko`; what is not said in it is said in English.

    Returns:
        What begins with what has been typed; where nothing does, what has that in it.
    """
    cursor = find_cursor(text, line, column)
    if cursor.nowhere:
        return []
    name = str(file) if file is not None else str(Path(folder or "") / UNTITLED)
    found = list(_Completer(text, name, cursor, line, language).all())
    unique = {one.label: one for one in reversed(found)}
    fitting = _fitting([unique[label] for label in dict.fromkeys(one.label for one in found)], cursor.word)
    start, end = cursor.start + 1, cursor.start + len(cursor.word) + 1
    return [replace(one, line=line, column=start, end_column=end) for one in fitting]


def _fitting(found: Sequence[Completion], word: str) -> list[Completion]:
    """Those that begin with the word; else those that have it in them."""
    small = word.lower().strip("\"'$")
    begin = [one for one in found if one.label.lower().lstrip("$").startswith(small)]
    return begin or [one for one in found if small in one.label.lower()]


class _Completer:
    def __init__(self, text: str, file: str, cursor: Cursor, line: int, language: str) -> None:
        self.text, self.file, self.cursor, self.language = text, file, cursor, language
        self.line = line
        self.document = read_text(text, file)
        self.values = self.document.root.plain()

    @cached_property
    def examined(self) -> Examined:
        """The whole spec, where names that it brings along are wanted."""
        return examine_document(read_text(self.text, self.file))

    def all(self) -> Iterator[Completion]:
        cursor = self.cursor
        path = cursor.path
        if cursor.word.startswith("$"):
            yield from self._variables()
            return
        yield from self._of_the_spec(path)
        forms = forms_at(path, blocks=bool(self._at(("blocks",))))
        if cursor.is_value or cursor.is_item:
            yield from self._values(forms, path)
        if not cursor.is_value:
            yield from self._keys(forms, path)
        if cursor.fresh and path and takes_list(forms):  # a list may begin here, too
            items = forms_at((*path, 0))
            yield from (replace(one, text=f"- {one.text}") for one in self._keys(items, (*path, 0)))
            yield from (replace(one, text=f"- {one.text}") for one in self._values(items, (*path, 0)))

    # --- what the language has

    def _keys(self, forms: Sequence[Any], path: tuple[Step, ...]) -> Iterator[Completion]:
        """Keys that are not there yet, those that have to be there first."""
        there = self._at(path)
        given = {*there} if isinstance(there, dict) else set()
        word = self.cursor.word
        keys = [key for key in keys_of(forms).values() if key.name not in given or key.name == word]
        of_layers = path[:1] == ("model",) and (self.cursor.is_item or any(key.names_kind for key in keys))
        if of_layers:
            yield from self._blocks()
        for key in sorted(keys, key=lambda key: (not key.required, COMMON.get(key.name, len(COMMON)) * of_layers)):
            if key.names_kind:
                yield self._kind(key, layer=of_layers and key.name in LAYERS)
            else:
                only = words_of([key.form])
                text = f"{key.name}: {to_inline_yaml(only[0].value) if len(only) == 1 else ''}"
                yield Completion(key.name, text, "key", key.text, key.documentation, key.required)

    def _kind(self, key: Key, *, layer: bool) -> Completion:
        """The name of a layer, or of another thing with arguments."""
        text = f"{key.name}: "
        if layer:
            text = _shortest(key.name)
        detail, documentation = self._said(key.name, key.text, key.documentation)
        return Completion(key.name, text, "layer" if layer else "name", detail, documentation)

    def _said(self, name: str, text: str, documentation: str) -> tuple[str, str]:
        """What a thing is, in a line and at length, in the language that is asked for first."""
        own = in_language(name, documentation, self.language)
        return (own, f"{own}\n\n{documentation}") if own else (text, documentation)

    def _values(self, forms: Sequence[Any], path: tuple[Step, ...]) -> Iterator[Completion]:
        layer = self.cursor.is_item and path[:1] == ("model",)
        for word in words_of(forms):
            shown = to_inline_yaml(word.value)
            if layer and shown in LAYERS:
                continue  # which stands among the keys
            said = self._said(shown, word.documentation.partition("\n")[0], word.documentation)
            yield Completion(shown, shown, "value", *said)
        key = next((step for step in reversed(path) if isinstance(step, str)), None)
        if self.cursor.is_value and key is not None:
            default = self._default(path)
            if default is not None:
                yield Completion(default, default, "value", "the default")

    def _default(self, path: tuple[Step, ...]) -> str | None:
        above = keys_of(forms_at(path[:-1]))
        key = above.get(str(path[-1]))
        plain = key is not None and isinstance(key.default, int | float | str) and not isinstance(key.default, bool)
        return to_inline_yaml(key.default) if key is not None and plain else None

    # --- what the spec and its data bring along

    def _of_the_spec(self, path: tuple[Step, ...]) -> Iterator[Completion]:
        keys = [step for step in path if isinstance(step, str)]
        last = keys[-1] if keys else ""
        if last in FILES and (self.cursor.is_value or self.cursor.is_item) and keys[0] in ("data", "extends", "model"):
            yield from self._files(FILES[last])
        in_data = keys[:1] == ["data"] or (keys[:1] == ["model"] and keys[1:2] in (["inputs"], ["outputs"]))
        if in_data and last in COLUMNS:
            yield from self._columns(as_keys=not (self.cursor.is_value or self.cursor.is_item))
        if keys[:2] == ["train", "class_weight"] and len(keys) == 2:
            yield from self._classes()
        if (
            last in LAYER_NAMES
            and keys[0] in ("model", "pretrain", "train")
            and keys[1:] != ["layers"] * (keys[0] == "model")
        ):
            yield from self._layers(inputs=last == "from" and keys[0] == "model")
        if self.cursor.is_value and keys[:1] not in (["variables"], ["name"], ["description"]):
            yield from self._variables()

    def _columns(self, *, as_keys: bool) -> Iterator[Completion]:
        description = self.examined.checked.description
        for column in description.columns if description is not None else ():
            shown = to_inline_yaml(column.name)
            text = f"{shown}: " if as_keys else shown
            yield Completion(column.name, text, "column", f"column of the data: {column.kind}")
        if self.cursor.path[-1] == "target" and self.cursor.is_value:
            yield Completion("input", "input", "value", "the network gives back its input")

    def _classes(self) -> Iterator[Completion]:
        signature = self.examined.checked.signature
        for name in signature.target.classes if signature is not None and signature.target.classes else ():
            yield Completion(str(name), f"{to_inline_yaml(name)}: ", "name", "class of the target")

    def _layers(self, *, inputs: bool) -> Iterator[Completion]:
        """Names of layers, the nearest above the cursor first; below it none can be taken."""
        graph, spans = self.examined.graph, self.examined.spans
        own = [layer for layer in graph.layers if layer.borrowed is None]
        above = [
            layer for layer in own if inputs is False or spans.get(layer.path) is None or self._is_above(layer.path)
        ]
        for layer in reversed(above):
            yield Completion(layer.name, layer.name, "name", layer.text)
        for given in graph.inputs if inputs else ():
            yield Completion(given.name, given.name, "name", "what the network takes")

    def _is_above(self, path: tuple[Step, ...]) -> bool:
        span = self.examined.spans[path]
        return span.file != self.file or span.line < self.line

    def _variables(self) -> Iterator[Completion]:
        given = self._at(("variables",))
        for name, value in given.items() if isinstance(given, dict) else ():
            yield Completion(f"${name}", f"${name}", "variable", f"the variable, which is {to_inline_yaml(value)}")

    def _blocks(self) -> Iterator[Completion]:
        given = self._at(("blocks",))
        for name, block in given.items() if isinstance(given, dict) else ():
            parameters = block.get("parameters") if isinstance(block, dict) else None
            needed = [key for key, value in parameters.items() if value is None] if isinstance(parameters, dict) else []
            text = f"{name}: {{{', '.join(f'{key}: ' for key in needed)}}}" if needed else str(name)
            yield Completion(str(name), text, "block", "a block of this spec")

    def _files(self, endings: Sequence[str]) -> Iterator[Completion]:
        """Files and folders below the folder of the spec, as far as a path has been typed."""
        typed, _, _ = self.cursor.word.rpartition("/")
        folder = Path(self.file).parent / typed
        with suppress(OSError), os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number == MOST_FILES:
                    return
                is_folder = entry.is_dir()
                if entry.name.startswith(".") or not (is_folder or not endings or entry.name.endswith(tuple(endings))):
                    continue
                if not is_folder and not endings:
                    continue
                shown = f"{typed}/{entry.name}" if typed else entry.name
                written = to_inline_yaml(shown) + "/" * is_folder
                yield Completion(f"{shown}{'/' * is_folder}", written, "file", "folder" if is_folder else "file")

    def _at(self, path: Sequence[Step]) -> Any:
        """The values that the spec has at a path; None: nothing."""
        values = self.values
        for step in path:
            if isinstance(values, dict):
                values = values.get(step)
            elif isinstance(values, list) and isinstance(step, int) and step < len(values):
                values = values[step]
            else:
                return None
        return values


def _shortest(name: str) -> str:
    """How a layer is written in short: `dense: `, `flatten`; where it needs several arguments, its example."""
    kind = LAYERS[name]
    required = [key for key, info in kind.keys().items() if info.is_required()]
    if not required:
        return name
    if required == [kind.primary()]:
        return f"{name}: "
    if all(key in USUAL for key in required):
        return to_inline_yaml({name: {key: USUAL[key] for key in required}})
    examples = Entry("layer", name, kind=kind).examples
    return to_inline_yaml(examples[0]) if examples else f"{name}: "
