"""A run judged by labelled data that it has not seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.preparation import Prepared, print_of, to_seconds, to_words
from dlspec.data.preparation.columns import coded, to_numbers
from dlspec.data.sources.formats.dialect import undressed
from dlspec.evaluation.evaluate import coverage_in_words, cuts_of, likelihood_in_words, required, weights_in_words
from dlspec.evaluation.pictures import given_back
from dlspec.evaluation.pictures.aligned import of_timesteps
from dlspec.evaluation.pictures.language import of_text
from dlspec.evaluation.pictures.mixtures import cumulated
from dlspec.evaluation.pictures.places import at_places
from dlspec.evaluation.pictures.quantiles import calibration
from dlspec.evaluation.pictures.sequences import of_sequences
from dlspec.evaluation.pictures.tags import of_tags
from dlspec.evaluation.scores import Scorer
from dlspec.evaluation.verdict import judge
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.checksums import fitting_together
from dlspec.runs.differences import Difference, differences
from dlspec.runs.folder import Run, RunOfOutput
from dlspec.runs.job import columns_as_read, data_of
from dlspec.runs.new_data import NewData, columns_of, in_order, new_data
from dlspec.runs.new_texts import new_texts
from dlspec.runs.records.data import DataRecord
from dlspec.runs.records.metrics import Metrics, known
from dlspec.runs.results import predictions_table
from dlspec.runs.row_predictor import frame_of
from dlspec.runtime.files import finite
from dlspec.spec.spec import Spec
from dlspec.training.values import predict

if TYPE_CHECKING:
    import pandas as pd

    from dlspec.evaluation.fitted import Fitted

Array = np.ndarray
MOST_ROWS = 2_000_000
"""Of more rows, those of the run are not read again to look for what stands in both."""
SEEN_MORE = 0.02
"""Where rows come twice in the data of the run: by so much more of the rows may stand in the training part than of the
run's own test part."""
USUAL = 0.99
"""Of the steps in time of a series, the share that is as long as the one from its end to data that go on from it."""
SO_BETTER = "so that the figures are better than on data that it has not seen"


