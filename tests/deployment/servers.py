"""Servers in processes of their own, which tests ask."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

STARTED = re.compile(r"^(?P<name>.+) (?P<version>\w+) on (?P<runtime>.+): (?P<address>http://\S+)$", re.MULTILINE)


@dataclass
class Server:
    """One that runs.

    Args:
        process: of the server.
        address: such as `http://127.0.0.1:8000`.
        output: the file of what it prints.
        runtime: what it says that the network runs on.
        client: asks it.
    """

    process: subprocess.Popen
    address: str
    output: Path
    runtime: str
    client: httpx.Client

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def predict(self, value: Any, **more: Any) -> httpx.Response:
        return self.client.post("/predict", json=value, **more)

    def errors(self, value: Any) -> list[dict]:
        answer = self.predict(value)
        assert answer.status_code == 422, answer.text
        return answer.json()["errors"]

    def raw(self, sent: bytes, seconds: float = 20) -> bytes:
        """What comes back for bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(sent)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Until it has printed this."""
        until = time.monotonic() + seconds
        while text not in self.printed:
            assert time.monotonic() < until, self.printed
            time.sleep(0.02)


@contextmanager
def serving(
    what: Path, *options: str, home: Path, command: tuple[str, ...] = ("dlspec", "serve"), **environment: str
) -> Iterator[Server]:
    """A server of a run or of an exported file, on a free port.

    Args:
        home: where what it prints is kept.
        command: the module and its first words.
    """
    output = home / f"server_{time.monotonic_ns()}.txt"
    words = [sys.executable, "-m", *command, str(what), "--port", "0", *options]
    with output.open("w") as file:
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **environment})
    try:
        until = time.monotonic() + 120
        while not (found := STARTED.search(output.read_text(encoding="utf-8"))):
            assert process.poll() is None, output.read_text(encoding="utf-8")
            assert time.monotonic() < until, output.read_text(encoding="utf-8")
            time.sleep(0.02)
        address = found["address"]
        with httpx.Client(base_url=address, timeout=30) as client:
            yield Server(process, address, output, found["runtime"], client)
    finally:
        process.kill()
        process.wait()
