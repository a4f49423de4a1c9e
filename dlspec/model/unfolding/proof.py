"""Whether the layers that a saved model was taken apart into compute what it computes: both are run."""

from __future__ import annotations

from typing import Any

from dlspec.model.from_keras.network import Given, Network

SAMPLES, SIZE = 8, 6
"""Samples that both are run on, and of an axis of any size the size."""
ALLOWED, ALLOWED_MIXED = 1e-5, 2e-2
"""How far a value may be off, as a share of the largest one; with layers in 16 bits the second."""


def same_outputs(model: Any, network: Network) -> bool:
    """Whether a Keras model and its layers, one after the other, give the same.

    What is tried has zeros at the end of each second sample, which layers with masks skip.
    """
    import keras
    import numpy as np

    inputs = [keras.Input([n or SIZE for n in given.shape[1:]], dtype=given.dtype) for given in network.given]
    values: dict[int, Any] = dict(enumerate(inputs))
    built: dict[int, Any] = {}
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(network.precision)
    try:
        for call in network.calls:
            first = call.number if call.again is None else call.again
            built[call.number] = built[first] if first in built else call.layer.build(None)
            taken = [values[number] for number in call.inputs]
            values[call.number] = call.layer.connect(built[call.number], taken)
            if first == call.number and call.layer.has_weights:
                built[first].set_weights(_at(model, call.place).get_weights())
                if hasattr(built[first], "finalize_state"):
                    built[first].finalize_state()
    finally:
        keras.config.set_dtype_policy(before)
    own = keras.Model(inputs if len(inputs) > 1 else inputs[0], [values[number] for _, number in network.outputs])
    random = np.random.default_rng(0)
    tried = [_tried(given, random) for given in network.given]
    both = (each(tried if len(tried) > 1 else tried[0], training=False) for each in (own, model))
    allowed = ALLOWED_MIXED if "16" in network.precision else ALLOWED
    for a, b in zip(*map(keras.tree.flatten, both), strict=True):
        got, wanted = (np.asarray(keras.ops.cast(each, "float64")) for each in (a, b))
        if not np.abs(got - wanted).max(initial=0) <= allowed * max(np.abs(wanted).max(initial=0), 1e-3):
            return False
    return True


def _at(model: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        model = model.get_layer(name)
    return model


def _tried(given: Given, random: Any) -> Any:
    shape = (SAMPLES, *(n or SIZE for n in given.shape[1:]))
    whole = "int" in given.dtype
    values = random.integers(0, 3, shape) if whole else random.normal(0, 3, shape)
    values[::2, shape[1] // 2 :] = 0
    return values.astype(given.dtype)
