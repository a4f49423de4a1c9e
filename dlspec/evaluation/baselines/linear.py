"""A linear model of the same inputs."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar

from dlspec.data.arrays import blocks, some_of
from dlspec.evaluation.baselines.base import BASELINES, MOST_VALUES, Baseline, threads_for

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.preparation import Prepared


@BASELINES.register
class Linear(Baseline):
    """A straight line through what the network sees, at the same scale; of the sequence of words in a text, through how
    often each of the 2,000 most frequent ones is in it.

    Numbers: ridge regression (Hoerl and Kennard, 1970), its strength, or none, chosen by leave-one-out error on the
    training part. Classes: logistic regression of scikit-learn, of labels one for each. Fitted to 100 million values at
    most, of samples drawn evenly.
    """

    tasks = frozenset({"series", "class_series", "number", "class", "labels"})
    in_words = "a linear model of the same inputs"
    examples: ClassVar = ["linear"]

    def guess(self, data: Prepared) -> np.ndarray:
        import numpy as np

        chosen = some_of(data.train.inputs, MOST_VALUES)
        inputs = data.quantities(data.train.inputs[chosen])
        truth, targets = np.asarray(data.train.truth[chosen]), data.train.targets[chosen]
        kind = data.signature.target.kind
        with threads_for(inputs.size):
            if kind == "class":
                return _logistic(data, inputs, truth, len(data.signature.target.classes))
            if kind == "labels":
                return np.stack([_logistic(data, inputs, label, 2)[:, 1] for label in truth.T], axis=1)
            slopes, level = ridge(inputs, targets.astype("float64"))
        guess = np.concatenate([data.quantities(block) @ slopes + level for block in blocks(data.test.inputs)])
        return data.to_units(guess, data.test)


STRENGTHS = [0.0, *(10.0**power for power in range(-10, 11))]
"""Of a ridge: none, and what shrinks all slopes to nothing."""


def ridge(inputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes, (features, targets), and levels, (targets,), of the ridge that errs least on samples left out in turn.

    By the singular values of the inputs, which keep what their squares would lose: lags of a smooth series are nearly
    the same. A sample that is left out errs by its error otherwise, divided by one minus its leverage (Allen, 1974).

    Args:
        inputs, targets: (samples, features) and (samples, targets), float64.
    """
    import numpy as np

    middle, level = inputs.mean(axis=0), targets.mean(axis=0)
    left, values, right = np.linalg.svd(inputs - middle, full_matrices=False)
    seen = values > max(inputs.shape) * np.finfo("float64").eps * values.max(initial=0)
    left, values, right = left[:, seen], values[seen], right[seen]
    along, squares = left.T @ (targets - level), left**2
    least, best = np.inf, np.zeros(len(values))
    for strength in STRENGTHS:
        kept = values**2 / (values**2 + strength)
        leverage = 1 / len(inputs) + squares @ kept
        if leverage.max() > 1 - 1e-6:  # it goes through samples, whatever they are
            continue
        off = (targets - level - left @ (kept[:, None] * along)) / (1 - leverage)[:, None]
        error = float((off**2).mean())
        if error < least:
            least, best = error, kept / values
    slopes = right.T @ (best[:, None] * along)
    return slopes, level - middle @ slopes


def _logistic(data: Prepared, inputs: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The probability of each class for every sample of the test part, (samples, classes)."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    shares = np.zeros((len(data.test), classes))
    if len(np.unique(labels)) == 1:  # nothing to draw a line between
        shares[:, labels[0]] = 1
        return shares
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes")  # they are classes all the same
        model = LogisticRegression(max_iter=2000).fit(inputs, labels)
    # a class may be absent from training
    shares[:, model.classes_] = np.concatenate(
        [model.predict_proba(data.quantities(block)) for block in blocks(data.test.inputs)]
    )
    return shares
