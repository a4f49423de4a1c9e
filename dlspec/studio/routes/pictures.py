"""Pictures of a training, as its run keeps them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlspec.runs.names import TRAINING_PICTURES
from dlspec.studio.guard import Refused
from dlspec.studio.studio import body_of, studio_of

MOST = 64
"""Files of a request."""
NAME = re.compile(rf"{TRAINING_PICTURES}/[\w-]+\.json", re.ASCII)


async def pictures(request: Request) -> Response:
    """`{run, files}` → `{"pictures": {file: object or null}}`; null: the run has removed it since."""
    body = await body_of(request, run=str, files=list)
    files = body["files"]
    if len(files) > MOST or not all(isinstance(name, str) and NAME.fullmatch(name) for name in files):
        raise Refused(400, f"`files` must be a list of at most {MOST} pictures of the run")
    studio = studio_of(request)
    paths = {name: studio.root.path(f"runs/{body['run']}/{name}") for name in files}
    return JSONResponse({"pictures": await run_in_threadpool(_read, paths)})


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, path in paths.items():
        try:
            found[name] = json.loads(path.read_bytes())
        except (OSError, ValueError):
            found[name] = None
    return found


ROUTES = [Route("/api/pictures", pictures, methods=["POST"])]
