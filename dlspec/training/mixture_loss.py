"""The Keras loss of mixtures of normal distributions."""

from __future__ import annotations

from math import log, pi
from typing import Any

import keras
from keras import ops

LOG_2PI = log(2 * pi)
FARTHEST = 1e12
"""What is farther from a mean than this counts as so far, so that its square stays a number of float32."""
LIGHTEST = 1e-30
"""A weight that is smaller than this counts as so large, so that its logarithm is a number."""


class NegativeLogLikelihood(keras.losses.Loss):
    """Numbers, (batch, numbers), and their mixtures, (batch, numbers, 3 * components), weights, means and deviations,
    -> (batch,): minus the logarithm of the density (Bishop, 1994), in nats, the mean over numbers."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        weights, means, deviations = ops.split(y_pred, 3, axis=-1)
        distances = ops.clip(ops.expand_dims(y_true, -1) - means, -FARTHEST, FARTHEST) / deviations
        logs = ops.log(ops.maximum(weights, LIGHTEST)) - ops.log(deviations) - 0.5 * (ops.square(distances) + LOG_2PI)
        return -ops.mean(ops.logsumexp(logs, axis=-1), axis=-1)
