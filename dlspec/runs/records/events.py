"""`events.jsonl`, read: a line of JSON for each event of a run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlspec.runs.names import EVENTS
from dlspec.runtime.records import damaged, read_whole

Event = Mapping[str, Any]
"""`seq` counts the events of a run from 1, `time` is when it happened, `event` what; the rest depends on that."""
TAIL = 65_536
"""Bytes at the end of the file among which its last line is sought."""


def read_events(folder: Path, after: int = 0) -> list[Event]:
    """The events of a run in order, all its legs together; a last line that is being written is left out.

    Args:
        after: the `seq` of the last event that is known already.

    Raises:
        DataError: a line is no event.
    """
    path = folder / EVENTS
    if not path.exists():  # as of runs of older versions
        return []
    text = read_whole(path).decode("utf-8", "replace")
    found, problems = list[Event](), list[str]()
    whole, _, _ = text.rpartition("\n")
    for line, written in enumerate(whole.split("\n") if whole else [], start=1):
        event = _event(written)
        if event is None:
            problems.append(f"line {line} is no event")
        elif event["seq"] > after:
            found.append(event)
    if problems:
        raise damaged(path, problems)
    return found


def _event(line: str) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    known = isinstance(event, dict) and isinstance(event.get("seq"), int) and isinstance(event.get("event"), str)
    return event if known else None


def last_seq(path: Path) -> int:
    """The number of the last event that was written whole; what a killed process left of a line is cut off."""
    with suppress(OSError), path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        begins = file.seek(max(0, size - TAIL))
        tail = file.read()
        whole = tail.rpartition(b"\n")[0]
        if len(whole) + 1 < len(tail):
            file.truncate(begins + (len(whole) + 1 if whole else 0))
        last = _event(whole.rpartition(b"\n")[2].decode("utf-8", "replace"))
        return 0 if last is None else last["seq"]
    return 0
