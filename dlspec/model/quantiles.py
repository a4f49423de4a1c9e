"""Quantiles of numbers that a network puts out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import expm1, log
from statistics import NormalDist
from typing import Any


def ascending(x: Any, count: int) -> Any:
    """What a dense layer gives, (batch, ..., numbers * quantiles), as quantiles that never cross,
    (batch, ..., numbers, quantiles).

    The first is taken as it is; each other one is the one before and a softplus, which is never negative.

    Args:
        count: of the quantiles of a number.
    """
    from keras import ops

    sizes = [size or -1 for size in x.shape[1:-1]]
    x = ops.reshape(x, (-1, *sizes, x.shape[-1] // count, count))
    return ops.cumsum(ops.concatenate([x[..., :1], ops.softplus(x[..., 1:])], axis=-1), axis=-1)


def start_with_normal(dense: Any, levels: Sequence[float], mean: float = 0.0, deviation: float = 1.0) -> None:
    """Sets the biases of a built dense layer below `ascending`, so that an untrained network gives about the quantiles
    of a normal distribution, which scaled numbers are near to.

    Args:
        dense: with as many units as numbers times quantiles.
        levels: the share that is to lie below each quantile, ascending.
        mean, deviation: of the distribution.
    """
    import numpy as np

    at = [NormalDist(mean, deviation).inv_cdf(level) for level in levels]
    start = [at[0], *(log(expm1(other - one)) for one, other in pairwise(at))]  # softplus leads back
    dense.bias.assign(np.tile(start, dense.units // len(levels)))
