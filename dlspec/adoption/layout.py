"""Layers as YAML, in the form that the documentation has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from dlspec.adoption.items import Item, Parameter, Reference, Variable
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.from_keras.words import as_written

WIDTH = 118
"""Characters of a line."""
LONG_NUMBER, LARGEST_DIVISOR = 10, 1000
"""Characters from which on a number may be written as 1 divided by another, which is no larger than the second."""
IN_A_LINE = 3
"""Layers that may stand in a line together."""


class Blank:
    """Nothing, as behind the name of a parameter that must be given."""


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Blank):
        return ""
    if isinstance(value, Parameter | Variable):
        return value.text if isinstance(value, Parameter) else f"${value.name}"
    if isinstance(value, Reference):
        return f"@{value.number}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_in_list(each) for each in value) + "]"
    return _scalar(type(value).__name__, value)


@cache
def _scalar(kind: str, value: Any) -> str:
    """A number, a text, true or false; of the kind, since 1 and true are equal."""
    text = to_inline_yaml([value])[1:-1] if kind == "str" else to_inline_yaml(value)
    if kind == "float" and len(text) > LONG_NUMBER:
        for divisor in (127.5, *range(2, LARGEST_DIVISOR)):
            if 1 / divisor == value:
                return f"$(1 / {divisor:g})"
    return text


def _key(key: Any) -> str:
    return _scalar("str", key)


def _in_list(value: Any) -> str:
    """A value in a list: `dense: 64` for `{dense: 64}`."""
    if isinstance(value, Mapping) and len(value) == 1:
        return flow(value)[1:-1]
    return flow(value)


def item_text(item: Item) -> str:
    """An item on one line, without names, by which equal ones are known."""
    return item.text(lambda: flow(value_of(item, {})))


def value_of(item: Item, names: Mapping[int, str]) -> Any:
    """An item as one would write it.

    Args:
        names: number of a layer -> what it is called; others are written by their numbers, and have no name.
    """
    more: dict[str, Any] = {}
    if item.number in names and item.word not in ("shared", "repeat"):
        more["name"] = names[item.number]
    if item.sources is not None:
        sources = [_called(source, names) for source in item.sources]
        more["from"] = sources[0] if len(sources) == 1 else sources
    given = {key: _named(value, names) for key, value in item.arguments.items()}
    inner = [[value_of(each, names) for each in path] for path in item.paths]
    if item.word == "repeat":
        return {"repeat": {**given, "layers": inner[0], **more}}
    if item.word == "skip":
        return {"skip": {"layers": inner[0], **more} if more else inner[0]}
    if item.word == "branches":
        return {"branches": {**given, "paths": inner, **more} if given or more else inner}
    if item.word == "shared":
        layers = [_called(number, names) for number in item.layers]
        shown = layers[0] if len(layers) == 1 else layers
        return {"shared": {"layers": shown, **more} if more else shown}
    if item.defaults is None:
        return as_written(item.word, given, more)
    kept = {key: value for key, value in given.items() if item.defaults[key] is None or item.defaults[key] != value}
    needed = [key for key, default in item.defaults.items() if default is None]
    alone = [*item.defaults] if len(item.defaults) == 1 else needed
    named = any(isinstance(value, Reference) for value in item.arguments.values())
    if list(kept) == alone[:1] and len(alone) == 1 and not more and not named:
        return {item.word: kept[alone[0]]}
    return {item.word: {**kept, **more}} if kept or more else item.word


def _called(source: int | Parameter, names: Mapping[int, str]) -> Any:
    return source if isinstance(source, Parameter) else names.get(source, Reference(source))


def _named(value: Any, names: Mapping[int, str]) -> Any:
    return names.get(value.number, value) if isinstance(value, Reference) else value


# --- lines


def lines_of(values: Sequence[Any], indent: int) -> Iterator[str]:
    """A list of layers, an entry a line where it fits."""
    for value in values:
        yield from _entry(value, indent)


def _entry(value: Any, indent: int) -> Iterator[str]:
    space = " " * indent
    text = f"{space}- {_in_list(value)}"
    if len(text) <= WIDTH and _layers_in(value) <= IN_A_LINE:
        yield text
    elif isinstance(value, list):
        yield from _in_front(value, indent)
    else:
        ((word, arguments),) = value.items()
        if isinstance(arguments, list):
            yield f"{space}- {word}:"
            yield from lines_of(arguments, indent + 4)
        elif isinstance(arguments, Mapping) and not {"layers", "paths"} & {*arguments}:
            parts = [f"{_key(key)}: {flow(each)}" for key, each in arguments.items()]
            yield from _wrapped(f"{space}- {word}: {{", parts, "}")
        else:
            yield f"{space}- {word}:"
            yield from _mapping(arguments, indent + 4)


def _in_front(values: Sequence[Any], indent: int) -> Iterator[str]:
    """A list inside a list: `- - dense: 64`."""
    inner = list(lines_of(values, indent + 2))
    yield " " * indent + "- " + inner[0].lstrip()
    yield from inner[1:]


def _mapping(arguments: Mapping[str, Any], indent: int) -> Iterator[str]:
    space = " " * indent
    for key, value in arguments.items():
        text = f"{space}{_key(key)}: {flow(value)}"
        listed = isinstance(value, list) and key in ("layers", "paths")
        if len(text) <= WIDTH and (not listed or _layers_in(value) <= IN_A_LINE):
            yield text
        elif listed:
            yield f"{space}{_key(key)}:"
            yield from lines_of(value, indent + 2)
        elif isinstance(value, Mapping):
            yield f"{space}{_key(key)}:"
            yield from _mapping(value, indent + 2)
        elif isinstance(value, list):
            yield from _wrapped(f"{space}{_key(key)}: [", [_in_list(each) for each in value], "]")
        else:
            yield text


def _wrapped(start: str, parts: Sequence[str], end: str) -> Iterator[str]:
    """A long list or mapping over several lines, each below the beginning of its first value."""
    indent = min(len(start), 40)
    line = start
    for i, text in enumerate(parts):
        part = text + (end if i == len(parts) - 1 else ",")
        if len(line) + len(part) + 1 > WIDTH and line.strip() != start.strip():
            yield line.rstrip()
            line = " " * indent
        line += part if line.endswith(("[", "{", " ")) else f" {part}"
    yield line


def _layers_in(value: Any) -> int:
    """How many layers stand in an entry."""
    if isinstance(value, list):
        return sum(_layers_in(each) for each in value)
    if isinstance(value, Mapping) and len(value) == 1:
        ((word, inner),) = value.items()
        if word in ("skip", "branches", "repeat"):
            held = inner if isinstance(inner, list) else inner.get("layers", inner.get("paths", []))
            return 1 + _layers_in(held)
    return 1


def section(key: str, value: Any) -> Iterator[str]:
    """A key of the top level with a mapping of small values: on one line where it fits."""
    text = f"{key}: {flow(value)}"
    if len(text) <= WIDTH:
        yield text
    elif isinstance(value, list):
        yield from _wrapped(f"{key}: [", [_in_list(each) for each in value], "]")
    else:
        yield f"{key}:"
        yield from _mapping(value, 2)
