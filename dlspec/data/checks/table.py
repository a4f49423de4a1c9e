"""What each column of the data is like: its role, type and range, what is missing in it, and how its values lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dlspec.data.arrays import LazyArray
from dlspec.data.checks.base import LOOKED_AT
from dlspec.data.datasets import Columns
from dlspec.data.features import infer
from dlspec.data.features.text import split_tokens
from dlspec.data.preparation import date_form, is_missing, to_seconds
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.data.target import SPACES, split_tags
from dlspec.language.diagnostics.errors import DataError

Array = np.ndarray

BINS = 10
"""Bars of a histogram."""


@dataclass(frozen=True)
class ColumnSummary:
    """One column.

    Args:
        role: `feature`, `target`, `time`, `group`, `part` (of the split), or empty where nothing uses it.
        type: as a feature of a table has it: `numeric`, `category`, …; of arrays their shape.
        values: the smallest and largest number or time, or the most frequent words, in words.
        missing: share of rows without a value.
        histogram: how many values lie in each part of the range, or how often the most frequent words stand there.
    """

    name: str
    role: str
    type: str
    values: str
    missing: float
    histogram: tuple[int, ...]


def summarize_columns(section: DataSpec, signature: Signature, columns: Columns) -> list[ColumnSummary]:
    """What the columns are like; of more rows than `LOOKED_AT`, some are looked at."""
    roles = {column.name: "feature" for column in signature.features}
    split = section.split
    for name, role in ((signature.time, "time"), (signature.group, "group"), (split.group, "group"),
                       (split.column, "part")):  # fmt: skip
        roles |= {name: role} if name else {}
    for target in (name for own in signature.of_outputs for name in own.target.names):
        roles[target] = "feature, target" if roles.get(target) == "feature" else "target"
    types = dict(zip((column.name for column in signature.features), signature.types, strict=False))
    given = ((name, values, roles.get(name, ""), types.get(name)) for name, values in columns.items())
    return [_summarize(*each, signature) for each in given]


def _summarize(name: str, values: Any, role: str, kind: Any, signature: Signature) -> ColumnSummary:
    if values.ndim > 1 or isinstance(values, LazyArray):
        shape = " x ".join(map(str, values.shape[1:]))
        return ColumnSummary(name, role, f"array {shape}", "", 0.0, ())
    if len(values) > LOOKED_AT:
        values = values[np.linspace(0, len(values) - 1, LOOKED_AT).astype(int)]
    views = signature.views.values()
    target = next((own.target for own in views if name in own.target.names), signature.target)
    if name == target.name and target.separator is not None:
        tags = np.array([tag for value in values for tag in split_tags(str(value or ""), target.separator)], object)
        return ColumnSummary(name, role, "tags", *_of_words(tags, 0.0))
    if name == target.name and target.of_words:
        tags = np.array([tag for value in values for tag in split_tags(str(value or ""), SPACES)], object)
        return ColumnSummary(name, role, "tags", *_of_words(tags, 0.0))
    if name == target.name and target.written:
        done = "read" if target.aligned else "write"
        lengths = np.array([len(split_tokens(str(text or ""), target.written.unit)) for text in values], "float64")
        shown = f"{lengths.min():.0f} … {lengths.max():.0f} {target.written.unit} to {done}, {len(target.items):,} "
        return ColumnSummary(name, "target", "text", shown + "different", 0.0, ())
    if name == target.name and target.tokens and kind is not None:
        lengths = np.array([len(split_tokens(str(text or ""), target.tokens)) for text in values], "float64")
        shown = f"{int(lengths.sum()):,} {target.tokens} to predict, {len(target.classes) - 1:,} different"
        return ColumnSummary(name, role, kind.type_name, shown, 0.0, ())
    lacking = is_missing(values)
    there = values[~lacking]
    if not len(there):
        return ColumnSummary(name, role, kind.type_name if kind else "", "", 1.0, ())
    missing = float(lacking.mean())
    given = kind or next((infer(column) for column in signature.features if column.name == name), None)
    said = given.type_name if given else ""
    if name in target.names:
        said = "label" if target.kind == "labels" else target.kind
    if said in ("numeric", "number") and there.dtype == object:  # text among numbers, which is an error
        numbers = pd.to_numeric(pd.Series(there), errors="coerce").to_numpy("float64")
        there = numbers if np.isfinite(numbers).any() else there
    if there.dtype.kind in "iufb" and said not in ("class", "label"):
        return ColumnSummary(name, role, said or "numeric", *_of_numbers(there.astype("float64"), missing))
    if there.dtype.kind == "M" or said == "time" or role == "time":
        try:
            return ColumnSummary(name, role, said or "time", *_of_times(name, there, missing))
        except DataError:  # what is no time is said elsewhere
            return ColumnSummary(name, role, said or "time", *_of_words(there, missing))
    if said == "text":
        lengths = np.array([len(str(text).split()) for text in there], "float64")
        shown, _, histogram = _of_numbers(lengths, missing)
        return ColumnSummary(name, role, said, f"{shown} words" if shown else "", missing, histogram)
    return ColumnSummary(name, role, said or "text", *_of_words(there, missing))


def _of_numbers(values: Array, missing: float) -> tuple[str, float, tuple[int, ...]]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "", missing, ()
    low, high = float(finite.min()), float(finite.max())
    apart = (high - low) / BINS > np.spacing(max(abs(low), abs(high)))  # float64 has numbers between them
    counts = np.histogram(finite, BINS)[0] if apart else np.array([len(finite)])
    return f"{low:.4g} … {high:.4g}" if high > low else f"{low:.4g}", missing, tuple(counts.tolist())


def _of_times(name: str, values: Array, missing: float) -> tuple[str, float, tuple[int, ...]]:
    seconds = to_seconds(name, values, forms=(date_form(name, values, ordered=False),))
    first, last = (
        str(np.datetime64(int(end), "s")).removesuffix("T00:00:00").replace("T", " ")
        for end in (seconds.min(), seconds.max())
    )
    return f"{first} … {last}", missing, _of_numbers(seconds, missing)[2]


def _of_words(values: Array, missing: float) -> tuple[str, float, tuple[int, ...]]:
    words, counts = np.unique(values.astype(str), return_counts=True)
    order: Sequence[int] = np.argsort(-counts, kind="stable")[:BINS].tolist()
    shown = ", ".join(str(words[i])[:20] for i in order[:3])
    more = f" and {len(words) - 3:,} more" if len(words) > 3 else ""
    return f"{shown}{more}", missing, tuple(int(counts[i]) for i in order)
