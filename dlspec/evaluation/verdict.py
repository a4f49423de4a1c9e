"""Does a network beat the simplest guesses, or could that be chance?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from dlspec.evaluation.metrics import show_number
from dlspec.runtime.records import Record

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared

Array = np.ndarray
Outcome = Literal["better", "level", "worse", "alone"]


class Verdict(Record):
    """How the network did against the best baseline.

    Args:
        outcome: `better` or `worse` where the difference is larger than chance explains, else `level`.
        against: the baseline that did best.
        gain_of: what the network gains per sample over that baseline: squared error or log loss less, or accuracy more.
        gain: its mean over the test part.
        gain_interval: where it lies with 95% confidence.
    """

    outcome: Outcome
    sentence: str
    metric: str = ""
    against: str = ""
    gain_of: str = ""
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None


def judge(data: Prepared, on_test: Array, guesses: dict[str, Array]) -> Verdict:
    """Compares with the baseline that has the smallest loss, by a paired bootstrap over the test samples.

    Numbers are judged by squared error (said as RMSE), classes by accuracy, labels by log loss, inputs that are given
    back by squared error summed over their values.
    """
    target, truth = data.signature.target, np.asarray(data.test.truth)
    unit = " of a deviation" if target.is_mixed else f" {target.unit}" if target.unit else ""
    name = {"number": "RMSE", "class": "accuracy", "labels": "log loss", "input": "squared error"}[target.kind]
    article = "a" if target.kind in ("input", "labels") else "an"

    by = deviations(data) if target.columns else 1.0

    def losses(guess: Array) -> Array:
        if target.kind == "class":
            return (guess.argmax(axis=1) != truth).astype("float64")
        if target.kind == "labels":
            given = np.where(truth == 1, guess, 1 - guess)
            return np.asarray(-np.log(np.clip(given, 1e-12, 1)).mean(axis=1))
        return squared_errors(truth / by, guess / by) / max(1, len(target.columns))

    def said(guess: Array) -> str:
        if target.kind == "class":
            return f"{1 - losses(guess).mean():.1%}"
        if target.kind in ("input", "labels"):
            return show_number(losses(guess).mean())
        of_each = (((truth - guess) / by) ** 2).mean(axis=0) ** 0.5  # one number, or one of each target, as in tables
        return f"{show_number(of_each.mean())}{unit}"

    own = losses(on_test)
    if not guesses:
        sentence = f"On the test part the network has {article} {name} of {said(on_test)}; nothing to compare it with."
        return Verdict(outcome="alone", sentence=sentence, metric=name)
    best = min(guesses, key=lambda baseline: losses(guesses[baseline]).mean())
    other = losses(guesses[best])
    gain = other - own
    low, high = interval_of_mean(gain[_in_time(data)], _dependence(data))
    figures = f"{name} {said(on_test)} against {said(guesses[best])}"
    outcome: Outcome
    if low > 0:
        outcome, sentence = "better", f"The network beats `{best}`, the best simple guess: {figures}."
    elif high < 0:
        outcome, sentence = "worse", f"The network does worse than `{best}`, a simple guess: {figures}."
    else:
        outcome = "level"
        sentence = f"The network does not beat `{best}`: {figures}, a difference that chance explains."
    gain_of = {"class": "accuracy", "labels": "log loss"}.get(target.kind, "squared error")
    return Verdict(
        outcome=outcome,
        sentence=sentence,
        metric=name,
        against=best,
        gain_of=gain_of,
        gain=float(gain.mean()),
        gain_interval=(low, high),
    )


def squared_errors(truth: Array, guess: Array) -> Array:
    """Of each sample; of several values their sum."""
    errors = (truth - guess) ** 2
    return errors if errors.ndim == 1 else errors.sum(axis=1, dtype="float64")


def _dependence(data: Prepared) -> int:
    """How many neighbouring errors may depend on each other: forecasts over several timesteps overlap."""
    window = data.signature.window
    if window is None:
        return 1
    numbers = data.signature.target.kind == "number"
    shared = 2 * window.reach if numbers else window.length + window.reach  # an input, or a class, which goes on
    groups = 1 if data.groups is None else len(np.unique(data.groups[data.test.rows]))
    return max(shared, round((len(data.test) / groups) ** (1 / 3))) * groups


def _in_time(data: Prepared) -> Array:
    """The test samples in order of time; what several series have at one time stands side by side."""
    if data.groups is None or data.times is None:
        return np.arange(len(data.test))
    return np.argsort(data.times[data.test.rows], kind="stable")


def interval_of_mean(values: Array, block: int = 1, resamples: int = 2000) -> tuple[float, float]:
    """Where the mean lies with 95% confidence.

    By the circular block bootstrap (Politis and Romano, 1992), which with blocks of one is the bootstrap of Efron
    (1979); of many values by the normal law for the means of blocks.

    Args:
        values: one for each sample, in order of time where there is one.
        block: how many neighbours may depend on each other.
    """
    count = len(values)
    if count > 5000:
        means = values[: count // block * block].reshape(-1, block).mean(axis=1)
        half = 1.96 * means.std() / len(means) ** 0.5
        return float(values.mean() - half), float(values.mean() + half)
    random = np.random.default_rng(0)
    blocks = -(-count // block)
    along = np.arange(block)
    drawn = [
        values[(random.integers(0, count, (blocks, 1)) + along).ravel()[:count] % count].mean()
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def deviations(data: Prepared) -> Array:
    """By what errors of several numbers are divided, so that they can be put together: 1 where they have one unit."""
    target, truth = data.signature.target, np.asarray(data.train.truth)
    if not target.is_mixed:
        return np.ones(truth.shape[1])
    spread = truth.std(axis=0)
    return np.where(spread > 0, spread, 1.0)
