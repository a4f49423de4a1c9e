"""What the command line overrides: the value at a dotted path, as `-s train.epochs=5` asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.words import did_you_mean
from dlspec.language.yaml import Document, Node, read_text, to_inline_yaml
from dlspec.spec.composition.extends import NAMED, without_other_method, without_other_sources

KEYS_OF_MODEL = ("inputs", "layers", "outputs")


def apply_overrides(
    document: Document,
    overrides: Mapping[str, Any],
    *,
    later: dict[str, Any] | None = None,
    written_out: bool = False,
) -> Document:
    """The document with each value at its path, mistakes added to its problems.

    Args:
        overrides: dotted path -> value: `{"train.epochs": 5, "model.0.lstm": 32}`. A mapping that is not there
            is made; an entry of a list must be. Below `model` a layer may be named: `{"model.h1.units": 32}`.
        later: takes what may name a layer of a copy, which is not there before blocks are written out, in place of a
            problem.
        written_out: blocks are; a layer may be named by its address: `{"model.gated.2.skipped.units": 32}`.
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
            problem = _put(document, path, node, written_out)
            if problem and later is not None and path.startswith("model."):
                later[path] = value
            elif problem:
                document.problems.append(problem)
    return document


def _put(document: Document, path: str, new: Node, written_out: bool) -> Diagnostic | None:
    *above, last = _by_name(path.split("."), document.addresses)
    node = document.root
    for i, part in enumerate(above):
        below = node.child(int(part) if isinstance(node.value, list) and part.isdecimal() else part)
        if below is not None and below.value is None and isinstance(node.value, dict):
            below = None  # `train:` with nothing behind it
        if below is None and above[:i] == ["model"]:
            below = next((layer for name, layer in _named_layers(node) if name == part), None)
            if below is not None and written_out:
                below.value = below.copy().value  # copies may share what lies below
        if below is None:
            if not isinstance(node.value, dict) or (above[:i] == ["model"] and part not in KEYS_OF_MODEL):
                return _nothing_there(path, part, node, new.span, document.addresses)
            if i and above[i - 1] in NAMED:  # another name takes the place of the one there
                node.value.clear()
            below = node.value[part] = Node({}, new.span, key=new.key, origin=new.origin)
        node = below
    if isinstance(node.value, dict):
        if above == ["data"]:
            node.value = without_other_sources(node.value, [last])
        elif last == "method" and above[0] == "pretrain" and len(above) < 3:
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
        return _nothing_there(path, last, node, new.span, document.addresses)
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


def _by_name(parts: list[str], addresses: Mapping[str, str]) -> list[str]:
    """The path with a layer's name in place of its address."""
    if parts[0] == "model":
        for end in range(len(parts) - 1, 2, -1):
            name = addresses.get(".".join(parts[1:end]))
            if name is not None:
                return ["model", name, *parts[end:]]
    return parts


def _nothing_there(path: str, part: str, node: Node, span: Span, addresses: Mapping[str, str]) -> Diagnostic:
    if isinstance(node.value, list):
        held = f"a list of {len(node.value)}, counted from 0"
    else:
        held = f"`{to_inline_yaml(node.plain())}`"
    wanted, names = part, list[str]()
    if path.startswith("model.") and not part.isdecimal():
        names = [name for name, _ in _named_layers(node)]
        inside = [address for address in addresses if address.startswith(f"{part}.")]
        if inside:
            wanted, names = path.removeprefix("model.").rpartition(".")[0], inside
    help = did_you_mean(wanted, names) or f"set the whole value: `{path.rpartition('.' + part)[0] or path}={{…}}`"
    return Diagnostic("unknown-path", f"`{path}` leads nowhere: there is no `{part}` in {held}", span, help=help)
