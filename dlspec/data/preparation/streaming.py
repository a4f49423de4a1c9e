"""Tables that do not fit into memory: read once, split, measured and kept in files, from which training reads.

The one pass over the data gives every row its part, fits scales and vocabularies to the training part, and writes
numbers, and numbers that stand for words, into a file for each part. How much memory that takes does not depend on how
many rows there are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dlspec.data.arrays import Mapped, Samples
from dlspec.data.datasets import Columns
from dlspec.data.features import Affine, Fitted
from dlspec.data.features.base import GatheredFeature
from dlspec.data.features.numeric import FittedNumber, rounded_by_float32
from dlspec.data.features.summaries import NumberSummary, WordSummary
from dlspec.data.preparation.columns import (
    NOT_WHOLE,
    WHOLE,
    check_known,
    classes_of,
    data_error,
    numbers_of,
    strata_of,
    together,
)
from dlspec.data.preparation.prepared import Part, Prepared, Preprocessing
from dlspec.data.preparation.samples import complete_rows, encoded
from dlspec.data.preparation.sampling import generator, stratified_order
from dlspec.data.preparation.stored import RowWriter, StoredArray, StoredRows
from dlspec.data.preparation.times import date_form
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.data.sources.rows import TableFiles
from dlspec.data.split import Split
from dlspec.language.diagnostics.errors import DataError

Array = np.ndarray

ROWS_AT_A_TIME = 65_536
"""Rows that are read at a time."""
SAMPLE = 100_000
"""Rows that are kept to show what the data are like."""
PARTS = ("train", "validation", "test")


def prepare_stream(
    section: DataSpec, seed: int, signature: Signature, source: TableFiles, note: Callable[[str], None]
) -> Prepared:
    """Splits and scales the samples of files, without having all of them in memory.

    Args:
        note: is told how far it got.

    Raises:
        DataError: values are missing or are no numbers, rows are too few, or the disk is full.
    """
    stream = _Stream(section, seed, signature, [RowWriter(len(signature.features) + 2) for _ in PARTS])
    rows = (source.count_all() if _needs_count(section.split) else source.describe().rows) or 1
    try:
        for columns in source.blocks(ROWS_AT_A_TIME):
            stream.take(columns, rows)
            note(f"reading the data: {min(1.0, stream.read / rows):.0%}")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        help = "free some space, or set TMPDIR to a folder that has it"
        raise DataError.of("cannot-write", f"cannot keep the rows in a file: {reason}", help=help) from None
    return stream.prepared()


def _needs_count(split: Split) -> bool:
    """Whether it is the number of rows that says which row is in which part; of shares drawn anywhere it is not."""
    return split.by == "order" or any(isinstance(amount, int) and amount for amount in (split.validation, split.test))


class _Stream:
    """What is known of the rows that have been read, and the files with these rows.

    Args:
        writers: of each part; a row is its features, its target, and where it stands in the data.
    """

    def __init__(self, section: DataSpec, seed: int, signature: Signature, writers: Sequence[RowWriter]) -> None:
        self.section, self.seed, self.signature, self.writers = section, seed, signature, writers
        self.read = self.every = 0
        self.unknown: Counter[str] = Counter()
        self.date_forms: dict[str, str] = {}
        self.types = [kind for kind in signature.types if isinstance(kind, GatheredFeature)]
        self.summaries: list[NumberSummary | WordSummary] = [kind.summary() for kind in self.types]
        self.target = NumberSummary()
        self.whole, self.all_whole = np.ones((2, len(signature.features)), bool)
        self.digest = hashlib.sha256(repr([column.name for column in signature.features]).encode())
        self.sample: list[Columns] = []

    def take(self, columns: Columns, rows: int) -> None:
        """Some more rows, of about so many in all."""
        section, signature = self.section, self.signature
        first, count = self.read, len(next(iter(columns.values())))
        self.read += count
        self._keep_sample(columns, count, rows)
        own = self._split(strata_of(section, signature, columns), first, count, rows)
        complete = complete_rows(section, signature, columns)
        trained = np.isin(complete, own[0])
        columns = {name: values[complete] for name, values in columns.items()}
        if not len(complete):
            return
        table, at = np.empty((len(complete), len(signature.features) + 2)), first + complete

        def read(place: int) -> None:
            kind, name, summary = signature.types[place], signature.features[place].name, self.summaries[place]
            holes = kind.policy(section.missing_of_samples) != "error"
            form = self.date_forms.get(name)
            values = numbers_of(section, name, columns, holes=holes, raw=kind.raw, first=at, trained=trained, form=form)
            if kind.raw == "time" and form is None and trained.any():  # the first rows tell it for all
                self.date_forms[name] = date_form(name, columns[name][trained], ordered=False)
            table[:, place] = summary.numbered(values) if isinstance(summary, WordSummary) else values

        def read_target() -> Array | None:
            if signature.target.kind == "class":
                classes = table[:, -2] = classes_of(section, signature, columns, at)
                return classes
            table[:, -2] = numbers_of(section, signature.target.name, columns, first=at)
            return None

        *_, classes = together(*(partial(read, place) for place in range(len(signature.features))), read_target)
        known = np.ones(len(table), bool) if classes is None else classes >= 0
        self.unknown.update(check_known(section, columns, signature.target.name, ~known, trained))
        table[:, -1] = at
        whole = table[:, :-2] == np.floor(table[:, :-2])
        self.whole &= whole[trained].all(axis=0)
        self.all_whole &= whole.all(axis=0)
        self.digest.update(np.ascontiguousarray(table).tobytes())
        for summary, values in zip(self.summaries, table[trained].T, strict=False):
            summary.add(values)
        self.target.add(table[trained, -2])
        for writer, chosen in zip(self.writers, own, strict=True):
            writer.write(table[np.isin(complete, chosen) & known])

    def _keep_sample(self, columns: Columns, count: int, rows: int) -> None:
        self.every = self.every or max(1, rows // SAMPLE)
        chosen = np.arange(-(self.read - count) % self.every, count, self.every)
        self.sample.append({name: values[chosen] for name, values in columns.items()})

    def _split(self, strata: Array | None, first: int, count: int, rows: int) -> tuple[Array, Array, Array]:
        """Which of the rows at hand go into each part, in order. Over all rows the shares come out to a row.

        Args:
            strata: of these rows, as of `strata_of`.
            first: of these, as it stands in the data.
            count: how many these are.
            rows: how many the data have.
        """
        split = self.section.split
        validation, test = (amount / max(rows, 1) for amount in split.amounts(rows))
        places = np.arange(first, first + count + 1)
        if split.by == "order":
            ends = np.cumsum(split.sizes(rows)[:2])
            part = np.searchsorted(ends, places[:-1], side="right")
            train, watched, tested = (np.flatnonzero(part == place) for place in range(3))
            return train, watched, tested
        order = stratified_order(generator(self.seed, f"split/{first}"), strata, count)
        tested = np.diff(np.floor(places * test + 1e-9)) > 0
        rest = np.cumsum(np.append(0, ~tested)) + (first - np.floor(first * test + 1e-9))
        share = validation / (1 - test)
        watched = (np.diff(np.floor(rest * share + 1e-9)) > 0) & ~tested
        return np.sort(order[~tested & ~watched]), np.sort(order[watched]), np.sort(order[tested])

    def prepared(self) -> Prepared:
        """What training reads."""
        section, stored = self.section, [writer.finish() for writer in self.writers]
        self._check_parts(stored)
        encoding = _RowEncoding.fit(section, self.signature, self.types, self.summaries, self.target, self.whole)
        for column, own in zip(encoding.columns, self.all_whole, strict=True):
            if isinstance(column, FittedNumber) and (column.whole or encoding.dtype == "int64") and not own:
                raise data_error(section, "not-a-number", NOT_WHOLE.format(column.name), "features", help=WHOLE)
        signature = self.signature
        if not encoding.plain:
            signature = signature.with_widths([column.width for column in encoding.columns])
        names = tuple(column.name for column in signature.features)
        columns = () if encoding.plain else encoding.columns
        steps = Preprocessing(encoding.inputs, encoding.target, "level", names, columns=columns, dtype=encoding.dtype)
        train, validation, test = (_part(rows, signature, encoding) for rows in stored)
        sample = {name: np.concatenate([some[name] for some in self.sample]) for name in self.sample[0]}
        none = np.empty((0, *train.inputs.shape[1:]), "float32")
        return Prepared(
            signature,
            steps,
            train,
            validation,
            test,
            sample,
            self.digest.hexdigest(),
            none,
            rows_in_all=self.read,
            kept_every=self.every,
            date_forms=self.date_forms,
            unknown_labels=self.unknown,
        )

    def _check_parts(self, stored: Sequence[StoredRows]) -> None:
        sizes, split = [rows.count for rows in stored], self.section.split
        if min(sizes[0], sizes[2]) < 1 or (split.validation and not sizes[1]):
            asked = f"{split.validation:g} and {split.test:g}"
            message = f"{sum(sizes)} rows are too few for a split of {asked}"
            raise data_error(self.section, "too-few-rows", message, "split")


@dataclass(frozen=True)
class _RowEncoding:
    """From rows of numbers to what the network sees and is to put out.

    Args:
        columns: how each feature is encoded.
        tables: of features of words, what the network sees of each word by its number; None of numbers.
        plain: whether all of them are numbers that are scaled and nothing else.
        inputs: the scale of plain numbers.
        dtype: of what the saved model takes of plain numbers.
    """

    columns: tuple[Fitted, ...]
    tables: tuple[Array | None, ...]
    plain: bool
    inputs: Affine
    target: Affine | None
    dtype: str

    @classmethod
    def fit(
        cls,
        section: DataSpec,
        signature: Signature,
        types: Sequence[GatheredFeature],
        summaries: Sequence[NumberSummary | WordSummary],
        target: NumberSummary,
        whole: Array,
    ) -> _RowEncoding:
        """Fitted to what was gathered of the training part.

        Args:
            whole: which of the columns hold whole numbers alone.
        """
        scale = section.scale
        columns = tuple(
            kind.fit_summary(column.name, summary, scale, kind.policy(section.missing_of_samples))
            for kind, column, summary in zip(types, signature.features, summaries, strict=True)
        )
        tables = tuple(
            column.encode(summary.words) if isinstance(summary, WordSummary) else None
            for column, summary in zip(columns, summaries, strict=True)
        )
        plain = [
            isinstance(column, FittedNumber) and column.is_plain and bool(own)
            for column, own in zip(columns, whole, strict=True)
        ]
        large = [
            own and isinstance(summary, NumberSummary) and rounded_by_float32(summary.low, summary.high)
            for own, summary in zip(plain, summaries, strict=True)
        ]
        inputs, own, dtype = encoded(columns, plain, large, by_name=True)
        of_target = target.affine(scale, None) if signature.target.kind == "number" else None
        return cls(own or columns, tables, not own, inputs, of_target, dtype)

    def encode(self, rows: Array) -> tuple[Array, ...]:
        """Inputs, targets, raw numbers, truth and places of rows."""
        raw, truth, places = rows[:, :-2], rows[:, -2], rows[:, -1].astype("int64")
        if self.plain:
            inputs = self.inputs(raw).astype("float32")
        else:
            inputs = np.hstack(
                [
                    column.encode(values) if table is None else table[values.astype(int)]
                    for column, table, values in zip(self.columns, self.tables, raw.T, strict=True)
                ]
            )
        if self.target is None:
            classes = truth.astype("int64")
            return inputs, classes, raw, classes, places
        return inputs, self.target(truth[:, None]).astype("float32"), raw, truth, places


def _part(rows: StoredRows, signature: Signature, encoding: _RowEncoding) -> Part:
    rows.encode = encoding.encode
    units, number = signature.target.units, signature.target.kind == "number"
    width = sum(column.width for column in encoding.columns)
    classes = StoredArray(rows, 1, (), "int64")
    targets: Samples = StoredArray(rows, 1, (1,), "float32") if number else classes
    if not number and units == 1:
        targets = Mapped(classes, lambda values: values[:, None], (1,), "float32")
    return Part(
        StoredArray(rows, 0, (width,), "float32"),
        targets,
        StoredArray(rows, 2, (len(encoding.columns),), "float64"),
        StoredArray(rows, 3, (), "float64" if number else "int64"),
        StoredArray(rows, 4, (), "int64"),
    )
