"""Starts the server of the studio on this machine."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dlspec.language.diagnostics.errors import DataError
from dlspec.studio.checker import Checker
from dlspec.studio.guard import App, Guard, Refused
from dlspec.studio.queue import Queue
from dlspec.studio.root import Outside, Root
from dlspec.studio.routes import ROUTES
from dlspec.studio.studio import Studio

PORTS = range(8765, 8785)
"""Of these the first that is free is taken."""
HOST = "127.0.0.1"


def serve(
    folder: str | Path,
    *,
    port: int | None = None,
    language: str | None = None,
    warm: bool = True,
    opened: Callable[[str], None] = lambda address: None,
) -> None:
    """Serves the studio of a folder until SIGTERM or Ctrl-C. Runs that train then go on by themselves.

    Args:
        port: where it listens; 0: any that is free; None: the first of `PORTS` that is.
        language: of the page, `en` or `ko`; None: as the browser says.
        warm: whether a process is kept ready that has loaded Keras.
        opened: is told the address, with the token behind `#`, once it answers.

    Raises:
        DataError: there is no such folder, or the port is taken.
    """
    import uvicorn

    try:
        root = Root(folder)
    except OSError:
        raise DataError.of("cannot-serve", f"there is no folder `{folder}`", help="name one that exists") from None
    if not root.folder.is_dir():
        raise DataError.of("cannot-serve", f"`{folder}` is a file", help="name the folder that it is in")
    with _listening(port) as listener:
        own_port, token = listener.getsockname()[1], secrets.token_urlsafe(32)
        address = f"http://{HOST}:{own_port}/#token={token}"
        studio = Studio(root, Checker(root.folder), Checker(root.folder), Queue(root, warm=warm), language)
        app = application(studio, own_port, token, lambda: opened(address))
        settings = uvicorn.Config(
            app, log_level="warning", ws="none", server_header=False, proxy_headers=False, access_log=False,
            timeout_graceful_shutdown=1, lifespan="on",
        )  # fmt: skip
        with suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run(sockets=[listener])


def application(studio: Studio, port: int, token: str, started: Callable[[], None] = lambda: None) -> App:
    """The application behind its guard."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(studio.queue.watch())
        asyncio.get_running_loop().run_in_executor(None, started)
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await studio.close()

    handlers = {Refused: _refused, Outside: _outside}
    app = Starlette(routes=ROUTES, lifespan=lifespan, exception_handlers=handlers)  # type: ignore[arg-type]
    app.state.studio = studio
    return Guard(app, port, token)


async def _refused(request: Request, error: Refused) -> Response:
    return JSONResponse({"error": error.message}, error.status)


async def _outside(request: Request, error: Outside) -> Response:
    return JSONResponse({"error": str(error)}, 403)


def _listening(port: int | None) -> socket.socket:
    last: OSError | None = None
    for each in PORTS if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, each))
            listener.listen(128)
            return listener
        except OSError as error:
            listener.close()
            last = error
    assert last is not None, "there was a port to try"
    why = (last.strerror or str(last)).lower()
    raise DataError.of("cannot-serve", f"cannot listen on {HOST}: {why}", help="write another `--port`, or 0 for any")
