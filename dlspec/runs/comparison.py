"""Did pretraining help? The same network, seeds and epochs of fine-tuning, with it and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.outcome import Outcome, Verdict
from dlspec.evaluation.verdict import judge_trainings, verdict_of
from dlspec.runs.job import Job, load_data, plan_of
from dlspec.runs.names import COMPARISON, file_of
from dlspec.runs.records.metrics import Arm, ArmName, Compared, Comparisons, Spread, known
from dlspec.runs.repeats import Done, Judged, Kept, once, show_spreads, spread, train_aside
from dlspec.spec.planning import without_pretraining

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared

WITH: ArmName = "with"
WITHOUT: ArmName = "without"


def compare(job: Job, folder: Path, judged: Sequence[Judged]) -> list[Comparisons]:
    """What `metrics.json` says of the comparison, of each output; nothing where the spec asks for none.

    Trainings that were done before a run was stopped are not done again.

    Args:
        judged: what came of the run itself.
    """
    wanted = job.spec.evaluate.compare
    if wanted is None:
        return []
    seeds = [job.spec.seed + i for i in range(wanted.without_pretraining.seeds)]
    kept = [
        Kept(
            folder / file_of(COMPARISON, own.name if place else ""),
            Arm,
            ("arm", "seed"),
            {"test": own.evaluation.test},
        )
        for place, own in enumerate(judged)
    ]
    once(kept, lambda: [_arm(WITH, job.spec.seed, own) for own in judged], WITH, job.spec.seed)
    done = [once(kept, partial(_train_arm, job, name, seed), name, seed) for seed in seeds for name in (WITH, WITHOUT)]
    return [
        Comparisons(without_pretraining=summarize(each, own.job.data, seeds, list(own.evaluation.test)))
        for each, own in zip(zip(*done, strict=True), judged, strict=True)
    ]


def _train_arm(job: Job, name: ArmName, seed: int) -> list[Done[Arm]]:
    """Trains the network of the spec with another seed, from its data on."""
    spec = job.spec.with_changes(
        seed=seed, evaluate=job.spec.evaluate.model_copy(update={"baselines": [], "compare": None})
    )
    data = job.data if seed == job.spec.seed else load_data(spec)
    plan = plan_of(spec, data)
    plan = without_pretraining(plan, spec) if name == WITHOUT else plan
    trained = train_aside(job, spec, data, plan, f"comparing: seed {seed}, {name} pretraining")
    return [_arm(name, seed, own) for own in trained]


def _arm(name: ArmName, seed: int, judged: Judged) -> Done[Arm]:
    tuned = [row for row in judged.history if row.stage.startswith("fine_tune")]
    found = Arm(
        arm=name,
        seed=seed,
        test=known(judged.evaluation.test),
        loss=tuple(row.loss for row in tuned),
        val_loss=tuple(row.val_loss for row in tuned),
    )
    return Done.of(found, judged.job.data, judged.evaluation)


def summarize(done: Sequence[Done[Arm]], data: Prepared, seeds: Sequence[int], metrics: Sequence[str]) -> Compared:
    """Means and spreads of both, and a verdict.

    Args:
        data: of any of the seeds.
    """
    arms = {name: [each for each in done if each.entry.arm == name] for name in (WITH, WITHOUT)}
    one, other = (
        {metric: spread([each.entry.test[metric] for each in arms[name]]) for metric in metrics}
        for name in (WITH, WITHOUT)
    )
    verdict = _verdict(arms, data, one[metrics[0]], other[metrics[0]], metrics[0])
    return Compared(
        seeds=tuple(seeds),
        with_=one,
        without=other,
        sentence=verdict.sentence,
        verdict=verdict,
        arms=tuple(each.entry for each in done),
    )


def _verdict(
    arms: Mapping[ArmName, Sequence[Done[Arm]]], data: Prepared, one: Spread, other: Spread, judged: str
) -> Verdict:
    losses = {name: [each.losses["network"] for each in own] for name, own in arms.items()}
    rows, share = [each.rows for each in arms[WITH]], len(data.test) / len(data.train)
    found = judge_trainings(data, losses[WITH], losses[WITHOUT], rows, share)
    says: dict[Outcome, str] = {
        "better": "Pretraining helps",
        "worse": "Pretraining does harm",
        "level": "It is not shown that pretraining helps",
        "too_few": "Too few to tell whether pretraining helps",
    }
    metric, seeds = METRICS[judged], len(rows)
    better = sum(metric.is_better(a, b) for a, b in zip(one.values, other.values, strict=True))
    over = "with one seed" if seeds == 1 else f"over {seeds} seeds, with pretraining better in {better} of them"
    shown = show_spreads([one, other], metric)
    figures = f"{metric.label} {shown[0]} with pretraining and {shown[1]} without, {over}"
    return verdict_of(data.signature.target.judged_as, found, says, figures, metric.label, WITHOUT)
