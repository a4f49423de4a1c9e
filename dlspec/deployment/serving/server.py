"""Serves a network until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import uvicorn

from .connections import LATE, protocol
from .endpoints import application
from .model import Model
from .problems import Refused
from .service import Service
from .settings import Settings

DRAIN_SECONDS = 0.2
"""How long a server that is to end still takes requests that are on their way."""
TICKS = 10
"""Of uvicorn, in a second."""


class CannotListen(Exception):
    """The address cannot be listened on; the message says why."""


class Server(uvicorn.Server):
    """Ends with exit code 0 when it is told to stop, and answers all that it has taken."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self.service = service
        self._since: dict[Any, float] = {}

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does not raise the signals again when the server has ended."""
        loop = asyncio.get_running_loop()
        handled: dict[str, Callable[[], None]] = {"SIGTERM": self._stop, "SIGINT": self._stop, "SIGHUP": self._reload}
        for name, handler in handled.items():
            number = getattr(signal, name, None)
            if number is None:  # Windows has no SIGHUP
                continue
            try:
                loop.add_signal_handler(number, handler)
            except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not in the main thread
                with contextlib.suppress(ValueError):
                    signal.signal(number, lambda *_, handler=handler: loop.call_soon_threadsafe(handler))
        yield

    def _stop(self) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    def _reload(self) -> None:
        async def reload() -> None:
            with contextlib.suppress(Refused):  # which was said
                await self.service.reload()

        self._reloading = asyncio.ensure_future(reload())

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            self.service.end_late(asyncio.get_running_loop().time())
            self._close_late()
        return await super().on_tick(counter)

    def _close_late(self) -> None:
        """Closes connections whose first request does not come."""
        now, limit = time.monotonic(), self.service.settings.arrival_seconds
        waiting = {each for each in self.server_state.connections if getattr(each, "cycle", None) is None}
        self._since = {each: self._since.get(each, now) for each in waiting}
        for each, since in self._since.items():
            transport = getattr(each, "transport", None)
            if now - since > limit and transport is not None and not transport.is_closing():
                transport.write(LATE)
                transport.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.service.draining = True
        if not self.force_exit:
            await asyncio.sleep(DRAIN_SECONDS)
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        CannotListen: the port is taken, or the address is not this machine's.
    """
    found = None
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, number)
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(2048)
        found.setblocking(False)
    except (OSError, UnicodeError) as error:
        if found is not None:
            found.close()
        why = getattr(error, "strerror", None) or str(error)
        raise CannotListen(f"cannot listen on {host}:{port}: {why.lower()}") from None
    return found


def serve(load: Callable[[], Model], settings: Settings, say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or Ctrl-C; SIGHUP loads the network anew.

    Args:
        load: opens the network; it is called again when it is loaded anew.
        settings: where, and what it takes.
        say: is told where it listens, and what happens later, a line each.

    Raises:
        CannotOpen, CannotListen: before anything is served.
    """
    sock = listening(settings.host, settings.port)
    with contextlib.closing(sock), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(load, settings, say, sock))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Of uvloop where it is installed; None: Python's own."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(
    load: Callable[[], Model], settings: Settings, say: Callable[[str], None], sock: socket.socket
) -> None:
    service = Service(load, settings, say)
    config = uvicorn.Config(
        application(service),
        http=protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.seconds) + 1,
    )
    server = Server(config, service)
    model = service.served.model
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    say(f"{model.name} {model.version} on {model.runtime}: http://{host}:{sock.getsockname()[1]}")
    try:
        await server.serve([sock])
    finally:
        service.thread.shutdown(wait=False)
