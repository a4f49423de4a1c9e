"""Samples that are columns by their names."""

import numpy as np
from keras import ops


def as_tensor(values):
    """Numbers as they are, text as a tensor of strings."""
    return ops.convert_to_tensor(values.tolist(), dtype="string") if values.dtype == object else values


def outputs_of(model, x, batch_size=512):
    """What a model makes of all samples, a mapping from columns to arrays.

    Keras's `predict` would round numbers to float32 first, in which a date becomes another day, and takes no text.
    """
    outputs = []
    for first in range(0, len(next(iter(x.values()))), batch_size):
        batch = {name: as_tensor(values[first : first + batch_size]) for name, values in x.items()}
        outputs.append(model.predict_on_batch(batch))
    return np.concatenate(outputs)


def take(x, rows):
    """Some samples of all columns."""
    return {name: values[rows] for name, values in x.items()}
