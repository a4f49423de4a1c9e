"""Rules about the parts of the split: what stands on two sides, classes with too little, and time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlspec.arrays import is_read_later
from dlspec.data_check.base import LOOKED_AT, Looked, rule, warn
from dlspec.diagnostics import Diagnostic
from dlspec.preparation import Part, class_counts

Array = np.ndarray

IMBALANCE = 20
"""The largest class has so many times the samples of the smallest."""
REPEATED = 0.05
"""The share of held-out samples that may stand in the training part as well."""
FEW = 10
"""Fewer samples than this judge nothing."""
FEW_WINDOWS = 30
"""Fewer windows than this teach little."""


@rule
def samples_stand_in_one_part(looked: Looked) -> Iterator[Diagnostic]:
    """A sample that training has seen is no test."""
    data = looked.data
    if data.signature.window is not None or is_read_later(data.train.inputs) or data.signature.target.kind == "input":
        return
    if len(data.train) > LOOKED_AT or data.train.inputs.nbytes > 2**30:
        return
    known: dict[bytes, int] = {}
    for place, print_ in enumerate(_prints(data.train)):
        known.setdefault(print_, place)
    if not _tells_apart(data.train.inputs, len(known)):
        return
    for name, part in (("test", data.test), ("validation", data.validation)):
        again = [(place, known[print_]) for place, print_ in enumerate(_prints(part)) if print_ in known]
        if len(again) >= 2 and len(again) >= REPEATED * len(part):
            own, other = (
                looked.place_of(int(rows[i])) for rows, i in zip((part.rows, data.train.rows), again[0], strict=True)
            )
            yield warn(
                "duplicate-rows",
                f"{len(again)} of {len(part):,} samples of the {name} part stand in the training part too, the first "
                f"in {own}, which is the same as {other}",
                looked.at_key("split"),
                "remove rows that come twice, or keep what belongs together in one part: `split: {group: COLUMN}`",
            )
            return


def _tells_apart(inputs: Array, different: int) -> bool:
    """Whether equal samples are no accident: they are arrays, or one feature nearly tells them apart."""
    return inputs.ndim > 2 or any(len(np.unique(values)) >= 0.8 * different for values in inputs.T)


def _prints(part: Part) -> Iterator[bytes]:
    """What tells samples with their targets apart."""
    inputs = np.ascontiguousarray(np.asarray(part.inputs).reshape(len(part), -1))
    targets = np.ascontiguousarray(np.asarray(part.targets).reshape(len(part), -1))
    return (a.tobytes() + b.tobytes() for a, b in zip(inputs, targets, strict=True))


@rule
def classes_have_samples(looked: Looked) -> Iterator[Diagnostic]:
    """Every class needs samples to learn it from, and samples to test it on."""
    data, target = looked.data, looked.data.signature.target
    if target.kind != "class":
        return
    parts = {name: class_counts(getattr(data, name), len(target.classes)) for name in ("train", "validation", "test")}
    together = sum(parts.values()) + _hidden(looked, len(target.classes))
    span = looked.at_key("target")
    cure = "add samples, leave the class out, or put it together with another"
    for place, label in enumerate(target.classes):
        if together[place] == 1:
            rows = looked.columns[target.name].astype(str) == label if target.name in looked.columns else np.zeros(0)
            where = f", {looked.row(int(np.argmax(rows)))}" if rows.any() else ""
            message = f"the class `{label}` has one sample{where}, which cannot be both learned and tested"
            yield warn("rare-class", message, span, cure)
        elif parts["train"][place] == 0:
            yield warn("rare-class", f"the class `{label}` has no sample in the training part", span, cure)
        elif parts["test"][place] == 0 and not looked.spec.data.limit:
            yield warn("rare-class", f"the class `{label}` has no sample in the test part", span, cure)
    train = parts["train"]
    least, most = int(np.where(train > 0, train, train.max() + 1).argmin()), int(train.argmax())
    if train[most] > IMBALANCE * train[least] and looked.spec.train.class_weight is None:
        yield warn(
            "uneven-classes",
            f"the class `{target.classes[most]}` has {train[most]:,} training samples, and "
            f"`{target.classes[least]}` has {train[least]:,}",
            span,
            "write `class_weight: balanced` under `train`, and look at more than the accuracy",
        )


def _hidden(looked: Looked, classes: int) -> Array:
    """How many samples of each class `labels` hides, at least one where it does."""
    return np.full(classes, int(looked.spec.data.labels is not None))


@rule
def time_has_no_gaps(looked: Looked) -> Iterator[Diagnostic]:
    """What happened in a gap is unknown, and no window may cross it."""
    data = looked.data
    if data.gaps is None or data.times is None:
        return
    times = data.times
    order = np.arange(len(times)) if data.groups is None else np.argsort(data.groups, kind="stable")
    steps = np.diff(times[order].astype("int64") if times.dtype.kind == "M" else times[order].astype(float))
    if data.groups is not None:
        steps = np.where(data.groups[order][1:] == data.groups[order][:-1], steps, 0)
    place = int(steps.argmax())
    first, second = (f"{_show(times[row])} (row {row + 1})" for row in (order[place], order[place + 1]))
    many = f"{data.gaps.number} gaps" if data.gaps.number > 1 else "a gap"
    yield warn(
        "gap-in-time",
        f"time has {many}, the largest from {first} to {second}; {data.gaps.windows} windows would cross one and are "
        "left out",
        looked.at_key("window"),
        "fill the gap in the file, or write `gap: none` in `window` where it does not matter",
    )


def _show(value: object) -> str:
    return str(value).removesuffix(".000000").removesuffix(":00").removesuffix("T00:00").replace("T", " ")


@rule
def parts_are_large_enough(looked: Looked) -> Iterator[Diagnostic]:
    """Too few samples teach nothing, or judge nothing."""
    data = looked.data
    series = data.signature.window is not None
    what = "windows" if series else "samples"
    cure = "write a smaller `length`, or add data" if series else "add data, or write a larger share under `split`"
    span = looked.at_key("window" if series else "split")
    if len(data.test) < FEW:
        message = f"the test part has {len(data.test)} {what}, which judge nothing"
        yield warn("few-windows" if series else "few-samples", message, span, cure)
    if series and len(data.train) < FEW_WINDOWS:
        yield warn("few-windows", f"the training part has {len(data.train)} windows, which teach little", span, cure)
