"""Ends a run from another thread, process or machine, on every system: a file in its folder asks for it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.folder import Run, open_run
from dlspec.runs.lock import in_use
from dlspec.runs.names import METRICS, STOP
from dlspec.runtime.files import writing_in

LOOKS = 0.1
"""Seconds between two looks at whether a run has ended."""


class StopFile:
    """In the folder of a run that this process trains: whether somebody asked it to end.

    What was asked of an earlier process is forgotten.
    """

    def __init__(self, folder: Path) -> None:
        self._path = os.path.join(folder, STOP)
        self.remove()

    def is_there(self) -> bool:
        return os.path.lexists(self._path)

    def remove(self) -> None:
        with suppress(OSError):
            os.unlink(self._path)


def stop(run: Run | str | Path, *, wait: float = 0.0) -> bool:
    """Asks the process that trains a run to end after its step, as Ctrl-C there does; `resume` goes on.

    A run that is being evaluated already comes to its end instead. In the process itself, a `Listener` whose
    `wants_stop` gives True does the same.

    Args:
        wait: seconds to wait for that at most.

    Returns:
        Whether the run has ended.

    Raises:
        DataError: there is no such run, no process trains it, or nothing can be written there.
    """
    folder = (run if isinstance(run, Run) else open_run(run)).folder
    if in_use(folder) is False:
        how = "is finished" if (folder / METRICS).is_file() else "is not being trained"
        raise DataError.of("run-not-running", f"`{folder}` {how}; there is nothing to stop")
    with writing_in(folder, "let this user write there, or press Ctrl-C where it runs"):
        (folder / STOP).touch()
    until = time.monotonic() + wait
    while runs := in_use(folder) is not False:
        if time.monotonic() >= until:
            break
        time.sleep(LOOKS)
    return not runs
