"""What a stage is trained on: inputs, targets as the loss compares them, and how much each sample counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlspec.data.arrays import Mapped, Samples, is_read_later, reshaped
from dlspec.data.preparation import Part, Prepared
from dlspec.data.signature import Target
from dlspec.training.losses import Loss
from dlspec.training.section import TrainSpec


@dataclass(frozen=True)
class StageData:
    """What a stage is trained on, and what it is measured on between epochs.

    Args:
        x: inputs, (samples, ...).
        y: targets, as the loss compares them; None: the method of the stage makes its own.
        weights: how much each sample, or each of its places, counts, (samples, ...); None: all alike.
        places, held_out_places: how many places of each sample count, (samples,); None: all have as many.
    """

    x: Samples
    y: Samples | None
    weights: Samples | None
    held_out: Samples
    held_out_y: Samples | None
    places: np.ndarray | None = None
    held_out_places: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def counting(self, samples: np.ndarray) -> int:
        """How many of some samples count, or of their places."""
        return len(samples) if self.places is None else int(self.places[samples].sum())

    @property
    def all_counting(self) -> int:
        return len(self) if self.places is None else max(1, int(self.places.sum()))


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
    """How much each sample of the training part counts, by its class, of classes at each place each place; None: all
    alike.

    `balanced` gives every class the same sum (King and Zeng, 2001).
    """
    wanted, truth, classes = train.class_weight, data.train.truth, data.signature.target.classes
    if wanted is None:
        return None
    if wanted == "balanced":
        counts = data.train.class_counts(len(classes))
        of_class = counts.sum() / (len(classes) * np.maximum(counts, 1))
    else:
        of_class = np.array([wanted.get(label, 1.0) for label in classes])
    weights = of_class.astype("float32")
    if is_read_later(truth):
        return Mapped(truth, weights.__getitem__, truth.shape[1:], "float32")
    return weights[truth]
