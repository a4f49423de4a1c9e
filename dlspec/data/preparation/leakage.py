"""Samples of another source that stand in the validation or test part too: pretraining must not see them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from dlspec.data.arrays import Samples, blocks, chosen
from dlspec.data.split import Window

Array = np.ndarray


def without_held_out(samples: Samples, held_out: Sequence[Samples]) -> tuple[Samples, Array]:
    """Those of the samples, (samples, ...), that are equal to none of the held-out ones, and their places."""
    known = _prints(held_out)
    new = np.array([print_of(sample) not in known for block in blocks(samples) for sample in block], bool)
    places = np.flatnonzero(new)
    return samples if new.all() else chosen(samples, places), places


def windows_without_held_out(
    rows: Array, window: Window, held_out: Sequence[Array], starts: Array
) -> tuple[Array, Array]:
    """The windows of the rows, (timesteps, features), that share no timestep with a held-out window, and where they
    begin.

    A timestep is shared where a whole window around it is equal to a held-out one, so that values which come again
    by chance do not count.

    Args:
        starts: where windows may begin.

    Returns:
        (windows, timesteps, features), and (windows,)
    """
    span = window.span(window.length)
    windows = np.lib.stride_tricks.sliding_window_view(rows, span, axis=0)[..., :: window.every].swapaxes(1, 2)
    known = _prints(held_out)
    shared = np.zeros(len(rows) + 1, int)
    for start, one in enumerate(windows):
        if print_of(one) in known:
            shared[start] += 1
            shared[start + span] -= 1
    touched = np.concatenate([[0], np.cumsum(np.cumsum(shared[:-1]) > 0)])
    kept = starts[touched[starts + span] == touched[starts]]
    return windows[kept], kept


def _prints(arrays: Sequence[Samples]) -> set[bytes]:
    return {print_of(sample) for samples in arrays for block in blocks(samples) for sample in block}


def print_of(sample: Array) -> bytes:
    """Tells whether two samples are equal."""
    return blake2b(np.ascontiguousarray(sample).tobytes(), digest_size=16).digest()
