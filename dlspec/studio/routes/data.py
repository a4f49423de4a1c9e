"""Data: files that are dropped, the first spec for them, and what the columns of a spec are like."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlspec.studio.checker import NoAnswer
from dlspec.studio.guard import Refused
from dlspec.studio.root import RUNS
from dlspec.studio.studio import Studio, body_of, studio_of

ENDINGS = (
    ".csv", ".tsv", ".txt", ".md", ".json", ".jsonl", ".xlsx", ".parquet", ".npz", ".npy", ".ts", ".arff", ".gz",
    ".bz2", ".xz", ".zip", ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".wav",
)  # fmt: skip
"""How the names of files end that are taken: data, never code or pages."""
MOST_LISTED, MOST_DEEP = 400, 3
CLASS_FILE = r"[\w .()-]{1,60}"
MOST_DRAWN = 2**21
"""Bytes of one picture or sound that is made on the page."""


async def listing(request: Request) -> Response:
    """Files and folders of the root that hold data, and the built-in datasets."""
    studio = studio_of(request)
    files = await run_in_threadpool(_files, studio)
    return JSONResponse({"files": files, "datasets": (await asked(studio, "datasets"))["datasets"]})


def _files(studio: Studio) -> list[dict[str, Any]]:
    """Files of data; a folder with files that are samples is one entry."""
    found: list[dict[str, Any]] = []
    for place, folders, files in os.walk(studio.root.folder):
        below = Path(place).relative_to(studio.root.folder)
        hidden = [name for name in folders if name.startswith(".") or (not below.parts and name == RUNS)]
        folders[:] = sorted({*folders} - {*hidden}) if len(below.parts) < MOST_DEEP else []
        samples = [name for name in files if name.lower().endswith((".png", ".jpg", ".jpeg", ".wav", ".txt"))]
        classes = [name for name in folders if _has_samples(Path(place) / name)]
        if below.parts and (classes or len(samples) > 1):
            found.append({"path": below.as_posix(), "folder": True, "bytes": 0})
            folders[:] = []
            continue
        for name in sorted(files):
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                size = (Path(place) / name).stat().st_size
                found.append({"path": (below / name).as_posix(), "folder": False, "bytes": size})
        if len(found) >= MOST_LISTED:
            break
    return found[:MOST_LISTED]


def _has_samples(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.name.lower().endswith((".png", ".jpg", ".jpeg", ".wav", ".txt")) for entry in entries)


async def upload(request: Request) -> Response:
    """A file that is dropped, `?name=`, into the root: its bytes as they are. Another of its name gets a number."""
    studio = studio_of(request)
    name = request.query_params.get("name", "")
    if "/" in name or not name.lower().endswith(ENDINGS):
        raise Refused(422, f"data are in files that end in {', '.join(ENDINGS[:10])} and the like")
    path = studio.root.path(name)
    draft = studio.root.home / "tmp" / f"upload-{os.getpid()}-{id(request)}"
    draft.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    try:
        with draft.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                await run_in_threadpool(file.write, chunk)
        stem, suffix = path.name.partition(".")[0], "".join(path.suffixes)
        number = 1
        while path.exists():
            if size == path.stat().st_size and await run_in_threadpool(_same, path, draft):
                return JSONResponse({"path": studio.root.name(path), "bytes": size})
            number += 1
            path = studio.root.path(f"{stem}_{number}{suffix}")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return JSONResponse({"path": studio.root.name(path), "bytes": size})


def _same(one: Path, other: Path) -> bool:
    with one.open("rb") as ours, other.open("rb") as theirs:
        while True:
            a, b = ours.read(2**20), theirs.read(2**20)
            if a != b:
                return False
            if not a:
                return True


async def sample(request: Request) -> Response:
    """`{folder, label, data, kind}`: a picture (PNG) or sound (WAV) made on the page, in base64, into the folder of its
    class."""
    body = await body_of(request, folder=str, label=str, data=str, kind=str)
    if body["kind"] not in ("png", "wav"):
        raise Refused(422, "a sample is a picture or a sound")
    for name in (body["folder"], body["label"]):
        if not re.fullmatch(CLASS_FILE, name) or name.startswith((".", " ")) or name == RUNS:
            raise Refused(422, f"`{name}` cannot be the name of a folder")
    try:
        content = base64.b64decode(body["data"], validate=True)
    except ValueError:
        raise Refused(400, "`data` is not base64") from None
    heads = {"png": b"\x89PNG\r\n\x1a\n", "wav": b"RIFF"}
    if len(content) > MOST_DRAWN or not content.startswith(heads[body["kind"]]):
        raise Refused(422, "this is no such picture or sound, or it is too large")
    root = studio_of(request).root
    place = root.path(f"{body['folder']}/{body['label']}")
    return JSONResponse(await run_in_threadpool(_keep, place, content, body["kind"]))


def _keep(place: Path, content: bytes, kind: str) -> dict[str, int]:
    place.mkdir(parents=True, exist_ok=True)
    count = sum(path.suffix == f".{kind}" for path in place.iterdir())
    while True:
        path = place / f"{count + 1:04d}.{kind}"
        try:
            with path.open("xb") as file:
                file.write(content)
            return {"count": count + 1}
        except FileExistsError:
            count += 1


async def look(request: Request) -> Response:
    """`{text, file}` → the columns, samples and parts of its data."""
    body = await body_of(request, text=str, file=str)
    studio = studio_of(request)
    return JSONResponse(await asked(studio, "data", text=body["text"], file=str(studio.root.path(body["file"]))))


async def init(request: Request) -> Response:
    """`{data, language}`, and perhaps `target` → a first spec for a file, folder or built-in dataset."""
    body = await body_of(request, data=str, language=str)
    studio, target = studio_of(request), body.get("target")
    built_in = body.get("built_in") is True
    given = body["data"] if built_in else studio.root.name(studio.root.path(body["data"]))
    beside = str(Path(given).name if built_in else Path(given).with_suffix(".yaml").name)
    language = "ko" if body["language"] == "ko" else "en"
    target = target if isinstance(target, str) else None
    return JSONResponse(await asked(studio, "init", data=given, beside=beside, target=target, language=language))


async def retype(request: Request) -> Response:
    """`{text, file, column, type}` → the text in which the column has this type; null: is left out."""
    body = await body_of(request, text=str, file=str, column=str)
    studio, kind = studio_of(request), body.get("type")
    if kind is not None and not isinstance(kind, str):
        raise Refused(400, "`type` is a name or null")
    file = str(studio.root.path(body["file"]))
    return JSONResponse(await asked(studio, "retype", text=body["text"], file=file, column=body["column"], type=kind))


async def rows(request: Request) -> Response:
    """`{run, rows}` → these rows of its data."""
    body = await body_of(request, run=str, rows=list)
    studio = studio_of(request)
    wanted = [int(row) for row in body["rows"] if isinstance(row, int | str) and str(row).isdecimal()]
    folder = str(studio.root.run(body["run"]))
    return JSONResponse(await asked(studio, "samples", folder=folder, rows=wanted[:60]))


async def asked(studio: Studio, ask: str, **question: Any) -> dict[str, Any]:
    """What the process that looks at data says.

    Raises:
        Refused: it cannot be said (422), or took too long (503).
    """
    try:
        found = await studio.looker.ask(ask, **question)
    except NoAnswer as error:
        raise Refused(503, str(error)) from None
    if "error" in found:
        raise Refused(422, found["error"] + (f": {found['help']}" if found.get("help") else ""))
    return found


ROUTES = [
    Route("/api/data", listing),
    Route("/api/data/look", look, methods=["POST"]),
    Route("/api/data/init", init, methods=["POST"]),
    Route("/api/data/retype", retype, methods=["POST"]),
    Route("/api/data/rows", rows, methods=["POST"]),
    Route("/api/data/sample", sample, methods=["POST"]),
    Route("/api/uploads/data", upload, methods=["POST"]),
]
