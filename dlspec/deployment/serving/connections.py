"""Connections that send the head and the body of an answer together."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import Any


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

    return Protocol
