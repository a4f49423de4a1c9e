"""What a network gives over the only feature that it sees, for the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.preparation import Prepared
from dlspec.training.values import predict

Array = np.ndarray
ACROSS = 240
"""Places of the feature at which it is asked."""


def over_only_feature(data: Prepared, network: Any, name: str) -> dict[str, Array]:
    """What the network gives over the only feature, a number, in units of the target, and the samples of the test part
    there; nothing where there are more features.

    Args:
        name: what it gives, `quantiles` or `mixtures`.
    """
    signature, steps = data.signature, data.preprocessing
    alone = len(signature.features) == 1 and not signature.features[0].shape and signature.window is None
    raw = data.test.raw
    if not alone or steps.columns or is_read_later(raw) or raw.shape[1:] != (1,) or signature.target.columns:
        return {}
    x = np.asarray(raw[:, 0], "float64")
    grid = np.linspace(x.min(), x.max(), ACROSS)
    outputs = predict(network, steps.network_inputs(grid[:, None]))
    return {"across:x": x, "across:grid": grid, f"across:{name}": data.to_units(outputs, data.test)}
