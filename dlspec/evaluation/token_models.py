"""Models of single tokens, pairs and triples that were fitted: how often a token follows those before it, smoothed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from dlspec.data.preparation import Part
from dlspec.evaluation.fitted import Fitted

Array = np.ndarray

HELD_OUT = 0.1
"""The share of the training windows, the last ones, by which the weights are fitted."""
BUCKETS = 12
"""Contexts that were seen 1, 2 to 3, 4 to 7 … times have weights of their own."""
STEPS = 50
"""Of the expectation maximization that fits a weight, which has one maximum."""
AT_ONCE = 256
"""Windows whose guesses are computed together."""


@dataclass(frozen=True)
class FittedTokens(Fitted):
    """The share of each token among those that followed the same tokens before, mixed with the shares behind one token
    less, down to all tokens alike (Jelinek and Mercer, 1980).

    What comes before the beginning of a window is not seen, as by the network.

    Args:
        contexts, tokens, counts: (entries,): what stood before, as one number, the class that followed, and how often;
            sorted, those of single tokens first, then pairs, then triples.
        ends: (orders,): where the entries of each order end.
        weights: (orders, buckets): how much the shares of an order count, by how often a context was seen.
        classes: (1,): how many there are.
    """

    contexts: Array
    tokens: Array
    counts: Array
    ends: Array
    weights: Array
    classes: Array

    axes: ClassVar = {"contexts": 1, "tokens": 1, "counts": 1, "ends": 1, "weights": 2, "classes": 1}

    @classmethod
    def fit(cls, part: Part, classes: int, order: int) -> Self:
        """
        Args:
            part: the training part.
            order: how many tokens belong together: 1, 2 or 3.
        """
        seen, truth = np.asarray(part.inputs).astype("int64"), np.asarray(part.truth)
        held = max(1, round(HELD_OUT * len(seen))) if len(seen) > 1 else 0
        counted = cls._counted(seen[: len(seen) - held], truth[: len(seen) - held], classes, order)
        weights = np.full((order, BUCKETS), 0.5)
        if held:
            own, ahead = seen[-held:], truth[-held:]
            there = ahead >= 0
            below = np.full(int(there.sum()), 1 / classes)
            for place in range(order):
                share, bucket = counted._of_true(own, ahead, place)
                for each in range(BUCKETS):
                    some = bucket == each
                    if some.any():
                        weights[place, each] = _best_weight(share[some], below[some])
                below = np.where(
                    bucket < 0, below, weights[place, bucket] * share + (1 - weights[place, bucket]) * below
                )
        whole = cls._counted(seen, truth, classes, order)
        return cls(whole.contexts, whole.tokens, whole.counts, whole.ends, weights, np.array([classes]))

    @classmethod
    def _counted(cls, seen: Array, truth: Array, classes: int, order: int) -> Self:
        found: list[tuple[Array, Array, Array]] = []
        there = truth >= 0
        for place in range(order):
            code = context_codes(seen, place, classes)[there] * classes + truth[there]
            different, counts = np.unique(code, return_counts=True)
            found.append((different // classes, different % classes, counts))
        ends = np.cumsum([len(each[0]) for each in found])
        contexts, tokens, counts = (np.concatenate(each) for each in zip(*found, strict=True))
        return cls(contexts, tokens, counts, ends, np.full((order, BUCKETS), 0.5), np.array([classes]))

    def check(self) -> None:
        entries, classes = len(self.contexts), int(self.classes[0])
        if not len(self.tokens) == len(self.counts) == entries == int(self.ends[-1]):
            raise ValueError("`contexts`, `tokens`, `counts` and `ends` do not fit each other")
        if len(self.weights) != len(self.ends) or self.weights.shape[1] != BUCKETS:
            raise ValueError("`weights` and `ends` are of other orders")
        if not ((self.tokens >= 0) & (self.tokens < classes)).all() or (self.counts < 1).any():
            raise ValueError("`tokens` or `counts` are none")

    def _order(self, place: int) -> tuple[Array, Array, Array]:
        """Contexts, tokens and counts of an order."""
        first = 0 if place == 0 else int(self.ends[place - 1])
        some = slice(first, int(self.ends[place]))
        return self.contexts[some], self.tokens[some], self.counts[some]

    def _totals(self, place: int, codes: Array) -> Array:
        """How often each context was seen."""
        contexts, _, counts = self._order(place)
        sums = np.concatenate([[0], np.cumsum(counts)])
        return sums[np.searchsorted(contexts, codes, "right")] - sums[np.searchsorted(contexts, codes, "left")]

    def _of_true(self, seen: Array, truth: Array, place: int) -> tuple[Array, Array]:
        """Of each token that counts its share behind its context, and the bucket of the context, -1 where it was never
        seen."""
        classes, there = int(self.classes[0]), truth >= 0
        codes = context_codes(seen, place, classes)[there]
        contexts, tokens, counts = self._order(place)
        known, asked = contexts * classes + tokens, codes * classes + truth[there]
        found = np.searchsorted(known, asked).clip(0, len(known) - 1)
        own = np.where(known[found] == asked, counts[found], 0)
        totals = self._totals(place, codes)
        return own / np.maximum(totals, 1), _bucket(totals)

    def guess(self, part: Part) -> Array:
        """(samples, length, classes), float32"""
        seen, classes = np.asarray(part.inputs).astype("int64"), int(self.classes[0])
        found = np.empty((*seen.shape, classes), "float32")
        for first in range(0, len(seen), AT_ONCE):
            found[first : first + AT_ONCE] = self._shares(seen[first : first + AT_ONCE])
        return found

    def _shares(self, seen: Array) -> Array:
        classes = int(self.classes[0])
        rows = np.full((1, classes), 1 / classes)  # of each different context of the order below
        inner = np.zeros(seen.size, int)  # the row of each place
        for place, (codes, total_of) in enumerate(self._different(seen)):
            different, firsts, inverse = np.unique(codes, return_index=True, return_inverse=True)
            below = rows[inner[firsts]]
            own = np.zeros_like(below)
            contexts, tokens, counts = self._order(place)
            low, high = np.searchsorted(contexts, different, "left"), np.searchsorted(contexts, different, "right")
            lengths = high - low
            entries = np.repeat(low - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) + np.arange(
                lengths.sum()
            )
            own[np.repeat(np.arange(len(different)), lengths), tokens[entries]] = counts[entries]
            totals = total_of[firsts]
            bucket = _bucket(totals)
            weight = np.where(bucket < 0, 0.0, self.weights[place, bucket])[:, None]
            rows = weight * own / np.maximum(totals, 1)[:, None] + (1 - weight) * below
            inner = inverse.reshape(-1)
        return rows[inner].reshape(*seen.shape, classes)

    def _different(self, seen: Array) -> Iterator[tuple[Array, Array]]:
        for place in range(len(self.ends)):
            codes = context_codes(seen, place, int(self.classes[0])).reshape(-1)
            yield codes, self._totals(place, codes)


def context_codes(seen: Array, tokens: int, classes: int) -> Array:
    """The last tokens at each place, as one number, (windows, length); 0 stands for what lies before a window.

    Args:
        seen: numbers of tokens, of which the last one at a place is its own.
        tokens: how many count.
    """
    codes = np.zeros(seen.shape, "int64")
    for back in reversed(range(tokens)):
        moved = np.zeros_like(codes)
        moved[:, back:] = seen[:, : seen.shape[1] - back]
        codes = codes * (classes + 1) + moved
    return codes


def _bucket(totals: Array) -> Array:
    """By how often a context was seen; -1: never."""
    found = np.floor(np.log2(np.maximum(totals, 1))).astype(int).clip(0, BUCKETS - 1)
    return np.where(totals > 0, found, -1)


def _best_weight(share: Array, below: Array) -> float:
    """The weight by which a mixture of two probabilities of each token is the most likely."""
    weight = 0.5
    for _ in range(STEPS):
        mixed = np.maximum(weight * share + (1 - weight) * below, 1e-300)
        weight = float(np.mean(weight * share / mixed))
    return min(max(weight, 1e-4), 1 - 1e-4)
