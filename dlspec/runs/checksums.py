"""Checksums of what a run wrote, as `sha256sum --check SHA256SUMS` reads them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dlspec.language.diagnostics.errors import DataError
from dlspec.runtime.files import write_text

SUMS = "SHA256SUMS"


def write_checksums(folder: Path, but: str) -> None:
    """Of all files at the top of a folder.

    Args:
        but: a file that may be made anew.
    """
    there = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    write_text(folder / SUMS, "".join(f"{_sum(folder / name)}  {name}\n" for name in there if name not in (SUMS, but)))


def read_checksums(folder: Path) -> dict[str, str]:
    """File -> its checksum; empty where the run is not finished."""
    path = folder / SUMS
    if not path.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return {line[1]: line[0] for line in lines if len(line) == 2}


def check_file(path: Path, checksum: str) -> None:
    """Raises DataError where a file is not what was written."""
    if _sum(path) != checksum:
        raise DataError.of(
            "data-unreadable",
            f"`{path}` is damaged, or was changed: its checksum is not that of `{SUMS}`",
            help="copy the run folder again, or run the spec anew; "
            f"`sha256sum --check {SUMS}` says which of its files are whole",
        )


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
