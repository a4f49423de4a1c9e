"""Reads samples ahead of the steps that need them, so that files are read and decoded while the network learns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from dlspec.data.arrays import Samples, is_read_later

Array = np.ndarray

PIECE = 2**24
"""Bytes that are read at a time, about."""
AHEAD = 4
"""Pieces that are read before they are needed."""


class BatchReader:
    """The samples of an epoch in their order, read ahead.

    Args:
        data: arrays with a row for each sample.
    """

    def __init__(self, data: Sequence[Samples], batch_size: int) -> None:
        self.data = data
        self.batch_size = batch_size
        of_batch = batch_size * sum(values.nbytes // max(1, len(values)) for values in data)
        self.steps = max(1, PIECE // max(1, of_batch))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._order: Any = None
        self._next = self._asked = 0
        self._pieces: deque[Future[list[Array]]] = deque()
        self._rest: list[Array] = []

    def take(self, order: Any, first: int, last: int) -> list[Array]:
        """What the steps from `first` to before `last` need, of each array; what comes next is being read then.

        Args:
            order: the sample at each place of the epoch.
        """
        if order is not self._order or first != self._next:
            self._begin(order, first)
        wanted = min(last * self.batch_size, len(order)) - first * self.batch_size
        parts = [self._rest] if self._rest else []
        have = sum(len(part[0]) for part in parts)
        while have < wanted:
            self._ask()
            parts.append(self._pieces.popleft().result())
            have += len(parts[-1][0])
        self._ask()
        whole = [np.concatenate(values) if len(values) > 1 else values[0] for values in zip(*parts, strict=True)]
        self._rest = [values[wanted:] for values in whole] if have > wanted else []
        self._next = last
        return [values[:wanted] for values in whole]

    def _begin(self, order: Any, first: int) -> None:
        for piece in self._pieces:
            piece.cancel()
        self._pieces.clear()
        self._order, self._next, self._asked, self._rest = order, first, first * self.batch_size, []

    def _ask(self) -> None:
        """Lets a few pieces be read."""
        while len(self._pieces) < AHEAD and self._asked < len(self._order):
            rows = self._order[self._asked : self._asked + self.steps * self.batch_size]
            self._pieces.append(self._pool.submit(self._read, rows))
            self._asked += len(rows)

    def _read(self, rows: Array) -> list[Array]:
        return [values[rows] for values in self.data]


def batches(arrays: Sequence[Samples], size: int) -> Iterator[list[Array]]:
    """All samples in order, some at a time; the next ones are read meanwhile where they are in files."""
    count = len(arrays[0])
    if not any(map(is_read_later, arrays)):
        for first in range(0, count, size):
            yield [values[first : first + size] for values in arrays]
        return
    reader = BatchReader(arrays, size)
    order = np.arange(count)
    for step in range(-(-count // size)):
        yield reader.take(order, step, step + 1)
