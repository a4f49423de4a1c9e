"""The Keras losses that are sums over the values of a sample."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class SquaredError(keras.losses.Loss):
    """(batch, ...) twice -> (batch,)."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return _summed(ops.square(y_true - y_pred))


class CrossEntropy(keras.losses.Loss):
    """(batch, ...) twice -> (batch,)."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return _summed(ops.binary_crossentropy(y_true, y_pred))


def _summed(errors: Any) -> Any:
    return ops.sum(ops.reshape(errors, (ops.shape(errors)[0], -1)), axis=1)
