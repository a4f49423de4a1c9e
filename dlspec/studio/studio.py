"""What all routes share: the folder, the checker, the queue and the tickets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request

from dlspec.studio.checker import Checker
from dlspec.studio.guard import Refused
from dlspec.studio.queue import Queue
from dlspec.studio.root import Root
from dlspec.studio.tickets import Tickets

COOLS = 600.0
"""Seconds without a question after which the process that holds a network is ended."""
LOOKS = 60.0
"""Seconds that an answer about data, or of a network, may take."""


@dataclass
class Studio:
    """One running studio.

    Args:
        checker: answers what is asked with every key.
        aside: answers what takes longer, so that no key waits for it.
        language: of the page, where its user has not chosen: `en` or `ko`; None: as the browser says.
    """

    root: Root
    checker: Checker
    aside: Checker
    queue: Queue
    language: str | None = None
    tickets: Tickets = field(default_factory=Tickets)
    looker: Checker = field(init=False)
    makes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _trier: Checker | None = None
    _tried: Path | None = None
    _cools: asyncio.TimerHandle | None = None
    _starts: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.looker = Checker(self.root.folder, LOOKS, module="dlspec.studio.looking", does="look at the data")

    async def trier(self, folder: Path) -> Checker:
        """The process in which the network of a run is tried; that of another run is ended."""
        async with self._starts:
            if self._trier is None or self._tried != folder:
                if self._trier is not None:
                    await self._trier.close()
                self._trier = Checker(
                    self.root.folder, LOOKS, module="dlspec.studio.trying", given=[str(folder)], does="try"
                )
                self._tried = folder
            if self._cools is not None:
                self._cools.cancel()
            loop = asyncio.get_running_loop()
            self._cools = loop.call_later(COOLS, lambda: loop.create_task(self.end_trier()))
            return self._trier

    async def end_trier(self) -> None:
        """Ends the process in which a network is tried, which the next question starts again."""
        async with self._starts:
            if self._trier is not None:
                await self._trier.close()

    async def close(self) -> None:
        """Ends the processes that answer."""
        if self._cools is not None:
            self._cools.cancel()
        for process in (self.checker, self.aside, self.looker, self._trier):
            if process is not None:
                await process.close()


def studio_of(request: Request) -> Studio:
    found: Studio = request.app.state.studio
    return found


async def body_of(request: Request, **kinds: type) -> dict[str, Any]:
    """The JSON of a request, an object that has a value of its kind for each of these keys.

    Raises:
        Refused: it has not.
    """
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "the body is not an object")
    for key, kind in kinds.items():
        if not isinstance(body.get(key), kind) or (kind is int and isinstance(body[key], bool)):
            raise Refused(400, f"`{key}` must be a value of type {kind.__name__}")
    return body
