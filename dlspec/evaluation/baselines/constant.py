"""Guesses that do not look at the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.data.arrays import blocks, is_read_later
from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.fitted import FittedConstant


@BASELINES.register
class Mean(Baseline):
    """The mean of the training targets, for every sample; where the target is the input, the mean input."""

    tasks = frozenset({"number", "reconstruction"})
    in_words = "always the mean of the training part"
    examples: ClassVar = ["mean"]

    def fit(self, data: Prepared) -> FittedConstant:
        import numpy as np

        from dlspec.evaluation.fitted import FittedConstant

        truth = data.train.truth
        if is_read_later(truth):
            mean = sum(block.sum(axis=0, dtype="float64") for block in blocks(truth)) / len(truth)
        else:
            mean = truth.mean(axis=0, dtype="float64")
        return FittedConstant(np.atleast_1d(mean), np.array([np.ndim(mean) == 0], int))


@BASELINES.register
class Majority(Baseline):
    """How often each class or label stands in the training part, for every sample; the most frequent class wins."""

    tasks = frozenset({"class", "class_series", "labels"})
    in_words = "always what is most frequent"
    examples: ClassVar = ["majority"]

    def fit(self, data: Prepared) -> FittedConstant:
        import numpy as np

        from dlspec.evaluation.fitted import FittedConstant

        target = data.signature.target
        counts = data.train.class_counts(len(target.classes or target.labels))
        return FittedConstant(counts / len(data.train), np.zeros(1, int))
