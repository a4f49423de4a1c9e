"""Pictures that are drawn or photographed on the page, brought to the form of the pictures that a network knows."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
INK = 0.15
"""Of the strongest ink, what counts as drawn."""


def as_known(drawn: Array, known: Array) -> Array:
    """Ink on nothing as a picture like others: as large and as far from the edges as what they show, in their values.

    Args:
        drawn: (rows, columns) from 0, nothing, to 1.
        known: (samples, rows, columns) or with one channel or three behind: pictures of the data.
    """
    flat = known.mean(axis=-1) if known.ndim == 4 else known
    flat = np.asarray(flat, "float64")
    ground, figure = grounds(flat)
    rows, columns = flat.shape[1:]
    shares = np.clip((flat - ground) / ((figure - ground) or 1.0), 0, 1)
    boxes = [box for box in map(_box, shares) if box is not None]
    box = _box(drawn)
    ink = np.zeros((rows, columns))
    if box is not None and boxes:
        top, bottom, left, right = np.median(np.array(boxes), axis=0)
        height, width = bottom - top, right - left
        cut = drawn[box[0] : box[1], box[2] : box[3]]
        scale = min(rows / cut.shape[0], columns / cut.shape[1], max(height, width) / max(cut.shape))
        size = (max(1, round(cut.shape[0] * scale)), max(1, round(cut.shape[1] * scale)))
        small = resized(cut, (min(size[0], rows), min(size[1], columns)))
        middle = (top + bottom) / 2, (left + right) / 2
        down = int(np.clip(round(middle[0] - small.shape[0] / 2), 0, rows - small.shape[0]))
        across = int(np.clip(round(middle[1] - small.shape[1] / 2), 0, columns - small.shape[1]))
        most = float(small.max()) or 1.0
        ink[down : down + small.shape[0], across : across + small.shape[1]] = small / most
    picture = ground + ink * (figure - ground)
    if known.ndim == 4:
        picture = np.repeat(picture[..., None], known.shape[-1], axis=-1)
    return picture


def grounds(pictures: Array) -> tuple[float, float]:
    """The values of the ground, as along the edges, and of what is farthest from it: (samples, rows, columns)."""
    edges = np.concatenate([pictures[:, 0].ravel(), pictures[:, -1].ravel(), pictures[:, :, 0].ravel()])
    ground, low, high = float(np.median(edges)), float(pictures.min()), float(pictures.max())
    return ground, (high if high - ground >= ground - low else low)


def _box(ink: Array) -> tuple[int, int, int, int] | None:
    """Where ink is: top, bottom, left, right; None: there is none."""
    there = ink > INK * max(float(ink.max()), 1e-9)
    if not there.any() or ink.max() <= 0:
        return None
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def resized(values: Array, size: tuple[int, int]) -> Array:
    """The mean over what each new pixel covers, (rows, columns)."""
    return _weights(values.shape[0], size[0]) @ values @ _weights(values.shape[1], size[1]).T


def _weights(before: int, now: int) -> Array:
    """How much of each old pixel each new one covers, (now, before); rows add up to 1."""
    edges = np.linspace(0, before, now + 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    places = np.arange(before)[None]
    covered = np.clip(np.minimum(ends, places + 1) - np.maximum(starts, places), 0, None)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True))
