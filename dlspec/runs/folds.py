"""How much does the result depend on what is tested on? The network, trained and tested on every fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dlspec.evaluation.metrics import METRICS, judged_by
from dlspec.runs.folder import FOLDS, Run
from dlspec.runs.job import Job, load_data, plan_of
from dlspec.runs.repeats import Kept, spread, train_aside

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.evaluate import Evaluation


def fold(job: Job, run: Run, evaluation: Evaluation) -> dict[str, Any] | None:
    """What `metrics.json` says of the folds; None where the spec asks for none.

    Folds that were done before a run was stopped are not done again.

    Args:
        evaluation: of the fold whose network is kept.
    """
    split = job.spec.data.split
    if split.times_trained == 1:
        return None
    kept = Kept(run.folder / FOLDS)
    kept.once(partial(_result, job.data, evaluation), fold=split.shown_fold)
    results = [kept.once(partial(_train_fold, job, i), fold=i) for i in range(split.times_trained)]
    return summarize(results, judged_by(job.data.signature.target.kind, list(evaluation.test)))


def _train_fold(job: Job, number: int) -> dict[str, Any]:
    """Trains the network of the spec on another fold: all that is fitted is fitted to its own training part."""
    spec = job.spec.with_changes(evaluate=job.spec.evaluate.model_copy(update={"compare": None}))
    data = load_data(spec, number)
    words = f"fold {number + 1} of {spec.data.split.times_trained}"
    evaluation, _ = train_aside(job, spec, data, plan_of(spec, data), words)
    return _result(data, evaluation)


def _result(data: Prepared, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "parts": {name: len(getattr(data, name)) for name in ("train", "validation", "test")},
        "test": dict(evaluation.test),
        "baselines": {name: dict(scores) for name, scores in evaluation.baselines.items()},
    }


def summarize(results: Sequence[Mapping[str, Any]], judged: str) -> dict[str, Any]:
    """Means and spreads of the network and of the baselines, and a sentence.

    Args:
        judged: the metric that the sentence is about.
    """
    first = results[0]
    found: dict[str, Any] = {metric: spread([result["test"][metric] for result in results]) for metric in first["test"]}
    found["baselines"] = {
        name: {metric: spread([result["baselines"][name][metric] for result in results]) for metric in first["test"]}
        for name in first["baselines"]
    }
    found["parts"] = [dict(result["parts"]) for result in results]
    found["sentence"] = _sentence(found, judged)
    return found


def _sentence(found: Mapping[str, Any], metric: str) -> str:
    kind, own = METRICS[metric], found[metric]

    def said(values: Mapping[str, Any]) -> str:
        return f"{kind.show(values['mean'])} (sd {kind.show(values['sd'])})"

    count = len(own["values"])
    begins = f"Over {count} folds: {kind.label} {said(own)}"
    known = {name: scores[metric] for name, scores in found["baselines"].items() if scores[metric]["mean"] is not None}
    if not known or own["mean"] is None:
        return f"{begins}."
    sign = 1 if kind.better == "lower" else -1
    best = min(known, key=lambda name: sign * known[name]["mean"])
    pairs = zip(own["values"], known[best]["values"], strict=True)
    better = sum(None not in pair and sign * pair[0] < sign * pair[1] for pair in pairs)
    return f"{begins} against {said(known[best])} of `{best}`, better in {better} of them."
