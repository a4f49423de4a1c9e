"""Rows of numbers in a file of their own, from which they are read block by block, in a random order of blocks.

Only a few blocks are in memory at a time, and reading them asks nothing of the format that the data came in.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dlspec.data.arrays import LazyArray

Array = np.ndarray

BLOCK_ROWS = 8192
"""Rows of a block."""
TOGETHER = 16
"""Blocks whose rows are shuffled together."""
Encode = Callable[[Array], tuple[Array, ...]]
"""What is made of some rows: for example inputs, targets, and the rows of the data that they stand in."""


class RowWriter:
    """Writes rows of numbers into a file that is removed when nobody needs it any more."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows = 0
        self.file = tempfile.NamedTemporaryFile(prefix="dlspec-rows-")  # noqa: SIM115, kept open
        weakref.finalize(self, self.file.close)

    def write(self, rows: Array) -> None:
        """Adds rows, (rows, columns); OSError where the disk is full."""
        self.file.write(np.ascontiguousarray(rows, "float64").data)
        self.rows += len(rows)

    def finish(self) -> StoredRows:
        self.file.flush()
        return StoredRows(self)


class StoredRows:
    """Rows in a file, and what is made of them block by block.

    Args:
        writer: what has written them; it keeps the file.

    Attributes:
        encode: what is made of a block, once that is known.
    """

    def __init__(self, writer: RowWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[Array, ...]] = OrderedDict()
        self.encode: Encode = lambda rows: (rows,)
        self.count, self.columns = writer.rows, writer.columns

    def block(self, number: int) -> tuple[Array, ...]:
        """What is made of a block of rows."""
        with self._lock:
            if number not in self._kept:
                self._kept[number] = self.encode(self._read(number))
                if len(self._kept) > 2 * TOGETHER:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(number)
            return self._kept[number]

    def _read(self, number: int) -> Array:
        first = number * BLOCK_ROWS
        rows = min(BLOCK_ROWS, self.count - first)
        offset = 8 * first * self.columns
        return np.fromfile(self._writer.file.name, "float64", rows * self.columns, offset=offset).reshape(rows, -1)


class StoredArray(LazyArray):
    """One of the arrays that are made of stored rows.

    Args:
        place: which of those that `encode` gives.
        shape: of the array of one row.
    """

    def __init__(self, rows: StoredRows, place: int, shape: Sequence[int], dtype: Any) -> None:
        super().__init__((rows.count, *shape), dtype)
        self.rows, self.place = rows, place

    def read(self, rows: Array) -> Array:
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        blocks = rows // BLOCK_ROWS
        for number in np.unique(blocks):
            own = blocks == number
            found[own] = self.rows.block(int(number))[self.place][rows[own] - number * BLOCK_ROWS]
        return found

    def order(self, random: np.random.Generator) -> Any:
        return BlockOrder(self.shape[0], int(random.integers(2**62)))


class BlockOrder:
    """All rows in random order: blocks in random order, and the rows of a few of them shuffled together.

    Only the part that is asked for is in memory.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed
        self.blocks = np.random.default_rng([seed, 0]).permutation(-(-count // BLOCK_ROWS))
        sizes = np.minimum(BLOCK_ROWS, count - self.blocks * BLOCK_ROWS)
        self.ends = np.cumsum([sizes[i : i + TOGETHER].sum() for i in range(0, len(sizes), TOGETHER)])
        self._group: tuple[int, Array] = (-1, np.empty(0, "int64"))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, places: slice) -> Array:
        first, last, _ = places.indices(self.count)
        parts = []
        while first < last:
            group = int(np.searchsorted(self.ends, first, side="right"))
            begins = int(self.ends[group - 1]) if group else 0
            end = min(last, int(self.ends[group]))
            parts.append(self._of_group(group)[first - begins : end - begins])
            first = end
        return np.concatenate(parts) if parts else np.empty(0, "int64")

    def _of_group(self, group: int) -> Array:
        known, rows = self._group
        if known != group:
            chosen = self.blocks[group * TOGETHER : (group + 1) * TOGETHER]
            within = [np.arange(b * BLOCK_ROWS, min((b + 1) * BLOCK_ROWS, self.count)) for b in chosen]
            rows = np.random.default_rng([self.seed, 1 + group]).permutation(np.concatenate(within))
            self._group = (group, rows)
        return rows
