"""What a server counts, as Prometheus reads it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """How often values lay below each of some limits.

    Args:
        limits: in ascending order.
    """

    def __init__(self, limits: tuple[float, ...]) -> None:
        self.limits = limits
        self.counts = [0] * (len(limits) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.limits, value)] += 1
        self.total += value

    def lines(self, name: str) -> list[str]:
        found, so_far = [], 0
        for limit, count in zip((*self.limits, "+Inf"), self.counts, strict=True):
            so_far += count
            found.append(f'{name}_bucket{{le="{limit}"}} {so_far}')
        return [*found, f"{name}_sum {self.total:.6f}", f"{name}_count {so_far}"]


class Metrics:
    """Counts since the server started."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.seconds = Histogram(SECONDS)
        self.batches = Histogram(tuple(map(float, SIZES)))
        self.rows = self.warnings = self.reloads = self.failed_reloads = 0

    def answered(self, path: str, status: int, seconds: float) -> None:
        self.requests[path, status] += 1
        self.seconds.add(seconds)

    def batch(self, rows: int) -> None:
        self.batches.add(rows)
        self.rows += rows

    def text(self, info: dict[str, str], waiting: int) -> str:
        """In Prometheus's format of text.

        Args:
            info: of the network that is served.
            waiting: rows that wait.
        """
        labels = ",".join(f'{key}="{escaped(value)}"' for key, value in info.items())
        requests = [
            f'dlspec_requests_total{{path="{escaped(path)}",status="{status}"}} {count}'
            for (path, status), count in sorted(self.requests.items())
        ]
        parts = [
            ("model_info", "gauge", "The network that is served.", [f"dlspec_model_info{{{labels}}} 1"]),
            ("requests_total", "counter", "Answers by path and status.", requests),
            ("request_seconds", "histogram", "From the head of a request to its answer.", self.seconds),
            ("batch_rows", "histogram", "Rows that were computed together.", self.batches),
            ("rows_total", "counter", "Rows that were computed.", self.rows),
            ("warnings_total", "counter", "Values outside the training data.", self.warnings),
            ("waiting_rows", "gauge", "Rows that wait.", waiting),
            ("reloads_total", "counter", "Networks that were loaded anew.", self.reloads),
            ("failed_reloads_total", "counter", "Networks that could not be.", self.failed_reloads),
        ]
        lines: list[str] = []
        for name, kind, help, value in parts:
            full = f"dlspec_{name}"
            lines += [f"# HELP {full} {help}", f"# TYPE {full} {kind}"]
            if isinstance(value, Histogram):
                lines += value.lines(full)
            else:
                lines += value if isinstance(value, list) else [f"{full} {value}"]
        return "\n".join(lines) + "\n"


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
