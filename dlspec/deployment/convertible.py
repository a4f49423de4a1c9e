"""A network as converters can take it: in float32, of operations that they know."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dlspec.deployment.base import CannotExport
from dlspec.language.registry import snake_case

Array = np.ndarray
MOST_UNROLLED = 256
"""Timesteps of a recurrent layer that are written one after the other, at most."""


def convertible(network: Any, unrolled: bool = False) -> Any:
    """A network that computes the same, for converters.

    Of mixed precision the weights are float32, and the copy computes in float32 too. The Fourier transform of
    `mel_spectrogram`, which converters do not know, is a convolution.

    Args:
        unrolled: whether recurrent layers have no loop, but each timestep after the other.

    Raises:
        CannotExport: a recurrent layer has more timesteps than can be written so, or any number of them.
    """
    spectrograms = [*_of_kind(network, "MelSpectrogram")]
    if not (_is_mixed(network) or spectrograms or unrolled):
        if not network._inbound_nodes:  # only what was called is converted
            network(network.input)
        return network
    found = _copied(network, unrolled)
    for layer in _of_kind(found, "MelSpectrogram"):
        layer._spectrogram = _by_convolution(layer)
    found(found.input)
    return found


def is_recurrent(network: Any) -> bool:
    """Whether a layer has a loop over timesteps."""
    return any(_has_loop(layer) for layer in network._flatten_layers())


def _has_loop(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.RNN)


def _of_kind(network: Any, name: str) -> Iterator[Any]:
    """Layers of a class of Keras, those inside of others too."""
    return (layer for layer in network._flatten_layers() if type(layer).__name__ == name)


def _is_mixed(network: Any) -> bool:
    return any(layer.compute_dtype not in ("float32", "float64", "string", None) for layer in network.layers)


def _copied(network: Any, unrolled: bool) -> Any:
    import keras

    config = _with_float32(copy.deepcopy(keras.saving.serialize_keras_object(network)))
    if unrolled:
        for layer in filter(_has_loop, network._flatten_layers()):
            if layer.input.shape[1] is None or layer.input.shape[1] > MOST_UNROLLED:
                raise CannotExport(f"{named(layer)} has more than {MOST_UNROLLED} timesteps, or any number of them")
        config = _unrolled(config)
    found = keras.saving.deserialize_keras_object(config, safe_mode=True)
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


def _unrolled(config: Any) -> Any:
    """A configuration in which no layer has a loop."""
    if isinstance(config, list):
        return [_unrolled(value) for value in config]
    if not isinstance(config, dict):
        return config
    return {key: True if key == "unroll" else _unrolled(value) for key, value in config.items()}


def _by_convolution(layer: Any) -> Callable[[Any], Any]:
    """What `MelSpectrogram._spectrogram` does: windowed cosines and sines, slid along the samples."""
    from keras import ops

    length, stride, exponent = layer.fft_length, layer.sequence_stride, layer.mag_exp
    kernel = fourier(length, _window(layer))[:, None, :].astype("float32")

    def spectrogram(samples: Any) -> Any:
        edge = length // 2
        mirrored = ops.pad(samples, [[0, 0], [edge, edge]], "reflect")
        found = ops.conv(mirrored[..., None], kernel, strides=stride, padding="valid", data_format="channels_last")
        real, imaginary = ops.split(found, 2, axis=-1)
        power = ops.square(real) + ops.square(imaginary)
        return power if exponent == 2 else ops.sqrt(power) if exponent == 1 else ops.power(ops.sqrt(power), exponent)

    return spectrogram


def fourier(length: int, window: Array) -> Array:
    """The discrete Fourier transform of a frame of real numbers, as a product: (length, 2 * frequencies), the real
    parts first."""
    turns = np.outer(np.arange(length), np.arange(length // 2 + 1)) % length
    angles = 2 * np.pi * turns / length
    return window[:, None] * np.hstack([np.cos(angles), -np.sin(angles)])


def _window(layer: Any) -> Array:
    """The window of a frame, with zeros around it, as TensorFlow makes it."""
    size, length = layer.sequence_length, layer.fft_length
    if layer.window is None:  # of the whole frame
        return np.ones(length)
    high = {"hann": 0.5, "hamming": 0.54}[layer.window]
    period = size - size % 2
    window = high - (1 - high) * np.cos(2 * np.pi * np.arange(size) / period) if size > 1 else np.ones(1)
    before = (length - size) // 2
    return np.pad(window, (before, length - size - before))


def named(layer: Any) -> str:
    """A layer as a spec calls it, with its own name."""
    kind = snake_case(type(layer).__name__)
    return f"`{kind}`" if layer.name == kind else f"`{layer.name}` ({kind})"


def culprit(network: Any, converts: Callable[[Any], object]) -> str | None:
    """The first layer that cannot be converted by itself, as a spec calls it; None: each can.

    Args:
        converts: converts a `keras.Model`, and raises `CannotExport` where it cannot.
    """
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
