"""What was left out of the data, filled in and not known, in sentences and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dlspec.data.not_seen import in_words, not_seen
from dlspec.data.training_rows import deciding_source
from dlspec.runs.records.data import DataRecord
from dlspec.spec.spec import Spec

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared


def data_notes(spec: Spec, data: Prepared, record: DataRecord) -> Iterator[str]:
    """Columns that the network does not see, values that were filled in, rows left out, words that are not known."""
    from dlspec.data.features.numeric import FittedNumber

    said = in_words(not_seen(spec.data, deciding_source(spec.data, spec.seed).describe(), data.signature))
    if said:
        yield said
    if record.rows_left_out:
        yield f"{record.rows_left_out:,} of {record.rows:,} rows were left out, as they lack a value (`missing: drop`)."
    fitted = {column.name: column for column in data.preprocessing.columns}
    for feature in record.features:
        column = fitted.get(feature.name)
        if feature.missing and isinstance(column, FittedNumber) and column.fill is not None:
            filled = "A missing value" if feature.missing == 1 else f"{feature.missing:,} missing values"
            was = "was" if feature.missing == 1 else "were"
            yield f"{filled} of `{feature.name}` {was} filled in with {column.fill:.4g}."
        elif feature.missing and feature.raw == "word" and feature.holes:
            yield f"Missing values of `{feature.name}`, {feature.missing:,} of them, count as a word of their own."
        if feature.unknown:
            one = feature.unknown == 1
            words = "a word" if one else f"{feature.unknown:,} words"
            count = "counts" if one else "count"
            yield f"Not in the training part: {words} of `{feature.name}` in the other parts, which {count} as none."
