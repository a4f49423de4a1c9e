"""The tag that each word mostly has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from dlspec.data.features.text import UNKNOWN
from dlspec.data.preparation import Part
from dlspec.evaluation.fitted import Fitted

Array = np.ndarray


@dataclass(frozen=True)
class FittedWordTags(Fitted):
    """How often words have tags: a table without what is never there.

    Args:
        words: the number of the word of each entry, as the network sees it, (entries,), in their order.
        tags: the class of each, (entries,).
        counts: how often that word has that tag, (entries,).
        shares: of each tag among all words, (classes,).
    """

    words: Array
    tags: Array
    counts: Array
    shares: Array

    axes: ClassVar = {"words": 1, "tags": 1, "counts": 1, "shares": 1}

    @classmethod
    def of(cls, part: Part, classes: int) -> Self:
        """Of the words of a part that count."""
        truth, words = np.asarray(part.truth), np.asarray(part.inputs).astype(int)
        there = truth >= 0
        pairs, counts = np.unique(words[there] * classes + truth[there], return_counts=True)
        shares = np.bincount(truth[there], minlength=classes) / max(1, int(there.sum()))
        return cls(pairs // classes, pairs % classes, counts, shares)

    def check(self) -> None:
        if not len(self.words) == len(self.tags) == len(self.counts) or (self.counts < 1).any():
            raise ValueError("`words`, `tags` and `counts` are not of one table")
        if not ((self.tags >= 0) & (self.tags < len(self.shares))).all() or (self.words < 0).any():
            raise ValueError("`tags` are other classes than those of `shares`")

    def guess(self, part: Part) -> Array:
        """The shares of the tags of each word, as if it had stood there once more with the tags of all words together;
        these alone where the training part has not the word."""
        words, places = np.unique(np.asarray(part.inputs).astype(int), return_inverse=True)
        counts = np.zeros((len(words), len(self.shares)))
        place = np.minimum(np.searchsorted(words, self.words), max(0, len(words) - 1))
        known = (self.words != UNKNOWN) & (words[place] == self.words) if len(words) else np.zeros(len(place), bool)
        counts[place[known], self.tags[known]] = self.counts[known]
        found = (counts + self.shares) / (counts.sum(axis=1, keepdims=True) + 1)
        return np.asarray(found[places.reshape(np.shape(part.inputs))])
