"""What the report shows of quantiles: how much lies below each."""

from __future__ import annotations

from functools import partial

import numpy as np

from dlspec.evaluation.judged import Judged
from dlspec.evaluation.score_intervals import intervals_of_scores
from dlspec.evaluation.verdict import dependence_of

Array = np.ndarray


def calibration(data: Judged, found: Array) -> dict[str, Array]:
    """How much of what is true lies below each quantile, and where that share lies with 95% confidence, NaN where it
    cannot be told.

    Args:
        found: of the network, for the samples of `data.test`, (samples, ..., quantiles).
    """
    levels, weights = data.signature.target.levels, data.test.weights
    truth = np.asarray(data.test.truth, "float64").reshape(len(found), -1)
    below = (truth[..., None] <= found.reshape(*truth.shape, len(levels))).mean(axis=1)
    names = [repr(level) for level in levels]
    ends = intervals_of_scores(
        partial(_shares, names, below, weights),
        len(below),
        dependence_of(data, np.asarray(data.test.rows)),
        dict.fromkeys(names, (0.0, 1.0)),
        weights=weights,
    )
    unknown = (np.nan, np.nan)
    return {
        "calibration:shares": np.array([*_shares(names, below, weights, np.arange(len(below))).values()]),
        "calibration:ends": np.array([ends[name] or unknown for name in names]),
    }


def _shares(names: list[str], below: Array, weights: Array | None, places: Array) -> dict[str, float]:
    own = None if weights is None or not weights[places].any() else weights[places]
    return dict(zip(names, np.average(below[places], axis=0, weights=own).tolist(), strict=True))
