"""Arrays of samples that need not lie in memory: rows are read, decoded or scaled when they are asked for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

BLOCK = 4096
"""Samples that are worked on at a time, so that what lies between takes little memory."""
BLOCK_VALUES = 2**24
"""Values that are worked on at a time at most, about."""


class LazyArray(ABC):
    """Samples, (samples, ...), of which only those that are asked for are in memory.

    It has the shape, the type and the length of an array, and gives one for a slice or for the numbers of rows.

    Args:
        shape: samples first.
        dtype: of the values.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        import numpy as np

        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """What all samples would take in memory."""
        return bytes_of(self.shape, self.dtype)

    @property
    def in_memory(self) -> bool:
        """Whether it chooses among samples that are in memory, so that asking for them costs no more than a copy."""
        return False

    @abstractmethod
    def read(self, rows: Array) -> Array:
        """The samples at these places, which are whole numbers from 0, in this order."""

    def __getitem__(self, rows: Any) -> Any:
        import numpy as np

        if isinstance(rows, tuple):  # samples, then places in each of them
            first, *within = rows
            read = self[first]
            return read[tuple(within)] if np.ndim(first) == 0 and not isinstance(first, slice) else read[:, *within]
        if isinstance(rows, slice):
            return self.read(np.arange(*rows.indices(len(self))))
        places = np.asarray(rows)
        if places.ndim == 0:
            return self.read(places[None])[0]
        return self.read(np.flatnonzero(places) if places.dtype == bool else places)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        values = self[:]
        return values if dtype is None else values.astype(dtype)

    def order(self, random: np.random.Generator) -> Any:
        """The samples in random order, in which reading them is quick: places, of which slices are taken."""
        return random.permutation(len(self))

    def fingerprint(self) -> str:
        """Tells whether two of them hold the same samples."""
        import hashlib

        digest = hashlib.sha256()
        for block in blocks(self):
            digest.update(block.tobytes())
        return digest.hexdigest()


class Chosen(LazyArray):
    """Some samples of an array, without a copy of them."""

    def __init__(self, source: Any, rows: Array) -> None:
        super().__init__((len(rows), *source.shape[1:]), source.dtype)
        self.source, self.rows = source, rows

    @property
    def in_memory(self) -> bool:
        return not is_read_later(self.source)

    def read(self, rows: Array) -> Array:
        return self.source[self.rows[rows]]

    def fingerprint(self) -> str:
        """Of the whole source, which may know it without reading samples, and of what is chosen."""
        import hashlib

        if not isinstance(self.source, LazyArray):
            return super().fingerprint()
        return hashlib.sha256(self.source.fingerprint().encode() + self.rows.tobytes()).hexdigest()


def chosen(values: Samples, rows: Array) -> Samples:
    """Some samples of an array: a copy where they are in memory, else those that are read when they are asked for."""
    return Chosen(values, rows) if isinstance(values, LazyArray) else values[rows]


class SideBySide(LazyArray):
    """Plain columns as one array, (rows, columns), without a copy of them."""

    def __init__(self, columns: Sequence[Array]) -> None:
        super().__init__((len(columns[0]), len(columns)), columns[0].dtype)
        self.columns = columns

    @property
    def in_memory(self) -> bool:
        return True

    def read(self, rows: Array) -> Array:
        import numpy as np

        found = np.empty((len(rows), len(self.columns)), self.dtype)
        for place, column in enumerate(self.columns):
            found[:, place] = column[rows]
        return found


class AsTheyAre(LazyArray):
    """Samples that are in memory."""

    def __init__(self, values: Array) -> None:
        super().__init__(values.shape, values.dtype)
        self.values = values

    @property
    def in_memory(self) -> bool:
        return True

    def read(self, rows: Array) -> Array:
        return self.values[rows]


class Mapped(LazyArray):
    """What a function makes of the samples of an array.

    Args:
        function: of an array (some samples, ...), to one of as many.
        shape: of a sample that comes out.
        dtype: of what comes out.
    """

    def __init__(self, source: LazyArray, function: Callable[[Array], Array], shape: Sequence[int], dtype: Any) -> None:
        super().__init__((len(source), *shape), dtype)
        self.source, self.function = source, function

    def read(self, rows: Array) -> Array:
        return self.function(self.source.read(rows)).astype(self.dtype, copy=False)

    def order(self, random: np.random.Generator) -> Any:
        return self.source.order(random)


class Computed(LazyArray):
    """Samples that a function makes from their places.

    Args:
        shape: samples first.
        function: of places, whole numbers from 0, to as many samples.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, function: Callable[[Array], Array]) -> None:
        super().__init__(shape, dtype)
        self.function = function

    def read(self, rows: Array) -> Array:
        return self.function(rows).astype(self.dtype, copy=False)


class Joined(LazyArray):
    """Arrays one behind the other."""

    def __init__(self, parts: Sequence[Any]) -> None:
        import numpy as np

        dtype = np.result_type(*(part.dtype for part in parts))
        super().__init__((sum(map(len, parts)), *parts[0].shape[1:]), dtype)
        self.parts = parts

    def read(self, rows: Array) -> Array:
        import numpy as np

        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        first = 0
        for part in self.parts:
            own = (rows >= first) & (rows < first + len(part))
            if own.any():
                found[own] = part[rows[own] - first]
            first += len(part)
        return found


Samples = Any
"""An array of samples, (samples, ...): a numpy array, or a `LazyArray`."""


ALIGNMENT = 64
"""Bytes that TensorFlow and XLA want the place of an array to be a multiple of, to use it as it is."""


def aligned(shape: Sequence[int], dtype: Any) -> Array:
    """An array without values yet, where every backend can use it without a copy."""
    import numpy as np

    size = math.prod(shape) * np.dtype(dtype).itemsize
    held = np.empty(size + ALIGNMENT, "uint8")
    first = -held.ctypes.data % ALIGNMENT
    return held[first : first + size].view(dtype).reshape(shape)


def is_read_later(samples: Samples) -> bool:
    """Whether samples are read, decoded or computed when they are asked for."""
    return isinstance(samples, LazyArray) and not samples.in_memory


def joined(parts: Sequence[Samples]) -> Samples:
    """Samples one behind the other, in memory where all of them are."""
    import numpy as np

    filled = [part for part in parts if len(part)] or list(parts[:1])
    if len(filled) == 1:
        return filled[0]
    return Joined(filled) if any(isinstance(part, LazyArray) for part in filled) else np.concatenate(filled)


def reshaped(samples: Samples, shape: Sequence[int]) -> Samples:
    """Each sample in another shape."""
    if samples.shape[1:] == tuple(shape):
        return samples
    if isinstance(samples, LazyArray):
        return Mapped(samples, lambda values: values.reshape(len(values), *shape), shape, samples.dtype)
    return samples.reshape(len(samples), *shape)


def blocks(samples: Samples, size: int | None = None) -> Iterator[Any]:
    """The samples in order, some at a time, as arrays in memory."""
    import math

    size = size or max(1, min(BLOCK, BLOCK_VALUES // max(1, math.prod(samples.shape[1:]))))
    for first in range(0, len(samples), size):
        yield samples[first : first + size]


def some_of(samples: Samples, values: int) -> Array:
    """Places of samples, spread evenly, that hold about so many values at most."""
    import math

    import numpy as np

    most = max(1, values // max(1, math.prod(samples.shape[1:])))
    count = len(samples)
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(int)


def bytes_of(shape: Sequence[int], dtype: Any) -> int:
    """What an array takes in memory."""
    import math

    import numpy as np

    return math.prod(shape) * np.dtype(dtype).itemsize
