"""What the browser opens or saves by itself, without the header: by an address that works once, for a minute."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from dlspec.studio.guard import TICKETS

LASTS = 60.0
"""Seconds."""


@dataclass(frozen=True)
class Ticket:
    """A file to show, or to save under a name.

    Args:
        media_type: as which it is sent.
        name: what it is saved as; None: it is shown.
        until: on the clock of `time.monotonic`.
    """

    path: Path
    media_type: str
    name: str | None
    until: float


@dataclass
class Tickets:
    """Those that are out."""

    _out: dict[str, Ticket] = field(default_factory=dict)

    def make(self, path: Path, media_type: str, name: str | None = None) -> str:
        """The address of a file for one request."""
        now = time.monotonic()
        self._out = {key: ticket for key, ticket in self._out.items() if ticket.until > now}
        key = secrets.token_urlsafe(24)
        self._out[key] = Ticket(path, media_type, name, now + LASTS)
        return TICKETS + key

    def take(self, key: str) -> Ticket | None:
        """What a ticket opens, which is then used up."""
        ticket = self._out.pop(key, None)
        return ticket if ticket is not None and ticket.until > time.monotonic() else None
