"""What the command line overrides: the value at a dotted path, as `-s train.epochs=5` asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.words import did_you_mean
from dlspec.language.yaml import Document, Node, read_text, to_inline_yaml
from dlspec.spec.composition.extends import NAMED, without_other_method, without_other_sources


def apply_overrides(document: Document, overrides: Mapping[str, Any]) -> Document:
    """The document with each value at its path, mistakes added to its problems.

    Args:
        overrides: dotted path -> value: `{"train.epochs": 5, "model.0.lstm": 32}`. A mapping that is not there
            is made; an entry of a list must be. Below `model` a layer may be named: `{"model.h1.units": 32}`.
    """
    for path, value in overrides.items():
        if hasattr(value, "item"):  # a number of numpy
            value = value.item()
        text = to_inline_yaml({path: str(value) if isinstance(value, PurePath) else value})
        written = read_text(text, f"--set {text.replace(': ', '=', 1)}", origin="override")
        document.texts |= written.texts
        document.problems += written.problems
        assert isinstance(written.root.value, dict), "a mapping was written"
        for node in written.root.value.values():
            problem = _put(document.root, path, node)
            if problem:
                document.problems.append(problem)
    return document


def _put(root: Node, path: str, new: Node) -> Diagnostic | None:
    *above, last = path.split(".")
    node = root
    for i, part in enumerate(above):
        below = node.child(int(part) if isinstance(node.value, list) and part.isdecimal() else part)
        if below is not None and below.value is None and isinstance(node.value, dict):
            below = None  # `train:` with nothing behind it
        if below is None and above[:i] == ["model"]:
            below = next((layer for name, layer in _named_layers(node) if name == part), None)
        if below is None:
            if not isinstance(node.value, dict):
                return _nothing_there(path, part, node, new.span)
            if i and above[i - 1] in NAMED:  # another name takes the place of the one there
                node.value.clear()
            below = node.value[part] = Node({}, new.span, key=new.key, origin=new.origin)
        node = below
    if isinstance(node.value, dict):
        if above == ["data"]:
            node.value = without_other_sources(node.value, [last])
        elif path == "pretrain.method":
            node.value = without_other_method(node.value, new)
        elif above and above[-1] in NAMED and last not in node.value:
            node.value.clear()
        if new.value is None and last in node.value:
            del node.value[last]
        else:
            node.value[last] = new
    elif isinstance(node.value, list) and last.isdecimal() and int(last) < len(node.value):
        node.value[int(last)] = new
    else:
        return _nothing_there(path, last, node, new.span)
    return None


def _named_layers(node: Node) -> Iterator[tuple[str, Node]]:
    """The name and the keys of every layer that has a name, among these items and those inside of them."""
    if isinstance(node.value, list):
        for item in node.value:
            yield from _named_layers(item)
    elif isinstance(node.value, dict):
        for below in node.value.values():
            name = below.child("name")
            if name is not None and isinstance(name.value, str):
                yield name.value, below
            yield from _named_layers(below)


def _nothing_there(path: str, part: str, node: Node, span: Span) -> Diagnostic:
    if isinstance(node.value, list):
        held = f"a list of {len(node.value)}, counted from 0"
    else:
        held = f"`{to_inline_yaml(node.plain())}`"
    names = [name for name, _ in _named_layers(node)] if path.startswith("model.") and not part.isdecimal() else []
    help = did_you_mean(part, names) or f"set the whole value: `{path.rpartition('.' + part)[0] or path}={{…}}`"
    return Diagnostic("unknown-path", f"`{path}` leads nowhere: there is no `{part}` in {held}", span, help=help)
