"""What every request passes first: who asks, from where, how large it is, and how long it takes to arrive."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from .problems import Refused, said
from .service import Service
from .settings import LOCAL

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PUBLIC = ("/", "/form.css", "/form.js", "/v2/health/live", "/v2/health/ready")
"""Paths that say nothing of the network."""
ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
DRAINED_BYTES, DRAINED_SECONDS = 2**28, 2.0
"""What is read on of a body that is too large, so that who sends it comes to read the answer."""
UNFINISHED = "other"


class CutOff(Exception):
    """Whoever asked is gone."""


class Guard:
    """Wraps the application.

    Args:
        app: takes the body as `scope["body"]`.
        paths: endpoint -> the path that it is counted under.
    """

    def __init__(self, app: App, service: Service, paths: dict[Any, str]) -> None:
        self.app, self.service, self.paths = app, service, paths
        settings = service.settings
        self.hosts = {*LOCAL, "[::1]", settings.host} if settings.is_local else None
        self.token = None if settings.token is None else settings.token.encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 499

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *ALWAYS]
                if self.service.draining:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            headers = dict(scope["headers"])
            self._check(scope, headers)
            scope["body"], scope["app"] = b"", self  # with an app, Starlette's router raises what it does not find
            if scope["method"] not in ("GET", "HEAD"):
                scope["body"] = await self._body(headers, receive)
            await self.app(scope, receive, counted)
        except Refused as error:
            await answer_error(scope, error, counted)
        except CutOff:
            pass
        except HTTPException as error:
            await answer_error(scope, _of_http(scope, error), counted)
        except RecursionError:
            help = "write it as `/openapi.json` shows"
            await answer_error(scope, Refused.of(400, "the JSON is nested too deeply", help), counted)
        except Exception:
            logging.getLogger("uvicorn.error").exception("a request failed")
            help = "what went wrong is printed where it runs"
            await answer_error(scope, Refused.of(500, "the server failed", help), counted)
        finally:
            path = self.paths.get(scope.get("endpoint"), UNFINISHED)
            self.service.metrics.answered(path, status, time.perf_counter() - began)

    def _check(self, scope: MutableMapping[str, Any], headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1")
        if self.hosts is not None and host and _name_of(host) not in self.hosts:
            help = f"ask {self.service.settings.host}, or start the server with `--host` and a token"
            raise Refused.of(421, "this server answers on this machine only", help)
        if scope["method"] not in ("GET", "HEAD"):
            origin = headers.get(b"origin")
            foreign = origin is not None and origin.decode("latin-1").partition("://")[2] != host
            if foreign or headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site"):
                raise Refused.of(403, "a page of another site asked", "ask from the server's own page, or a program")
        if self.token is not None and scope["path"] not in PUBLIC:
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, b"Bearer " + self.token):
                help = "send the header `Authorization: Bearer TOKEN`"
                why = "the token is another one" if given else "there is no token"
                raise Refused.of(401, why, help, www_authenticate="Bearer")

        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refused.of(415, "the body is compressed", "send it as it is")

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        settings = self.service.settings
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > settings.most_bytes:
            if headers.get(b"expect", b"").lower() != b"100-continue":
                await _drain(receive)
            raise _too_large(settings.most_bytes)
        until = asyncio.get_running_loop().time() + settings.arrival_seconds
        message = await self._next(receive, until)
        if not message.get("more_body", False):
            found = message.get("body", b"")
            if len(found) > settings.most_bytes:
                raise _too_large(settings.most_bytes)
            return bytes(found)
        parts, size = [message.get("body", b"")], len(message.get("body", b""))
        while message.get("more_body", False):
            message = await self._next(receive, until)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > settings.most_bytes:
                await _drain(receive)
                raise _too_large(settings.most_bytes)
        return b"".join(parts)

    async def _next(self, receive: Receive, until: float) -> Message:
        """The next part of a body."""
        task = asyncio.current_task()
        assert task is not None
        arriving, late = self.service.arriving, self.service.late
        arriving[task] = until
        try:
            message = await receive()
        except asyncio.CancelledError:
            if task not in late:
                raise
            task.uncancel()
            said = f"the body did not arrive within {self.service.settings.arrival_seconds:g} seconds"
            raise Refused.of(408, said, "send it faster, or in parts", connection="close") from None
        finally:
            del arriving[task]
            late.discard(task)
        if message["type"] == "http.disconnect":
            raise CutOff
        return message


async def _drain(receive: Receive) -> None:
    """Reads on for a while, into nothing."""
    size = 0
    try:
        async with asyncio.timeout(DRAINED_SECONDS):
            while size < DRAINED_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        pass


def _of_http(scope: MutableMapping[str, Any], error: HTTPException) -> Refused:
    """What Starlette's router says of a path or a method that is not there."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    said, help = f"there is nothing at {scope['path']}", "`/openapi.json` lists the paths"
    if error.status_code == 405:
        said, help = f"{scope['method']} is not for this path", f"use {headers.get('allow', 'another')}"
    refused = Refused.of(error.status_code, said, help)
    refused.headers.update(headers)
    return refused


def _too_large(most: int) -> Refused:
    help = "send the rows in parts, or start the server with a larger `--body`"
    return Refused.of(413, f"the body is larger than {most:,} bytes", help, connection="close")


def _name_of(host: str) -> str:
    """Of `localhost:8000` and `[::1]:8000` the part before the port."""
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].lower()


def error_body(path: str, error: Refused) -> bytes:
    """An error as JSON; of the Open Inference Protocol as it says."""
    if path.startswith("/v2"):
        lines = [". ".join(filter(None, (each.message, each.help))) for each in error.problems[:5]]
        return json.dumps({"error": "; ".join(lines)}).encode()
    return json.dumps({"errors": said(error.problems)}).encode()


async def answer_error(scope: MutableMapping[str, Any], error: Refused, send: Send) -> None:
    body = error_body(scope["path"], error)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
