"""What is different about other data than those that a run was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.preparation import date_form, is_missing
from dlspec.data.sources.formats.dialect import undressed
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.distributions import chi_squared, kolmogorov_smirnov, measured
from dlspec.runs.new_data import LACKS_TRUTH, NewData
from dlspec.runs.records.data import DataRecord, FeatureRecord
from dlspec.runtime.records import Record

Array = np.ndarray

LEVEL = 0.01
"""The probability of finding a difference in any of the columns where there is none."""
LEAST = 0.1
"""A smaller distance is not worth saying, however sure it is."""


class Difference(Record):
    """How a column differs from the training part.

    Args:
        column: a feature, or what is predicted: a number, or a class.
        measure: what is compared of it: its values, the words of a text, the mean of an array, the truth.
        apart: how far the distributions are from each other, from 0 to 1: the distance of Kolmogorov and Smirnov of
            numbers, of words half the sum of the differences of their shares.
        chance: the probability of a distance as large where both are alike, times the columns that are left to compare
            (Holm, 1979); None: it is not known, since samples depend on each other, or nothing was kept.
        outside: values below the smallest or above the largest one of the training data.
        unknown: words that the network does not know.
        missing: values that are not there.
        count: values.
        sentence: what is worth saying of it; empty: nothing.
    """

    column: str
    measure: str
    apart: float | None
    chance: float | None
    outside: int
    unknown: int
    missing: int
    count: int
    sentence: str = ""

    @property
    def drifted(self) -> bool:
        """Whether the distance is large, and hardly chance."""
        return self.apart is not None and self.apart >= LEAST and (self.chance is None or self.chance < LEVEL)


def differences(record: DataRecord, columns: Columns, data: NewData) -> tuple[Difference, ...]:
    """Of each column, what is different.

    Numbers are compared by the test of Kolmogorov and Smirnov, words by Pearson's chi-squared test, all of them
    together at the level 0.01 (Holm, 1979). Where rows follow each other in time, or belong to groups, no test holds.
    """
    alone = record.window is None and data.signature.group is None
    features = [] if record.target.tokens else record.features  # of texts the tokens are compared
    fed = record.target.name if record.target.written else None  # which is compared by its items
    named = [feature for feature in features if feature.name in columns and feature.name != fed]
    found = [_of_feature(feature, columns[feature.name], alone) for feature in named]
    if record.target.kind == "number":
        found += _of_numbers(record, data, alone)
    if record.target.kind == "class" and record.class_counts:
        found.append(_of_classes(record, data, alone))
    return tuple(_said(each) for each in _holm(found))


def _of_feature(feature: FeatureRecord, values: Any, alone: bool) -> Difference:
    raw, name = feature.raw, feature.name
    holes = 0 if values.ndim > 1 else int(is_missing(values).sum())
    own = _measured(feature, values)
    measure = {"text": "words of a text", "time": "time"}.get(raw, "value" if values.ndim == 1 else "mean of an array")
    apart = chance = None
    if feature.trained and len(own):
        if feature.shares is not None:
            apart, chance = chi_squared(feature.shares, feature.trained, own)
        elif feature.quantiles:
            apart, chance = kolmogorov_smirnov(feature.quantiles, feature.trained, own)
    outside = unknown = 0
    if raw == "number" and values.ndim == 1 and feature.min is not None and feature.max is not None:
        outside = int(((own < feature.min) | (own > feature.max)).sum())
    if raw == "word" and feature.known is not None:
        unknown = int((~np.isin(own.astype(str), list(feature.known))).sum())
    return Difference(
        column=name,
        measure=measure,
        apart=apart,
        chance=chance if alone else None,
        outside=outside,
        unknown=unknown,
        missing=holes,
        count=len(own),
    )


def _measured(feature: FeatureRecord, values: Any) -> Array:
    """What is compared of a column; numbers that cannot be read, which are counted elsewhere, are left out, and so are
    times where some cannot."""
    import pandas as pd

    raw, name, form = feature.raw, feature.name, feature.form
    if raw == "number" and values.ndim == 1 and values.dtype == object:
        values = pd.to_numeric(pd.Series(undressed(values)), errors="coerce").to_numpy("float64")
    try:
        if raw == "time":
            form = date_form(name, values, ordered=False, known=form)
        return measured(raw, name, values, form)
    except DataError:
        return np.empty(0)


def _of_numbers(record: DataRecord, data: NewData, alone: bool) -> Iterator[Difference]:
    """The numbers that are predicted."""
    truth = np.asarray(data.test.truth)
    names, columns = record.target.values or (record.target.name,), truth.reshape(len(truth), -1).T
    if record.target.places:  # which are not independent of each other
        columns, alone = truth[~np.isnan(truth)][None], False
    seen = {feature.name for feature in record.features}  # of which the last values are compared already
    for name, known, own in zip(names, record.target.quantiles, columns, strict=False):  # older runs have none
        if name in seen:
            continue
        apart, chance = kolmogorov_smirnov(known, record.parts.train, own)
        yield Difference(
            column=name,
            measure="truth",
            apart=apart,
            chance=chance if alone else None,
            outside=int(((own < known[0]) | (own > known[-1])).sum()),
            unknown=0,
            missing=data.left_out.get(LACKS_TRUTH, 0),
            count=len(own),
        )


def _of_classes(record: DataRecord, data: NewData, alone: bool) -> Difference:
    """The shares of the classes."""
    assert record.class_counts is not None, "classes are counted"
    before = {label: parts.train for label, parts in record.class_counts.items()}
    total = sum(before.values())
    truth = np.asarray(data.test.truth)
    labels = np.array(record.target.classes)[truth[truth >= 0]]
    alone = alone and not record.target.places  # places of a sample are not independent
    apart, chance = chi_squared({label: count / total for label, count in before.items()}, total, labels)
    return Difference(
        column=record.target.name,
        measure="token" if record.target.tokens else "item" if record.target.written else "class",
        apart=apart,
        chance=chance if alone else None,
        outside=0,
        unknown=int((truth == 0).sum())
        if record.target.tokens or record.target.written
        else sum(data.unknown.values()),
        missing=data.left_out.get(LACKS_TRUTH, 0),
        count=len(labels),
    )


def _holm(found: list[Difference]) -> Iterator[Difference]:
    """With each probability times the number of those that are not smaller, none below those before it."""
    order = sorted((i for i, each in enumerate(found) if each.chance is not None), key=lambda i: found[i].chance or 0.0)
    adjusted: dict[int, float] = {}
    largest = 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (found[i].chance or 0.0) * (len(order) - place)))
        adjusted[i] = largest
    for i, each in enumerate(found):
        yield each.model_copy(update={"chance": adjusted[i]}) if i in adjusted else each


def _said(found: Difference) -> Difference:
    said = []
    if found.drifted and found.apart is not None:
        said.append(f"lies otherwise than in training: {found.apart:.0%} apart")
    if found.outside:
        said.append(f"{found.outside:,} of {found.count:,} outside the range of training")
    if found.unknown:
        said.append(
            f"{found.unknown:,} of {found.count + (found.unknown if found.measure == 'class' else 0):,} unknown"
        )
    if found.missing:
        said.append(f"{found.missing:,} missing")
    return found.model_copy(update={"sentence": "; ".join(said)})
