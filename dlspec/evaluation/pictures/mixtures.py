"""What the report shows of mixtures: where truth lies in them."""

from __future__ import annotations

import numpy as np

from dlspec.evaluation.judged import Judged
from dlspec.evaluation.mixtures import cumulative

Array = np.ndarray


def cumulated(data: Judged, found: Array) -> dict[str, Array]:
    """The share of its mixture that lies below each true value (the probability integral transform of Dawid, 1984),
    which is even over 0 to 1 where the mixtures are right.

    Args:
        found: of the network, for the samples of `data.test`, (samples, ..., 3 * components).
    """
    return {"cumulated": cumulative(np.asarray(data.test.truth, "float64"), found).reshape(len(found), -1)}
