"""The network that is served, which can be changed for another one at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .batching import Batcher, Columns
from .metrics import Metrics
from .model import CannotOpen, Model
from .problems import Refused
from .rows import RowReader, Rows
from .settings import Settings


class Computed:
    """What was computed of some rows, which is sliced by rows.

    Args:
        outputs: of the network, (rows, ...).
        predictions: outputs by name.
    """

    __slots__ = ("outputs", "predictions")

    def __init__(self, outputs: np.ndarray, predictions: list[dict[str, Any]]) -> None:
        self.outputs, self.predictions = outputs, predictions

    def __getitem__(self, rows: slice) -> Computed:
        return Computed(self.outputs[rows], self.predictions[rows])


class Served:
    """One network with its reader of rows and its queue."""

    def __init__(self, model: Model, settings: Settings, metrics: Metrics, thread: ThreadPoolExecutor) -> None:
        self.model = model
        self.reader = RowReader(model.signature, settings.most_rows)
        batch = settings.batch if model.same_shape else 1
        self.batcher = Batcher(self._compute, thread, batch, settings.waiting, settings.seconds, metrics.batch)

    def _compute(self, columns: Columns, count: int) -> Computed:
        outputs = self.model.outputs(columns, count)
        return Computed(outputs, self.model.predictions(outputs))

    async def __call__(self, rows: Rows) -> Computed:
        """What the network makes of rows; see `Batcher`."""
        found: Computed = await self.batcher(rows.columns, rows.count)
        return found


class Service:
    """What the endpoints share.

    Args:
        load: opens the network; raises CannotOpen.
        settings: limits.
        say: is told what happens, a line each.

    Attributes:
        served: the network that new requests are given to; those before keep theirs.
        draining: whether the server is about to end.
        arriving: tasks that wait for the body of a request, and until when.
        late: those that have waited for too long.
    """

    def __init__(self, load: Callable[[], Model], settings: Settings, say: Callable[[str], None]) -> None:
        self.load, self.settings, self.say = load, settings, say
        self.metrics = Metrics()
        self.thread = ThreadPoolExecutor(1, "dlspec-serve")
        self.served = Served(load(), settings, self.metrics, self.thread)
        self.draining = False
        self.arriving: dict[asyncio.Task[Any], float] = {}
        self.late: set[asyncio.Task[Any]] = set()
        self._reloading = asyncio.Lock()

    def end_late(self, now: float) -> None:
        """Wakes the tasks whose requests do not arrive.

        Args:
            now: the time of the loop.
        """
        for task, until in self.arriving.items():
            if now > until and task not in self.late:
                self.late.add(task)
                task.cancel()

    async def reload(self) -> Model:
        """Loads the network anew, and changes it for the one that is served.

        Raises:
            Refused: it cannot be opened; the one that is served stays.
        """
        async with self._reloading:
            before = self.served.model
            try:
                model = await asyncio.to_thread(self.load)
                served = Served(model, self.settings, self.metrics, self.thread)
            except Exception as error:  # whatever is wrong with the new one, the old one goes on
                self.metrics.failed_reloads += 1
                said = f"not loaded anew: {error}; {before.name} {before.version} goes on"
                self.say(said)
                help = "export the run again" if isinstance(error, CannotOpen) else "see what the server printed"
                raise Refused.of(409, said, help) from error
            self.served = served
            self.metrics.reloads += 1
            self.say(f"loaded anew: {model.name} {model.version}, before {before.version}")
            return model
