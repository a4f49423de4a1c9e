"""Columns -> Prepared: split, then scaled and cut into what the network sees. No Keras.

The split comes first. What is fitted (the scale of inputs and of the target) is fitted on the training part
alone. Windows of a series lie wholly inside one part, so no value stands on two sides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlspec.datasets import Columns
from dlspec.diagnostics import DataError, Diagnostic, Severity
from dlspec.signature import Signature
from dlspec.spec import Spec

Array = np.ndarray

_DAYS, _CLOCKS = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d"), ("", " %H:%M", " %H:%M:%S")
DATE_FORMS = ("ISO8601", *(f"{day}{clock}" for day in _DAYS for clock in _CLOCKS))
"""How a time may be written, the best first."""


@dataclass(frozen=True)
class Affine:
    """x * scale + offset, one pair for each feature, or one for all."""

    scale: Array
    offset: Array

    def __call__(self, values: Array) -> Array:
        return values * self.scale + self.offset

    def back(self, values: Array) -> Array:
        return (values - self.offset) / self.scale


@dataclass(frozen=True)
class Preprocessing:
    """From raw columns to what the network sees, and from what it puts out to the target's own units.

    Args:
        inputs: applied to features, after `change`.
        target: applied to the target, after `change`; None for a class.
        change: of a series, what the network sees and puts out: `level`, `difference` or `return`.
        raw_columns: what the saved model takes, in order: the features, and the target where its last value
            is needed to come back to its level.
        target_column: place of the target among `raw_columns`, if it is there.
        timesteps: rows of a raw window; one more than the network sees where changes are taken.
    """

    inputs: Affine
    target: Affine | None
    change: str
    raw_columns: tuple[str, ...]
    target_column: int | None = None
    timesteps: int | None = None
    features: int = 0

    def network_inputs(self, raw: Array) -> Array:
        """Raw single samples (samples, ...) as the network sees them."""
        return self.inputs(raw).astype("float32")


@dataclass(frozen=True)
class Part:
    """One part of the split.

    Args:
        inputs: what the network sees, float32, (samples, ...).
        targets: what it is trained to put out: (samples, 1) float32, or class indices (samples,).
        raw: the same samples as raw columns, which the saved model takes.
        truth: the target itself: float64 in its own units, or class indices; (samples,).
        rows: the row of the data that each target stands in.
        last: of a series, the last value of the target that the network may know; (samples,).
    """

    inputs: Array
    targets: Array
    raw: Array
    truth: Array
    rows: Array
    last: Array | None = None

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True)
class Prepared:
    """Data ready to train on.

    Args:
        unlabeled: inputs of training samples whose label is hidden; only pretraining sees them.
        naive_error: of a series, mean absolute error of persistence on the training part.
        times: of a series, the time of every row.
        ends: of a series, the rows where the validation and the test part begin.
    """

    signature: Signature
    preprocessing: Preprocessing
    train: Part
    validation: Part
    test: Part
    columns: Columns
    fingerprint: str
    unlabeled: Array
    naive_error: float | None = None
    times: Array | None = None
    ends: tuple[int, int] | None = None

    @property
    def pretraining_inputs(self) -> Array:
        """What unsupervised pretraining sees: the training part, with and without labels."""
        return np.concatenate([self.train.inputs, self.unlabeled]) if len(self.unlabeled) else self.train.inputs

    def to_units(self, outputs: Array, part: Part) -> Array:
        """What the network puts out, (samples, units), in the target's own units, or class probabilities."""
        target = self.signature.target
        if target.kind == "class":
            return class_shares(outputs)
        assert self.preprocessing.target is not None, "a number has a scale"
        values = self.preprocessing.target.back(outputs[:, 0].astype("float64"))
        if part.last is None or self.preprocessing.change == "level":
            return np.asarray(values)
        return part.last + values if self.preprocessing.change == "difference" else part.last * np.exp(values)


