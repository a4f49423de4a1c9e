"""What the report shows of quantiles: how much lies below each, and the band over the only feature."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.preparation import Prepared
from dlspec.evaluation.judged import Judged
from dlspec.evaluation.score_intervals import intervals_of_scores
from dlspec.evaluation.verdict import dependence_of
from dlspec.training.values import predict

Array = np.ndarray
ACROSS = 200
"""Places of the only feature at which the band is drawn."""


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


def across(data: Prepared, network: Any) -> dict[str, Array]:
    """The quantiles over the only feature, a number, and the samples of the test part there; nothing where there are
    more features."""
    signature, steps = data.signature, data.preprocessing
    alone = len(signature.features) == 1 and not signature.features[0].shape and signature.window is None
    raw = data.test.raw
    if not alone or steps.columns or is_read_later(raw) or raw.shape[1:] != (1,) or signature.target.columns:
        return {}
    x = np.asarray(raw[:, 0], "float64")
    grid = np.linspace(x.min(), x.max(), ACROSS)
    outputs = predict(network, steps.network_inputs(grid[:, None]))
    return {"across:x": x, "across:grid": grid, "across:quantiles": data.to_units(outputs, data.test)}
