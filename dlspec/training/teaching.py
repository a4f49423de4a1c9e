"""A network that learns what another one answers, besides the truth (Hinton et al., 2015)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from dlspec.data.signature import Target
from dlspec.training.divergence import PerSample
from dlspec.training.losses import Loss
from dlspec.training.parts import PartsOfOutputs
from dlspec.training.section import TeacherSpec

Array = np.ndarray
PARTS = ("truth_loss", "teacher_loss")
LEAST = 1e-7
"""A probability is no less where its logarithm is taken."""


@dataclass(frozen=True)
class Answers:
    """What a teacher says of the training and of the validation part.

    Args:
        train, validation: probabilities of all classes, (samples, classes), or numbers as the network puts them out,
            (samples, numbers), float32.
    """

    train: Array
    validation: Array

    def some(self, chosen: Callable[[int], Array]) -> Answers:
        """The same of some samples.

        Args:
            chosen: the places of those that are kept among so many.
        """
        return Answers(*(values[chosen(len(values))] for values in (self.train, self.validation)))


def beside(targets: Array, answers: Array) -> Array:
    """Targets with the answers of a teacher behind them, (samples, values) float32, in which numbers of classes are
    exact."""
    flat = np.asarray(targets, "float32").reshape(len(targets), -1)
    return np.concatenate([flat, answers.reshape(len(answers), -1)], axis=1)


class Taught:
    """The part of a loss that a teacher has.

    Of classes it is the divergence of Kullback and Leibler of both at the temperature, times its square, so that
    gradients keep their size; of numbers it is the loss itself.

    Args:
        loss: that of the truth.
        target: what is predicted.
    """

    def __init__(self, teacher: TeacherSpec, loss: Loss, target: Target) -> None:
        self.teacher, self.target = teacher, target
        self._by_truth, self._by_teacher = loss.build_for(target), PerSample(reduction=loss.reduction)

    def loss(self, answers: Any, y_pred: Any, sample_weight: Any) -> Any:
        """
        Args:
            answers: of the teacher, (batch, values).
            y_pred: what the network gives.
            sample_weight: how much each sample counts, (batch,); None: all alike.
        """
        if self.target.kind == "class":
            each = divergences(answers, y_pred, self.teacher.temperature)
            return self._by_teacher(each, each, sample_weight)
        return self._by_truth(ops.reshape(answers, ops.shape(y_pred)), y_pred, sample_weight)

    def together(self, own: Any, taught: Any) -> Any:
        """The loss of the truth and that of the teacher, each with its share."""
        return (1 - self.teacher.share) * own + self.teacher.share * taught


def learn_from_teacher(network: Any, loss: Loss, teacher: TeacherSpec, targets: Array, target: Target) -> None:
    """Makes the loss of a compiled network that of the truth and of its teacher together, which its `loss_parts` are.

    Args:
        targets: as the loss compares them, without the answers.
        target: what is predicted.
    """
    by_truth, taught_by = loss.build_for(target), Taught(teacher, loss, target)
    width, shape = math.prod(targets.shape[1:]), targets.shape[1:]
    dtype = "int32" if targets.dtype.kind == "i" else "float32"
    network.means_of_parts = [keras.metrics.Mean(name=name) for name in PARTS]
    parts = PartsOfOutputs(PARTS, network.means_of_parts)

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        truth, answers = ops.cast(ops.reshape(y[:, :width], (-1, *shape)), dtype), y[:, width:]
        own, taught = by_truth(truth, y_pred, sample_weight), taught_by.loss(answers, y_pred, sample_weight)
        parts.computed((own, taught))
        together = taught_by.together(own, taught)
        return sum((network._aggregate_additional_loss(loss) for loss in network.losses), together)

    network.compute_loss = compute_loss
    network.loss_parts = parts


def divergences(answers: Any, given: Any, temperature: float) -> Any:
    """Of each sample, (batch,): how far what a network gives diverges from the answers of its teacher.

    Args:
        answers: of the teacher, (batch, classes), probabilities.
        given: by the network, likewise; or of the second of two classes alone, (batch, 1).
    """
    if given.shape[-1] == 1:
        given = ops.concatenate([1 - given, given], axis=-1)
    softened = [
        ops.log_softmax(ops.log(ops.clip(ops.cast(shares, "float32"), LEAST, 1.0)) / temperature, axis=-1)
        for shares in (answers, given)
    ]
    each = ops.sum(ops.exp(softened[0]) * (softened[0] - softened[1]), axis=-1)
    return temperature**2 * each
