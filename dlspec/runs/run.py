"""Trains a spec into a run folder, from the beginning or from where it was stopped."""

from __future__ import annotations

import shlex
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.sources.folders import files_of
from dlspec.data.sources.known_files import forget_files
from dlspec.language.diagnostics.errors import DataError, Terminated, TrainingError
from dlspec.language.words import one_of
from dlspec.language.yaml import to_yaml
from dlspec.model.weights import PRETRAINED, RESOLVED, TRAINED, LayerWeights
from dlspec.runs.checkpoints import LATEST, load_checkpoint, save_checkpoint
from dlspec.runs.checksums import read_checksums, write_checksums
from dlspec.runs.comparison import compare
from dlspec.runs.data_notes import data_notes
from dlspec.runs.describe import describe
from dlspec.runs.folder import Run, open_run
from dlspec.runs.folds import fold
from dlspec.runs.job import (
    Job,
    check_unchanged,
    compiled_as,
    fingerprint_of_teacher,
    make_ready,
    new_network,
    outputs_of,
)
from dlspec.runs.listener import Listener, Listeners
from dlspec.runs.lock import in_use, only_here
from dlspec.runs.names import DATA, ENVIRONMENT, HISTORY, METRICS, MODEL, PICTURES, REPORT, SPEC, WRITTEN_ANEW
from dlspec.runs.notes import remarks, small_folds
from dlspec.runs.records.baselines import write_baselines
from dlspec.runs.records.environment import environment_of
from dlspec.runs.records.files import take_files, write_files
from dlspec.runs.records.history import GrowingHistory, write_history
from dlspec.runs.repeats import Judged
from dlspec.runs.resolved import portable, resolved_text
from dlspec.runs.results import new_folder, numbered, write_pictures, write_predictions
from dlspec.runs.samples import sample_rows, write_samples
from dlspec.runs.saved_check import check_saved, refuse_other
from dlspec.runs.state import StateFile, say_finished, telling_how_it_ends
from dlspec.runs.stopping import StopFile
from dlspec.runs.timing import keep_time
from dlspec.runs.usage import USAGE, usage
from dlspec.runtime.files import write_json, write_text, writing_in, written_whole
from dlspec.spec.spec import Spec
from dlspec.training.plan import SampleCounts

if TYPE_CHECKING:
    from dlspec.evaluation.evaluate import Evaluation
    from dlspec.evaluation.pictures import Pictures
    from dlspec.runs.records.metrics import Folds, PastAlone, SavedModel
    from dlspec.runs.row_predictor import RowPredictor
    from dlspec.training.picture import Painter
    from dlspec.training.plan import Plan, Stage
    from dlspec.training.progress import Checkpoint, HistoryRow

STAYING = (SPEC, RESOLVED)
"""What is not written again while a run goes on."""
MAY_CHANGE = {"name", "runtime.track"}
"""Keys of a spec that may have other values when a run goes on."""


def start(
    spec: Spec,
    *,
    out: str | Path | None,
    listener: Listener | None,
    original: Run | None = None,
    rehearsed: bool = False,
) -> Run:
    """Trains a spec from the beginning, in a new folder.

    Args:
        rehearsed: with two batches for each stage alone, and without folds and comparisons.
        original: the run that is repeated, whose data must be the same and whose way of compiling is followed.

    Raises:
        DataError, TrainingError, Stopped: see `api.run`; the folder then says how far it got.
    """
    from dlspec.training.engines.choice import compiled_stages

    if original is not None:
        forget_files()
    job = make_ready(spec, listener)
    if original is not None:
        check_unchanged(job, original)
    job = job.shortened() if rehearsed else job
    folder = new_folder(spec, out)
    again = f"run it again; nothing was trained in `{folder}` yet"
    with only_here(folder), telling_how_it_ends(folder, since=job.began) as state, writing_in(folder, again):
        resolved = portable(spec, folder)
        write_text(folder / SPEC, spec.document.texts.get(spec.document.file, to_yaml(resolved)))
        write_json(folder / DATA, describe(job.spec, job.data))
        compiled: Sequence[str] = compiled_stages(job.spec.runtime, job.plan, job.data)
        if original is not None:
            compiled = compiled_as(original, compiled)
        write_json(folder / ENVIRONMENT, _environment(job, compiled))
        write_files(folder, files_of(job.data.columns))
        write_text(folder / RESOLVED, resolved_text(spec, resolved))  # which makes it a run
        write_checksums(folder, STAYING)
        return _train(job, folder, None, compiled, state)


