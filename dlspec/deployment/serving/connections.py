"""Connections that send the head and the body of an answer together."""

from __future__ import annotations

import asyncio
import json
from importlib.util import find_spec
from typing import Any


def as_answer(status: str, message: str, help: str) -> bytes:
    """A whole answer with one error, after which the connection is closed."""
    body = json.dumps({"errors": [{"message": message, "help": help}]}).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


NO_HTTP = as_answer("400 Bad Request", "this is no HTTP request", "send a whole request of HTTP 1.1")
LATE = as_answer("408 Request Timeout", "the head of the request did not arrive in time", "send it faster")


class Together:
    """A transport that sends what is written in one turn of the loop at once.

    Args:
        transport: the one that sends.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._parts: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
            data, self._parts = b"".join(self._parts), []
            if not self._transport.is_closing():
                self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def protocol() -> type[asyncio.Protocol]:
    """uvicorn's protocol on httptools where that is installed, else on h11, with such transports."""
    base: Any
    if find_spec("httptools") is not None:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as base
    else:
        from uvicorn.protocols.http.h11_impl import H11Protocol as base

    class Protocol(base):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(Together(transport))

        def send_400_response(self, msg: str) -> None:
            cycle = self.cycle
            if cycle is not None and not cycle.response_complete:
                if not cycle.more_body:  # what follows a whole request is broken, and that one is answered
                    cycle.keep_alive = False
                    return
                if cycle.response_started:
                    self.transport.close()
                    return
            self.transport.write(NO_HTTP)
            self.transport.close()

    return Protocol
