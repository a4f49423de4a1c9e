"""A run folder is written by one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from dlspec.language.diagnostics.errors import DataError
from dlspec.runtime.files import cannot_write, remove_drafts

LOCK = ".lock"


def in_use(folder: Path) -> bool | None:
    """Whether a process is writing a run folder now; None: this user, or this file system, cannot tell."""
    if not (folder / LOCK).exists():
        return False
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except (NotImplementedError, OSError):
        return None
    lock.release()
    return False


@contextmanager
def only_here(folder: Path) -> Iterator[None]:
    """Holds a run folder. A process that dies lets go of it, however it dies.

    Raises:
        DataError: another process holds it.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DataError.of(
            "run-in-use",
            f"`{folder}` is in use: another process is training in it",
            help="wait until it ends, or stop it",
        ) from None
    except NotImplementedError:  # a file system without locks
        yield
        return
    except OSError as error:
        raise cannot_write(folder, error, "make room, or let this user write there") from error
    try:
        remove_drafts(folder)
        yield
    finally:
        with suppress(OSError):  # Windows keeps what is open
            (folder / LOCK).unlink()
        lock.release()
