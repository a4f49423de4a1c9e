"""How well texts are written: whole, item by item, and behind what truly stands before."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.evaluation.metrics.base import METRICS, Metric, mean_of

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


class SequenceMetric(Metric):
    """A metric of texts that are written: `truth` are classes, (samples, places), -1 behind the end, and `predicted`
    those that were written, and those that are likeliest behind the true ones, (samples, places, 2)."""

    of = "sequence"
    better: ClassVar[Literal["lower", "higher"]] = "higher"


@METRICS.register
class ExactMatch(SequenceMetric):
    """Share of texts that are written, or read, without a mistake, to their end; what is written sees nothing but the
    inputs and what was written before."""

    label, unit, bounds = "Exact match", "percent", (0, 1)
    examples: ClassVar = ["exact_match"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        from dlspec.evaluation.sequences import WRITTEN, exact

        return mean_of(exact(truth, predicted[..., WRITTEN]).astype("float64"), weights)


@METRICS.register
class EditDistance(SequenceMetric):
    """How many items must be put in, taken out or replaced to make of what was written, or read, what is true
    (Levenshtein, 1966), for each item that is true: the error rate of characters, or of words."""

    label, better, bounds = "Edit distance", "lower", (0, inf)
    slow: ClassVar = True
    examples: ClassVar = ["edit_distance"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        from dlspec.evaluation.sequences import WRITTEN, edits

        changes, items = edits(truth, predicted[..., WRITTEN])
        counts = np.ones(len(items)) if weights is None else weights
        return float(counts @ changes / max(counts @ items, 1e-12)) if items.any() else float(counts @ changes)


@METRICS.register
class TeacherForcedAccuracy(SequenceMetric):
    """Share of items, the end among them, that are the likeliest ones behind what truly stands before them, as in
    training. Mistakes do not add up as they do where a text is written; guesses that look at nothing written have none.
    """

    label, unit, bounds = "Teacher-forced accuracy", "percent", (0, 1)
    examples: ClassVar = ["teacher_forced_accuracy"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        from dlspec.evaluation.sequences import FORCED

        forced, there = predicted[..., FORCED], truth >= 0
        return float((forced == truth)[there].mean()) if (forced[there] >= 0).any() else nan
