"""Where a score of the test part lies, whatever the metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dlspec.data.sample_size import Z, wilson_interval
from dlspec.evaluation.intervals import FEWEST, INDEPENDENT, Dependence, interval_of_mean, numbered

Array = np.ndarray
Bounds = tuple[float, float]

BLOCKS = 100
"""Samples are left out of a score in so many blocks at most."""
FEW_BLOCKS = 20
"""Of scores that take long, and of more than `MANY` samples."""
MANY = 20_000


def intervals_of_scores(
    scores: Callable[[Array], Mapping[str, float]],
    count: int,
    dependence: Dependence,
    bounds: Mapping[str, Bounds],
    *,
    slow: bool = False,
    places: float = 1,
    weights: Array | None = None,
) -> dict[str, Bounds | None]:
    """The lowest and the highest value of each score, with 95% confidence; None: that cannot be told.

    By the jackknife: what a score would be without a block of samples tells how much hangs on that block (Busing,
    Meijer and van der Leeden, 1999). Blocks are groups, or stretches of time, as what samples have in common asks for.
    An interval keeps within the bounds of its score: of a score with one bound it is that of the logarithm of the
    distance to it, of one with two that of a share (Wilson, 1927) of as many independent samples as tell as much.

    Args:
        scores: of some samples, by their places.
        count: how many samples there are.
        bounds: score -> the least and the most that it can be; scores that are not there have no interval.
        slow: to compute a score takes long, so that it is computed less often.
        places: of a sample, of each of which a score tells as much as of a whole sample at most.
        weights: how much each sample counts, (samples,); None: all alike.
    """
    most = FEW_BLOCKS if slow or count > MANY else BLOCKS
    whole = scores(np.arange(count))
    widest: dict[str, Bounds | None] = dict.fromkeys(bounds)
    for codes, between in _ways_to_cut(count, dependence, most):
        shares = np.bincount(codes, weights) / (count if weights is None else weights.sum())
        if len(shares) < FEWEST:
            continue
        without = [scores(np.flatnonzero(codes != block)) for block in range(len(shares))]
        samples = (
            1.0 if between is INDEPENDENT and dependence.groups is not None else worth(count, weights) / len(shares)
        )
        samples *= places
        for name, ends in bounds.items():
            each = np.array([own[name] for own in without])
            found = _interval(whole[name], each, shares, between, ends, samples)
            widest[name] = max(widest[name], found, key=_width)
    return widest


def worth(count: int, weights: Array | None) -> float:
    """How many samples of equal weight tell as much as these (Kish, 1965)."""
    return count if weights is None else float(weights.sum() ** 2 / (weights**2).sum())


def _width(ends: Bounds | None) -> float:
    return -1.0 if ends is None else ends[1] - ends[0]


def _ways_to_cut(count: int, dependence: Dependence, most: int) -> list[tuple[Array, Dependence]]:
    """The block of each sample, and what blocks still have in common: of groups at the same times there are two."""
    groups, times, reach = dependence
    found = []
    if groups is not None:
        found.append((numbered(groups) % most, INDEPENDENT))
    if times is not None:
        moments = np.unique(times, return_inverse=True)[1]
        several = int(moments.max()) + 1
        if groups is None or count >= 2 * several:
            long = -(-several // most)
            codes = moments // long
            found.append((codes, Dependence(times=np.arange(codes.max() + 1), reach=max(1, -(-reach // long)))))
    return found or [(np.arange(count) % most, INDEPENDENT)]


def _interval(
    score: float, without: Array, shares: Array, between: Dependence, bounds: Bounds, samples: float
) -> Bounds | None:
    """
    Args:
        without: the score without each of the blocks, (blocks,).
        shares: of all samples that are in each block, (blocks,).
        between: what blocks have in common.
        samples: that a block is worth.
    """
    if not np.isfinite(score) or not np.isfinite(without).all():
        return None
    low, high = bounds
    if np.isfinite(low) and np.isfinite(high):
        share = (score - low) / (high - low)
        found = interval_of_mean(_contributions(share, (without - low) / (high - low), shares), between)
        if found.low is None or found.high is None:
            return None
        worth, half = found.pieces * samples, (found.high - found.low) / 2
        if half > 0 and 0 < share < 1:
            worth = min(share * (1 - share) * (Z / half) ** 2, len(shares) * samples)
        ends = wilson_interval(share * worth, worth)
        return low + ends[0] * (high - low), low + ends[1] * (high - low)
    if np.isfinite(low) or np.isfinite(high):
        bound, sign = (low, 1) if np.isfinite(low) else (high, -1)
        away, each = sign * (score - bound), sign * (without - bound)
        if away <= 0 or (each <= 0).any():
            return None
        of_log = _interval(np.log(away), np.log(each), shares, between, (-np.inf, np.inf), samples)
        if of_log is None:
            return None
        near, far = (bound + sign * float(np.exp(end)) for end in of_log)
        return min(near, far), max(near, far)
    found = interval_of_mean(_contributions(score, without, shares), between)
    if found.low is None or found.high is None:
        return None
    return score + found.low - found.mean, score + found.high - found.mean


def _contributions(score: float, without: Array, shares: Array) -> Array:
    """What each block adds to a score, times the number of blocks: their mean is the score, as of a mean of samples."""
    return np.asarray(score + len(shares) * (1 - shares) * (score - without))
