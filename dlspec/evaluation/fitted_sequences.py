"""Baselines of texts that were fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from dlspec.data.preparation import Part, Prepared
from dlspec.data.preparation.prepared import flattened
from dlspec.evaluation.fitted import Fitted
from dlspec.evaluation.sequences import alone

Array = np.ndarray
MOST = 20_000
"""Training samples that are looked at."""
VALUES_AT_ONCE = 2 * 10**7
"""Comparisons of values that are in memory together."""


@dataclass(frozen=True)
class FittedText(Fitted):
    """The same text for every sample.

    Args:
        text: classes, (places,).
    """

    text: Array

    axes: ClassVar = {"text": 1}

    @classmethod
    def most_frequent(cls, part: Part) -> Self:
        """The most frequent whole text of a part, each counting by its weight; of several the first in order of their
        classes."""
        texts, places = np.unique(np.asarray(part.truth), axis=0, return_inverse=True)
        counts = np.bincount(places.ravel(), part.weights)
        return cls(texts[counts.argmax()].astype("int32"))

    def guess(self, part: Part) -> Array:
        return alone(np.repeat(self.text.astype("int32")[None], len(part), axis=0))


@dataclass(frozen=True)
class FittedNearestText(Fitted):
    """The text of the nearest training sample.

    Args:
        inputs: what the network sees of training samples, without what was written, (samples, values).
        texts: classes, (samples, places).
        tokens: (values,): 1 where a value is the number of a word or character, which is the same or another.
    """

    inputs: Array
    texts: Array
    tokens: Array

    axes: ClassVar = {"inputs": 2, "texts": 2, "tokens": 1}

    @classmethod
    def fit(cls, data: Prepared) -> Self:
        part, target = data.train, data.signature.target
        rows = np.unique(np.linspace(0, len(part) - 1, min(MOST, len(part))).astype(int))
        inputs = flattened(np.asarray(part.inputs[rows]))
        fed = 0 if target.aligned else target.places[0]
        tokens = np.zeros(inputs.shape[1] - fed, bool)
        if data.layout:
            tokens[:] = np.concatenate([np.full(width, bool(count)) for width, count in data.layout])[: len(tokens)]
        inputs = inputs[:, : len(tokens)]
        return cls(inputs.astype("float32"), np.asarray(part.truth)[rows].astype("int32"), tokens.astype(int))

    def check(self) -> None:
        if len(self.inputs) != len(self.texts) or self.inputs.shape[1] != len(self.tokens) or not len(self.inputs):
            raise ValueError("`inputs`, `texts` and `tokens` are not of the same samples and values")

    def guess(self, part: Part) -> Array:
        seen = flattened(np.asarray(part.inputs[:]))[:, : len(self.tokens)].astype("float32")
        size = max(1, VALUES_AT_ONCE // max(1, self.inputs.size))
        found = [self._nearest(seen[first : first + size]) for first in range(0, len(seen), size)]
        places = np.concatenate(found) if found else np.empty(0, int)
        return alone(self.texts.astype("int32")[places])

    def _nearest(self, seen: Array) -> Array:
        words = self.tokens.astype(bool)
        apart = (seen[:, None, words] != self.inputs[None, :, words]).sum(axis=-1, dtype="float64")
        if not words.all():
            apart += ((seen[:, None, ~words] - self.inputs[None, :, ~words]) ** 2).sum(axis=-1, dtype="float64")
        return np.asarray(apart.argmin(axis=1))
