"""What the report shows of an output that was fitted after training: the plane of codes, or distances of pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.data.preparation import Part, Prepared
from dlspec.evaluation.codes import below_output, threshold_of
from dlspec.training.fitted_output import class_means, output_layer

Array = np.ndarray
MOST = 4000
"""Samples of the test part that are drawn."""
MOST_SEEN = 20_000
"""Samples of the training part that means and directions are taken of."""


def of_comparing(data: Prepared, network: Any) -> dict[str, Array]:
    """Codes in a plane with the mean of each class, or distances of pairs with the one where classes part."""
    test = _some(data.test, MOST)
    seen, truth = below_output(network, test).astype("float64"), np.asarray(test.truth)
    output = output_layer(network)
    if data.signature.target.fitted == "distance":
        threshold = threshold_of(output)
        return {
            "pairs:distances": seen[:, 0],
            "pairs:truth": truth,
            "pairs:threshold": np.array(np.nan if threshold is None else threshold),
        }
    train = _some(data.train, MOST_SEEN)
    codes = below_output(network, train).astype("float64")
    means = class_means(codes, train, len(data.signature.target.classes))
    there = np.flatnonzero(np.bincount(np.asarray(train.truth), minlength=len(means)))
    origin, directions, share = _plane_of(codes)
    return {
        "codes:points": (seen - origin) @ directions,
        "codes:truth": truth,
        "codes:means": (means - origin) @ directions,
        "codes:there": there,
        "codes:share": np.array(share),
        "codes:units": np.array(codes.shape[1]),
    }


def _some(part: Part, most: int) -> Part:
    return part if len(part) <= most else part.at(np.linspace(0, len(part) - 1, most).astype(int))


def _plane_of(codes: Array) -> tuple[Array, Array, float]:
    """Origin, two directions, (units, 2), and the share of the variance in them: the code itself where it has two
    numbers or one, else the plane of largest variance."""
    units = codes.shape[1]
    if units <= 2:
        return np.zeros(units), np.eye(units, 2), 1.0
    origin = codes.mean(axis=0)
    _, sizes, directions = np.linalg.svd(codes - origin, full_matrices=False)
    variance = sizes**2
    share = float(variance[:2].sum() / max(variance.sum(), 1e-300))
    plane = np.zeros((units, 2))
    plane[:, : min(2, len(directions))] = directions[:2].T
    return origin, plane, share
