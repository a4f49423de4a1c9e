"""`files.json`: the files of data that stay on disk, so that a resume reads again only those that have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from dlspec.data.sources.known_files import known_files, take_for_known
from dlspec.runtime.files import write_json
from dlspec.runtime.records import Record, read_record

FILES = "files.json"
MOST_FILES = 1_000_000
"""Of more, all are read again."""
Whole = Annotated[int, Field(ge=-(2**63), lt=2**64)]


class FileRecord(Record):
    """A file as it was when it was read.

    Args:
        modified, changed: the times of its content and of its entry, in nanoseconds since the beginning of 1970.
        content: a digest of what is in it.
    """

    size: Whole
    modified: Whole
    changed: Whole
    inode: Whole
    content: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


def write_files(folder: Path, files: Iterable[Path]) -> None:
    """Writes down what is known of the files of a run, by their paths seen from its folder."""
    known = known_files(files)
    if not known or len(known) > MOST_FILES:
        return
    keys = ("size", "modified", "changed", "inode")
    found = {
        os.path.relpath(path, folder): {**dict(zip(keys, state, strict=True)), "content": digest.hex()}
        for path, (state, digest) in known.items()
    }
    write_json(folder / FILES, found)


def take_files(folder: Path) -> None:
    """Files that are as `write_files` found them are not read again.

    Raises:
        DataError: the list is damaged.
    """
    if not (folder / FILES).is_file():
        return
    found = read_record(folder / FILES, dict[str, FileRecord])
    states = {
        os.path.abspath(folder / path): ((f.size, f.modified, f.changed, f.inode), bytes.fromhex(f.content))
        for path, f in found.items()
    }
    take_for_known(states)
