"""The application: what answers at which path."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from . import inference_protocol as protocol
from .guard import Guard
from .openapi import document
from .problems import Refused, said
from .rows import read_json
from .service import Service

PAGES = Path(__file__).with_name("pages")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LARGE_BODY = 2**17
"""Bytes of a body above which it is read beside the other requests."""
Endpoint = Callable[[Request], Awaitable[Response]]


class Answering:
    """An endpoint as an application of its own; the guard answers what it raises."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        response = await self.endpoint(Request(scope))
        await response(scope, receive, send)


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(value), status, headers, "application/json")


@cache
def page(name: str, kind: str) -> Response:
    headers = {"content-security-policy": POLICY, "referrer-policy": "no-referrer", "x-frame-options": "DENY"}
    return Response((PAGES / name).read_text(encoding="utf-8"), headers=headers, media_type=kind)


def application(service: Service) -> Guard:
    """The application of a server, behind its guard."""
    metrics = service.metrics

    async def form(request: Request) -> Response:
        return page("form.html", "text/html")

    async def style(request: Request) -> Response:
        return page("form.css", "text/css")

    async def script(request: Request) -> Response:
        return page("form.js", "text/javascript")

    async def signature(request: Request) -> Response:
        """What the form needs to know."""
        model = service.served.model
        limits = {"rows": service.settings.most_rows, "bytes": service.settings.most_bytes}
        known = {key: model.signature[key] for key in ("name", "task", "inputs", "outputs")}
        shown = model.shown and {"rows": model.shown["rows"][:1]}
        more = {"version": model.version, "runtime": model.runtime, "limits": limits, "shown": shown}
        return as_json({**known, **more, "group": model.signature.get("group")})

    async def predict(request: Request) -> Response:
        served = service.served
        body = request.scope["body"]
        large = len(body) > LARGE_BODY
        rows = await asyncio.to_thread(served.reader.of_body, body) if large else served.reader.of_body(body)
        computed = await served(rows)
        found: dict[str, Any] = {"predictions": computed.predictions}
        if rows.warnings:
            metrics.warnings += len(rows.warnings)
            found["warnings"] = said(rows.warnings)
        return as_json(found)

    async def reload(request: Request) -> Response:
        if service.settings.token is None:
            raise Refused.of(403, "only who has a token may reload", "send the server SIGHUP, or set DLSPEC_TOKEN")
        model = await service.reload()
        return as_json({"name": model.name, "version": model.version})

    async def openapi(request: Request) -> Response:
        return as_json(document(service.served.model, service.settings))

    async def counted(request: Request) -> Response:
        model, waiting = service.served.model, service.served.batcher.rows
        info = {"name": model.name, "version": model.version, "runtime": model.runtime, "dlspec": model.made_by}
        return Response(metrics.text(info, waiting), media_type="text/plain; version=0.0.4")

    async def server(request: Request) -> Response:
        return as_json({"name": "dlspec", "version": service.served.model.made_by, "extensions": []})

    async def live(request: Request) -> Response:
        return as_json({"live": True})

    async def ready(request: Request) -> Response:
        return as_json({"ready": not service.draining}, 503 if service.draining else 200)

    def named(request: Request) -> None:
        name = service.served.model.name
        if request.path_params["name"] != name:
            raise Refused.of(404, "there is no such model", f"ask `/v2/models/{name}`")

    async def model(request: Request) -> Response:
        named(request)
        return as_json(protocol.metadata(service.served.model))

    async def model_ready(request: Request) -> Response:
        named(request)
        return await ready(request)

    async def infer(request: Request) -> Response:
        named(request)
        if "inference-header-content-length" in request.headers:
            raise Refused.of(400, "tensors in binary form are not taken", "send them as JSON")
        served = service.served
        asked = read_json(request.scope["body"])
        rows = protocol.read_tensors(asked, served.model.signature, served.reader)
        computed = await served(rows)
        metrics.warnings += len(rows.warnings)
        return as_json(protocol.answer(served.model, computed.outputs, asked, rows.warnings))

    paths: list[tuple[str, str, Endpoint]] = [
        ("POST", "/predict", predict),
        ("POST", "/v2/models/{name}/infer", infer),
        ("GET", "/v2/health/live", live),
        ("GET", "/v2/health/ready", ready),
        ("GET", "/v2", server),
        ("GET", "/v2/models/{name}", model),
        ("GET", "/v2/models/{name}/ready", model_ready),
        ("GET", "/", form),
        ("GET", "/form.css", style),
        ("GET", "/form.js", script),
        ("GET", "/signature", signature),
        ("GET", "/openapi.json", openapi),
        ("GET", "/metrics", counted),
        ("POST", "/reload", reload),
    ]
    answering = [(method, path, Answering(endpoint)) for method, path, endpoint in paths]
    router = Router([Route(path, each, methods=[method]) for method, path, each in answering], redirect_slashes=False)
    return Guard(router, service, {each: path for _, path, each in answering})
