"""Some of the windows of a series, without a copy of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

Array = np.ndarray


class Windows:
    """Windows that begin at some places of a series; what is asked for is copied, and nothing else.

    Args:
        view: all windows, (windows, timesteps, features), as numpy's `sliding_window_view` gives them.
        starts: which of them there are.
    """

    def __init__(self, view: Array, starts: Array) -> None:
        self.view = view
        self.starts = starts

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.starts), *self.view.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        return self.view.dtype

    @property
    def ndim(self) -> int:
        return self.view.ndim

    @property
    def nbytes(self) -> int:
        """Of a copy of all of them."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: Any) -> Array:
        return self.view[self.starts[rows]]

    def __iter__(self) -> Iterator[Array]:
        return (self.view[start] for start in self.starts)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.view[self.starts], dtype)

    def reshape(self, *shape: int) -> Any:
        """Itself where that is its shape already."""
        return self if shape == self.shape else np.asarray(self).reshape(*shape)


def windows_at(view: Array, starts: Array) -> Array:
    """The windows that begin there: a view where they are evenly spaced, else `Windows`, which can do what is asked of
    samples."""
    evenly = _evenly(starts)
    return view[evenly] if evenly is not None else cast("Array", Windows(view, starts))


def values_at(values: Array, places: Array) -> Array:
    """Some of the values: a view where they are evenly spaced."""
    evenly = _evenly(places)
    return values[places if evenly is None else evenly]


def _evenly(places: Array) -> slice | None:
    """Places as a slice, where they are evenly spaced and ascend."""
    if not len(places):
        return slice(0, 0)
    steps = np.diff(places)
    step = int(steps[0]) if len(steps) else 1
    return slice(int(places[0]), int(places[-1]) + 1, step) if step > 0 and (steps == step).all() else None
