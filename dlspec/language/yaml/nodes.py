"""What is read: values with their places, and the spec that they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics import Diagnostic, Span

Scalar = str | int | float | bool | None
Path_ = tuple[str | int, ...]


@dataclass(slots=True)
class Node:
    """A value of the file with its place: a scalar, a list of nodes, or a mapping of keys to nodes.

    Attributes:
        value: what it holds.
        span: where the value stands.
        key: where its key stands, for a value in a mapping.
        origin: who wrote it: `you` in the file, or `override` on the command line.
        size: how many nodes it is with everything below it, aliases expanded.
        depth: how many levels it has, itself included.
    """

    value: Scalar | list[Node] | dict[str, Node]
    span: Span
    key: Span | None = None
    origin: str = "you"
    size: int = 1
    depth: int = 1

    def copy(self) -> Node:
        """The same values in nodes of their own."""
        value = self.value
        if isinstance(value, dict):
            value = {key: node.copy() for key, node in value.items()}
        elif isinstance(value, list):
            value = [node.copy() for node in value]
        return replace(self, value=value)

    def plain(self) -> Any:
        """The value as lists, dicts and scalars, without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, part: str | int) -> Node | None:
        """The node one step below, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def deepest(self, path: Path_) -> Node:
        """The node at `path`, or the last one on the way that exists.

        A key may be left out in front of its list: `skip: [dense: 8]` stands for `skip: {layers: [dense: 8]}`.
        """
        node = self
        for part in path:
            if isinstance(node.value, list) and isinstance(part, str):
                continue
            below = node.child(part)
            if below is None:
                return node
            node = below
        return node


@dataclass(slots=True)
class Document:
    """A spec as it was written.

    Attributes:
        file: its name as shown in diagnostics; relative paths in the spec are relative to its folder.
        root: the top of the document.
        texts: file name -> text, for every file that has a part in this one.
        problems: what was wrong with its form.
        recovered: a broken line was left out to read the rest, so that what is missing may be there.
        variables: its variables, as they are written.
        blocks: names of its blocks, and where each is written.
        addresses: of layers in uses of a block, as `gated.2.skipped`, and what these layers are called.
        overrides: what the command line, or a caller, set in it: dotted path -> value.
        as_read: its text with what YAML needs in place of lines that are none, in as many lines.
        read_beside: reads a spec that it extends; None: from its file, as it is now.
    """

    file: str
    root: Node
    texts: dict[str, str]
    problems: list[Diagnostic] = field(default_factory=list)
    recovered: bool = False
    variables: dict[str, Node] = field(default_factory=dict)
    blocks: dict[str, Span] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    as_read: str = field(default="", repr=False)
    read_beside: Callable[[Path], Document] | None = field(default=None, repr=False)

    def span(self, *path: str | int) -> Span:
        """Where the value at `path` stands, or the nearest thing above it that was written."""
        return self.root.deepest(path).span

    def key_span(self, *path: str | int) -> Span:
        """Where the key at `path` stands, or the nearest key or value above it."""
        node = self.root.deepest(path)
        return node.key or node.span

    def is_written(self, *path: str | int) -> bool:
        """Whether the spec itself says something at `path`."""
        node: Node | None = self.root
        for part in path:
            node = node.child(part) if node else None
        return node is not None

    @property
    def folder(self) -> Path:
        return Path(self.file).parent

    def folder_of(self, *path: str | int) -> Path:
        """The folder that relative paths in the value at `path` start from."""
        span = self.span(*path)
        return Path(span.file).parent if span.in_file else self.folder
