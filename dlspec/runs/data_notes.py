"""What was left out of the data, filled in and not known, in sentences and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dlspec.data.even_steps import filling_of
from dlspec.data.not_seen import in_words, not_seen
from dlspec.data.training_rows import deciding_source
from dlspec.runs.records.data import DataRecord
from dlspec.spec.spec import Spec

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared


def data_notes(spec: Spec, data: Prepared, record: DataRecord) -> Iterator[str]:
    """Columns that the network does not see, values that were filled in, rows left out, words that are not known."""
    from dlspec.data.features.numeric import FittedBins, FittedNumber

    said = in_words(not_seen(spec.data, deciding_source(spec.data, spec.seed).describe(), data.signature))
    if said:
        yield said
    if record.rows_left_out:
        were, they, lack = ("was", "it", "lacks") if record.rows_left_out == 1 else ("were", "they", "lack")
        count = f"{record.rows_left_out:,} of {record.rows:,} rows"
        yield f"{count} {were} left out, as {they} {lack} a value (`missing: drop`)."
    yield from _of_series(spec, data)
    fitted = {column.name: column for column in data.preprocessing.columns}
    for feature in record.features:
        column = fitted.get(feature.name)
        if feature.missing and isinstance(column, FittedNumber | FittedBins) and column.fill is not None:
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


def _of_series(spec: Spec, data: Prepared) -> Iterator[str]:
    """What was done so that a series has even steps and no holes."""
    if data.turned:
        yield "The data have the newest row first; they were read from the oldest to the newest."
    counts = dict(data.evened)
    repeated, steps, left_out = (counts.pop(name, 0) for name in ("repeated", "steps", "left_out"))
    if spec.data.resample is not None:
        every = spec.data.resample.every
        yield (
            f"The series was brought to steps of {every} (`resample`): {repeated:,} rows lie in the same step as one "
            f"before, and {steps:,} steps have no row."
        )
    elif repeated:
        yield f"{repeated:,} rows have the time of another one (`duplicates: {spec.data.duplicates}`)."
    how, limit = filling_of(spec.data.missing)
    shown = f"{how:g}" if isinstance(how, float) else how
    for name, count in counts.items():
        values = "A missing value" if count == 1 else f"{count:,} missing values"
        yield (
            f"{values} of `{name.removeprefix('filled ')}` {'was' if count == 1 else 'were'} filled in "
            f"(`missing: {shown}`); what was filled in is never predicted."
        )
    if left_out:
        longer = f", in holes of more than {limit} timesteps" if limit else ""
        cut = "" if how == "drop" else "; the series is cut there"
        rows = "A row was" if left_out == 1 else f"{left_out:,} rows were"
        yield f"{rows} left out for lack of a value{longer}{cut}."