def prepare(spec: Spec, signature: Signature, columns: Columns) -> Prepared:
    """Splits, scales and cuts.

    Raises:
        DataError: values are missing, are no numbers, or are too few.
    """
    checked = {c.name: _numbers(spec, c.name, columns) for c in signature.features}
    if signature.task == "series":
        return _prepare_series(spec, signature, columns, checked)
    return _prepare_samples(spec, signature, columns, checked)


def class_shares(outputs: Array) -> Array:
    """Probabilities of all classes, (samples, classes), also of an output of one sigmoid unit."""
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else np.asarray(outputs)


def changes(values: Array, change: str, axis: int) -> Array:
    """Levels as they are, as differences, or as logarithmic returns from one timestep to the next."""
    if change == "level":
        return values
    return np.diff(np.log(values) if change == "return" else values, axis=axis)


def fit_affine(values: Array, how: str) -> Affine:
    """The scale that brings `values`, (rows, features), to mean 0 and deviation 1, or to 0 and 1."""
    ones = np.ones(values.shape[-1])
    if how == "none":
        return Affine(ones, 0 * ones)
    if how == "standard":
        middle, spread = values.mean(axis=0), values.std(axis=0)
    else:
        middle, spread = values.min(axis=0), values.max(axis=0) - values.min(axis=0)
    scale = 1 / np.where(spread > 1e-12 * (1 + abs(middle)), spread, 1.0)  # a constant column stays constant
    return Affine(scale, -middle * scale)


def draw_evenly(order: Array, share: float) -> Array:
    """A boolean for each entry of `order`: true for `share` of them, spread evenly from first to last."""
    position = np.arange(len(order) + 1)
    taken = np.floor(position * share + 1e-9)
    return np.diff(taken) > 0


