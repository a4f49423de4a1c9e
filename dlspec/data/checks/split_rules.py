"""Rules about the parts of the split: what stands on two sides, classes with too little, and time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dlspec.data.arrays import Chosen, Samples, blocks, is_read_later, some_of
from dlspec.data.checks.base import LOOKED_AT, Looked, rule, warn
from dlspec.data.checks.language_rules import MANY_UNKNOWN
from dlspec.data.features.shifted import END, UNKNOWN_CLASS
from dlspec.data.preparation import Part, Prepared, print_of
from dlspec.data.preparation.problems import ValueProblem, is_missing
from dlspec.data.preparation.times import DATE_FORMS, compact, date_form
from dlspec.data.sample_size import judges_little, worth_of
from dlspec.data.sources.folders import FileSamples
from dlspec.data.split import drawn_among_dates
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of

Array = np.ndarray

IMBALANCE = 20
"""The largest class has so many times the samples of the smallest."""
REPEATED = 0.05
"""The share of held-out samples that may stand in the training part as well."""
COMPARED_VALUES = 2**28
"""Values of samples in memory that are compared at most; of samples that are read when needed, an eighth of them."""
COMPARED_AND_READ = 20_000
"""Samples of a part that are compared at most, where they have to be read for it."""
LONG = 4
"""With so many words in the mean texts are sentences."""
SHOWN = 5
"""Labels that are named."""
FEW = 10
"""Fewer samples than this judge nothing."""
FEW_WINDOWS = 30
"""Fewer windows than this teach little."""


@rule
def labels_are_known(looked: Looked) -> Iterator[Diagnostic]:
    """What the training part does not have cannot be predicted, and a figure without it is better than it would be."""
    unknown, target = looked.data.unknown_labels, looked.data.signature.target
    if not unknown:
        return
    count, names = sum(unknown.values()), one_of(sorted(unknown, key=lambda word: (-unknown[word], word))[:SHOWN])
    what = "tag" if target.separator or target.of_words else "label"
    if len(unknown) > SHOWN:
        names += f" and {len(unknown) - SHOWN:,} more"
    rows, have = ("row", "has") if count == 1 else ("rows", "have")
    then = "which is not counted" if target.separator else "and is left out" if count == 1 else "and are left out"
    yield warn(
        "unknown-label",
        f"{count:,} {rows} of the validation and the test part {have} a {what} of `{target.name}` that the training "
        f"part does not have, {then}: {names}",
        looked.at_key("split"),
        f"check how it is written, or split so that the training part has every {what}",
    )


@rule
def samples_stand_in_one_part(looked: Looked) -> Iterator[Diagnostic]:
    """A sample that training has seen is no test."""
    data = looked.data
    if data.signature.window is not None or data.signature.target.kind == "input":
        return
    compared = {name: _compared(data, getattr(data, name)) for name in ("train", "test", "validation")}
    train = _places(compared["train"])
    known: dict[bytes, int] = {}
    answered: set[tuple[bytes, bytes]] = set()
    for place, print_, answer in zip(train, _prints(compared["train"], train), data.train.truth[train], strict=True):
        known.setdefault(print_, int(place))
        answered.add((print_, answer.tobytes()))
    by_file = compared["train"] is not data.train.inputs
    if not by_file and not _tells_apart(data.train.inputs, train, len(answered)):
        return
    seen = len(train) / len(data.train)  # of what stands twice, about so much is found
    for name, part in (("test", data.test), ("validation", data.validation)):
        places = _places(compared[name])
        again = [
            (int(place), known[print_])
            for place, print_ in zip(places, _prints(compared[name], places), strict=True)
            if print_ in known
        ]
        if len(again) < 2 or len(again) < REPEATED * seen * len(places):
            continue
        own, other = (
            looked.place_of(int(rows[i])) for rows, i in zip((part.rows, data.train.rows), again[0], strict=True)
        )
        held_out, trained = np.array(again).T
        differ = _differing(part.truth[held_out], data.train.truth[trained])
        said = f"; {differ} of them have another `{data.signature.target.name}` there" if differ else ""
        some = "" if seen == 1 and len(places) == len(part) else ", of those that were looked at,"
        yield warn(
            "duplicate-rows",
            f"{len(again):,} of {len(places):,} samples of the {name} part{some} stand in the training part too; the "
            f"first, {own}, is the same as {other}{said}",
            looked.at_key("split"),
            "remove rows that come twice, or keep what belongs together in one part: `split: {group: COLUMN}`",
        )
        return


def _compared(data: Prepared, part: Part) -> Samples:
    """What the network sees of each sample, or its file, where it would have to be decoded; of texts whose words have
    tags, the whole text, of which the network tells rare words not apart."""
    own = data.columns.get(data.signature.features[0].name)
    if own is not None and data.signature.target.of_words and _are_sentences(part):
        return pd.util.hash_array(own[np.asarray(part.rows)].astype(object), categorize=False)[:, None]
    if isinstance(own, FileSamples) and is_read_later(part.inputs):
        return Chosen(own.contents(), part.rows)
    return part.inputs


def _are_sentences(part: Part) -> bool:
    """Whether texts are so long that equal ones are no accident."""
    words = (np.asarray(part.truth) >= 0).sum()
    return bool(words >= LONG * len(part))


def _places(samples: Samples) -> Array:
    """Those of the samples that are compared, spread evenly over them."""
    later = is_read_later(samples)
    places = some_of(samples, COMPARED_VALUES // (8 if later else 1))
    most = COMPARED_AND_READ if later else LOOKED_AT
    return places if len(places) <= most else np.linspace(0, len(samples) - 1, most).astype(int)


def _prints(samples: Samples, places: Array) -> Iterator[bytes]:
    """What tells samples apart."""
    return (print_of(sample) for block in blocks(Chosen(samples, places)) for sample in block)


def _differing(one: Array, other: Array) -> int:
    """How many of the answers, (samples, ...), are not the same."""
    return int((one != other).reshape(len(one), -1).any(axis=1).sum())


def _tells_apart(samples: Samples, places: Array, different: int) -> bool:
    """Whether equal samples are no accident: they are arrays, or one feature nearly tells them apart.

    Args:
        places: of the training samples that are compared.
        different: how many of them, with their targets, differ.
    """
    if len(samples.shape) > 2:
        return True
    seen = samples if len(places) == len(samples) else samples[places]
    return any(len(np.unique(values)) >= 0.8 * different for values in np.asarray(seen).T)


@rule
def items_are_told_apart(looked: Looked) -> Iterator[Diagnostic]:
    """A text with an item that the network does not tell apart can only be written wrongly."""
    data, target = looked.data, looked.data.signature.target
    if not target.written or not len(data.test):
        return
    truth = np.asarray(data.test.truth)
    unknown, count = int((truth == UNKNOWN_CLASS).sum()), int((truth >= 0).sum())
    if unknown > MANY_UNKNOWN * count:
        texts, known = int((truth == UNKNOWN_CLASS).any(axis=1).sum()), len(target.items)
        done = "read" if target.aligned else "written"
        message = (
            f"{texts:,} of {len(truth):,} texts of the test part have items that are none of the {known:,} "
            f"{target.written.unit} that are told apart, and can only be {done} wrongly"
        )
        help = "write a larger `words` beside `sequence`, or train on more texts"
        if target.aligned:
            help = "train on more texts, so that each item stands in some of them"
        yield warn("unknown-tokens", message, looked.at_key("target"), help)


@rule
def texts_have_items(looked: Looked) -> Iterator[Diagnostic]:
    """An empty cell is a text without an item, which is learned as any other."""
    data, target = looked.data, looked.data.signature.target
    if not target.written:
        return
    truths = [np.asarray(part.truth) for part in (data.train, data.validation, data.test) if len(part)]
    empty, count = sum(int((truth[:, 0] == END).sum()) for truth in truths), sum(map(len, truths))
    if empty:
        message = f"`{target.name}` is empty in {empty:,} of {count:,} rows, which count as texts without an item"
        help = "leave these rows out, unless there is nothing to be " + ("read" if target.aligned else "written")
        yield warn("empty-texts", message, looked.at_key("target"), help)


@rule
def labels_are_there_and_not(looked: Looked) -> Iterator[Diagnostic]:
    """What every sample has, or none, cannot be learned; and what the test part lacks cannot be judged."""
    data, target = looked.data, looked.data.signature.target
    if target.kind != "labels":
        return
    count = len(target.labels)
    told: set[int] = set()
    for name, part in (("training", data.train), ("test", data.test)):
        counts = part.class_counts(count)
        for says, places in (("no", counts == 0), ("every", counts == len(part))):
            fitting = [int(i) for i in np.flatnonzero(places) if i not in told]
            if not fitting:
                continue
            told |= {*fitting}
            which = one_of([target.labels[i].name for i in fitting[:5]])
            more = f" and {len(fitting) - 5} more" if len(fitting) > 5 else ""
            are = "labels" if len(fitting) > 1 else "label"
            message = (
                f"the {are} {which}{more} {'are' if len(fitting) > 1 else 'is'} in {says} sample of the {name} part"
            )
            yield warn("rare-class", message, looked.at_key("target"), "add samples, or leave them out")


@rule
def classes_have_samples(looked: Looked) -> Iterator[Diagnostic]:
    """Every class needs samples to learn it from, and samples to test it on."""
    data, target = looked.data, looked.data.signature.target
    if target.kind != "class" or target.written:
        return
    parts = {name: getattr(data, name).class_counts(len(target.classes)) for name in ("train", "validation", "test")}
    together = sum(parts.values()) + _hidden(looked, len(target.classes))
    span = looked.at_key("target")
    cure = "add samples, leave the class out, or put it together with another"
    what = "word" if target.of_words else "place" if target.places else "sample"
    sort = "tag" if target.of_words else "class"
    for place, label in enumerate(target.classes):
        if together[place] == 1:
            known = target.name in looked.columns and not target.places
            rows = looked.columns[target.name].astype(str) == label if known else np.zeros(0)
            where = f", {looked.row(int(np.argmax(rows)))}" if rows.any() else ""
            message = f"the {sort} `{label}` has one {what}{where}, which cannot be both learned and tested"
            yield warn("rare-class", message, span, cure)
        elif parts["train"][place] == 0:
            yield warn("rare-class", f"the {sort} `{label}` has no {what} in the training part", span, cure)
        elif parts["test"][place] == 0 and not looked.section.limit:
            yield warn("rare-class", f"the {sort} `{label}` has no {what} in the test part", span, cure)
    if target.of_words:  # most words have no tag but `O`, and figures of spans tell what that hides
        return
    train = parts["train"]
    least, most = int(np.where(train > 0, train, train.max() + 1).argmin()), int(train.argmax())
    where = "at the output" if looked.data.signature.others else "under `train`"
    if train[most] > IMBALANCE * train[least] and not looked.weighted:
        yield warn(
            "uneven-classes",
            f"the class `{target.classes[most]}` has {train[most]:,} training {what}s, and "
            f"`{target.classes[least]}` has {train[least]:,}",
            span,
            f"write `class_weight: balanced` {where}, and look at more than the accuracy",
        )


def _hidden(looked: Looked, classes: int) -> Array:
    """How many samples of each class `labels` hides, at least one where it does."""
    return np.full(classes, int(looked.section.labels is not None))


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
    first, second = (f"{_show(times[row])} ({looked.place_of(int(row))})" for row in (order[place], order[place + 1]))
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
def dates_are_not_split_at_random(looked: Looked) -> Iterator[Diagnostic]:
    """As `validate` says of dates that it knows at once (ISO 8601); here of those that only their values tell."""
    split, signature = looked.section.split, looked.data.signature
    drawn = split.by in ("random", "stratified") and split.group is None and not signature.test_rows
    if signature.window is not None or not drawn or looked.section.is_written("split", "by"):
        return
    for name, values in looked.columns.items():
        if name not in signature.target.names and _are_dates(name, values):
            message, help = drawn_among_dates(name, split.by)
            yield warn("dates-at-random", message, looked.at_key("split"), help)
            return


def _are_dates(name: str, values: Array) -> bool:
    """Whether all values are dates in another form than that of ISO 8601."""
    if values.ndim != 1 or not len(values) or values.dtype.kind not in "Oiuf":
        return False
    there = values[~is_missing(values)]
    if values.dtype.kind != "O":
        return compact(there)
    try:
        return len(there) > 0 and date_form(name, there, ordered=False) != DATE_FORMS[0]
    except ValueProblem:  # a value is no date
        return False
    except DataError:  # all are, and which number is the day is not clear
        return True


@rule
def parts_are_large_enough(looked: Looked) -> Iterator[Diagnostic]:
    """Too few samples teach nothing, or judge nothing."""
    data = looked.data
    series = data.signature.window is not None
    what = "windows" if series else "samples"
    cure = "write a smaller `length`, or add data" if series else "add data, or write a larger share under `split`"
    span = looked.at_key("window" if series else "split")
    tests = looked.section.split.times_trained
    if not len(data.test):
        message = f"the test part has no {what}, and the result is measured on it"
        yield Diagnostic("few-windows" if series else "few-samples", message, span, help=cure)
    elif len(data.test) < FEW:
        message = f"the test part has {len(data.test)} {what}, which judge nothing"
        yield warn("few-windows" if series else "few-samples", message, span, cure)
    elif judges_little(data, len(data.test) * tests):
        of = "the test part has" if tests == 1 else f"the {tests} test parts have about"
        message = f"{of} {len(data.test) * tests} {what}{worth_of(data, len(data.test) * tests)}"
        larger = "add data, or write a larger share for `test` under `split`"
        yield warn("small-test", message, looked.at_key("split"), larger)
    if series and len(data.train) < FEW_WINDOWS:
        yield warn("few-windows", f"the training part has {len(data.train)} windows, which teach little", span, cure)
    few = len(data.validation)
    if few and judges_little(data, few):
        message = f"the validation part has {few} {what}{worth_of(data, few)}{looked.chosen_by}"
        larger = "add data, or write a larger share for `validation` under `split`"
        yield warn("small-validation", message, looked.at_key("split"), larger)
