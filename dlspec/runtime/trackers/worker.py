"""The process of a tracker: `python -m dlspec.runtime.trackers.worker`.

It reads lines of JSON from its standard input, logs what they say, and answers with lines of JSON on its standard
output. Whatever the tracker's library prints goes nowhere, and the signals that stop a training do not reach it. It
ends a few seconds after the process that trains, whose end closes the input, also when the library hangs.
"""

from __future__ import annotations

import faulthandler
import json
import os
import queue
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from dlspec.runtime.trackers.base import TRACKERS, Ending, OpenTracker, Point, TrackedRun
from dlspec.runtime.trackers.record import TrackerRecord, write_tracker

GRACE = 10.0
"""Seconds to close the tracker in when the training process was killed."""
HANGS = 60
"""Seconds after which a library that keeps Python from running is ended."""
RECORD_EVERY = 1.0
"""Seconds between two records of what was logged."""
MOST_WAITING = 100_000
"""Epochs that wait while the library is busy; what comes then is lost, and counted."""

Say = Callable[..., None]


def main() -> None:
    """Serves one run; never returns, since libraries register what blocks the end of Python."""
    messages, say = _streams()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with suppress(AttributeError, OSError):
        os.nice(10)
    threading.Thread(target=_keep_alive, daemon=True).start()
    try:
        _serve(_Inbox(messages), say)
    finally:
        os._exit(0)


def _streams() -> tuple[BinaryIO, Say]:
    """The messages, and what answers; the streams of Python and of libraries in C lead nowhere."""
    messages, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)

    def say(**answer: Any) -> None:
        with suppress(OSError):
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()

    return messages, say


def _keep_alive() -> None:
    """Ends the process once Python does not run any more: a library hangs in C and lets no other thread on."""
    with open(os.devnull, "w") as nowhere:
        while True:
            faulthandler.dump_traceback_later(HANGS, exit=True, file=nowhere)
            time.sleep(HANGS / 10)


class _Inbox:
    """The messages, read by a thread of its own, whatever the tracker is doing."""

    def __init__(self, stream: BinaryIO) -> None:
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            if self._waiting.qsize() < MOST_WAITING:
                self._waiting.put(json.loads(line))
        self._waiting.put({"end": {"state": "stopped"}})  # the training process was killed
        time.sleep(GRACE)
        os._exit(1)

    def take(self) -> list[dict[str, Any]]:
        """Everything that waits, at least one message."""
        found = [self._waiting.get()]
        while not self._waiting.empty():
            found.append(self._waiting.get())
        return found


def _serve(inbox: _Inbox, say: Say) -> None:
    first, *messages = inbox.take()
    run = TrackedRun(**{**first["run"], "folder": Path(first["run"]["folder"])})
    try:
        kind, opened = _open(first, run)
    except BaseException as error:  # also what ends Python
        say(failed=in_words(error))
        return
    say(where=without_secrets(opened.where), notes=[without_secrets(note) for note in opened.notes])
    log = _Log(kind, opened, run.folder, first["last"], say)
    while True:
        log.add([Point(**message["point"]) for message in messages if "point" in message])
        ends = [message["end"] for message in messages if "end" in message]
        if ends:
            log.end(Ending(**ends[0]))
            return
        messages = inbox.take()


def _open(first: Mapping[str, Any], run: TrackedRun) -> tuple[str, OpenTracker]:
    from dlspec.language.plugins import load

    for path in first["plugins"]:
        load(path)
    tracker = TRACKERS.read(first["tracker"])
    return tracker.type_name, tracker.open(run)


class _Log:
    """Logs epochs, and keeps a record of how far that got."""

    def __init__(self, kind: str, opened: OpenTracker, folder: Path, last: int, say: Say) -> None:
        self.kind, self.opened, self.folder, self.last, self.say = kind, opened, folder, last, say
        self.recorded = 0.0
        self._record()

    def add(self, points: Sequence[Point]) -> None:
        if not points:
            return
        try:
            self.opened.log(points)
        except BaseException as error:
            self.say(trouble=in_words(error))
            return
        self.last = points[-1].number
        self.say(logged=len(points))
        if time.monotonic() - self.recorded > RECORD_EVERY:
            self._record()

    def end(self, ending: Ending) -> None:
        self._record()
        try:
            self.opened.close(ending)
        except BaseException as error:
            self.say(trouble=in_words(error))
        else:
            self.say(closed=True)

    def _record(self) -> None:
        self.recorded = time.monotonic()
        try:
            write_tracker(self.folder, self.kind, TrackerRecord(kept=dict(self.opened.kept), last=self.last))
        except OSError as error:
            self.say(trouble=f"{in_words(error)}; a resumed run will begin a new entry")


def in_words(error: BaseException) -> str:
    """An error in one line, without secrets."""
    text = " ".join(str(error).split())
    short = text if len(text) <= 300 else f"{text[:300]} …"
    return without_secrets(f"{type(error).__name__}: {short}" if short else type(error).__name__)


def without_secrets(text: str) -> str:
    """Passwords in addresses, and keys out of the environment, masked."""
    text = re.sub(r"//[^/@\s]+@", "//***@", text)
    for name, value in os.environ.items():
        if re.search("KEY|TOKEN|PASSWORD|SECRET", name) and len(value) > 5:
            text = text.replace(value, "***")
    return text


if __name__ == "__main__":
    main()
