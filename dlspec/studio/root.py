"""The one folder that the studio reads and writes: no path leads out of it, not by links either."""

from __future__ import annotations

import os
import re
from pathlib import Path

HOME = ".dlspec-studio"
"""The folder below the root in which the studio keeps jobs that wait and what their processes print."""
RUNS = "runs"
SPEC_ENDINGS = (".yaml", ".yml")
MOST_DEEP, MOST_FILES = 4, 500
"""How far below the root specs are listed, and how many."""


ODD = r'[\x00-\x1f\\:*?"<>|]'
"""Characters that some system does not take in the name of a file."""


class Outside(Exception):
    """A path that is not of the folder of the studio."""

    def __init__(self, path: str) -> None:
        super().__init__(f"`{path}` is not a path in the folder of the studio")


class Root:
    """A folder whose files the page names by paths relative to it, with `/` between the parts.

    Args:
        folder: it must exist.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve(strict=True)

    @property
    def home(self) -> Path:
        return self.folder / HOME

    @property
    def runs(self) -> Path:
        return self.folder / RUNS

    def path(self, relative: str) -> Path:
        """The file or folder of a relative path, links resolved; it need not exist.

        Raises:
            Outside: the path is absolute, has `..` or a hidden part, or a link on the way leads out of the root.
        """
        parts = relative.split("/")
        if any(not part or part.startswith(".") or re.search(ODD, part) for part in parts):
            raise Outside(relative)
        found = Path(os.path.realpath(self.folder / relative))
        if not found.is_relative_to(self.folder) or found.is_relative_to(self.home):
            raise Outside(relative)
        return found

    def run(self, name: str) -> Path:
        """The folder of a run, by its path below `runs`.

        Raises:
            Outside: as `path`; there is no such folder, or a link in it leads out of the root.
        """
        found = self.path(f"{RUNS}/{name}")
        if not found.is_dir() or not self.holds(found):
            raise Outside(f"{RUNS}/{name}")
        return found

    def holds(self, folder: Path) -> bool:
        """Whether a folder and all that is directly in it lies in the root, links resolved."""
        try:
            with os.scandir(folder) as entries:
                links = [entry.path for entry in entries if entry.is_symlink()]
        except OSError:
            return False
        return all(Path(os.path.realpath(path)).is_relative_to(self.folder) for path in (str(folder), *links))

    def name(self, path: Path) -> str:
        """The relative path of a file or folder, as the page names it."""
        return path.relative_to(self.folder).as_posix()

    def specs(self) -> list[str]:
        """Relative paths of the specs in the folder and below, in order; those of runs are not listed."""
        found: list[str] = []
        for place, folders, files in os.walk(self.folder):
            below = Path(place).relative_to(self.folder)
            hidden = [name for name in folders if name.startswith(".") or (place == str(self.folder) and name == RUNS)]
            folders[:] = sorted({*folders} - {*hidden}) if len(below.parts) < MOST_DEEP else []
            found += [(below / name).as_posix() for name in files if name.endswith(SPEC_ENDINGS) and name[0] != "."]
            if len(found) >= MOST_FILES:
                break
        return sorted(found, key=lambda name: (name.count("/"), name))[:MOST_FILES]
