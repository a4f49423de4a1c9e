"""A network that learns what another one answers, besides the truth (Hinton et al., 2015)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from dlspec.data.signature import Target
from dlspec.training.divergence import PerSample
from dlspec.training.losses import Loss
from dlspec.training.section import TeacherSpec
from dlspec.training.several import PartsOfOutputs

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


def beside(targets: Array, answers: Array) -> Array:
    """Targets with the answers of a teacher behind them, (samples, values) float32, in which numbers of classes are
    exact."""
    flat = np.asarray(targets, "float32").reshape(len(targets), -1)
    return np.concatenate([flat, answers.reshape(len(answers), -1)], axis=1)


def learn_from_teacher(network: Any, loss: Loss, teacher: TeacherSpec, targets: Array, target: Target) -> None:
    """Makes the loss of a compiled network that of the truth and of its teacher together, which its `loss_parts` are.

    Of classes the teacher's part is the divergence of Kullback and Leibler of both at the temperature, times its
    square, so that gradients keep their size; of numbers it is the loss itself.

    Args:
        targets: as the loss compares them, without the answers.
        target: what is predicted.
    """
    by_truth, by_teacher = loss.build_for(target), PerSample(reduction=loss.reduction)
    width, shape = math.prod(targets.shape[1:]), targets.shape[1:]
    dtype = "int32" if targets.dtype.kind == "i" else "float32"
    network.means_of_parts = [keras.metrics.Mean(name=name) for name in PARTS]
    parts = PartsOfOutputs(PARTS, network.means_of_parts)

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        truth, answers = ops.cast(ops.reshape(y[:, :width], (-1, *shape)), dtype), y[:, width:]
        own = by_truth(truth, y_pred, sample_weight)
        if target.kind == "class":
            each = divergences(answers, y_pred, teacher.temperature)
            taught = by_teacher(each, each, sample_weight)
        else:
            taught = by_truth(ops.reshape(answers, ops.shape(y_pred)), y_pred, sample_weight)
        parts.computed((own, taught))
        together = (1 - teacher.share) * own + teacher.share * taught
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
