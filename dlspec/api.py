"""What a notebook can do: load, validate, plan, build, run and reopen, as the commands do.

Wherever a function takes a spec, that is a file, YAML text of several lines, or what `load` gave; `overrides` are other
values in it, by dotted path: `{"train.epochs": 5}`. Wherever one takes a run, that is its folder or what `open_run`
gave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, Literal

from dlspec.data.sources.reading import briefly
from dlspec.data.training_rows import deciding_source
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError, SpecError, Terminated
from dlspec.language.yaml import Document, read_file, read_text
from dlspec.model.graph import Graph
from dlspec.model.graph_builder import make_graph
from dlspec.model.weights import RESOLVED
from dlspec.spec.checks import Checked, check
from dlspec.spec.composition import compose
from dlspec.spec.other_run import taken_layers
from dlspec.spec.planning import count_samples, make_plan
from dlspec.spec.spec import Spec
from dlspec.training.plan import Plan

if TYPE_CHECKING:
    import keras

    from dlspec.data.checks.table import ColumnSummary
    from dlspec.runs import Replay, Run
    from dlspec.runs.evaluating import Evaluated
    from dlspec.runs.listener import Listener
    from dlspec.runtime.doctor import Finding
    from dlspec.views.comparison import RunComparison
    from dlspec.views.difference import Side, SpecDiff


def load_plugin(path: str | Path) -> ModuleType:
    """Loads a file of Python that adds layers, pretraining methods or anything else that a spec can name.

    Its classes register themselves, as in `@LAYERS.register`, and are then like built-in ones. A file is loaded once;
    to load it after a change, start Python anew. On the command line, `--plugin FILE` does the same.

    Returns:
        The module of the file.

    Raises:
        DataError: there is no such file, its code fails, or one of its names is taken.
    """
    from dlspec.language.plugins import load as load_file

    return load_file(path)


def load(spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None) -> Spec:
    """Reads and checks a spec.

    Args:
        spec: a file, YAML text (which has several lines), or a spec that was loaded before, for other values in it.
        overrides: dotted path -> value: `{"train.epochs": 5}`.

    Raises:
        SpecError: with every mistake found.
        DataError: the file cannot be read.
    """
    checked = examine(spec, overrides)
    if checked.errors:
        raise SpecError(checked.errors, checked.spec.document.texts)
    return checked.spec


def validate(spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None) -> list[Diagnostic]:
    """Every mistake and warning in a spec, in file order, without loading TensorFlow.

    Raises:
        DataError: the file cannot be read.
    """
    return examine_briefly(spec, overrides).diagnostics


def examine_briefly(spec: Spec | str | Path | Document, overrides: Mapping[str, Any] | None = None) -> Checked:
    """As `examine`, with the beginning of large data files alone; what that does not settle is a note.

    Raises:
        DataError: the file cannot be read.
    """
    with briefly():
        return examine(spec, overrides)


def examine(spec: Spec | str | Path | Document, overrides: Mapping[str, Any] | None = None) -> Checked:
    """A spec after all checks, with its texts: what `load` and `validate` begin with.

    Raises:
        DataError: the file cannot be read.
    """
    if isinstance(spec, Document):
        document = spec
    elif isinstance(spec, Spec):  # as it was written, since `document` has no variables and blocks any more
        written = spec.document
        document = read_text(written.texts[written.file], written.file)
        overrides = {**written.overrides, **(overrides or {})}
    elif isinstance(spec, str) and "\n" in spec:
        document = read_text(spec)
    else:
        document = read_file(spec)
    checked = check(compose(document, overrides))
    if checked.errors and (document.folder / RESOLVED).is_file():  # a run folder, which says what it was made with
        from dlspec.runs import naming_plugins

        return replace(checked, diagnostics=naming_plugins(checked.diagnostics, document.folder))
    return checked


def _as_spec(spec: Spec | str | Path, overrides: Mapping[str, Any] | None) -> Spec:
    return spec if isinstance(spec, Spec) and not overrides else load(spec, overrides)


def graph(spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None) -> Graph:
    """The network's layers with shapes, parameters and FLOPs, without loading TensorFlow.

    It is the network that a run trains: the training part decides which words there are. Of a table that is too large
    for memory all rows do, so that categories which the training part lacks count, too; `plan` reads these as well.
    Where the data file is not there, shapes are as far as the layers themselves fix them.
    """
    from dlspec.runs.trained_signature import signature_of

    spec = _as_spec(spec, overrides)
    return make_graph(spec.model, signature_of(spec), spec.unrolled_at)[0]


def resolve(spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None) -> str:
    """The spec as YAML with every default written out and where each value came from; it runs again as it is."""
    from dlspec.views.resolved import write_resolved

    return write_resolved(_as_spec(spec, overrides))


def explain(spec: Spec | str | Path, language: str = "en", *, overrides: Mapping[str, Any] | None = None) -> str:
    """The spec in plain sentences, each behind the number of its line; then what it leaves out.

    Args:
        language: `en` or `ko`.
    """
    from dlspec.views.prose import write_prose

    loaded = _as_spec(spec, overrides)
    return write_prose(loaded, graph(loaded), language)


def diff(
    old: Spec | str | Path, new: Spec | str | Path | None = None, *, overrides: Mapping[str, Any] | None = None
) -> SpecDiff:
    """What changed in meaning between two specs, without loading TensorFlow.

    Defaults, variables, blocks and what a spec extends are written out first, so that it does not matter how a spec is
    written. As `validate`, it reads the beginning of large data files alone.

    Args:
        old, new: each as anywhere, or `REV:PATH` for a file at a revision of git: `main:specs/a.yaml`; `:PATH` is what
            is staged. Without `new`, a file as it is now is compared with the last commit, or with the revision that is
            named.
        overrides: in both.

    Raises:
        DataError: a spec cannot be read. What is wrong with one that can be read is in `problems`.
    """
    from dlspec.spec.revisions import at_revision
    from dlspec.views.difference import compare

    if new is None:
        if isinstance(old, Spec) or "\n" in str(old):
            raise TypeError("without `new`, `old` is the name of a file that git knows")
        named = at_revision(str(old))
        old, new = (old, named.path) if named else (f"HEAD:{old}", old)
    return compare(_side(old, overrides), _side(new, overrides))


def _side(spec: Spec | str | Path, overrides: Mapping[str, Any] | None) -> Side:
    """One of two specs, or a file at a revision."""
    from dlspec.spec.revisions import at_revision, name_revision, read_revision
    from dlspec.views.difference import Side

    named = at_revision(spec) if isinstance(spec, str) and "\n" not in spec else None
    checked = examine_briefly(read_revision(named) if named else spec, overrides)
    document = checked.spec.document
    if named is None:
        return Side(document.file, checked, checked.diagnostics, document.texts)
    named_alike = name_revision(checked.diagnostics, document.texts, named.revision)
    return Side(str(spec), checked, *named_alike, of_revision=True)


def init(
    data: str,
    *,
    target: str | None = None,
    series: bool | None = None,
    pretrain: bool = False,
    language: Literal["en", "ko"] = "en",
) -> str:
    """A first spec with comments, as YAML, for a built-in dataset or a CSV file.

    Args:
        data: the built-in's name, or the path of the file.
        target: the column to predict; otherwise the likeliest one.
        series: whether a row is a timestep or a sample; otherwise as the columns suggest.
        pretrain: with pretraining, layer by layer.
        language: of the comments.

    Raises:
        DataError: there are no such data, or nothing in them can be predicted.
    """
    from dlspec.spec.first_spec import look_at, write_start

    start = look_at(data, series=series)
    start = start.predicting(target) if target else start
    if start.may_be_read:  # whose values are read, which takes numpy
        from dlspec.runs.first_run import made_to_run

        start = made_to_run(start)
    return write_start(start, pretrain=pretrain, language=language)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 7) of the language, for editors, as plain values."""
    from dlspec.views.reference.json_schema import make_schema

    return make_schema()


