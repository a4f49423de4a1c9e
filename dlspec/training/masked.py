"""Places that a network's own mask leaves out: they count neither in its loss nor in what it is judged by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.preparation import Part, Prepared
from dlspec.data.signature import Target

Array = np.ndarray


def has_mask(network: Any) -> bool:
    """Whether a mask of timesteps comes out of a Keras model beside its output."""
    return getattr(network.output, "_keras_mask", None) is not None


def mask_of(network: Any, inputs: Any) -> Array | None:
    """Which timesteps of each sample count, (samples, timesteps) bool; None: all.

    Args:
        inputs: what the network sees, (samples, ...).
    """
    if not has_mask(network):
        return None
    from keras import ops

    found = []
    for block in blocks(inputs, 256):
        mask = getattr(network(block, training=False), "_keras_mask", None)
        if mask is None:
            return None
        found.append(ops.convert_to_numpy(mask))
    return np.concatenate(found).astype(bool) if found else None


def without_masked(truth: Array, mask: Array | None) -> Array:
    """What is true at each place, (samples, *places), with -1 or NaN where the mask leaves a place out."""
    if mask is None or not len(truth):
        return truth
    counts = mask.reshape(mask.shape + (1,) * (truth.ndim - mask.ndim))
    return np.where(counts, truth, np.array(-1 if truth.dtype.kind == "i" else np.nan, truth.dtype))


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
    """The network in a saved model, which takes what is scaled."""
    import keras

    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def is_masked(target: Target, truth: Array) -> bool:
    """Whether there are places that do not count."""
    return bool(target.places) and bool((truth < 0).any() if truth.dtype.kind == "i" else np.isnan(truth).any())
