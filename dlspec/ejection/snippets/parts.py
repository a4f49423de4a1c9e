"""Parts of the data."""

import numpy as np


def take(x, rows):
    """Some samples of an array, or of a mapping from columns to arrays."""
    if isinstance(x, dict):
        return {name: values[rows] for name, values in x.items()}
    return x[rows]


def joined(*arrays):
    """Samples one after the other."""
    return np.concatenate(arrays)
