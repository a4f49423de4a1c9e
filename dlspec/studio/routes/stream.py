"""The one stream of a tab (server-sent events): jobs, runs as they change, and events of the run that is watched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from dlspec.runs.names import EVENTS
from dlspec.studio.guard import Refused
from dlspec.studio.root import Outside
from dlspec.studio.routes.runs import runs_of
from dlspec.studio.studio import Studio, studio_of

LOOKS = 0.1
"""Seconds between two looks at the events of a run."""
LISTS = 1.0
"""Seconds between two looks at all runs."""
MOST_AT_ONCE = 2**22
"""Bytes of events that are read at once."""


async def stream(request: Request) -> Response:
    """`?run=NAME&after=SEQ`: the events of this run behind that one, `runs` and `jobs` whenever they change."""
    studio = studio_of(request)
    run = request.query_params.get("run")
    after = request.query_params.get("after", "0")
    if not after.isdecimal() or len(after) > 15:
        raise Refused(400, "`after` is the number of an event")
    folder = studio.root.path(f"runs/{run}") if run else None
    if folder is not None and folder.is_dir() and not studio.root.holds(folder):
        raise Outside(f"runs/{run}")
    return StreamingResponse(_lines(request, studio, folder, int(after)), media_type="text/event-stream")


async def _lines(request: Request, studio: Studio, folder: Path | None, after: int) -> AsyncIterator[str]:
    tail = Tail(folder / EVENTS, after) if folder else None
    lists: dict[str, Any] = {}
    next_lists, beat = 0.0, 0
    clock = asyncio.get_running_loop().time
    yield ": open\n\n"
    while not await request.is_disconnected():
        studio.queue.page_is_open()
        if tail is not None:
            for line in await run_in_threadpool(tail.read):
                yield f"event: happened\ndata: {line}\n\n"
        jobs = studio.queue.shown()
        if lists.get("jobs") != jobs:
            lists["jobs"], next_lists = jobs, 0.0
            yield f"event: jobs\ndata: {json.dumps(jobs)}\n\n"
        if clock() >= next_lists:
            next_lists = clock() + LISTS
            runs = await run_in_threadpool(runs_of, studio.root)
            if lists.get("runs") != runs:
                lists["runs"] = runs
                yield f"event: runs\ndata: {json.dumps(runs)}\n\n"
        beat += 1
        if beat % 100 == 0:  # so that a connection that is gone shows
            yield ": beat\n\n"
        await asyncio.sleep(LOOKS)


class Tail:
    """Reads what is written behind what it has read, line by line.

    Args:
        path: of `events.jsonl`; it need not exist yet.
        after: events up to this number are left out.
    """

    def __init__(self, path: Path, after: int) -> None:
        self._path, self._after = path, after
        self._at, self._rest = 0, b""

    def read(self) -> list[str]:
        """The lines of new events."""
        try:
            size = self._path.stat().st_size
            if size < self._at:  # a process that goes on has cut off half a line
                self._at, self._rest = 0, b""
            if size == self._at:
                return []
            with self._path.open("rb") as file:
                file.seek(self._at)
                read = file.read(MOST_AT_ONCE)
        except OSError:
            return []
        self._at += len(read)
        *whole, self._rest = (self._rest + read).split(b"\n")
        found = []
        for line in whole:
            try:
                event = json.loads(line)
                new = event["seq"] > self._after
            except (ValueError, KeyError, TypeError):
                continue
            if new:
                self._after = event["seq"]
                found.append(line.decode("utf-8", "replace"))
        return found


ROUTES = [Route("/api/stream", stream)]
