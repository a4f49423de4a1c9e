"""A linear model of the same inputs."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from dlspec.data.arrays import some_of
from dlspec.evaluation.baselines.base import BASELINES, MOST_VALUES, Baseline, threads_for

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.fitted import FittedLinear
    from dlspec.evaluation.fitted_mixtures import FittedGaussianLine
    from dlspec.evaluation.fitted_quantiles import FittedBand


@BASELINES.register
class Linear(Baseline):
    """A straight line through what the network sees, at the same scale; of the sequence of words in a text, through how
    often each of the 2,000 most frequent ones is in it.

    Numbers: ridge regression (Hoerl and Kennard, 1970), its strength, or none, chosen by leave-one-out error on the
    training part. Classes: logistic regression of scikit-learn, of labels one for each, its strength chosen by the log
    loss of a fifth of the training part, of a series the last. Fitted to 100 million values at most, of samples drawn
    evenly. Where an `output` puts out quantiles, the line and the quantiles of its errors of training samples that it
    was not fitted to, the same for every sample; where it gives a mixture, a normal distribution around the line with
    the root of the mean square of these errors as its deviation.
    """

    tasks = frozenset({"series", "class_series", "number", "class", "labels"})
    forms = frozenset({"value", "quantiles", "mixture"})
    in_words = "a linear model of the same inputs"
    examples: ClassVar = ["linear"]

    def fit(self, data: Prepared) -> FittedLinear:
        import numpy as np

        from dlspec.data.preparation.prepared import quantities
        from dlspec.evaluation.fitted import FittedLabels, FittedLine, FittedLogistic

        chosen = some_of(data.train.inputs, MOST_VALUES)
        inputs = quantities(data.train.inputs[chosen], data.layout)
        layout = np.reshape(data.layout, (-1, 2)).astype(int)
        truth, targets = np.asarray(data.train.truth[chosen]), data.train.targets[chosen]
        given = data.train.relative_weights
        weights = None if given is None else given[chosen]
        target, steps, in_order = data.signature.target, data.preprocessing, data.signature.window is not None
        with threads_for(inputs.size):
            if target.kind == "class":
                line = _logistic(inputs, truth, in_order, weights)
                count = np.array([len(target.classes)])
                return FittedLogistic(line.slopes, line.level, layout, line.seen, count, notes=_notes(line.strongest))
            if target.kind == "labels":
                lines = [_logistic(inputs, label, in_order, weights) for label in truth.T]
                always = np.array([-1 if len(line.level) else line.seen[0] for line in lines])
                slopes, level = np.zeros((inputs.shape[1], len(lines))), np.zeros(len(lines))
                for place, line in enumerate(lines):
                    if len(line.level):
                        slopes[:, place], level[place] = line.slopes[:, 0], line.level[0]
                told = all(line.strongest for line in lines)
                return FittedLabels(slopes, level, layout, always, notes=_notes(told))
            slopes, level, strength = ridge(inputs, targets.astype("float64"), weights)
            if target.form != "value":
                errors = left_out_errors(inputs, targets.astype("float64"), (slopes, level, strength), weights)
                make = _gaussian if target.mixture else _band
                return make(data, (slopes, level, layout), errors, weights, _notes(strength == STRENGTHS[-1]))
        assert steps.target is not None, "a number has a scale"
        return FittedLine(
            slopes,
            level,
            layout,
            steps.target.scale,
            steps.target.offset,
            np.array([CHANGES.index(steps.change)]),
            np.array([not target.columns], int),
            notes=_notes(strength == STRENGTHS[-1]),
        )


CHANGES = ("level", "difference", "return")
"""What a network puts out of a series; see `FittedLine.change`."""


def _notes(strongest: bool) -> tuple[str, ...]:
    if not strongest:
        return ()
    return ("`linear` does best with the strongest penalty that was tried: it found next to nothing in the inputs.",)


def _band(
    data: Prepared,
    line: tuple[np.ndarray, np.ndarray, np.ndarray],
    errors: np.ndarray,
    weights: np.ndarray | None,
    notes: tuple[str, ...],
) -> FittedBand:
    """A line with the quantiles of its errors.

    Args:
        line: slopes, level and layout, as those of `FittedLinear`.
        errors: (samples, outputs).
    """
    import numpy as np

    from dlspec.evaluation.fitted_quantiles import FittedBand, quantiles_of_columns

    steps, target = data.preprocessing, data.signature.target
    assert steps.target is not None, "a number has a scale"
    return FittedBand(
        *line,
        quantiles_of_columns(errors, target.levels, weights),
        steps.target.scale,
        steps.target.offset,
        np.array([CHANGES.index(steps.change)]),
        np.array([not target.columns], int),
        notes=notes,
    )


def _gaussian(
    data: Prepared,
    line: tuple[np.ndarray, np.ndarray, np.ndarray],
    errors: np.ndarray,
    weights: np.ndarray | None,
    notes: tuple[str, ...],
) -> FittedGaussianLine:
    """A line with a normal distribution around it; arguments as those of `_band`."""
    import numpy as np

    from dlspec.evaluation.fitted_mixtures import FittedGaussianLine, deviations_of

    steps = data.preprocessing
    assert steps.target is not None, "a number has a scale"
    return FittedGaussianLine(
        *line,
        deviations_of(errors / steps.target.scale, data, weights),
        steps.target.scale,
        steps.target.offset,
        np.array([CHANGES.index(steps.change)]),
        np.array([not data.signature.target.columns], int),
        notes=notes,
    )


STRENGTHS = [0.0, *(10.0**power for power in range(-10, 11))]
"""Of a ridge: none, and what shrinks all slopes to nothing."""


def ridge(
    inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Slopes, (features, targets), levels, (targets,), and strength of the ridge that errs least on samples left out in
    turn.

    By the singular values of the inputs, which keep what their squares would lose: lags of a smooth series are nearly
    the same. A sample that is left out errs by its error otherwise, divided by one minus its leverage (Allen, 1974).

    Args:
        inputs, targets: (samples, features) and (samples, targets), float64.
        weights: how much each sample counts, 1 in the mean, (samples,); None: all alike.
    """
    import numpy as np

    middle, level = (np.average(values, axis=0, weights=weights) for values in (inputs, targets))
    every = np.ones(len(inputs)) if weights is None else weights
    roots = np.sqrt(every)[:, None]
    left, values, right = np.linalg.svd(roots * (inputs - middle), full_matrices=False)
    seen = values > max(inputs.shape) * np.finfo("float64").eps * values.max(initial=0)
    left, values, right = left[:, seen], values[seen], right[seen]
    errors, squares = roots * (targets - level), left**2
    along = left.T @ errors
    least, best, chosen = np.inf, np.zeros(len(values)), STRENGTHS[-1]
    for strength in STRENGTHS:
        kept = values**2 / (values**2 + strength)
        leverage = every / len(inputs) + squares @ kept
        if leverage.max() > 1 - 1e-6:  # it goes through samples, whatever they are
            continue
        off = (errors - left @ (kept[:, None] * along)) / (1 - leverage)[:, None]
        error = float((off**2).mean())
        if error < least:
            least, best, chosen = error, kept / values, strength
    slopes = right.T @ (best[:, None] * along)
    return slopes, level - middle @ slopes, chosen


