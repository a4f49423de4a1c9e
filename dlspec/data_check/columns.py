"""Rules about single columns: what says nothing, says too much, or lies far out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlspec.data_check.base import Looked, rule, warn
from dlspec.diagnostics import Diagnostic, Severity

Array = np.ndarray

FAR_OUT = 50
"""So many distances between the quartiles from the nearer one."""
EQUAL = 0.9999
"""A correlation from which on a column is taken for a copy of the target."""


@rule
def columns_say_something(looked: Looked) -> Iterator[Diagnostic]:
    """A feature with one value in the training part tells nothing; nor does one that is mostly missing."""
    for name, kind, values in looked.features:
        own = values[looked.trained]
        there = own[~_missing(own)]
        if len(own) and not len(there):
            yield Diagnostic(
                "mostly-missing",
                f"`{name}` has no value in the training part",
                looked.place(name),
                Severity.ERROR,
                f"leave `{name}` out of `features`",
            )
        elif len(there) < len(own) / 2:
            share = 1 - len(there) / len(own)
            yield warn(
                "mostly-missing",
                f"`{name}` lacks {share:.0%} of its values in the training part",
                looked.place(name),
                f"leave `{name}` out of `features`, or add `indicator: true` to its type",
            )
        elif len(own) > 1 and (there == there[0]).all() and not getattr(kind, "indicator", False):
            yield warn(
                "constant-column",
                f"`{name}` is {there[0]} in every row of the training part",
                looked.place(name),
                f"leave `{name}` out of `features`",
            )


@rule
def features_are_not_the_target(looked: Looked) -> Iterator[Diagnostic]:
    """A feature from which the target can be read off makes any result worthless."""
    signature = looked.data.signature
    if signature.window is not None:
        return
    for target in (name for name in signature.target.names if name in looked.columns):
        truth = looked.columns[target]
        for name, _, values in looked.features:
            there = ~_missing(values)
            if there.sum() < 10:
                continue
            if signature.target.kind == "class":
                same = _one_to_one(values[there], truth[there].astype(str))
            else:
                same = values.dtype.kind == "f" and _is_linear(values[there], truth[there])
            if same:
                yield warn(
                    "target-leak",
                    f"`{name}` says what `{target}` is: each follows from the other, so that the result means nothing",
                    looked.place(name),
                    f"leave `{name}` out of `features`, unless it is known before `{target}` is",
                )


@rule
def numbers_are_not_far_out(looked: Looked) -> Iterator[Diagnostic]:
    """A single number far from all others decides the scale, and presses the rest together."""
    scale = looked.spec.data.scale
    for name, kind, values in looked.features:
        own_scale = getattr(kind, "scale", None) or scale
        if values.dtype.kind != "f" or own_scale not in ("standard", "min_max"):
            continue
        if kind is not None and kind.raw != "number":
            continue
        there = np.flatnonzero(~np.isnan(values))
        low, high = np.quantile(values[there], [0.25, 0.75]) if len(there) > 20 else (0.0, 0.0)
        distance = np.maximum(low - values[there], values[there] - high)
        if high > low and distance.max() > FAR_OUT * (high - low):
            place = int(there[distance.argmax()])
            yield warn(
                "outlying-number",
                f"`{name}` is {values[place]:g} in {looked.row(place)}, and half of all values lie between {low:g} and "
                f"{high:g}",
                looked.place(name),
                "mend the value, or write `scale: robust`",
            )


def _missing(values: Array) -> Array:
    return np.asarray(np.isnan(values) if values.dtype.kind == "f" else values == "")


def _one_to_one(values: Array, labels: Array) -> bool:
    """Whether each value has one label, and each label one value."""
    words = values.astype(str)
    found = len(np.unique(words))
    if found != len(np.unique(labels)) or found < 2:
        return False
    return len({*zip(words.tolist(), labels.tolist(), strict=True)}) == found


def _is_linear(values: Array, truth: Array) -> bool:
    if truth.dtype.kind != "f" or not np.isfinite(truth).all() or not values.std() or not truth.std():
        return False
    return bool(abs(np.corrcoef(values, truth)[0, 1]) > EQUAL)
