"""A command that goes on when nobody looks any more: the terminal has gone, or whoever read what was printed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from dlspec.language.diagnostics.errors import Terminated


class _Stream:
    """A stream that is quiet once it cannot be written to any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            self._stop()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._stop()

    def _stop(self) -> None:
        """What is still to be written goes nowhere, also what libraries write."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting() -> Iterator[None]:
    """Within it neither a closed terminal nor a closed pipe ends the process, and SIGTERM ends it as Ctrl-C does.

    Libraries in C may answer the KeyboardInterrupt that they are in the way of with an error of their own.
    """
    asked: list[type[KeyboardInterrupt]] = []

    def stop(number: int, frame: Any) -> None:
        asked.append(Terminated if number == signal.SIGTERM else KeyboardInterrupt)
        raise asked[-1]

    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream and _Stream(stream) for stream in streams)
    handled: dict[str, Any] = {"SIGHUP": signal.SIG_IGN, "SIGTERM": stop, "SIGINT": stop}
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name, handler in handled.items():
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None:
                before[number] = signal.signal(number, handler)
    try:
        yield
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception as error:
        if asked:
            raise asked[-1] from error
        raise
    finally:
        sys.stdout, sys.stderr = streams
        for number, handler in before.items():
            signal.signal(number, handler)
