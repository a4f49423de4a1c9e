"""Rules about single columns: what says nothing, says too much, or lies far out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlspec.data.checks.base import Looked, rule, warn
from dlspec.data.features import Feature
from dlspec.data.features.base import Missing
from dlspec.data.preparation import READERS, rounded_columns
from dlspec.data.signature import Signature
from dlspec.language.diagnostics import Diagnostic, Severity

Array = np.ndarray

FAR_OUT = 50
"""So many distances between the quartiles from the nearer one."""
EQUAL = 0.9999
"""A correlation from which on a column is taken for a copy of the target."""
TOLD_APART = 1000
"""So many numbers float64 must have between the smallest and the largest of a column."""
COMES_AGAIN = 5
"""So often every value of a column must stand in it for the class that all its rows have to be no accident."""


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
        elif len(own) > 1 and (there == there[0]).all():
            if len(there) < len(own) and _shows_holes(kind, looked.section.missing_of_samples):
                continue
            value = f"{there[0]:g}" if there.dtype.kind == "f" else there[0]
            which = "" if len(there) == len(own) else " that has a value"
            yield warn(
                "constant-column",
                f"`{name}` is {value} in every row of the training part{which}",
                looked.place(name),
                f"leave `{name}` out of `features`",
            )


@rule
def targets_vary(looked: Looked) -> Iterator[Diagnostic]:
    """A number that is the same in the whole training part is predicted by saying it."""
    seen = {name for name, _, _ in looked.features}
    for name, kind in _targets(looked.data.signature).items():
        if kind != "number" or name in seen or name not in looked.columns or looked.columns[name].ndim > 1:
            continue
        own = READERS["number"](name, looked.columns[name], holes=True)[looked.trained]
        there = own[~_missing(own)]
        if len(there) > 1 and (there == there[0]).all():
            yield warn(
                "constant-column",
                f"`{name}` is {there[0]:g} in every row of the training part, so that there is nothing to predict",
                looked.at_key("target"),
                "predict another column",
            )


@rule
def features_are_not_the_target(looked: Looked) -> Iterator[Diagnostic]:
    """A feature from which the target can be read off makes any result worthless."""
    signature = looked.data.signature
    if signature.window is not None or signature.target.of_words:  # which is read off a text
        return
    told: set[str] = set()
    for target, kind in _targets(signature).items():
        if target not in looked.columns or looked.columns[target].ndim > 1:
            continue
        truth = READERS["number" if kind == "number" else "word"](target, looked.columns[target], holes=True)
        for name, of_feature, values in looked.features:
            if signature.target.written and of_feature is not None and of_feature.raw == "text":
                continue  # the text of which another is written, or what was written so far
            there = ~_missing(values) & ~_missing(truth)
            if there.sum() < 10 or name in told:
                continue
            says = _says_number if kind == "number" else _says_class
            how = says(values[there], truth[there])
            if how is not None:
                told.add(name)
                yield warn(
                    "target-leak",
                    f"`{name}` says what `{target}` is: {how}, so that the result means nothing",
                    looked.place(name),
                    f"leave `{name}` out of `features`, unless it is known before `{target}` is",
                )


@rule
def numbers_are_not_far_out(looked: Looked) -> Iterator[Diagnostic]:
    """A single number far from all others decides the scale, and presses the rest together."""
    scale = looked.section.scale
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


@rule
def numbers_survive_float64(looked: Looked) -> Iterator[Diagnostic]:
    """Long numbers that differ at their end, such as ids, of which float64 makes the same ones."""
    for name, kind, values in looked.features:
        there = values[np.isfinite(values)] if values.dtype.kind == "f" else values[:0]
        if not len(there) or (kind is not None and kind.raw != "number"):
            continue
        largest, spread = float(np.abs(there).max()), float(np.ptp(there))
        step = float(np.spacing(largest))
        if 0 < spread < TOLD_APART * step:
            yield warn(
                "rounded-number",
                f"`{name}` spreads over {spread:.3g} near {largest:.3g}, where float64 tells no numbers apart that are "
                f"nearer than {step:.3g}: different ones became the same",
                looked.place(name),
                f"leave `{name}` out of `features`, or subtract a constant from it in the file",
            )


@rule
def numbers_survive_float32(looked: Looked) -> Iterator[Diagnostic]:
    """`model.predict` of Keras makes float32 of arrays; a large number with a small scale loses there what tells."""
    for name, share in rounded_columns(looked.data, looked.columns).items():
        yield warn(
            "rounded-to-float32",
            f"`{name}` is large beside its scale: float32, which Keras's `model.predict` makes of arrays, changes it "
            f"by {share:.1g} of the scale",
            looked.place(name),
            f"predict with `dlspec predict`, or as `model.txt` in the run folder shows; or subtract a constant from "
            f"`{name}`",
        )


def _missing(values: Array) -> Array:
    return np.asarray(np.isnan(values) if values.dtype.kind == "f" else values == "")


def _shows_holes(kind: Feature | None, of_data: Missing) -> bool:
    """Whether the network can tell a missing value from one that is there."""
    filled = kind is not None and kind.raw == "number" and kind.policy(of_data) in ("mean", "median")
    return not filled or getattr(kind, "indicator", False)


def _targets(signature: Signature) -> dict[str, str]:
    """Every column that is predicted, and as what."""
    targets = [signature.target, *signature.targets.values()]
    return {name: target.kind for target in targets if target.kind != "input" for name in target.names}


EACH_FROM_THE_OTHER = "each follows from the other"


def _says_class(values: Array, labels: Array) -> str | None:
    """How the class follows from a value; None: it does not, or by accident."""
    import pandas as pd

    codes, found = pd.factorize(values)
    classes, kinds = pd.factorize(labels)
    if min(len(found), len(kinds)) < 2 or len(found) < len(kinds):
        return None
    if len(found) > len(kinds) and np.bincount(codes).min() < COMES_AGAIN:
        return None
    if len(np.unique(codes * len(kinds) + classes)) > len(found):
        return None
    return EACH_FROM_THE_OTHER if len(found) == len(kinds) else "each of its values stands beside one class alone"


def _says_number(values: Array, truth: Array) -> str | None:
    """How the number follows from a value; None: it does not."""
    if values.dtype.kind != "f" or not values.std() or not truth.std():
        return None
    return EACH_FROM_THE_OTHER if abs(np.corrcoef(values, truth)[0, 1]) > EQUAL else None
