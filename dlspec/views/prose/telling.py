"""Walks through a spec and puts what it says into sentences of a language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from dlspec.data.signature import INPUT_TARGET
from dlspec.data.split import TimeColumn
from dlspec.data.target import Sequenced, TagOfWords
from dlspec.language.diagnostics import Span
from dlspec.language.fields import SpecModel
from dlspec.language.registry import Kind, brief_of
from dlspec.language.shapes import Shape
from dlspec.language.yaml import to_inline_yaml
from dlspec.language.yaml.nodes import Path_
from dlspec.model.folded import folded
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers import ModelItem
from dlspec.model.layers.base import Group
from dlspec.model.layers.core import Output
from dlspec.pretraining import PretrainingMethod, Taken
from dlspec.pretraining.section import LAST
from dlspec.spec.spec import Spec
from dlspec.views.prose import english
from dlspec.views.reference.catalogue import describe

LANGUAGES = {"en": "dlspec.views.prose.english", "ko": "dlspec.views.prose.korean"}
"""Code of a language -> the module with its words. What it has no words for is told in English."""

WORTH_SAYING = (
    ("data", "scale"),
    ("data", "split", "validation"),
    ("data", "split", "test"),
    ("data", "target"),
    ("data", "time"),
    ("train", "loss"),
    ("train", "optimizer"),
    ("train", "epochs"),
    ("train", "batch_size"),
    ("pretrain", "layers"),
    ("pretrain", "epochs"),
    ("pretrain", "then"),
    ("evaluate", "metrics"),
    ("evaluate", "baselines"),
)
"""What is told also where the spec leaves it out."""


@dataclass(frozen=True)
class Sentence:
    """What one line says.

    Args:
        line: of the spec, from 1; None for what the spec leaves out, or what stands in another file.
        left_out: it is so because nobody says otherwise.
    """

    text: str
    line: int | None = None
    left_out: bool = False


def tell(spec: Spec, graph: Graph, language: str = "en") -> list[Sentence]:
    """What the spec says, in the order of its lines; then what it leaves out, as dlspec takes it."""
    words = import_module(LANGUAGES[language])
    teller = _Teller(spec, words)
    said = [*teller.section(spec, ()), *teller.composition(), *teller.layers(graph)]
    unsaid = [each for each in teller.unsaid if not (spec.model.heads and each[0] == ("data", "target"))]
    left_out = [Sentence(teller.value(path, value), left_out=True) for path, value in unsaid]
    in_file = sorted((s for s in said if s.line is not None), key=lambda s: s.line or 0)
    return [*in_file, *(s for s in said if s.line is None), *left_out]


def write_prose(spec: Spec, graph: Graph, language: str = "en") -> str:
    """The sentences as text, the number of its line before each."""
    sentences = tell(spec, graph, language)
    width = len(str(max((s.line or 0 for s in sentences), default=0)))
    lines = []
    heading = str(import_module(LANGUAGES[language]).NO_LINE)
    for sentence in sentences:
        if sentence.left_out and heading:
            lines += ["", heading]
            heading = ""
        number = "" if sentence.line is None else sentence.line
        lines.append(f"{number:>{width}}  {sentence.text}")
    return "\n".join(lines)


class _Teller:
    def __init__(self, spec: Spec, words: ModuleType) -> None:
        self.spec = spec
        self.words = words
        self.unsaid: list[tuple[Path_, Any]] = []

    def section(self, section: SpecModel, path: Path_) -> Iterator[Sentence]:
        """A sentence for each key that is written, sections within it included."""
        for attribute in section.fields_in_order():
            value = getattr(section, attribute)
            below = (*path, attribute.removesuffix("_"))
            if value is None or below == ("model",):
                continue
            if below == ("pretrain",):
                yield from self._pretraining()
            elif isinstance(section, Taken) and below[-1] not in section.of_whole:
                continue  # what no stage needs
            elif _is_section(value) and ".".join(without_numbers(below)) not in self.words.KEYS:
                yield from self.section(value, below)
            elif self.spec.is_written(*below):
                yield Sentence(self.value(below, value), self._line(*below))
                if below == ("data", "features") and isinstance(value, dict):
                    yield from self._features(value)
                if below == ("data", "images"):
                    yield from self._pictures(value)
            elif without_numbers(below) in WORTH_SAYING and not self._of_last_entry(below):
                self.unsaid.append((below, value))

    def _pretraining(self) -> Iterator[Sentence]:
        """A sentence for the method of each entry of `pretrain`, and those for its keys."""
        entries = self.spec.pretraining
        for i, entry in enumerate(entries, 1):
            if not isinstance(entry.method, Taken):
                name = "pretrain.entry" if entry.listed else "pretrain.method"
                name = name.replace("pretrain.", "pretrain.network.") if entry.method.of_network else name
                yield Sentence(self.kind(name, entry.method, number=i), self._line(*entry.path, "method"))
            yield from self.section(entry.method, entry.path)

    def _of_last_entry(self, path: Path_) -> bool:
        """Whether a key of an entry of `pretrain` is one that only the last of them has."""
        return path[0] == "pretrain" and path[-1] in LAST and path[:-1] != self.spec.pretraining[-1].path

    def _features(self, types: Mapping[str, Kind]) -> Iterator[Sentence]:
        """A sentence for each type that stands on a line of its own."""
        first = self._line("data", "features")
        for name, kind in types.items():
            line = self._line("data", "features", name)
            if line != first:
                yield Sentence(self.words.KEYS["data.feature"].format(name=name, value=self._named(kind)), line)

    def _pictures(self, given: SpecModel) -> Iterator[Sentence]:
        """A sentence for each key of pictures that stands on a line of its own."""
        first, path = self._line("data", "images"), ("data", "images")
        keys = given.keys()
        for name in keys:
            if not self.spec.is_written(*path, name) or self._line(*path, name) == first:
                continue
            written = getattr(given, name)
            shown = ", ".join(map(str, written)) if isinstance(written, list) else to_inline_yaml(brief_of(written))
            value = f"`{shown}`"
            template = self.words.KEYS.get(f"data.pictures.{name}", self.words.KEYS["data.pictures"])
            yield Sentence(template.format(name=name, value=value), self._line(*path, name))

    def value(self, path: Path_, value: Any) -> str:
        """What a key and its value say."""
        name = ".".join(without_numbers(path))
        template = self.words.IN_FILES[name] if _in_files(name, value) else self._template(name, path)
        if (name, value) == ("data.target", INPUT_TARGET):
            return str(self.words.GIVEN_BACK)
        if (name, value) == ("data.window.horizon", 0):
            return str(self.words.KEYS["data.window.now"])
        if name == "data.target" and isinstance(value, list):
            template = self.words.KEYS["data.targets"]
        if name == "data.target" and isinstance(value, dict):
            columns = self.words.listing([f"`{column}`" for column in value])
            if isinstance(said := next(iter(value.values())), Sequenced):
                items = str(self.words.ITEMS[said.unit])
                if said.feed_back is None:
                    kept = str(self.words.KEYS["data.read.beam" if said.kept > 1 else "data.read.best_path"])
                    told = str(self.words.KEYS["data.read"]).format(value=columns, items=items)
                    return f"{told} {kept.format(beam=said.kept)}"
                return str(self.words.KEYS["data.sequence"].format(value=columns, items=items, fed=said.feed_back))
            if "next" in value.values():
                return str(self.words.KEYS["data.next_token"].format(value=columns))
            if isinstance(next(iter(value.values())), TagOfWords):
                return str(self.words.KEYS["data.tagged_words"].format(value=columns))
            kind = to_inline_yaml(brief_of(next(iter(value.values()))))
            return str(self.words.KEYS["data.typed_target"].format(value=columns, kind=f"`{kind}`"))
        if isinstance(value, TimeColumn):
            template = self.words.KEYS["data.formatted_time"] if value.format else template
            return str(template.format(value=f"`{value.column}`", format=f"`{value.format}`"))
        if isinstance(template, Mapping):
            return str(template[value])
        if isinstance(value, Kind):
            return self.kind(name, value, path)
        if name == "pretrain.per_layer":
            value = self._method_at(path).brief_settings()
        if _is_section(value):
            given = value.written()
            value = {key: own for key, own in given.items() if self.spec.is_written(*path, key)} or (
                getattr(value, "path", given)  # of a short form, such as `resample: 1 h`, all that it stands for
            )
        if isinstance(value, list) and value and isinstance(value[0], Kind):
            shown = self.words.listing([self._named(kind) for kind in value])
        elif isinstance(value, dict):
            value = {key: brief_of(own) for key, own in value.items()}
            shown = f"`{to_inline_yaml(value)}`"
        elif isinstance(value, list | tuple):
            shown = self.words.listing([f"`{item}`" for item in value])
        elif isinstance(value, str):
            shown = f"`{value}`"
        else:
            shown = to_inline_yaml(value)
        percent = (
            self.words.samples(value) if isinstance(value, int) else f"{value:.0%}" if isinstance(value, float) else ""
        )
        return str(template.format(value=shown, raw=value, percent=percent))

    def kind(self, name: str, kind: Kind, path: Path_ = (), **more: int) -> str:
        """What a key says that names a loss, an optimizer and the like."""
        return str(self._template(name, path).format(value=self._named(kind), what=self.words.describe(kind), **more))

    def _method_at(self, path: Path_) -> PretrainingMethod:
        """The method whose key stands at a path."""
        return next(entry.method for entry in self.spec.pretraining if path[: len(entry.path)] == entry.path)

    def _template(self, name: str, path: Path_ = ()) -> Any:
        """The sentence of a key, in English where the language has none; what the class of the key says of it where
        English has none either, as of the settings of a plugin's method."""
        known = self.words.KEYS.get(name) or english.KEYS.get(name)
        if known:
            return known
        key, method = name.rpartition(".")[2], type(self._method_at(path))
        text = describe(method.type_name, key, method.keys()[key])
        return (
            f"{_literal(text[:1].upper() + text[1:])}: {{value}}." if text else english.OTHER_KEYS.replace("{key}", key)
        )

    def _named(self, kind: Kind) -> str:
        return f"`{kind.type_name if isinstance(kind, PretrainingMethod) else to_inline_yaml(kind.brief())}`"

    # --- variables, blocks and the network

    def composition(self) -> Iterator[Sentence]:
        """A sentence for each variable and each block."""
        document = self.spec.document
        for name, node in document.variables.items():
            value = to_inline_yaml(node.plain())
            shown = f"`{value}`" if isinstance(node.value, dict | list) else value
            text = self.words.KEYS["variables"].format(name=name, value=shown)
            yield Sentence(text, self._in_file(node.key or node.span))
        for name, span in document.blocks.items():
            yield Sentence(self.words.KEYS["blocks"].format(name=name), self._in_file(span))

    def layers(self, graph: Graph) -> Iterator[Sentence]:
        """A sentence for each layer, and before it one for what combines layers."""
        model = self.spec.model
        for key, named, columns in (("input", model.inputs, "features"), ("output", model.outputs, "target")):
            for name, given in (named or {}).items():
                shown = getattr(given, columns)
                if isinstance(shown, dict):  # a column with its type
                    shown = to_inline_yaml({column: brief_of(kind) for column, kind in shown.items()})
                shown = shown if isinstance(shown, list) else [shown]
                shown = self.words.listing([f"`{x}`" for x in shown])
                text = self.words.KEYS[f"model.{key}"].format(name=name, value=shown)
                yield Sentence(text, self._line("model", f"{key}s", name))
        for head in model.heads:
            if head.loss is not None:  # else the data, which are not there, say what it is
                text = self.words.KEYS["model.output.loss"]
                text = text.format(name=head.name, loss=head.loss.type_name, weight=f"{head.weight:g}")
                yield Sentence(text, self._line("model", "outputs", head.name))
            if head.class_weight is not None:
                text = self.words.KEYS["model.output.class_weight"]
                text = text.format(name=head.name, value=to_inline_yaml(head.class_weight))
                yield Sentence(text, self._line("model", "outputs", head.name, "class_weight"))
        told: set[tuple[object, ...]] = set()
        graph = folded(graph)
        for layer in graph.layers:
            for item, path in self._around(layer):
                if path not in told:
                    told.add(path)
                    yield Sentence(self._combination(item, _inside(graph, path)), self._line(*path))
            place = (*layer.path, layer.shares, layer.layer.name)
            if not isinstance(layer.written, Group) and place not in told:
                told.add(place)
                yield Sentence(self._layer(layer), self._line(*layer.path))

    def _around(self, layer: GraphLayer) -> Iterator[tuple[Group, Path_]]:
        """The `repeat`, `skip` and `branches` that a layer stands in, the outermost first."""
        items: Any = self.spec.model.layers
        path: Path_ = ("model", "layers")
        rest = layer.path[2:] if layer.path[:2] == path else ()  # else it stands in `outputs`
        while rest:
            index, rest = rest[0], rest[1:]
            item, path = items[index], (*path, index)
            if not isinstance(item, Group):
                return
            yield item, path
            if not rest:
                return
            key, rest = rest[1], rest[2:]
            items, path = getattr(item, str(key)), (*path, item.type_name, str(key))
            if key == "paths" and rest:
                items, path, rest = items[rest[0]], (*path, rest[0]), rest[1:]

    def _combination(self, item: Group, layers: list[str]) -> str:
        numbers = {name: getattr(item, name) for name in type(item).model_fields if name == "times"}
        count = len(getattr(item, "paths", ()))
        merge = getattr(item, "merge", None)
        what = self.words.describe(merge if isinstance(merge, ModelItem) else item)
        merging = f"`{merge.type_name}`" if merge else ""
        names = self.words.listing([f"`{name}`" for name in layers])
        template = self.words.KEYS.get(f"model.{item.type_name}", english.OTHER_GROUPS)
        return str(template.format(count=count, merge=merging, what=what, layers=names, **numbers))

    def _layer(self, layer: GraphLayer) -> str:
        kind = layer.told
        given = kind.settings()
        of_place = {"name", "from", "state_from"}
        fitted = kind.fitted if isinstance(kind, Output) else None
        of_place |= {"trainable"} if fitted else set()
        values = layer.inputs if layer.state_source is None else layer.inputs[:-1]
        what = self.words.describe(kind)
        if isinstance(kind, Output) and kind.values_each:
            key = "mixture" if kind.mixture else "quantiles"
            value = str(kind.mixture or self.words.listing([f"{each}" for each in kind.levels]))
            what += " " + self.words.KEYS[f"model.output.{key}"].format(value=value)
        settings = [f"`{key}: {to_inline_yaml(value)}`" for key, value in given.items() if key not in of_place]
        return str(
            self.words.layer(
                name=layer.name,
                type_name=kind.type_name,
                what=str(self.words.FITTED[fitted]) if fitted else what,
                settings=settings,
                sources=[f"`{name}`" for name in values] if layer.written.from_ else [],
                state=layer.state_source,
                before=[_sizes(shape) for shape in layer.input_shapes[: len(values)]],
                after=_sizes(layer.output_shape),
                parameters=layer.parameters,
                shares=layer.shares,
            )
        )

    def _line(self, *path: str | int) -> int | None:
        return self._in_file(self.spec.key_span(*path))

    def _in_file(self, span: Span) -> int | None:
        return span.line if span.file == self.spec.document.file else None


def _in_files(name: str, value: Any) -> bool:
    """Whether a part of the split stands in files of its own."""
    return name in ("data.split.validation", "data.split.test") and isinstance(value, list)


def _literal(text: str) -> str:
    """Text as a part of a template."""
    return text.replace("{", "{{").replace("}", "}}")


def without_numbers(path: Path_) -> tuple[str, ...]:
    """The path of a key, without the place of its entry in a list."""
    return tuple(part for part in path if isinstance(part, str))


def _is_section(value: Any) -> bool:
    return isinstance(value, SpecModel) and not isinstance(value, Kind)


def _inside(graph: Graph, path: Path_) -> list[str]:
    """Names of the layers that stand in an item of the model, each once."""
    first: dict[Path_, str] = {}
    for layer in graph.layers:
        if layer.path[: len(path)] == path and layer.path != path:
            first.setdefault(layer.path, layer.name)
    return list(first.values())


def _sizes(shape: Shape | None) -> str:
    """Of one sample: `30 x 64`."""
    if shape is None:
        return "?"
    return " x ".join("?" if size is None else str(size) for size in shape[1:]) or "1"
