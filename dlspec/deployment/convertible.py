"""A network as converters can take it: in float32, of layers that they know."""

from __future__ import annotations

import copy
from typing import Any


def convertible(network: Any) -> Any:
    """A network that computes the same, for converters.

    Of mixed precision the weights are float32, and the copy computes in float32 too.
    """
    found = _in_float32(network) if _is_mixed(network) else network
    if not found._inbound_nodes:  # only what was called is converted
        found(found.input)
    return found


def _is_mixed(network: Any) -> bool:
    return any(layer.compute_dtype not in ("float32", "float64", "string", None) for layer in network.layers)


def _in_float32(network: Any) -> Any:
    import keras

    config = copy.deepcopy(keras.saving.serialize_keras_object(network))
    found = keras.saving.deserialize_keras_object(_with_float32(config), safe_mode=True)
    found.set_weights(network.get_weights())
    return found


def _with_float32(config: Any) -> Any:
    """A configuration in which every policy of 16 bits is float32."""
    if isinstance(config, list):
        return [_with_float32(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and "16" in config["config"]["name"]:
        return {**config, "config": {**config["config"], "name": "float32"}}
    half = ("float16", "bfloat16")
    return {
        key: "float32" if key == "dtype" and value in half else _with_float32(value) for key, value in config.items()
    }
