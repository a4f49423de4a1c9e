"""How often the most probable class is right, and how much probability the true class is given."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.evaluation.metrics.base import METRICS, Metric, mean_of
from dlspec.language.fields import PositiveInt, Primary, Share

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


class ClassMetric(Metric):
    """A metric of classes; the larger, the better, unless it says otherwise."""

    of = "class"
    better: ClassVar[Literal["lower", "higher"]] = "higher"
    of_two: ClassVar[bool] = False
    """Whether it is for two classes only."""

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        if self.of_two and classes != 2 and not labels:
            return f"`{self.type_name}` is for two classes, and there are {classes}", "write `accuracy`"
        return None


@METRICS.register
class Accuracy(ClassMetric):
    """Share of samples whose most probable class is the true one; of labels, of samples that have just those that are
    more probable than not."""

    label, unit, of_labels, bounds = "Accuracy", "percent", True, (0, 1)
    also: ClassVar = ("acc", "categorical_accuracy", "sparse_categorical_accuracy")
    keras_names = ("Accuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy")
    examples: ClassVar = ["accuracy"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        if truth.ndim > 1:
            return mean_of(((predicted > 0.5) == truth.astype(bool)).all(axis=1), weights)
        return mean_of(predicted.argmax(axis=1) == truth, weights)


@METRICS.register
class BinaryAccuracy(ClassMetric):
    """Of two classes, share of samples on the right side of a probability of `threshold` for the second; of labels, the
    share of all that are said rightly to be there or not."""

    label, unit, of_two, of_labels, bounds = "Binary accuracy", "percent", True, True, (0, 1)
    keras_names = ("BinaryAccuracy",)
    threshold: Share = Primary(0.5, description="probability from which the second class is predicted")
    examples: ClassVar = ["binary_accuracy", {"binary_accuracy": 0.3}]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        probability = predicted if truth.ndim > 1 else predicted[:, 1]
        return mean_of((probability > self.threshold) == (truth == 1), weights)


@METRICS.register
class BalancedAccuracy(ClassMetric):
    """Mean over the classes of the share of each that is found, however rare it is (Brodersen et al., 2010)."""

    label, unit, bounds = "Balanced accuracy", "percent", (0, 1)
    examples: ClassVar = ["balanced_accuracy"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        right = predicted.argmax(axis=1) == truth
        every = np.ones(len(truth)) if weights is None else weights
        there = [label for label in np.unique(truth) if every[truth == label].any()]
        return float(np.mean([np.average(right[truth == label], weights=every[truth == label]) for label in there]))


@METRICS.register
class TopKAccuracy(ClassMetric):
    """Share of samples whose true class is among the `k` most probable."""

    label, unit, bounds = "Top-k accuracy", "percent", (0, 1)
    also: ClassVar = ("top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy")
    keras_names = ("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy")
    k: PositiveInt = Primary(5, description="how many guesses count")
    examples: ClassVar = ["top_k_accuracy", {"top_k_accuracy": 2}]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        given = predicted[np.arange(len(truth)), truth]
        return mean_of((predicted > given[:, None]).sum(axis=1) < self.k, weights)

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        if self.k >= classes:
            return f"with {classes} classes one of {self.k} guesses is always right", "write a smaller `k`"
        return None


@METRICS.register
class LogLoss(ClassMetric):
    """Mean negative logarithm of the probability given to the true class, in nats; of labels, of that each is there or
    not."""

    better, label, of_labels, bounds = "lower", "Log loss", True, (0, inf)
    also: ClassVar = (
        "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "cross_entropy",
        "crossentropy",
    )  # fmt: skip
    keras_names = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
    examples: ClassVar = ["log_loss"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        if truth.ndim > 1:
            given = np.where(truth.astype(bool), predicted, 1 - predicted)
        else:
            given = predicted[np.arange(len(truth)), truth]
        return mean_of(-np.log(np.clip(given, 1e-12, 1)), weights)


@METRICS.register
class Perplexity(ClassMetric):
    """Among how many classes that are equally likely the choice is as hard: e to the power of the log loss."""

    better, label, bounds = "lower", "Perplexity", (1, inf)
    examples: ClassVar = ["perplexity"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import math

        return math.exp(LogLoss().compute(truth, predicted, weights=weights))


@METRICS.register
class CosineSimilarity(ClassMetric):
    """Mean cosine between the probabilities and the true class as a vector."""

    label, bounds = "Cosine similarity", (0, 1)
    keras_names = ("CosineSimilarity",)
    examples: ClassVar = ["cosine_similarity"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        given = predicted[np.arange(len(truth)), truth]
        return mean_of(given / (predicted**2).sum(axis=1) ** 0.5, weights)


@METRICS.register
class Hinge(ClassMetric):
    """Of two classes, the mean of 1 - truth x probability where that is above zero, the truth being -1 or 1."""

    better, label, of_two, bounds = "lower", "Hinge", True, (0, inf)
    keras_names = ("Hinge",)
    examples: ClassVar = ["hinge"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        return mean_of((1 - (2 * truth - 1) * predicted[:, 1]).clip(0), weights)


@METRICS.register
class SquaredHinge(ClassMetric):
    """Of two classes, the mean square of what `hinge` adds up."""

    better, label, of_two, bounds = "lower", "Squared hinge", True, (0, inf)
    keras_names = ("SquaredHinge",)
    examples: ClassVar = ["squared_hinge"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        return mean_of((1 - (2 * truth - 1) * predicted[:, 1]).clip(0) ** 2, weights)


@METRICS.register
class CategoricalHinge(ClassMetric):
    """Mean of the largest wrong probability less the right one, plus one."""

    better, label, bounds = "lower", "Categorical hinge", (0, inf)
    keras_names = ("CategoricalHinge",)
    examples: ClassVar = ["categorical_hinge"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        rows = np.arange(len(truth))
        given, others = predicted[rows, truth], predicted.copy()
        others[rows, truth] = 0
        return mean_of((others.max(axis=1) - given + 1).clip(0), weights)
