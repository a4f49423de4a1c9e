"""What a stage is trained on: inputs, targets as the loss compares them, and how much each sample counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlspec.data.arrays import Mapped, Samples, is_read_later, reshaped
from dlspec.data.preparation import Part, Prepared
from dlspec.data.signature import Target
from dlspec.training.losses import Loss
from dlspec.training.outputs import ClassWeight
from dlspec.training.section import TrainSpec


@dataclass(frozen=True)
class StageData:
    """What a stage is trained on, and what it is measured on between epochs.

    Args:
        x: inputs, (samples, ...).
        y: targets, as the loss compares them; None: the method of the stage makes its own.
        weights: how much each sample, or each of its places, counts, (samples, ...); None: all alike.
        held_out_weights: how much each held-out sample counts, (samples,); None: all alike.
        places, held_out_places: how many places of each sample count, (samples,), or what it weighs where batches count
            by that; None: all alike.
    """

    x: Samples
    y: Samples | None
    weights: Samples | None
    held_out: Samples
    held_out_y: Samples | None
    places: np.ndarray | None = None
    held_out_places: np.ndarray | None = None
    held_out_weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def counting(self, samples: np.ndarray) -> float:
        """How many of some samples count, or of their places."""
        return len(samples) if self.places is None else float(self.places[samples].sum())

    @property
    def all_counting(self) -> float:
        return len(self) if self.places is None else max(1e-12, float(self.places.sum()))


def encoded_targets(part: Part, loss: Loss | None, target: Target, network: Any) -> Samples:
    """What the network is to put out, as the loss compares it."""
    assert loss is not None, "the default loss was filled in"
    if target.kind == "input" or (target.kind == "number" and target.places):
        return reshaped(part.targets, network.output_shape[1:])
    if not is_read_later(part.targets):
        return loss.encode(part.targets, target.units)
    encoded = loss.encode(part.targets[:1], target.units)
    return Mapped(part.targets, lambda some: loss.encode(some, target.units), encoded.shape[1:], encoded.dtype)


def sample_weights(train: TrainSpec, data: Prepared) -> Samples | None:
    """How much each sample of the training part counts, by its own weight and its class, of classes at each place each
    place; None: all alike."""
    own, of_class = part_weights(data.train), class_weights(train.class_weight, data)
    if own is None or of_class is None:
        return own if of_class is None else of_class
    return np.asarray(of_class) * own


def class_weights(wanted: ClassWeight | None, data: Prepared) -> Samples | None:
    """How much each sample of the training part, or each of its places, counts by its class; None: all alike.

    `balanced` gives every class the same sum (King and Zeng, 2001).
    """
    truth, classes = data.train.truth, data.signature.target.classes
    if data.signature.target.cut_from:  # those that are cut off while training are of other places each time
        truth = np.asarray(data.train.targets).reshape(-1, *data.signature.target.cut_from).astype("int32")
    if wanted is None:
        return None
    if wanted == "balanced":
        counts = data.train.class_weights(len(classes))
        of_class = counts.sum() / (len(classes) * np.maximum(counts, 1))
    else:
        of_class = np.array([wanted.get(label, 1.0) for label in classes])
    weights = of_class.astype("float32")
    if is_read_later(truth):
        return Mapped(truth, weights.__getitem__, truth.shape[1:], "float32")
    return weights[truth]


def part_weights(part: Part) -> np.ndarray | None:
    """How much each sample of a part counts by its own weight, 1 in the mean, (samples,) float32; None: all alike."""
    weights = part.relative_weights
    return None if weights is None else weights.astype("float32")
