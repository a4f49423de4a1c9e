"""Columns as numbers, classes and times; what is wrong with a value is said with its row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from dlspec.data.arrays import LazyArray
from dlspec.data.columns import place_of_feature
from dlspec.data.datasets import Columns
from dlspec.data.features.base import Raw
from dlspec.data.preparation.problems import FILL, First, ValueProblem, check_all, is_no_value, row_at
from dlspec.data.preparation.times import DATE_FORMS, date_form, to_seconds, to_times
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.data.source_of import source_of, unlabeled_source
from dlspec.data.sources import FileSource
from dlspec.data.sources.formats.base import as_word
from dlspec.data.sources.formats.dialect import may_be_number
from dlspec.data.target import split_tags
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml import to_inline_yaml

Array = np.ndarray

MEND = "mend this value"
WHOLE = "the training data had whole numbers alone; round it, or train with values such as this one"
NOT_WHOLE = "`{}` has fractions outside the training part, and the saved model takes whole numbers of it"


def to_numbers(name: str, values: Array, *, holes: bool = False, first: First = 0) -> Array:
    """A column as float64; arrays of whole numbers or float32 stay as they are, which takes less memory.

    Args:
        holes: whether values may be missing, which are NaN then.
        first: the row of the file that the first value stands in, counted from 0, or those of all values.

    Raises:
        DataError: a value is missing, infinite or no number; the message names the first such row.
    """
    if isinstance(values, LazyArray):  # pictures or sounds, checked when they are read
        return values
    if values.dtype == object or values.dtype.kind in "USM":
        import pandas as pd

        parsed = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy("float64")
        wrong = np.isnan(parsed) & np.array([not is_no_value(v) for v in values])
        if wrong.any():
            row = int(np.argmax(wrong))
            at = row_at(first, row)
            text = f'column `{name}` has the text "{values[row]}" in row {at + 1}, where a number is needed'
            help = MEND
            if may_be_number(str(values[row])):
                help = 'write all numbers of the file in one way, or say how: `decimal: "."`, `thousands: ","`'
            raise ValueProblem.at(at, "not-a-number", text, help)
        values = parsed
    if values.dtype.kind == "M":
        raise DataError.of("not-a-number", f"column `{name}` holds times, where numbers are needed")
    if values.dtype.kind in "iu" and values.ndim > 1:
        return values
    if values.dtype != "float32" or values.ndim == 1:
        values = values.astype("float64", copy=False)
    check_all(name, np.isinf(values), first, "is infinite", MEND)
    if not holes:
        check_all(name, np.isnan(values), first, "lacks a value", FILL)
    return values


def check_whole(name: str, values: Array, first: First = 0) -> None:
    """Raises ValueProblem where a number is missing or not whole, and the saved model takes whole numbers."""
    check_all(name, np.isnan(values), first, "lacks a value", WHOLE)
    check_all(name, values != np.floor(values), first, "is not whole", WHOLE)


def to_words(name: str, values: Array, *, holes: bool = False, first: First = 0) -> Array:
    """A column as text, an empty one where a value is missing; whole numbers without a decimal point.

    Args:
        holes, first: as of `to_numbers`.

    Raises:
        DataError: a value is missing, and none may be.
    """
    words = np.array([_as_word(value) for value in values.tolist()], object)
    if not holes:
        check_all(name, words == "", first, "lacks a value", FILL)
    return words


def to_texts(name: str, values: Array, *, holes: bool = False, first: First = 0) -> Array:
    """The same with the spaces and line breaks that stand around a text, which are characters of it."""
    words = to_words(name, values, holes=holes, first=first)
    pairs = zip(values.tolist(), words.tolist(), strict=True)
    whole = [value if word and isinstance(value, str) and value.strip() == word else word for value, word in pairs]
    return np.array([*whole, None], object)[:-1]


def _as_word(value: Any) -> str:
    if is_no_value(value):
        return ""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else as_word(value)


READERS: dict[Raw, Callable[..., Array]] = {
    "number": to_numbers,
    "word": to_words,
    "text": to_texts,
    "time": to_seconds,
}
"""How a column is read, by what the saved model takes of it."""


def numbers_of(
    section: DataSpec,
    name: str,
    columns: Columns,
    source: str | None = None,
    *,
    holes: bool = False,
    raw: Raw = "number",
    first: First = 0,
    trained: Array | None = None,
    form: str | None = None,
) -> Array:
    """A column of the data as numbers, words or times; an error points to where the spec names it.

    Args:
        source: the key under `data` that names another source than that of the samples.
        holes: whether values may be missing.
        first: as of `to_numbers`.
        trained: which rows tell how dates are written; None: all.
        form: how they are written, where that is known.
    """
    try:
        if raw == "time":
            forms = DATE_FORMS if form is None else (form,)
            return to_seconds(name, columns[name], holes=holes, first=first, forms=forms, trained=trained)
        return READERS[raw](name, columns[name], holes=holes, first=first)
    except DataError as error:
        (problem,) = error.diagnostics
        message = problem.message + file_of(section, source, error)
        if source is not None:
            raise data_error(section, problem.code, message, source, help=problem.help) from None
        if name == section.weight:
            leave_out = "" if section.window is not None else ", or write `missing: drop`, which leaves such rows out"
            help = f"fill in the weight{leave_out}" if problem.help == FILL else problem.help
            raise data_error(section, problem.code, message, "weight", help=help) from None
        place = _place_of(section, name)
        listed = section.is_written("features")
        others = [column for column in section.feature_names or [] if column != name]
        aside = f"write `features: [{', '.join(others)}]`" if not listed else f"take `{name}` out of `features`"
        optional = name not in section.target_names and others
        mend = problem.help
        if problem.help == FILL and columns[name].ndim == 1 and section.window is None:
            policy = "drop" if raw != "number" or name in section.target_names else "median"
            mend = f"{mend}, write `missing: {policy}` under `data`"
        elif problem.help == FILL and columns[name].ndim == 1:
            mend = f"{mend}, write `missing: previous` under `data`"
        text = re.search(r'has the text "(.*)" in row', message)
        if problem.help == MEND and text and section.window is None:
            mend = f"{mend}, write `na: [{to_inline_yaml(text[1])}]` if it stands for none"
        help = f"{mend}, or {aside}" if optional else mend
        raise data_error(section, problem.code, message, *place, help=help) from None


def of_each(names: Iterable[str], read: Callable[[str], Array]) -> dict[str, Array]:
    """What is read of each column; what is wrong with several of them is said together."""
    names = list(names)
    return dict(zip(names, together(*(partial(read, name) for name in names)), strict=True))


def together(*reads: Callable[[], Any]) -> list[Any]:
    """What each of them reads; what is wrong with several is said together, and once."""
    found: list[Any] = []
    problems: list[Diagnostic] = []
    texts: dict[str, str] = {}
    for read in reads:
        try:
            found.append(read())
        except DataError as error:
            problems += [problem for problem in error.diagnostics if problem not in problems]
            texts |= error.texts
    if problems:
        raise DataError(problems, texts)
    return found


def file_of(section: DataSpec, source: str | None, error: DataError) -> str:
    """Where in several files the wrong value stands; empty where there is one file."""
    files = unlabeled_source(section) if source else source_of(section)
    if not isinstance(error, ValueProblem) or not isinstance(files, FileSource):
        return ""
    place = files.place_of(error.row + 1)
    return f", which is {place}" if place else ""


def strata_of(section: DataSpec, signature: Signature, columns: Columns) -> Array | None:
    """A number for each row: rows of the same number are shared out among the parts; None: they are drawn alike.

    It is the class, and for what is no class of the target a number of its own. Groups are dealt out before it is
    known what the classes are, by the words of the target.
    """
    target, split = signature.target, section.split
    if target.places:
        return None
    by_words = split.group is not None and split.by == "stratified" and target.name in columns
    if split.by == "random" or (target.kind != "class" and not by_words):
        return None
    if by_words:
        return strata_of_words(columns[target.name])
    places, words = coded(columns[target.name])
    known = list(target.classes)
    index = {word: place for place, word in enumerate(known + sorted({*words} - {*known}))}
    return np.array([index[word] for word in words])[places]


def strata_of_words(labels: Array) -> Array:
    """A number for each different label."""
    places, words = coded(labels)
    index = {word: place for place, word in enumerate(sorted({*words}))}
    return np.array([index[word] for word in words])[places]


def coded(labels: Array) -> tuple[Array, list[str]]:
    """The place of each label among the words that come after it; an empty word stands for a missing one."""
    import pandas as pd

    places, different = pd.factorize(labels, use_na_sentinel=False)
    if labels.dtype.kind == "f":  # two whole numbers of a file
        return places, ["" if value != value else f"{value:g}" for value in different.tolist()]
    return places, ["" if is_no_value(value) else str(value) for value in different]


def classes_of(section: DataSpec, signature: Signature, columns: Columns, first: First = 0) -> Array:
    """Labels as indices into the target's classes, -1 for a label that is none of them; see `check_known`.

    Args:
        first: as of `to_numbers`.
    """
    name = signature.target.name
    index = {label: i for i, label in enumerate(signature.target.classes)}
    places, words = coded(columns[name])
    help = "fill in the label, or write `missing: drop` under `data`"
    try:
        check_all(name, np.array([not word for word in words], bool)[places], first, "lacks a label", help)
    except DataError as error:
        (problem,) = error.diagnostics
        raise data_error(section, problem.code, problem.message, "target", help=problem.help) from None
    return np.array([index.get(word, -1) for word in words], "int64")[places]


def check_known(section: DataSpec, columns: Columns, name: str, unknown: Array, trained: Array) -> Mapping[str, int]:
    """The labels of the validation and the test part that the training part does not have, and how often.

    Args:
        name: the column with the labels.
        unknown, trained: rows that have an unknown label, and those of the training part, (rows,) bool.

    Raises:
        DataError: the training part has one.
    """
    if (unknown & trained).any():
        (word, *_) = coded(columns[name][unknown & trained])[1]
        raise data_error(section, "unknown-label", f"column `{name}` has the unknown label `{word}`", "target")
    places, words = coded(columns[name][unknown])
    return dict(zip(words, np.bincount(places, minlength=len(words)).tolist(), strict=True))


def labels_of(section: DataSpec, signature: Signature, columns: Columns, first: First = 0) -> tuple[Array, Array]:
    """Which of the target's labels each sample has, (samples, labels), 1 or 0, and in which samples, (samples, columns)
    bool, a column has something else.

    Args:
        first: as of `to_numbers`.
    """
    target = signature.target
    if target.separator is not None:
        values = numbers_of(section, target.name, columns, holes=True, raw="word", first=first)  # nothing: no tag
        places = {label.word: i for i, label in enumerate(target.labels)}
        found, others = np.zeros((len(values), len(places)), "uint8"), np.zeros((len(values), 1), bool)
        for row, value in enumerate(values):
            for tag in split_tags(value, target.separator):
                if tag in places:
                    found[row, places[tag]] = 1
                else:
                    others[row] = True
        return found, others
    words = of_each(target.names, lambda name: numbers_of(section, name, columns, raw="word", first=first))
    found = np.stack([words[label.column] == label.word for label in target.labels], axis=1)
    others = np.stack([words[label.column] != label.other for label in target.labels], axis=1) & ~found
    return found.astype("uint8"), others


def times_of(
    section: DataSpec,
    name: str | None,
    columns: Columns,
    groups: Array | None = None,
    place: str = "time",
    trained: int | None = None,
    repeats: bool = False,
) -> tuple[Array, str] | None:
    """The time of each row, and how it is written; None: rows are numbered.

    Args:
        repeats: see `to_times`.
        name: the column of times, if there is one.
        groups: see `to_times`.
        place: the key under `data` that an error points to.
        trained: so many rows, the first ones, tell how times are written; None: all.
    """
    if name is None or name not in columns:
        return None
    values = columns[name]
    try:
        form = section.time.format if section.time is not None else None
        if form is None:
            decided = None if groups is None else groups[:trained]
            form = date_form(name, values[:trained], decided, repeats=repeats)
        return to_times(name, values, groups, forms=(form,), repeats=repeats), form
    except DataError as error:
        (problem,) = error.diagnostics
        message = problem.message + file_of(section, "unlabeled" if place == "unlabeled" else None, error)
        raise data_error(section, problem.code, message, place, help=problem.help) from None


def words_of(section: DataSpec, name: str, columns: Columns, *place: str, source: str | None = None) -> Array:
    """A column as words, one in every row.

    Args:
        place: where under `data` the spec names it.
        source: see `numbers_of`.
    """
    try:
        return to_words(name, columns[name])
    except DataError as error:
        (problem,) = error.diagnostics
        message = problem.message + file_of(section, source, error)
        raise data_error(section, problem.code, message, *place, help=problem.help) from None


def _place_of(section: DataSpec, name: str) -> tuple[str | int, ...]:
    if name in (section.features or []) and section.is_written("features"):
        return place_of_feature(section, name)
    return ("target",) if name in section.target_names else ("features",)


def data_error(section: DataSpec, code: str, message: str, *place: str | int, help: str | None = None) -> DataError:
    span = section.span(*place) if section.is_written(*place) else section.key_span(*place)
    return DataError([Diagnostic(code, message, span, Severity.ERROR, help)], section.texts)


def fingerprint(columns: Columns) -> str:
    """sha256 of names and values, to tell whether two runs saw the same data."""
    digest = hashlib.sha256()
    for name, values in columns.items():
        digest.update(name.encode())
        if isinstance(values, LazyArray):
            digest.update(values.fingerprint().encode())
            continue
        data = values.astype(str) if values.dtype == object else values
        digest.update(np.ascontiguousarray(data).tobytes())
    return digest.hexdigest()
