"""How much of files is read: all that is needed, or, to check a spec in a moment, a stated part of them at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from dlspec.language.words import one_of

Item = TypeVar("Item")

ROWS, CHARACTERS = 20_000, 2**23
"""Rows of a file that are read at a time where it is read briefly, and characters in them."""
FILES, PASSES = 100, 250
"""Files of one source that are looked at then, and how often rows of them are read."""
ENTRIES = 2000
"""Files and folders that are looked at then in the folder of a class; the folder of all may have ten times as many."""


class Brief:
    """What of a source was left unread.

    Args:
        passes: how often rows were read.
        ended: file -> after how many rows reading ended before its end.
        unread: how many files were not looked at.
        folders: those of which not all entries were looked at.
    """

    def __init__(self) -> None:
        self.passes = self.unread = 0
        self.ended: dict[str, int] = {}
        self.folders: list[str] = []

    def rows(self, rows: Iterator[list[str]], file: str) -> Iterator[list[str]]:
        """The first of the rows of a file."""
        self.passes += 1
        characters = 0
        for count, row in enumerate(rows):
            if count == ROWS or characters > CHARACTERS or self.passes > PASSES:
                self.ended[file] = max(count, self.ended.get(file, 0))
                return
            characters += sum(map(len, row))
            yield row

    def files(self, files: Sequence[Item]) -> Sequence[Item]:
        """The first of some files."""
        self.unread += max(0, len(files) - FILES)
        return files[:FILES]

    def in_words(self) -> str:
        """How far it was read; empty: to its end."""
        parts = [f"the first {rows:,} rows of `{file}`" for file, rows in list(self.ended.items())[:2]]
        more = len(self.ended) - len(parts)
        parts += [f"those of {more:,} other file{'s' * (more > 1)}"] * (more > 0)
        parts += [f"the first {FILES} files"] * (self.unread > 0)
        if self.folders:
            several = f"each of {len(self.folders):,} folders"
            parts.append(f"{ENTRIES:,} entries of {one_of(self.folders) if len(self.folders) < 3 else several}")
        return " and ".join(parts)


_BRIEF: ContextVar[Brief | None] = ContextVar("brief", default=None)


@contextmanager
def briefly() -> Iterator[None]:
    """In the block, files are read up to the bounds above, and what they hold is settled only where they end before."""
    token = _BRIEF.set(Brief())
    try:
        yield
    finally:
        _BRIEF.reset(token)


@contextmanager
def looking() -> Iterator[Brief | None]:
    """In the block, one source is looked at; None: to its end."""
    if _BRIEF.get() is None:
        yield None
        return
    token = _BRIEF.set(brief := Brief())
    try:
        yield brief
    finally:
        _BRIEF.reset(token)


def reading_briefly() -> Brief | None:
    """What is left unread of a source; None: nothing is."""
    return _BRIEF.get()
