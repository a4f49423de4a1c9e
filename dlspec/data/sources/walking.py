"""Walks through folders, which have an end: a path such as `/` or `/**/*.csv` would lead through the whole disk."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path

from dlspec.data.sources.reading import ENTRIES, Brief

MOST_ENTRIES = 5_000_000
"""Files and folders that are looked at for one path."""


class TooManyEntries(OSError):
    """A folder holds more than anybody means to name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(0, f"there are more than {MOST_ENTRIES:,} files and folders below it", str(folder))


class Walk:
    """Counts what is looked at; links to folders are not followed.

    Args:
        brief: takes down the folders of which a part is looked at; None: all are walked through.

    Raises:
        TooManyEntries: there is more than may be.
    """

    def __init__(self, brief: Brief | None = None) -> None:
        self.left, self.brief = MOST_ENTRIES if brief is None else 100 * ENTRIES, brief

    def files(self, folder: Path) -> Iterator[Path]:
        """All files below a folder; where it is walked through briefly, the first of them."""
        if self.brief is not None:
            yield from self._first_files(folder, self.brief)
            return
        for at, folders, names in os.walk(folder):
            self._count(folder, len(folders) + len(names))
            yield from (Path(at) / name for name in names)

    def _first_files(self, folder: Path, brief: Brief) -> Iterator[Path]:
        open_, count = [folder], 0
        while open_:
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
            raise TooManyEntries(folder)


def matching(pattern: str) -> list[str]:
    """Files that match a pattern with `*`, `?`, `[…]`, and with `**` folders in any depth, in order of their names.

    Raises:
        TooManyEntries: there are too many to look at.
    """
    if "**" not in pattern:
        return sorted(glob.glob(pattern))
    parts = pattern.split("/")
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    base = "/".join(parts[:first]) or ("/" if pattern.startswith("/") else ".")
    inside_of = [".*" if part == "**" and part is parts[-1] else _regex(part) for part in parts[first:]]
    wanted = re.compile("/".join(inside_of).replace("(?:.*/)?/", "(?:.*/)?"))
    found = []
    for file in Walk().files(Path(base)):
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
