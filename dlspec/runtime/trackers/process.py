"""A tracker as training sees it: a process that is told things and never waited for, but a little at the end."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dlspec.language import plugins
from dlspec.language.registry import is_own
from dlspec.runtime.trackers.base import Ending, Point, TrackedRun, Tracker

MOST_WAITING = 10_000
"""Epochs that wait while the process does not read."""
_COMMAND = (sys.executable, "-P", "-m", "dlspec.runtime.trackers.worker")


class TrackerProcess:
    """A tracker in a process of its own.

    Threads write into its input and read its answers, so that neither a full pipe nor a process that stands still is
    noticed.

    Args:
        last: the number of the last epoch that was logged before the run was resumed.

    Raises:
        OSError: there can be no process.
    """

    def __init__(self, tracker: Tracker, run: TrackedRun, last: int) -> None:
        self.name, self.last = tracker.type_name, last
        self.offered = self.logged = 0
        self.where = self.problem = ""
        self.closed = self.cut_off = False
        self._messages: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # out of reach of Ctrl-C, and ended with all that it starts
        )
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._write, self._read)]
        for thread in self._threads:
            thread.start()
        own = [] if is_own(type(tracker)) else [str(plugin.path) for plugin in plugins.loaded()]
        told = {**asdict(run), "folder": str(run.folder)}
        self._tell({"tracker": tracker.written(), "run": told, "last": last, "plugins": own})

    def log(self, point: Point) -> None:
        """Passes an epoch on; where too many wait, it is lost."""
        self.offered += 1
        self._tell({"point": asdict(point)})

    def end(self, ending: Ending) -> None:
        """Lets the tracker log how the run ended."""
        self._tell({"end": asdict(ending)})

    def news(self) -> Iterator[str]:
        """What the tracker has said since, in lines that a person should see."""
        while not self._answers.empty():
            answer = self._answers.get()
            self.logged += answer.get("logged", 0)
            self.closed |= "closed" in answer
            if "where" in answer:
                self.where = answer["where"]
                yield f"{self.name}: {self.where}"
                yield from (f"{self.name}: {note}" for note in answer["notes"])
            problem = answer.get("failed") or answer.get("trouble")
            if problem and not self.problem:
                self.problem = problem
                yield f"{self.name}: {problem}; training goes on"

    def wait(self, until: float) -> None:
        """Waits until the process has ended, or ends it at a time of `time.monotonic`."""
        self._threads[1].join(max(0.0, until - time.monotonic()))
        if self._threads[1].is_alive():
            self.cut_off = True
        self.kill()

    def kill(self) -> None:
        """Ends the process with all that it has started; it may be called twice."""
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        with suppress(queue.Full):
            self._messages.put_nowait(None)
        for thread in self._threads:
            thread.join(1.0)

    def summary(self) -> str:
        """What was logged where, and what was lost, in one line."""
        count = (
            f"{self.logged:,} of {self.offered:,} epochs" if self.logged < self.offered else f"{self.logged:,} epochs"
        )
        said = f"{self.name}: {count} logged" + (f"; {self.where}" if self.where else "")
        if not self.closed:
            return f"{said}; how the run ended was not logged: {self._reason()}"
        return said if self.logged == self.offered else f"{said}; lost by {self.problem or 'waiting too long'}"

    def _reason(self) -> str:
        if self.cut_off:
            return "the tracker took too long" + (f" ({self.problem})" if self.problem else "")
        return self.problem or f"its process ended with exit code {self._process.returncode}"

    def _tell(self, message: dict[str, Any]) -> None:
        with suppress(queue.Full):
            self._messages.put_nowait(json.dumps(message).encode() + b"\n")

    def _write(self) -> None:
        assert self._process.stdin is not None, "it is a pipe"
        with suppress(OSError), self._process.stdin as stream:
            while (message := self._messages.get()) is not None:
                stream.write(message)
                stream.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None, "it is a pipe"
        with suppress(OSError, ValueError), self._process.stdout as stream:
            for line in stream:
                self._answers.put(json.loads(line))


def end_all(processes: Sequence[TrackerProcess], seconds: float) -> None:
    """Waits for the processes, all together at most so long, and ends those that take longer.

    Raises:
        KeyboardInterrupt: somebody did not want to wait; the processes are ended all the same.
    """
    until = time.monotonic() + seconds
    try:
        for process in processes:
            process.wait(until)
    finally:
        for process in processes:
            process.kill()


def _environment() -> dict[str, str]:
    """That of this process; modules are found where this one finds them, and no GPU is taken."""
    found = [str(Path(path).absolute()) for path in sys.path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found), "CUDA_VISIBLE_DEVICES": "-1"}
