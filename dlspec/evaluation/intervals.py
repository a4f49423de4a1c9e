"""Where a mean of paired differences lies, of samples that may depend on each other; or that they are too few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi
from typing import NamedTuple

import numpy as np

Array = np.ndarray

LEVEL = 0.05
"""So often an interval may miss what it is of."""
FEWEST = 10
"""Fewer independent pieces tell nothing."""
MOST_COSINES = 200


class Dependence(NamedTuple):
    """What samples have in common.

    Args:
        groups: the group of each sample, such as the patient or the series, (samples,); None: they stand alone.
        times: of each sample, in any order, (samples,); None: samples have no order.
        reach: of forecasts, how many timesteps ahead they lie: so many that follow each other overlap.
    """

    groups: Array | None = None
    times: Array | None = None
    reach: int = 1


INDEPENDENT = Dependence()


class Interval(NamedTuple):
    """Where a mean lies with 95% confidence.

    Args:
        mean: of the pieces: of rows, or of the means of groups.
        low, high: None: the pieces are too few to tell.
        pieces: what all samples together are worth, in independent ones.
        of: what the pieces are.
        p: how often chance alone gives a mean that is as far from zero, if there is no difference (two-sided); None:
            that cannot be told, or several trainings were put together.
    """

    mean: float
    low: float | None
    high: float | None
    pieces: float
    of: str = "samples"
    p: float | None = None


def interval_of_mean(
    values: Array, dependence: Dependence = INDEPENDENT, *, rivals: int = 1, least: float = 0.0
) -> Interval:
    """An interval of the mean of values, such as what one model gains over another on each sample.

    Independent values have Student's interval. Values along time have one by the long-run variance of their first
    cosines, with the quantiles of t (Lazarus, Lewis, Stock and Watson, 2018); how many cosines there are depends on how
    many independent values they are worth, which is estimated. Values in groups have Student's interval of the means
    of groups; groups that are at the same times also that of the means at each time, and the wider counts.

    Args:
        values: one for each sample, (samples,).
        dependence: what the samples have in common.
        rivals: the difference is to the best of so many rivals, which was chosen by these samples. To be worse than
            that one is easier by chance, so that the upper end is further away (Bonferroni, 1936).
        least: the variance of a value is no less, also where all that are there are the same.
    """
    groups, times, reach = dependence
    if groups is None:
        if times is None:
            return _student(values, rivals, least)
        return _along_time(values[np.argsort(times, kind="stable")], reach, rivals, least)
    codes = numbered(groups)
    means = np.bincount(codes, values) / np.bincount(codes)
    found = _student(means, rivals, least)._replace(of="groups")
    if times is None:
        return found
    moments = np.unique(times, return_inverse=True)[1]
    if len(values) < 2 * (moments.max() + 1):  # few are at the same time
        return found
    at_once = np.bincount(moments, values) / np.bincount(moments)
    other = _along_time(at_once, reach, rivals, least)._replace(of="times")
    if found.low is None or found.high is None or other.low is None or other.high is None:
        return other if found.low is None else found
    return max((found, other), key=lambda each: (each.high or 0) - (each.low or 0))


def numbered(groups: Array) -> Array:
    """The number of the group of each sample."""
    return np.unique(groups.astype(str), return_inverse=True)[1]


def _student(values: Array, rivals: int, least: float) -> Interval:
    """Of values that do not depend on each other."""
    count, mean = len(values), float(np.mean(values))
    if count < FEWEST:
        return Interval(mean, None, None, count)
    return _interval(mean, max(least, float(np.var(values, ddof=1))), count, count - 1, rivals)


def _along_time(values: Array, reach: int, rivals: int, least: float) -> Interval:
    """Of values in order of time."""
    count, mean = len(values), float(np.mean(values))
    pieces = count / _dependence(values - mean, reach)
    if pieces < FEWEST:
        return Interval(mean, None, None, pieces)
    cosines = min(MOST_COSINES, max(1, round(0.4 * pieces ** (2 / 3))))
    variance = max(least, _long_run_variance(values - mean, cosines))
    found = _interval(mean, variance, count, cosines, rivals)
    return found._replace(pieces=pieces)


def _interval(mean: float, variance: float, count: int, freedom: int, rivals: int) -> Interval:
    from scipy.special import stdtr, stdtrit

    error = (variance / count) ** 0.5
    below, above = stdtrit(freedom, [1 - LEVEL / 2, 1 - LEVEL / 2 / rivals])
    p = 2 * float(stdtr(freedom, -abs(mean) / error)) if error else float(not mean)
    return Interval(mean, float(mean - below * error), float(mean + above * error), count, p=p)


def _dependence(deviations: Array, reach: int) -> float:
    """How many values along time are worth as much as an independent one.

    By their first autocorrelation, corrected for its bias (Kendall, 1954), and by what is known of forecasts that
    overlap: of the squares of sums over `reach` timesteps, `l` apart, the correlation is `(1 - l / reach) ** 2`.
    """
    count = len(deviations)
    total = float((deviations**2).sum())
    first = float((deviations[1:] * deviations[:-1]).sum()) / total if total else 0.0
    first = min(0.995, max(0.0, first + (1 + 3 * first) / count))
    known = 1 + 2 * sum((1 - lag / reach) ** 2 for lag in range(1, reach))
    return max((1 + first) / (1 - first), known, 1.0)


def _long_run_variance(deviations: Array, cosines: int) -> float:
    """The variance of the mean, times the count, by the first cosines along time, equally weighted."""
    count = len(deviations)
    along = pi * (np.arange(count) + 0.5) / count
    weights = [float(deviations @ np.cos(place * along)) for place in range(1, cosines + 1)]
    return float(np.mean(np.square(weights))) * 2 / count


# --- several trainings


def interval_of_trainings(
    gains: Sequence[Array],
    rows: Sequence[Array],
    dependence: Callable[[Array], Dependence],
    share: float,
    *,
    rivals: int = 1,
    least: float = 0.0,
) -> Interval:
    """An interval of what one way to train gains over another, by several trainings: folds, or seeds.

    It has to hold for other data and for other trainings. The first by the gains of each row, averaged over the
    trainings that it was tested in (`interval_of_mean`). The second by Student's interval of the mean gains of the
    trainings, where what they are trained on overlaps: its variance is larger by the share of what is tested (Nadeau
    and Bengio, 2003). Where each training is tested on rows of its own, both are in the second, and the wider counts;
    where all are tested on the same, the two are added up.

    Args:
        gains: of each training, of each row that it is tested on.
        rows: the numbers of these rows.
        dependence: of rows, by their numbers.
        share: rows that a training is tested on, by rows that it is trained on.
        rivals, least: as of `interval_of_mean`.
    """
    every, of = np.unique(np.concatenate(rows), return_inverse=True)
    of_row = np.bincount(of, np.concatenate(gains)) / np.bincount(of)
    by_row = interval_of_mean(of_row, dependence(every), rivals=rivals, least=least)
    means = np.array([own.mean() for own in gains])
    count = len(means)
    if count < 2 or by_row.low is None or by_row.high is None:
        few = by_row._replace(low=None, high=None)
        return few if count > 1 else few._replace(pieces=1, of="training")
    same = all(np.array_equal(np.sort(own), np.sort(rows[0])) for own in rows)
    variance = float(np.var(means, ddof=1)) * (1 + (0 if same else count * share))
    by_training = _interval(by_row.mean, variance, count, count - 1, rivals)
    assert by_training.low is not None, "several trainings have an interval"
    assert by_training.high is not None, "several trainings have an interval"
    below, above = (
        (abs(one - by_row.mean), abs(other - by_row.mean))
        for one, other in ((by_row.low, by_training.low), (by_row.high, by_training.high))
    )
    put = np.hypot if same else max
    return by_row._replace(low=float(by_row.mean - put(*below)), high=float(by_row.mean + put(*above)), p=None)
