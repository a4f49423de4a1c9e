"""What may be written for a field, read off its annotation as a piece of JSON Schema (draft 7).

The schema for editors is made of such pieces, and the reference puts them into words. What another definition says is
a `$ref` to it: `#/definitions/optimizer` for a kind out of the registry of optimizers, `#/definitions/Window` for a
class of keys.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, PlainValidator
from pydantic.fields import FieldInfo

from dlspec.language.fields import Amount, OneOrMore, SpecModel
from dlspec.language.quantities import Bytes, Latency, Time
from dlspec.language.registry import Kind, OneOf, Registry
from dlspec.model.activations import ACTIVATIONS, ActivationName
from dlspec.model.layers.base import LayerName, Sources
from dlspec.model.layers.recurrent import UseCudnn
from dlspec.pretraining import PRETRAINING, PretrainingMethod

Form = dict[str, Any]

PREFIX = "#/definitions/"

_JSON_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string", type(None): "null"}
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_LENGTHS = {"array": ("minItems", "maxItems"), "object": ("minProperties", "maxProperties")}


def _pattern(pattern: str, message: str) -> Form:
    return {"type": "string", "pattern": pattern, "patternErrorMessage": message}


_COPIES: Form = {
    "properties": {"all": {"type": "string", "description": "a layer, in every copy of the `repeat` above"}},
    "required": ["all"],
    "additionalProperties": False,
}

_CHECKED: tuple[tuple[Any, Form], ...] = (
    (ActivationName, {"title": "activation", "enum": list(ACTIVATIONS)}),
    (LayerName, _pattern("^[A-Za-z][A-Za-z0-9_-]*$", "needed: letters a to z, digits, _ and -, a letter first")),
    (
        Sources,
        {
            "type": ["string", "object", "array"],
            **_COPIES,
            "items": {"type": ["string", "object"], **_COPIES},
            "minItems": 1,
        },
    ),
    (Bytes, _pattern(r"^\d+(\.\d+)? ?[KMGT]?B$", "needed: a number and a unit, such as 50 MB")),
    (Time, _pattern(r"^\d+(\.\d+)? ?(s|min|h)$", "needed: a number and a unit, such as 5 min")),
    (Latency, _pattern(r"^\d+(\.\d+)? ?(us|ms|s)$", "needed: a number and a unit, such as 5 ms")),
    (UseCudnn, {"enum": ["auto", False]}),
    (Amount, {"type": "number", "minimum": 0}),
)
"""Types whose own check says more than their annotation does -> what it says."""


def ref(name: str) -> Form:
    """What the definition of that name says."""
    return {"$ref": PREFIX + name}


def registry_name(registry: Registry[Any]) -> str:
    """The definition of what a registry holds: `pretraining_method`."""
    return registry.noun.replace(" ", "_")


def form_of(field: FieldInfo) -> Form:
    """What may be written for a field."""
    return read_form(field.annotation, field.metadata)


def read_form(annotation: Any, metadata: Sequence[Any] = ()) -> Form:
    """What may be written for an annotation, and the constraints beside it."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return read_form(inner, [*more, *metadata])
    constraints = list(_flatten(metadata))
    for part in constraints:
        if isinstance(part, OneOf):
            return ref(registry_name(part.registry))
        known = next((form for alias, form in _CHECKED if part in alias.__metadata__ and callable(_check(part))), None)
        if known is not None:
            return dict(known)
        if isinstance(part, PlainValidator) and part.json_schema_input_type is not Any:
            return read_form(part.json_schema_input_type)
    return _bounded(_plain(annotation, constraints), constraints)


def _check(part: Any) -> Any:
    return getattr(part, "func", None)


def _flatten(metadata: Iterable[Any]) -> Iterable[Any]:
    for part in metadata:
        if isinstance(part, FieldInfo):
            yield from _flatten(part.metadata)
        else:
            yield part


