"""Losses for classes. They compare probabilities with the true class."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from dlspec.language.fields import Flag, NonNegativeInt, NonNegativeNumber, Number, Primary, Rate, Share, either
from dlspec.training.losses.base import LOSSES, Loss


@LOSSES.register
class BinaryCrossentropy(Loss):
    """Cross-entropy of two classes, for one sigmoid unit; `label_smoothing` moves 0 and 1 towards each other.

    Also of a number between 0 and 1, such as a share or a pixel, above an `output` with `activation: sigmoid`.
    """

    of, of_shares = ("binary",), True
    label_smoothing: Rate = 0.0
    examples: ClassVar = ["binary_crossentropy", {"binary_crossentropy": {"label_smoothing": 0.1}}]


@LOSSES.register
class BinaryFocalCrossentropy(Loss):
    """Cross-entropy of two classes that counts easy samples less, by the power `gamma` (Lin et al., 2017)."""

    of = ("binary",)
    apply_class_balancing: Flag = False
    alpha: Share = 0.25
    gamma: NonNegativeNumber = Primary(2.0, description="how much less easy samples count")
    label_smoothing: Rate = 0.0
    examples: ClassVar = ["binary_focal_crossentropy", {"binary_focal_crossentropy": 1.0}]


@LOSSES.register
class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy of several classes, for a softmax output. Samples of class number `ignore_class` do not count."""

    of = ("class",)
    ignore_class: NonNegativeInt | None = None
    examples: ClassVar = ["sparse_categorical_crossentropy", {"sparse_categorical_crossentropy": {"ignore_class": 0}}]


@LOSSES.register
class CategoricalCrossentropy(Loss):
    """Cross-entropy of several classes whose labels can be smoothed (Szegedy et al., 2016)."""

    of, one_hot = ("class",), True
    label_smoothing: Rate = 0.0
    examples: ClassVar = ["categorical_crossentropy", {"categorical_crossentropy": {"label_smoothing": 0.1}}]


@LOSSES.register
class CategoricalFocalCrossentropy(Loss):
    """Cross-entropy of several classes that counts easy samples less, by the power `gamma` (Lin et al., 2017).

    `alpha` weighs all classes, or each by a list.
    """

    of, one_hot = ("class",), True
    alpha: Annotated[
        Number | Annotated[list[Number], Field(min_length=1)], either("a number, or one for each class")
    ] = 0.25
    gamma: NonNegativeNumber = Primary(2.0, description="how much less easy samples count")
    label_smoothing: Rate = 0.0
    examples: ClassVar = ["categorical_focal_crossentropy", {"categorical_focal_crossentropy": {"gamma": 1.0}}]


@LOSSES.register
class CategoricalGeneralizedCrossEntropy(Loss):
    """Between cross-entropy (`q` near 0) and absolute error (`q` = 1), for labels that are partly wrong (Zhang and
    Sabuncu, 2018)."""

    of = ("class",)
    q: Annotated[Number, Field(gt=0, lt=1)] = Primary(0.5, description="how little wrong labels count")
    examples: ClassVar = ["categorical_generalized_cross_entropy", {"categorical_generalized_cross_entropy": 0.7}]


@LOSSES.register
class CategoricalHinge(Loss):
    """The largest wrong probability less the right one, plus one: how far the right class is from a margin (Crammer
    and Singer, 2001)."""

    of, one_hot = ("class",), True
    examples: ClassVar = ["categorical_hinge"]


@LOSSES.register
class Hinge(Loss):
    """1 - truth x predicted where that is above zero, the truth being -1 or 1 (Cortes and Vapnik, 1995)."""

    of = ("binary",)
    examples: ClassVar = ["hinge"]


@LOSSES.register
class SquaredHinge(Loss):
    """The square of `hinge`."""

    of = ("binary",)
    examples: ClassVar = ["squared_hinge"]


@LOSSES.register
class KLDivergence(Loss):
    """Kullback-Leibler divergence of the predicted from the true distribution (Kullback and Leibler, 1951)."""

    of, one_hot = ("class",), True
    examples: ClassVar = ["kl_divergence"]


@LOSSES.register
class CosineSimilarity(Loss):
    """Minus the cosine between the probabilities and the true class as a vector."""

    of, one_hot = ("class",), True
    examples: ClassVar = ["cosine_similarity"]


Axis = Annotated[int, Strict(), Field(ge=-2, le=1)]
Axes = Annotated[Axis | Annotated[list[Axis], Field(min_length=1)] | None, either("-1, 0, a list of both, or nothing")]
"""What one overlap is taken over: -1 for each sample, none for the whole batch."""


class Overlap(Loss):
    """A loss of the overlap between truth and prediction."""

    of, one_hot = ("binary", "class"), True
    axis: Axes = None

    @property
    def weighs_samples(self) -> bool:
        return self.axis in (1, -1, [1], [-1])

    @property
    def of_batch(self) -> bool:
        return not self.weighs_samples or super().of_batch

    @property
    def of_each_place(self) -> bool:
        return self.axis in (-1, [-1])


@LOSSES.register
class Dice(Overlap):
    """1 - 2 overlap / (truth + predicted), for rare classes (Dice, 1945; Milletari et al., 2016)."""

    examples: ClassVar = ["dice", {"dice": {"axis": -1}}]


@LOSSES.register
class Tversky(Overlap):
    """`dice` that weighs misses by `alpha` and false alarms by `beta` (Tversky, 1977; Salehi et al., 2017)."""

    alpha: NonNegativeNumber = 0.5
    beta: NonNegativeNumber = 0.5
    examples: ClassVar = ["tversky", {"tversky": {"alpha": 0.3, "beta": 0.7}}]
