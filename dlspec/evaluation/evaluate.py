"""A trained network and held-out data -> metrics beside the baselines, and a sentence of verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.preparation import Part, Prepared, class_shares
from dlspec.evaluation.metrics import Metric, show_number
from dlspec.evaluation.section import EvaluateSpec
from dlspec.evaluation.verdict import Verdict, deviations, judge
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.training.values import predict

Array = np.ndarray
Scores = dict[str, float]
READ_AGAIN = 20_000
"""Of a training part that is not in memory, samples that it is judged by."""


@dataclass(frozen=True)
class Evaluation:
    """All results. `predictions` are of the test part: truth, network and each baseline."""

    train: Scores
    validation: Scores
    test: Scores
    baselines: dict[str, Scores]
    verdict: Verdict
    predictions: dict[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    by_value: dict[str, dict[str, Scores]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What `metrics.json` holds."""
        several = {"by_target": self.by_value} if self.by_value else {}
        return {
            **several,
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "baselines": self.baselines,
            "verdict": self.verdict.model_dump(mode="json"),
            "notes": list(self.notes),
        }


def evaluate(section: EvaluateSpec, network: Any, data: Prepared, *, stops_early: bool = False) -> Evaluation:
    """Metrics of every part, baselines on the test part, and the verdict; all in the target's own units.

    Args:
        stops_early: whether early stopping looked at the validation part.
    """
    metrics = section.metrics or []

    def predicted(part: Part) -> Array:
        return data.to_units(predict(network, part.inputs), part)

    def scores(part: Part, guess: Array) -> Scores:
        truth = np.asarray(part.truth)
        if not len(part):
            return {}
        if data.signature.target.columns:
            return mean_scores(metrics, data, truth, guess)
        return {m.type_name: m.compute(truth, guess, _naive_of(data, 0)) for m in metrics}

    on_test = predicted(data.test)
    if not np.isfinite(on_test).all():
        raise TrainingError.of(
            "loss-not-finite",
            "the trained network puts out values that are no numbers",
            help="lower `learning_rate` under `train`, or add `clipnorm: 1` to the optimizer",
        )
    train = data.train
    if is_read_later(train.inputs) and len(train) > READ_AGAIN:
        train = train.at(np.linspace(0, len(train) - 1, READ_AGAIN).astype(int))
    guesses = {baseline.type_name: baseline.guess(data) for baseline in section.baselines or []}
    return Evaluation(
        scores(train, predicted(train)),
        scores(data.validation, predicted(data.validation)) if len(data.validation) else {},
        scores(data.test, on_test),
        {name: scores(data.test, guess) for name, guess in guesses.items()},
        judge(data, on_test, guesses),
        {"network": on_test, **guesses},
        tuple(_notes(data, stops_early)),
        by_value(metrics, data, {"network": on_test, **guesses}),
    )


def by_value(metrics: Sequence[Metric], data: Prepared, guesses: Mapping[str, Array]) -> dict[str, dict[str, Scores]]:
    """Of several numbers or labels: value -> who guesses -> metrics on the test part, in the value's own units.

    A label is a class of two, which metrics that speak of several labels cannot judge.
    """
    truth = np.asarray(data.test.truth)
    labels = data.signature.target.kind == "labels"
    if labels:
        metrics = [metric for metric in metrics if not metric.of_several]

    def score(metric: Metric, guess: Array, i: int) -> float:
        if labels:
            return metric.compute(truth[:, i], class_shares(guess[:, [i]]))
        return metric.compute(truth[:, i], guess[:, i], _naive_of(data, i))

    return {
        name: {who: {m.type_name: score(m, guess, i) for m in metrics} for who, guess in guesses.items()}
        for i, name in enumerate(data.signature.target.values)
    }


def mean_scores(metrics: Sequence[Metric], data: Prepared, truth: Array, guess: Array) -> Scores:
    """Of several numbers, the mean of each metric over them.

    Where they may have several units, metrics that have one are of values divided by their deviation in the training
    part, since meters and tons have no mean.
    """
    spreads = deviations(data)
    found: Scores = {}
    for metric in metrics:
        by = spreads if metric.unit in ("target", "squared") else np.ones(truth.shape[1])
        each = [
            metric.compute(truth[:, i] / by[i], guess[:, i] / by[i], _naive_of(data, i)) for i in range(truth.shape[1])
        ]
        found[metric.type_name] = float(np.mean(each))
    return found


def _naive_of(data: Prepared, place: int) -> float | None:
    return None if data.naive_error is None else float(np.atleast_1d(data.naive_error)[place])


def _notes(data: Prepared, stops_early: bool) -> list[str]:
    """What a reader should know to understand the result."""
    notes = [*data.notes]
    if is_read_later(data.train.inputs) and len(data.train) > READ_AGAIN:
        notes.append(f"The figures of the training part are of {READ_AGAIN:,} samples of it, drawn evenly.")
    if len(data.unlabeled) and stops_early:
        notes.append(
            f"Beside the {len(data.train):,} labels trained on, early stopping looked at the {len(data.validation):,} "
            "labelled samples of the validation part."
        )
    if data.left_out:
        notes.append(
            f"{data.left_out:,} unlabeled samples were left out of pretraining, as they stand in the validation or "
            "test part."
        )
    if data.signature.task == "reconstruction":
        notes.append(
            "Errors are of the inputs as the network sees them, which is scaled. The squared error is summed over all "
            "values of a sample."
        )
    if data.signature.target.kind == "labels":
        notes.append("`by_target` in `metrics.json` has the metrics of every label alone.")
    if data.signature.target.is_mixed:
        notes.append(
            "Metrics with a unit are means over the targets, each divided by its deviation in the training part; "
            "`by_target` in `metrics.json` has every target in its own unit."
        )
    elif data.signature.target.columns:
        notes.append(
            "Metrics are means over all values that are predicted; `by_target` in `metrics.json` has each of them."
        )
    target, change, window = data.signature.target, data.preprocessing.change, data.signature.window
    if data.gaps and window is not None:
        number = data.gaps.number
        one = f"one of {number:,} gaps in time, steps" if number > 1 else "a gap in time, a step"
        lost = f"{data.gaps.windows:,} window{'s' * (data.gaps.windows != 1)}"
        notes.append(f"Left out: {lost} across {one} of more than {window.gap} times the usual one.")
    if data.signature.task != "series" or len(target.names) > 1:
        return notes
    assert window is not None, "a series has a window"
    trained, tested = np.asarray(data.train.truth), np.asarray(data.test.truth)
    low, high = trained.min(), trained.max()
    outside = float(((tested < low) | (tested > high)).mean())
    drift = (
        f"{outside:.0%} of the test values of `{target.name}` lie outside the range of the training part "
        f"({show_number(low)} to {show_number(high)})"
    )
    if change == "level":
        if outside > 0.1:
            notes.append(
                f"{drift}, and a network that puts out the level itself cannot follow it there. "
                "`predict: return` or `predict: difference` lets it put out the change instead."
            )
        return notes
    what = "logarithmic return" if change == "return" else "change"
    over = "to the next timestep" if window.horizon == 1 else f"over the next {window.horizon} timesteps"
    notes.append(
        f"The network sees every column as its {what} from timestep to timestep, and puts out the {what} of "
        f"`{target.name}` {over}. The metrics are of the level: the last known value and the predicted {what} together."
        + (
            f" {drift}: a network that sees levels would have to guess at what it has never seen."
            if outside > 0.1
            else ""
        )
    )
    return notes
