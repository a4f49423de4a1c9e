"""The run folder, opened: what is in it, read when it is asked for."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.language import plugins
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.language.notebooks import InNotebooks
from dlspec.language.registry import Registry
from dlspec.language.yaml import read_file
from dlspec.model.weights import PRETRAINED, RESOLVED, LayerWeights
from dlspec.runs.checksums import check_file, fitting_together, read_checksums
from dlspec.runs.names import DATA, ENVIRONMENT, HISTORY, METRICS, MODEL, PICTURES, PREDICTIONS, REPORT, file_of
from dlspec.runs.records.data import DataRecord
from dlspec.runs.records.environment import Environment
from dlspec.runtime.archives import BROKEN, CHECKSUM, read_arrays, without_checksum
from dlspec.runtime.files import check_links
from dlspec.runtime.records import read_record, unreadable
from dlspec.spec.outputs import graph_of_output, specs_of_outputs
from dlspec.spec.spec import Spec
from dlspec.training.outputs import part_name

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pandas as pd

    from dlspec.data.signature import DataSource
    from dlspec.evaluation.fitted import Fitted
    from dlspec.model.graph import Graph
    from dlspec.runs.records.events import Event
    from dlspec.runs.records.metrics import Metrics
    from dlspec.runs.row_predictor import RowPredictor
    from dlspec.training.plan import Plan
    from dlspec.training.progress import HistoryRow

MOST_PICTURES = 2**28
"""Bytes that the arrays of `pictures.npz`, which are compressed, may take."""


OF_TRAINING = ("no-run",)
"""What is wrong with a run that others took layers or answers from does not matter once it is trained."""


@dataclass(frozen=True)
class Run(InNotebooks):
    """A run folder, as `open_run` opens it. What is large is read when it is asked for."""

    folder: Path
    judged_on: ClassVar[str] = "the test part"
    """What `metrics.test` and `predictions` are of, in words."""
    of_output: ClassVar[str] = ""
    """Of a network of several outputs, which of them this is about where it is not the first."""
    model_prefix: ClassVar[str] = ""
    """Of a network of several outputs, how layers of the saved model begin that are of this output alone."""

    @cached_property
    def outputs(self) -> dict[str, Run]:
        """Of a network of several outputs, the run as if each were the only one; else none.

        The run itself tells of the first what is told of one: metrics, predictions, pictures.
        """
        return {name: RunOfOutput(self.folder, self, name) for name in (self.data.output, *self.data.outputs) if name}

    @property
    def finished(self) -> bool:
        return (self.folder / METRICS).is_file()

    def check_finished(self) -> None:
        """Raises DataError where the run was stopped before its end."""
        for name in (METRICS, MODEL):
            self._file(name)

    @property
    def resolved_text(self) -> str:
        """The resolved spec as YAML."""
        return self._file(RESOLVED).read_text(encoding="utf-8")

    @cached_property
    def spec(self) -> Spec:
        """The resolved spec, as it was run."""
        from dlspec.spec.checks import check

        checked = check(read_file(self._file(RESOLVED)))
        errors = [problem for problem in checked.errors if problem.code not in OF_TRAINING]
        if errors:
            raise SpecError(naming_plugins(errors, self.folder), checked.spec.document.texts)
        return checked.spec

    @cached_property
    def graph(self) -> Graph:
        """The network with its shapes, from the folder alone."""
        from dlspec.model.graph_builder import make_graph

        return make_graph(self.spec.model, self.data.signature(self.spec), self.spec.unrolled_at)[0]

    @cached_property
    def plan(self) -> Plan:
        """The stages that it was trained in, from the folder alone."""
        from dlspec.spec.planning import make_plan

        return make_plan(self.spec, self.graph)

    @cached_property
    def model(self) -> keras.Model:
        """The trained `keras.Model`: raw columns in, the target's own units or probabilities out."""
        return self._load_model()

    def _load_model(self) -> Any:
        from dlspec.model.saved import load_model

        return load_model(self._file(MODEL))

    @cached_property
    def history(self) -> list[HistoryRow]:
        """A row for every epoch of every stage."""
        from dlspec.runs.records.history import read_history

        return read_history(self._file(HISTORY))

    def events(self, after: int = 0) -> list[Event]:
        """What happened in it so far, also while it is trained: dictionaries with `seq`, `time`, `event` and what
        belongs to that.

        Args:
            after: the `seq` of the last event that is known already.
        """
        from dlspec.runs.records.events import read_events

        return read_events(self.folder, after)

    @cached_property
    def metrics(self) -> Metrics:
        """`train`, `validation`, `test`, `baselines` and the verdict."""
        from dlspec.runs.records.metrics import Metrics

        return read_record(self._file(METRICS), Metrics)

    @cached_property
    def baselines(self) -> dict[str, Fitted] | None:
        """The baselines as they were fitted; None: the run was made before they were kept."""
        from dlspec.runs.records.baselines import read_baselines

        return read_baselines(self.folder, self.of_output)

    @cached_property
    def environment(self) -> Environment:
        """Versions, device, seed, fingerprint of the data, the command."""
        return read_record(self._file(ENVIRONMENT), Environment)

    @cached_property
    def data(self) -> DataRecord:
        """What the data looked like: columns, target, split, scale."""
        return read_record(self._file(DATA), DataRecord)

    @property
    def source(self) -> DataSource:
        """What reads other data as the data of the run: sounds at the rate that the network was trained on."""
        from dlspec.data.source_of import source_of
        from dlspec.data.sources.audio import AudioFiles

        found = source_of(self.spec.data)
        return replace(found, rate=self.data.rate) if isinstance(found, AudioFiles) and self.data.rate else found

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The test part: truth, the network's prediction and each baseline's, a row each."""
        from dlspec.runs.records.predictions import read_predictions

        file = self._file(file_of(PREDICTIONS, self.of_output))
        return read_predictions(file, self.data, list(self.metrics.baselines))

    @cached_property
    def pictures(self) -> dict[str, np.ndarray]:
        """Arrays that the report draws."""
        name = file_of(PICTURES, self.of_output)
        if not (self.folder / name).is_file():
            return {}
        try:
            arrays = read_arrays(self.folder / name, MOST_PICTURES)
            arrays = without_checksum(arrays) if CHECKSUM in arrays else arrays
        except BROKEN as error:
            raise unreadable(self.folder / name, error) from None
        self._file(name)  # what is wrong with the arrays says more than a checksum
        return arrays

    def predict(
        self,
        rows: pd.DataFrame | Mapping[str, Sequence[Any]] | np.ndarray,
        *,
        intervals: float | None = None,
        explain: int | None = None,
    ) -> pd.DataFrame:
        """Predictions for raw rows, in the target's own units.

        Args:
            rows: columns by name, as in the data. Of a series, timesteps in order, oldest first: a forecast is made
                from every window of them, of several series in each alone, and where the column of time is there, from
                none across a gap. Of pictures, an array (samples, height, width).
            intervals: such as 0.9: beside a number where the truth lies so often, `<target> low` and `<target> high`,
                and beside a class `<target> set`, the labels among which it is so often, joined by `|`; by the errors
                on the test part (split conformal prediction: Lei et al., 2018).
            explain: such as 3: `why` names so many columns that moved the answer most, and by how much, of tables
                (sampled Shapley values: Štrumbelj and Kononenko, 2014).

        Returns:
            For single samples a row each, with the index of `rows`: the target, and for classes and labels also the
            probability of each, `<target>=<class>`. Of a series a row for each window, with the index of its last
            timestep, at which the forecast is made: `<target>+<horizon>` is what the target will be that many timesteps
            later; of several series also the column that separates them.
            Where the network gives back its input, a column for each value of it, and `squared_error`, which is large
            for what the network does not know.

        Raises:
            DataError: a column is missing, a value is no number, the training data have none of the words of a column,
                there are fewer timesteps than a window takes, or intervals or reasons cannot be given.

        Warns:
            UserWarning: some words were not in the training data, or values lie far outside them; and what intervals
                and reasons are worth.
        """
        with fitting_together(self.folder):
            predictor = self.predictor_with(intervals, explain)
            found = predictor.predict(rows)
        for note in predictor.notes(len(found)):
            warnings.warn(note, UserWarning, stacklevel=2)
        return found

    @property
    def predictor(self) -> RowPredictor:
        """What predicts raw rows."""
        from dlspec.runs.row_predictor import RowPredictor

        if not self.outputs:
            return RowPredictor(self.spec.data, self.data, self.model)
        first, *others = (each.predictor for each in self.outputs.values())
        return replace(first, others=tuple(others))

    def predictor_with(
        self, intervals: float | None, explain: int | None, say: Callable[[str], None] = lambda text: None
    ) -> RowPredictor:
        """What predicts raw rows, and puts intervals and reasons beside them; see `predict`.

        Args:
            say: is told how far it is.
        """
        from dlspec.runs.conformal import Intervals
        from dlspec.runs.reasons import Reasons

        if self.outputs:
            return self._of_all_outputs(intervals, explain, say)
        if self.data.target.places and (intervals is not None or explain is not None):
            what = "an interval" if intervals is not None else "a reason"
            message = (
                f"`{self.data.target.name}` is predicted at each place, of which a row has no single {what[2:].strip()}"
            )
            raise DataError.of("no-intervals" if intervals is not None else "no-reasons", message, help="leave it out")
        besides = () if intervals is None else (Intervals.of(self.data, self.predictions, intervals),)
        reasons = () if explain is None else (Reasons.of(self.data, self.model, self.spec.seed, explain, say),)
        return replace(self.predictor, besides=(*besides, *reasons))

    def _of_all_outputs(self, intervals: float | None, explain: int | None, say: Callable[[str], None]) -> RowPredictor:
        """What all outputs predict; one that has no intervals or reasons says so, unless none has."""
        from dlspec.runs.row_predictor import NothingBeside

        found: list[RowPredictor] = []
        refused: list[DataError] = []
        for name, each in self.outputs.items():
            try:
                found.append(each.predictor_with(intervals, explain, say))
            except DataError as error:
                refused.append(error)
                besides = (NothingBeside(f"{name}: {error.diagnostics[0].message}"),)
                found.append(replace(each.predictor, besides=besides))
        if len(refused) == len(found):
            raise refused[0]
        return replace(found[0], others=tuple(found[1:]))

    def encoder(self, last: str, *, first: str | None = None, pretrained: bool = False) -> Any:
        """A part of the trained network as a `keras.Model` of its own.

        Args:
            last: the layer whose output it puts out.
            first: the layer whose input it takes; None: raw columns, as the whole model.
            pretrained: with the weights that pretraining left, before the whole network was trained.

        Raises:
            DataError: there is no such layer, or the run was not pretrained.
        """
        return self.part(first, last, pretrained=pretrained)

    def part(self, first: str | None, last: str | None, *, pretrained: bool = False) -> Any:
        """The network from the input of one layer to the output of another; see `encoder`.

        Args:
            last: None: the output of the network, as the loss compares it.
        """
        from dlspec.model.build import part_of

        with fitting_together(self.folder):
            if not pretrained:
                return part_of(self.model, last, first, None, self.graph.by_name)
            if not (self.folder / PRETRAINED).is_file():
                raise DataError.of(
                    "not-pretrained", f"`{self.folder}` was not pretrained", help="leave `pretrained` out"
                )
            pretrained_layers = LayerWeights.load(self.folder / PRETRAINED).layers
            self._file(PRETRAINED)  # what is wrong with the arrays says more than a checksum
            return part_of(self._load_model(), last, first, pretrained_layers, self.graph.by_name)

    @property
    def report(self) -> Path:
        """Where the page is."""
        return self.folder / REPORT

    @cached_property
    def _checksums(self) -> dict[str, str]:
        """Of files that were not looked at yet."""
        return read_checksums(self.folder)

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise DataError.of(
                "unfinished-run",
                f"`{self.folder}` has no `{name}`: the run did not get so far",
                help=f"go on with `dlspec run --resume {shlex.quote(str(self.folder))}`",
            )
        checksum = self._checksums.pop(name, None)
        if checksum is not None:
            check_file(path, checksum)
        return path


@dataclass(frozen=True)
class RunOfOutput(Run):
    """The run of a network of several outputs, as if one of them were the only one.

    Args:
        whole: the run.
        name: of the output.
    """

    whole: Run
    name: str

    @property
    def of_output(self) -> str:  # type: ignore[override]
        """As of `Run`; the files of the first output have no name."""
        return "" if self.name == self.whole.data.output else self.name

    @property
    def model_prefix(self) -> str:  # type: ignore[override]
        return f"{self.name}_"

    @property
    def outputs(self) -> dict[str, Run]:
        """None: there is one."""
        return {}

    @cached_property
    def spec(self) -> Spec:
        """The spec with this output alone."""
        return specs_of_outputs(self.whole.spec, self.whole.data.signature(self.whole.spec))[self.name]

    @cached_property
    def data(self) -> DataRecord:
        """What the data looked like, with the target of this output."""
        found = self.whole.data
        own = found.outputs[self.name] if self.of_output else found
        return own.model_copy(update={"output": "", "outputs": {}})

    @cached_property
    def history(self) -> list[HistoryRow]:
        """A row for every epoch of every stage, in which the loss is that of this output."""
        return rows_of_output(self.whole.history, self.name)

    @cached_property
    def graph(self) -> Graph:
        """The whole network, whose first output this is."""
        return graph_of_output(self.whole.graph, self.name)

    @cached_property
    def metrics(self) -> Metrics:
        """What came of this output."""
        found = self.whole.metrics
        return found.outputs[self.name] if self.of_output else found

    def part(self, first: str | None, last: str | None, *, pretrained: bool = False) -> Any:
        """As of `Run`; the output of the network is this one."""
        return super().part(first, last or self.name, pretrained=pretrained)

    def _load_model(self) -> Any:
        return model_of_output(self.whole.model, self.name)


def rows_of_output(history: Sequence[HistoryRow], name: str) -> list[HistoryRow]:
    """A history in which the loss is that of one of several outputs."""
    part = part_name(name)
    return [
        replace(row, loss=row.measures[part], val_loss=row.measures.get(f"val_{part}")) if part in row.measures else row
        for row in history
    ]


def model_of_output(model: Any, name: str) -> Any:
    """A saved model that gives one of its outputs alone."""
    import keras

    return keras.Model(model.input, model.output[name], name=model.name)


def open_run(folder: str | Path) -> Run:
    """Opens a finished or stopped run.

    Raises:
        DataError: the folder holds no run, or a link that leads out of it.
    """
    run = Run(Path(folder))
    check_links(run.folder)
    if not (run.folder / RESOLVED).is_file():
        raise DataError.of(
            "no-run",
            f"`{folder}` is no run folder: it has no `{RESOLVED}`",
            help="name a folder that `dlspec run` wrote, such as `runs/lstm_stock/001`",
        )
    return run


def naming_plugins(problems: Sequence[Diagnostic], folder: Path) -> list[Diagnostic]:
    """Says of names that are not known which plugins the run in the folder was made with, where they are not loaded."""
    codes = {registry.unknown for registry in Registry.made}
    missing = _missing_plugins(folder) if any(problem.code in codes for problem in problems) else []
    if not missing:
        return list(problems)
    notes = tuple(f"this run was made with the plugin `{plugins.shown(path)}`" for path in missing)
    help = f"add `{shlex.join(plugins.as_options(missing))}`"
    return [
        replace(problem, notes=(*problem.notes, *notes), help=help) if problem.code in codes else problem
        for problem in problems
    ]


def _missing_plugins(folder: Path) -> list[Path]:
    """Files that were loaded for the run in the folder, and are not now."""
    if not (folder / ENVIRONMENT).is_file():
        return []
    there = {value for plugin in plugins.loaded() for value in (str(plugin.path), plugin.sha256)}
    try:
        recorded = Run(folder).environment.plugins
    except DataError:  # what is wrong with the spec is said, not what is wrong beside it
        return []
    return [Path(plugin.path) for plugin in recorded if there.isdisjoint((plugin.path, plugin.sha256))]
