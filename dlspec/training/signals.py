"""Signals that stop a training."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dlspec.language.diagnostics.errors import Terminated


@contextmanager
def stop_requests(asked: Callable[[], bool]) -> Iterator[Callable[[], int]]:
    """The signal that asked training to end, or 0. The first one ends it after the step, the second at once.

    Args:
        asked: whether somebody asks for that in another way, as from another thread; it counts as SIGINT.
    """
    if threading.current_thread() is not threading.main_thread():  # where signals do not arrive
        yield lambda: signal.SIGINT if asked() else 0
        return
    requested = 0

    def request(number: int, frame: Any) -> None:
        nonlocal requested
        if requested:
            handler = before[number]
            if callable(handler):
                handler(number, frame)
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        requested = number

    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, request)
    try:
        yield lambda: requested or (signal.SIGINT if asked() else 0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
