"""The network of a run on an input of one's own."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlspec.studio.checker import NoAnswer
from dlspec.studio.guard import Refused
from dlspec.studio.studio import body_of, studio_of

GIVEN = ("values", "table", "drawn", "picture", "sound", "text")
"""How an input may be given; see `trying`."""


async def form(request: Request) -> Response:
    """`{run}` → how an input of its network is given. The first time takes seconds: its process is started."""
    return await _asked(request, "form", {})


async def another(request: Request) -> Response:
    """`{run, number}` → a sample of the test part, with its answer."""
    body = await body_of(request, number=int)
    return await _asked(request, "another", {"number": body["number"]})


async def ask(request: Request) -> Response:
    """`{run, …}` with one of `GIVEN` → the answer, what layers make of it, and where the network looks."""
    body = await body_of(request, run=str)
    given = {name: body[name] for name in GIVEN if name in body}
    if len(given) != 1:
        raise Refused(400, f"give one of {', '.join(GIVEN)}")
    return await _asked(request, "ask", given)


async def _asked(request: Request, ask: str, question: dict[str, Any]) -> Response:
    body = await body_of(request, run=str)
    studio = studio_of(request)
    trier = await studio.trier(studio.root.run(body["run"]))
    try:
        found = await trier.ask(ask, **question)
    except NoAnswer as error:
        raise Refused(503, str(error)) from None
    if "error" in found:
        raise Refused(422, found["error"] + (f": {found['help']}" if found.get("help") else ""))
    return JSONResponse(found)


ROUTES = [
    Route("/api/try/form", form, methods=["POST"]),
    Route("/api/try/another", another, methods=["POST"]),
    Route("/api/try/ask", ask, methods=["POST"]),
]