@dataclass(frozen=True)
class Evaluated(Run):
    """A run judged by other data: `metrics`, `predictions` and `pictures` are of these, all else is of the run.

    Args:
        file: with the data.
        rows, judged: how many it has, and how many samples were judged.
        differences: what is different about each column.
        of: the run; of a network of several outputs, as if one of them were the only one.
        others: of several outputs, what came of those that are not the first.
    """

    file: Path
    rows: int
    judged: int
    differences: tuple[Difference, ...]
    own_metrics: Metrics
    own_predictions: pd.DataFrame
    own_pictures: dict[str, Array]
    of: Run
    others: Mapping[str, Evaluated] = field(default_factory=dict)
    judged_on: ClassVar[str] = "these data"

    @cached_property
    def spec(self) -> Spec:
        return self.of.spec

    @cached_property
    def data(self) -> DataRecord:
        return self.of.data

    @property
    def each_output(self) -> dict[str, Evaluated]:
        """What came of each of several outputs; else none."""
        return {self.of.name: self, **self.others} if self.others and isinstance(self.of, RunOfOutput) else {}

    @cached_property
    def metrics(self) -> Metrics:
        """`test`, `test_intervals`, `baselines` and the verdict, of the new data; no other part."""
        return self.own_metrics

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Truth, the network's prediction and each baseline's, a row each."""
        return self.own_predictions

    @cached_property
    def pictures(self) -> dict[str, Array]:
        return self.own_pictures

    @property
    def judged_in_words(self) -> str:
        """How much was judged."""
        if self.data.target.tokens:
            return f"{self.judged:,} windows of {self.rows:,} text{'s' * (self.rows != 1)}"
        return f"{self.judged:,} of {self.rows:,} rows"

    def as_json(self) -> dict[str, Any]:
        """All figures as plain values."""
        each = {name: own.metrics.as_json() for name, own in self.each_output.items()}
        return {
            "run": str(self.folder),
            "file": str(self.file),
            "rows": self.rows,
            "judged": self.judged,
            **self.metrics.as_json(),
            **({"outputs": each} if each else {}),
            "differences": [each.as_json() for each in self.differences],
        }


def evaluate_file(run: Run, file: Path, note: Callable[[str], None] = lambda text: None) -> Evaluated:
    """Judges a run by the rows of a file; see `api.evaluate`.

    Args:
        note: is told how the file is read.
    """
    run.check_finished()
    if not run.outputs:
        return _evaluate(run, file, note)
    first, *others = ((name, _evaluate(own, file, note)) for name, own in run.outputs.items())
    return replace(first[1], others=dict(others))


def _evaluate(run: Run, file: Path, note: Callable[[str], None]) -> Evaluated:
    """The same of a network of one output."""
    notes: list[str] = []
    with fitting_together(run.folder):
        columns = columns_of(run, file, note)
        trained, why = _training_data(run)
        baselines = _baselines(run, trained, why, notes)
        history = _history(run, columns, trained, why, notes)
        texts = run.data.target.tokens is not None
        data = _of_file(
            file,
            lambda: new_texts(run, columns, baselines) if texts else new_data(run, columns, baselines, history),
        )
    if data.test.weights is not None:
        notes.append(weights_in_words(data.test.weights))
    notes += [*_left_out(data), *data.notes, *_seen(run, data, trained, why)]
    predictions = {"network": data.outputs, **data.guesses}
    scorer = Scorer(run.spec.evaluate.metrics or [], data, data.test)
    verdict = judge(data, data.outputs, data.guesses)
    found: dict[str, Any] = {
        **cuts_of(scorer, predictions),
        "train": {},
        "validation": {},
        "test": known(scorer.scores(data.outputs)),
        "test_intervals": {name: list(ends) if ends else None for name, ends in scorer.intervals(data.outputs).items()},
        "baselines": {name: known(scorer.scores(guess)) for name, guess in data.guesses.items()},
        "verdict": verdict.model_dump(mode="json"),
        "notes": notes,
    }
    if run.spec.evaluate.require:
        given = found["test"], found["test_intervals"], verdict
        found["require"] = required(run.spec.evaluate, data, predictions, *given)
    pictures = given_back(data.test, predictions) if run.data.target.kind == "input" else {}
    if data.signature.target.tokens:
        pictures = of_text(data.signature.target, data.test, predictions)
    elif run.data.target.of_words:
        pictures = of_tags(data.signature, data.test, data.columns, predictions)
    elif run.data.target.written:
        pictures = of_sequences(data, predictions)
        if run.data.target.aligned:
            pictures |= of_timesteps(data, predictions, lambda places: _logits(run, columns, data.file_rows[places]))
    elif run.data.target.places:
        pictures = at_places(data.signature, data.test, predictions)
    elif data.test.last is not None:
        dated = data.times is not None and data.times.dtype.kind == "M"
        pictures = {"series:dated": np.array(dated), "series:last": np.asarray(data.test.last)}
    if data.signature.target.mixture:
        notes += likelihood_in_words(data, data.outputs)
        pictures |= cumulated(data, data.outputs)
    if data.signature.target.levels:
        pictures |= calibration(data, data.outputs)
    if data.signature.target.form != "value":
        notes += coverage_in_words(data.signature.target, found["test"], found["test_intervals"])
    return Evaluated(
        run.folder,
        file,
        data.rows,
        len(data.test),
        differences(run.data, columns, data),
        Metrics.model_validate_json(json.dumps(finite(found))),
        predictions_table(data, data.test, predictions, data.file_rows),
        pictures,
        run,
    )


def _logits(run: Run, columns: Columns, rows: Array) -> Array:
    """What the saved model says at each timestep of rows of a file."""
    first = columns[run.data.raw_columns[0]]
    given: Any = np.asarray(first[rows]) if first.ndim > 1 and not run.data.encoded else None
    if given is None:
        given = frame_of(columns, run.data.raw_columns, rows)
    return predict(run.model, run.predictor.taken(given).values)


def _of_file(file: Path, read: Callable[[], NewData]) -> NewData:
    """What is wrong with values is said of the file, and not of the line of the spec that names the column."""
    try:
        return read()
    except DataError as error:
        problems = [
            replace(each, span=None, help=None, message=f"{each.message}, in `{file}`") if each.span else each
            for each in error.diagnostics
        ]
        raise DataError(problems) from None


def _training_data(run: Run) -> tuple[Prepared | None, str]:
    """The data of the run as it was trained on; None: with why not."""
    if run.data.rows > MOST_ROWS:
        return None, f"are not read again, as they have {run.data.rows:,} rows"
    try:
        found = data_of(run)
    except DataError as error:
        return None, f"cannot be read any more: {error.diagnostics[0].message}"
    return (found, "") if found.fingerprint == run.data.fingerprint else (None, "have changed since")


def _baselines(run: Run, trained: Prepared | None, why: str, notes: list[str]) -> dict[str, Fitted]:
    """As the run kept them; of an older run they are fitted again."""
    if run.baselines is not None:
        return run.baselines
    if trained is None:
        notes.append(f"There is no baseline: the run was made before they were kept, and its data {why}.")
        return {}
    notes.append("The baselines were fitted again, since the run was made before they were kept.")
    return {each.type_name: each.fit(trained) for each in run.spec.evaluate.baselines or []}


def _history(run: Run, columns: Columns, trained: Prepared | None, why: str, notes: list[str]) -> Columns | None:
    """Of a series, the rows of the run's data before those of the file: what a forecast may look back to."""
    window, time = run.spec.data.window, run.spec.data.time_name
    if run.data.timesteps is None or window is None:
        return None
    needed = window.span(run.data.timesteps)
    alone = "No forecast looks back beyond the beginning of the file"
    if time is None or time not in columns:
        notes.append(f"{alone}: no column of times tells whether it goes on where the data of the run end.")
        return None
    if trained is None:
        notes.append(f"{alone}: the data of the run {why}.")
        return None
    _, own = columns_as_read(run.spec)
    own, new = in_order(run, own), in_order(run, columns)
    group = run.data.group
    taken = dict.fromkeys([*run.data.raw_columns, *run.data.target.names, time, *([group] if group else [])])
    if own[time].dtype.kind != new[time].dtype.kind or not {*taken} <= {*own} & {*new}:
        notes.append(f"{alone}: it has other columns, or other times, than the data of the run.")
        return None
    own = {name: own[name] for name in taken}
    groups = np.zeros(len(own[time]), int) if group is None else to_words(group, own[group])
    names = np.zeros(len(new[time]), int) if group is None else to_words(group, new[group])
    kept, apart = [], 0
    for name in np.unique(names):
        first = new[time][names == name].min()
        before = np.flatnonzero((groups == name) & (own[time] < first))
        steps = np.diff(own[time][before])
        if len(steps) and first - own[time][before[-1]] > np.quantile(steps, USUAL, method="higher"):
            apart += 1
            continue
        kept.append(before[-needed:])
    if apart:
        of = "" if group is None else f" of {apart:,} series"
        notes.append(f"{alone}{of}, which does not go on where the data of the run end.")
    rows = np.sort(np.concatenate(kept)) if kept else np.empty(0, int)
    return {name: values[rows] for name, values in own.items()} if len(rows) else None


