"""A network as converters can take it: in float32, of operations that they know."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from dlspec.deployment.base import CannotExport
from dlspec.deployment.mending import mending
from dlspec.language.registry import snake_case

MOST_UNROLLED = 256
"""Timesteps of a recurrent layer that are written one after the other, at most."""


def convertible(network: Any, unrolled: bool = False) -> Any:
    """A network that computes the same, for converters.

    Of mixed precision the weights are float32, and the copy computes in float32 too. What converters do not know is
    said otherwise, see `mending`.

    Args:
        unrolled: whether recurrent layers have no loop, but each timestep after the other.

    Raises:
        CannotExport: a recurrent layer has more timesteps than can be written so, or any number of them.
    """
    layers = network._flatten_layers()
    if not (_is_mixed(network) or unrolled or any(mending(layer) or _drops_out(layer) for layer in layers)):
        if not network._inbound_nodes:  # only what was called is converted
            network(network.input)
        return network
    found = _copied(network, unrolled)
    for layer in found._flatten_layers():
        mend = mending(layer)
        if mend is not None:
            mend(layer)
    found(found.input)
    return found


def is_recurrent(network: Any) -> bool:
    """Whether a layer has a loop over timesteps."""
    return any(_has_loop(layer) for layer in network._flatten_layers())


def _has_loop(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.RNN)


def _drops_out(layer: Any) -> bool:
    """Whether a layer holds dropout of its own, which draws numbers in use too, for nothing."""
    return bool(_has_loop(layer) and (getattr(layer, "dropout", 0) or getattr(layer, "recurrent_dropout", 0)))


def _is_mixed(network: Any) -> bool:
    return any(layer.compute_dtype not in ("float32", "float64", "string", None) for layer in network.layers)


def _is_short(layer: Any) -> bool:
    """Whether a recurrent layer, or one around it, has few timesteps."""
    given = layer.input[0] if isinstance(layer.input, list | tuple) else layer.input
    return all(size is not None and size <= MOST_UNROLLED for size in given.shape[1:-1])


def _copied(network: Any, unrolled: bool) -> Any:
    import keras

    config = _in_use(copy.deepcopy(keras.saving.serialize_keras_object(network)))
    if unrolled:
        for layer in network.layers:
            if any(map(_has_loop, layer._flatten_layers())) and not _is_short(layer):
                why = f"{named(layer)} has no loop there, and more than {MOST_UNROLLED} timesteps or any number of them"
                raise CannotExport(why, names_layer=True)
        config = _unrolled(config)
    found = keras.saving.deserialize_keras_object(config, safe_mode=True)
    found.set_weights(network.get_weights())
    return found


def _in_use(config: Any) -> Any:
    """A configuration in which every policy of 16 bits is float32, and no recurrent layer has dropout."""
    if isinstance(config, list):
        return [_in_use(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and "16" in config["config"]["name"]:
        return {**config, "config": {**config["config"], "name": "float32"}}
    without = {"dropout": 0.0, "recurrent_dropout": 0.0} if "recurrent_dropout" in config else {}
    half = ("float16", "bfloat16")
    found = {key: "float32" if key == "dtype" and value in half else _in_use(value) for key, value in config.items()}
    return {**found, **without}


def _unrolled(config: Any) -> Any:
    """A configuration in which no layer has a loop."""
    if isinstance(config, list):
        return [_unrolled(value) for value in config]
    if not isinstance(config, dict):
        return config
    return {key: True if key == "unroll" else _unrolled(value) for key, value in config.items()}


def named(layer: Any) -> str:
    """A layer as a spec calls it, with its own name."""
    kind = snake_case(type(layer).__name__)
    return f"`{kind}`" if layer.name == kind else f"`{layer.name}` ({kind})"


def blamed(error: CannotExport, network: Any, converts: Callable[[Any], object]) -> CannotExport:
    """What to say where a network could not be converted: which layer it is, where that can be told.

    Args:
        converts: converts a `keras.Model`, and raises `CannotExport` where it cannot.
    """
    import keras

    told = error.names_layer or keras.backend.backend() != "tensorflow"  # from which nothing may be converted
    layer = None if told else _culprit(network, converts)
    return error if layer is None else CannotExport(f"it has no operation for the layer {layer}", names_layer=True)


def _culprit(network: Any, converts: Callable[[Any], object]) -> str | None:
    """The first layer that cannot be converted by itself, as a spec calls it; None: each can."""
    import keras

    for operation in network.operations:
        for node in operation._inbound_nodes:
            if not node.input_tensors or not any(node in nodes for nodes in network._nodes_by_depth.values()):
                continue
            try:
                part = keras.Model(node.input_tensors, node.output_tensors)
                part(part.input)
                converts(part)
            except CannotExport:
                return named(operation)
            except Exception:  # a layer that cannot stand alone says nothing of itself
                continue
    return None