def resume(folder: str | Path, *, listener: Listener | None, spec: Spec | None = None) -> Run:
    """Goes on with a run that was stopped.

    Args:
        spec: what the run must have been started with; None: whatever it was.

    Raises:
        DataError: there is nothing to go on with, or spec or data are not what they were.
    """
    run = open_run(folder)
    if spec is not None:
        _check_same(spec, run)
    with only_here(run.folder):
        if not run.finished:
            as_tracked = run.spec if spec is None else _tracked_as(spec, run.spec)
            with telling_how_it_ends(run.folder, began=run.environment.started) as state:
                return _go_on(run, as_tracked, listener, state)
        if METRICS not in read_checksums(run.folder):
            write_checksums(run.folder, but=WRITTEN_ANEW)
            say_finished(run)
            return run
        if not run.report.is_file():  # all else is there
            say_finished(run)
            return run
        raise DataError.of(
            "run-finished",
            f"`{folder}` is finished; there is nothing to go on with",
            help=f"`dlspec run {shlex.quote(str(run.folder / RESOLVED))}` runs it again",
        )


def _go_on(run: Run, spec: Spec, listener: Listener | None, state: StateFile) -> Run:
    take_files(run.folder)
    job = make_ready(spec, listener)
    checkpoint = load_checkpoint(run.folder, job.listener.note)
    check_unchanged(job, run, begun=checkpoint is not None)
    compiled, before = run.environment.compiled_by_xla or (), run.environment.as_json()
    resumed = {
        key: value
        for key, value in _environment(job, compiled).items()
        if key in ("command", "started", "device") or before.get(key) != value
    }
    legs = [*before.get("resumed", []), resumed]
    with writing_in(run.folder, "make room, and resume the run again"):
        write_json(run.folder / ENVIRONMENT, {**before, "resumed": legs})
        write_json(run.folder / DATA, describe(job.spec, job.data))  # as it was, unless somebody changed it
    return _train(job, run.folder, checkpoint, compiled, state)


def _check_same(spec: Spec, run: Run) -> None:
    """Raises DataError where a run was started with another spec."""
    ours, theirs = (dict(_leaves(portable(which, run.folder))) for which in (spec, run.spec))
    changed = [key for key in {*ours, *theirs} - MAY_CHANGE if ours.get(key) != theirs.get(key)]
    if changed:
        raise DataError.of(
            "spec-changed",
            f"the spec has changed since `{run.folder}` was started: {one_of(sorted(changed))}",
            help=f"run it anew, without `--resume`; or go on with the run as it was started: "
            f"`dlspec run --resume {shlex.quote(str(run.folder))}`",
        )


def _tracked_as(ours: Spec, theirs: Spec) -> Spec:
    """The spec of a run with the trackers of another."""
    return theirs.with_changes(runtime=theirs.runtime.model_copy(update={"track": ours.runtime.track}))


def _leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a spec by its path."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _environment(job: Job, compiled: Sequence[str]) -> dict[str, Any]:
    found = environment_of(job.spec.seed, job.data.fingerprint, job.device)
    taken = {"taken_fingerprint": job.taken.fingerprint()} if job.plan.taken else {}
    teacher = fingerprint_of_teacher(job.spec)
    taken |= {"teacher_fingerprint": teacher} if teacher else {}
    named = {"addresses": job.spec.document.addresses} if job.spec.document.addresses else {}
    return {**found, **taken, **named, "compiled_by_xla": list(compiled)}


