"""Pictures of a training, as the run keeps them."""

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
"""Pictures that are asked for at once."""


async def pictures(request: Request) -> Response:
    """`{run, files}` → each of these pictures by its file; null: it was removed since."""
    body = await body_of(request, run=str, files=list)
    names = body["files"]
    if len(names) > MOST or not all(isinstance(name, str) and _is_picture(name) for name in names):
        raise Refused(400, f"`files` are names of pictures, at most {MOST}")
    folder = studio_of(request).root.run(body["run"])
    return JSONResponse({"pictures": await run_in_threadpool(_read, folder, names)})


def _is_picture(name: str) -> bool:
    return re.fullmatch(rf"{TRAINING_PICTURES}/[\w.-]+\.json", name) is not None and ".." not in name


def _read(folder: Path, names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(names)
    for name in names:
        path = (folder / name).resolve()
        if path.parent != (folder / TRAINING_PICTURES).resolve() or not path.is_relative_to(folder):
            continue
        try:
            found[name] = json.loads(path.read_text(encoding="ascii"))
        except (OSError, ValueError):  # removed, or being written
            continue
    return found


ROUTES = [Route("/api/pictures", pictures, methods=["POST"])]
