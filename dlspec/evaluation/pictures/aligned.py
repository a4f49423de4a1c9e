"""What the report shows of texts that are read off timesteps: what is said at each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dlspec.evaluation.aligned import log_shares
from dlspec.evaluation.judged import Judged
from dlspec.evaluation.sequences import NOWHERE, WRITTEN, exact
from dlspec.model.alignment import BLANK

Array = np.ndarray
SHOWN_WRONG, SHOWN_RIGHT = 3, 4
"""Samples that are shown of those that are read otherwise, and of those that are right."""
MOST_ITEMS = 24
"""Items of which it is kept when they are said, those that are likeliest somewhere."""
SAID = 0.05
"""How probable an item must be somewhere, so that it is shown."""
MOST_VALUES = 10**6
"""Of a sample that is shown."""


def of_timesteps(data: Judged, predictions: Mapping[str, Array], logits: Callable[[Array], Array]) -> dict[str, Array]:
    """Some samples, what is read off them, and how probable the blank and the items are at each timestep.

    Args:
        predictions: of the whole test part; see `sequences.predicted`.
        logits: places in the test part -> what the network says of them, (samples, timesteps, items + 1).
    """
    truth, read = np.asarray(data.test.truth), predictions["network"][..., WRITTEN]
    right, long = exact(truth, read), (truth != NOWHERE).sum(axis=1)
    places = np.concatenate([_some(right, long, False, SHOWN_WRONG), _some(right, long, True, SHOWN_RIGHT)])
    if not len(places):
        return {}
    shares = np.exp(log_shares(logits(places)))
    kept = np.argsort(-shares[..., 1:].max(axis=1), axis=1, kind="stable")[:, :MOST_ITEMS] + 1
    of_items = np.take_along_axis(shares, kept[:, None], axis=2)
    found = {
        "timesteps:blank": shares[..., BLANK].astype("float32"),
        "timesteps:shares": of_items.astype("float32"),
        "timesteps:items": np.where(of_items.max(axis=1) >= SAID, kept, BLANK),
        "timesteps:truth": truth[places],
        "timesteps:read": read[places],
    }
    column = data.signature.features[0]
    if len(data.signature.features) == 1 and column.shape and np.prod(column.shape) <= MOST_VALUES:
        rows = np.sort(np.asarray(data.test.rows)[places])
        values = np.asarray(data.columns[column.name][rows])
        order = np.searchsorted(rows, np.asarray(data.test.rows)[places])
        found["timesteps:seen"] = values[order].astype("float32")
    return found


def _some(right: Array, lengths: Array, wanted: bool, most: int) -> Array:
    """Some samples that are right, or wrong, one of them the longest, the others from the first to the last."""
    places = np.flatnonzero(right == wanted)
    if not len(places):
        return places
    longest = places[lengths[places].argmax()]
    evenly = places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(int))]
    return np.array([*dict.fromkeys([longest, *evenly])])[:most]