def unfinished(name: str, root: Path = Path("runs")) -> Path | None:
    """The last run of this name, when it was stopped and can go on, be it only to its report."""
    runs = [folder for folder in numbered(root / name) if (folder / RESOLVED).is_file()]
    if not runs or all((runs[-1] / name).is_file() for name in (METRICS, REPORT)) or in_use(runs[-1]):
        return None
    return runs[-1]


def _train(job: Job, folder: Path, checkpoint: Checkpoint | None, compiled: Sequence[str], state: StateFile) -> Run:
    """Trains, and writes what comes of it.

    Args:
        compiled: the stages that are compiled by XLA, also after a resume: otherwise the last digits would differ.
    """
    from dlspec.evaluation.pictures import Pictures
    from dlspec.training.progress import Stopped

    pictures = Pictures(job.data, job.plan.graph)
    if checkpoint and (folder / PICTURES).is_file():
        pictures.arrays |= Run(folder).pictures
    again = f"make room, and go on with `dlspec run --resume {shlex.quote(str(folder))}`"
    history, asked = checkpoint.progress.history if checkpoint else (), StopFile(folder)
    try:
        job.listener.opens(folder, job.spec, history)
        with writing_in(folder, again):
            following = _Following(GrowingHistory(folder / HISTORY, history), asked)
            job = replace(job, listener=Listeners(job.listener, following))
            network = _train_network(job, checkpoint, pictures, compiled, state)
            return _write_results(job, network, pictures, state)
    except TrainingError as error:
        raise _with_checkpoint(error, folder) from None
    except Stopped as stop:
        raise Stopped(folder, stop.terminated) from None
    except KeyboardInterrupt as interrupt:
        raise Stopped(folder, isinstance(interrupt, Terminated)) from None
    finally:
        asked.remove()


@dataclass(frozen=True)
class _Following(Listener):
    """Keeps the files of a run folder up with its training."""

    history: GrowingHistory
    asked: StopFile

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        self.history.add(row)

    def wants_stop(self) -> bool:
        return self.asked.is_there()


def _with_checkpoint(error: TrainingError, folder: Path) -> TrainingError:
    """What is left of a training that failed."""
    checkpoint = load_checkpoint(folder, lambda text: None)
    if checkpoint is None or checkpoint.progress.epoch + checkpoint.progress.step == 0:
        return error
    done = checkpoint.progress
    kept = f"`{folder / LATEST}` has the weights after {done.epoch} epochs and {done.step} steps of the stage"
    return TrainingError([replace(found, notes=(*found.notes, kept)) for found in error.diagnostics], error.texts)


def _train_network(
    job: Job, checkpoint: Checkpoint | None, pictures: Pictures, compiled: Sequence[str], state: StateFile
) -> Any:
    from dlspec.training.progress import Hooks
    from dlspec.training.trainer import Trainer

    folder = state.folder

    def save(checkpoint: Checkpoint) -> None:
        write_history(folder / HISTORY, checkpoint.progress.history)
        save_checkpoint(folder, checkpoint)

    network = new_network(job.spec, job.plan, job.data)
    trainer = Trainer(
        job.spec.training,
        job.plan,
        job.data,
        network,
        Hooks(
            job.listener,
            save,
            _Keeper(folder, pictures),
            folder,
            last=lambda: load_checkpoint(folder, job.listener.note),
            painter=_painter(job, network),
        ),
        taken=job.taken,
        compiled=compiled,
        answers=job.answers,
    )
    try:
        write_history(folder / HISTORY, trainer.run(checkpoint))
    finally:
        state.reaches(trainer.state.progress.history)
    return network


