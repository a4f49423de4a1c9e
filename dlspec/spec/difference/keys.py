"""Keys whose values differ, defaults filled in, whatever way they are written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlspec.data.features import FEATURES
from dlspec.language.fields import SpecModel
from dlspec.language.registry import Kind, brief_of
from dlspec.language.yaml import Document, to_inline_yaml
from dlspec.language.yaml.nodes import Path_
from dlspec.pretraining import PretrainingMethod, Taken
from dlspec.spec.origins import show_place, written_at
from dlspec.spec.spec import Spec

ITEMS, CHARACTERS = 4, 80
"""Of a list with more items only those that come and go are shown, and so much of a longer value."""

NOTHING = (None, "")


@dataclass(frozen=True)
class KeyChange:
    """A key with another value.

    Args:
        key: dotted, as `--set` takes it.
        old, new: plain values as a person would write them; None: not set.
        old_place, new_place: where each is written, such as `line 12`; None where a default fills it in.
    """

    key: str
    old: Any
    new: Any
    old_place: str | None = None
    new_place: str | None = None

    @property
    def text(self) -> str:
        """`60 → 100`."""
        if isinstance(self.old, list) and isinstance(self.new, list) and max(len(self.old), len(self.new)) > ITEMS:
            gone = [item for item in self.old if item not in self.new]
            come = [item for item in self.new if item not in self.old]
            parts = [f"{word} {_show(items)}" for word, items in (("without", gone), ("with", come)) if items]
            return "; ".join(parts) or "in another order"
        shown = []
        for value, place in ((self.old, self.old_place), (self.new, self.new_place)):
            shown.append(_show(value) + (" (default)" if place is None and value not in NOTHING else ""))
        return " → ".join(shown)

    @property
    def place(self) -> str:
        """Where to look: in the new spec, or where the old one said what is gone."""
        return self.new_place or (f"old {self.old_place}" if self.old_place else "")

    def as_json(self) -> dict[str, Any]:
        places = {"old_place": self.old_place, "new_place": self.new_place}
        return {"key": self.key, "old": self.old, "new": self.new, **places}


def _show(value: Any) -> str:
    text = "not set" if value in NOTHING else "with its defaults" if value == {} else to_inline_yaml(value)
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…"


@dataclass(frozen=True)
class Place:
    """Where in a spec a value is."""

    document: Document
    path: Path_

    def below(self, *path: str | int) -> Place:
        return Place(self.document, (*self.path, *path))

    def written(self, value: Any) -> str | None:
        """Where it is written; None: nowhere."""
        plain = value.written() if isinstance(value, SpecModel) else value
        node = written_at(self.document, self.path, plain)
        return show_place(self.document, node.span) if node is not None else None


def changed_keys(old: Spec, new: Spec, sections: Collection[str]) -> list[KeyChange]:
    """Keys of these sections that differ; of `model` these are inputs and outputs, its layers are compared as such."""
    found: list[KeyChange] = []
    for name in sections:
        before, now = getattr(old, name), getattr(new, name)
        places = Place(old.document, (name,)), Place(new.document, (name,))
        if name == "model":
            found += _of_fields(name, before, now, *places, but=("layers",))
        else:
            found += _changes(name, before, now, *places)
    return found


def changed_arguments(old: Kind, new: Kind, old_place: Place, new_place: Place) -> list[KeyChange]:
    """Arguments of two layers of the same type that differ, apart from their names and where they take their input."""
    return [
        *_of_fields(
            "", old, new, old_place.below(old.type_name), new_place.below(new.type_name), ("name", "from", "state_from")
        )
    ]


def _changes(key: str, old: Any, new: Any, old_place: Place, new_place: Place) -> Iterator[KeyChange]:
    """What differs in a value and below it."""
    if isinstance(old, PretrainingMethod) and isinstance(new, PretrainingMethod):
        yield from _of_fields(key, old, new, old_place, new_place)
        return
    if key == "data.features" and {type(old), type(new)} == {list, dict}:  # a list is one of numbers
        old, new = _with_types(old), _with_types(new)
    if isinstance(old, SpecModel) and type(old) is type(new):
        kind = (old.type_name,) if isinstance(old, Kind) else ()
        inner = ".".join((key, *kind))
        yield from _of_fields(inner, old, new, old_place.below(*kind), new_place.below(*kind))
    elif isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*new, *old)):
            places = old_place.below(name), new_place.below(name)
            yield from _changes(f"{key}.{name}", old.get(name), new.get(name), *places)
    elif isinstance(old, list) and isinstance(new, list) and _are_alike(old, new):
        for i, (before, now) in enumerate(zip(old, new, strict=True)):
            yield from _changes(f"{key}.{i}", before, now, old_place.below(i), new_place.below(i))
    elif old != new:
        yield _change(key, old, new, old_place, new_place)


def _of_fields(
    key: str, old: SpecModel, new: SpecModel, old_place: Place, new_place: Place, but: Collection[str] = ()
) -> Iterator[KeyChange]:
    before, now = _fields(old), _fields(new)
    for name in dict.fromkeys((*now, *before)):
        if name in but:
            continue
        one_sided = old if name not in now else new if name not in before else None
        field = one_sided.keys().get(name) if one_sided is not None else None
        if field is not None and (before | now)[name] == field.get_default():
            continue  # a setting of one of two methods, which does what it does by itself
        inner = f"{key}.{name}".removeprefix(".")
        yield from _changes(inner, before.get(name), now.get(name), old_place.below(name), new_place.below(name))


def _change(key: str, old: Any, new: Any, old_place: Place, new_place: Place) -> KeyChange:
    places = (place.written(value) for place, value in ((old_place, old), (new_place, new)))
    return KeyChange(key, _brief(old), _brief(new), *places)


def _are_alike(old: list[Any], new: list[Any]) -> bool:
    """Whether items of lists are compared part by part, as callbacks are."""
    if len(old) == len(new) and all(isinstance(item, PretrainingMethod) for item in (*old, *new)):
        return True
    return [*map(type, old)] == [*map(type, new)] and any(isinstance(item, SpecModel) for item in old)


def _fields(model: SpecModel) -> dict[str, Any]:
    """Key -> value, of a section or of what a spec names."""
    fields = {name.removesuffix("_"): getattr(model, name) for name in model.fields_in_order()}
    if isinstance(model, PretrainingMethod):  # of the settings of a layer only what is written counts
        named = {} if isinstance(model, Taken) else {"method": model.type_name}
        return {**named, **fields, "per_layer": model.brief_settings() or None}
    return fields


def _with_types(features: list[str] | dict[str, Any]) -> dict[str, Any]:
    return features if isinstance(features, dict) else {name: FEATURES["numeric"]() for name in features}


def _brief(value: Any) -> Any:
    """A value as a person would write it, without defaults."""
    if isinstance(value, Kind) and not isinstance(value, PretrainingMethod):
        return value.brief()
    if isinstance(value, SpecModel):
        fields, keys = _fields(value), value.keys()
        default = {name: field.get_default() for name, field in keys.items() if not field.is_required()}
        return {name: _brief(own) for name, own in fields.items() if name not in default or own != default[name]}
    if isinstance(value, Mapping):
        return {name: _brief(own) for name, own in value.items()}
    return [_brief(item) for item in value] if isinstance(value, list | tuple) else brief_of(value)
