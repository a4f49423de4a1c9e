"""A linear model of the same inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    import numpy as np

    from dlspec.preparation import Prepared


@BASELINES.register
class Linear(Baseline):
    """A straight line through what the network sees, at the same scale; of the sequence of words in a text, through how
    often each of the 2,000 most frequent ones is in it.

    Numbers: ridge regression, its strength chosen by leave-one-out error on the training part. Classes:
    logistic regression. Both from scikit-learn.
    """

    tasks = frozenset({"series", "number", "class"})
    in_words = "a linear model of the same inputs"
    examples: ClassVar = ["linear"]

    def guess(self, data: Prepared) -> np.ndarray:
        import numpy as np
        from sklearn.linear_model import LogisticRegression, RidgeCV

        inputs, test = data.quantities(data.train), data.quantities(data.test)
        if data.signature.target.kind == "class":
            if len(np.unique(data.train.truth)) == 1:  # nothing to draw a line between
                return np.eye(len(data.signature.target.classes))[np.full(len(test), data.train.truth[0])]
            model = LogisticRegression(max_iter=2000).fit(inputs, data.train.truth)
            shares = np.zeros((len(test), len(data.signature.target.classes)))
            shares[:, model.classes_] = model.predict_proba(test)  # a class may be absent from training
            return shares
        model = RidgeCV(alphas=np.logspace(-3, 5, 17)).fit(inputs, data.train.targets[:, 0].astype("float64"))
        return data.to_units(model.predict(test)[:, None], data.test)
