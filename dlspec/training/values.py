"""Small things that training, evaluation and the report's pictures ask of Keras models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlspec.preparation import generator

Array = np.ndarray
EVALUATION_BATCH = 512


def seed_everything(seed: int, purpose: str) -> None:
    """Sets Python's, numpy's and Keras's random numbers to a value made of seed and purpose."""
    import keras

    keras.utils.set_random_seed(int(generator(seed, purpose).integers(2**31)))


def as_array(variable: Any) -> Array:
    """A copy of the value of a Keras variable or tensor."""
    import keras

    return np.array(keras.ops.convert_to_numpy(variable))


def predict(model: Any, inputs: Array | Mapping[str, Array], batch_size: int = EVALUATION_BATCH) -> Array:
    """What the model puts out for all inputs, in the mode of use (no dropout, no noise).

    Args:
        inputs: (samples, ...), or such an array for each input of the model by its name.
    """
    columns = dict(inputs) if isinstance(inputs, Mapping) else {"": inputs}
    count = len(next(iter(columns.values())))
    if not count:
        return np.empty((0, *model.output_shape[1:]), "float32")

    def batch(first: int) -> Any:
        some = {name: _as_given(values[first : first + batch_size]) for name, values in columns.items()}
        return some if isinstance(inputs, Mapping) else some[""]

    batches = map(batch, range(0, count, batch_size))
    return np.concatenate([np.asarray(model.predict_on_batch(batch)) for batch in batches])


def _as_given(values: Array) -> Any:
    """An array as a model takes it: text as a tensor of strings, which only TensorFlow has."""
    if values.dtype != object:
        return values
    import tensorflow as tf

    return tf.constant(values.tolist(), tf.string, shape=values.shape)