def stratified_order(random: np.random.Generator, classes: Array | None, count: int) -> Array:
    """All rows in random order, rows of a class beside each other where there are classes."""
    order = random.permutation(count)
    return order if classes is None else order[np.argsort(classes[order], kind="stable")]


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on what they are for, and on nothing drawn before."""
    return np.random.default_rng([seed, *purpose.encode()])


def _prepare_samples(spec: Spec, signature: Signature, columns: Columns, numbers: Columns) -> Prepared:
    target = signature.target
    pictures = bool(signature.features[0].shape)
    raw = numbers[signature.features[0].name] if pictures else np.stack(list(numbers.values()), axis=1)
    truth = _classes(spec, signature, columns) if target.kind == "class" else _numbers(spec, target.name, columns)
    classes = truth if target.kind == "class" else None
    count, split, seed = len(raw), spec.data.split, spec.seed

    order = stratified_order(generator(seed, "split"), classes, count)
    in_test = draw_evenly(order, split.test)
    test, rest = order[in_test], order[~in_test]
    in_validation = draw_evenly(rest, split.validation / (1 - split.test))
    validation, train = rest[in_validation], rest[~in_validation]
    if not len(train) or not len(test) or (split.validation and not len(validation)):
        raise _data_error(
            spec,
            "too-few-rows",
            f"{count} rows are too few for a split of {split.validation:g} and {split.test:g}",
            "split",
        )
    if spec.data.limit:
        train = _some(generator(seed, "limit"), classes, train, spec.data.limit)
    labelled = train
    if spec.data.labels is not None:
        labelled = _some(generator(seed, "labels"), classes, train, _label_count(spec, signature, len(train)))
    hidden = np.setdiff1d(train, labelled)

    flat = raw[train].reshape(-1, 1) if pictures else raw[train]
    scale = fit_affine(flat, spec.data.scale)
    target_scale = None
    targets = truth
    if target.kind == "number":
        target_scale = fit_affine(truth[labelled][:, None], spec.data.scale)
        targets = target_scale(truth[:, None]).astype("float32")
    elif target.units == 1:
        targets = truth[:, None].astype("float32")
    names = tuple(c.name for c in signature.features)
    preprocessing = Preprocessing(scale, target_scale, "level", names)

    def part(rows: Array) -> Part:
        rows = np.sort(rows)
        return Part(preprocessing.network_inputs(raw[rows]), targets[rows], raw[rows], truth[rows], rows)

    return Prepared(
        signature,
        preprocessing,
        part(labelled),
        part(validation),
        part(test),
        columns,
        fingerprint(columns),
        preprocessing.network_inputs(raw[hidden]),
    )


def _prepare_series(spec: Spec, signature: Signature, columns: Columns, numbers: Columns) -> Prepared:
    window, change = signature.window, spec.data.predict or "level"
    assert window is not None, "a series without window was refused"
    times = _times(spec, signature, columns)
    level = _numbers(spec, signature.target.name, columns)
    names = [c.name for c in signature.features]
    if change == "return":
        for name, values in {**numbers, signature.target.name: level}.items():
            if (values <= 0).any():
                row = int(np.argmax(values <= 0))
                raise _data_error(
                    spec,
                    "not-positive",
                    f"`predict: return` needs values above zero, and `{name}` is {values[row]:g} in row {row + 1}",
                    "predict",
                    help=f"write `predict: difference`, or leave `{name}` out of `features`",
                )
    raw_columns = names if change == "level" or signature.target.name in names else [*names, signature.target.name]
    table = np.stack([numbers.get(name, level) for name in raw_columns], axis=1)
    timesteps = window.length + (change != "level")

    count = len(table)
    ends = [0, round(count * (1 - spec.data.split.validation - spec.data.split.test))]
    ends += [round(count * (1 - spec.data.split.test)), count]
    features = len(names)
    train_rows = table[: ends[1]]
    needed = timesteps + window.horizon
    for name, first, end in zip(("training", "validation", "test"), ends, ends[1:], strict=False):
        if end - first < needed and not (name == "validation" and spec.data.split.validation == 0):
            raise _data_error(
                spec,
                "too-few-rows",
                f"the {name} part has {end - first} of {count} rows, and one window with its target takes {needed}",
                "window",
                help=f"`length` and `horizon` together must stay below {end - first}, or `split` keep a larger share",
            )
    scale = fit_affine(changes(train_rows[:, :features], change, axis=0), spec.data.scale)
    aims = _aims(level, window.horizon, change)
    target_scale = fit_affine(aims[: ends[1] - window.horizon][:, None], spec.data.scale)
    preprocessing = Preprocessing(
        scale,
        target_scale,
        change,
        tuple(raw_columns),
        raw_columns.index(signature.target.name) if signature.target.name in raw_columns else None,
        timesteps,
        features,
    )
    seen = scale(changes(table[:, :features], change, axis=0)).astype("float32")
    # (windows, timesteps, features), views of the rows
    seen_windows = np.lib.stride_tricks.sliding_window_view(seen, window.length, axis=0).swapaxes(1, 2)
    raw_windows = np.lib.stride_tricks.sliding_window_view(table, timesteps, axis=0).swapaxes(1, 2)

    def part(first: int, end: int) -> Part:
        starts = np.arange(first, max(first, end - needed + 1))
        last = starts + timesteps - 1
        rows = last + window.horizon
        chosen = slice(starts[0], starts[-1] + 1) if len(starts) else slice(0, 0)
        return Part(
            seen_windows[chosen],
            target_scale(aims[last][:, None]).astype("float32"),
            raw_windows[chosen],
            level[rows],
            rows,
            level[last],
        )

    train = part(ends[0], ends[1])
    if spec.data.limit and spec.data.limit < len(train):
        kept = np.sort(generator(spec.seed, "limit").permutation(len(train))[: spec.data.limit])
        assert train.last is not None, "a series keeps the last value of each window"
        train = Part(
            train.inputs[kept],
            train.targets[kept],
            train.raw[kept],
            train.truth[kept],
            train.rows[kept],
            train.last[kept],
        )
    assert train.last is not None, "a series keeps the last value of each window"
    return Prepared(
        signature,
        preprocessing,
        train,
        part(ends[1], ends[2]),
        part(ends[2], ends[3]),
        columns,
        fingerprint(columns),
        np.empty((0, *train.inputs.shape[1:]), "float32"),
        naive_error=float(abs(level[window.horizon : ends[1]] - level[: ends[1] - window.horizon]).mean()),
        times=times,
        ends=(ends[1], ends[2]),
    )


def _aims(level: Array, horizon: int, change: str) -> Array:
    """What the network is to put out at each row, before scaling: the target `horizon` rows later."""
    if change == "level":
        return level[horizon:]
    if change == "difference":
        return level[horizon:] - level[:-horizon]
    return np.asarray(np.log(level[horizon:] / level[:-horizon]))


def _some(random: np.random.Generator, classes: Array | None, rows: Array, count: int) -> Array:
    """`count` of the rows; every class has its share, and one row at least where there are enough."""
    if count >= len(rows):
        return rows
    order = random.permutation(rows)
    if classes is None:
        return order[:count]
    of_class = [order[classes[order] == label] for label in np.unique(classes[rows])]
    exact = np.array([len(members) for members in of_class]) * count / len(rows)
    taken = np.maximum(np.floor(exact), 1 if count >= len(of_class) else 0).astype(int)
    while taken.sum() < count:
        taken[np.argmax(exact - taken)] += 1
    while taken.sum() > count:
        taken[np.argmax(np.where(taken > 1, taken - exact, -np.inf))] -= 1
    return np.concatenate([members[:n] for members, n in zip(of_class, taken, strict=True)])


def _label_count(spec: Spec, signature: Signature, available: int) -> int:
    asked = spec.data.labels
    count = round(asked * available) if isinstance(asked, float) else int(asked or 0)
    classes = len(signature.target.classes)
    if count > available or count < max(1, classes):
        few = f"there are {classes} classes" if classes else "one is the least"
        reason = f"the training part has {available}" if count > available else few
        raise _data_error(spec, "labels-out-of-range", f"`labels` asks for {count}, and {reason}", "labels")
    return count


def to_numbers(name: str, values: Array) -> Array:
    """A column as float64.

    Raises:
        DataError: a value is missing or no number; the message names the first such row.
    """
    if values.dtype == object or values.dtype.kind in "USM":
        import pandas as pd

        parsed = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy("float64")
        wrong = np.isnan(parsed) & np.array([not _is_missing(v) for v in values])
        if wrong.any():
            row = int(np.argmax(wrong))
            text = f'column `{name}` has the text "{values[row]}" in row {row + 1}, where a number is needed'
            raise DataError.of("not-a-number", text, help="mend this value")
        values = parsed
    values = values.astype("float64")
    finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if not finite.all():
        missing = int((~finite).sum())
        have = "1 row without a value" if missing == 1 else f"{missing} rows without a value"
        text = f"column `{name}` has {have} (or with an infinite one), the first is row {int(np.argmin(finite)) + 1}"
        raise DataError.of("missing-value", text, help="fill or remove what is missing")
    return values


def _numbers(spec: Spec, name: str, columns: Columns) -> Array:
    """A column of the data as numbers; an error points to where the spec names it."""
    try:
        return to_numbers(name, columns[name])
    except DataError as error:
        place = _place_of(spec, name)
        listed = spec.source.written("data", "features")
        others = [column for column in spec.data.features or [] if column != name]
        aside = f"write `features: [{', '.join(others)}]`" if not listed else f"take `{name}` out of `features`"
        (problem,) = error.diagnostics
        optional = name != spec.data.target and others
        help = f"{problem.help}, or {aside}" if optional else problem.help
        raise _data_error(spec, problem.code, problem.message, *place, help=help) from None


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _classes(spec: Spec, signature: Signature, columns: Columns) -> Array:
    """Labels as indices into the target's classes."""
    name = signature.target.name
    index = {label: i for i, label in enumerate(signature.target.classes)}
    labels = columns[name]
    if labels.dtype.kind == "f":  # two whole numbers of a file
        labels = np.array([f"{value:g}" for value in _numbers(spec, name, columns)])
    if (labels == "").any():
        row = int(np.argmax(labels == "")) + 1
        message = f"column `{name}` has {int((labels == '').sum())} rows without a label, the first is row {row}"
        raise _data_error(spec, "missing-value", message, "target", help="fill in the label, or remove the row")
    unknown = [label for label in np.unique(labels) if str(label) not in index]
    if unknown:
        raise _data_error(
            spec,
            "unknown-label",
            f"column `{name}` has the unknown label `{unknown[0]}`",
            "target",
        )
    return np.array([index[str(label)] for label in labels])


