"""Walks through folders, which have an end: a path such as `/` or `/**/*.csv` would lead through the whole disk.

What was found is remembered while no folder that was walked through has changed, so that a spec that is checked at each
key is not slow for its 20,000 pictures.
"""

from __future__ import annotations

import glob
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dlspec.data.sources.reading import ENTRIES, Brief, reading_briefly

Found = TypeVar("Found")

MOST_ENTRIES, MOST_BRIEFLY = 5_000_000, 10 * ENTRIES
"""Files and folders that are looked at for one path, and for one pattern where a spec is checked in a moment."""
REMEMBERED, MOST_REMEMBERED = 8, 200_000
"""Paths of which it is remembered what was found, and files and folders of each at most."""
SETTLED = 2 * 10**9
"""Nanoseconds for which a folder must not have changed: within the tick of a clock a change would not be seen."""


class TooManyEntries(OSError):
    """A folder holds more than anybody means to name."""

    def __init__(self, folder: Path, most: int) -> None:
        super().__init__(0, f"there are more than {most:,} files and folders below it", str(folder))


class Walk:
    """Counts what is looked at; links to folders are not followed.

    Args:
        brief: takes down the folders of which a part is looked at; None: all are walked through.
        most: files and folders that are looked at.

    Attributes:
        states: when each folder that was walked through had last changed.

    Raises:
        TooManyEntries: there is more than may be.
    """

    def __init__(self, brief: Brief | None = None, most: int | None = None) -> None:
        self.most = most or (MOST_ENTRIES if brief is None else 100 * ENTRIES)
        self.left, self.brief = self.most, brief
        self.states: dict[str, int] = {}

    def files(self, folder: Path) -> Iterator[Path]:
        """All files below a folder; where it is walked through briefly, the first of them."""
        if self.brief is not None:
            yield from self._first_files(folder, self.brief)
            return
        for at, folders, names in os.walk(folder):
            self._note(at)
            self._count(folder, len(folders) + len(names))
            yield from (Path(at) / name for name in names)

    def _first_files(self, folder: Path, brief: Brief) -> Iterator[Path]:
        open_, count = [folder], 0
        while open_:
            self._note(str(open_[-1]))
            with os.scandir(open_.pop()) as entries:
                for entry in entries:
                    count, self.left = count + 1, self.left - 1
                    if count > ENTRIES or self.left < 0:
                        brief.folders.append(folder.name)
                        return
                    if entry.is_dir(follow_symlinks=False):
                        open_.append(Path(entry.path))
                    else:
                        yield Path(entry.path)

    def entries(self, folder: Path) -> list[os.DirEntry[str]]:
        """What stands in a folder itself; where that is looked at briefly, ten times as much as of a folder in it."""
        found: list[os.DirEntry[str]] = []
        self._note(str(folder))
        with os.scandir(folder) as entries:
            for entry in entries:
                if self.brief is None:
                    self._count(folder, 1)
                elif len(found) == 10 * ENTRIES:
                    self.brief.folders.append(folder.name)
                    break
                found.append(entry)
        return found

    def _count(self, folder: Path, entries: int) -> None:
        self.left -= entries
        if self.left < 0:
            raise TooManyEntries(folder, self.most)

    def _note(self, folder: str) -> None:
        self.states[folder] = _state(folder)


def _state(folder: str) -> int:
    """When a folder last got, lost or renamed an entry; -1: it is not there."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return -1


@dataclass(frozen=True)
class _Known:
    """What was found, in which states of which folders, and the folders of which a part was looked at."""

    found: Any
    states: dict[str, int]
    partly: tuple[str, ...]


_KNOWN: OrderedDict[Hashable, _Known] = OrderedDict()


def remembered(key: Hashable, walk: Walk, look: Callable[[Walk], Found]) -> Found:
    """What `look` finds, or has found before in the same folders, if none of them has changed.

    Args:
        key: what is looked for, and where: as it is named, which what is found begins with, and from the root on.
    """
    brief = walk.brief
    key = key, brief is not None
    known = _KNOWN.get(key)
    if known is not None and all(_state(folder) == state for folder, state in known.states.items()):
        _KNOWN.move_to_end(key)
        if brief is not None:
            brief.folders += known.partly
        found: Found = known.found
        return found
    before, began = len(brief.folders) if brief is not None else 0, time.time_ns()
    found = look(walk)
    settled = max(walk.states.values(), default=0) < began - SETTLED
    if settled and walk.most - walk.left <= MOST_REMEMBERED:
        _KNOWN[key] = _Known(found, walk.states, tuple(brief.folders[before:]) if brief is not None else ())
        if len(_KNOWN) > REMEMBERED:
            _KNOWN.popitem(last=False)
    return found


def matching(pattern: str) -> list[str]:
    """Files that match a pattern with `*`, `?`, `[…]`, and with `**` folders in any depth, in order of their names.

    Raises:
        TooManyEntries: there are too many to look at.
    """
    if "**" not in pattern:
        return sorted(glob.glob(pattern))
    most = MOST_ENTRIES if reading_briefly() is None else MOST_BRIEFLY
    return remembered((pattern, os.path.abspath(pattern)), Walk(most=most), lambda walk: _matching(pattern, walk))


def _matching(pattern: str, walk: Walk) -> list[str]:
    parts = pattern.split("/")
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    base = "/".join(parts[:first]) or ("/" if pattern.startswith("/") else ".")
    inside_of = [".*" if part == "**" and part is parts[-1] else _regex(part) for part in parts[first:]]
    wanted = re.compile("/".join(inside_of).replace("(?:.*/)?/", "(?:.*/)?"))
    found = []
    for file in walk.files(Path(base)):
        inside = os.path.relpath(file, base).replace(os.sep, "/")
        if wanted.fullmatch(inside) and not any(part.startswith(".") for part in inside.split("/")):
            found.append(str(Path(base) / inside))
    return sorted(found)


def _regex(part: str) -> str:
    """A part of a pattern as a regular expression."""
    if part == "**":
        return "(?:.*/)?"
    found = ""
    place = 0
    while place < len(part):
        letter = part[place]
        end = part.find("]", place + 2) if letter == "[" else -1
        if end > 0:
            inside = part[place + 1 : end].replace("\\", r"\\")
            found += f"[{'^' + inside[1:] if inside[0] == '!' else inside}]"
            place = end
        else:
            found += {"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter))
        place += 1
    return found
