"""Labelled data that a run has not seen: read, and brought into the form in which it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.datasets import Columns
from dlspec.data.even_steps import Policy, policy_of
from dlspec.data.features import Affine
from dlspec.data.preparation import Part, class_shares, date_form, is_missing, to_times, to_words
from dlspec.data.preparation.columns import classes_of, coded, labels_of, numbers_of, to_numbers, to_texts
from dlspec.data.preparation.places import classes_at_places, in_the_middle, texts_as_classes
from dlspec.data.preparation.prepared import Preprocessing, flattened
from dlspec.data.preparation.samples import last_frame
from dlspec.data.preparation.series import windows_of_new_rows
from dlspec.data.preparation.tags import TagCounts, as_classes, at_rows, uneven_in_words, uneven_rows
from dlspec.data.preparation.weights import weights_of
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature, Target
from dlspec.data.sources.arrays import ArrayFiles, ArraysByName
from dlspec.data.sources.base import FileSource
from dlspec.data.sources.folders import FolderFiles
from dlspec.data.sources.formats.dialect import undressed
from dlspec.data.sources.masks import MaskedFiles
from dlspec.data.sources.texts import TextFiles
from dlspec.data.split import Split
from dlspec.data.words import split_at_spaces
from dlspec.evaluation.fitted_quantiles import as_quantiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.runs.folder import Run
from dlspec.runs.odd_values import OddValues
from dlspec.runs.predict import as_it_is_written, check_units, entry_of
from dlspec.runs.row_predictor import RowPredictor, frame_of
from dlspec.runs.tagged_words import vocabulary_of
from dlspec.runs.written_texts import judged_by_model
from dlspec.training.masked import inner_network, masked_part
from dlspec.training.values import predict

Array = np.ndarray
Note = Callable[[str], None]
LACKS_TRUTH, NO_WINDOW = "without the truth", "to which no window leads"
"""Why rows are not judged."""


@dataclass(frozen=True)
class NewData:
    """Samples that a run has not seen, what it predicts for them, and what they are judged with; see `Judged`.

    Args:
        test: the samples whose truth is known. What the network sees of them is not kept.
        columns: as they were read.
        outputs: of the network, in the target's own units, or the probabilities of classes and labels; where the target
            is the input, as the network sees it.
        guesses: of each baseline, likewise.
        rows: of the file, how many there are.
        left_out: why rows are not judged -> how many.
        unknown: labels that the training part does not have -> how often.
        file_rows: the row of the file, from 0 on, that each sample stands in.
        notes: what a reader should know of how they were read.
    """

    signature: Signature
    test: Part
    columns: Columns
    outputs: Array
    guesses: dict[str, Array]
    rows: int
    left_out: Mapping[str, int]
    unknown: Mapping[str, int]
    file_rows: Array
    notes: tuple[str, ...] = ()
    times: Array | None = None
    groups: Array | None = None
    naive_error: Array | None = None
    naive_of_series: Mapping[str, Array] = field(default_factory=dict)
    given_deviations: tuple[float, ...] = ()
    text_rows: Array | None = None

    @property
    def deviations(self) -> Array:
        count = max(1, len(self.signature.target.columns))
        return np.array(self.given_deviations) if self.given_deviations else np.ones(count)


def columns_of(run: Run, file: Path, note: Note) -> Columns:
    """The columns of a file as the data of a run have them.

    Raises:
        DataError: it cannot be read, or lacks a column that the run takes or predicts.
    """
    if not file.exists():
        raise DataError.of("data-not-found", f"there is no file `{file}`")
    source, record = run.source, run.data
    if isinstance(source, MaskedFiles) and record.target.numbered:
        source = source.knowing(record.target.classes)
    shape = record.sample_shape(entry_of(source))
    if record.side_by_side and not isinstance(source, FileSource):
        source = ArraysByName((str(file),), Path())
    in_rows = isinstance(source, TextFiles) and source.table is not None
    if isinstance(source, ArrayFiles | FolderFiles) and not in_rows:
        found = source.labelled(file, shape)
    elif file.suffix == ".npz":  # of a built-in whose samples are arrays
        arrays = ArrayFiles((str(file),), Path()).labelled(file, shape)
        named = {"x": record.features[0].name, "y": record.target.name}
        found = {named.get(name, name): values for name, values in arrays.items()}
    else:
        given = as_it_is_written(run, file, note)
        check_units(run.data, given)
        count = given.count_all()
        words = [feature.name for feature in record.features if feature.raw in ("word", "text")]
        words += [name for name in (record.group, run.spec.data.split.group) if name]
        words += list(_label_columns(run))
        read = list(given.blocks(max(1, count), list(dict.fromkeys(words))))
        if not read or not len(next(iter(read[0].values()))):
            raise DataError.of("no-rows", f"`{given.name}` has a header and no rows")
        found = read[0] if len(read) == 1 else {name: np.concatenate([own[name] for own in read]) for name in read[0]}
    names = () if record.target.kind == "input" else record.target.names or (record.target.name,)
    missing = [name for name in names if name not in found]
    if missing:
        help = "name a file in which the truth is known; `dlspec predict` takes others"
        raise DataError.of("missing-column", f"`{file}` has no column {one_of(missing)}, which is predicted", help=help)
    return found


def _label_columns(run: Run) -> Iterator[str]:
    """The columns of labels that must be read as words, since as numbers they would be others."""
    target = run.data.target
    if target.of_words:
        yield target.name
    elif target.kind == "labels":
        yield from target.names or (target.name,)
    elif target.kind == "class" and not all(_is_plain(label) for label in target.classes):
        yield target.name


def _is_plain(label: str) -> bool:
    try:
        return f"{float(label):g}" == label
    except ValueError:
        return False


def new_data(run: Run, columns: Columns, baselines: Mapping[str, Any], history: Columns | None) -> NewData:
    """What a run predicts for labelled data.

    Args:
        baselines: as they were fitted.
        history: of a series, earlier rows of the same columns, which forecasts may look back to.

    Raises:
        DataError: nothing in them can be judged, or they cannot be read.
    """
    signature = run.data.signature(run.spec)
    group = run.data.group or run.spec.data.split.group
    ungrouped = group is not None and group not in columns
    signature = replace(signature, group=None if ungrouped else group, time=run.spec.data.time_name)
    make = _of_samples if signature.window is None else _of_series
    naive, found = run.data.naive_error, make(run, signature, columns, baselines, history)
    alone = f"The file has no column `{group}`: its rows count as independent, so that intervals may be too narrow."
    return replace(
        found,
        notes=(*found.notes, alone) if ungrouped else found.notes,
        naive_error=None if naive is None else np.atleast_1d(np.array(naive, "float64")),
        naive_of_series={name: np.array(own, "float64") for name, own in run.data.naive_of_series.items()},
        given_deviations=run.data.target.deviations,
        test=_weighed(run.spec.data, found),
    )


def _weighed(section: DataSpec, found: NewData) -> Part:
    """The samples with how much each counts, as it was in training."""
    if section.weight is None:
        return found.test
    if section.weight not in found.columns:
        message = f"the file has no column `{section.weight}`, which says how much each sample counts"
        raise DataError.of("missing-column", message, help=f"add the column `{section.weight}`; 1 counts a sample once")
    return replace(found.test, weights=weights_of(section, found.columns, np.asarray(found.test.rows)))


def _of_samples(
    run: Run, signature: Signature, columns: Columns, baselines: Mapping[str, Any], history: Columns | None
) -> NewData:
    from dlspec.model.build import preprocessing_of

    count = len(next(iter(columns.values())))
    kept, truth, lacking, unknown = _truth(run.spec.data, signature, columns, count)
    left_out = {LACKS_TRUTH: lacking} if lacking else {}
    if not len(kept):
        raise _nothing_to_judge(run, unknown)
    predictor, to_inputs = replace(run.predictor, tolerant=True), preprocessing_of(run.model)
    rows: list[Array] = []
    outputs: list[Array] = []
    truths: list[Array] = []
    guesses: dict[str, list[Array]] = {name: [] for name in baselines}
    place = np.full(count, -1)
    place[kept] = np.arange(len(kept))
    for some in blocks(np.arange(count), _at_a_time(run)):
        index, values = _taken(run, predictor, columns, some)
        judged = place[some[index]] >= 0
        own, values = some[index[judged]], _some_of(values, judged)
        inputs = predict(to_inputs, values)
        flat = flattened(inputs)
        known = flat if truth is None else truth[place[own]]
        raw = values if signature.target.places else inputs
        part = Part(inputs, known, raw, known, own, at_places=bool(signature.target.places))
        if signature.target.written:
            outputs.append(judged_by_model(run.model, values, signature.target, known))
        elif signature.target.places:
            part = replace(part, last=last_frame(signature, values))
            part = masked_part(inner_network(run.model), part)
            known = np.asarray(part.truth)
        rows.append(own)
        truths.append(known)
        if not signature.target.written:
            outputs.append(_in_units(run, predict(run.model, values)))
        for name, fitted in baselines.items():
            guesses[name].append(fitted.guess(part))
    found, known = np.concatenate(rows), np.concatenate(truths)
    if not len(found):
        problems = "; ".join([*predictor.odd.unread.values()][:3])
        raise DataError.of("no-rows", f"no row whose truth is known can be read: {problems}")
    nothing = np.empty((len(found), 0), "float32")
    of_words = signature.target.of_words
    tags = _notes_of_tags(run, columns[signature.features[0].name][found], known) if of_words else ()
    return NewData(
        signature,
        Part(nothing, known, nothing, known, found, at_places=bool(signature.target.places)),
        columns,
        _one_behind_the_other(outputs),
        _joined(guesses, known, signature.target),
        count,
        left_out,
        unknown,
        found,
        (*predictor.seen.notes(), *predictor.odd.notes(count), *tags),
    )


def _nothing_to_judge(run: Run, unknown: Mapping[str, int]) -> DataError:
    if not unknown:
        return DataError.of("no-rows", "no row has the truth, by which the network could be judged")
    shown = one_of([*unknown][:5])
    known = one_of((run.data.target.classes or [name for name, *_ in run.data.target.labels])[:5])
    message = f"the network knows none of the labels: there are {shown}, and in training {known}"
    return DataError.of("unknown-label", message, help="write the labels as in the training data")


def _at_a_time(run: Run) -> int:
    """So many samples that their values take little memory."""
    return max(1, min(4096, 2**24 // max(1, int(np.prod(run.data.input_shape)))))


def _taken(run: Run, predictor: RowPredictor, columns: Columns, rows: Array) -> tuple[Array, Any]:
    """The places of those that can be read among some rows, one behind the other, and what the model takes of them."""

    record = run.data
    first = columns.get(record.raw_columns[0])
    if not record.encoded and first is not None and first.ndim > 1:
        return np.arange(len(rows)), predictor.taken(np.asarray(first[rows])).values
    missing = [name for name in record.raw_columns if name not in columns]
    if missing:
        message = f"the rows have no column {one_of(missing)}"
        raise DataError.of("missing-column", message, help=f"a prediction takes {one_of(record.raw_columns)}")
    frame = frame_of(columns, record.raw_columns, rows)
    taken = predictor.taken(frame, int(rows[0]))
    return np.asarray(taken.index), taken.values


def _some_of(values: Any, which: Array) -> Any:
    """Some of what a model takes."""
    return {name: own[which] for name, own in values.items()} if isinstance(values, dict) else values[which]


def _in_units(run: Run, outputs: Array) -> Array:
    """What the saved model puts out, as it is judged."""
    target = run.data.target
    if target.kind == "class":
        return class_shares(outputs)
    if target.places:
        return outputs.astype("float64")
    if target.kind == "labels":
        return outputs.astype("float64")
    if target.kind == "input":
        return flattened(outputs if run.data.encoded else _scale(run, "scale_inputs")(outputs))
    return outputs.astype("float64") if target.values else outputs[:, 0].astype("float64")


def _one_behind_the_other(outputs: list[Array]) -> Array:
    """What comes of samples, some at a time; texts have as many places as the longest of them."""
    most = max(own.shape[1] for own in outputs) if outputs[0].ndim == 3 and outputs[0].dtype.kind == "i" else 0
    wide = [
        np.pad(own, ((0, 0), (0, most - own.shape[1]), (0, 0)), constant_values=-1) if most else own for own in outputs
    ]
    return np.concatenate(wide)


def _joined(guesses: Mapping[str, list[Array]], truth: Array, target: Target) -> dict[str, Array]:
    """What baselines guess of all samples, where quantiles are predicted as quantiles."""
    return {name: as_quantiles(np.concatenate(each), truth, target.levels) for name, each in guesses.items()}


def _scale(run: Run, name: str) -> Affine:
    """A scale of the saved model."""
    layer = run.model.get_layer(f"{run.model_prefix}{name}" if name == "target_units" else name)
    scale, offset = np.asarray(layer.scale, "float64"), np.asarray(layer.offset, "float64")
    if name == "target_units" and run.data.target.form != "value":
        place = run.data.target.mixture  # in (numbers, values): of a mixture the first mean
        return Affine(scale[:, place], offset[:, place])
    return Affine(scale, offset)


def _truth(
    section: DataSpec, signature: Signature, columns: Columns, count: int
) -> tuple[Array, Array | None, int, dict[str, int]]:
    """The rows of which the truth is known, it, how many lack it, and labels that nobody knows -> how often."""
    target = signature.target
    if target.kind == "input":
        return np.arange(count), None, 0, {}
    if target.of_words:
        return _truth_of_words(section, signature, columns)
    if target.written:
        rows = np.flatnonzero(~is_missing(columns[target.name]))
        texts = numbers_of(section, target.name, columns, holes=True, raw="text")
        return rows, texts_as_classes(target, texts[rows]), count - len(rows), {}
    if target.places and signature.window is None:
        return _truth_at_places(target, columns[target.name])
    there = np.ones(count, bool)
    if target.separator is None:  # no tag is a truth too
        for name in target.names:
            there &= ~is_missing(columns[name])
    rows = np.flatnonzero(there)
    given = {name: columns[name][rows] for name in target.names}
    if target.kind == "class":
        classes = classes_of(section, signature, given, rows)
        places, words = coded(given[target.name][classes < 0])
        unknown = dict(zip(words, np.bincount(places, minlength=len(words)).tolist(), strict=True))
        return rows[classes >= 0], classes[classes >= 0], count - len(rows), unknown
    if target.kind == "labels":
        labels, others = labels_of(section, signature, given, rows)
        known = np.ones(len(rows), bool) if target.separator is not None else ~others.any(axis=1)
        unknown = {"other labels": int((~known).sum())} if not known.all() else {}
        return rows[known], labels[known], count - len(rows), unknown
    numbers = [to_numbers(name, undressed(values), first=rows).astype("float64") for name, values in given.items()]
    truth = numbers[0] if len(numbers) == 1 else np.stack(numbers, axis=1)
    return rows, truth, count - len(rows), {}


def _truth_at_places(target: Target, values: Array) -> tuple[Array, Array, int, dict[str, int]]:
    """As `_truth`; a sample with a class, or without a number, at some place that nobody knows is not judged."""
    rows = np.arange(len(values))
    places = target.places_in_data
    if values.shape[1:] not in (places, (*places, 1)):
        message = f"`{target.name}` has the shape {values.shape[1:]} of a sample, and had {places} in training"
        raise DataError.of("wrong-shape", message)
    if target.kind == "number":
        numbers = np.asarray(values[:], "float64").reshape(len(values), *target.places)
        known = np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1)
        return rows[known], numbers[known], int((~known).sum()), {}
    classes = classes_at_places(target, values)
    classes = in_the_middle(classes, target.places) if target.cut_from else classes
    counted = (classes >= 0).reshape(len(classes), -1)
    known = counted.any(axis=1) if target.numbered else counted.all(axis=1)
    if target.numbered:  # a sample of which no place counts says nothing
        return rows[known], classes[known], int((~known).sum()), {}
    return rows[known], classes[known], 0, {} if known.all() else {"other classes": int((~known).sum())}


def _truth_of_words(
    section: DataSpec, signature: Signature, columns: Columns
) -> tuple[Array, Array, int, dict[str, int]]:
    """As `_truth`; a text with a tag that nobody knows is not judged, nor is one that is missing, which is told as of
    every row that cannot be read."""
    target, text = signature.target, signature.features[0].name
    if text not in columns:
        message = f"the rows have no column `{text}`"
        raise DataError.of("missing-column", message, help=f"a prediction takes `{text}`")
    texts, tags = (to_texts(name, columns[name], holes=True) for name in (text, target.name))
    rows = np.flatnonzero(tags != "")
    kind = section.feature_type(text)
    holes = kind is not None and kind.policy(section.missing_of_samples) not in ("error", "drop")
    there = rows if holes else rows[texts[rows] != ""]
    uneven = at_rows(uneven_rows(texts[there], tags[there]), there)
    if uneven:
        help = "write a tag for each word, with spaces between them: `O` for a word that has none"
        raise DataError.of("tags-differ", uneven_in_words(text, target.name, uneven), help=help)
    found = as_classes(target, tags[rows])
    return rows[found.known], found.classes[found.known], len(tags) - len(rows), dict(found.unknown)


def _notes_of_tags(run: Run, texts: Array, truth: Array) -> Iterator[str]:
    """What is not judged of the words of texts, and what is not known of them."""
    (length,), known = run.data.target.places, vocabulary_of(run.model)
    words = {word.encode() for word in known}
    unknown = sum(word not in words for text in texts for word in split_at_spaces(str(text))[:length])
    return TagCounts.of(run.data.features[0].name, texts, truth, unknown).in_words(length, len(known))


def _of_series(
    run: Run, signature: Signature, columns: Columns, baselines: Mapping[str, Any], history: Columns | None
) -> NewData:
    record, target = run.data, signature.target
    section = run.spec.data.model_copy(update={"split": Split()})
    odd = OddValues()
    given = in_order(run, _with_holes(run, columns, odd))
    count = len(next(iter(given.values())))
    before = 0 if history is None else len(next(iter(history.values())))
    if history is not None:
        given = {name: np.concatenate([values, given[name]]) for name, values in history.items()}
    new = np.arange(before + count) >= before
    scaled = target.kind == "number"
    inverse = _scale(run, "target_units").inverse if scaled else None
    values = [column.name for column in target.columns] or [target.name] if scaled else []
    raw = record.raw_columns
    steps = Preprocessing(
        _scale(run, "scale_inputs"),
        inverse,
        section.predict or "level",
        raw,
        tuple(raw.index(name) for name in values) if {*values} <= {*raw} else (),
        record.timesteps,
        len(record.features),
        dtype=run.model.input.dtype,
    )
    found = windows_of_new_rows(section, signature, given, new, steps, record.usual_step, _policy(section, given))
    part, outputs = masked_part(inner_network(run.model), found.part), []
    guesses: dict[str, list[Array]] = {name: [] for name in baselines}
    for places in blocks(np.arange(len(part)), _at_a_time(run)):
        some = part.at(places)
        outputs.append(_in_units(run, predict(run.model, np.asarray(some.raw))))
        for name, fitted in baselines.items():
            guesses[name].append(fitted.guess(some))
    read = found.rows
    rows = np.asarray(part.rows)
    origin = rows if read.origin is None else read.origin[rows]
    led_to, window = rows, signature.window
    if window is not None and window.each:
        led_to = np.unique(rows[:, None] - np.arange(window.length) * window.every)
    judged = len(np.unique(led_to if read.origin is None else read.origin[led_to])) + sum(found.unknown.values())
    nothing = np.empty((len(part), 0), "float32")
    truth = np.asarray(part.truth)
    left_out = {NO_WINDOW: count - judged} if judged < count else {}
    return NewData(
        signature,
        Part(
            nothing, truth, nothing, truth, rows, None if part.last is None else np.asarray(part.last), part.at_places
        ),
        read.columns,
        np.concatenate(outputs),
        _joined(guesses, truth, target),
        count,
        left_out,
        found.unknown,
        origin - before,
        tuple(odd.notes(count)),
        times=read.times,
        groups=read.groups,
    )


def _with_holes(run: Run, columns: Columns, odd: OddValues) -> Columns:
    """Columns of a series, without the numbers that cannot be read: no window sees them or leads to them."""
    target, found = run.data.target, dict(columns)
    numbers = dict.fromkeys([*run.data.raw_columns, *(target.names if target.kind == "number" else ())])
    missing = [name for name in numbers if name not in columns]
    if missing:
        message = f"the rows have no column {one_of(missing)}"
        raise DataError.of("missing-column", message, help=f"a forecast takes {one_of(numbers)}")
    count = len(next(iter(columns.values())))
    for name in numbers:
        values = undressed(columns[name])
        if values.dtype == object:

            def read(rows: Array, name: str = name, values: Array = values) -> Array:
                return to_numbers(name, values[rows], holes=True, first=rows)

            good = odd.readable(0, count, {name: read})
            values = values.copy()
            values[~good] = None
            values = to_numbers(name, values, holes=True)
        found[name] = values
    return found


def _policy(section: DataSpec, columns: Columns) -> Policy:
    """What is done about holes: what the section says, and where it says nothing, windows end there."""
    policy = policy_of(section)
    if policy.missing != "error":
        return policy
    holes = any(values.ndim == 1 and is_missing(values).any() for values in columns.values())
    return replace(policy, missing="drop", cut=True) if holes or policy.resample is not None else policy


def in_order(run: Run, columns: Columns) -> Columns:
    """The columns with the oldest row first, and times as such.

    A new file may write its dates in another form than the data of the run.
    """
    name, group = run.spec.data.time_name, run.data.group
    if name is None or name not in columns:
        return columns
    groups = None if group is None else to_words(group, columns[group])
    values = columns[name]
    form = date_form(name, values, groups, known=run.data.time_form, repeats=True)
    for turned in (False, True):
        order = slice(None, None, -1) if turned else slice(None)
        own = None if groups is None else groups[order]
        try:
            times = to_times(name, values[order], own, forms=(form,), dated=run.data.dated, repeats=True)
        except DataError as error:
            if error.diagnostics[0].code != "time-not-increasing" or turned:
                raise
            continue
        return {**{key: each[order] for key, each in columns.items()}, name: times}
    raise AssertionError("it is in order, or was refused")
