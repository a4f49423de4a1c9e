"""Where in its text a spec says a value."""

from __future__ import annotations

from typing import Any

from dlspec.language.diagnostics import Span
from dlspec.language.yaml import Document, Node
from dlspec.language.yaml.nodes import Path_
from dlspec.model.layers import LAYERS


def written_at(document: Document, path: Path_, value: Any) -> Node | None:
    """What the spec says at `path`: exactly there, or in short, as `32` in `lstm: 32` says its `units`.

    Args:
        value: as plain YAML, every default written out.
    """
    node, rest = document.root, list(path)
    left_out = None
    step: str | int = ""
    while rest:
        below = node.child(rest[0])
        if below is None and (named := _named_above(step, node)) is not None:
            key, node = named
            if rest[0] == key:
                return node
            below = node.child(rest[0])
        if below is None and isinstance(node.value, list) and isinstance(rest[0], str):
            left_out = rest.pop(0)  # the key in `skip: [dense: 8]`
            continue
        if below is None:
            break
        node, left_out = below, None
        step = rest.pop(0)
    if not rest and left_out is None:
        return node
    plain = node.plain()
    in_short = len(rest) + (left_out is not None) == 1 and not isinstance(node.value, dict)
    return node if in_short and value in (plain, [plain]) else None


def _named_above(word: str | int, node: Node) -> tuple[str, Node] | None:
    """An argument whose value stands as a key, and what stands below: `{application: {resnet50: {…}}}`."""
    if not isinstance(node.value, dict) or len(node.value) != 1:
        return None
    kind = LAYERS.get(word)
    above = kind.names_above() if kind is not None else None
    ((name, below),) = node.value.items()
    return (above[0], below) if above is not None and name in above[1] else None


def show_place(document: Document, span: Span) -> str:
    """`line 12`, of another file `base.yaml:12`, and what a command set as it was typed."""
    if span.file == document.file:
        return f"line {span.line}"
    return f"{span.file}:{span.line}" if span.in_file else span.file
