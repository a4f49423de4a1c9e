"""Everything that a spec can name, and what there is to say about it, for `dlspec layers`, reference and schema.

All of it is read off the registries and the classes in them, so that a new layer type is here once it is registered.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from dlspec.language.fields import SpecModel
from dlspec.language.left_out import left_out
from dlspec.language.registry import Kind, Registry, plural_of
from dlspec.language.shapes import show_shape
from dlspec.language.words import nearest
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.layers import LAYERS, Example, LayerSpec
from dlspec.model.layers.base import ModelItem
from dlspec.spec.spec import Spec
from dlspec.views.reference.argument_texts import ACTIVATION_FORMULAS, ARGUMENTS, ENDINGS
from dlspec.views.reference.field_forms import Form, form_of, mentioned
from dlspec.views.reference.type_words import range_words, type_words

WIDTH = 76
"""How long a line of an example may be."""


@dataclass(frozen=True)
class Argument:
    """One key of what a spec names.

    Args:
        form: what may be written for it; see `field_forms`.
        primary: its value may stand directly behind the name.
        common: everything of its sort takes it.
    """

    name: str
    form: Form
    required: bool
    default: Any
    description: str
    primary: bool = False
    common: bool = False

    @property
    def type(self) -> str:
        return type_words(self.form)

    @property
    def range(self) -> str:
        return range_words(self.form)

    @property
    def shown_default(self) -> str:
        """As a spec would say it."""
        if self.required:
            return "required"
        return "none" if self.default is None else to_inline_yaml(self.default) or '""'


class Cost(NamedTuple):
    """What a layer makes of an input, as text: shapes of both, parameters and FLOPs."""

    input_shape: str
    output_shape: str
    parameters: str
    flops: str


@dataclass(frozen=True)
class Entry:
    """One thing that a spec can name.

    Args:
        key: where a spec names it: `kernel_initializer`; for a layer nothing, since it is an item of a list.
        kind: its class; an activation has none.
    """

    category: str
    name: str
    key: str = ""
    kind: type[Kind] | None = None

    @cached_property
    def _paragraphs(self) -> list[str]:
        text = (inspect.getdoc(self.kind) or "") if self.kind else ACTIVATION_FORMULAS.get(self.name, "")
        return re.split(r"\n\s*\n", text.strip())

    @property
    def summary(self) -> str:
        """What it computes, in a sentence."""
        return " ".join(self._paragraphs[0].split())

    @property
    def details(self) -> list[str]:
        """What else there is to say, by paragraphs, without the shapes."""
        return [" ".join(text.split()) for text in self._paragraphs[1:] if not _SHAPE.match(text)]

    @property
    def shapes(self) -> dict[str, str]:
        """`Input shape` and `Output shape`, as the class says them; of some kinds there are none."""
        text = next((text for text in self._paragraphs if _SHAPE.match(text)), "")
        found = re.findall(r"^(\w+ shape):\s*(.*(?:\n\s+.*)*)", text, re.MULTILINE)
        return {name: " ".join(shape.split()) for name, shape in found}

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """Its keys in the order of the class, those that all of its sort take last."""
        return keys_of(self.kind) if self.kind else ()

    @property
    def also(self) -> tuple[str, ...]:
        return self.kind.also if self.kind else ()

    @property
    def family(self) -> str:
        """The module that its class stands in: `recurrent`."""
        return self.kind.__module__.rpartition(".")[2] if self.kind else ""

    @property
    def examples(self) -> list[Any]:
        """Ways to write it, as plain values."""
        given = self.kind.examples if self.kind else [self.name]
        return [example.written if isinstance(example, Example) else example for example in given]

    @property
    def short_form(self) -> str:
        """The way to write it with one value and no keys, or none: `dense: 64`."""
        if self.kind is None or not any(argument.primary for argument in self.arguments):
            return "" if any(argument.required for argument in self.arguments) else self.name
        primary = self.kind.primary()
        for written in self.examples:
            given = written.get(self.name) if isinstance(written, dict) else None
            if given is not None and not (isinstance(given, dict) and primary in given):
                inside = not isinstance(given, dict) or self.kind.unfold(given)[1] is not None
                if inside:
                    return to_inline_yaml(written)
        for written in self.examples:
            given = written.get(self.name) if isinstance(written, dict) else None
            if isinstance(given, dict) and primary in given:
                return to_inline_yaml({self.name: given[primary]})
        return f"{self.name}: …"

    def as_yaml(self, written: Any) -> str:
        """An example that can be pasted, with the key above it; on several lines where one would be too long."""
        if self.kind is None or not issubclass(self.kind, ModelItem):
            return "\n".join(_lines({self.key: written}, ""))
        return "\n".join(["model:", *_lines(written, "    ")]).replace("    ", "  - ", 1)

    def cost(self, number: int = 0) -> Cost | None:
        """What its example of that number makes of the input that the example names; of a layer only."""
        example = self.kind.examples[number] if self.kind and self.kind.examples else None
        if not isinstance(example, Example):
            return None
        layer = LAYERS.read(example.written)
        if not isinstance(layer, LayerSpec):
            return None
        parameters, flops, _ = layer.counts(*example.shapes)
        given = " and ".join(show_shape(shape) for shape in example.shapes)
        return Cost(given, show_shape(layer.infer(*example.shapes)), f"{parameters:,}", f"{flops:,}")


def _lines(written: Any, indent: str) -> Iterator[str]:
    """YAML whose mappings stand on one line where that is short enough."""
    for key, value in written.items() if isinstance(written, dict) else ():
        line = f"{indent}{to_inline_yaml({key: value})}"
        if len(line) <= WIDTH or not isinstance(value, dict):
            yield line
        else:
            yield f"{indent}{key}:"
            yield from _lines(value, f"{indent}  ")
    if not isinstance(written, dict):
        yield f"{indent}{to_inline_yaml(written)}"


_SHAPE = re.compile(r"(Input|Output) shape:")


def keys_of(model: type[SpecModel]) -> tuple[Argument, ...]:
    """What may be written below a name, or in a section."""
    owner, primary = (model.type_name, model.primary()) if issubclass(model, Kind) else (model.__name__, None)
    common = set(LayerSpec.keys()) if issubclass(model, ModelItem) else set()
    return tuple(
        Argument(
            name,
            form_of(info),
            info.is_required() or name in model.needed,
            plain(info.get_default()),
            describe(owner, name, info),
            primary=name == primary,
            common=name in common,
        )
        for name, info in model.keys().items()
    )


def sections() -> Iterator[tuple[str, type[SpecModel]]]:
    """The classes of keys of a spec, each with the keys that lead there: `data.window`; the top level first."""
    waiting: list[tuple[str, type[SpecModel]]] = [("", Spec)]
    while waiting:
        path, model = waiting.pop(0)
        yield path, model
        below = []
        for key, info in model.keys().items():
            for part in mentioned(info.annotation, info.metadata):
                if isinstance(part, type):
                    below.append((f"{path}.{key}".lstrip("."), part))
        waiting = below + waiting


def describe(owner: str, name: str, info: FieldInfo) -> str:
    """What a key means: what its class says, or else what it means wherever it stands."""
    known = info.description or ARGUMENTS.get(f"{owner}.{name}") or ARGUMENTS.get(name)
    endings = (words.format(name.removesuffix(end)) for end, words in ENDINGS.items() if name.endswith(end))
    return known or next(endings, "")


def plain(value: Any) -> Any:
    """A default as plain values, written as briefly as a person would."""
    if isinstance(value, Kind):
        return value.brief()
    if isinstance(value, SpecModel):
        return {
            key: plain(getattr(value, name)) for name, key in zip(value.fields_in_order(), value.keys(), strict=True)
        }
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return value if isinstance(value, str | int | float | bool) else None


@dataclass(frozen=True)
class Category:
    """One sort of thing that a spec can name.

    Args:
        noun: what one is called.
        key: where a spec names it first, in the order of the language: `optimizer`.
        registry: where they are kept; activations have none.
    """

    noun: str
    key: str
    registry: Registry[Any] | None = None
    names: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def plural(self) -> str:
        """As `dlspec layers --kind` takes it: `pretraining_methods`."""
        return plural_of(self.noun)

    def entry(self, name: str) -> Entry | None:
        if self.registry is not None:
            kind = self.registry.get(name)
            return Entry(self.noun, name, self.key, kind) if kind else None
        return Entry(self.noun, name, self.key) if name in self.names else None

    def entries(self) -> list[Entry]:
        found = [self.entry(name) for name in (self.registry if self.registry is not None else self.names)]
        return [entry for entry in found if entry is not None]

    def meant_by(self, name: str) -> str | None:
        """The name that someone had in mind who wrote another."""
        names = list(self.registry if self.registry is not None else self.names)
        known = next((entry.name for entry in self.entries() if name in entry.also), None)
        return known or nearest(name, names)


@cache
def categories() -> tuple[Category, ...]:
    """Every sort of thing that the language names, layers first, the others as one meets them in a spec."""
    activations = Category("activation", "activation", names=ACTIVATIONS, left_out=left_out("activations"))
    others = (Category(registry.noun, key, registry, left_out=registry.left_out) for registry, key in _registries())
    return (Category("layer", "model", LAYERS, left_out=LAYERS.left_out), activations, *others)


def _registries() -> Iterator[tuple[Registry[Any], str]]:
    """Every registry but the layers' that the keys of a spec lead to, with the key that leads there first."""
    waiting: list[type[SpecModel]] = [Spec]
    of_layers = [LAYERS["dense"], *LAYERS.load_all().values()]  # weights are called `kernel` in most layers
    queued = {*waiting, *of_layers}
    keys: dict[Registry[Any], str] = {}
    while waiting or of_layers:
        model = waiting.pop(0) if waiting else of_layers.pop(0)
        for key, info in model.keys().items():
            for part in mentioned(info.annotation, info.metadata):
                if isinstance(part, Registry):
                    keys.setdefault(part, key)
                found = list(part.load_all().values()) if isinstance(part, Registry) else [part]
                new = [kind for kind in found if kind not in queued]
                queued.update(new)
                waiting += new
    return ((registry, key) for registry, key in keys.items() if registry is not LAYERS)


def category(noun: str) -> Category | None:
    """By its noun in the singular or plural, with a space or `_` in it."""
    word = noun.replace("-", "_").replace(" ", "_")
    return next((each for each in categories() if word in (each.plural, each.noun.replace(" ", "_"))), None)


def family_title(entry: Entry) -> str:
    """What the module of a class says about all that is in it, in one sentence."""
    module = sys.modules[entry.kind.__module__] if entry.kind else None
    return (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ") if module else ""
