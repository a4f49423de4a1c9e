"""Did pretraining help? The same network, seeds and epochs of fine-tuning, with it and without."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.files import write_json
from dlspec.metrics import METRICS
from dlspec.runs.folder import COMPARISON, Run
from dlspec.runs.jobs import Job, load_data
from dlspec.training.progress import Listener

if TYPE_CHECKING:
    from dlspec.evaluation import Evaluation
    from dlspec.plans import Stage
    from dlspec.training import HistoryRow

WITH, WITHOUT = "with", "without"


def compare(job: Job, run: Run, evaluation: Evaluation) -> dict[str, Any] | None:
    """What `metrics.json` says of the comparison; None where the spec asks for none.

    Trainings that were done before a run was stopped are not done again.
    """
    wanted = job.spec.evaluate.compare
    if wanted is None:
        return None
    seeds = [job.spec.seed + i for i in range(wanted.without_pretraining.seeds)]
    path = run.folder / COMPARISON
    arms: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    if not arms:
        arms.append(_arm(WITH, job.spec.seed, evaluation.test, run.history))
    done = {(arm["arm"], arm["seed"]) for arm in arms}
    for seed in seeds:
        for name in (WITH, WITHOUT):
            if (name, seed) not in done:
                arms.append(_train_arm(job, name, seed))
                path.parent.mkdir(exist_ok=True)
                write_json(path, arms)
    return {"without_pretraining": summarize(arms, seeds, list(evaluation.test))}


def _train_arm(job: Job, name: str, seed: int) -> dict[str, Any]:
    """Trains the network of the spec with another seed, from its data on."""
    from dlspec.building import build_network
    from dlspec.evaluation import evaluate
    from dlspec.training import Trainer, seed_everything

    spec = job.spec.with_changes(
        seed=seed, evaluate=job.spec.evaluate.model_copy(update={"baselines": [], "compare": None})
    )
    data = job.data if seed == job.spec.seed else load_data(spec)
    plan = job.plan.without_pretraining(spec) if name == WITHOUT else job.plan
    words = f"comparing: seed {seed}, {name} pretraining"
    job.listener.note(words)
    seed_everything(seed, "network")
    network = build_network(plan.graph, spec.name, one_input=True)
    trainer = Trainer(
        spec, plan, data, network, listener=_Aside(job.listener, words), save=lambda checkpoint: None, taken=job.taken
    )
    history = trainer.run()
    rows = [{"stage": row.stage, "loss": row.loss, "val_loss": row.val_loss} for row in history]
    return _arm(name, seed, evaluate(spec, network, data).test, rows)


def _arm(name: str, seed: int, scores: Mapping[str, float], history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tuned = [row for row in history if row["stage"].startswith("fine_tune")]
    return {
        "arm": name,
        "seed": seed,
        "test": dict(scores),
        "loss": [row["loss"] for row in tuned],
        "val_loss": [row["val_loss"] for row in tuned],
    }


def summarize(arms: Sequence[Mapping[str, Any]], seeds: Sequence[int], metrics: Sequence[str]) -> dict[str, Any]:
    """Means and spreads of both, and a sentence."""
    of_seed = {(arm["arm"], arm["seed"]): arm for arm in arms}
    found: dict[str, Any] = {"seeds": list(seeds)}
    for name in (WITH, WITHOUT):
        found[name] = {metric: spread([of_seed[name, seed]["test"][metric] for seed in seeds]) for metric in metrics}
    found["sentence"] = _sentence(found, metrics[0], len(seeds))
    found["arms"] = [dict(of_seed[name, seed]) for seed in seeds for name in (WITH, WITHOUT)]
    return found


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation over seeds; of one seed there is no deviation."""
    given = np.array(values, "float64")
    return {
        "mean": float(given.mean()),
        "sd": float(given.std(ddof=1)) if len(given) > 1 else None,
        "values": [float(value) for value in given],
    }


def _sentence(found: Mapping[str, Any], metric: str, seeds: int) -> str:
    kind = METRICS[metric]

    def said(arm: str) -> str:
        values = found[arm][metric]
        apart = f" (sd {kind.show(values['sd'])})" if values["sd"] is not None else ""
        return f"{kind.show(values['mean'])}{apart}"

    one, other = (np.array(found[arm][metric]["values"]) for arm in (WITH, WITHOUT))
    better = int(((one < other) if kind.better == "lower" else (one > other)).sum())
    over = "with one seed" if seeds == 1 else f"over {seeds} seeds, with pretraining better in {better} of them"
    return f"{kind.label} {said(WITH)} with pretraining and {said(WITHOUT)} without, {over}."


@dataclass(frozen=True)
class _Aside(Listener):
    """Tells of a training beside the run only how far it is."""

    listener: Listener
    words: str

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        self.listener.goes_on(f"{self.words}: {stage.name}, epoch {row.epoch} of {stage.epochs}")
