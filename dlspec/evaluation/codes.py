"""What comes to an `output` that was fitted after training: the codes of samples, or the distances of pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.data.preparation import Part, Prepared
from dlspec.training.fitted_output import network_below, output_layer
from dlspec.training.values import as_array, predict

Array = np.ndarray
AT_ONCE = 2**24
"""Numbers that are compared together, about."""
MOST_COMPARED = 20_000
"""Samples of which the nearest other one is looked for; of more, so many drawn evenly."""


def below_output(network: Any, part: Part) -> Array:
    """What comes to the output layer of a trained network, in the mode of use, (samples, units)."""
    return predict(network_below(network, output_layer(network).name), part.inputs)


def recall_at_1(codes: Array, truth: Array) -> float:
    """The share of samples whose nearest other sample, by Euclidean distance, is of their own class; of samples that
    are equally near the first one. NaN of a single sample.

    Args:
        codes: (samples, units).
        truth: class numbers, (samples,).
    """
    count, right = len(codes), 0
    if count < 2:
        return float("nan")
    codes = codes.astype("float64") - codes.mean(axis=0, dtype="float64")
    squares = (codes**2).sum(axis=1)
    rows = max(1, AT_ONCE // count)
    for first in range(0, count, rows):
        own = np.arange(first, min(first + rows, count))
        apart = squares[own, None] + squares - 2 * codes[own] @ codes.T
        apart[np.arange(len(own)), own] = np.inf
        right += int((truth[apart.argmin(axis=1)] == truth[own]).sum())
    return right / count


def facts_of(network: Any, data: Prepared) -> dict[str, Any]:
    """What `metrics.json` says under `codes`, or under `distances`; empty where the output was trained as any other."""
    fitted = data.signature.target.fitted
    if fitted is None:
        return {}
    below = output_layer(network)
    layer = below.input._keras_history.operation.name
    if fitted == "distance":
        return {"distances": {"layer": layer, "threshold": threshold_of(below)}}
    found: dict[str, Any] = {"layer": layer, "units": int(below.input.shape[-1])}
    if data.signature.window is None and len(data.test) > 1:  # windows that overlap are near each other anyway
        count = len(data.test)
        test = data.test
        if count > MOST_COMPARED:
            test = test.at(np.linspace(0, count - 1, MOST_COMPARED).astype(int))
        recall = recall_at_1(below_output(network, test), np.asarray(test.truth))
        found |= {"recall_at_1": recall, "samples": len(test)}
    return {"codes": found}


def threshold_of(output: Any) -> float | None:
    """The distance at which the probability of a pair is one half; None: it is so at none above 0."""
    slope, offset = float(as_array(output.kernel)[0, 0]), float(as_array(output.bias)[0])
    return -offset / slope if slope and -offset / slope > 0 else None


def in_words(data: Prepared, facts: dict[str, Any]) -> str:
    """What a reader should know of it."""
    if "distances" in facts:
        layer, threshold = facts["distances"]["layer"], facts["distances"]["threshold"]
        if threshold is None:
            return f"The distances that `{layer}` gives part no pairs: at none of them the likelier class changes."
        return (
            f"A pair counts as one of the same where `{layer}` is below {threshold:.4g}; there its probability is one "
            f"half, by the {_fitted_to(data)} part."
        )
    own = facts["codes"]
    said = (
        "Probabilities are those of the class means: the nearer the mean code of a class in the training part, the "
        f"likelier the class. How much nearer counts for how much is fitted to the {_fitted_to(data)} part."
    )
    if "recall_at_1" not in own:
        return said
    return (
        f"{said} Without these means: of {own['samples']:,} test samples {own['recall_at_1']:.1%} have their nearest "
        f"other test sample, by the codes of `{own['layer']}`, in their own class (recall@1)."
    )


def _fitted_to(data: Prepared) -> str:
    return "validation" if len(data.validation) else "training"
