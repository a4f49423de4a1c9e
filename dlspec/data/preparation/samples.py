"""Single samples: split, then encoded and scaled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from dlspec.data.arrays import AsTheyAre, Chosen, LazyArray, Mapped, Samples, SideBySide, is_read_later, joined
from dlspec.data.datasets import Columns
from dlspec.data.features import Affine, Fitted, fit_affine, fit_scale_of_samples
from dlspec.data.features.image import Image, dtype_of_arrays
from dlspec.data.features.numeric import FittedNumber, all_whole, rounded_by_float32
from dlspec.data.preparation.columns import (
    NOT_WHOLE,
    WHOLE,
    check_known,
    classes_of,
    data_error,
    fingerprint,
    labels_of,
    numbers_of,
    of_each,
    strata_of,
    together,
)
from dlspec.data.preparation.leakage import without_held_out
from dlspec.data.preparation.places import (
    classes_at_places,
    in_the_middle,
    numbers_at_places,
    texts_as_classes,
    unknown_at_places,
)
from dlspec.data.preparation.prepared import Part, Prepared, Preprocessing, flattened
from dlspec.data.preparation.problems import is_missing
from dlspec.data.preparation.sampling import draw_some, generator
from dlspec.data.preparation.splitting import Given, split_samples
from dlspec.data.preparation.tags import read_tags
from dlspec.data.preparation.times import date_form
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.language.words import one_of

Array = np.ndarray


def prepare_samples(
    section: DataSpec, seed: int, signature: Signature, columns: Columns, unlabeled: Columns | None, fold: int
) -> Prepared:
    """Splits and scales single samples."""
    target = signature.target
    whole = columns
    count = len(next(iter(columns.values())))
    strata = strata_of(section, signature, columns)
    parts_of_rows = split_samples(section, seed, columns, strata, Given.of(signature), fold)
    columns, kept = _without_holes(section, signature, columns)
    trained = np.isin(kept, parts_of_rows[0])
    views = {name: own for name, own in signature.views.items() if own.target != target}
    values, *truths = together(
        lambda: _values(section, signature, columns, kept, trained=trained),
        lambda: _Truth.read(section, signature, columns, kept, trained),
        *(partial(_Truth.read, _predicting(section, own), own, columns, kept, trained) for own in views.values()),
    )
    found = _Truth.of_all(truths)
    truth = found.values
    train, validation, test = _places(section, parts_of_rows, count, kept, found)
    classes = truth if target.kind == "class" and not target.places else None
    if section.limit:
        train = draw_some(generator(seed, "limit"), classes, train, section.limit)
    labelled = train
    if section.labels is not None:
        few = _label_count(section, signature, len(train))
        labelled = draw_some(generator(seed, "labels"), classes, train, few)
    hidden = np.setdiff1d(train, labelled)

    encoding = _Encoding.fit(section, signature, values, train)
    if encoding.columns:
        signature = signature.with_widths([column.width for column in encoding.columns])
    raw = encoding.raw(values)
    names = tuple(column.name for column in signature.features)
    preprocessing = Preprocessing(
        encoding.scale,
        _target_scale(section, signature, truth, labelled),
        "level",
        names,
        columns=encoding.columns,
        dtype=encoding.dtype,
    )

    def without_targets(rows: Array) -> Part:
        """The inputs of a part, before it is known what is predicted."""
        rows = np.sort(rows)
        own = Chosen(raw, rows)
        return Part(preprocessing.network_inputs(own), own, own, rows, kept[rows])

    inputs = [without_targets(rows) for rows in (labelled, validation, test)]
    parts = [_part(signature, preprocessing.target, truth, each) for each in inputs]
    more = preprocessing.network_inputs(Chosen(raw, hidden))
    left_out, further = 0, np.empty(0, int)
    if unlabeled is not None:
        others, complete = _without_holes(section, signature, unlabeled)
        seen = preprocessing.network_inputs(encoding.raw(_values(section, signature, others, complete, "unlabeled")))
        unseen, places = without_held_out(seen, [part.inputs for part in parts[1:]])
        further = complete[places]
        left_out = len(seen) - len(unseen)
        more = joined([more, unseen])
    date_forms = {
        column.name: date_form(column.name, columns[column.name][trained], ordered=False)
        for kind, column in zip(signature.types, signature.features, strict=False)
        if kind.raw == "time"
    }
    prepared = Prepared(
        signature,
        preprocessing,
        parts[0],
        parts[1],
        parts[2],
        whole,
        fingerprint(whole),
        more,
        left_out,
        unlabeled_rows=(kept[hidden], further),
        date_forms=date_forms,
        unknown_labels=found.unknown,
    )
    if not signature.views:
        return prepared
    of_views, outputs = dict(zip(views, truths[1:], strict=True)), dict[str, Prepared]()
    for name, own in signature.views.items():
        known = of_views.get(name, truths[0])
        scale = _target_scale(section, own, known.values, labelled)
        steps = replace(preprocessing, target=scale)
        parts = [_part(own, scale, known.values, each) for each in inputs]
        outputs[name] = replace(
            prepared,
            signature=own,
            preprocessing=steps,
            train=parts[0],
            validation=parts[1],
            test=parts[2],
            unknown_labels=known.unknown,
        )
    return replace(prepared, outputs=outputs)


def _predicting(section: DataSpec, signature: Signature) -> DataSpec:
    """The section as if one of several outputs were what it names, for messages."""
    return section.model_copy(update={"target": list(signature.target.names)})


def _target_scale(section: DataSpec, signature: Signature, truth: Array | None, rows: Array) -> Affine | None:
    """The scale of a number that is predicted, fitted to those of these rows; None: it is no number."""
    if signature.target.kind != "number":
        return None
    assert truth is not None, "a number was read"
    learned = truth[rows]
    return fit_affine(learned.reshape(-1, 1) if signature.target.places else _as_table(learned), section.scale)


def _part(signature: Signature, scale: Affine | None, truth: Array | None, seen: Part) -> Part:
    """A part with what is predicted.

    Args:
        scale: of a number.
        truth: of all samples; None: the input is given back.
        seen: its inputs; the places of its samples among all stand for the truth.
    """
    target, inputs, raw = signature.target, seen.inputs, seen.raw
    if truth is None:
        flat = flattened(inputs)
        return Part(inputs, flat, raw, flat, seen.rows)
    targets = own = truth[np.asarray(seen.truth)]
    if target.places:
        return _part_of_places(signature, scale, inputs, targets, raw, seen.rows)
    if scale is not None:
        targets = scale(_as_table(targets)).astype("float32")
    elif target.units == 1 or target.kind == "labels":
        targets = _as_table(targets).astype("float32")
    return Part(inputs, targets, raw, own, seen.rows)


def _part_of_places(
    signature: Signature, scale: Affine | None, inputs: Samples, truth: Array, raw: Samples, rows: Array
) -> Part:
    """A part of which a class or a number is predicted at each place.

    Args:
        truth: at each place of the data, of which the network may cut the middle out.
    """
    targets = truth
    if signature.target.cut_from:
        truth = in_the_middle(truth, signature.target.places)
    if scale is not None:
        targets = scale(truth).astype("float32")
    elif signature.target.of_words:
        targets = np.maximum(targets, 0)  # a class that there is, which the padding leaves out
    if signature.target.kind == "class" and signature.target.units == 1:
        targets = targets[..., None].astype("float32")
    return Part(inputs, targets, raw, truth, rows, last_frame(signature, raw), at_places=True)


def last_frame(signature: Signature, raw: Samples) -> Samples | None:
    """What is seen last of what is predicted, (samples, *places): of frames, (samples, frames, *places), the last one,
    of inputs with the same places each itself; None: they are no such samples."""
    seen, target = signature.features[0].shape, signature.target
    if not target.seen_in(seen):
        return None
    samples = raw if isinstance(raw, LazyArray) else AsTheyAre(raw)
    if seen[1:] == target.places:
        return Mapped(samples, lambda some: some[:, -1], target.places, "float64")
    return Mapped(samples, lambda some: some.reshape(len(some), *target.places), target.places, "float64")


def _places(
    section: DataSpec, parts: Sequence[Array], count: int, kept: Array, truth: _Truth
) -> tuple[Array, Array, Array]:
    """The places in `kept` of the rows of each part, without those whose label nobody knows.

    Args:
        count: rows of the data.
        kept: rows that lack nothing.
        truth: of these.
    """
    place = np.full(count, -1)
    place[kept[truth.known]] = np.flatnonzero(truth.known)
    found = [place[rows][place[rows] >= 0] for rows in parts]
    for name, rows, own in zip(("training", "validation", "test"), parts, found, strict=True):
        if len(rows) and not len(own):
            message = f"no row of the {name} part is left: each lacks a value"
            if truth.unknown:
                message += f", or has a label that the training part does not have: {one_of(truth.unknown)}"
            raise data_error(section, "too-few-rows", message, "split")
    return found[0], found[1], found[2]


class _Truth(NamedTuple):
    """What the network is to put out.

    Args:
        values: one target, (samples,), or several numbers or labels, (samples, targets); None: it is the input.
        known: which samples have labels that the training part has, (samples,).
        unknown: labels that it does not have -> how often they are there.
    """

    values: Array | None
    known: Array
    unknown: Mapping[str, int]

    @classmethod
    def of_all(cls, truths: Sequence[_Truth]) -> _Truth:
        """The first of several outputs, and which samples have labels that the training part has for each of them."""
        unknown: Counter[str] = Counter()
        for each in truths:
            unknown.update(each.unknown)
        return cls(truths[0].values, np.logical_and.reduce([each.known for each in truths]), unknown)

    @classmethod
    def read(cls, section: DataSpec, signature: Signature, columns: Columns, rows: Array, trained: Array) -> _Truth:
        """
        Args:
            rows: of the data that the columns have.
            trained: which of these are in the training part.
        """
        target, known = signature.target, np.ones(len(rows), bool)
        if target.kind == "input":
            return cls(None, known, {})
        if target.of_words:
            return cls(*read_tags(section, signature, columns, rows, trained))
        if target.places:
            return cls._at_places(section, signature, columns, rows, trained)
        if target.kind == "class":
            classes = classes_of(section, signature, columns, rows)
            known = classes >= 0
            return cls(classes, known, check_known(section, columns, target.name, ~known, trained))
        if target.kind == "labels":
            labels, others = labels_of(section, signature, columns, rows)
            if target.separator is not None:  # beside a tag that nobody knows, others count
                return cls(labels, known, check_known(section, columns, target.name, others[:, 0], trained))
            unknown: Counter[str] = Counter()
            for name, other in zip(target.names, others.T, strict=True):
                unknown.update(check_known(section, columns, name, other, trained))
            return cls(labels, ~np.asarray(others.any(axis=1)), unknown)
        values = list(of_each(target.names, lambda name: numbers_of(section, name, columns, first=rows)).values())
        return cls(values[0] if len(values) == 1 else np.stack(values, axis=1), known, {})

    @classmethod
    def _at_places(
        cls, section: DataSpec, signature: Signature, columns: Columns, rows: Array, trained: Array
    ) -> _Truth:
        target, known = signature.target, np.ones(len(rows), bool)
        if target.written:
            texts = numbers_of(section, target.name, columns, holes=True, raw="text", first=rows)
            return cls(texts_as_classes(target, texts), known, {})
        if target.kind == "number":
            return cls(numbers_at_places(section, target, columns, rows), known, {})
        classes = classes_at_places(target, columns[target.name])
        if target.numbered:  # others do not count
            return cls(classes, known, {})
        known = np.asarray((classes >= 0).reshape(len(classes), -1).all(axis=1))
        return cls(classes, known, unknown_at_places(section, target, columns, known, trained))


def _as_table(values: Array) -> Array:
    return values[:, None] if values.ndim == 1 else values


@dataclass(frozen=True)
class _Encoding:
    """From columns to what the scale is applied to.

    Args:
        scale: of all features, or of each.
        columns: how each is encoded, where not all are plain numbers; the scale does nothing then.
        dtype: of what the saved model takes, where there are no such columns.
    """

    scale: Affine
    columns: tuple[Fitted, ...] = ()
    dtype: str = "float64"

    @classmethod
    def fit(cls, section: DataSpec, signature: Signature, values: Sequence[Samples], rows: Array) -> _Encoding:
        """Fitted to the values of these rows, the training part, column by column."""
        how = section.scale
        if not signature.types:  # pictures
            return cls(
                fit_scale_of_samples(Chosen(values[0], rows), how, section.scale_by),
                dtype=dtype_of_arrays(Chosen(values[0], rows)),
            )
        fitted = tuple(
            kind.fit(column.name, Chosen(own, rows), how, "error", section.scale_by)
            if isinstance(kind, Image)
            else kind.fit(column.name, own[rows], how, kind.policy(section.missing_of_samples))
            for kind, column, own in zip(signature.types, signature.features, values, strict=True)
        )
        whole = tuple(
            isinstance(column, FittedNumber) and column.is_plain and all_whole(own[rows])
            for column, own in zip(fitted, values, strict=True)
        )
        large = tuple(
            own and rounded_by_float32(v[rows].min(), v[rows].max()) for own, v in zip(whole, values, strict=True)
        )
        found = cls(*encoded(fitted, whole, large, by_name=signature.target.kind != "input"))
        for column, own in zip(found.columns or fitted, values, strict=True):
            if found.takes_whole(column) and not all_whole(own):
                raise data_error(section, "not-a-number", NOT_WHOLE.format(column.name), "features", help=WHOLE)
        return found

    def takes_whole(self, column: Fitted) -> bool:
        """Whether the saved model takes whole numbers of a column."""
        return self.dtype == "int64" or (isinstance(column, FittedNumber) and column.whole)

    def raw(self, values: Sequence[Samples]) -> Samples:
        """Columns side by side, (samples, features), encoded unless they are plain numbers; of pictures the one."""
        if not self.columns:
            return values[0] if values[0].ndim > 1 else SideBySide(values)
        if any(map(is_read_later, values)):
            return EncodedLater(self.columns, values)
        return np.hstack([column.encode(own) for column, own in zip(self.columns, values, strict=True)])


class EncodedLater(LazyArray):
    """Columns side by side as they are encoded, (samples, values) float32, some of which are read when they are asked
    for."""

    def __init__(self, columns: Sequence[Fitted], values: Sequence[Samples]) -> None:
        super().__init__((len(values[0]), sum(column.width for column in columns)), "float32")
        self._columns, self._values = columns, values

    def read(self, rows: Array) -> Array:
        return np.hstack([column.encode(own[rows]) for column, own in zip(self._columns, self._values, strict=True)])


def encoded(
    fitted: Sequence[Fitted], whole: Sequence[bool], large: Sequence[bool], *, by_name: bool
) -> tuple[Affine, tuple[Fitted, ...], str]:
    """The scale of all columns, those that have an encoding of their own, and the type of numbers that have none.

    Args:
        whole: which of the columns are plain numbers, all of them whole.
        large: which of these float32 does not hold.
        by_name: whether the saved model may take each column by its name.
    """
    numbers = [column.affine for column in fitted if isinstance(column, FittedNumber) and column.is_plain]
    if len(numbers) == len(fitted) and (all(whole) or not any(large) or not by_name):
        joined = (np.concatenate([getattr(n, key) for n in numbers]) for key in ("scale", "offset"))
        return Affine(*joined), (), "int64" if all(whole) and any(large) else "float64"
    width = sum(column.width for column in fitted)
    columns = tuple(
        replace(column, whole=own) if isinstance(column, FittedNumber) else column
        for column, own in zip(fitted, large, strict=True)
    )
    return Affine(np.ones(width), np.zeros(width)), columns, "float64"


def _values(
    section: DataSpec,
    signature: Signature,
    columns: Columns,
    rows: Array,
    source: str | None = None,
    trained: Array | None = None,
) -> list[Array]:
    """The features as numbers or words.

    Args:
        rows: of the data that the columns have.
        trained: which of these tell how dates are written; None: all.
    """
    types = dict(zip((column.name for column in signature.features), signature.types, strict=False))

    def read(name: str) -> Array:
        kind = types.get(name)
        if kind is None or kind.of_arrays:
            return numbers_of(section, name, columns, source, first=rows)
        holes = kind.policy(section.missing_of_samples) != "error"
        return numbers_of(section, name, columns, source, holes=holes, raw=kind.raw, first=rows, trained=trained)

    return list(of_each((column.name for column in signature.features), read).values())


def _without_holes(section: DataSpec, signature: Signature, columns: Columns) -> tuple[Columns, Array]:
    """The rows that lack nothing for which `missing` is `drop`, and which they are."""
    kept = complete_rows(section, signature, columns)
    if len(kept) == len(next(iter(columns.values()))):
        return columns, kept
    if not len(kept):
        message = "`missing: drop` leaves no row: each lacks a value"
        raise data_error(section, "too-few-rows", message, "missing", help="write `missing: median`")
    return {name: values[kept] for name, values in columns.items()}, kept


def complete_rows(section: DataSpec, signature: Signature, columns: Columns) -> Array:
    """The rows that lack nothing for which `missing` is `drop`."""
    count = len(next(iter(columns.values())))
    given = zip(signature.types, signature.features, strict=False)
    names = {column.name for kind, column in given if kind.policy(section.missing_of_samples) == "drop"}
    for target in (own.target for own in signature.of_outputs):
        plain = target.kind != "input" and not target.separator and (target.of_words or not target.places)
        if section.missing == "drop" and plain:
            names |= {*target.names}
    if section.missing == "drop" and section.weight is not None:
        names.add(section.weight)
    lacking = np.zeros(count, bool)
    for name in names:
        if name in columns:  # other sources have no target
            lacking |= is_missing(columns[name])
    return np.flatnonzero(~lacking)


def _label_count(section: DataSpec, signature: Signature, available: int) -> int:
    asked = section.labels
    count = round(asked * available) if isinstance(asked, float) else int(asked or 0)
    classes = len(signature.target.classes)
    if count > available or count < max(1, classes):
        few = f"there are {classes} classes" if classes else "one is the least"
        reason = f"the training part has {available}" if count > available else few
        raise data_error(section, "labels-out-of-range", f"`labels` asks for {count}, and {reason}", "labels")
    return count