def doctor() -> list[Finding]:
    """What this machine has of what dlspec needs, what is missing, and the command that mends it."""
    from dlspec.runtime.doctor import examine_machine

    return examine_machine()


def columns(spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None) -> list[ColumnSummary]:
    """What each column of the data is like: its role, type and range, what is missing, how its values lie.

    The data are read; TensorFlow is not loaded. Of more than 100,000 rows, as many are looked at.

    Raises:
        DataError: the data are not there, or cannot be read.
    """
    from dlspec.data.checks.table import summarize_columns
    from dlspec.runs.job import load_data

    loaded = _as_spec(spec, overrides)
    data = load_data(loaded)
    return summarize_columns(loaded.data, data.signature, data.columns)


def plan(spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None) -> Plan:
    """The stages of training in order, without loading TensorFlow.

    The data are read, but those that Keras keeps and may have to fetch, of which it is known what they are like.

    Raises:
        SpecError: the spec has mistakes.
    """
    from dlspec.runs.job import load_data, plan_of
    from dlspec.runs.trained_signature import may_be_fetched

    loaded, counted = _as_spec(spec, overrides), None
    with suppress(DataError):  # without data it is planned as far as the spec tells
        if not may_be_fetched(loaded):
            return plan_of(loaded, load_data(loaded))
        counted = count_samples(loaded, deciding_source(loaded.data, loaded.seed).describe())
    network = graph(loaded)
    return make_plan(loaded, network, counted, taken_layers(loaded, network))


