"""What the report shows of mixtures: where truth lies in them, and their density over the only feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.preparation import Prepared
from dlspec.evaluation.judged import Judged
from dlspec.evaluation.mixtures import cumulative
from dlspec.training.values import predict

Array = np.ndarray
ACROSS = 240
"""Places of the only feature at which the density is drawn."""


def cumulated(data: Judged, found: Array) -> dict[str, Array]:
    """The share of its mixture that lies below each true value (the probability integral transform of Dawid, 1984),
    which is even over 0 to 1 where the mixtures are right.

    Args:
        found: of the network, for the samples of `data.test`, (samples, ..., 3 * components).
    """
    return {"cumulated": cumulative(np.asarray(data.test.truth, "float64"), found).reshape(len(found), -1)}


def across_feature(data: Prepared, network: Any) -> dict[str, Array]:
    """The mixtures over the only feature, a number, and the samples of the test part there; nothing where there are
    more features."""
    signature, steps = data.signature, data.preprocessing
    alone = len(signature.features) == 1 and not signature.features[0].shape and signature.window is None
    raw = data.test.raw
    if not alone or steps.columns or is_read_later(raw) or raw.shape[1:] != (1,) or signature.target.columns:
        return {}
    x = np.asarray(raw[:, 0], "float64")
    grid = np.linspace(x.min(), x.max(), ACROSS)
    outputs = predict(network, steps.network_inputs(grid[:, None]))
    return {"across:x": x, "across:grid": grid, "across:mixtures": data.to_units(outputs, data.test)}
