"""Views of the windows of a series: nothing is copied before it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlspec.data.arrays import Chosen, Samples

Array = np.ndarray


def windows_at(view: Array, starts: Array) -> Samples:
    """The windows that begin there, a view where they are evenly spaced.

    Args:
        view: all windows, (windows, timesteps, features), as numpy's `sliding_window_view` gives them.
    """
    evenly = _evenly(starts)
    return view[evenly] if evenly is not None else Chosen(view, starts)


def values_at(values: Array, places: Array) -> Array:
    """Some of the values: a view where they are evenly spaced."""
    if places.ndim > 1:
        return values[places]
    evenly = _evenly(places)
    return values[places if evenly is None else evenly]


def places_of(starts: Array) -> Callable[[Array], Array]:
    """From the numbers of windows to where they begin; evenly spaced beginnings are not kept."""
    evenly = _evenly(starts)
    if evenly is None:
        return starts.__getitem__
    first, step = evenly.start, evenly.step or 1
    return lambda rows: first + step * rows


def _evenly(places: Array) -> slice | None:
    """Places as a slice, where they are evenly spaced and ascend."""
    if not len(places):
        return slice(0, 0)
    steps = np.diff(places)
    step = int(steps[0]) if len(steps) else 1
    return slice(int(places[0]), int(places[-1]) + 1, step) if step > 0 and (steps == step).all() else None