def build(spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None) -> keras.Model:
    """The network as a `keras.Model`, with the weights that training would begin with.

    Returns:
        A model that takes what the layers of the spec see, after scaling: a tensor (batch, ...) of the shape
        `graph(spec).input_shape`, or one for each of several inputs by name. It puts out (batch, units of the output),
        scaled like the target. `run(spec).model` takes raw columns and puts out the target's own units.

    Raises:
        SpecError: the spec has mistakes.
        DataError: the data file, which fixes the input shape, is not there, or weights that others have trained.
    """
    from dlspec.model.build import build_network
    from dlspec.model.unfolding.giving import give_weights
    from dlspec.runtime.packages import model_modules, require
    from dlspec.training.values import seed_everything

    require(*model_modules(), what="a Keras model")
    loaded = _as_spec(spec, overrides)
    deciding_source(loaded.data, loaded.seed).describe()
    seed_everything(loaded.seed, "network")
    laid = graph(loaded)
    network = build_network(laid, loaded.name, precision=loaded.runtime.precision)
    return give_weights(network, laid, loaded.model)


def run(
    spec: Spec | str | Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    out: str | Path | None = None,
    listener: Listener | None = None,
) -> Run:
    """Trains and evaluates a spec and writes its run folder.

    Args:
        spec: as `load` gives it, or what `load` takes.
        out: the run folder; by default the next number in `runs/<name>/`.
        listener: is told what happens; silent by default.

    Raises:
        SpecError, DataError, TrainingError: see their docstrings.
        Stopped: by Ctrl-C or a signal; `resume` goes on.
    """
    from dlspec.runs import start
    from dlspec.runs.events import recording
    from dlspec.runs.tracking import tracking

    loaded = _as_spec(spec, overrides)
    _require_training()
    with tracking(listener) as told, recording(told) as told:
        return _with_report(start(loaded, out=out, listener=told))


def rehearse(
    spec: Spec | str | Path, overrides: Mapping[str, Any] | None = None, *, listener: Listener | None = None
) -> float:
    """Tries in seconds whether a spec runs to its end: reads all data, and takes two batches through every stage, the
    evaluation, the saved model, the report and an export. Nothing is kept, logged to trackers, or judged.

    Returns:
        How many seconds it took.

    Raises:
        SpecError, DataError, TrainingError: as `run`.
    """
    import time
    from tempfile import TemporaryDirectory

    from dlspec.runs import start

    began = time.monotonic()
    loaded = _as_spec(spec, overrides)
    _require_training()
    with TemporaryDirectory(prefix="dlspec-rehearsal-") as folder:
        found = start(loaded, out=Path(folder) / "run", listener=listener, rehearsed=True)
        report(found)
        for output in [*found.outputs] or [""]:
            export(found, out=Path(folder) / f"{output or 'model'}.keras", output=output or None)
    return time.monotonic() - began


