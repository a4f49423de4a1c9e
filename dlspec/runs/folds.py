"""How much does the result depend on what is tested on? The network, trained and tested on every fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.outcome import Outcome, Verdict
from dlspec.evaluation.verdict import best_of, judge_trainings, verdict_of
from dlspec.runs.job import Job, load_data, plan_of
from dlspec.runs.names import FOLDS, file_of
from dlspec.runs.records.data import Parts
from dlspec.runs.records.metrics import Fold, Folds, SavedModel, Spread, known
from dlspec.runs.repeats import Done, Judged, Kept, once, show_spreads, spread, train_aside
from dlspec.runs.saved_check import check_aside

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared


def fold(job: Job, folder: Path, judged: Sequence[Judged]) -> list[Folds]:
    """What `metrics.json` says of the folds, of each output; nothing where the spec asks for none.

    Folds that were done before a run was stopped are not done again.

    Args:
        judged: what came of the fold whose network is kept.
    """
    split = job.spec.data.split
    if split.times_trained == 1:
        return []
    kept = [
        Kept(
            folder / file_of(FOLDS, own.name if place else ""),
            Fold,
            ("fold",),
            {"test": own.evaluation.test, "baselines": own.evaluation.baselines},
        )
        for place, own in enumerate(judged)
    ]
    once(kept, lambda: [_result(split.shown_fold, own) for own in judged], split.shown_fold)
    done = [once(kept, partial(_train_fold, job, i), i) for i in range(split.times_trained)]
    return [
        summarize(each, own.job.data, own.judged_by) for each, own in zip(zip(*done, strict=True), judged, strict=True)
    ]


def _train_fold(job: Job, number: int) -> list[Done[Fold]]:
    """Trains the network of the spec on another fold: all that is fitted is fitted to its own training part."""
    spec = job.spec.with_changes(evaluate=job.spec.evaluate.model_copy(update={"compare": None}))
    data = load_data(spec, number)
    words = f"fold {number + 1} of {spec.data.split.times_trained}"
    found = []
    for own in train_aside(job, spec, data, plan_of(spec, data), words):
        aside = check_aside(own.job.spec, own.job.data, own.network, own.evaluation.predictions["network"])
        found.append(_result(number, own, aside))
    return found


def _result(number: int, judged: Judged, saved: SavedModel | None = None) -> Done[Fold]:
    data, evaluation = judged.job.data, judged.evaluation
    found = Fold(
        fold=number,
        parts=Parts(train=len(data.train), validation=len(data.validation), test=len(data.test)),
        test=known(evaluation.test),
        baselines={name: known(scores) for name, scores in evaluation.baselines.items()},
        saved_model=saved,
    )
    return Done.of(found, data, evaluation)


def summarize(done: Sequence[Done[Fold]], data: Prepared, judged: str) -> Folds:
    """Means and spreads of the network and of the baselines, and a verdict.

    Args:
        data: of any of the folds.
        judged: the metric that the verdict is said with.
    """
    results = [each.entry for each in done]
    first = results[0]
    own = {metric: spread([result.test[metric] for result in results]) for metric in first.test}
    baselines = {
        name: {metric: spread([result.baselines[name][metric] for result in results]) for metric in first.test}
        for name in first.baselines
    }
    verdict = _verdict(done, data, own[judged], {name: found[judged] for name, found in baselines.items()}, judged)
    return Folds(
        **own,
        baselines=baselines,
        parts=tuple(result.parts for result in results),
        sentence=verdict.sentence,
        verdict=verdict,
        saved_models=tuple(result.saved_model for result in results),
    )


def _verdict(
    done: Sequence[Done[Fold]], data: Prepared, own: Spread, baselines: Mapping[str, Spread], judged: str
) -> Verdict:
    """On the network against the baseline that does best on all folds together."""
    metric, over = METRICS[judged], f"Over {len(done)} folds"
    if not baselines:
        (shown,) = show_spreads([own], metric)
        return Verdict(outcome="alone", sentence=f"{over}: {metric.label} {shown}.", metric=metric.label)
    losses = {name: [each.losses[name] for each in done] for name in ("network", *baselines)}
    best = best_of({name: np.concatenate(losses[name]) for name in baselines})
    share = float(np.mean([each.entry.parts.test / each.entry.parts.train for each in done]))
    rows = [each.rows for each in done]
    found = judge_trainings(data, losses["network"], losses[best], rows, share, rivals=len(baselines))
    says: dict[Outcome, str] = {
        "better": f"{over} the network beats `{best}`, the best simple guess",
        "worse": f"{over} the network does worse than `{best}`, a simple guess",
        "level": f"{over} the network does not beat `{best}`",
        "too_few": f"{over} there is too little to tell whether the network beats `{best}`",
    }
    one, other = show_spreads([own, baselines[best]], metric)
    better = sum(metric.is_better(a, b) for a, b in zip(own.values, baselines[best].values, strict=True))
    figures = f"{metric.label} {one} against {other}, better in {better} of them"
    return verdict_of(data.signature.target.judged_as, found, says, figures, metric.label, best)
