"""How a server is told to serve."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20
LOCAL = ("127.0.0.1", "localhost", "::1")


class WrongSettings(ValueError):
    """The message says which, and what to write instead."""


@dataclass(frozen=True)
class Settings:
    """Where a server listens, and what it takes.

    Args:
        host, port: where it listens; port 0: any that is free.
        token: what `Authorization: Bearer` must say; None: anybody on this machine may ask.
        most_bytes: of a body.
        most_rows: of a request.
        batch: rows that are computed together, but for a single request that has more.
        waiting: rows that wait at most.
        seconds: how long a request waits for its answer at most.
        arrival_seconds: how long the head and the body of a request may take to arrive.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    most_bytes: int = 16 * MIB
    most_rows: int = 10_000
    batch: int = 256
    waiting: int = 20_000
    seconds: float = 30.0
    arrival_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name in ("most_bytes", "most_rows", "batch", "waiting", "seconds", "arrival_seconds"):
            if not getattr(self, name) > 0:
                raise WrongSettings(f"`{name}` is {getattr(self, name)}; write a number above 0")
        if not 0 <= self.port < 2**16:
            raise WrongSettings(f"there is no port {self.port}; write one from 1 to 65535, or 0 for any")
        if self.token is not None and (len(self.token) < 8 or not self.token.isascii() or not self.token.isprintable()):
            raise WrongSettings("the token is too short, or has signs that no header can have; write 8 letters or more")
        if not self.is_local and self.token is None:
            raise WrongSettings(f"whoever reaches {self.host} could ask; set a token in DLSPEC_TOKEN")

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOCAL or self.host.startswith("127.")
