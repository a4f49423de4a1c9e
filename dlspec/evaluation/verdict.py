"""Does a network beat the simplest guesses, or could that be chance?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.intervals import Dependence, Interval, interval_of_mean, interval_of_trainings
from dlspec.evaluation.metrics import show_apart, show_number
from dlspec.evaluation.metrics.quantiles import pinball
from dlspec.evaluation.mixtures import log_density
from dlspec.evaluation.outcome import Outcome, Verdict
from dlspec.evaluation.score_intervals import worth
from dlspec.evaluation.sequences import WRITTEN, exact

if TYPE_CHECKING:
    from dlspec.evaluation.judged import Judged

Array = np.ndarray

NAMES = {
    "number": "RMSE",
    "quantiles": "pinball loss",
    "mixture": "log likelihood",
    "class": "accuracy",
    "labels": "log loss",
    "tokens": "perplexity",
    "sequence": "exact match",
    "input": "squared error",
}
"""What a target is judged as -> the figure of verdicts."""
GAIN_OF = {
    "class": "accuracy",
    "labels": "log loss",
    "tokens": "log loss",
    "quantiles": "pinball loss",
    "mixture": "log likelihood",
    "sequence": "exact match",
}
"""What a target is judged as -> what a network gains, where that is not squared error."""
WHOLE = ("class", "sequence")
"""What is right or wrong."""


def judge(data: Judged, on_test: Array, guesses: Mapping[str, Array]) -> Verdict:
    """Compares with the baseline that has the smallest loss, by an interval of the mean of paired differences; see
    `interval_of_mean`, which allows for the choice of that baseline.

    Numbers are judged by squared error (said as RMSE), their quantiles by pinball loss, mixtures by log likelihood,
    classes by accuracy, labels by
    log loss, tokens by log loss (said as perplexity), inputs that are given back by squared error summed over their
    values.
    """
    target, truth = data.signature.target, np.asarray(data.test.truth)
    kind, name = target.judged_as, NAMES[target.judged_as]
    by = data.deviations if target.columns else 1.0

    def figure(guess: Array) -> float:
        if kind in WHOLE:
            return float(1 - losses_of(data, guess).mean())
        if kind == "tokens":
            return math.exp(losses_of(data, guess).mean())
        if target.places:
            return float(losses_of(data, guess).mean() ** 0.5)
        if kind == "mixture":
            return -float(losses_of(data, guess).mean())
        if kind in ("input", "labels", "quantiles"):
            return float(losses_of(data, guess).mean())
        errors = ((truth - guess) / by) ** 2
        of_each = np.average(errors, axis=0, weights=data.test.weights) ** 0.5  # one number, or one of each target
        return float(of_each.mean())

    unit = " of a deviation" if target.is_mixed else f" {target.unit}" if target.unit else ""

    def show(value: float, digits: int = 4) -> str:
        if kind in WHOLE:
            return f"{value:.{digits - 3}%}"
        if kind == "mixture":
            return f"{show_number(value, digits)} nats"
        return f"{show_number(value, digits)}{unit if kind in ('number', 'quantiles') else ''}"

    if not guesses:
        has = f"has {'an' if kind in ('number', 'class') else 'a'} {name} of {show(figure(on_test))}"
        sentence = f"The network {has}; nothing to compare it with."
        return Verdict(outcome="alone", sentence=sentence, metric=name)
    own, losses = losses_of(data, on_test), {baseline: losses_of(data, guess) for baseline, guess in guesses.items()}
    best = best_of(losses)
    rows = np.asarray(data.test.rows)
    gain = losses[best] - own
    found = interval_of_gain(gain, dependence_of(data, rows), kind, places_of(data), data.test.weights, len(guesses))
    own_figure, other = show_apart([figure(on_test), figure(guesses[best])], show)
    says: dict[Outcome, str] = {
        "better": f"The network beats `{best}`, the best simple guess",
        "worse": f"The network does worse than `{best}`, a simple guess",
        "level": f"The network does not beat `{best}`",
        "too_few": f"Too few to tell whether the network beats `{best}`",
    }
    return verdict_of(kind, found, says, f"{name} {own_figure} against {other}", name, best)


def interval_of_gain(
    gain: Array, dependence: Dependence, kind: str, places: float = 1, weights: Array | None = None, rivals: int = 1
) -> Interval:
    """An interval of the mean gain of one network over another guess; see `interval_of_mean`.

    Args:
        gain: of each sample, which its weight has been multiplied by.
        kind, places: of the target.
        weights: of the samples; None: all alike. They are worth fewer of equal weight, which `pieces` counts.
    """
    count = len(gain)
    share = worth(count, weights) / max(1, count)
    least = least_variance(kind, round(count * share), places) / share
    found = interval_of_mean(gain, dependence, rivals=rivals, least=least)
    return found._replace(pieces=found.pieces * share) if share < 1 and found.of == "samples" else found


def judge_trainings(
    data: Judged, own: Sequence[Array], other: Sequence[Array], rows: Sequence[Array], share: float, rivals: int = 1
) -> Interval:
    """What one way to train gains over another by several trainings: folds, or seeds; see `interval_of_trainings`.

    Args:
        own, other: losses of each training, of each row that it is tested on (`losses_of`).
        rows: these rows of the data.
        share: rows that a training is tested on, by rows that it is trained on.
        rivals: the other is the best of so many.
    """
    gains = [one - two for one, two in zip(other, own, strict=True)]
    least = least_variance(data.signature.target.judged_as, sum(map(len, gains)), places_of(data))
    return interval_of_trainings(gains, rows, lambda some: dependence_of(data, some), share, rivals=rivals, least=least)


def places_of(data: Judged) -> float:
    """How many places a sample of the test part has; of texts whose words have tags, words in the mean."""
    target = data.signature.target
    if not target.of_words:
        return target.answers
    truth = np.asarray(data.test.truth)
    return max(1.0, float((truth >= 0).sum()) / max(1, len(truth)))


def best_of(losses: Mapping[str, Array]) -> str:
    """The baseline with the smallest loss."""
    return min(losses, key=lambda baseline: losses[baseline].mean())


def outcome_of(found: Interval) -> Outcome:
    if found.low is None or found.high is None:
        return "too_few"
    return "better" if found.low > 0 else "worse" if found.high < 0 else "level"


def verdict_of(
    kind: str, found: Interval, says: Mapping[Outcome, str], figures: str, metric: str, against: str
) -> Verdict:
    """
    Args:
        kind: of the target.
        says: the sentence of each outcome up to its figures.
        figures: of both.
    """
    outcome = outcome_of(found)
    worth = f"{found.pieces:.3g} independent {found.of}" if found.pieces % 1 else f"{found.pieces:,.0f} {found.of}"
    level = ", a difference that could be due to chance" if found.mean else ", which is the same"
    adds = {"level": level, "too_few": f", on what is worth {worth}"}
    return Verdict(
        outcome=outcome,
        sentence=f"{says[outcome]}: {figures}{adds.get(outcome, '')}.",
        metric=metric,
        against=against,
        gain_of=GAIN_OF.get(kind, "squared error"),
        gain=found.mean,
        gain_interval=None if found.low is None or found.high is None else (found.low, found.high),
        pieces=found.pieces,
    )


def losses_of(data: Judged, guess: Array) -> Array:
    """Of each sample of the test part, (samples,): what a network, or a baseline, is judged by, times how much the
    sample counts, 1 in the mean."""
    target, weights = data.signature.target, data.test.relative_weights
    by = data.deviations if target.columns else None
    found = losses(target.judged_as, np.asarray(data.test.truth), guess, by, target.levels)
    return found if weights is None else found * weights


def losses(kind: str, truth: Array, guess: Array, by: Array | None = None, levels: tuple[float, ...] = ()) -> Array:
    """Of each sample, (samples,): whether the likeliest class is another, log loss, or squared error; at each place the
    share of places, or the mean over them; of tokens the mean log loss; of quantiles the mean pinball loss; of mixtures
    minus the mean logarithm of the density, each number in its own units; of texts whether another one was written.

    Args:
        kind: of the target.
        truth, guess: as those of `Metric.compute`.
        by: of several numbers, what the errors of each are divided by, (numbers,).
        levels: of quantiles.
    """
    if kind == "sequence":
        return 1.0 - exact(truth, guess[..., WRITTEN])
    if kind == "tokens":
        return _mean_over_places(truth >= 0, surprise(truth, guess))
    if kind == "mixture":
        return np.asarray(-log_density(truth, guess).reshape(len(truth), -1).mean(axis=1))
    if kind == "quantiles":
        return _over_quantiles(truth, guess, by, levels)
    if truth.ndim > 1 and by is None and kind in ("class", "number"):
        return _over_places(truth, guess)
    if kind == "class":
        return (guess.argmax(axis=1) != truth).astype("float64")
    if kind == "labels":
        given = np.where(truth == 1, guess, 1 - guess)
        return np.asarray(-np.log(np.clip(given, 1e-12, 1)).mean(axis=1))
    return squared_errors(truth, guess) if by is None else squared_errors(truth / by, guess / by) / len(by)


def surprise(truth: Array, guess: Array) -> Array:
    """Minus the logarithm of the probability of the token that is there, (samples, places), 0 where none counts.

    Args:
        truth: (samples, places), classes, or -1.
        guess: probabilities, (samples, places, classes).
    """
    given = np.take_along_axis(guess, np.maximum(truth, 0)[..., None], axis=-1)[..., 0].astype("float64")
    return np.where(truth >= 0, -np.log(np.clip(given, 1e-12, 1)), 0.0)


def _over_quantiles(truth: Array, guess: Array, by: Array | None, levels: tuple[float, ...]) -> Array:
    """Of each sample, (samples,): the pinball loss, the mean over quantiles and, of several numbers, over these.

    Args:
        guess: (samples, ..., quantiles).
    """
    if by is not None:
        truth, guess = truth / by, guess / by[:, None]
    found = pinball(truth, guess, levels)
    return np.asarray(found.reshape(len(found), -1).mean(axis=1))


def _over_places(truth: Array, guess: Array) -> Array:
    """Of each sample, (samples,): the share of places whose likeliest class is another, or the mean squared error.

    Places that do not count, -1 or NaN, have no part in it; a sample with more places that count has more weight, so
    that the mean over samples is that over places.
    """
    if truth.dtype.kind == "i":
        there, wrong = truth >= 0, (guess.argmax(axis=-1) != truth).astype("float64")
    else:
        there, wrong = ~np.isnan(truth), (truth - guess) ** 2
    return _mean_over_places(there, wrong)


def _mean_over_places(there: Array, losses: Array) -> Array:
    """Of each sample, (samples,), so that the mean over samples is that over places that count."""
    axes, whole = tuple(range(1, there.ndim)), there.sum() / max(1, len(there))
    return np.asarray(np.where(there, losses, 0.0).sum(axis=axes) / max(whole, 1e-12))


def dependence_of(data: Judged, rows: Array) -> Dependence:
    """What samples that lead to these rows have in common: they may belong to groups, or follow each other."""
    window, groups = data.signature.window, groups_of(data, rows)
    if data.signature.target.tokens and groups is None:  # stretches of one text are alike where they lie near
        return dependence_along(rows, None, None, 1)
    if window is None:
        return Dependence(groups)
    return dependence_along(rows, groups, None if data.times is None else data.times[rows], window.overlap)


def groups_of(data: Judged, rows: Array) -> Array | None:
    """The group, or series, of each of these rows; None where there are none."""
    from dlspec.data.preparation import to_words

    name = data.signature.group
    if data.signature.target.tokens:  # windows of one text
        return None if data.text_rows is None or data.signature.one_text else data.text_rows[rows]
    if data.signature.window is not None:
        return None if data.groups is None else data.groups[rows]
    return None if name is None else to_words(name, data.columns[name])[rows]


def dependence_along(rows: Array, groups: Array | None, times: Array | None, reach: int) -> Dependence:
    """What samples of a series have in common; without times they are in the order of their rows.

    Args:
        reach: how many timesteps ahead the last value lies that is predicted.
    """
    in_order = times if times is not None else rows if groups is None else None
    return Dependence(groups, in_order, max(1, reach))


def least_variance(kind: str, count: int, places: float = 1) -> float:
    """The variance of a gain is no less: of classes as if one more sample, or place, were won, and one lost.

    Args:
        kind: of the target.
        count: of the samples.
        places: of a sample.
    """
    return 2 / (count + 2) / places**2 if kind in WHOLE else 0.0


def squared_errors(truth: Array, guess: Array) -> Array:
    """Of each sample; of several values their sum."""
    errors = (truth - guess) ** 2
    return errors if errors.ndim == 1 else errors.sum(axis=1, dtype="float64")
