"""Small things that training, evaluation and the report's pictures ask of Keras models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from dlspec.data.arrays import Samples
from dlspec.data.preparation import generator
from dlspec.training.batches import batches

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


def all_finite(variables: Iterable[Any]) -> bool:
    """Whether every value of every Keras variable is a finite number."""
    from keras import ops

    return all(bool(ops.all(ops.isfinite(variable))) for variable in variables)


def predict(model: Any, inputs: Samples | Mapping[str, Array], batch_size: int = EVALUATION_BATCH) -> Array:
    """What the model puts out for all inputs, in the mode of use (no dropout, no noise).

    Args:
        inputs: (samples, ...), or such an array for each input of the model by its name.
    """
    columns = dict(inputs) if isinstance(inputs, Mapping) else {"": inputs}
    if not len(next(iter(columns.values()))):
        return np.empty((0, *model.output_shape[1:]), "float32")

    def outputs(batch: list[Array]) -> Array:
        some = dict(zip(columns, map(_as_given, batch), strict=True))
        found = np.asarray(model.predict_on_batch(some if isinstance(inputs, Mapping) else some[""]))
        found = found[: len(batch[0])]  # several devices make the whole batch each
        return found.astype("float32") if found.dtype.itemsize == 2 else found  # numpy knows little of 16 bits

    return np.concatenate([outputs(batch) for batch in batches(list(columns.values()), batch_size)])


def _as_given(values: Array) -> Any:
    """An array as a model takes it: text as a tensor of strings, which only TensorFlow has."""
    if values.dtype != object:
        return values
    import tensorflow as tf

    return tf.constant(values.tolist(), tf.string, shape=values.shape)
