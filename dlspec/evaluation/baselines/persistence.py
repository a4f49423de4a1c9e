"""The future equals the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.data.signature import Signature
    from dlspec.evaluation.fitted import FittedPersistence
    from dlspec.evaluation.fitted_mixtures import FittedGaussianSteps
    from dlspec.evaluation.fitted_quantiles import FittedSteps


@BASELINES.register
class Persistence(Baseline):
    """The last value that is known, or the last class: tomorrow equals today. Hard to beat on prices. Of frames, the
    last one that is seen; of inputs with the places of the target, what is seen at each place itself. Where an `output`
    puts out quantiles, the last value and the quantiles of what it changed by in the training part; where it gives a
    mixture, the last value and the root of the mean square of these changes, as a normal distribution."""

    tasks = frozenset({"series", "class_series", "number_places", "class_places"})
    forms = frozenset({"value", "quantiles", "mixture"})
    in_words = "the future equals the last value known"
    examples: ClassVar = ["persistence"]

    @staticmethod
    def knows_places(signature: Signature) -> bool:
        """Whether it has a value for each place: of a series the one before it, of arrays what is seen there last."""
        if signature.window is not None:
            return signature.window.horizon > 0
        return signature.target.seen_in(signature.features[0].shape)

    def fit(self, data: Prepared) -> FittedPersistence | FittedSteps | FittedGaussianSteps:
        import numpy as np

        from dlspec.evaluation.fitted import FittedPersistence

        if data.signature.target.levels:
            return _with_steps(data)
        if data.signature.target.mixture:
            return _with_deviation(data)
        return FittedPersistence(np.array([len(data.signature.target.classes)]))


def _with_steps(data: Prepared) -> FittedSteps:
    """The last value, and the quantiles of what it changed by in the training part; as returns where the network sees
    these."""
    import numpy as np

    from dlspec.evaluation.fitted_quantiles import FittedSteps, quantiles_of_columns

    train, target = data.train, data.signature.target
    assert train.last is not None, "a series keeps the last value of each window"
    truth, last = (np.asarray(values, "float64").reshape(len(train), -1) for values in (train.truth, train.last))
    returns = data.preprocessing.change == "return"
    changed = np.log(truth / last) if returns else truth - last
    offsets = quantiles_of_columns(changed, target.levels, train.weights)
    return FittedSteps(offsets, np.array([2 if returns else 1]), np.array([not target.columns], int))


def _with_deviation(data: Prepared) -> FittedGaussianSteps:
    """The last value, and how far the next ones were from it in the training part."""
    import numpy as np

    from dlspec.evaluation.fitted_mixtures import FittedGaussianSteps, deviations_of

    train = data.train
    assert train.last is not None, "a series keeps the last value of each window"
    truth, last = (np.asarray(values, "float64").reshape(len(train), -1) for values in (train.truth, train.last))
    deviations = deviations_of(truth - last, data, train.weights)
    return FittedGaussianSteps(deviations, np.array([not data.signature.target.columns], int))