def _plain(annotation: Any, constraints: Sequence[Any]) -> Form:
    origin = get_origin(annotation)
    short = any(isinstance(part, BeforeValidator) for part in constraints)
    if origin in (Union, types.UnionType):
        return any_of(read_form(option) for option in get_args(annotation))
    if origin is Literal:
        return {"enum": list(get_args(annotation))}
    if origin is list:
        item = read_form(get_args(annotation)[0])
        whole = _bounded({"type": "array", "items": item}, constraints)
        return any_of([item, whole]) if OneOrMore in constraints else whole
    if origin is tuple:
        items = get_args(annotation)
        item = read_form(items[0])
        whole = {"type": "array", "items": item, "minItems": len(items), "maxItems": len(items)}
        return any_of([item, whole]) if short else whole
    if origin is dict:
        key, value = (read_form(part) for part in get_args(annotation))
        form: Form = {"type": "object", "additionalProperties": value}
        return {**form, "propertyNames": {"pattern": key["pattern"]}} if "pattern" in key else form
    if annotation in _JSON_TYPES:
        return {"type": _JSON_TYPES[annotation]}
    if annotation is PretrainingMethod:
        return ref(registry_name(PRETRAINING))
    if isinstance(annotation, type) and issubclass(annotation, SpecModel) and not issubclass(annotation, Kind):
        return _keys(annotation, short)
    return {}


def _keys(model: type[SpecModel], short: bool) -> Form:
    """A mapping of keys; with a short form, what its one required key holds may stand alone."""
    if not short:
        return ref(model.__name__)
    field = next(field for field in model.keys().values() if field.is_required())
    return any_of([form_of(field), ref(model.__name__)])


def _bounded(form: Form, constraints: Sequence[Any]) -> Form:
    """The form with limits; of several on one side the narrowest."""
    kind = form.get("type")
    for part in constraints:
        for name, key in _BOUNDS.items():
            limit = getattr(part, name, None)
            if limit is not None and kind in ("integer", "number"):
                form[key] = (
                    max(form.get(key, limit), limit) if name in ("ge", "gt") else min(form.get(key, limit), limit)
                )
        for name, key in zip(("min_length", "max_length"), _LENGTHS.get(str(kind), ()), strict=False):
            limit = getattr(part, name, None)
            if limit is not None:
                form[key] = limit
    return form


def any_of(forms: Iterable[Form]) -> Form:
    """One form for all of these: those that take values of different types become one, with a list of types.

    Keywords of JSON Schema hold for values of their own type alone, so nothing is lost, and an editor has one thing to
    say about a wrong value instead of several.
    """
    merged: Form = {}
    others: list[Form] = []
    for form in forms:
        if form == {"type": "null"} and others and "enum" in others[-1] and "title" not in others[-1]:
            others[-1] = {**others[-1], "enum": [*others[-1]["enum"], None]}
            continue
        kinds = _types(form)
        if not kinds or set(kinds) & set(_types(merged)) or {"integer", "number"} <= {*kinds, *_types(merged)}:
            others += form["anyOf"] if list(form) == ["anyOf"] else [form]
        else:
            every = [*_types(merged), *kinds]
            merged = {**merged, **form, "type": every if len(every) > 1 else every[0]}
    if merged:
        others.append(merged)
    return others[0] if len(others) == 1 else {"anyOf": others}


def mentioned(annotation: Any, metadata: Sequence[Any] = ()) -> Iterator[Registry[Any] | type[SpecModel]]:
    """The registries and classes of keys that an annotation refers to."""
    for part in _flatten(metadata):
        if isinstance(part, OneOf):
            yield part.registry
            return
    if annotation is PretrainingMethod:
        yield PRETRAINING
    elif isinstance(annotation, type) and issubclass(annotation, SpecModel):
        yield annotation
    elif get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from mentioned(inner, more)
    else:
        for part in get_args(annotation):
            yield from mentioned(part)


def _types(form: Form) -> list[str]:
    kinds = form.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)
