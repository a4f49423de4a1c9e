"""Does a network beat the simplest guesses, or could that be chance?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from dlspec.evaluation.intervals import Interval, interval_of_mean
from dlspec.evaluation.metrics import show_number
from dlspec.runtime.records import Record

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared

Array = np.ndarray
Outcome = Literal["better", "level", "worse", "too_few", "alone"]


class Verdict(Record):
    """How the network did against the best baseline.

    Args:
        outcome: `better` or `worse` where the difference is hardly chance, else `level`; `too_few` where the test part
            is worth too few independent samples to tell.
        against: the baseline that did best on the test part.
        gain_of: what the network gains per sample over that baseline: squared error or log loss less, or accuracy more.
        gain: its mean over the test part.
        gain_interval: where it lies with 95% confidence; None: that cannot be told.
        pieces: how many independent samples, groups or times the test part is worth; older runs do not say it.
    """

    outcome: Outcome
    sentence: str
    metric: str = ""
    against: str = ""
    gain_of: str = ""
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None
    pieces: float | None = None


def judge(data: Prepared, on_test: Array, guesses: dict[str, Array]) -> Verdict:
    """Compares with the baseline that has the smallest loss, by an interval of the mean of paired differences; see
    `interval_of_mean`, which allows for the choice of that baseline.

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
    gain = losses(guesses[best]) - own
    found = _interval(data, gain, len(guesses))
    figures = f"{name} {said(on_test)} against {said(guesses[best])}"
    outcome: Outcome
    if found.low is None or found.high is None:
        worth = f"{found.pieces:.3g} independent {found.of}" if found.pieces < len(gain) else f"{len(gain)} {found.of}"
        outcome = "too_few"
        sentence = f"Too few to tell whether the network beats `{best}`: {figures}, on what is worth {worth}."
    elif found.low > 0:
        outcome, sentence = "better", f"The network beats `{best}`, the best simple guess: {figures}."
    elif found.high < 0:
        outcome, sentence = "worse", f"The network does worse than `{best}`, a simple guess: {figures}."
    else:
        outcome = "level"
        sentence = f"The network does not beat `{best}`: {figures}, a difference that could be due to chance."
    gain_of = {"class": "accuracy", "labels": "log loss"}.get(target.kind, "squared error")
    return Verdict(
        outcome=outcome,
        sentence=sentence,
        metric=name,
        against=best,
        gain_of=gain_of,
        gain=float(gain.mean()),
        gain_interval=None if found.low is None or found.high is None else (found.low, found.high),
        pieces=found.pieces,
    )


def _interval(data: Prepared, gain: Array, rivals: int) -> Interval:
    """Of the mean gain over the best of so many baselines: samples may belong to groups, or follow each other."""
    from dlspec.data.preparation import to_words

    window, rows, name = data.signature.window, np.asarray(data.test.rows), data.signature.group
    least = 2 / (len(gain) + 2) if data.signature.target.kind == "class" else 0.0  # as if one more were won, one lost
    if window is None:
        groups = None if name is None else to_words(name, data.columns[name])[rows]
        return interval_of_mean(gain, groups=groups, rivals=rivals, least=least)
    groups = None if data.groups is None else data.groups[rows]
    times = data.times[rows] if data.times is not None else rows if groups is None else None
    return interval_of_mean(gain, groups=groups, times=times, reach=max(1, window.reach), rivals=rivals, least=least)


def squared_errors(truth: Array, guess: Array) -> Array:
    """Of each sample; of several values their sum."""
    errors = (truth - guess) ** 2
    return errors if errors.ndim == 1 else errors.sum(axis=1, dtype="float64")


def deviations(data: Prepared) -> Array:
    """By what errors of several numbers are divided, so that they can be put together: 1 where they have one unit."""
    target, truth = data.signature.target, np.asarray(data.train.truth)
    if not target.is_mixed:
        return np.ones(truth.shape[1])
    spread = truth.std(axis=0)
    return np.where(spread > 0, spread, 1.0)
