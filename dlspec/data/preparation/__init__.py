"""Columns -> Prepared: split, then scaled and cut into what the network sees. No Keras.

The split comes first. What is fitted (the scale of inputs and of the target) is fitted on the training part
alone. What windows of a series predict lies wholly inside one part; what they see may lie before it.
"""

from __future__ import annotations

from dlspec.data.datasets import Columns
from dlspec.data.preparation.columns import READERS, check_whole, to_numbers, to_words
from dlspec.data.preparation.evening import even_out
from dlspec.data.preparation.language import prepare_language
from dlspec.data.preparation.leakage import print_of
from dlspec.data.preparation.prepared import Part, Prepared, class_shares, rounded_columns
from dlspec.data.preparation.problems import is_missing
from dlspec.data.preparation.samples import prepare_samples
from dlspec.data.preparation.sampling import draw_evenly, generator, stratified_order
from dlspec.data.preparation.series import changes, prepare_series, windows_of_rows
from dlspec.data.preparation.streaming import prepare_stream
from dlspec.data.preparation.times import DATE_FORMS, date_form, to_seconds, to_times
from dlspec.data.preparation.weights import weighed
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature

__all__ = [
    "DATE_FORMS", "READERS", "Part", "Prepared", "changes", "check_whole", "class_shares", "date_form", "draw_evenly",
    "even_out", "generator", "is_missing", "prepare", "prepare_stream", "print_of", "rounded_columns",
    "stratified_order", "to_numbers", "to_seconds", "to_times", "to_words", "windows_of_rows",
]  # fmt: skip


def prepare(
    section: DataSpec,
    seed: int,
    signature: Signature,
    columns: Columns,
    unlabeled: Columns | None = None,
    fold: int | None = None,
) -> Prepared:
    """Splits, scales and cuts.

    Args:
        unlabeled: columns of the source under `unlabeled`.
        fold: which of the folds, where there are several; by default the one whose network is kept.

    Raises:
        DataError: values are missing, are no numbers, or are too few.
    """
    if signature.target.tokens:
        return prepare_language(section, seed, signature, columns)
    by_layout = prepare_samples if signature.window is None else prepare_series
    shown = section.split.shown_fold if fold is None else fold
    return weighed(section, by_layout(section, seed, signature, columns, unlabeled, shown))
