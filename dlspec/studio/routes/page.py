"""The page itself, and what tickets open."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dlspec._version import __version__
from dlspec.studio.guard import Refused
from dlspec.studio.studio import studio_of

PAGE = Path(str(files("dlspec.studio").joinpath("page")))


async def index(request: Request) -> Response:
    """The page, in which styles are allowed by a number that is used once."""
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    return HTMLResponse(html.replace("{nonce}", request.scope["nonce"]))


async def about(request: Request) -> Response:
    """What the page has to know before anything else."""
    studio = studio_of(request)
    return JSONResponse({"version": __version__, "folder": studio.root.folder.name or "/", "language": studio.language})


async def ticket(request: Request) -> Response:
    """A report that is shown, or a file that is saved."""
    found = studio_of(request).tickets.take(request.path_params["key"])
    if found is None or not found.path.is_file():
        raise Refused(404, "this address was used already, or is too old")
    return FileResponse(found.path, media_type=found.media_type, filename=found.name)


ROUTES = [
    Route("/", index),
    Route("/api/about", about),
    Route("/t/{key}", ticket),
    Mount("/assets", StaticFiles(directory=PAGE / "assets", check_dir=False)),
]