def _painter(job: Job, network: Any) -> Painter | None:
    """Who takes pictures of the training; None: nobody wants them, or the network is on several devices."""
    from dlspec.evaluation.pictures.training import TrainingPictures

    if not job.listener.wants_pictures():
        return None
    if job.spec.runtime.distribute is not None:
        job.listener.note("no pictures are taken while the network is trained on several devices (`distribute`)")
        return None
    return TrainingPictures(job.data, job.plan, network, job.listener.picture, job.listener.note)


@dataclass(frozen=True)
class _Keeper:
    """Keeps the pretrained layers, and what the report shows of them."""

    folder: Path
    pictures: Pictures

    def after_pretraining(self, plan: Plan, network: Any, stage_models: list[Any], pretrained: LayerWeights) -> None:
        pretrained.save(self.folder / PRETRAINED)
        self.pictures.after_pretraining(plan, network, stage_models)
        if self.pictures.arrays:
            write_pictures(self.folder, self.pictures.arrays)


def _of_one_fold(spec: Spec) -> str:
    """What the rest of the results is about, where there are folds."""
    split = spec.data.split
    place = "last" if split.shown_fold else "first"
    return f"Scores, figures and the saved network are of the {place} of {split.times_trained} folds."


def _evaluated(
    job: Job, network: Any, pictures: Pictures, run: Run, known: Collection[str] = ()
) -> tuple[Evaluation, dict[str, Any]]:
    """What came of a network of one output, and what `metrics.json` says of it. Predictions, baselines and pictures are
    written.

    Args:
        run: whose history is that of the output.
        known: notes that are not made again.
    """
    from dlspec.evaluation.evaluate import evaluate

    evaluation = evaluate(job.spec.evaluate, network, job.data, stops_early=job.spec.train.early_stopping is not None)
    write_predictions(run.folder, job.data, evaluation.predictions, run.of_output)
    write_baselines(run.folder, evaluation.fitted, run.of_output)
    pictures.after_training(network, evaluation.predictions)
    write_pictures(run.folder, pictures.arrays, run.of_output)
    results = evaluation.as_json()
    if pictures.facts:
        results["pretraining"] = pictures.facts
    notes = [
        *remarks(job, run.history, network, pictures.facts, evaluation),
        *results["notes"],
        *data_notes(job.spec, job.data, run.data),
    ]
    return evaluation, results | {"notes": [note for note in notes if note not in known]}


def _judge_outputs(job: Job, network: Any, pictures: Pictures, whole: Run) -> list[tuple[Judged, dict[str, Any]]]:
    """What came of each of several outputs, or of the only one, and what `metrics.json` says of it.

    Args:
        pictures: what the report shows of training, and of the first.
    """
    from dlspec.evaluation.pictures import Pictures

    found: list[tuple[Judged, dict[str, Any]]] = []
    for name, own, alone in outputs_of(job, network):
        run = whole.outputs[name] if name else whole
        shown, known = Pictures(own.data, own.plan.graph), found[0][1]["notes"] if found else ()
        if not found:
            shown, pictures.data, pictures.graph = pictures, own.data, own.plan.graph
        evaluation, results = _evaluated(own, alone, shown, run, known)
        found.append((Judged(name, own, alone, evaluation, run.history), results))
    return found


def _proven(judged: Judged, predictor: RowPredictor, results: dict[str, Any]) -> tuple[SavedModel, PastAlone | None]:
    """Whether the saved model gives what was measured, and whether timesteps see the past alone where they must."""
    from dlspec.runs.past_check import check_past

    _, job, network, evaluation, _ = judged
    saved = check_saved(job.spec, job.data, predictor, network, evaluation.predictions["network"])
    past = check_past(job.spec, job.data, network)
    results["saved_model"] = saved.as_json()
    if past is not None:
        results["past_alone"] = past.as_json()
    return saved, past


