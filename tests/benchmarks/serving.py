"""Requests of one row: `dlspec serve`, Keras's `predict`, and FastAPI with one `tf.function`, in turn.

Run it with: python -m tests.benchmarks.serving [RUN] [--seconds 2]. RUN is a run of specs/visits_table.yaml, which is
trained where none is named. Server and client have a core each, where there are two. FastAPI is installed by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROUNDS = 5
CLIENTS = (1, 16, 64)
ROW = {"admitted": 1714003200.0, "age": 65.0, "smoker": "no", "ward": "bone"}
HEAVY = ("tensorflow", "keras", "pandas", "onnxruntime")


@dataclass
class Loaded:
    """What came of one load: requests a second, requests a CPU-second of the server, latencies in milliseconds."""

    rate: float
    per_cpu: float
    p50: float
    p99: float


@dataclass
class Server:
    name: str
    process: subprocess.Popen
    port: int
    found: dict[int, list[Loaded]] = field(default_factory=dict)

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def imported(self) -> str:
        """Which large libraries it has opened, by their files in memory."""
        maps = Path(f"/proc/{self.process.pid}/maps").read_text()
        return ", ".join(name for name in HEAVY if f"/{name}/" in maps) or "none"


async def asked(port: int, clients: int, seconds: float) -> list[float]:
    """Latencies of connections that each send one request after the other."""
    body = json.dumps({"rows": [ROW]}).encode()
    lines = ("POST /predict HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json")
    head = "\r\n".join((*lines, f"Content-Length: {len(body)}\r\n\r\n")).encode()
    latencies: list[float] = []
    ends = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()

    class Client(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport, self.done, self.answer = transport, loop.create_future(), b""
            self.send()

        def send(self) -> None:
            self.began = time.perf_counter()
            self.transport.write(head + body)

        def data_received(self, data: bytes) -> None:
            self.answer += data
            top, found, content = self.answer.partition(b"\r\n\r\n")
            if not found or len(content) < int(top.lower().partition(b"content-length:")[2].split()[0]):
                return
            if not top.startswith(b"HTTP/1.1 200"):
                self.done.set_exception(ValueError(self.answer.decode()))
                return
            self.answer, now = b"", time.perf_counter()
            latencies.append(1000 * (now - self.began))
            if now < ends:
                self.send()
            else:
                self.transport.close()
                self.done.set_result(None)

    protocols = [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(clients)]
    await asyncio.gather(*(each.done for each in protocols))
    return sorted(latencies)


def load(server: Server, clients: int, seconds: float) -> None:
    before, began = server.cpu(), time.perf_counter()
    found = asyncio.run(asked(server.port, clients, seconds))
    spent, cpu = time.perf_counter() - began, server.cpu() - before
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    server.found.setdefault(clients, []).append(Loaded(len(found) / spent, len(found) / max(cpu, 0.01), p50, p99))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return opened.getsockname()[1]


def start(name: str, words: list[str], core: set[int] | None) -> Server:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *(word.replace("PORT", str(port)) for word in words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=(lambda: os.sched_setaffinity(0, core)) if core else None,
    )
    while True:
        assert process.poll() is None, f"{name} does not start"
        try:
            asyncio.run(asked(port, 1, 0.2))
        except OSError:
            time.sleep(0.2)
        else:
            return Server(name, process, port)


def median(server: Server, clients: int, what: str) -> float:
    return statistics.median(getattr(each, what) for each in server.found[clients])


def table(servers: list[Server]) -> str:
    lines = [
        "| | 1 | 16 | 64 clients/s | per CPU-s at 16 | p50 | p99 ms at 16 | MB | large libraries |",
        "| --- " * 9 + "|",
    ]
    for each in servers:
        rates = " | ".join(f"{median(each, clients, 'rate'):,.1f}" for clients in CLIENTS)
        more = [f"{median(each, 16, 'per_cpu'):,.0f}", *(f"{median(each, 16, what):.1f}" for what in ("p50", "p99"))]
        lines.append(f"| {each.name} | {rates} | {' | '.join(more)} | {each.megabytes():.0f} | {each.imported()} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        run = given.run or Path(folder) / "run"
        if given.run is None:
            words = ["dlspec", "run", str(root / "specs" / "visits_table.yaml"), "--out", str(run), "--quiet"]
            subprocess.run([sys.executable, "-m", *words], check=True)
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        core = {cores[0]} if len(cores) > 1 else None
        rivals = ["-m", "tests.benchmarks.serving_rivals"]
        servers = []
        try:
            servers.append(start("Keras `predict`", [*rivals, "predict", str(run), "PORT"], core))
            if find_spec("fastapi") is not None:
                servers.append(start("FastAPI, `tf.function`", [*rivals, "fastapi", str(run), "PORT"], core))
            else:
                print("FastAPI is not installed, so that nothing is compared with it")
            servers.append(start("dlspec serve", ["-m", "dlspec", "serve", str(run), "--port", "PORT"], core))
            if core:
                os.sched_setaffinity(0, {*cores} - core)
            for clients in CLIENTS:
                for _ in range(ROUNDS if clients == 16 else 1):
                    for server in servers:
                        load(server, clients, given.seconds)
            print(table(servers))
            keras, ours = servers[0], servers[-1]
            http = "httptools" if find_spec("httptools") else "h11"
            print(f"\nuvicorn on {http}, {ROUNDS} rounds of {given.seconds:g} s in turn, medians")
            print(f"per CPU-second, of Keras `predict`: {_times(ours, keras)} (wanted: 400)")
            if len(servers) == 3:
                print(f"per CPU-second, of FastAPI: {_times(ours, servers[1])} (wanted: 1.5)")
            print(f"p99 - p50: {median(ours, 16, 'p99') - median(ours, 16, 'p50'):.1f} ms (wanted: below 50)")
        finally:
            for server in servers:
                server.process.terminate()
                server.process.wait()


def _times(one: Server, other: Server) -> str:
    return f"{median(one, 16, 'per_cpu') / median(other, 16, 'per_cpu'):,.1f} times"


if __name__ == "__main__":
    main()
