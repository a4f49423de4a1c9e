"""What prepared data are made of: the parts of the split, and the way from raw columns to what the network sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from dlspec.data.arrays import Mapped, Samples, aligned, blocks, chosen, is_read_later, joined, reshaped
from dlspec.data.datasets import Columns
from dlspec.data.features import Affine, Fitted, of_parameters
from dlspec.data.features.numeric import FittedNumber
from dlspec.data.preparation.segments import Gaps
from dlspec.data.signature import Signature

Array = np.ndarray

MOST_WORDS = 2000
"""Words that are counted for models that take no sequences."""


@dataclass(frozen=True)
class Preprocessing:
    """From raw columns to what the network sees, and from what it puts out to the target's own units.

    Args:
        inputs: applied to features, after `change`.
        target: applied to the target, after `change`; None for a class.
        change: of a series, what the network sees and puts out: `level`, `difference` or `return`.
        raw_columns: what the saved model takes, in order: the features, and the target where its last value
            is needed to come back to its level.
        target_columns: place among `raw_columns` of the target of each value that the network puts out, if it is there.
        timesteps: rows of a raw window; one more than the network sees where changes are taken.
        columns: of a table, how each column is encoded; empty where samples are arrays of numbers.
        dtype: of what the saved model takes, where samples are arrays of numbers.
    """

    inputs: Affine
    target: Affine | None
    change: str
    raw_columns: tuple[str, ...]
    target_columns: tuple[int, ...] = ()
    timesteps: int | None = None
    features: int = 0
    columns: tuple[Fitted, ...] = ()
    dtype: str = "float64"

    @property
    def input_names(self) -> list[str]:
        """What the inputs of the saved model are called, one for each of `columns`: as these, without `/`, which Keras
        forbids."""
        names: list[str] = []
        for column in self.columns:
            name = getattr(column, "called", column.name).replace("/", "_")
            names.append(f"{name}_{len(names)}" if name in names else name)
        return names

    def network_inputs(self, raw: Samples) -> Samples:
        """Raw single samples (samples, ...) as the network sees them; what is read later is scaled later."""
        if is_read_later(raw):
            return Mapped(raw, self.inputs, raw.shape[1:], "float32")
        seen = aligned(raw.shape, "float32")
        first = 0
        for block in blocks(raw):
            seen[first : first + len(block)] = self.inputs(block)
            first += len(block)
        return seen


@dataclass(frozen=True)
class Part:
    """One part of the split. Inputs and raw columns may be arrays that are read when they are asked for.

    Args:
        inputs: what the network sees, float32, (samples, ...).
        targets: what it is trained to put out: (samples, values) float32, or class indices (samples,); where the target
            is the input, that.
        raw: the same samples as raw columns, which the saved model takes.
        truth: the target itself: float64 in its own units, (samples,), of several numbers (samples, numbers); class
            indices, (samples,); of labels whether each is there, (samples, labels); where the target is the input, the
            same as `targets`. Of a class or a number at each place (samples, *places), -1 or NaN where a place does not
            count.
        rows: the row of the data that each target stands in.
        last: of a series, the last value of the target that the network may know; as `truth`. Of frames, the last of
            them.
        at_places: whether the target is a class or a number at each place.
        weights: how much each sample counts, as the data have it, (samples,); None: all alike.
    """

    inputs: Samples
    targets: Samples
    raw: Samples
    truth: Samples
    rows: Samples
    last: Samples | None = None
    at_places: bool = False
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def class_counts(self, classes: int) -> Array:
        """How often each class or label stands in it, (classes,); of classes at each place, in how many places."""
        counts = np.zeros(classes, int)
        for block in blocks(self.truth):
            if self.at_places:
                counts += np.bincount(block[block >= 0], minlength=classes)
                continue
            counts += block.sum(axis=0, dtype=int) if block.ndim > 1 else np.bincount(block, minlength=classes)
        return counts

    def class_weights(self, classes: int) -> Array:
        """How often each class or label stands in it, each sample counting by its weight, (classes,)."""
        weights, truth = self.relative_weights, np.asarray(self.truth)
        if weights is None:
            return self.class_counts(classes)
        return weights @ truth if truth.ndim > 1 else np.bincount(truth, weights, minlength=classes)

    def at(self, places: Array) -> Part:
        """Some of its samples."""
        inputs, targets, raw, truth, last = (
            None if values is None else chosen(values, places)
            for values in (self.inputs, self.targets, self.raw, self.truth, self.last)
        )
        weights = None if self.weights is None else self.weights[places]
        return Part(inputs, targets, raw, truth, self.rows[places], last, self.at_places, weights)

    @property
    def relative_weights(self) -> Array | None:
        """How much each sample counts, so that the mean over the part is 1, (samples,); None: all alike."""
        if self.weights is None or not len(self.weights):
            return self.weights
        return self.weights / max(self.weights.mean(), 1e-300)


@dataclass(frozen=True)
class Prepared:
    """Data ready to train on.

    Args:
        unlabeled: inputs that only pretraining sees: of training samples whose label is hidden, and of the source
            under `unlabeled`.
        unlabeled_rows: the rows of the data whose label is hidden, and those of the source under `unlabeled`, of a
            series where windows of it begin; empty where data stream.
        left_out: how many samples of that source were left out, as they stand in the validation or test part.
        naive_error: of a series, mean absolute error of persistence on the training part, one step ahead, (values,).
        naive_of_series: of several series, that of each.
        times: of a series, the time of every row.
        groups: of several series, the group of every row.
        gaps: of a series, what its gaps in time cost.
        usual_step: of a series, the usual step in time, as of `Segments`.
        date_forms: how the dates of columns are written, as the training part says it.
        unknown_labels: of the validation and the test part, which the training part does not have -> how often.
        shown: of several series, the rows that the report draws: those of one group.
        notes: what a reader of the result should know of the data.
        rows_in_all: of the data, where `columns` holds some of them.
        kept_every: `columns` holds every so manieth row, from the first on.
        origin: of a series, the row of the data that each row of `columns` comes from, -1 where it comes from none;
            None: they are the same.
        evened: of a series, what was left out, put together and filled in, by `Rows.counts`.
        turned: of a series, whether the data have the newest row first.
        text_rows: of texts that are written on, the row of the data that each window comes from, which is a row of
            `columns`.
        ends: of a series, the rows, of those that are shown, where the validation and the test part begin.
        outputs: of a network of several outputs, the same samples as if each output were the only one; all else is of
            the first of them.
    """

    signature: Signature
    preprocessing: Preprocessing
    train: Part
    validation: Part
    test: Part
    columns: Columns
    fingerprint: str
    unlabeled: Samples
    left_out: int = 0
    unlabeled_rows: tuple[Array, Array] = (np.empty(0, int), np.empty(0, int))
    naive_error: Array | None = None
    naive_of_series: Mapping[str, Array] = field(default_factory=dict)
    times: Array | None = None
    rows_in_all: int | None = None
    kept_every: int = 1
    notes: tuple[str, ...] = ()
    ends: tuple[int, int] | None = None
    groups: Array | None = None
    shown: Array | None = None
    gaps: Gaps | None = None
    usual_step: float | None = None
    date_forms: Mapping[str, str] = field(default_factory=dict)
    unknown_labels: Mapping[str, int] = field(default_factory=dict)
    origin: Array | None = None
    evened: Mapping[str, int] = field(default_factory=dict)
    turned: bool = False
    text_rows: Array | None = None
    outputs: Mapping[str, Prepared] = field(default_factory=dict)

    def with_parts(self, change: Callable[[str, Part], Part]) -> Prepared:
        """The same with other parts, also of each output.

        Args:
            change: makes of a part, which it is called by, another one.
        """
        train, validation, test = (change(name, getattr(self, name)) for name in ("train", "validation", "test"))
        outputs = {name: own.with_parts(change) for name, own in self.outputs.items()}
        return replace(self, train=train, validation=validation, test=test, outputs=outputs)

    @cached_property
    def pretraining_inputs(self) -> Samples:
        """What unsupervised pretraining sees: the training part, with and without labels."""
        return joined([self.train.inputs, self.unlabeled])

    @cached_property
    def deviations(self) -> Array:
        """By what errors of several numbers are divided, so that they can be put together: 1 where they have one
        unit."""
        target, truth = self.signature.target, np.asarray(self.train.truth)
        if not target.is_mixed:
            return np.ones(truth.shape[1])
        spread = truth.std(axis=0)
        return np.where(spread > 0, spread, 1.0)

    @property
    def layout(self) -> list[tuple[int, int]]:
        """Of each feature that has a type, how many numbers the network sees of it, and how many different words these
        stand for, 0 where they are quantities."""
        given = zip(self.signature.features, self.signature.types, self.signature.widths, strict=False)
        return [(width, kind.token_count(column) or 0) for column, kind, width in given]

    def to_units(self, outputs: Array, part: Part) -> Array:
        """What the network puts out, (samples, units), in the target's own units, or the probabilities of classes or
        labels; of numbers of which quantiles are predicted (samples, quantiles), of several (samples, values,
        quantiles); of mixtures (samples, 3 * components) and (samples, values, 3 * components).

        Where the target is the input, it stays as the network sees it: columns may have different units, and an
        error is one number for all of them.
        """
        target = self.signature.target
        if target.kind == "class":
            return class_shares(outputs)
        if target.places:
            assert self.preprocessing.target is not None, "a number has a scale"
            values = outputs.reshape(len(outputs), *target.places).astype("float64")
            return np.asarray(self.preprocessing.target.back(values))
        if target.kind == "labels":
            return np.asarray(outputs, "float64")
        if target.kind == "input":
            return flattened(outputs)
        assert self.preprocessing.target is not None, "a number has a scale"
        values = outputs.astype("float64")
        if target.mixture:
            values = of_parameters(self.preprocessing.target, target.mixture).back(values)
        elif target.levels:  # numbers are the last axis but one
            values = self.preprocessing.target.back(values.swapaxes(1, 2)).swapaxes(1, 2)
        else:
            values = self.preprocessing.target.back(values)
        values = values if target.columns else values[:, 0]
        if part.last is None or self.preprocessing.change == "level":
            return np.asarray(values)
        last = np.asarray(part.last)
        last = last[..., None] if target.values_each else last
        if target.mixture:  # the means alone move
            last = last * np.repeat([0.0, 1.0, 0.0], target.mixture)
        return last + values if self.preprocessing.change == "difference" else last * np.exp(values)


ROUNDED = 1e-4
"""Of a scale that float32 may take from a number, before it is said."""


def rounded_columns(data: Prepared, columns: Columns) -> dict[str, float]:
    """The columns of which float32 loses much, and how much at most, as a share of the scale that the network sees.

    Args:
        columns: some rows of the data.
    """
    steps = data.preprocessing
    units: dict[str, float] = {}
    if steps.columns:
        plain = [column for column in steps.columns if isinstance(column, FittedNumber) and not column.whole]
        units = {column.name: float(column.affine.scale[0]) for column in plain}
    elif steps.dtype == "float64":
        units = dict(zip(steps.raw_columns, np.resize(steps.inputs.scale, len(data.signature.features)), strict=False))
        if steps.target is not None:
            for place, scale in zip(steps.target_columns, steps.target.scale, strict=False):
                units.setdefault(steps.raw_columns[place], scale)
    found = {}
    for name, scale in units.items():
        if scale == 1:  # the network sees the number itself, in float32
            continue
        values = columns.get(name, data.test.raw[:1] if len(units) == 1 else None)
        if values is None or values.dtype == object:
            continue
        largest = 1.0 if steps.change == "return" else float(np.nanmax(np.abs(values), initial=0.0))
        if largest * abs(scale) * 2**-24 > ROUNDED:
            found[name] = largest * abs(scale) * 2**-24
    return found


def quantities(inputs: Array, layout: Iterable[tuple[int, int]]) -> Array:
    """Inputs, (samples, ...), as (samples, values) float64 for models that know nothing but quantities.

    In place of a sequence of word numbers, how often each of the most frequent words stands in it.

    Args:
        layout: as that of `Prepared`.
    """
    found, end = [], 0
    flat = flattened(inputs).astype("float64")
    for width, tokens in layout:
        values, end = flat[:, end : end + width], end + width
        if tokens:
            known = np.arange(2, min(tokens, MOST_WORDS))  # 0 is no word, and 1 an unknown one
            values = np.stack([np.bincount(row.astype(int), minlength=tokens)[known] for row in values])
        found.append(values)
    return np.hstack(found) if found else flat


def flattened(samples: Samples) -> Samples:
    """All values of a sample in one row, (samples, values), also where there are no samples."""
    return reshaped(samples, (math.prod(samples.shape[1:]),))


def class_shares(outputs: Array) -> Array:
    """Probabilities of all classes, (samples, ..., classes), also of an output of one sigmoid unit."""
    return np.concatenate([1 - outputs, outputs], axis=-1) if outputs.shape[-1] == 1 else np.asarray(outputs)
