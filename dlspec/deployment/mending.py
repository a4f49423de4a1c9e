"""Layers of Keras that converters do not know, as operations that they know.

Each function changes one layer of a copy of a network, whose weights stay.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray


def mending(layer: Any) -> Callable[[Any], None] | None:
    """What makes a layer of Keras known to converters; None: they know it."""
    kind = type(layer).__name__
    if kind in ("Conv1D", "Conv2D", "Conv3D"):
        return _with_apart_groups if layer.groups > 1 else None
    if kind in ("MaxPooling3D", "AveragePooling3D"):
        known = layer.data_format == "channels_last" and None not in layer.input.shape[1:]
        return _with_two_poolings if known else None
    return MENDED.get(kind)


def _with_plain_numbers(layer: Any) -> None:
    """A normalization whose mean and variance are constants, and no tensors from without."""
    layer.mean, layer.variance = (np.array(value) for value in (layer.mean, layer.variance))


def _with_convolution(layer: Any) -> None:
    """A `mel_spectrogram` whose Fourier transform is made of windowed cosines and sines, slid along the samples."""
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

    layer._spectrogram = spectrogram


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


def _with_apart_groups(layer: Any) -> None:
    """A convolution whose groups of channels are convolutions, side by side; Keras has them compiled."""
    from keras import ops

    axis = -1 if layer.data_format == "channels_last" else 1

    def convolution(inputs: Any, kernel: Any) -> Any:
        parts = zip(ops.split(inputs, layer.groups, axis), ops.split(kernel, layer.groups, -1), strict=True)
        more = {"data_format": layer.data_format, "dilation_rate": layer.dilation_rate}
        found = [ops.conv(part, some, layer.strides, layer.padding, **more) for part, some in parts]
        return ops.concatenate(found, axis)

    layer.convolution_op = convolution


def _with_two_poolings(layer: Any) -> None:
    """A pooling over three axes as one over the last two of them, and one over the first."""
    from keras import ops

    pool = ops.max_pool if type(layer).__name__ == "MaxPooling3D" else ops.average_pool
    (depth, *size), (step, *steps) = layer.pool_size, layer.strides

    def call(inputs: Any) -> Any:
        first, *places, channels = inputs.shape[1:]
        flat = pool(ops.reshape(inputs, (-1, *places, channels)), tuple(size), tuple(steps), layer.padding)
        places = list(flat.shape[1:3])
        deep = ops.reshape(flat, (-1, first, prod(places), channels))
        found = pool(deep, (depth, 1), (step, 1), layer.padding)
        return ops.reshape(found, (-1, found.shape[1], *places, channels))

    layer.call = call


def _with_comparisons(layer: Any) -> None:
    """A `discretization` that counts the boundaries below a number."""
    from keras import ops
    from keras.src.utils.numerical_utils import encode_categorical_inputs

    boundaries = np.asarray(layer.bin_boundaries, "float32")

    def call(inputs: Any) -> Any:
        above = ops.cast(ops.cast(inputs, "float32")[..., None] >= boundaries, "int32")
        return encode_categorical_inputs(
            ops.sum(above, -1), layer.output_mode, len(boundaries) + 1, layer.output_dtype, layer.sparse
        )

    layer.call = call


MENDED: dict[str, Callable[[Any], None]] = {
    "MelSpectrogram": _with_convolution,
    "Normalization": _with_plain_numbers,
    "Discretization": _with_comparisons,
}
"""By the class of Keras."""
