"""What the report shows of texts that were written: some of them, and how many are right by their length."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlspec.evaluation.judged import Judged
from dlspec.evaluation.sequences import NOWHERE, WRITTEN, exact

Array = np.ndarray
SHOWN = 14
"""Texts that are shown of those that are right, and of those that are wrong, at most."""
MOST_CHARACTERS = 400
"""Of a value that is shown."""


def of_sequences(data: Judged, predictions: Mapping[str, Array]) -> dict[str, Array]:
    """What some texts were written of, the true ones and what was written; and by how many items the true text has, how
    often each that guesses is right.

    Args:
        predictions: of the whole test part; see `sequences.predicted`.
    """
    target, truth = data.signature.target, np.asarray(data.test.truth)
    right = exact(truth, predictions["network"][..., WRITTEN])
    shown = np.concatenate([evenly(np.flatnonzero(~right)), evenly(np.flatnonzero(right))])
    rows = np.asarray(data.test.rows)[shown]
    features = [column for column in data.signature.features if column.name != target.name]
    seen = [column.name for column in features if not column.shape]  # of pictures others show more
    lengths = (truth != NOWHERE).sum(axis=1) - 1
    found = {
        "sequence:seen": np.array(seen),
        "sequence:inputs": np.array([[_cut(data.columns[name][row]) for name in seen] for row in rows]).reshape(
            len(rows), len(seen)
        ),
        "sequence:truth": truth[shown],
        "sequence:written": predictions["network"][shown][..., WRITTEN],
        "sequence:right": right[shown],
        "sequence:lengths": np.unique(lengths),
        "sequence:counts": np.array([(lengths == length).sum() for length in np.unique(lengths)]),
    }
    for name, guess in predictions.items():
        hit = exact(truth, guess[..., WRITTEN])
        found[f"sequence:by_length:{name}"] = np.array([hit[lengths == each].mean() for each in np.unique(lengths)])
    return found


def evenly(places: Array) -> Array:
    """Some of them, from the first to the last."""
    return places[np.unique(np.linspace(0, len(places) - 1, min(SHOWN, len(places))).astype(int))]


def _cut(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