def left_out_errors(
    inputs: np.ndarray,
    targets: np.ndarray,
    line: tuple[np.ndarray, np.ndarray, float],
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """How far a ridge is off each sample when it is fitted without it, (samples, targets); see `ridge`.

    Args:
        line: slopes, levels and strength, as `ridge` gives them.
    """
    import numpy as np

    slopes, level, strength = line
    every = np.ones(len(inputs)) if weights is None else weights
    middle = np.average(inputs, axis=0, weights=weights)
    left, values, _ = np.linalg.svd(np.sqrt(every)[:, None] * (inputs - middle), full_matrices=False)
    seen = values > max(inputs.shape) * np.finfo("float64").eps * values.max(initial=0)
    kept = values[seen] ** 2 / (values[seen] ** 2 + strength)
    leverage = every / every.sum() + left[:, seen] ** 2 @ kept
    return np.asarray((targets - inputs @ slopes - level) / np.maximum(1 - leverage, 1e-6)[:, None])


PENALTIES = [10.0**power for power in range(-5, 4)]
"""Of logistic regression, the strongest first: the variance that a slope may have."""
TRIED = 2000
"""Samples that the penalty is chosen by at most, spread evenly."""


class _Line(NamedTuple):
    """A logistic regression.

    Args:
        slopes, level: (values, lines) and (lines,): a line for each class, one of two, none of a single one.
        seen: the classes that there are.
        strongest: whether the strongest penalty was the best.
    """

    slopes: np.ndarray
    level: np.ndarray
    seen: np.ndarray
    strongest: bool


def _logistic(inputs: np.ndarray, labels: np.ndarray, in_order: bool, weights: np.ndarray | None = None) -> _Line:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    seen = np.unique(labels).astype(int)
    if len(seen) == 1:  # nothing to draw a line between
        return _Line(np.zeros((inputs.shape[1], 0)), np.zeros(0), seen, False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes")  # they are classes all the same
        warnings.filterwarnings("ignore", "lbfgs failed to converge")
        penalty = best_penalty(inputs, labels, in_order=in_order, weights=weights)
        model = LogisticRegression(C=penalty, max_iter=2000).fit(inputs, labels, weights)
    return _Line(model.coef_.T, model.intercept_, seen, penalty == PENALTIES[0])


def best_penalty(inputs: np.ndarray, labels: np.ndarray, *, in_order: bool, weights: np.ndarray | None = None) -> float:
    """The penalty of logistic regression with the smallest log loss on every fifth sample, or the last fifth.

    Penalties are tried from the strongest on, each from the slopes of the one before, until two in a row do worse.

    Args:
        inputs, labels: (samples, features) and (samples,).
        in_order: samples follow each other in time.
        weights: how much each sample counts, (samples,); None: all alike.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    places = np.unique(np.linspace(0, len(labels) - 1, TRIED).astype(int))
    order = np.arange(len(places))
    held_out = order >= 0.8 * len(places) if in_order else order % 5 == 4
    fitted, judged = places[~held_out], places[held_out]
    known = np.unique(labels[fitted])
    judged = judged[np.isin(labels[judged], known)]
    own, of_judged = (None if weights is None else weights[rows] for rows in (fitted, judged))
    if len(known) < 2 or not len(judged) or (of_judged is not None and not of_judged.any()):
        return 1.0
    model = LogisticRegression(max_iter=300, warm_start=True)
    columns, best, least, worse = np.searchsorted(known, labels[judged]), 1.0, np.inf, 0
    for penalty in PENALTIES:
        given = model.set_params(C=penalty).fit(inputs[fitted], labels[fitted], own).predict_proba(inputs[judged])
        errors = -np.log(np.clip(given[np.arange(len(judged)), columns], 1e-12, 1))
        loss = float(np.average(errors, weights=of_judged))
        best, least, worse = (penalty, loss, 0) if loss < least else (best, least, worse + 1)
        if worse == 2:
            break
    return best
