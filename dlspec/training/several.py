"""The loss of a network of several outputs: the weighted sum of the losses of all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import local
from typing import Any

import numpy as np

from dlspec.data.arrays import Samples
from dlspec.data.preparation import Part, Prepared
from dlspec.language.diagnostics.errors import DataError
from dlspec.training.losses import Loss
from dlspec.training.masked import has_mask
from dlspec.training.outputs import Head, part_name
from dlspec.training.stage_data import encoded_targets

Array = np.ndarray


@dataclass(frozen=True)
class _Column:
    """Where the targets of an output stand among those of all, (samples, values).

    Args:
        shape: of the targets of a sample, as the loss compares them.
        dtype: theirs.
    """

    first: int
    last: int
    shape: tuple[int, ...]
    dtype: str

    def of(self, targets: Any) -> Any:
        """The targets of this output, (batch, ...)."""
        from keras import ops

        return ops.cast(ops.reshape(targets[:, self.first : self.last], (-1, *self.shape)), self.dtype)


class PartsOfOutputs:
    """The loss of each output, as `engines` tell them beside the sum; see `LossParts`.

    Args:
        names: what they are called.
        means: a `keras.metrics.Mean` for each, which keeps the loss of a batch that Keras itself trains on.
    """

    def __init__(self, names: Sequence[str], means: Sequence[Any]) -> None:
        self.names = tuple(names)
        self.means = means
        self.tells = False
        self._now = local()

    def keep(self) -> None:
        """Has every loss update what `of_batch` tells."""
        self.tells = True

    @property
    def last(self) -> tuple[Any, ...]:
        """Of the last loss that was computed in this thread."""
        found: tuple[Any, ...] = self._now.parts
        return found

    def computed(self, parts: Sequence[Any]) -> None:
        """Is told of a loss."""
        self._now.parts = tuple(parts)
        if self.tells:
            for mean, part in zip(self.means, parts, strict=True):
                mean.update_state(part)

    def of_batch(self) -> tuple[float, ...]:
        """Of the last batch that Keras itself trained on or measured."""
        return tuple(float(mean.result()) for mean in self.means)


def output_networks(network: Any, names: Sequence[str]) -> dict[str, Any]:
    """The same network for each of its outputs, with that output alone."""
    import keras

    return {
        name: keras.Model(network.input, tensor, name=network.name)
        for name, tensor in zip(names, network.outputs, strict=True)
    }


def check_outputs(network: Any, data: Prepared) -> None:
    """Raises DataError where timesteps of an output at each place are masked: how much a sample counts would be another
    thing for each output."""
    for name, own in output_networks(network, [*data.outputs]).items():
        if data.outputs[name].signature.target.places and has_mask(own):
            raise DataError.of(
                "several-outputs",
                f"the output `{name}` is at each place, of which a mask leaves some out; such a network has one output "
                "in this version",
                help="keep that output alone, or fill nothing up",
            )


class OutputTargets:
    """What all outputs are to put out, side by side, and where each of them stands.

    Args:
        network: as `build_network` gives it.
        losses: of each output.
    """

    def __init__(self, network: Any, data: Prepared, losses: Mapping[str, Loss]) -> None:
        self.losses = losses
        self.targets = {name: own.signature.target for name, own in data.outputs.items()}
        self._networks = output_networks(network, [*data.outputs])
        self.columns: dict[str, _Column] = {}
        first = 0
        for name, own in data.outputs.items():
            some = self._encoded(name, own.train.at(np.arange(min(1, len(own.train)))), own)
            last = first + math.prod(some.shape[1:])
            kind = "int32" if some.dtype.kind == "i" else "float32"
            self.columns[name] = _Column(first, last, tuple(some.shape[1:]), kind)
            first = last

    def _encoded(self, name: str, part: Part, data: Prepared) -> Samples:
        return encoded_targets(part, self.losses[name], data.signature.target, self._networks[name])

    def of(self, data: Prepared, part: str) -> Array:
        """Those of a part, (samples, values) float32, in which numbers of classes are exact."""
        found = []
        for name, own in data.outputs.items():
            encoded = np.asarray(self._encoded(name, getattr(own, part), own), "float32")
            found.append(encoded.reshape(len(encoded), self.columns[name].last - self.columns[name].first))
        return np.concatenate(found, axis=1)


def loss_of_outputs(network: Any, heads: Sequence[Head], targets: OutputTargets) -> None:
    """Makes the loss of a compiled network the weighted sum of the losses of its outputs, which its `loss_parts` are.

    Args:
        targets: as the network is given them.
    """
    import keras

    losses = {name: loss.build_for(targets.targets[name]) for name, loss in targets.losses.items()}
    network.means_of_outputs = [keras.metrics.Mean(name=part_name(head.name)) for head in heads]
    parts = PartsOfOutputs([part_name(head.name) for head in heads], network.means_of_outputs)

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        found = [
            losses[head.name](targets.columns[head.name].of(y), own, sample_weight)
            for head, own in zip(heads, y_pred, strict=True)
        ]
        parts.computed(found)
        weighted = sum(head.weight * loss for head, loss in zip(heads, found, strict=True))
        return sum((network._aggregate_additional_loss(loss) for loss in network.losses), weighted)

    network.compute_loss = compute_loss
    network.loss_parts = parts
