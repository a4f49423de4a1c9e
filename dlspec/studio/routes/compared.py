"""Runs side by side, and what each is like in a line."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlspec.runs.names import HISTORY
from dlspec.studio.guard import Refused
from dlspec.studio.routes.data import asked
from dlspec.studio.studio import body_of, studio_of

POINTS, MOST_RUNS = 40, 400
"""Of a line of losses; and runs of which there are some."""


async def compare(request: Request) -> Response:
    """`{runs}`, two or more that are finished → what differs, metrics with intervals, and curves."""
    body = await body_of(request, runs=list)
    names = body["runs"]
    if not 2 <= len(names) <= 6 or not all(isinstance(name, str) for name in names):
        raise Refused(400, "`runs` are the names of two to six runs")
    studio = studio_of(request)
    folders = [str(studio.root.run(name)) for name in names]
    return JSONResponse(await asked(studio, "compare", folders=folders, names=names))


async def sparklines(request: Request) -> Response:
    """`{runs}` → of each the losses of its last stage, held out where there are some."""
    body = await body_of(request, runs=list)
    root = studio_of(request).root
    names = [name for name in body["runs"] if isinstance(name, str)][:MOST_RUNS]
    folders = {name: root.run(name) for name in names}
    return JSONResponse({"lines": await run_in_threadpool(lambda: {n: _line(f) for n, f in folders.items()})})


def _line(folder: Path) -> list[float]:
    rows = []
    with suppress(OSError, ValueError), (folder / HISTORY).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.append((row["stage"], float(row.get("val_loss") or row["loss"])))
    values = [value for stage, value in rows if stage == rows[-1][0]]
    step = max(1, -(-len(values) // POINTS))
    return values[::step]


ROUTES = [
    Route("/api/compare", compare, methods=["POST"]),
    Route("/api/compare/lines", sparklines, methods=["POST"]),
]
