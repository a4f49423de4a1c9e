"""Places that a network's own mask leaves out: they count neither in its loss nor in what it is judged by."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.features.text import PADDING
from dlspec.data.preparation import Part, Prepared
from dlspec.data.preparation.places import in_the_middle
from dlspec.data.signature import Target
from dlspec.training.losses import Loss

if TYPE_CHECKING:
    from dlspec.training.moving import Moves

Array = np.ndarray
AT_ONCE = 512
"""Samples whose masks are computed together."""


def mask_of_output(network: Any) -> Any:
    """The mask of timesteps that leads to the output of a Keras model, as it was found when the model was built; None:
    there is none, or it is a stage model of pretraining, which is no network of layers.

    It is not read off what the model puts out: where a layer of attention takes a masked tensor that others take too,
    Keras forgets the mask of that tensor in use.
    """
    outputs = getattr(network, "outputs", None)
    return getattr(outputs[0], "_keras_mask", None) if outputs else None


def leave_out_padding(network: Any, output: int = 0) -> None:
    """Makes places of an output count no more where a text has ended, whose number is 0, as if a layer had masked
    them."""
    from keras import ops
    from keras.src.backend.common.masking import get_keras_mask, set_keras_mask

    if get_keras_mask(network.outputs[output]) is None:
        set_keras_mask(network.outputs[output], ops.not_equal(network.inputs[0], PADDING))


def leave_out_behind_end(network: Any, places: int) -> None:
    """Makes places count no more behind the end of a text that is written, whatever layers have masked.

    Args:
        places: of the text; so many of the last inputs show what was written so far.
    """
    from keras import ops
    from keras.src.backend.common.masking import set_keras_mask

    set_keras_mask(network.outputs[0], ops.not_equal(network.inputs[0][:, -places:], PADDING))


def has_mask(network: Any) -> bool:
    """Whether a mask of timesteps comes out of a Keras model beside its output."""
    return mask_of_output(network) is not None


def mask_network(network: Any) -> Any:
    """A Keras model that gives the mask of the output of another alone, (batch, timesteps) bool; None: it has none."""
    import keras

    mask = mask_of_output(network)
    return None if mask is None else keras.Model(network.inputs, mask)


def mask_of(network: Any, inputs: Any) -> Array | None:
    """Which timesteps of each sample count, (samples, timesteps) bool; None: all.

    Args:
        inputs: what the network sees, (samples, ...).
    """
    found = mask_network(network)
    if found is None or not len(inputs):
        return None
    return np.concatenate([np.asarray(found.predict_on_batch(block)) for block in blocks(inputs, AT_ONCE)]).astype(bool)


def places_of(network: Any, inputs: Any) -> Array | None:
    """How many timesteps of each sample count, (samples,); None: all of them have as many."""
    mask = mask_of(network, inputs)
    return None if mask is None else mask.reshape(len(mask), -1).sum(axis=1)


def counted_of(network: Any, part: Part, target: Target) -> Array | None:
    """How many places of each sample count, (samples,); None: all of them have as many."""
    if target.aligned:  # each text counts once
        return None
    if not target.leaves_out:
        return places_of(network, part.inputs)
    truth = np.asarray(masked_part(network, part).truth)
    counts = (truth >= 0).reshape(len(truth), -1).sum(axis=1)
    return None if (counts == math.prod(target.places)).all() else counts


def keep_mask(network: Any, target: Target, loss: Loss, moves: Moves | None = None) -> None:
    """Makes the loss of a compiled Keras model leave out what its mask leaves out, where Keras forgets that mask, or
    does not bring a mask of timesteps over the other axes of places; and pixels of masks that do not count, which stand
    in its targets as -1.

    Args:
        moves: moves targets as layers move pictures while training; None: nothing is moved.
    """
    from keras import ops
    from keras.src.backend.common.masking import get_keras_mask, set_keras_mask

    if target.aligned:  # what is masked says the blank
        return
    found = None if target.written else mask_network(network)  # of a text the truth says where it ends
    uncounted = target.leaves_out or moves is not None
    if found is None and not uncounted:
        return

    def of_network(x: Any, y_pred: Any) -> Any:
        """The mask of the network at each place; None: it has none."""
        if found is None:
            return None
        mask = get_keras_mask(y_pred)
        mask = found(x, training=False) if mask is None else mask
        axes = len(y_pred.shape) - 1 - len(mask.shape)
        if axes > 0:
            mask = ops.reshape(mask, (*ops.shape(mask), *[1] * axes))
            mask = ops.broadcast_to(mask, ops.shape(y_pred)[:-1])
        return mask

    def compute_loss(
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        mask = of_network(x, y_pred)
        if uncounted:
            if moves is not None and training:
                y, sample_weight = moves.moved(y, sample_weight)
            elif target.cut_from:
                y = in_the_middle(y, target.places)
            known = known_places(y, y_pred)
            mask = known if mask is None else ops.logical_and(known, ops.cast(mask, "bool"))
            y = ops.maximum(y, ops.zeros_like(y))
        if mask is not None and not loss.of_each_place:  # what does not count is nowhere, in the truth and in the guess
            own = ops.expand_dims(mask, -1)
            y, y_pred, mask = y * ops.cast(own, y.dtype), y_pred * ops.cast(own, y_pred.dtype), None
        set_keras_mask(y_pred, mask)
        return type(network).compute_loss(network, x, y, y_pred, sample_weight, training)

    network.compute_loss = compute_loss


def known_places(y: Any, y_pred: Any) -> Any:
    """At which places targets are not -1, (batch, *places) bool."""
    from keras import ops

    known = ops.greater_equal(y, 0)
    return ops.all(known, axis=-1) if len(known.shape) == len(y_pred.shape) else known


def without_masked(truth: Array, mask: Array | None) -> Array:
    """What is true at each place, (samples, *places), with -1 or NaN where the mask leaves a place out."""
    if mask is None or not len(truth):
        return truth
    return np.where(
        over_places(mask, truth.ndim), truth, np.array(-1 if truth.dtype.kind == "i" else np.nan, truth.dtype)
    )


def over_places(mask: Array, axes: int) -> Array:
    """A mask of timesteps, (samples, timesteps), with axes of size 1 behind, so that it says of each place whether it
    counts."""
    return mask.reshape(mask.shape + (1,) * (axes - mask.ndim))


def masked_part(network: Any, part: Part) -> Part:
    """A part in whose truth places that the network masks do not count."""
    if not part.at_places or not has_mask(network):
        return part
    return replace(part, truth=without_masked(np.asarray(part.truth), mask_of(network, part.inputs)))


def masked(network: Any, data: Prepared) -> Prepared:
    """The same of all parts."""
    if not data.signature.target.places or not has_mask(network):
        return data
    train, validation, test = (masked_part(network, part) for part in (data.train, data.validation, data.test))
    return replace(data, train=train, validation=validation, test=test)


def inner_network(model: Any) -> Any:
    """The network in a saved model, which takes what is scaled; of one with several outputs that to the only one that
    the model gives."""
    import keras

    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    if len(network.outputs) == 1:
        return network
    waiting = [model.outputs[0]._keras_history]
    while waiting[-1].operation is not network:
        history = waiting.pop()
        tensors = history.operation._inbound_nodes[history.node_index].input_tensors
        waiting += [tensor._keras_history for tensor in tensors]
    return keras.Model(network.inputs, network.outputs[waiting[-1].tensor_index], name=network.name)


def is_masked(target: Target, truth: Array) -> bool:
    """Whether there are places that do not count."""
    return bool(target.places) and bool((truth < 0).any() if truth.dtype.kind == "i" else np.isnan(truth).any())
