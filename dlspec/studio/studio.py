"""What all routes share: the folder, the checker, the queue and the tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from dlspec.studio.checker import Checker
from dlspec.studio.guard import Refused
from dlspec.studio.queue import Queue
from dlspec.studio.root import Root
from dlspec.studio.tickets import Tickets


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
