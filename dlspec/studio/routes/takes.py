"""What is taken away from a run: models, Python, predictions, and all of it as one archive."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlspec.runs.names import METRICS, PREDICTIONS
from dlspec.studio.checker import environment, plugins
from dlspec.studio.guard import Refused
from dlspec.studio.routes.data import asked
from dlspec.studio.studio import Studio, body_of, studio_of

LONGEST = 600.0
"""Seconds that it may take to make one."""
ZIP, CSV = "application/zip", "text/csv; charset=utf-8"


async def offers(request: Request) -> Response:
    """The formats, with the modules that this machine lacks for each."""
    return JSONResponse(await asked(studio_of(request), "formats"))


async def make(request: Request) -> Response:
    """`{run, what}` → an address that saves it, once, what is in it and how it was proven.

    `what` is a format, `python`, `archive` or `predictions`.
    """
    body = await body_of(request, run=str, what=str)
    studio = studio_of(request)
    folder, what = studio.root.run(body["run"]), body["what"]
    name = body["run"].replace("/", "_")
    if what == "predictions":
        path = folder / PREDICTIONS
        if not path.is_file() or not path.resolve().is_relative_to(studio.root.folder):
            raise Refused(404, "this run has no predictions yet")
        return JSONResponse({"address": studio.tickets.make(path, CSV, f"{name}.csv"), "bytes": path.stat().st_size})
    if not (folder / METRICS).is_file():
        raise Refused(409, "this run is not finished; there is nothing to take away")
    if what not in (await asked(studio, "formats"))["names"]:
        raise Refused(404, f"there is no format `{what}`")
    out = studio.root.home / "taken" / f"{name}_{what}.zip"
    async with studio.makes:  # two at a time would slow each other
        found = await _made(studio, folder, what, out)
    if "error" in found:
        raise Refused(422, found["error"] + (f": {found['help']}" if found.get("help") else ""))
    address = studio.tickets.make(out, ZIP, out.name)
    return JSONResponse({**found, "address": address, "name": out.name, "bytes": out.stat().st_size})


async def _made(studio: Studio, folder: Path, what: str, out: Path) -> dict[str, Any]:
    temporary = studio.root.home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dlspec.studio.taking", str(studio.root.folder), str(folder), what, str(out), *plugins(),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment(TMPDIR=str(temporary), TEMP=str(temporary)),
    )  # fmt: skip
    try:
        printed, errors = await asyncio.wait_for(process.communicate(), LONGEST)
    except (TimeoutError, asyncio.CancelledError) as error:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, asyncio.CancelledError):
            raise
        return {"error": f"it took longer than {LONGEST:g} seconds"}
    try:
        found: dict[str, Any] = json.loads(printed)
    except ValueError:
        last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return {"error": last or "its process ended without a word"}
    return found


ROUTES = [
    Route("/api/take", offers),
    Route("/api/take/make", make, methods=["POST"]),
]
