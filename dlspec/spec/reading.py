"""Document -> Spec, as far as it can be read, with everything that is wrong with its form, names and values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dlspec.data.section import BrokenData
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.fields import nearest, show_value
from dlspec.language.yaml import Document
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.layers import LAYERS
from dlspec.model.layers.base import Group
from dlspec.model.section import Broken
from dlspec.spec.spec import VERSION, Spec

_STAND_INS: dict[str, Any] = {"dlspec": VERSION, "data": BrokenData(), "model": ["output"]}
"""What stands in for a section that is missing or broken."""


def read_spec(document: Document) -> tuple[Spec, list[Diagnostic]]:
    """The spec as far as it can be read, and everything that is wrong with its form, names and values.

    A section that is missing or broken is replaced by a stand-in, and `spec.has(section)` is false; a broken
    layer is replaced by `Broken`. So what depends on the rest can still be checked.
    """
    problems = list(document.problems)
    values = document.root.plain()
    if not isinstance(values, dict):
        problems.append(
            Diagnostic(
                "wrong-type",
                f"a spec is a mapping of keys, got {show_value(values)}",
                document.span(),
                help=f"write `dlspec init {document.file}` for a spec of these data"
                if Path(document.file).suffix in (".csv", ".tsv")
                else "begin with `dlspec: 1`",
            )
        )
        values = {}
    if not values and any(problem.is_error for problem in problems):
        values = dict(_STAND_INS)  # nothing could be read, which has been said
        return _finish(Spec.model_validate(values), document, frozenset(Spec.model_fields)), problems
    for section in ("train", "evaluate", "runtime", "budget"):
        if section in values and values[section] is None:  # the key alone, with nothing behind it
            del values[section]
    spec, found = _validate(values)
    if spec:
        return _finish(spec, document, frozenset()), problems
    said = [_diagnose(line, document) for line in found]
    lost = document.recovered or any(line["ctx"].get("meant") == "extends" for line in found)
    problems += [d for d, line in zip(said, found, strict=True) if not (lost and _may_be_lost(d, line))]
    for line in found:
        if line["type"] in ("unknown-key", "not-supported-yet"):
            _remove(values, line["loc"], line["ctx"].get("meant"))  # what stands beside it is still worth checking
    spec, found = _validate(values)
    if spec:
        return _finish(spec, document, frozenset()), problems
    absent = {str(line["loc"][0]) for line in found if line["loc"]}
    broken = {_item_at(values, line["loc"]) for line in found if line["loc"][:1] == ("model",)}
    if broken and () not in broken:
        for path in sorted(broken, key=len, reverse=True):
            *above, last = path
            items: Any = _follow(values, above)
            items[last] = Broken.standing_for(items[last])
        absent.discard("model")
    absent |= {name for name in _STAND_INS if name not in values}
    kept = {key: value for key, value in values.items() if key in Spec.model_fields and key not in absent}
    spec, found = _validate({**_STAND_INS, **kept})
    if spec is None:  # mistakes that only show once others are out of the way
        absent |= {str(line["loc"][0]) for line in found if line["loc"]}
        kept = {key: value for key, value in kept.items() if key not in absent}
        spec = Spec.model_validate({**_STAND_INS, **kept})
    return _finish(spec, document, frozenset(absent)), problems


def _validate(values: dict[str, Any]) -> tuple[Spec | None, list[Any]]:
    try:
        return Spec.model_validate(values), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _item_at(values: Any, place: Sequence[str | int]) -> tuple[str | int, ...]:
    """The path in `values` of the innermost item of the model that holds `place`; empty: no item is to blame."""
    model, rest = values["model"], list(place[1:])
    path: list[str | int] = ["model"]
    items = model
    if rest[:1] == ["layers"]:
        rest = rest[1:]
        if isinstance(model, dict):
            path.append("layers")
            items = model["layers"]
    found: list[str | int] = []
    while isinstance(items, list) and rest and isinstance(rest[0], int) and rest[0] < len(items):
        item = items[rest[0]]
        path.append(rest.pop(0))
        if isinstance(item, list):  # a path of `branches`
            items = item
            continue
        found = list(path)
        name = next(iter(item), None) if isinstance(item, dict) and len(item) == 1 else None
        group = LAYERS.get(name)
        if name is None or rest[:1] != [name] or group is None or not issubclass(group, Group):
            break
        path.append(rest.pop(0))
        items = item[name]
        if isinstance(items, dict):
            if not rest or rest[0] not in group.lists or rest[0] not in items:
                break
            path.append(rest[0])
            items = items[rest[0]]
        if rest and rest[0] in group.lists:
            rest.pop(0)
    return tuple(found)


def _follow(values: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        values = values[part]
    return values


def _may_be_lost(problem: Diagnostic, line: Any) -> bool:
    """Whether what is missing may stand in a line that could not be read."""
    return problem.code in ("missing-key", "no-source") or line["input"] is None


def _remove(values: Any, path: tuple[Any, ...], meant: str | None) -> None:
    """Takes a key out of the values, or gives it the name that was meant."""
    *above, last = path
    for part in above:
        if isinstance(values, list) and isinstance(part, str):
            continue  # a key that was left out in front of its list
        known = part in values if isinstance(values, dict) else isinstance(values, list) and part < len(values)
        values = values[part] if known else None
    if isinstance(values, dict) and last in values:
        value = values.pop(last)
        if meant and meant not in values:
            values[meant] = value


def _finish(spec: Spec, document: Document, absent: frozenset[str]) -> Spec:
    if not spec.name:
        stem = re.sub(r"[^\w.-]+", "_", Path(document.file).stem).strip("_.-")
        spec = spec.model_copy(update={"name": stem or "spec"})
    return spec.placed_in(document, absent)


def _diagnose(error: Any, document: Document) -> Diagnostic:
    """One of our errors at its place in the text."""
    said, path = error["ctx"], error["loc"]
    span = document.key_span(*path) if said["at"] == "key" else document.span(*path)
    help = said["help"]
    if error["type"] == "unknown-layer":
        given = said["given"]
        near = nearest(given, document.blocks) if given else None
        activation = f"write `activation: {given}`" if given in ACTIVATIONS else help
        help = f"did you mean the block `{near}`?" if near else activation
    value = error["input"]
    if error["type"] == "wrong-type" and isinstance(value, str):
        if value in document.variables:
            help = f"write `${value}`"
        elif re.fullmatch(r"[\d.]+( *(\*\*|//|[-+*/%]) *[\d.]+)+", value):
            help = "write arithmetic as `$(…)`, such as `$(width * 2)`"
    return Diagnostic(error["type"], said["message"], span, help=help)
