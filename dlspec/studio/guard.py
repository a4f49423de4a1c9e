"""What every request passes first. What is not allowed here is refused, for HTTP and WebSocket alike.

The rules answer what went wrong in servers on loopback before: a page of another site in the same browser that posts
to them or connects a WebSocket, another name for 127.0.0.1 (DNS rebinding), `Origin: null` of a sandboxed frame,
methods that a check forgot, forms in place of JSON, and uploaded pages that run with the rights of the server.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

METHODS = ("GET", "HEAD", "POST")
ASSETS, TICKETS, UPLOADS = "/assets/", "/t/", "/api/uploads/"
"""Paths of the page itself, which says nothing of anybody; of what a ticket opens; of what takes bytes."""
MOST_JSON, MOST_UPLOAD = 2**22, 2**30
"""Bytes of a body."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "media-src blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
DOCUMENT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'"
"""Of what a ticket opens: a page without scripts, of an origin of its own."""
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=(), display-capture=()",
    "cache-control": "no-store",
}


class Refused(Exception):
    """An answer other than what was asked for.

    Args:
        status: of HTTP.
        message: the fact, lower case, no full stop.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Guard:
    """Wraps the application.

    Args:
        port: where the server listens.
        token: what `Authorization: Bearer` must say wherever the path is not of the page itself or of a ticket.
    """

    def __init__(self, app: App, port: int, token: str) -> None:
        self.app, self._token = app, f"Bearer {token}".encode()
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        nonce = secrets.token_urlsafe(16)
        scope["nonce"] = nonce
        policy = DOCUMENT_POLICY if scope["path"].startswith(TICKETS) else PAGE_POLICY.format(nonce=nonce)
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = [(name, value) for name, value in message.get("headers", ()) if name.decode() not in ALWAYS]
                added = {**ALWAYS, "content-security-policy": policy}
                message["headers"] = [*own, *((name.encode(), value.encode()) for name, value in added.items())]
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, _limited(scope, receive), sending)
        except Refused as refused:
            if begun:
                raise
            await _answer(refused, sending)

    def _check(self, scope: Scope) -> None:
        """Raises Refused."""
        names = [name for name, _ in scope["headers"]]
        headers = dict(scope["headers"])
        if names.count(b"host") != 1 or headers[b"host"] not in self._hosts:
            raise Refused(421, "this server answers as 127.0.0.1 and localhost alone")
        if names.count(b"origin") > 1 or headers.get(b"origin", b"http://" + headers[b"host"]) != (
            b"http://" + headers[b"host"]
        ):
            raise Refused(403, "a page of another origin asked")
        if headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none"):
            raise Refused(403, "a page of another site asked")
        if scope["method"] not in METHODS:
            raise Refused(405, f"methods are {', '.join(METHODS)}")
        path, reads = scope["path"], scope["method"] != "POST"
        public = reads and (path == "/" or path.startswith((ASSETS, TICKETS)))
        if not public and not hmac.compare_digest(headers.get(b"authorization", b""), self._token):
            raise Refused(401, "open the address that `dlspec studio` printed")
        if not reads:
            wanted = b"application/octet-stream" if path.startswith(UPLOADS) else b"application/json"
            if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != wanted:
                raise Refused(415, f"the body must be {wanted.decode()}")
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refused(415, "the body is compressed")


def _limited(scope: Scope, receive: Receive) -> Receive:
    """The body, as long as it is not too large."""
    most = MOST_UPLOAD if scope["path"].startswith(UPLOADS) else MOST_JSON
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise Refused(413, f"a body has at most {most:,} bytes")
        return message

    return limited


async def _answer(refused: Refused, send: Send) -> None:
    body = json.dumps({"error": refused.message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