def resume(run: Run | str | Path, *, spec: Spec | None = None, listener: Listener | None = None) -> Run:
    """Goes on with a run that was stopped, to the same end as if it had not been.

    Args:
        spec: what the run must have been started with; by default whatever it was.

    Raises:
        DataError: the folder holds no run, or a finished one, or one in which another process trains; or spec or data
            have changed.
    """
    from dlspec.runs import resume as go_on
    from dlspec.runs.events import recording
    from dlspec.runs.tracking import tracking

    _require_training()
    with tracking(listener) as told, recording(told) as told:
        return _with_report(go_on(_opened(run).folder, listener=told, spec=spec))


def _require_training() -> None:
    from dlspec.runtime.packages import require, training_modules

    require(*training_modules(), what="training")


def _with_report(finished: Run) -> Run:
    from dlspec.training.progress import Stopped

    try:
        report(finished)
    except KeyboardInterrupt as interrupt:
        raise Stopped(finished.folder, isinstance(interrupt, Terminated)) from None
    return finished


def replay(run: Run | str | Path, out: str | Path | None = None, *, listener: Listener | None = None) -> Replay:
    """Trains a finished run again, as it was trained, and says whether the same came of it.

    Args:
        out: the folder of the new run; without one it is deleted after the comparison.

    Returns:
        `verdict` (`equal`, `equal within tolerance` or `differs`), `sentence`, the `comparisons` of weights, losses,
        predictions and metrics, and the `changes` of libraries, device, threads and flags since then.

    Raises:
        DataError: there is no such run, it is not finished, or its data have changed.
    """
    from dlspec.runs.replay import replay as train_again

    _require_training()
    found = train_again(_opened(run), out=out, listener=listener)
    if found.folder is not None:
        report(found.folder)
    return found


def compare(*runs: Run | str | Path) -> RunComparison:
    """Puts finished runs side by side, from their folders alone; the first is what the others are compared with.

    Returns:
        `grids` (metrics, and what differs in specs and surroundings) and `sentences`, which `str` of it puts together;
        `found` has the same as values, `as_json()` as plain ones; `write_page(path)` writes a page.

    Raises:
        DataError: there are fewer than two, one is not finished, or one of its files is damaged.
    """
    from dlspec.runtime.packages import require

    require("scipy", what="a comparison of runs")
    from dlspec.views.comparison import compare_runs

    return compare_runs(runs)


def report(run: Run | str | Path) -> Path:
    """Draws the report of a finished run anew, from its folder alone; returns the file."""
    from dlspec.runtime.packages import REPORT, require

    require(*REPORT, what="a report")
    from dlspec.runtime.files import writing_in
    from dlspec.views.report import write_report

    opened = _opened(run)
    with writing_in(opened.folder, f"all else is there; make room, and `dlspec report {opened.folder}` draws it"):
        return write_report(opened)


def open_run(folder: str | Path) -> Run:
    """A finished or stopped run.

    Raises:
        DataError: the folder is no run folder.
    """
    from dlspec.runs import open_run as open_folder

    return open_folder(folder)


def _opened(run: Run | str | Path) -> Run:
    return open_run(run) if isinstance(run, str | Path) else run


def evaluate(run: Run | str | Path, file: str | Path, *, note: Callable[[str], None] = lambda text: None) -> Evaluated:
    """Judges a finished run by labelled data that it has not seen.

    Args:
        file: rows with the columns of the data, the target among them; a folder or arrays, where the run was trained
            from such. Of a series, rows that go on from the data of the run are forecast from these.
        note: is told how the file is read.

    Returns:
        A run whose `metrics` (with `test_intervals`, `baselines`, the verdict and notes) and `predictions` are of these
        data; `differences` says of each column what is different from the training part.

    Raises:
        DataError: there is no such run, it is not finished, or the file cannot be read or has nothing to judge by.
    """
    from dlspec.runs.evaluating import evaluate_file
    from dlspec.runtime.packages import model_modules, require

    require(*model_modules(), what="an evaluation")
    return evaluate_file(_opened(run), Path(file), note)


