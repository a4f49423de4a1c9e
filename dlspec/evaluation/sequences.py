"""Texts that are written item by item, each after those before it, greedily or by a beam search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlspec.data.features.shifted import END, START, UNKNOWN_CLASS
from dlspec.data.features.text import PADDING
from dlspec.data.preparation import Part
from dlspec.data.signature import Target
from dlspec.training.values import predict

Array = np.ndarray
Step = Callable[[Array, Array], Array]
"""Samples, (beginnings,), and what was written of each so far, classes (beginnings, items) -> the probability of each
class at the next place, (beginnings, classes)."""
NOWHERE = -1
"""The class behind the end of a text."""
WRITTEN, FORCED = 0, 1
"""Places in the last axis of what is predicted of texts: the class that was written at each place, and the likeliest
one behind what truly stands before it."""


def predicted(network: Any, part: Part, target: Target) -> Array:
    """What a network says of the samples of a part, (samples, places, 2) int32; see `WRITTEN` and `FORCED`.

    Args:
        network: as it was trained, which takes numbers, what was written so far behind all else.
    """
    if not len(part):
        return np.empty((0, *target.places, 2), "int32")
    inputs, (places,) = np.asarray(part.inputs), target.places

    def step(samples: Array, before: Array) -> Array:
        given = inputs[samples].copy()
        given[:, -places:] = PADDING
        given[:, -places] = START
        given[:, len(given[0]) - places + 1 : len(given[0]) - places + 1 + before.shape[1]] = before + 1
        return np.asarray(predict(network, given)[:, before.shape[1]])

    return both(write(step, len(inputs), target), predict(network, inputs), np.asarray(part.truth))


def both(written: Array, shares: Array, truth: Array) -> Array:
    """What was written, and beside it the likeliest class at each place that counts.

    Args:
        shares: probabilities behind what truly stands before, (samples, places, classes).
        truth: classes, (samples, places).
    """
    forced = np.where(truth >= 0, shares.argmax(axis=-1), NOWHERE)
    return np.stack([written, forced], axis=-1).astype("int32")


def alone(written: Array) -> Array:
    """The same of what was written by a guess, which follows nothing that stands before."""
    return np.stack([written, np.full_like(written, NOWHERE)], axis=-1)


def write(step: Step, count: int, target: Target) -> Array:
    """Writes texts, (count, places) int32: classes up to the end, `NOWHERE` behind it.

    With one beginning the likeliest item is taken at each place; with more, those beginnings are kept whose
    probability is largest, and the likeliest text of those that have ended is taken. No unknown item is written, and
    at the last place nothing but the end, so that no text has more items than `length`.
    """
    assert target.written is not None, "texts are written"
    (places,), beam = target.places, target.written.beam
    if beam == 1:
        return _greedily(step, count, places)
    found = np.full((count, places), NOWHERE, "int32")
    most = max(1, AT_ONCE // beam)
    for first in range(0, count, most):
        samples = np.arange(first, min(count, first + most))
        found[samples] = _by_beam(step, samples, places, beam)
    return found


AT_ONCE = 8192
"""Beginnings that are led through the network together."""


def _greedily(step: Step, count: int, places: int) -> Array:
    found = np.full((count, places), NOWHERE, "int32")
    going = np.arange(count)
    for place in range(places):
        if not len(going):
            break
        if place == places - 1:
            found[going, place] = END
            break
        shares = np.array(step(going, found[going, :place]), "float64")
        shares[:, UNKNOWN_CLASS] = -1
        found[going, place] = shares.argmax(axis=1)
        going = going[found[going, place] != END]
    return found


def _by_beam(step: Step, samples: Array, places: int, beam: int) -> Array:
    """The same of some samples, so many beginnings of each kept side by side."""
    count = len(samples)
    texts = np.full((count, beam, places), NOWHERE, "int32")
    scores = np.full((count, beam), -np.inf)
    scores[:, 0] = 0.0
    ended = np.zeros((count, beam), bool)
    for place in range(places):
        open_ = np.isfinite(scores) & ~ended
        if not open_.any():
            break
        rows, beams = np.nonzero(open_)
        shares = np.array(step(samples[rows], texts[rows, beams, :place]), "float64")
        gains = np.log(np.maximum(shares, 1e-30))
        gains[:, UNKNOWN_CLASS] = -np.inf
        classes = gains.shape[1]
        if place == places - 1:
            gains[:, np.arange(classes) != END] = -np.inf
        options = np.full((count, beam, classes), -np.inf)
        options[rows, beams] = scores[rows, beams][:, None] + gains
        options[..., END] = np.where(ended, scores, options[..., END])  # what has ended stays as it is
        flat = options.reshape(count, -1)
        kept = np.argsort(-flat, axis=1, kind="stable")[:, :beam]
        source, chosen = kept // classes, kept % classes
        scores = np.take_along_axis(flat, kept, axis=1)
        texts = np.take_along_axis(texts, source[..., None], axis=1)
        was = np.take_along_axis(ended, source, axis=1)
        texts[..., place] = np.where(was, NOWHERE, chosen)
        ended = was | (chosen == END)
    return np.asarray(texts[np.arange(count), scores.argmax(axis=1)])


def items_of(classes: Array) -> list[int]:
    """The classes of a text, without its end."""
    return [int(each) for each in classes if each not in (END, NOWHERE)]


def exact(truth: Array, written: Array) -> Array:
    """Which texts are written as they truly are, to their end, (samples,) bool.

    Args:
        truth, written: classes, (samples, places); both may have other numbers of places.
    """
    width = min(truth.shape[1], written.shape[1])
    same = (truth[:, :width] == written[:, :width]).all(axis=1)
    return np.asarray(same & (truth[:, width:] < 0).all(axis=1) & (written[:, width:] < 0).all(axis=1))


def edits(truth: Array, written: Array) -> tuple[Array, Array]:
    """How many items must be put in, taken out or replaced to make of each text the true one (Levenshtein, 1966), and
    how many items the true one has, both (samples,)."""
    pairs = [(items_of(one), items_of(other)) for one, other in zip(truth, written, strict=True)]
    return np.array([distance(*pair) for pair in pairs], int), np.array([len(one) for one, _ in pairs], int)


def distance(one: list[int], other: list[int]) -> int:
    """The edit distance of two lists."""
    row = list(range(len(other) + 1))
    for i, item in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, its in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (item != its))
    return row[-1]