def _left_out(data: NewData) -> Iterator[str]:
    for why, count in data.left_out.items():
        yield f"Not judged: {count:,} of {data.rows:,} rows, {why}."
    if data.unknown:
        shown = ", ".join(f"`{word}` ({count:,})" for word, count in list(data.unknown.items())[:5])
        more = f" and {len(data.unknown) - 5:,} more" if len(data.unknown) > 5 else ""
        yield f"Labels that the network cannot know, whose rows are not judged: {shown}{more}."


def _seen(run: Run, data: NewData, trained: Prepared | None, why: str) -> Iterator[str]:
    """Whether the network was trained on some of the rows."""
    if trained is None:
        yield f"Whether the network was trained on some of these rows cannot be told: the data of the run {why}."
        return
    if trained.rows_in_all is not None:
        return
    if data.signature.window is not None:
        yield from _seen_times(data, trained)
        return
    names = [name for name in (*run.data.raw_columns, *data.signature.target.names) if name in trained.columns]
    rows = np.asarray(trained.train.rows)
    before = {*_prints(run, trained.columns, names, rows)}
    new = np.array([each in before for each in _prints(run, data.columns, names, data.file_rows)])
    own = np.array([each in before for each in _prints(run, trained.columns, names, np.asarray(trained.test.rows))])
    if new.any() and (not own.any() or new.mean() > own.mean() + SEEN_MORE):
        yield (f"{new.sum():,} of {len(new):,} rows stand in the training part of the run too, {SO_BETTER}.")


def _seen_times(data: NewData, trained: Prepared) -> Iterator[str]:
    if data.times is None or trained.times is None or data.times.dtype.kind != trained.times.dtype.kind:
        yield "Whether the network was trained on some of these rows cannot be told without their times."
        return
    rows = np.asarray(trained.train.rows)
    if not len(rows):
        return
    early = data.times[np.asarray(data.test.rows)] <= trained.times[rows].max()
    if early.any():
        yield (
            f"{early.sum():,} of {len(early):,} forecasts are of times that the network was trained on, {SO_BETTER}."
        )


def _prints(run: Run, columns: Columns, names: list[str], rows: Array) -> list[Any]:
    """By which equal rows are known."""
    import pandas as pd

    raw = {feature.name: feature.raw for feature in run.data.features}
    arrays = [name for name in names if columns[name].ndim > 1]
    if arrays:
        of_arrays = [[print_of(np.asarray(columns[name][row], "float64")) for name in arrays] for row in rows]
        others = [name for name in run.data.raw_columns if name in columns and name not in arrays]
        more = _prints(run, columns, others, rows) if others else [()] * len(rows)
        return [(*one, other) for one, other in zip(of_arrays, more, strict=True)]
    numbers = run.data.target.kind in ("number", "input")
    frame = {}
    for name in names:
        values, kind = columns[name][rows], raw.get(name, "number" if numbers else "word")
        if kind == "number":
            frame[name] = to_numbers(name, undressed(values), holes=True).astype("float64")
        elif kind == "time":
            frame[name] = to_seconds(name, values, holes=True)
        else:
            places, words = coded(values)
            frame[name] = np.array(words, object)[places]
    return pd.util.hash_pandas_object(pd.DataFrame(frame), index=False).tolist()
