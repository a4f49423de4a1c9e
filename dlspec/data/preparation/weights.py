"""How much each sample counts: `data: {weight: COLUMN}`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.preparation.columns import data_error, numbers_of
from dlspec.data.preparation.prepared import Part, Prepared
from dlspec.data.section import DataSpec

Array = np.ndarray


def weighed(section: DataSpec, data: Prepared) -> Prepared:
    """The parts with how much each of their samples counts, by the row that its target stands in.

    Raises:
        DataError: a weight is missing, no number or negative, or all those of a part are 0.
    """
    if section.weight is None:
        return data

    def part(name: str, given: Part) -> Part:
        name = "training" if name == "train" else name
        weights = weights_of(section, data.columns, np.asarray(given.rows))
        if len(weights) and not weights.any():
            message = f"all samples of the {name} part weigh 0 by `{section.weight}`"
            raise data_error(section, "too-few-rows", message, "weight", help="split otherwise, or remove `weight`")
        return replace(given, weights=weights)

    return data.with_parts(part)


def weights_of(section: DataSpec, columns: Columns, rows: Array) -> Array:
    """The weights of some rows of the data, (rows,) float64; none is below 0."""
    assert section.weight is not None, "the spec names a column of weights"
    chosen = {section.weight: columns[section.weight][rows]}
    weights = np.asarray(numbers_of(section, section.weight, chosen, first=rows), "float64")
    if (weights < 0).any():
        row = int(rows[np.argmax(weights < 0)])
        message = f"column `{section.weight}` weighs {weights.min():g} at least; no sample counts less than 0"
        help = f"mend row {row + 1}, the first of {int((weights < 0).sum()):,}"
        raise data_error(section, "wrong-value", message, "weight", help=help)
    return weights