def to_times(name: str, values: Array) -> Array:
    """A column of times, checked to run forwards: as datetime64[us], or as numbers.

    Raises:
        DataError: a value is no time, or does not come after the one before it.
    """
    if values.dtype == object:
        values = _read_dates(name, values)
    elif values.dtype.kind == "f":
        values = to_numbers(name, values)
    steps = np.diff(values.astype("int64") if values.dtype.kind == "M" else values)
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        text = f"column `{name}` does not increase from row {row} ({values[row - 1]}) to row {row + 1} ({values[row]})"
        raise DataError.of("time-not-increasing", text, help="sort the rows by time, oldest first, one for each time")
    return values


def _read_dates(name: str, values: Array) -> Array:
    """Dates as datetime64[us]: year-month-day, or another form where only one reading of all of them is in order."""
    import pandas as pd

    given = pd.Series(values)
    cure = "write dates as year-month-day, or leave the column out"
    readings: list[Array] = []
    fewest = np.ones(len(values), bool)
    for form in DATE_FORMS:
        parsed = pd.to_datetime(given, errors="coerce", format=form, utc=True)
        wrong = parsed.isna().to_numpy("bool")
        if not wrong.any():
            readings.append(parsed.dt.tz_localize(None).to_numpy("datetime64[us]"))
            if form == DATE_FORMS[0]:
                break
        elif wrong.sum() < fewest.sum():
            fewest = wrong
    if not readings:
        row = int(np.argmax(fewest))
        text = f'column `{name}` has "{values[row]}" in row {row + 1}, which is no date such as 2024-01-31'
        raise DataError.of("not-a-time", text, help=cure)
    in_order = [reading for reading in readings if (np.diff(reading.astype("int64")) > 0).all()]
    if len(in_order) > 1:
        text = f'column `{name}` may begin with the day or with the month: "{values[0]}" to "{values[-1]}"'
        raise DataError.of("not-a-time", text, help=cure)
    return (in_order or readings)[0]


