"""A trained network and held-out data -> metrics beside the baselines, and a sentence of verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from dlspec.preparation import Part, Prepared
from dlspec.spec import Spec
from dlspec.training import predict

Array = np.ndarray
Scores = dict[str, float]


@dataclass(frozen=True)
class Verdict:
    """How the network did against the best baseline.

    Args:
        outcome: `better` or `worse` where the difference is larger than chance explains, else `level`.
        against: the baseline that did best.
        interval: 95% of bootstrap resamples of the test part put the network's gain here: squared error
            saved, or share of samples more that are right.
    """

    outcome: Literal["better", "level", "worse", "alone"]
    sentence: str
    metric: str = ""
    against: str = ""
    interval: tuple[float, float] | None = None


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

    def as_json(self) -> dict[str, Any]:
        """What `metrics.json` holds."""
        return {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "baselines": self.baselines,
            "verdict": asdict(self.verdict),
            "notes": list(self.notes),
        }


def evaluate(spec: Spec, network: Any, data: Prepared) -> Evaluation:
    """Metrics of every part, baselines on the test part, and the verdict; all in the target's own units."""
    metrics = spec.evaluate.metrics or []

    def predicted(part: Part) -> Array:
        return data.to_units(predict(network, part.inputs), part)

    def scores(part: Part, guess: Array) -> Scores:
        return {m.type_name: m.compute(part.truth, guess, data.naive_error) for m in metrics} if len(part) else {}

    on_test = predicted(data.test)
    guesses = {baseline.type_name: baseline.guess(data) for baseline in spec.evaluate.baselines or []}
    return Evaluation(
        scores(data.train, predicted(data.train)),
        scores(data.validation, predicted(data.validation)) if len(data.validation) else {},
        scores(data.test, on_test),
        {name: scores(data.test, guess) for name, guess in guesses.items()},
        judge(data, on_test, guesses),
        {"network": on_test, **guesses},
        tuple(_notes(spec, data)),
    )


def judge(data: Prepared, on_test: Array, guesses: dict[str, Array]) -> Verdict:
    """Compares with the baseline that has the smallest loss, by a paired bootstrap over the test samples.

    Numbers are judged by squared error (said as RMSE), classes by accuracy.
    """
    target, truth = data.signature.target, data.test.truth
    number = target.kind == "number"
    unit = f" {target.unit}" if target.unit else ""
    name = "RMSE" if number else "accuracy"

    def losses(guess: Array) -> Array:
        return (truth - guess) ** 2 if number else (guess.argmax(axis=1) != truth).astype("float64")

    def said(loss: Array) -> str:
        return f"{loss.mean() ** 0.5:,.4g}{unit}" if number else f"{1 - loss.mean():.1%}"

    own = losses(on_test)
    if not guesses:
        sentence = f"On the test part the network has an {name} of {said(own)}; nothing to compare it with."
        return Verdict("alone", sentence, name)
    best = min(guesses, key=lambda baseline: losses(guesses[baseline]).mean())
    other = losses(guesses[best])
    gain = other - own
    low, high = interval_of_mean(gain)
    figures = f"{name} {said(own)} against {said(other)}"
    if low > 0:
        outcome, sentence = "better", f"The network beats `{best}`, the best simple guess: {figures}."
    elif high < 0:
        outcome, sentence = "worse", f"The network does worse than `{best}`, a simple guess: {figures}."
    else:
        outcome = "level"
        sentence = f"The network does not beat `{best}`: {figures}, a difference that chance explains."
    return Verdict(outcome, sentence, name, best, (low, high))  # type: ignore[arg-type]


def interval_of_mean(values: Array, resamples: int = 2000) -> tuple[float, float]:
    """Where the mean lies with 95% confidence: by the bootstrap (Efron, 1979), of many values by the normal law."""
    if len(values) > 5000:
        half = 1.96 * values.std() / len(values) ** 0.5
        return float(values.mean() - half), float(values.mean() + half)
    random = np.random.default_rng(0)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _notes(spec: Spec, data: Prepared) -> list[str]:
    """What a reader should know to understand the result."""
    if data.signature.task != "series":
        return []
    target, predict_as = data.signature.target, spec.data.predict
    low, high = data.train.truth.min(), data.train.truth.max()
    outside = float(((data.test.truth < low) | (data.test.truth > high)).mean())
    drift = (
        f"{outside:.0%} of the test values of `{target.name}` lie outside the range of the training part "
        f"({low:,.4g} to {high:,.4g})"
    )
    if predict_as == "level" and outside > 0.1:
        return [
            f"{drift}, and a network that puts out the level itself cannot follow it there. "
            "`predict: return` or `predict: difference` lets it put out the change instead."
        ]
    if predict_as != "level":
        what = "logarithmic return" if predict_as == "return" else "change"
        return [
            f"The network sees and puts out the {what} from one timestep to the next; the metrics are of the level, "
            f"which is the last known value and the predicted {what} put together. {drift}: a network trained on "
            "levels would have to guess at values that it has never seen."
        ]
    return []
