"""The Keras loss of quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class Pinball(keras.losses.Loss):
    """Numbers, (batch, numbers), and their quantiles, (batch, numbers, quantiles) -> (batch,).

    Args:
        levels: the share of what is true that is to lie below each quantile; by default the median alone.
    """

    def __init__(self, levels: Sequence[float] = (0.5,), **keywords: Any) -> None:
        super().__init__(**keywords)
        self.levels = tuple(levels)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        levels = ops.convert_to_tensor(self.levels, y_pred.dtype)
        errors = ops.expand_dims(y_true, -1) - y_pred
        return ops.mean(ops.maximum(levels * errors, (levels - 1) * errors), axis=(-2, -1))
