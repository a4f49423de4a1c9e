"""What mixtures of normal distributions say: densities, means, quantiles and likeliest values.

A mixture is an array with a last axis of 3 * components: weights, means and deviations. All is computed in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from dlspec.data.forms import INTERVAL

Array = np.ndarray

HALVINGS = 64
"""Of an interval in which a quantile lies: until float64 has no number between its ends."""
AROUND = np.linspace(-3, 3, 25)
"""Where the density is looked at, in deviations around the mean of each component."""
GOLDEN = (5**0.5 - 1) / 2
NARROWED = 60
"""Steps of a golden-section search, each of which leaves 62% of an interval."""
AT_ONCE = 4_000_000
"""Values that are computed at once."""


def split(mixtures: Array) -> tuple[Array, Array, Array]:
    """Weights that sum to one, means and deviations, each (..., components)."""
    weights, means, deviations = np.split(np.asarray(mixtures, "float64"), 3, axis=-1)
    return weights / weights.sum(axis=-1, keepdims=True), means, deviations


def log_density(values: Array, mixtures: Array) -> Array:
    """The logarithm of the density at values, in nats.

    Args:
        values: (...,).
        mixtures: (..., 3 * components).
    """
    weights, means, deviations = split(mixtures)
    with np.errstate(divide="ignore"):  # a weight may be zero
        logs = np.log(weights) - np.log(deviations)
    logs = logs - 0.5 * (((values[..., None] - means) / deviations) ** 2 + np.log(2 * np.pi))
    largest = logs.max(axis=-1)
    return np.asarray(largest + np.log(np.exp(logs - largest[..., None]).sum(axis=-1)))


def cumulative(values: Array, mixtures: Array) -> Array:
    """The share that lies below values; arguments as those of `log_density`."""
    from scipy.special import ndtr

    weights, means, deviations = split(mixtures)
    return np.asarray((weights * ndtr((values[..., None] - means) / deviations)).sum(axis=-1))


def mean_of(mixtures: Array) -> Array:
    """The means, (...,)."""
    weights, means, _ = split(mixtures)
    return np.asarray((weights * means).sum(axis=-1))


def deviation_of(mixtures: Array) -> Array:
    """The standard deviations, (...,)."""
    weights, means, deviations = split(mixtures)
    middle = (weights * means).sum(axis=-1, keepdims=True)
    return np.asarray(((weights * (deviations**2 + (means - middle) ** 2)).sum(axis=-1)) ** 0.5)


def quantiles_of(mixtures: Array, levels: Sequence[float]) -> Array:
    """The values below which shares lie, (..., levels), by bisection: a quantile of a mixture lies between the smallest
    and the largest of those of its components."""
    from scipy.special import ndtr

    weights, means, deviations = split(mixtures)
    there = weights > 0  # a component without weight says nothing of where they lie
    found = np.empty((*means.shape[:-1], len(levels)))
    for place, level in enumerate(levels):
        own = means + deviations * NormalDist().inv_cdf(level)
        low, high = np.where(there, own, np.inf).min(axis=-1), np.where(there, own, -np.inf).max(axis=-1)
        for _ in range(HALVINGS):
            middle = low + (high - low) / 2
            if ((middle <= low) | (middle >= high)).all():
                break
            below = (weights * ndtr((middle[..., None] - means) / deviations)).sum(axis=-1) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        found[..., place] = low + (high - low) / 2
    return found


def modes_of(mixtures: Array) -> Array:
    """The likeliest values, (...,): where the density is largest, which may be at no mean of a component.

    The density is looked at around the mean of each component in steps of a quarter of its deviation, than which no
    mode is narrower, and the best of these places is moved by a golden-section search between those beside it.
    """
    flat = np.asarray(mixtures, "float64").reshape(-1, mixtures.shape[-1])
    size = max(1, AT_ONCE // (len(AROUND) * max(1, flat.shape[-1]) ** 2))
    each = [_modes(flat[start : start + size]) for start in range(0, len(flat), size)]
    return np.concatenate(each or [np.empty(0)]).reshape(mixtures.shape[:-1])


def _modes(mixtures: Array) -> Array:
    """Those of (mixtures, 3 * components)."""
    _, means, deviations = split(mixtures)
    tried = np.sort((means[..., None] + deviations[..., None] * AROUND).reshape(len(mixtures), -1), axis=1)
    heights = log_density(tried, mixtures[:, None])
    best, rows = heights.argmax(axis=1), np.arange(len(mixtures))
    low, high = tried[rows, np.maximum(best - 1, 0)], tried[rows, np.minimum(best + 1, tried.shape[1] - 1)]
    for _ in range(NARROWED):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        higher = log_density(left, mixtures) >= log_density(right, mixtures)
        low, high = np.where(higher, low, left), np.where(higher, right, high)
    found, peak = (low + high) / 2, tried[rows, best]
    return np.where(log_density(found, mixtures) >= heights[rows, best], found, peak)


def as_mixtures(means: Array, deviations: Array) -> Array:
    """Single normal distributions as mixtures of one component, (..., 3).

    Args:
        means: (...,).
        deviations: of the same shape, or one that is spread to it.
    """
    return np.stack([np.ones_like(means), means, np.broadcast_to(deviations, means.shape)], axis=-1)


def told(mixtures: Array) -> Array:
    """What is told of mixtures, (..., 4): mean, both ends of the central interval, and the likeliest value; see
    `told_of_mixture`."""
    rest = mean_of(mixtures)[..., None], quantiles_of(mixtures, INTERVAL), modes_of(mixtures)[..., None]
    return np.concatenate(rest, axis=-1)
