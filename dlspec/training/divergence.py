"""What `sampling` layers add to the loss of a network, and the parts that such a loss has."""

from __future__ import annotations

from collections.abc import Sequence
from threading import local
from typing import Any

import keras

from dlspec.model.sampling_layer import SamplingLayer

DIVERGENCE = "divergence"


class PerSample(keras.losses.Loss):
    """Takes what was computed of each sample together as a loss does: with weights, and as `reduction` says."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


class LossParts:
    """The parts of the loss of a compiled network: how far the output is off, and the divergence of the codes.

    Args:
        layers: those that draw codes.
        error: what the first part is called.
    """

    def __init__(self, layers: Sequence[SamplingLayer], error: str) -> None:
        self.layers = layers
        self.names = (error, DIVERGENCE)
        self._now = local()

    def keep(self) -> None:
        """Has every loss update what `of_batch` tells, for steps that Keras makes itself."""
        self.layers[0].tells_parts = True

    @property
    def last(self) -> tuple[Any, Any]:
        """Of the last loss that was computed in this thread."""
        return self._now.parts

    def computed(self, error: Any, divergence: Any) -> None:
        """Is told of a loss."""
        self._now.parts = (error, divergence)
        if self.layers[0].tells_parts:
            self.layers[0].error_of_batch.update_state(error)
            self.layers[0].divergence_of_batch.update_state(divergence)

    def of_batch(self) -> tuple[float, float]:
        """Of the last batch that Keras itself trained on or measured."""
        first = self.layers[0]
        return float(first.error_of_batch.result()), float(first.divergence_of_batch.result())


def add_divergence(network: Any, reduction: str, error: str) -> None:
    """Adds the divergence of its `sampling` layers to the loss of a compiled network that has some, whose `loss_parts`
    are the parts then.

    Samples count in it as they do in the loss: by their weights, and over a batch by its reduction.

    Args:
        error: what the loss without the divergence is called.
    """
    layers = [layer for layer in network.layers if isinstance(layer, SamplingLayer)]
    if not layers:
        return
    for layer in layers:
        layer.adds_loss = False
    before, together = network.compute_loss, PerSample(reduction=reduction)
    parts = LossParts(layers, error)

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        total = before(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        weights = sample_weight
        if weights is not None and len(weights.shape) > 1:  # of places
            weights = keras.ops.mean(weights, axis=tuple(range(1, len(weights.shape))))
        each = [together(layer.divergences, layer.divergences, weights) for layer in layers]
        penalties = sum(network._aggregate_additional_loss(loss) for loss in network.losses)
        parts.computed(total - penalties, sum(each))
        return total + sum(layer.kl * own for layer, own in zip(layers, each, strict=True))

    network.compute_loss = compute_loss
    network.loss_parts = parts


def plain_loss(network: Any) -> None:
    """Takes back what was added to the loss of a network before it is compiled again."""
    for name in ("compute_loss", "loss_parts"):
        if name in vars(network):
            delattr(network, name)
