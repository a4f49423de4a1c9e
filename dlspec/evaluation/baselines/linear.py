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

    Numbers: ridge regression, its strength chosen by leave-one-out error on the training part. Classes:
    logistic regression, of labels one for each. Both from scikit-learn, fitted to 100 million values at most, of
    samples drawn evenly.
    """

    tasks = frozenset({"series", "class_series", "number", "class", "labels"})
    in_words = "a linear model of the same inputs"
    examples: ClassVar = ["linear"]

    def guess(self, data: Prepared) -> np.ndarray:
        import numpy as np
        from sklearn.linear_model import RidgeCV

        chosen = some_of(data.train.inputs, MOST_VALUES)
        inputs = data.quantities(data.train.inputs[chosen])
        truth, targets = np.asarray(data.train.truth[chosen]), data.train.targets[chosen]
        kind = data.signature.target.kind
        with threads_for(inputs.size):
            if kind == "class":
                return _logistic(data, inputs, truth, len(data.signature.target.classes))
            if kind == "labels":
                return np.stack([_logistic(data, inputs, label, 2)[:, 1] for label in truth.T], axis=1)
            wanted = (targets if targets.shape[1] > 1 else targets[:, 0]).astype("float64")
            with np.errstate(divide="ignore", invalid="ignore"):  # of few samples, none can be left out
                model = RidgeCV(alphas=np.logspace(-3, 5, 17)).fit(inputs, wanted)
        guess = np.concatenate([model.predict(data.quantities(block)) for block in blocks(data.test.inputs)])
        return data.to_units(guess.reshape(len(guess), -1), data.test)


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