def _required(judged: Judged, folds: Folds | None) -> list[dict[str, Any]]:
    """What came of what is required of an output; with folds of the means over them."""
    from dlspec.evaluation.evaluate import required

    job, evaluation = judged.job, judged.evaluation
    scores: Mapping[str, float | None] = evaluation.test
    verdict = evaluation.verdict
    if folds is not None:
        scores, verdict = {name: spread.mean for name, spread in folds.test.items()}, folds.verdict or verdict
    return required(job.spec.evaluate, job.data, evaluation.predictions, scores, evaluation.intervals, verdict)


def _required_of_all(results: Mapping[str, Any], first: str) -> list[dict[str, Any]]:
    """What came of everything that is required, each said of its output."""
    found = {first: results, **results["outputs"]}
    return [
        {**each, "what": f"{name}.{each['what']}", "sentence": f"{name}: {each['sentence']}"}
        for name, own in found.items()
        for each in own.get("require", ())
    ]


def _write_results(job: Job, network: Any, pictures: Pictures, state: StateFile) -> Run:
    """`metrics.json` comes last: with it the run is finished."""
    from dlspec.model.build import with_preprocessing
    from dlspec.runs.past_check import refuse_seer
    from dlspec.training.several import masked_outputs
    from dlspec.training.values import as_array

    folder = state.folder
    whole = job.data
    job = replace(job, data=masked_outputs(network, whole))
    if job.data is not whole:  # so that places that do not count are not counted
        write_json(folder / DATA, describe(job.spec, job.data))
    job.listener.note("evaluating")
    with written_whole(folder / MODEL) as draft:
        with_preprocessing(network, job.data).save(draft)
    weighted = {layer.name: [as_array(weight) for weight in layer.weights] for layer in network.layers if layer.weights}
    LayerWeights(weighted).save(folder / TRAINED)
    found = _judge_outputs(job, network, pictures, Run(folder))
    comparisons = [] if job.rehearsed else compare(job, folder, [each for each, _ in found])
    folds = [] if job.rehearsed else fold(job, folder, [each for each, _ in found])
    proofs, whole_run = [], Run(folder)
    for place, (own, results) in enumerate(found):
        if comparisons:
            results["compare"] = comparisons[place].as_json()
        predictor = whole_run.outputs[own.name].predictor if own.name else whole_run.predictor
        proofs.append(_proven(own, predictor, results))
        if folds:
            told = found[0][1]["notes"] if place else ()
            few = [note for note in small_folds(own.job.data, folds[place].parts) if note not in told]
            results["notes"] = [*([] if place else [_of_one_fold(job.spec)]), *few, *results["notes"]]
            results["folds"] = folds[place].as_json()
        if own.job.spec.evaluate.require:
            results["require"] = _required(own, folds[place] if folds else None)
    (first, results), *others = found
    if proofs[0][0].same:
        records = {name: run.data for name, run in whole_run.outputs.items()}
        write_text(folder / USAGE, usage(whole_run.predictor, first.job.data, records))
        write_samples(folder, sample_rows(first.job.data, whole_run.predictor))
    if others:
        results["outputs"] = {own.name: of_output for own, of_output in others}
        results |= {"output": first.name, "require": _required_of_all(results, first.name)}
    job.listener.note("writing the report")
    environment = Run(folder).environment
    spent = round(environment.seconds + time.time() - job.began, 1)
    write_json(folder / ENVIRONMENT, {**environment.as_json(), "seconds": spent})
    if not job.rehearsed:
        keep_time(Run(folder), job.plan, SampleCounts.of(job.data), spent)
    write_json(folder / METRICS, results)
    write_checksums(folder, but=WRITTEN_ANEW)
    state.finish()
    for saved, past in proofs:
        refuse_seer(past)
        refuse_other(saved, f"`{folder / MODEL}`")
    for each in folds:
        for number, aside in enumerate(each.saved_models, start=1):
            if aside is not None:
                refuse_other(aside, f"the model of fold {number}")
    return Run(folder)
