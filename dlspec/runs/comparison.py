"""Did pretraining help? The same network, seeds and epochs of fine-tuning, with it and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.evaluation.metrics import METRICS
from dlspec.runs.folder import COMPARISON, Run
from dlspec.runs.job import Job, load_data, plan_of
from dlspec.runs.repeats import Kept, spread, train_aside
from dlspec.spec.planning import without_pretraining

if TYPE_CHECKING:
    from dlspec.evaluation.evaluate import Evaluation

WITH, WITHOUT = "with", "without"


def compare(job: Job, run: Run, evaluation: Evaluation) -> dict[str, Any] | None:
    """What `metrics.json` says of the comparison; None where the spec asks for none.

    Trainings that were done before a run was stopped are not done again.
    """
    wanted = job.spec.evaluate.compare
    if wanted is None:
        return None
    seeds = [job.spec.seed + i for i in range(wanted.without_pretraining.seeds)]
    kept = Kept(run.folder / COMPARISON)
    kept.once(partial(_arm, evaluation.test, run.history), arm=WITH, seed=job.spec.seed)
    arms = [
        kept.once(partial(_train_arm, job, name, seed), arm=name, seed=seed)
        for seed in seeds
        for name in (WITH, WITHOUT)
    ]
    return {"without_pretraining": summarize(arms, seeds, list(evaluation.test))}


def _train_arm(job: Job, name: str, seed: int) -> dict[str, Any]:
    """Trains the network of the spec with another seed, from its data on."""
    spec = job.spec.with_changes(
        seed=seed, evaluate=job.spec.evaluate.model_copy(update={"baselines": [], "compare": None})
    )
    data = job.data if seed == job.spec.seed else load_data(spec)
    plan = plan_of(spec, data)
    plan = without_pretraining(plan, spec) if name == WITHOUT else plan
    evaluation, history = train_aside(job, spec, data, plan, f"comparing: seed {seed}, {name} pretraining")
    return _arm(evaluation.test, [{"stage": row.stage, "loss": row.loss, "val_loss": row.val_loss} for row in history])


def _arm(scores: Mapping[str, float], history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tuned = [row for row in history if row["stage"].startswith("fine_tune")]
    return {
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
