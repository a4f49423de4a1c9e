"""How other tools write a thing with its arguments: calls of Python, lists, a key `type` beside others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlspec.language.words import bare, same
from dlspec.language.yaml.scalars import resolve_scalar

NAMED_BY = ("type", "name", "class_name", "class", "kind", "layer", "method", "algorithm")
"""Keys under which other tools name what the keys beside it are arguments of."""
HELD_BY = ("config", "params", "args", "kwargs", "parameters", "arguments")
"""Keys under which they put the arguments."""
SIZES_OF_INPUT = ("in_features", "in_channels", "input_shape", "input_dim", "input_size", "batch_input_shape")
"""Arguments that say what a layer gets, which it knows here by itself."""
BEGINS_WITH_INPUT = frozenset({"Linear", "Conv1d", "Conv2d", "Conv3d", "LSTM", "GRU", "RNN", "Bilinear", "LazyLinear"})
"""Classes of PyTorch whose first argument is the size of the input."""

_CALL = re.compile(r"([A-Za-z_][\w.]*)\s*(?:\((.*)\)|[\s,(:=]\s*(.*?)\)?)\s*,?", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A name with arguments in order and by name."""

    name: str
    positional: Sequence[Any] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self, keys: Sequence[str]) -> dict[str, Any] | None:
        """Key -> value of a class with these keys; None: it has no such arguments."""
        found: dict[str, Any] = {}
        free = list(keys)
        for value in self.positional:
            word = isinstance(value, str) and "activation" in free
            key = "activation" if word else free[0] if free else None
            if key is None:
                return None
            found[key] = value
            free.remove(key)
        for name, value in self.keywords.items():
            own = same(name, keys)
            if own is None and name not in SIZES_OF_INPUT:
                return None
            if own:
                found[own] = value
        return found


def as_calls(value: Any) -> Iterator[Call]:
    """The ways to read what someone wrote in place of a name, or of a name and a mapping of its arguments."""
    if isinstance(value, str):
        found = _CALL.fullmatch(value.strip())
        if found:
            yield from _called(found[1], found[2] if found[2] is not None else found[3])
    elif isinstance(value, list) and value and isinstance(value[0], str):
        yield Call(value[0], value[1:])
    elif isinstance(value, Mapping) and len(value) > 1:
        name = next((key for key in NAMED_BY if isinstance(value.get(key), str)), None)
        if name:
            rest = {key: one for key, one in value.items() if key != name}
            held = next((key for key in HELD_BY if isinstance(rest.get(key), Mapping)), None)
            inner = rest.pop(held) if held else {}
            yield Call(value[name], (), {**rest, **inner})
        first, *others = value
        if not isinstance(value[first], Mapping | list):
            yield Call(first, [] if value[first] is None else [value[first]], {key: value[key] for key in others})


def _called(name: str, written: str) -> Iterator[Call]:
    positional: list[Any] = []
    keywords = {}
    written = re.sub(r"(\w)\s*[:=]\s+|(\w)\s+=", r"\1\2=", written)  # `units: 64` and `units = 64` as `units=64`
    for part in re.findall(r"(?:\([^()]*\)|\[[^\[\]]*\]|'[^']*'|\"[^\"]*\"|[^,\s()\[\]])+", written):
        word, equals, rest = part.partition("=")
        if equals and re.fullmatch(r"\w+", word):
            keywords[word] = _value(rest)
        elif part != "=":
            positional.append(_value(part))
    *modules, last = name.split(".")
    torch = last in BEGINS_WITH_INPUT and (modules[-1:] == ["nn"] or bare(last) == "linear" or last.endswith("d"))
    yield Call(last, positional[1:] if torch and len(positional) > 1 else positional, keywords)


def _value(text: str) -> Any:
    text = text.strip()
    inside = re.fullmatch(r"[(\[](.*)[)\]]", text, re.DOTALL)
    if inside:
        return [_value(part) for part in inside[1].split(",") if part.strip()]
    quoted = re.fullmatch(r"(['\"])(.*)\1", text, re.DOTALL)
    return quoted[2] if quoted else resolve_scalar(text)
