"""Counts of right and wrong decisions, and what is made of them.

Of two classes the second one is looked for. Of more, every class is looked for in every sample and all decisions
count alike, unless `class_id` names one class by its number, from 0 in their order.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from dlspec.evaluation.metrics.base import METRICS, Metric
from dlspec.language.fields import NonNegativeInt, PositiveInt, PositiveNumber, Primary, Share

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


def columns(truth: Array, predicted: Array, class_id: int | None = None) -> tuple[Array, Array]:
    """Whether each class that is looked for is there, and its probability, both (samples, classes looked for).

    Of labels, each is looked for.
    """
    import numpy as np

    classes: int = predicted.shape[1]
    if truth.ndim > 1:
        chosen = list(range(classes)) if class_id is None else [class_id]
        return truth[:, chosen].astype(bool), predicted[:, chosen]
    chosen = [class_id] if class_id is not None else [1] if classes == 2 else list(range(classes))
    return truth[:, None] == np.array(chosen), predicted[:, chosen]


def unknown_class(class_id: int | None, classes: int) -> tuple[str, str] | None:
    if class_id is not None and class_id >= classes:
        return f"there is no class {class_id}: they are numbered from 0 to {classes - 1}", "write one of these numbers"
    return None


def share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def count(chosen: Array, weights: Weights) -> float:
    """How many are chosen, or what their samples weigh, (samples, …) bool."""
    return float(chosen.sum()) if weights is None else float(weights @ chosen.reshape(len(chosen), -1).sum(axis=1))


class Decision(Metric):
    """A class is predicted where its probability is more than `thresholds`, a half if not given."""

    of, of_labels = "class", True
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    thresholds: Share | None = Primary(None, description="probability above which a class is predicted")

    def decide(self, truth: Array, predicted: Array) -> tuple[Array, Array]:
        """Whether each class is there, and whether it is predicted."""
        there, probability = columns(truth, predicted)
        return there, probability > (0.5 if self.thresholds is None else self.thresholds)

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        there, guessed = self.decide(truth, predicted)
        decided = (there & guessed, ~there & guessed, there & ~guessed)
        return self.of_counts(*(count(each, weights) for each in decided))

    @abstractmethod
    def of_counts(self, right: float, false_alarms: float, misses: float) -> float:
        """The value, from the numbers of true positives, false positives and false negatives."""


@METRICS.register
class TruePositives(Decision):
    """How often a class is predicted that is there."""

    label, unit = "True positives", "count"
    keras_names = ("TruePositives",)
    examples: ClassVar = ["true_positives", {"true_positives": 0.3}]

    def of_counts(self, right: float, false_alarms: float, misses: float) -> float:
        return right


@METRICS.register
class FalsePositives(Decision):
    """How often a class is predicted that is not there."""

    better, label, unit = "lower", "False positives", "count"
    keras_names = ("FalsePositives",)
    examples: ClassVar = ["false_positives"]

    def of_counts(self, right: float, false_alarms: float, misses: float) -> float:
        return false_alarms


@METRICS.register
class FalseNegatives(Decision):
    """How often a class is there and not predicted."""

    better, label, unit = "lower", "False negatives", "count"
    keras_names = ("FalseNegatives",)
    examples: ClassVar = ["false_negatives"]

    def of_counts(self, right: float, false_alarms: float, misses: float) -> float:
        return misses


@METRICS.register
class TrueNegatives(Decision):
    """How often a class is neither there nor predicted."""

    label, unit = "True negatives", "count"
    keras_names = ("TrueNegatives",)
    examples: ClassVar = ["true_negatives"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        there, guessed = self.decide(truth, predicted)
        return count(~there & ~guessed, weights)

    def of_counts(self, right: float, false_alarms: float, misses: float) -> float:
        raise NotImplementedError("true negatives are counted")


class Retrieval(Decision):
    """With `top_k` a class is predicted where it is among the `top_k` most probable instead."""

    unit, bounds = "percent", (0, 1)
    top_k: PositiveInt | None = None
    class_id: NonNegativeInt | None = None

    def decide(self, truth: Array, predicted: Array) -> tuple[Array, Array]:
        import numpy as np

        there, probability = columns(truth, predicted, self.class_id)
        if self.top_k is None:
            return there, probability > (0.5 if self.thresholds is None else self.thresholds)
        ranked = np.argsort(-predicted, axis=1, kind="stable")[:, : self.top_k]
        among = np.zeros(predicted.shape, bool)
        np.put_along_axis(among, ranked, True, axis=1)
        _, among = columns(truth, among, self.class_id)
        return there, among & (probability > (-np.inf if self.thresholds is None else self.thresholds))

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        if self.top_k is not None and self.top_k >= classes:
            return f"with {classes} classes the {self.top_k} most probable are all of them", "write a smaller `top_k`"
        return unknown_class(self.class_id, classes)


@METRICS.register
class Precision(Retrieval):
    """Of what is predicted, the share that is there."""

    label = "Precision"
    keras_names = ("Precision",)
    examples: ClassVar = ["precision", {"precision": {"thresholds": 0.7}}, {"precision": {"class_id": 1}}]

    def of_counts(self, right: float, false_alarms: float, misses: float) -> float:
        return share(right, right + false_alarms)


@METRICS.register
class Recall(Retrieval):
    """Of what is there, the share that is predicted."""

    label = "Recall"
    also: ClassVar = ("sensitivity",)
    keras_names = ("Recall",)
    examples: ClassVar = ["recall", {"recall": {"thresholds": 0.3}}, {"recall": {"top_k": 1}}]

    def of_counts(self, right: float, false_alarms: float, misses: float) -> float:
        return share(right, right + misses)


class Balance(Metric):
    """Precision and recall in one figure.

    The most probable class is predicted, or with `threshold` every class of a larger probability, as of labels always,
    which are predicted above a half. Of two classes it is the second one's value. `average` makes one value of those of
    the classes: `macro` (of labels and of more than two classes the default) counts each alike, `weighted` by how often
    it is there, and `micro` adds up all decisions.
    """

    of, of_labels, better, bounds = "class", True, "higher", (0, 1)

    average: Literal["micro", "macro", "weighted"] | None = None
    threshold: Share | None = None

    @property
    def weight_of_recall(self) -> float:
        """How much more than precision recall counts."""
        return 1.0

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        numbers = np.arange(predicted.shape[1])
        labels = truth.ndim > 1
        there = truth.astype(bool) if labels else truth[:, None] == numbers
        if self.threshold is not None or labels:
            guessed = predicted > (0.5 if self.threshold is None else self.threshold)
        else:
            guessed = predicted.argmax(axis=1)[:, None] == numbers
        if predicted.shape[1] == 2 and self.average is None and not labels:
            there, guessed = there[:, 1:], guessed[:, 1:]
        axis = None if self.average == "micro" else 0
        every = 1.0 if weights is None else weights[:, None]
        right, are, said = ((every * each).sum(axis=axis) for each in (there & guessed, there, guessed))
        recall_counts = self.weight_of_recall**2
        whole = recall_counts * are + said
        values = np.where(whole > 0, (1 + recall_counts) * right / np.maximum(whole, 1e-12), 0.0)
        return float(np.average(values, weights=are if self.average == "weighted" else None))


@METRICS.register
class F1_Score(Balance):  # so that it is written `f1_score`
    """The harmonic mean of precision and recall (van Rijsbergen, 1979)."""

    label = "F1"
    also: ClassVar = ("f1", "f1score")
    keras_names = ("F1Score",)
    examples: ClassVar = ["f1_score", {"f1_score": {"average": "weighted"}}, {"f1_score": {"threshold": 0.3}}]


@METRICS.register
class FbetaScore(Balance):
    """The harmonic mean of precision and recall, recall counting `beta` times as much (van Rijsbergen, 1979)."""

    label = "F-beta"
    also: ClassVar = ("f_beta_score",)
    keras_names = ("FBetaScore",)
    beta: PositiveNumber = Primary(1.0, description="how much more recall counts than precision")
    examples: ClassVar = [{"fbeta_score": 2.0}, {"fbeta_score": {"beta": 0.5, "average": "micro"}}]

    @property
    def weight_of_recall(self) -> float:
        return self.beta


def mean_overlap(truth: Array, guess: Array, classes: list[int], weights: Weights) -> float:
    """Mean over the classes of overlap / union; classes that are nowhere do not count."""
    values = []
    for label in classes:
        there, guessed = truth == label, guess == label
        union = count(there | guessed, weights)
        if union:
            values.append(count(there & guessed, weights) / union)
    return float(sum(values) / len(values)) if values else 0.0


class Overlap(Metric):
    """Overlap over union of the samples of a class and those predicted to be of it (Jaccard, 1912)."""

    of, better, unit, bounds = "class", "higher", "percent", (0, 1)


@METRICS.register
class Iou(Overlap):
    """Samples of a class that are found, over those that are of it or predicted to be: mean over `target_class_ids`
    (Jaccard, 1912). Samples of class `ignore_class` do not count."""

    label = "IoU"
    also: ClassVar = ("jaccard",)
    keras_names = ("IoU",)
    target_class_ids: list[NonNegativeInt] = Primary(min_length=1, description="numbers of the classes, from 0")
    ignore_class: NonNegativeInt | None = None
    examples: ClassVar = [{"iou": [0]}, {"iou": {"target_class_ids": [0, 1], "ignore_class": 1}}]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        counted = truth != self.ignore_class
        weights = None if weights is None else weights[counted]
        return mean_overlap(truth[counted], predicted.argmax(axis=1)[counted], self.target_class_ids, weights)

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        return next(filter(None, (unknown_class(label, classes) for label in self.target_class_ids)), None)


@METRICS.register
class MeanIou(Overlap):
    """`iou` of all classes. Samples of class `ignore_class` do not count."""

    label = "Mean IoU"
    keras_names = ("MeanIoU",)
    ignore_class: NonNegativeInt | None = None
    examples: ClassVar = ["mean_iou", {"mean_iou": {"ignore_class": 0}}]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        counted = truth != self.ignore_class
        weights = None if weights is None else weights[counted]
        classes = list(range(predicted.shape[1]))
        return mean_overlap(truth[counted], predicted.argmax(axis=1)[counted], classes, weights)


@METRICS.register
class BinaryIou(Overlap):
    """Of two classes, `iou` where the second is predicted from a probability of `threshold` on."""

    label = "Binary IoU"
    keras_names = ("BinaryIoU",)
    target_class_ids: Annotated[list[Annotated[NonNegativeInt, Field(le=1)]], Field(min_length=1)] = Field([0, 1])
    threshold: Share = Primary(0.5, description="probability from which the second class is predicted")
    examples: ClassVar = ["binary_iou", {"binary_iou": 0.3}]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        return mean_overlap(truth, predicted[:, 1] >= self.threshold, self.target_class_ids, weights)

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        return (
            (f"`binary_iou` is for two classes, and there are {classes}", "write `mean_iou`") if classes > 2 else None
        )
