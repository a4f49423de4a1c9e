"""YAML text as parts with exact places, for edits that leave everything else as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Place = tuple[int, int]
"""Line and column, both from 0, in characters."""

OTHER_BREAKS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
"""What ends a line for YAML and for nothing else."""


@dataclass(eq=False, slots=True)
class Part:
    """A scalar, a list or a mapping.

    Args:
        kind: `scalar`, `list`, `mapping` or `alias`.
        start, end: its content, without blank lines and remarks behind it; the same where nothing is written.
        flow: whether it stands in brackets or braces.
        text: of a scalar, as YAML reads it.
        plain: of a scalar: whether it is written without quotation marks.
        holder: the entry that it is in; None: it is the whole document.
        entries: of a list or a mapping.
    """

    kind: str
    start: Place
    end: Place
    flow: bool = False
    text: str = ""
    plain: bool = True
    holder: Entry | None = None
    entries: list[Entry] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing is written."""
        return self.kind == "scalar" and self.start == self.end

    def entry(self, key: str) -> Entry | None:
        """The entry of a mapping with this key."""
        return next((entry for entry in self.entries if entry.key is not None and entry.key.text == key), None)

    @property
    def in_flow(self) -> bool:
        """Whether it stands somewhere in brackets or braces."""
        holder = self.holder
        return holder is not None and (holder.owner.flow or holder.owner.in_flow)


@dataclass(eq=False, slots=True)
class Entry:
    """A key with its value, or an item of a list, which has no key."""

    owner: Part
    key: Part | None
    value: Part

    @property
    def start(self) -> Place:
        return self.key.start if self.key is not None else self.value.start

    @property
    def end(self) -> Place:
        return self.value.end

    @property
    def name(self) -> str:
        return self.key.text if self.key is not None else ""

    @property
    def index(self) -> int:
        """Its place in its list or mapping."""
        return next(number for number, entry in enumerate(self.owner.entries) if entry is self)

    @property
    def path(self) -> tuple[str | int, ...]:
        """Keys and numbers that lead here from the top."""
        above = self.owner.holder.path if self.owner.holder is not None else ()
        return (*above, self.name if self.key is not None else self.index)


def read_parts(text: str) -> Part | None:
    """The parts of a text that is YAML; None: it is not, or has line breaks that only YAML knows."""
    if OTHER_BREAKS.search(text):
        return None
    lines = text.split("\n")
    root: Part | None = None
    open_: list[tuple[Part, list[Part]]] = []
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
                start = _behind_properties(lines, _place(event.start_mark), event)
                open_.append((Part(kind, start, start, flow=bool(event.flow_style)), []))
                continue
            if isinstance(event, yaml.CollectionEndEvent):
                part, below = open_.pop()
                part.end = _place(event.end_mark) if part.flow else below[-1].end if below else part.start
                _fill(part, below)
            elif isinstance(event, yaml.ScalarEvent):
                part = _scalar(lines, event)
            elif isinstance(event, yaml.AliasEvent):
                part = Part("alias", _place(event.start_mark), _place(event.end_mark), text=event.anchor or "")
            else:
                continue
            if open_:
                open_[-1][1].append(part)
            else:
                root = part
    except yaml.YAMLError:
        return None
    return root


def walk(part: Part) -> Iterator[Entry]:
    """All entries below a part, outer ones first."""
    waiting = [part]
    while waiting:
        for entry in waiting.pop().entries:
            yield entry
            waiting.append(entry.value)


def _place(mark: Any) -> Place:
    """Of a mark of PyYAML, which every event of a text has."""
    return mark.line, mark.column


def _fill(part: Part, below: list[Part]) -> None:
    """Makes entries of what was read in a list or a mapping."""
    if part.kind == "list":
        part.entries = [Entry(part, None, value) for value in below]
    else:
        part.entries = [Entry(part, key, value) for key, value in zip(below[::2], below[1::2], strict=True)]
    for entry in part.entries:
        entry.value.holder = entry
        if entry.value.empty and entry.key is not None:  # YAML says of nothing only roughly where it stands
            entry.value.start = entry.value.end = max(entry.value.start, entry.key.end)


def _scalar(lines: list[str], event: yaml.ScalarEvent) -> Part:
    start, end = _place(event.start_mark), _place(event.end_mark)
    if start != end:
        start = _behind_properties(lines, start, event)
    if event.style in ("|", ">"):  # which ends where the next thing begins
        line = end[0] if end[1] else end[0] - 1
        while line > start[0] and not lines[line].strip():
            line -= 1
        end = line, len(lines[line])
    return Part("scalar", start, end, text=event.value, plain=event.style is None)


def _behind_properties(lines: list[str], start: Place, event: yaml.NodeEvent) -> Place:
    """Where the content begins behind an anchor and a tag on the same line."""
    line, column = start
    while getattr(event, "anchor", None) or getattr(event, "tag", None):
        found = re.match(r"[&!]\S*\s*", lines[line][column:])
        if not found or column + found.end() >= len(lines[line]):
            break
        column += found.end()
    return line, column
