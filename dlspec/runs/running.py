"""Trains a spec into a run folder, from the beginning or from where it was stopped."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.diagnostics import DataError
from dlspec.files import write_json, write_text, written_whole
from dlspec.runs.comparing import compare
from dlspec.runs.describing import describe, environment_of, portable, resolved_text
from dlspec.runs.folder import CHECKPOINT, DATA, ENVIRONMENT, METRICS, MODEL, PICTURES, SPEC, Run
from dlspec.runs.folding import fold
from dlspec.runs.jobs import Job, make_ready, new_network
from dlspec.runs.remarks import remarks, small_folds
from dlspec.runs.writing import new_folder, numbered, write_history, write_pictures, write_predictions
from dlspec.source import to_yaml
from dlspec.spec import Spec
from dlspec.weights import PRETRAINED, RESOLVED, TRAINED, LayerWeights

if TYPE_CHECKING:
    from dlspec.pictures import Pictures
    from dlspec.plans import Plan
    from dlspec.training import Checkpoint, Listener


def start(spec: Spec, *, out: str | Path | None, listener: Listener | None, command: str) -> Run:
    """Trains a spec from the beginning, in a new folder.

    Raises:
        DataError, TrainingError, Stopped: see `api.run`; the folder then says how far it got.
    """
    from dlspec.training import compiled_stages

    job = make_ready(spec, listener)
    folder = new_folder(spec, out)
    resolved = portable(spec, folder)
    write_text(folder / SPEC, spec.source.texts.get(spec.source.file, to_yaml(resolved)))
    write_text(folder / RESOLVED, resolved_text(spec, resolved))
    write_json(folder / DATA, describe(job.spec, job.data))
    compiled = compiled_stages(job.spec, job.plan, job.data)
    write_json(folder / ENVIRONMENT, _environment(job, command, compiled))
    return _train(job, folder, None, compiled)


def resume(folder: str | Path, *, listener: Listener | None, command: str) -> Run:
    """Goes on with a run that was stopped.

    Raises:
        DataError: there is nothing to go on with, or the data are not what they were.
    """
    from dlspec.training import Checkpoint

    run = Run.open(folder)
    if run.finished:
        raise DataError.of(
            "run-finished",
            f"`{folder}` is finished; there is nothing to go on with",
            help=f"`dlspec run {shlex.quote(str(run.folder / RESOLVED))}` runs it again",
        )
    job = make_ready(run.spec, listener)
    if job.data.fingerprint != run.data["fingerprint"]:
        raise DataError.of(
            "data-changed",
            "the data have changed since the run was started",
            help="bring back the old data, or run the spec anew",
        )
    compiled = run.environment.get("compiled_by_xla", [])
    resumed = {
        key: value
        for key, value in _environment(job, command, compiled).items()
        if key in ("command", "started", "device")
    }
    legs = [*run.environment.get("resumed", []), resumed]
    write_json(run.folder / ENVIRONMENT, {**run.environment, "resumed": legs})
    path = run.folder / CHECKPOINT
    return _train(job, run.folder, Checkpoint.load(path) if path.is_file() else None, compiled)


def _environment(job: Job, command: str, compiled: Sequence[str]) -> dict[str, Any]:
    found = environment_of(job.spec.seed, job.data.fingerprint, job.device, command)
    return {**found, "compiled_by_xla": list(compiled)}


def unfinished(name: str, root: Path = Path("runs")) -> Path | None:
    """The last run of this name, when it was stopped and can go on."""
    runs = numbered(root / name)
    if not runs or (runs[-1] / METRICS).exists() or not (runs[-1] / CHECKPOINT).is_file():
        return None
    return runs[-1]


def _train(job: Job, folder: Path, checkpoint: Checkpoint | None, compiled: Sequence[str]) -> Run:
    """Trains, and writes what comes of it.

    Args:
        compiled: the stages that are compiled by XLA, also after a resume: otherwise the last digits would differ.
    """
    from dlspec.pictures import Pictures
    from dlspec.training import Stopped

    pictures = Pictures(job.data, job.plan.graph)
    if checkpoint and (folder / PICTURES).is_file():
        pictures.arrays |= Run(folder).pictures
    try:
        network = _train_network(job, folder, checkpoint, pictures, compiled)
        return _write_results(job, folder, network, pictures)
    except (Stopped, KeyboardInterrupt):
        raise Stopped(folder) from None


def _train_network(
    job: Job, folder: Path, checkpoint: Checkpoint | None, pictures: Pictures, compiled: Sequence[str]
) -> Any:
    from dlspec.training import Trainer

    def save(checkpoint: Checkpoint) -> None:
        (folder / CHECKPOINT).parent.mkdir(exist_ok=True)
        write_history(folder, checkpoint.progress.history)
        if pictures.arrays:
            write_pictures(folder, pictures.arrays)
        checkpoint.save(folder / CHECKPOINT)

    network = new_network(job.spec, job.plan, job.data)
    trainer = Trainer(
        job.spec,
        job.plan,
        job.data,
        network,
        listener=job.listener,
        save=save,
        observer=_Keeper(folder, pictures),
        folder=folder,
        taken=job.taken,
        compiled=compiled,
    )
    write_history(folder, trainer.run(checkpoint))
    return network


@dataclass(frozen=True)
class _Keeper:
    """Keeps the pretrained layers, and what the report shows of them."""

    folder: Path
    pictures: Pictures

    def after_pretraining(self, plan: Plan, network: Any, stage_models: list[Any], pretrained: LayerWeights) -> None:
        pretrained.save(self.folder / PRETRAINED)
        self.pictures.after_pretraining(plan, network, stage_models)


def _of_one_fold(spec: Spec) -> str:
    """What the rest of the results is about, where there are folds."""
    split = spec.data.split
    place = "last" if split.shown_fold else "first"
    return f"Scores, figures and the saved network are of the {place} of {split.times_trained} folds."


def _write_results(job: Job, folder: Path, network: Any, pictures: Pictures) -> Run:
    """`metrics.json` comes last: with it the run is finished."""
    from dlspec.building import with_preprocessing
    from dlspec.evaluation import evaluate
    from dlspec.training import as_array

    job.listener.note("evaluating")
    evaluation = evaluate(job.spec, network, job.data)
    with written_whole(folder / MODEL) as draft:
        with_preprocessing(network, job.data).save(draft)
    weighted = {layer.name: [as_array(weight) for weight in layer.weights] for layer in network.layers if layer.weights}
    LayerWeights(weighted).save(folder / TRAINED)
    write_predictions(folder, job.data, evaluation.predictions)
    pictures.after_training(network, evaluation.predictions)
    write_pictures(folder, pictures.arrays)
    results = evaluation.as_json()
    if pictures.facts:
        results["pretraining"] = pictures.facts
    results["notes"] = [*remarks(job, Run(folder).history, network, pictures.facts, results), *results["notes"]]
    comparison = compare(job, Run(folder), evaluation)
    if comparison is not None:
        results["compare"] = comparison
    folds = fold(job, Run(folder), evaluation)
    if folds is not None:
        results["folds"] = folds
        results["notes"] = [_of_one_fold(job.spec), *small_folds(job.data, folds["parts"]), *results["notes"]]
    job.listener.note("writing the report")
    environment = Run(folder).environment
    spent = round(environment.get("seconds", 0) + time.time() - job.began, 1)
    write_json(folder / ENVIRONMENT, {**environment, "seconds": spent})
    write_json(folder / METRICS, results)
    return Run(folder)