def _times(spec: Spec, signature: Signature, columns: Columns) -> Array | None:
    """The time of each row; None: rows are numbered."""
    if signature.time is None:
        return None
    try:
        return to_times(signature.time, columns[signature.time])
    except DataError as error:
        (problem,) = error.diagnostics
        raise _data_error(spec, problem.code, problem.message, "time", help=problem.help) from None


def _place_of(spec: Spec, name: str) -> tuple[str | int, ...]:
    if name in (spec.data.features or []) and spec.source.written("data", "features"):
        return ("features", (spec.data.features or []).index(name))
    return ("target",) if name == spec.data.target else ("features",)


def _data_error(spec: Spec, code: str, message: str, *place: str | int, help: str | None = None) -> DataError:
    path = ("data", *place)
    span = spec.span(*path) if spec.source.written(*path) else spec.key_span(*path)
    return DataError([Diagnostic(code, message, span, Severity.ERROR, help)], spec.source.texts)


def fingerprint(columns: Columns) -> str:
    """sha256 of names and values, to tell whether two runs saw the same data."""
    digest = hashlib.sha256()
    for name, values in columns.items():
        digest.update(name.encode())
        data = values.astype(str) if values.dtype == object else values
        digest.update(np.ascontiguousarray(data).tobytes())
    return digest.hexdigest()
