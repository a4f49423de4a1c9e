"""Did pretraining help? The same network, seeds and epochs of fine-tuning, with it and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dlspec.evaluation.metrics import METRICS
from dlspec.runs.folder import COMPARISON, Run
from dlspec.runs.job import Job, load_data, plan_of
from dlspec.runs.records.metrics import Arm, ArmName, Compared, Comparisons, Spread, known
from dlspec.runs.repeats import Kept, spread, train_aside
from dlspec.spec.planning import without_pretraining

if TYPE_CHECKING:
    from dlspec.evaluation.evaluate import Evaluation
    from dlspec.training.progress import HistoryRow

WITH: ArmName = "with"
WITHOUT: ArmName = "without"


def compare(job: Job, run: Run, evaluation: Evaluation) -> Comparisons | None:
    """What `metrics.json` says of the comparison; None where the spec asks for none.

    Trainings that were done before a run was stopped are not done again.
    """
    wanted = job.spec.evaluate.compare
    if wanted is None:
        return None
    seeds = [job.spec.seed + i for i in range(wanted.without_pretraining.seeds)]
    kept = Kept(run.folder / COMPARISON, Arm, ("arm", "seed"), {"test": evaluation.test})
    kept.once(partial(_arm, WITH, job.spec.seed, evaluation.test, run.history), WITH, job.spec.seed)
    arms = [kept.once(partial(_train_arm, job, name, seed), name, seed) for seed in seeds for name in (WITH, WITHOUT)]
    return Comparisons(without_pretraining=summarize(arms, seeds, list(evaluation.test)))


def _train_arm(job: Job, name: ArmName, seed: int) -> Arm:
    """Trains the network of the spec with another seed, from its data on."""
    spec = job.spec.with_changes(
        seed=seed, evaluate=job.spec.evaluate.model_copy(update={"baselines": [], "compare": None})
    )
    data = job.data if seed == job.spec.seed else load_data(spec)
    plan = plan_of(spec, data)
    plan = without_pretraining(plan, spec) if name == WITHOUT else plan
    _, evaluation, history = train_aside(job, spec, data, plan, f"comparing: seed {seed}, {name} pretraining")
    return _arm(name, seed, evaluation.test, history)


def _arm(name: ArmName, seed: int, scores: Mapping[str, float], history: Sequence[HistoryRow]) -> Arm:
    tuned = [row for row in history if row.stage.startswith("fine_tune")]
    return Arm(
        arm=name,
        seed=seed,
        test=known(scores),
        loss=tuple(row.loss for row in tuned),
        val_loss=tuple(row.val_loss for row in tuned),
    )


def summarize(arms: Sequence[Arm], seeds: Sequence[int], metrics: Sequence[str]) -> Compared:
    """Means and spreads of both, and a sentence."""
    of_seed = {(arm.arm, arm.seed): arm for arm in arms}
    one, other = (
        {metric: spread([of_seed[name, seed].test[metric] for seed in seeds]) for metric in metrics}
        for name in (WITH, WITHOUT)
    )
    return Compared(
        seeds=tuple(seeds),
        with_=one,
        without=other,
        sentence=_sentence(one[metrics[0]], other[metrics[0]], metrics[0], len(seeds)),
        arms=tuple(of_seed[name, seed] for seed in seeds for name in (WITH, WITHOUT)),
    )


def _sentence(one: Spread, other: Spread, metric: str, seeds: int) -> str:
    kind = METRICS[metric]

    def said(values: Spread) -> str:
        return f"{kind.show(values.mean)}{f' (sd {kind.show(values.sd)})' if values.sd is not None else ''}"

    sign = 1 if kind.better == "lower" else -1
    pairs = zip(one.values, other.values, strict=True)
    better = sum(a is not None and b is not None and sign * a < sign * b for a, b in pairs)
    over = "with one seed" if seeds == 1 else f"over {seeds} seeds, with pretraining better in {better} of them"
    return f"{kind.label} {said(one)} with pretraining and {said(other)} without, {over}."
