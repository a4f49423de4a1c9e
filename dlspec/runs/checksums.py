"""Checksums of what a run wrote, as `sha256sum --check SHA256SUMS` reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError, DiagnosticError
from dlspec.runtime.files import write_text
from dlspec.runtime.records import DAMAGED_HELP

SUMS = "SHA256SUMS"


def write_checksums(folder: Path, names: Collection[str] | None = None, *, but: Collection[str] = ()) -> None:
    """Of files at the top of a folder.

    Args:
        names: of the files; None: of all.
        but: files that may be written anew.
    """
    there = [path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    wanted = sorted({*(there if names is None else names)} - {SUMS, *but})
    write_text(folder / SUMS, "".join(f"{sha256_of(folder / name)}  {name}\n" for name in wanted))


def read_checksums(folder: Path) -> dict[str, str]:
    """File -> its checksum; empty where the run is not finished."""
    path = folder / SUMS
    if not path.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return {line[1]: line[0] for line in lines if len(line) == 2}


def check_file(path: Path, checksum: str) -> None:
    """Raises DataError where a file is not what was written."""
    if sha256_of(path) != checksum:
        raise DataError.of(
            "data-unreadable",
            f"`{path}` is damaged, or was changed: its checksum is not that of `{SUMS}`",
            help=f"{DAMAGED_HELP}; `sha256sum --check {SUMS}` says which of its files are whole",
        )


@contextmanager
def fitting_together(folder: Path) -> Iterator[None]:
    """In the block, files of a finished run are used together, which may be changed so that they do not fit.

    Raises:
        DataError: in place of any error that is not reported otherwise, where the files are not those that were
            written, or nobody can tell.
    """
    try:
        yield
    except (DiagnosticError, OSError, MemoryError):
        raise
    except Exception as error:
        changed = _changed(folder)
        if changed == []:  # the files are not to blame
            raise
        which = f"it has no `{SUMS}`" if changed is None else f"changed since the run: {', '.join(changed)}"
        raise DataError(
            [
                Diagnostic(
                    "data-unreadable",
                    f"the files of `{folder}` do not fit each other; {which}",
                    None,
                    notes=(f"{type(error).__name__}: {error}",),
                    help=DAMAGED_HELP,
                )
            ]
        ) from error


def _changed(folder: Path) -> list[str] | None:
    """Files that are not what was written; None where there are no checksums."""
    sums = read_checksums(folder)
    changed = [name for name, sum in sums.items() if not (folder / name).is_file() or sha256_of(folder / name) != sum]
    return changed if sums else None


def sha256_of(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
