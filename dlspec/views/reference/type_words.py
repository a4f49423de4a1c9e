"""A form (see `field_forms`) in plain words: `whole number`, `1 or more`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.views.reference.field_forms import PREFIX, Form

_WORDS = {
    "integer": ("whole number", "whole numbers"),
    "number": ("number", "numbers"),
    "boolean": ("`true` or `false`", "`true` or `false`"),
    "string": ("text", "texts"),
    "object": ("mapping", "mappings"),
    "array": ("list", "lists"),
    "null": ("nothing", "nothing"),
}


def type_words(form: Form, *, several: bool = False) -> str:
    """What sort of value it is."""
    if "$ref" in form:
        noun = form["$ref"].removeprefix(PREFIX).replace("_", " ")
        if not noun.islower():  # a class of keys
            return "mappings" if several else "mapping"
        return _plural(noun) if several else noun
    if form.get("title") == "activation":
        return "activations" if several else "activation"
    if "enum" in form:
        return _either([_value(value) for value in form["enum"]])
    if "anyOf" in form:
        return _either([type_words(option, several=several) for option in form["anyOf"]])
    kinds = form.get("type", [])
    return _either([_kind_words(form, kind, several) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def range_words(form: Form) -> str:
    """Between which limits a number lies; empty where there are none, or it is no number."""
    if "anyOf" in form:
        return next((words for words in map(range_words, form["anyOf"]) if words), "")
    low, above = form.get("minimum"), form.get("exclusiveMinimum")
    high, below = form.get("maximum"), form.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    least = f"{low:g} or more" if low is not None else f"above {above:g}" if above is not None else ""
    most = f"up to {high:g}" if high is not None else f"below {below:g}" if below is not None else ""
    own = ", ".join(part for part in (least, most) if part)
    return own or (range_words(form["items"]) if isinstance(form.get("items"), dict) else "")


def _kind_words(form: Form, kind: str, several: bool) -> str:
    if kind == "array":
        size = form.get("minItems") if form.get("minItems") == form.get("maxItems") else None
        lists = "lists" if several else "list"
        if len(form["items"].get("type", "")) > 1 and isinstance(form["items"]["type"], list):
            return f"{lists} of {size or 'values'}, each {type_words(form['items'])}"
        return f"{lists} of {f'{size} ' if size else ''}{type_words(form['items'], several=size != 1)}"
    if kind == "object" and isinstance(form.get("additionalProperties"), dict):
        return f"mapping of names to {type_words(form['additionalProperties'], several=True)}"
    return _WORDS[kind][several]


def _value(value: Any) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value is not None else "nothing"


def _either(words: Sequence[str]) -> str:
    words = [word for word in dict.fromkeys(words) if word not in ("", "nothing")]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _plural(noun: str) -> str:
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"
