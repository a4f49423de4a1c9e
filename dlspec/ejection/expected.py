"""What `load_data` and `load_unlabeled` are to give, as dlspec has read it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlspec.data.arrays import Samples, blocks
from dlspec.data.datasets import Columns
from dlspec.data.preparation import Part, Prepared, changes
from dlspec.data.preparation.columns import classes_of, numbers_of, words_of
from dlspec.data.preparation.leakage import print_of
from dlspec.data.preparation.samples import complete_rows
from dlspec.data.source_of import unlabeled_source
from dlspec.ejection.checking import Data, Expected
from dlspec.ejection.subject import Subject

Array = np.ndarray


def expected_data(subject: Subject) -> Expected:
    """All rows, in dlspec's order."""
    data = subject.data
    if subject.is_series:
        return _series(subject)
    columns = data.columns
    count = data.rows_in_all or _length(columns)
    x, rows = _of_columns(subject, columns)
    rows = rows * data.kept_every
    seen = np.isin(np.arange(count), rows)
    x = spread(x, rows, count)
    y, judged = _truth(subject, count)
    return Expected(x, y, seen, judged)


def expected_unlabeled(subject: Subject) -> tuple[Expected, Array | None]:
    """The rows of the other source, and which of them pretraining sees; None: all."""
    source = unlabeled_source(subject.spec.data)
    assert source is not None, "is asked for where there is one"
    columns = source.load(subject.spec.seed)
    count = _length(columns)
    x, kept = _of_columns(subject, columns)
    seen, used = np.isin(np.arange(count), kept), kept
    if subject.data.left_out:
        held_out = (subject.data.validation, subject.data.test)
        known = {print_of(sample) for part in held_out for block in blocks(part.inputs) for sample in block}
        inputs = _inputs(subject, x)
        used = kept[[print_of(sample) not in known for block in blocks(inputs) for sample in block]]
    rows = None if len(used) == count else used
    return Expected(spread(x, kept, count), None, seen, np.zeros(count, bool)), rows


def _of_columns(subject: Subject, columns: Columns) -> tuple[Data, Array]:
    """The features of the rows that lack nothing which they may not lack, and which these are."""
    rows = complete_rows(subject.spec.data, subject.data.signature, columns)
    if len(rows) < _length(columns):
        columns = {name: values[rows] for name, values in columns.items()}
    return _samples(subject, columns), rows


def _inputs(subject: Subject, x: Data) -> Samples:
    """What the network sees of samples."""
    steps = subject.data.preprocessing
    if not isinstance(x, dict):
        return steps.network_inputs(x)
    encoded = [column.encode(values[:, 0]) for column, values in zip(steps.columns, x.values(), strict=True)]
    return np.hstack(encoded)


def _samples(subject: Subject, columns: Columns) -> Data:
    """The features of rows."""
    section, data = subject.spec.data, subject.data
    types = data.signature.types
    found: list[Array] = []
    for place, column in enumerate(data.signature.features):
        raw = types[place].raw if types else "number"
        form = data.date_forms.get(column.name)
        values = numbers_of(section, column.name, columns, holes=bool(types), raw=raw, form=form)
        found.append(values)
    steps = data.preprocessing
    if subject.is_typed:
        for place, fitted in enumerate(steps.columns):
            if fitted.dtype == "int64":
                found[place] = found[place].astype("int64")
        return dict(zip(steps.input_names, (values[:, None] for values in found), strict=True))
    return found[0] if found[0].ndim > 1 else np.stack(found, axis=1)


def spread(values: Data, rows: Array, count: int) -> Data:
    """Values of some rows among all of them."""
    if len(rows) == count:
        return values
    if isinstance(values, dict):
        return {name: _among(own, rows, count) for name, own in values.items()}
    return _among(np.asarray(values), rows, count)


def _among(values: Array, rows: Array, count: int) -> Array:
    found = np.zeros((count, *values.shape[1:]), values.dtype)
    found[rows] = values
    return found


def unlabeled_windows(subject: Subject) -> tuple[Array, Array]:
    """Of a series, the rows of the other source, (rows, columns), with 0 in what it does not have, and where the
    windows begin in them that pretraining sees."""
    section, data = subject.spec.data, subject.data
    source, steps, window = unlabeled_source(section), data.preprocessing, data.signature.window
    assert source is not None, "is asked for where there is one"
    assert window is not None, "a series has a window"
    columns = source.load(subject.spec.seed)
    names = [column.name for column in data.signature.features]
    rows = np.stack([numbers_of(section, name, columns, "unlabeled") for name in names], axis=1)
    if data.signature.group:
        rows = rows[np.argsort(words_of(section, data.signature.group, columns).astype(str), kind="stable")]
    span = window.span(steps.timesteps or window.length)
    seen = steps.inputs(changes(rows, steps.change, axis=0, step=window.every)).astype("float32")
    windows = np.lib.stride_tricks.sliding_window_view(seen, window.span(window.length), axis=0)
    windows = windows[..., :: window.every].swapaxes(1, 2)
    starts: list[int] = []
    for start in range(len(rows) - span + 1):  # a part of them, in the same order
        if len(starts) < len(data.unlabeled) and np.array_equal(windows[start], data.unlabeled[len(starts)]):
            starts.append(start)
    assert len(starts) == len(data.unlabeled), "every window is one of these rows"
    more = len(steps.raw_columns) - len(names)
    return np.pad(rows, ((0, 0), (0, more))), np.array(starts)


def _truth(subject: Subject, count: int) -> tuple[Array | None, Array]:
    """The target of all rows, and of which of them it is known."""
    judged = np.zeros(count, bool)
    if subject.target.kind == "input":
        return None, judged
    parts: Sequence[Part] = [part for fold in subject.folds for part in _parts(fold)]
    first = parts[0].truth
    y = np.zeros((count, *first.shape[1:]), first.dtype)
    for part in parts:
        rows = np.asarray(part.rows[:])
        y[rows], judged[rows] = part.truth[:], True
    return y, judged


def _parts(data: Prepared) -> tuple[Part, Part, Part]:
    return data.train, data.validation, data.test


def _series(subject: Subject) -> Expected:
    section, data = subject.spec.data, subject.data
    columns, target = data.columns, subject.target
    x = np.stack([numbers_of(section, name, columns) for name in data.preprocessing.raw_columns], axis=1)
    every = np.ones(len(x), bool)
    if target.kind == "input":
        return Expected(x, None, every, ~every)
    if target.kind == "class":
        y = classes_of(section, data.signature, columns)
        return Expected(x, y, every, y >= 0)
    values = [numbers_of(section, name, columns) for name in target.names]
    return Expected(x, values[0] if len(values) == 1 else np.stack(values, axis=1), every, every)


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))
