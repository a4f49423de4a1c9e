"""What the language takes at a place, read off its JSON Schema, which is made once in a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from dlspec.editor.cursor import Step
from dlspec.language.registry import Registry, anything_added
from dlspec.pretraining import PRETRAINING
from dlspec.views.prose.telling import LANGUAGES
from dlspec.views.reference.catalogue import categories
from dlspec.views.reference.field_forms import PREFIX, Form
from dlspec.views.reference.json_schema import make_schema


@dataclass(frozen=True)
class Key:
    """A key that may be written at a place.

    Args:
        name: of it.
        text: what it does, in a line.
        documentation: the same at length, as Markdown.
        required: whether it must be given.
        default: None: there is none, or it is nothing.
        form: what may stand behind it.
        names_kind: whether it is the name of a thing with arguments, such as a layer.
    """

    name: str
    text: str
    documentation: str
    required: bool
    default: Any
    form: Form
    names_kind: bool = False


@dataclass(frozen=True)
class Word:
    """A value of a few that may be written."""

    value: Any
    documentation: str = ""


def schema() -> Mapping[str, Any]:
    """The schema of the language, with what plugins have added so far."""
    added = sum(len(registry) for registry in Registry.made) if anything_added() else 0
    return _schema(added)


@cache
def _schema(added: int) -> Mapping[str, Any]:
    return make_schema()


def top(*, blocks: bool = False) -> Form:
    """The whole spec."""
    root = schema()
    (strict,) = root["else"]["allOf"]
    model = strict["then" if blocks else "else"]["properties"]
    properties = {**root["else"]["properties"], **model}
    for name in ("extends", "variables", "blocks"):
        properties[name] = root["properties"][name]
    ordered = {name: properties[name] for name in root["properties"]}
    return {"type": "object", "properties": ordered, "required": root["else"]["required"]}


def forms_at(path: Sequence[Step], *, blocks: bool = False) -> list[Form]:
    """What may stand at a path: one form for each way to write it.

    A key may be left out in front of its list (`model: [dense: 8]`), and a list in front of its only item.
    """
    found = [top(blocks=blocks)]
    for step in path:
        found = [below for form in found for below in _below(form, step)]
    return found


def options(form: Form) -> Iterator[Form]:
    """The ways to write a form, with what is said of all of them in each."""
    seen: list[int] = []
    waiting = [form]
    while waiting:
        at = waiting.pop(0)
        if id(at) in seen:
            continue
        seen.append(id(at))
        if "$ref" in at:
            waiting.append(schema()["definitions"][at["$ref"].removeprefix(PREFIX)])
            continue
        yield at
        waiting += [option for key in ("anyOf", "allOf") for option in at.get(key, ()) if isinstance(option, dict)]


def _below(form: Form, step: Step) -> Iterator[Form]:
    for option in options(form):
        if isinstance(step, int):
            if isinstance(option.get("items"), dict):
                yield option["items"]
            continue
        below = option.get("properties", {}).get(step)
        if isinstance(below, dict):
            yield below
        elif isinstance(option.get("additionalProperties"), dict):
            yield option["additionalProperties"]


def keys_of(forms: Sequence[Form]) -> dict[str, Key]:
    """The keys that may be written in one of the forms."""
    found: dict[str, Key] = {}
    for form in forms:
        for option in options(form):
            required = option.get("required", ())
            for name, below in option.get("properties", {}).items():
                if isinstance(below, dict) and name not in found:
                    found[name] = _key(name, below, required=name in required, kind=_names_kinds(option))
    return found


def _names_kinds(option: Form) -> bool:
    """Whether the keys of a form are names, of which one is written: layers, optimizers and the like."""
    one = (each for each in option.get("anyOf", ()) if isinstance(each, dict))
    return any(
        each.get("maxProperties") == 1 or any(inner.get("maxProperties") == 1 for inner in each.get("anyOf", ()))
        for each in one
    )


def _key(name: str, form: Form, *, required: bool, kind: bool) -> Key:
    said = next((option for option in _described(form)), {})
    text = str(said.get("description", ""))
    default = next((option["default"] for option in _described(form, "default")), None)
    return Key(name, text, str(said.get("markdownDescription", text)), required, default, form, kind)


def _described(form: Form, key: str = "description") -> Iterator[Form]:
    """The form and what it refers to, as far as they say something."""
    while True:
        if key in form:
            yield form
        if "$ref" not in form:
            return
        form = schema()["definitions"][form["$ref"].removeprefix(PREFIX)]


def words_of(forms: Sequence[Form]) -> list[Word]:
    """The values of a few that one of the forms names."""
    found: dict[str, Word] = {}
    for form in forms:
        for option in options(form):
            texts = option.get("markdownEnumDescriptions", ())
            for place, value in enumerate(option.get("enum", ())):
                found.setdefault(str(value), Word(value, texts[place] if place < len(texts) else ""))
            if option.get("type") == "boolean" or (
                isinstance(option.get("type"), list) and "boolean" in option["type"]
            ):
                found.setdefault("True", Word(True))
                found.setdefault("False", Word(False))
            if "const" in option:
                found.setdefault(str(option["const"]), Word(option["const"]))
    return list(found.values())


def in_language(name: str, documentation: str, language: str) -> str:
    """What a layer, or another thing that a spec names, is; empty: that is said in English alone.

    Args:
        documentation: of it in English, which tells things of the same name apart: the Korean is of the first of them.
    """
    words = import_module(LANGUAGES.get(language, LANGUAGES["en"]))
    said = getattr(words, "OF_PRETRAINING", {}).get(name) if PRETRAINING.get(name) else None
    said = said or getattr(words, "KINDS", {}).get(name)
    first = next((entry for each in categories() if (entry := each.entry(name)) is not None), None) if said else None
    return str(said) if first is not None and documentation.startswith(first.summary) else ""


def takes_list(forms: Sequence[Form]) -> bool:
    """Whether a list may be written."""
    return any(isinstance(option.get("items"), dict) for form in forms for option in options(form))
