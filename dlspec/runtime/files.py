"""Writing whole files or none, and nowhere else."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dlspec.language.diagnostics.errors import DataError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which becomes `path` at the end; on an error `path` stays as it was.

    A link stays, and its target is written. What is no file, such as a device or a pipe, is written to, not replaced.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not (path.is_file() or path.is_dir()):
        with TemporaryDirectory() as folder:
            draft = Path(folder) / path.name
            yield draft
            with draft.open("rb") as whole, path.open("wb") as out:
                shutil.copyfileobj(whole, out)
        return
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
        _keep_names(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def writing_in(folder: Path, help: str) -> Iterator[None]:
    """Puts into words why something could not be written: a full disk, a folder that may only be read.

    Args:
        help: what to do then.
    """
    try:
        yield
    except BrokenPipeError:  # whoever reads what is printed has gone
        raise
    except OSError as error:
        raise cannot_write(error.filename or folder, error, help) from error


def cannot_write(place: str | Path, error: OSError, help: str) -> DataError:
    """A file or folder that the system does not let be written."""
    reason = (error.strerror or str(error)).lower()
    return DataError.of("cannot-write", f"cannot write `{place}`: {reason}", help=help)


def _keep_names(folder: Path) -> None:
    """Lets names survive a loss of power, where the system can."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def remove_drafts(folder: Path) -> None:
    """Removes what a process that was killed left half written; only while no other writes there."""
    for path in [*folder.glob(".*"), *folder.glob("*/.*")]:
        if path.is_file() and re.fullmatch(r"\..+\.\d+(\.\w+)?|\.features-.*", path.name):
            path.unlink()


def check_links(folder: Path) -> None:
    """Raises DataError where something in a folder is a link that leads out of it: a folder may come from others."""
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise DataError.of(
                "outside-run",
                f"`{path}` is a link that leads out of the run folder, to `{path.resolve()}`",
                help="put the file itself there",
            )


def write_text(path: Path, text: str) -> None:
    with written_whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, values: Any) -> None:
    """Indented JSON; a number that is not finite becomes null, since JSON has none."""
    write_text(path, json.dumps(finite(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def finite(values: Any) -> Any:
    """Plain values with None for numbers that are not finite, since JSON has none."""
    if isinstance(values, dict):
        return {key: finite(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [finite(value) for value in values]
    if isinstance(values, float) and (values != values or values in (float("inf"), float("-inf"))):
        return None
    return values
