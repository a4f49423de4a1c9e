"""Texts of specs: checked, explained, read and written."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlspec.runtime.files import write_text
from dlspec.studio.checker import NoAnswer
from dlspec.studio.guard import Refused
from dlspec.studio.root import SPEC_ENDINGS
from dlspec.studio.studio import Studio, body_of, studio_of

PATIENT = 5.0
"""Seconds that an answer about a word may take."""
LONGER = 20.0
"""Seconds that an answer may take for which no key waits."""
MOST_TEXT = 2**20
"""Bytes of a spec that is opened."""


async def check(request: Request) -> Response:
    """`{text, file, fold}` → what `checking.check` says; where there is no answer in time, why as `slow`."""
    body = await body_of(request, text=str, file=str)
    return JSONResponse(await checked(studio_of(request), body["text"], body["file"], _told(body.get("fold"))))


def _told(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


async def checked(studio: Studio, text: str, file: str, fold: bool | None = None) -> dict[str, Any]:
    """The answer of the checker for a text that belongs to a file of the folder.

    Raises:
        Refused: the file is outside of the folder.
    """
    studio.root.path(file)
    try:
        return await studio.checker.ask("check", text=text, file=file, fold=fold)
    except NoAnswer as error:
        return {"slow": str(error)}


async def cure(request: Request) -> Response:
    """`{text, file}` → its diagnostics with cures as edits."""
    body = await body_of(request, text=str, file=str)
    studio = studio_of(request)
    studio.root.path(body["file"])
    return JSONResponse(await _asked(studio, "cure", text=body["text"], file=body["file"]))


async def explain(request: Request) -> Response:
    """`{text, file, language}` → the spec in sentences."""
    body = await body_of(request, text=str, file=str, language=str)
    studio = studio_of(request)
    studio.root.path(body["file"])
    language = "ko" if body["language"] == "ko" else "en"
    return JSONResponse(await _asked(studio, "explain", text=body["text"], file=body["file"], language=language))


async def complete(request: Request) -> Response:
    """`{text, file, line, column, language}` → what may be written there."""
    return await _about_place(request, "complete")


async def hover(request: Request) -> Response:
    """`{text, file, line, column, language}` → what the word there means."""
    return await _about_place(request, "hover")


async def _about_place(request: Request, ask: str) -> Response:
    body = await body_of(request, text=str, file=str, line=int, column=int, language=str)
    studio = studio_of(request)
    studio.root.path(body["file"])
    question = {name: body[name] for name in ("text", "file", "line", "column", "language")}
    try:
        return JSONResponse(await studio.checker.ask(ask, seconds=PATIENT, **question))
    except NoAnswer as error:
        raise Refused(503, str(error)) from None


async def palette(request: Request) -> Response:
    """Layers, blocks and templates."""
    return JSONResponse(await _asked(studio_of(request), "palette"))


async def _asked(studio: Studio, ask: str, **question: Any) -> dict[str, Any]:
    try:
        return await studio.aside.ask(ask, seconds=LONGER, **question)
    except NoAnswer as error:
        raise Refused(503, str(error)) from None


async def listing(request: Request) -> Response:
    """The specs of the folder."""
    return JSONResponse({"files": await run_in_threadpool(studio_of(request).root.specs)})


async def read(request: Request) -> Response:
    """`{file}` → its text, and a mark by which a change by another program shows."""
    body = await body_of(request, file=str)
    path = studio_of(request).root.path(_spec(body["file"]))
    try:
        if path.stat().st_size > MOST_TEXT:
            raise Refused(422, f"`{body['file']}` is too large to be a spec")
        data = await run_in_threadpool(path.read_bytes)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise Refused(404, f"there is no file `{body['file']}`") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(422, f"`{body['file']}` cannot be read: {error}") from None
    return JSONResponse({"text": text, "mark": _mark(data)})


async def write(request: Request) -> Response:
    """`{file, text, mark}` → the new mark; 409 where the file is not what the mark says, or is there and that
    is null, unless `anyway` is true."""
    body = await body_of(request, file=str, text=str)
    path = studio_of(request).root.path(_spec(body["file"]))
    return JSONResponse(await run_in_threadpool(_write, path, body))


def _write(path: Path, body: dict[str, Any]) -> dict[str, str]:
    there = path.read_bytes() if path.is_file() else None
    if there is not None and not body.get("anyway") and _mark(there) != body.get("mark"):
        raise Refused(409, f"`{body['file']}` was changed by another program, or is there already")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, body["text"])
        return {"mark": _mark(path.read_bytes())}
    except OSError as error:
        raise Refused(422, f"`{body['file']}` cannot be written: {error.strerror or error}") from None


def _spec(name: str) -> str:
    """The name of a spec; no other file is written by the page here, and none of a run.

    Raises:
        Refused: it is none.
    """
    if not name.endswith(SPEC_ENDINGS) or name.startswith("runs/"):
        raise Refused(422, "a spec is a file outside of `runs` whose name ends in .yaml")
    return name


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


ROUTES = [
    Route("/api/check", check, methods=["POST"]),
    Route("/api/cure", cure, methods=["POST"]),
    Route("/api/explain", explain, methods=["POST"]),
    Route("/api/complete", complete, methods=["POST"]),
    Route("/api/hover", hover, methods=["POST"]),
    Route("/api/palette", palette),
    Route("/api/files", listing),
    Route("/api/files/read", read, methods=["POST"]),
    Route("/api/files/write", write, methods=["POST"]),
]
