"""Mixtures of normal distributions that a network puts out (Bishop, 1994)."""

from __future__ import annotations

from math import expm1, log, sqrt
from statistics import NormalDist
from typing import Any

FLOOR = 1e-3
"""The smallest deviation of a component, at the scale of what the network puts out: a component that shrinks onto one
value would have any likelihood there."""


def mixture_parameters(x: Any, count: int) -> Any:
    """What a dense layer gives, (batch, ..., numbers * 3 * components), as mixtures,
    (batch, ..., numbers, 3 * components): the weights, a softmax; the means, as they are; the deviations, a softplus
    and `FLOOR`. It is computed in float32 at least.

    Args:
        count: of the components of a number.
    """
    from keras import ops

    sizes = [size or -1 for size in x.shape[1:-1]]
    x = ops.reshape(x, (-1, *sizes, x.shape[-1] // (3 * count), 3 * count))
    if x.dtype in ("float16", "bfloat16"):
        x = ops.cast(x, "float32")
    weights, means, deviations = x[..., :count], x[..., count : 2 * count], x[..., 2 * count :]
    weights = ops.softmax(weights) if count > 1 else ops.ones_like(weights)
    return ops.concatenate([weights, means, ops.softplus(deviations) + FLOOR], axis=-1)


def start_with_spread(dense: Any, count: int, mean: float = 0.0, deviation: float = 1.0) -> None:
    """Sets the biases of a built dense layer below `mixture_parameters`, so that an untrained network gives about a
    mixture with this mean and deviation: components of equal weight whose means lie at evenly spaced quantiles of a
    normal distribution, so that no two of them begin alike.

    Args:
        dense: with 3 * `count` units for each number.
        count: of the components of a number.
    """
    import numpy as np

    means = [NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)]
    left = sqrt(1 - sum(each**2 for each in means) / count)  # of the variance, within each component
    own = log(expm1(deviation * left - FLOOR))  # softplus leads back
    one = [*[0.0] * count, *(mean + deviation * each for each in means), *[own] * count]
    dense.bias.assign(np.tile(one, dense.units // len(one)))
