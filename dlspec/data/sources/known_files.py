"""The content of files that stay on disk, each read once for it: what has the same size, times and inode is the same.

The time of the last change of a file's entry is among them, which nobody can set: what was written over is noticed also
where its size and time were put back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dlspec.language.diagnostics.errors import DataError

State = tuple[int, int, int, int]
"""Size, time of the content, time of the entry, both in nanoseconds, and inode."""
Known = Mapping[str, tuple[State, bytes]]
"""Absolute path -> the state that a file was in, and the digest of its content."""

_KNOWN: dict[str, tuple[State, bytes]] = {}

AT_A_TIME = 2**20
"""Bytes that are read in one call."""


def digest_of(file: Path) -> bytes:
    """16 bytes that tell whether two files hold the same.

    Raises:
        DataError: it cannot be read.
    """
    path = absolute(file)
    try:
        known = _KNOWN.get(path)
        if known is None or known[0] != _state(os.stat(path)):
            known = _KNOWN[path] = _read(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError.of("data-unreadable", f"cannot read `{file.name}`: {reason}") from None
    return known[1]


def known_files(files: Iterable[Path]) -> Known:
    """What is known of some files, without reading any."""
    paths = map(absolute, files)
    return {path: _KNOWN[path] for path in paths if path in _KNOWN}


def take_for_known(files: Known) -> None:
    """Files that are as they were then are not read again."""
    _KNOWN.update(files)


def forget_files() -> None:
    """All files are read again."""
    _KNOWN.clear()


def absolute(file: Path) -> str:
    """Where a file is, from the root on."""
    path = str(file)
    return path if path.startswith(os.sep) and ".." not in path else os.path.abspath(path)


def _read(path: str) -> tuple[State, bytes]:
    """The state that a file has while it is read, and the digest of what is in it."""
    import hashlib

    digest = hashlib.sha256()  # which processors have instructions for
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        state = _state(os.fstat(file))
        while content := os.read(file, AT_A_TIME):
            digest.update(content)
    finally:
        os.close(file)
    return state, digest.digest()[:16]


def _state(found: os.stat_result) -> State:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
