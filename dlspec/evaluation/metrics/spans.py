"""How well spans of words are found that `B-` and `I-` tags mark, as `conlleval` of CoNLL-2000 counts them.

A span is right if its first word, its last word and its type are. An `I-` that goes on with no span of its type begins
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.evaluation.metrics.base import METRICS, Metric
from dlspec.evaluation.spans import count_spans

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


class SpanMetric(Metric):
    """Of tags of words, over the spans of all types."""

    of, unit, bounds = "tags", "percent", (0, 1)
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    def compute_spans(self, truth: Array, guess: Array, classes: Sequence[str]) -> float:
        """The value over all texts; see `count_spans`."""
        return count_spans(truth, guess, classes).scores()[self.type_name]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        raise NotImplementedError("spans are those of texts, and single words have none")


@METRICS.register
class Span_F1(SpanMetric):  # so that it is written `span_f1`
    """The harmonic mean of `span_precision` and `span_recall`."""

    label = "Span F1"
    also: ClassVar = ("entity_f1", "chunk_f1", "seqeval")
    examples: ClassVar = ["span_f1"]


@METRICS.register
class SpanPrecision(SpanMetric):
    """Of the spans that are predicted, the share that is there: with the same first word, last word and type."""

    label = "Span precision"
    examples: ClassVar = ["span_precision"]


@METRICS.register
class SpanRecall(SpanMetric):
    """Of the spans that are there, the share that is predicted: with the same first word, last word and type."""

    label = "Span recall"
    examples: ClassVar = ["span_recall"]