def predict(
    run: Run | str | Path,
    file: str | Path,
    out: str | Path | IO[bytes],
    *,
    note: Callable[[str], None] = lambda text: None,
    bom: bool = False,
    intervals: float | None = None,
    explain: int | None = None,
) -> int:
    """Writes the rows of a file again, in its own format, with predictions behind their own columns.

    The file is read and written in blocks, so that memory stays flat. Names are those of `Run.predict`, or
    `predicted NAME` where the file has such a column. Of a series, rows without a whole window before them have none.

    Args:
        file: CSV, TSV, JSON, Excel or Parquet, text also compressed; of pictures, sounds and texts also a folder, or a
            table with a column of their names.
        out: a new file of the same format, compressed as its name says, or an open one; of masks a folder.
        note: is told what a reader of the predictions should know: words that were not in the training data, values
            that lie far outside it, rows without a prediction; what intervals and reasons are worth.
        bom: whether separated values begin with a byte order mark, by which Excel knows UTF-8.
        intervals, explain: more columns beside the predictions, as `Run.predict` gives them.

    Returns:
        How many rows there are.

    Raises:
        DataError: there is no such run or file, a column is missing or a value wrong, `out` is there already, or
            intervals or reasons cannot be given.
    """
    from dlspec.runs.predict import predict_file
    from dlspec.runtime.packages import model_modules, require

    require(*model_modules(), what="a prediction")
    opened = _opened(run)
    target = Path(out) if isinstance(out, str) else out
    return predict_file(opened, Path(file), target, note, bom=bom, intervals=intervals, explain=explain)


def export(
    run: Run | str | Path,
    *,
    layers: str | None = None,
    pretrained: bool = False,
    out: str | Path | None = None,
    format: str | None = None,
    quantize: bool = False,
    step_by_step: bool = False,
    output: str | None = None,
) -> Path:
    """Writes a trained network, or a part of it, as a model that runs without dlspec; returns the file.

    Beside it stand `signature.json`, `rows.json` and `receipt.json`, called after it: what was written is opened in the
    runtime that it is for, compared with `predictions.csv`, and not kept where it differs.

    Args:
        layers: `..h3` for the part from the input to the layer `h3`, which takes raw columns, `h2..h3` for that between
            two layers, both included, `h2..` for that up to the output; all of it by default.
        pretrained: layers as pretraining left them, before the whole network was trained.
        out: the file; by default `<name>` or `<name>_<layers>` with the ending of the format, in the current folder.
        format: `keras`, `onnx`, one of the others, or one that a plugin adds; by default as the name of the file ends.
        quantize: whether weights are written as whole numbers of 8 bits; not kept where that costs accuracy.
        step_by_step: of a recurrent network, the model takes one timestep at a time, and its states.
        output: of a network of several outputs, which of them it gives.

    Raises:
        DataError: there is no such run, layer or format, the format cannot do what the network does, what was written
            does not give the same, or a file is there already.
    """
    from dlspec.deployment.exporting import export_part
    from dlspec.runtime.packages import model_modules, require

    require(*model_modules(), what="an export")
    return export_part(
        _opened(run),
        layers,
        pretrained=pretrained,
        out=None if out is None else Path(out),
        format=format,
        quantize=quantize,
        step_by_step=step_by_step,
        output=output,
    )


def filters(run: Run | str | Path) -> dict[str, Any]:
    """What the units of a run's first layer look for, as arrays (units, rows, columns): `pretrained`, where there was
    pretraining, and `final`.

    Raises:
        DataError: the folder is no run folder, or the first layer does not look at pictures.
    """
    opened = _opened(run)
    found = {key.partition(":")[2]: value for key, value in opened.pictures.items() if key.startswith("filters:")}
    if not found:
        raise DataError.of(
            "no-filters",
            f"`{opened.folder}` has no filters to show",
            help="filters are of a finished run whose first layer, `dense` or `conv2d`, takes pictures",
        )
    return found
