"""How much does the result depend on what is tested on? The network, trained and tested on every fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dlspec.evaluation.metrics import METRICS, judged_by
from dlspec.runs.folder import FOLDS, Run
from dlspec.runs.job import Job, load_data, plan_of
from dlspec.runs.records.data import Parts
from dlspec.runs.records.metrics import Fold, Folds, SavedModel, Spread, known
from dlspec.runs.repeats import Kept, spread, train_aside
from dlspec.runs.saved_check import check_aside

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.evaluate import Evaluation


def fold(job: Job, run: Run, evaluation: Evaluation) -> Folds | None:
    """What `metrics.json` says of the folds; None where the spec asks for none.

    Folds that were done before a run was stopped are not done again.

    Args:
        evaluation: of the fold whose network is kept.
    """
    split = job.spec.data.split
    if split.times_trained == 1:
        return None
    kept = Kept(run.folder / FOLDS, Fold, ("fold",), {"test": evaluation.test, "baselines": evaluation.baselines})
    kept.once(partial(_result, split.shown_fold, job.data, evaluation), split.shown_fold)
    results = [kept.once(partial(_train_fold, job, i), i) for i in range(split.times_trained)]
    return summarize(results, judged_by(job.data.signature.target.kind, list(evaluation.test)))


def _train_fold(job: Job, number: int) -> Fold:
    """Trains the network of the spec on another fold: all that is fitted is fitted to its own training part."""
    spec = job.spec.with_changes(evaluate=job.spec.evaluate.model_copy(update={"compare": None}))
    data = load_data(spec, number)
    words = f"fold {number + 1} of {spec.data.split.times_trained}"
    network, evaluation, _ = train_aside(job, spec, data, plan_of(spec, data), words)
    return _result(number, data, evaluation, check_aside(spec, data, network, evaluation.predictions["network"]))


def _result(number: int, data: Prepared, evaluation: Evaluation, saved: SavedModel | None = None) -> Fold:
    return Fold(
        fold=number,
        parts=Parts(train=len(data.train), validation=len(data.validation), test=len(data.test)),
        test=known(evaluation.test),
        baselines={name: known(scores) for name, scores in evaluation.baselines.items()},
        saved_model=saved,
    )


def summarize(results: Sequence[Fold], judged: str) -> Folds:
    """Means and spreads of the network and of the baselines, and a sentence.

    Args:
        judged: the metric that the sentence is about.
    """
    first = results[0]
    own = {metric: spread([result.test[metric] for result in results]) for metric in first.test}
    baselines = {
        name: {metric: spread([result.baselines[name][metric] for result in results]) for metric in first.test}
        for name in first.baselines
    }
    return Folds(
        **own,
        baselines=baselines,
        parts=tuple(result.parts for result in results),
        sentence=_sentence(own, baselines, judged),
        saved_models=tuple(result.saved_model for result in results),
    )


def _sentence(own: Mapping[str, Spread], baselines: Mapping[str, Mapping[str, Spread]], metric: str) -> str:
    kind, network = METRICS[metric], own[metric]

    def said(values: Spread) -> str:
        return f"{kind.show(values.mean)} (sd {kind.show(values.sd)})"

    count = len(network.values)
    begins = f"Over {count} folds: {kind.label} {said(network)}"
    judged = {name: spreads[metric] for name, spreads in baselines.items()}
    means = {name: values.mean for name, values in judged.items() if values.mean is not None}
    if not means or network.mean is None:
        return f"{begins}."
    sign = 1 if kind.better == "lower" else -1
    best = min(means, key=lambda name: sign * means[name])
    pairs = zip(network.values, judged[best].values, strict=True)
    better = sum(a is not None and b is not None and sign * a < sign * b for a, b in pairs)
    return f"{begins} against {said(judged[best])} of `{best}`, better in {better} of them."
