"""A spec as a git repository has it at a revision: `main:specs/a.yaml`. What it extends is of the same revision; its
data are those that lie beside its path now."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dlspec.language.diagnostics import Diagnostic, Label, Span
from dlspec.language.yaml import MAX_BYTES, Document, read_bytes
from dlspec.runtime.git import read_at

DRIVE = re.compile(r"[A-Za-z]:[\\/]")
"""How a path begins that names a drive of Windows."""


class AtRevision(NamedTuple):
    """A file at a revision, which is empty for what is staged."""

    revision: str
    path: str


def at_revision(name: str) -> AtRevision | None:
    """What `REV:path` names; None where the name is that of a file."""
    revision, colon, path = name.partition(":")
    if not colon or not path or DRIVE.match(name) or os.path.exists(name):
        return None
    return AtRevision(revision, path)


def read_revision(named: AtRevision) -> Document:
    """The spec, whose name in messages is its path, so that its data are found.

    Raises:
        DataError: there is no such revision, or no such file in it.
    """

    def read(path: str | Path) -> Document:
        document = read_bytes(read_at(named.revision, Path(path), MAX_BYTES), str(path))
        document.read_beside = read
        return document

    return read(named.path)


def name_revision(
    diagnostics: list[Diagnostic], texts: Mapping[str, str], revision: str
) -> tuple[list[Diagnostic], dict[str, str]]:
    """The same with `REV:` before the names of the files of a spec."""

    def place(span: Span) -> Span:
        if span.file not in texts or not span.in_file:
            return span
        return replace(span, file=f"{revision}:{span.file}", trail=tuple(map(label, span.trail)))

    def label(one: Label) -> Label:
        return replace(one, span=place(one.span))

    named = [
        replace(found, span=found.span and place(found.span), labels=tuple(map(label, found.labels)))
        for found in diagnostics
    ]
    return named, {f"{revision}:{file}": text for file, text in texts.items()}
