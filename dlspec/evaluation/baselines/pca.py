"""The best linear code."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dlspec.data.arrays import some_of
from dlspec.evaluation.baselines.base import BASELINES, MOST_VALUES, Baseline, threads_for
from dlspec.language.fields import PositiveInt

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.fitted import FittedComponents


@BASELINES.register
class PCA(Baseline):
    """Principal component analysis: of all linear codes of so many numbers, the one with the smallest squared error on
    the training part (Pearson, 1901). From scikit-learn."""

    tasks = frozenset({"reconstruction"})
    in_words = "the best linear code of the same size"
    examples: ClassVar = ["pca", {"pca": {"components": 30}}]

    components: PositiveInt | None = Field(
        None, description="numbers in the code; by default as many as the network's narrowest layer has"
    )

    def fit(self, data: Prepared) -> FittedComponents:
        from sklearn.decomposition import PCA as Components

        from dlspec.evaluation.fitted import FittedComponents

        chosen = some_of(data.train.targets, MOST_VALUES)
        train = data.train.targets[chosen].astype("float64")
        assert self.components is not None, "the size of the network's code was filled in"
        with threads_for(train.size):
            if data.train.weights is not None:
                return FittedComponents(*_components(train, data.train.weights[chosen], self.components))
            model = Components(min(self.components, *train.shape), svd_solver="covariance_eigh").fit(train)
        return FittedComponents(model.components_, model.mean_)


def _components(values: np.ndarray, weights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions of the largest variance, (count, values), and the mean, of samples that count differently."""
    import numpy as np

    mean = np.average(values, axis=0, weights=weights)
    off = values - mean
    _, directions = np.linalg.eigh((weights[:, None] * off).T @ off / weights.sum())
    return directions[:, ::-1][:, : min(count, *values.shape)].T, mean
