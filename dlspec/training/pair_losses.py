"""The Keras losses that compare samples with each other."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

FAR = 1e30
"""What stands in place of distances that are not looked at."""


class Contrastive(keras.losses.Loss):
    """Class numbers, (batch,) or (batch, 1), and distances, (batch, 1) -> (batch,).

    Args:
        same: the number of the class of pairs of the same, 0 or 1.
    """

    def __init__(self, margin: float = 1.0, same: float = 1.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.margin, self.same = margin, same

    def call(self, y_true: Any, y_pred: Any) -> Any:
        d = ops.reshape(y_pred, (-1,))
        y = ops.cast(ops.equal(ops.reshape(y_true, (-1,)), self.same), d.dtype)
        return y * ops.square(d) + (1 - y) * ops.square(ops.maximum(self.margin - d, 0))


class Triplet(keras.losses.Loss):
    """Class numbers, (batch,) or (batch, 1), and codes, (batch, units) -> ().

    Args:
        mining: which triplets count.
        distance: of two codes.
    """

    def __init__(
        self,
        margin: float = 0.2,
        mining: Literal["semi_hard", "hard", "all"] = "semi_hard",
        distance: Literal["squared_euclidean", "euclidean"] = "squared_euclidean",
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self.margin, self.mining, self.distance = margin, mining, distance

    def call(self, y_true: Any, y_pred: Any) -> Any:
        apart = distances(ops.reshape(y_pred, (ops.shape(y_pred)[0], -1)))
        if self.distance == "euclidean":
            above = ops.greater(apart, 0)  # a root is infinitely steep at 0
            apart = ops.where(above, ops.sqrt(ops.where(above, apart, 1.0)), apart)  # NaN stays NaN
        labels = ops.reshape(y_true, (-1,))
        places = ops.arange(ops.shape(labels)[0])
        same = ops.equal(labels[:, None], labels[None, :])
        others = ops.not_equal(places[:, None], places[None, :])
        positive, negative = ops.logical_and(same, others), ops.logical_not(same)
        mean = {"semi_hard": self._semi_hard, "hard": self._hard, "all": self._all}[self.mining]
        return mean(apart, positive, negative) + 0.0 * ops.sum(apart)  # which is NaN where a code is, whatever counts

    def _semi_hard(self, apart: Any, positive: Any, negative: Any) -> Any:
        """Of each anchor and positive the nearest negative beyond the positive, else the farthest negative."""
        beyond = ops.logical_and(negative[:, None, :], ops.greater(apart[:, None, :], apart[:, :, None]))
        nearest = ops.min(ops.where(beyond, apart[:, None, :], FAR), axis=2)
        farthest = ops.max(ops.where(negative, apart, -FAR), axis=1, keepdims=True)
        chosen = ops.where(ops.any(beyond, axis=2), nearest, farthest)
        counts = ops.logical_and(positive, ops.any(negative, axis=1, keepdims=True))
        return _mean_where(counts, self.margin + apart - ops.where(counts, chosen, 0.0))

    def _hard(self, apart: Any, positive: Any, negative: Any) -> Any:
        """Of each anchor the farthest positive and the nearest negative."""
        farthest = ops.max(ops.where(positive, apart, -FAR), axis=1)
        nearest = ops.min(ops.where(negative, apart, FAR), axis=1)
        counts = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
        further = ops.where(counts, farthest, 0.0) - ops.where(counts, nearest, 0.0)
        return _mean_where(counts, self.margin + further)

    def _all(self, apart: Any, positive: Any, negative: Any) -> Any:
        counts = ops.logical_and(positive[:, :, None], negative[:, None, :])
        return _mean_where(counts, self.margin + apart[:, :, None] - apart[:, None, :])


def distances(codes: Any) -> Any:
    """Squared Euclidean distances of all pairs, (batch, units) -> (batch, batch).

    Sums of squared differences, which are exact for near codes: |a|^2 + |b|^2 - 2 a b is not.
    """
    return ops.sum(ops.square(codes[:, None, :] - codes[None, :, :]), axis=-1)


def _mean_where(counts: Any, values: Any) -> Any:
    """The mean of max(0, value) over those that count; 0 where none does."""
    counted = ops.cast(counts, values.dtype)
    total = ops.sum(counted * ops.maximum(values, 0))
    return total / ops.maximum(ops.sum(counted), 1)
