"""Has each text a timestep for each of its items? Where a mask leaves timesteps out, the network alone can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.columns import place_of_target
from dlspec.data.written import timesteps_needed
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError
from dlspec.model.alignment import mask_of_timesteps
from dlspec.training.losses.alignment import CTC

if TYPE_CHECKING:
    from dlspec.data.preparation import Part, Prepared
    from dlspec.spec.spec import Spec

Array = np.ndarray
AT_ONCE = 512
"""Samples whose masks are computed together."""


def check_timesteps(spec: Spec, network: Any, data: Prepared) -> None:
    """Raises DataError where a sample has fewer timesteps that are not masked than its text needs: no way to say the
    text is left, so that its probability is 0. Without a mask `validate` has seen to it."""
    import keras

    mask = mask_of_timesteps(network)
    if mask is None:
        return
    found = keras.Model(network.inputs, mask)
    short = [place for part in (data.train, data.validation, data.test) for place in _too_short(found, part)]
    if not short:
        return
    row, needed, there = min(short)
    others = f", and so it is in {len(short) - 1:,} more" if len(short) > 1 else ""
    raise DataError(
        [
            Diagnostic(
                "too-few-timesteps",
                f"`{data.signature.target.name}` of row {row + 1:,} takes {needed:,} timesteps, one for each item and "
                f"a blank between two that are the same, and of its sample {there:,} are not masked{others}",
                spec.data.span(*place_of_target(spec.data, 0)),
                help="leave these rows out, or let the network have more timesteps: `up_sampling1d` below `output`, or "
                "less pooling",
            )
        ],
        spec.document.texts,
    )


def _too_short(masks: Any, part: Part) -> list[tuple[int, int, int]]:
    """Row, timesteps that are needed and timesteps that are there, of samples with too few of them."""
    if not len(part):
        return []
    needed = needed_of(np.asarray(part.truth))
    there = np.concatenate(
        [np.asarray(masks.predict_on_batch(block)).astype(bool).sum(axis=1) for block in blocks(part.inputs, AT_ONCE)]
    )
    rows = np.asarray(part.rows)
    return [(int(rows[i]), int(needed[i]), int(there[i])) for i in np.flatnonzero(needed > there)]


def needed_of(truth: Array) -> Array:
    """How many timesteps each text needs, (texts,), without items that are not told apart.

    Args:
        truth: classes of items and of the end, (texts, places).
    """
    return np.array([timesteps_needed([each for each in row if each]) for row in CTC().encode(truth, 0).tolist()], int)
