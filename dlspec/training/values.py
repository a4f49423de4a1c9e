"""Small things that training, evaluation and the report's pictures ask of Keras models."""

from __future__ import annotations

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


def predict(model: Any, inputs: Array, batch_size: int = EVALUATION_BATCH) -> Array:
    """What the model puts out for all inputs, in the mode of use (no dropout, no noise)."""
    if not len(inputs):
        return np.empty((0, *model.output_shape[1:]), "float32")
    batches = (inputs[i : i + batch_size] for i in range(0, len(inputs), batch_size))
    return np.concatenate([np.asarray(model.predict_on_batch(batch)) for batch in batches])
