"""The loss of a network of several outputs: the weighted sum of the losses of all of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dlspec.data.arrays import Samples
from dlspec.data.preparation import Part, Prepared
from dlspec.data.preparation.places import in_the_middle
from dlspec.training.masked import has_mask, masked, masked_part
from dlspec.training.outputs import Head, part_name
from dlspec.training.parts import PartsOfOutputs
from dlspec.training.stage_data import class_weights, encoded_targets
from dlspec.training.teaching import Answers, Taught

if TYPE_CHECKING:
    from dlspec.training.moving import Moves
    from dlspec.training.section import TeacherSpec

Array = np.ndarray


@dataclass(frozen=True)
class _Column:
    """Where the targets of an output stand among those of all, (samples, values), with weights behind them.

    Args:
        shape: of the targets of a sample, as the loss compares them.
        dtype: theirs.
        weights: of what counts more or less in a sample: () itself, or its places; None: all count alike.
        counted: whether some places do not count at all.
        answers: how many values the answers of a teacher are, which stand behind; 0: there is none.
    """

    first: int
    shape: tuple[int, ...]
    dtype: str
    weights: tuple[int, ...] | None
    counted: bool
    answers: int = 0

    @property
    def last(self) -> int:
        return self.first + math.prod(self.shape)

    @property
    def weighed(self) -> int:
        """Where the weights end."""
        return self.last + (0 if self.weights is None else math.prod(self.weights))

    @property
    def end(self) -> int:
        """Where the next output begins."""
        return self.weighed + self.answers

    def of(self, targets: Any) -> Any:
        """The targets of this output, (batch, ...)."""
        from keras import ops

        return ops.cast(ops.reshape(targets[:, self.first : self.last], (-1, *self.shape)), self.dtype)

    def weights_of(self, targets: Any) -> Any:
        """How much each sample, or each of its places, counts, (batch, ...); None: all alike."""
        from keras import ops

        if self.weights is None:
            return None
        return ops.reshape(targets[:, self.last : self.weighed], (-1, *self.weights))

    def answers_of(self, targets: Any) -> Any:
        """What the teacher says of this output, (batch, values)."""
        return targets[:, self.weighed : self.end]


def output_networks(network: Any, names: Sequence[str]) -> dict[str, Any]:
    """The same network for each of its outputs, with that output alone."""
    import keras

    return {
        name: keras.Model(network.input, tensor, name=network.name)
        for name, tensor in zip(names, network.outputs, strict=True)
    }


def masked_outputs(network: Any, data: Prepared) -> Prepared:
    """The data with what the network masks left out, of each output by the mask that leads to it; see `masked`."""
    if not data.outputs:
        return masked(network, data)
    networks = output_networks(network, [*data.outputs])
    outputs = {name: masked(networks[name], own) for name, own in data.outputs.items()}
    if all(own is data.outputs[name] for name, own in outputs.items()):
        return data
    first = next(iter(outputs.values()))
    return replace(data, train=first.train, validation=first.validation, test=first.test, outputs=outputs)


class OutputTargets:
    """What all outputs are to put out, side by side, where each of them stands, and how much of it counts.

    Places that do not count weigh 0, and the others so much more that the mean weight of a part is 1: the loss of an
    output is the mean over the places that count in the whole part, however they fall into batches.

    Args:
        network: as `build_network` gives it.
        heads: the outputs, whose losses are known.
        moves: moves targets as layers move pictures while training; None: nothing is moved.
        moved_by: of each output the names of the layers that do so.
        teacher, answers: what a teacher says of each output; none: there is none.
    """

    def __init__(
        self,
        network: Any,
        data: Prepared,
        heads: Sequence[Head],
        moves: Moves | None = None,
        moved_by: Mapping[str, Collection[str]] | None = None,
        teacher: TeacherSpec | None = None,
        answers: Mapping[str, Answers] | None = None,
    ) -> None:
        self.heads = {head.name: head for head in heads}
        self.losses = {head.name: head.loss for head in heads if head.loss is not None}
        self.targets = {name: own.signature.target for name, own in data.outputs.items()}
        self.moves, self.moved_by = moves, dict(moved_by or {})
        self.answers = answers or {}
        self.taught = {
            name: Taught(teacher, self.losses[name], self.targets[name]) for name in self.answers if teacher is not None
        }
        self._networks = output_networks(network, [*data.outputs])
        self.columns: dict[str, _Column] = {}
        first = 0
        for name, own in data.outputs.items():
            some = self._encoded(name, own.train.at(np.arange(min(1, len(own.train)))), own)
            target, network = own.signature.target, self._networks[name]
            counted = bool(target.places) and (
                target.leaves_out or target.of_words or bool(self.moved_by.get(name)) or has_mask(network)
            )
            kind, weights = "int32" if some.dtype.kind == "i" else "float32", None
            if counted or self.heads[name].class_weight is not None:
                weights = target.cut_from or tuple(network.output_shape[1:-1])
            said = self.answers[name].train.shape[1] if name in self.answers else 0
            self.columns[name] = _Column(first, tuple(some.shape[1:]), kind, weights, counted, said)
            first = self.columns[name].end

    def _encoded(self, name: str, part: Part, data: Prepared) -> Samples:
        return encoded_targets(part, self.losses[name], data.signature.target, self._networks[name])

    def of(self, data: Prepared, part: Literal["train", "validation"]) -> Array:
        """Those of a part, (samples, values) float32, in which numbers of classes are exact."""
        found = []
        for name, own in data.outputs.items():
            column, some = self.columns[name], getattr(own, part)
            encoded = np.asarray(self._encoded(name, some, own), "float32")
            found.append(encoded.reshape(len(encoded), math.prod(column.shape)))
            if column.weights is not None:
                found.append(self._weights(name, own, part).reshape(len(encoded), math.prod(column.weights)))
            if column.answers:
                found.append(getattr(self.answers[name], part).reshape(len(encoded), column.answers))
        return np.concatenate(found, axis=1)

    def _weights(self, name: str, data: Prepared, part: Literal["train", "validation"]) -> Array:
        """How much each sample of a part, or each of its places, counts."""
        column, some = self.columns[name], getattr(data, part)
        assert column.weights is not None, "all count alike otherwise"
        weights = np.ones((len(some), *column.weights), "float32")
        if part == "train" and (of_class := class_weights(self.heads[name].class_weight, data)) is not None:
            weights *= np.asarray(of_class).reshape(weights.shape)
        if not column.counted:
            return weights
        target = data.signature.target
        truth = np.asarray(masked_part(self._networks[name], some).truth)
        if target.cut_from:
            truth = np.asarray(some.targets)
        known = (truth >= 0) if truth.dtype.kind == "i" else ~np.isnan(truth)
        values = math.prod(known.shape[1:]) // math.prod(column.weights)  # numbers of a timestep, which count together
        known = known.reshape(*weights.shape, values)[..., 0]
        judged = in_the_middle(known, target.places) if target.cut_from and part == "validation" else known
        share = judged.mean() if judged.size else 1.0
        return np.asarray(weights * known / max(1e-12, share), "float32")

    def loss_of(self, name: str, loss: Any, y: Any, y_pred: Any, sample_weight: Any, drawn: Any) -> Any:
        """The loss of an output.

        Args:
            loss: of Keras.
            y: the targets of all outputs.
            y_pred: what this one gives.
            sample_weight: how much each sample counts for all of them, (batch,); None: all alike.
            drawn: how layers have moved the pictures of the batch; None: they have not.
        """
        from keras import ops
        from keras.src.backend.common.masking import set_keras_mask

        column, target = self.columns[name], self.targets[name]
        set_keras_mask(y_pred, None)  # what it leaves out weighs 0 here
        truth, weights = column.of(y), column.weights_of(y)
        if drawn is not None and self.moved_by.get(name):
            assert self.moves is not None, "layers move pictures"
            truth, weights = self.moves.moved_as(drawn, truth, weights, self.moved_by[name])
        elif target.cut_from:
            truth = in_the_middle(truth, target.places)
            weights = None if weights is None else in_the_middle(weights, target.places)
        if column.counted and target.kind == "class":  # what does not count is some class that there is
            truth = ops.maximum(truth, ops.zeros_like(truth))
        if column.counted and not self.losses[name].of_each_place:  # what does not count is nowhere
            known = ops.cast(ops.expand_dims(weights > 0, -1), y_pred.dtype)
            truth = ops.cast(truth, y_pred.dtype)
            truth = truth if len(truth.shape) == len(y_pred.shape) else ops.expand_dims(truth, -1)
            return loss(truth * known, y_pred * known, sample_weight)
        if weights is not None and sample_weight is not None:
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), (-1, *[1] * (len(weights.shape) - 1)))
        weights = sample_weight if weights is None else weights
        found = loss(truth, y_pred, weights)
        if name not in self.taught:
            return found
        return self.taught[name].together(found, self.taught[name].loss(column.answers_of(y), y_pred, weights))


def loss_of_outputs(network: Any, targets: OutputTargets) -> None:
    """Makes the loss of a compiled network the weighted sum of the losses of its outputs, which its `loss_parts` are.

    Args:
        targets: as the network is given them.
    """
    import keras

    heads = targets.heads.values()
    losses = {name: loss.build_for(targets.targets[name]) for name, loss in targets.losses.items()}
    network.means_of_outputs = [keras.metrics.Mean(name=part_name(head.name)) for head in heads]
    parts = PartsOfOutputs([part_name(head.name) for head in heads], network.means_of_outputs)

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        drawn = targets.moves.drawn() if targets.moves is not None and training else None
        found = [
            targets.loss_of(head.name, losses[head.name], y, own, sample_weight, drawn)
            for head, own in zip(heads, y_pred, strict=True)
        ]
        parts.computed(found)
        weighted = sum(head.weight * loss for head, loss in zip(heads, found, strict=True))
        return sum((network._aggregate_additional_loss(loss) for loss in network.losses), weighted)

    network.compute_loss = compute_loss
    network.loss_parts = parts
