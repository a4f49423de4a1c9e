"""Guesses that do not look at the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.data.arrays import blocks, is_read_later
from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.preparation import Prepared


@BASELINES.register
class Mean(Baseline):
    """The mean of the training targets, for every sample; where the target is the input, the mean input."""

    tasks = frozenset({"number", "reconstruction"})
    in_words = "always the mean of the training part"
    examples: ClassVar = ["mean"]

    def guess(self, data: Prepared) -> np.ndarray:
        import numpy as np

        truth = data.train.truth
        if is_read_later(truth):
            mean = sum(block.sum(axis=0, dtype="float64") for block in blocks(truth)) / len(truth)
        else:
            mean = truth.mean(axis=0, dtype="float64")
        return np.repeat(mean[None], len(data.test.truth), axis=0)


@BASELINES.register
class Majority(Baseline):
    """How often each class or label stands in the training part, for every sample; the most frequent class wins."""

    tasks = frozenset({"class", "class_series", "labels"})
    in_words = "always what is most frequent"
    examples: ClassVar = ["majority"]

    def guess(self, data: Prepared) -> np.ndarray:
        import numpy as np

        target = data.signature.target
        counts = data.train.class_counts(len(target.classes or target.labels))
        return np.tile(counts / len(data.train), (len(data.test.truth), 1))
