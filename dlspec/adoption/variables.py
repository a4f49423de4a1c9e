"""Long values that many layers have, as variables of the spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dlspec.adoption.items import Item, Variable, walk
from dlspec.adoption.layout import flow

LONG, OFTEN = 30, 3
"""Characters and uses from which on a value is worth a variable."""


def name_values(items: Sequence[Item]) -> tuple[list[Item], dict[str, Any]]:
    """The same layers, and their variables with what they stand for."""
    counts: Counter[str] = Counter()
    values: dict[str, tuple[str, Any]] = {}
    for item in walk(items):
        for key, value in item.arguments.items():
            if isinstance(value, Mapping) and "_" in key and len(flow(value)) >= LONG:
                counts[flow(value)] += 1
                values.setdefault(flow(value), (key, value))
    names: dict[str, str] = {}
    for text, count in counts.items():
        if count >= OFTEN:
            names[text] = _name(values[text][0], {*names.values()})
    if not names:
        return list(items), {}
    variables = {name: values[text][1] for text, name in names.items()}
    return [_named(item, names) for item in items], variables


def _name(key: str, taken: set[str]) -> str:
    name = key.rpartition("_")[2]  # `initializer` of `kernel_initializer`
    number = 1
    tried = name
    while tried in taken:
        number += 1
        tried = f"{name}_{number}"
    return tried


def _named(item: Item, names: Mapping[str, str]) -> Item:
    arguments = {
        key: Variable(names[flow(value)], flow(value)) if isinstance(value, Mapping) and flow(value) in names else value
        for key, value in item.arguments.items()
    }
    return replace(item, arguments=arguments, paths=tuple(tuple(_named(each, names) for each in p) for p in item.paths))
