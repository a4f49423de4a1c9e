"""Runs: trained, stopped, gone on with, and what they came to."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlspec.evaluation.metrics import METRICS as METRIC_KINDS
from dlspec.language.diagnostics.errors import DataError
from dlspec.model.weights import RESOLVED
from dlspec.runs.listing import RunSummary, list_runs, summarize
from dlspec.runs.names import DATA, HISTORY, METRICS, PREDICTIONS, REPORT, SPEC
from dlspec.runs.stopping import stop as stop_run
from dlspec.spec.checks.base import STOPS_A_RUN
from dlspec.studio.guard import Refused
from dlspec.studio.root import Root
from dlspec.studio.routes.specs import checked
from dlspec.studio.studio import body_of, studio_of

MOST_CLASSES, MOST_ROWS = 40, 1000
"""Of a table of confusions, and of the rows that are listed for a cell of it."""


async def listing(request: Request) -> Response:
    """All runs of the folder, the newest last, and the jobs that have none yet."""
    studio = studio_of(request)
    runs = await run_in_threadpool(runs_of, studio.root)
    return JSONResponse({"runs": runs, "jobs": studio.queue.shown()})


def runs_of(root: Root) -> list[dict[str, Any]]:
    """What `list_runs` says of each, with paths relative to the root."""
    if not root.runs.is_dir():
        return []
    found = [summary for summary in list_runs(root.runs) if root.holds(summary.folder)]
    return [{**summary.as_json(), "folder": root.name(summary.folder)} for summary in found]


async def train(request: Request) -> Response:
    """`{text, file}` → the job that trains it; 422 with what is wrong where it cannot."""
    body = await body_of(request, text=str, file=str)
    studio = studio_of(request)
    answer = await checked(studio, body["text"], body["file"])
    if "diagnostics" not in answer:
        raise Refused(503, answer.get("slow") or answer.get("error") or "the spec could not be checked")
    stopping = [d for d in answer["diagnostics"] if d["severity"] == "error" or d["code"] in STOPS_A_RUN]
    if stopping:
        return JSONResponse({"error": stopping[0]["message"], "diagnostics": stopping}, 422)
    job = studio.queue.add("run", name=answer["name"], text=body["text"], file=body["file"])
    return JSONResponse({"job": job})


async def go_on(request: Request) -> Response:
    """`{run}` → the job that goes on with it, exactly as if it had not been stopped."""
    body = await body_of(request, run=str)
    studio = studio_of(request)
    folder = studio.root.run(body["run"])
    state = (await run_in_threadpool(summarize, folder)).state
    if state in ("running", "finished", "unreadable"):
        raise Refused(409, f"the run is {state}; there is nothing to go on with")
    if any(job["run"] == f"runs/{body['run']}" and job["state"] != "failed" for job in studio.queue.jobs()):
        raise Refused(409, "the run waits for its turn already")
    return JSONResponse({"job": studio.queue.add("resume", run=body["run"])})


async def stop(request: Request) -> Response:
    """`{run}`: it ends after its step, and can be gone on with."""
    body = await body_of(request, run=str)
    folder = studio_of(request).root.run(body["run"])
    try:
        await run_in_threadpool(stop_run, folder)
    except DataError as error:
        raise Refused(409, error.diagnostics[0].message) from None
    return JSONResponse({})


async def cancel(request: Request) -> Response:
    """`{job}`: one that waits, is starting or failed without a run is taken away."""
    body = await body_of(request, job=str)
    if not studio_of(request).queue.remove(body["job"]):
        raise Refused(404, "there is no such job; its run may have begun")
    return JSONResponse({})


async def show(request: Request) -> Response:
    """`{run}` → its state, spec, history, metrics and classes, as far as it has them."""
    body = await body_of(request, run=str)
    root = studio_of(request).root
    folder = root.run(body["run"])
    return JSONResponse(await run_in_threadpool(shown, root, folder))


def shown(root: Root, folder: Path) -> dict[str, Any]:
    """What the page shows of a run beside its events."""
    summary = summarize(folder)
    metrics, data = _json(folder / METRICS), _json(folder / DATA)
    return {
        **summary.as_json(),
        "name": folder.relative_to(root.runs).as_posix(),
        "folder": root.name(folder),
        "text": _text(folder / SPEC) or _text(folder / RESOLVED),
        "history": _history(folder / HISTORY),
        "metrics": metrics,
        "target": data.get("target") if isinstance(data, dict) else None,
        "report": (folder / REPORT).is_file(),
        "shown": _shown(summary),
        "confusion": _confusion(folder / PREDICTIONS, data),
    }


def _confusion(path: Path, data: Any) -> dict[str, Any] | None:
    """How many samples of each class of the test part were taken for which, and which rows of the data these are; None
    where no single class is predicted, or of too many."""
    target = data.get("target") if isinstance(data, dict) else None
    if not isinstance(target, dict) or target.get("kind") != "class" or target.get("places"):
        return None
    classes = [str(name) for name in target.get("classes") or []]
    if not 2 <= len(classes) <= MOST_CLASSES:
        return None
    place = {name: number for number, name in enumerate(classes)}
    counts = [[0] * len(classes) for _ in classes]
    rows: dict[str, list[str]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                truth, taken = place[line["truth"]], place[line["network"]]
                counts[truth][taken] += 1
                found = rows.setdefault(f"{truth},{taken}", [])
                if len(found) < MOST_ROWS:
                    found.append(line["row"])
    except (OSError, ValueError, KeyError):  # not finished, or of another form
        return None
    return {"classes": classes, "counts": counts, "rows": rows}


def _shown(summary: RunSummary) -> dict[str, str] | None:
    """The metric that a run is judged by, in words: its label, its value, where that lies with 95% confidence, and the
    value of the best guess under `other`."""
    if summary.metric is None or summary.metric not in METRIC_KINDS or summary.value is None:
        return None
    kind = METRIC_KINDS[summary.metric]
    interval = {"interval": kind.show_interval(summary.interval)} if summary.interval else {}
    values = kind.show_all([summary.value, summary.baseline_value])
    other = {"other": values[1]} if summary.baseline_value is not None else {}
    return {"metric": kind.label, "value": values[0], **interval, **other}


def _json(path: Path) -> Any:
    with suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    return None


def _text(path: Path) -> str | None:
    with suppress(OSError, ValueError):
        return path.read_text(encoding="utf-8")
    return None


def _history(path: Path) -> list[dict[str, Any]]:
    """Rows of `history.csv` with numbers as such; empty cells are None."""
    rows = []
    with suppress(OSError, ValueError), path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            with suppress(ValueError, TypeError):
                numbers = {key: float(value) if value else None for key, value in row.items() if key != "stage"}
                rows.append({**numbers, "stage": row["stage"]})
    return rows


async def report(request: Request) -> Response:
    """`{run, save}` → an address that shows or saves its report, once."""
    body = await body_of(request, run=str)
    studio = studio_of(request)
    path = studio.root.run(body["run"]) / REPORT
    if not path.is_file() or not path.resolve().is_relative_to(studio.root.folder):
        raise Refused(404, "this run has no report yet")
    name = f"{body['run'].replace('/', '_')}.html" if body.get("save") else None
    return JSONResponse({"address": studio.tickets.make(path, "text/html; charset=utf-8", name)})


ROUTES = [
    Route("/api/runs", listing),
    Route("/api/runs/train", train, methods=["POST"]),
    Route("/api/runs/resume", go_on, methods=["POST"]),
    Route("/api/runs/stop", stop, methods=["POST"]),
    Route("/api/runs/cancel", cancel, methods=["POST"]),
    Route("/api/runs/show", show, methods=["POST"]),
    Route("/api/runs/report", report, methods=["POST"]),
]
