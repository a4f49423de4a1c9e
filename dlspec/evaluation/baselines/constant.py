"""Guesses that do not look at the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.data.arrays import blocks, is_read_later
from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.fitted import FittedConstant, FittedPlaces
    from dlspec.evaluation.fitted_mixtures import FittedGaussian
    from dlspec.evaluation.fitted_quantiles import FittedQuantiles
    from dlspec.evaluation.fitted_sequences import FittedText
    from dlspec.evaluation.token_models import FittedTokens


@BASELINES.register
class Mean(Baseline):
    """The mean of the training targets, for every sample; where the target is the input, the mean input. Of numbers at
    each place, the mean of each place, and of windows of a series one mean."""

    tasks = frozenset({"number", "reconstruction", "number_places"})
    forms = frozenset({"value"})
    in_words = "always the mean of the training part"
    examples: ClassVar = ["mean"]

    def fit(self, data: Prepared) -> FittedConstant | FittedPlaces:
        import numpy as np

        from dlspec.evaluation.fitted import FittedConstant, FittedPlaces

        truth, weights = data.train.truth, data.train.weights
        if data.signature.target.places:
            return FittedPlaces.of_means(np.asarray(truth), each=data.signature.window is None)
        if weights is not None:
            mean = np.average(np.asarray(truth, "float64"), axis=0, weights=weights)
        elif is_read_later(truth):
            mean = sum(block.sum(axis=0, dtype="float64") for block in blocks(truth)) / len(truth)
        else:
            mean = truth.mean(axis=0, dtype="float64")
        return FittedConstant(np.atleast_1d(mean), np.array([np.ndim(mean) == 0], int))


@BASELINES.register
class Quantiles(Baseline):
    """The quantiles of the training targets, for every sample, where an `output` puts out quantiles."""

    tasks = frozenset({"number", "series"})
    forms = frozenset({"quantiles"})
    in_words = "always the quantiles of the training part"
    examples: ClassVar = ["quantiles"]

    def fit(self, data: Prepared) -> FittedQuantiles:
        import numpy as np

        from dlspec.data.arrays import some_of
        from dlspec.evaluation.baselines.base import MOST_VALUES
        from dlspec.evaluation.fitted_quantiles import FittedQuantiles, quantiles_of_columns

        target, chosen = data.signature.target, some_of(data.train.truth, MOST_VALUES)
        truth = np.asarray(data.train.truth[chosen], "float64").reshape(len(chosen), -1)
        weights = None if data.train.weights is None else data.train.weights[chosen]
        found = quantiles_of_columns(truth, target.levels, weights)
        return FittedQuantiles(found, np.array([not target.columns], int))


@BASELINES.register
class Gaussian(Baseline):
    """One normal distribution for every sample, with the mean and the deviation of the training targets, where an
    `output` gives a mixture."""

    tasks = frozenset({"number", "series"})
    forms = frozenset({"mixture"})
    in_words = "always the normal distribution of the training part"
    examples: ClassVar = ["gaussian"]

    def fit(self, data: Prepared) -> FittedGaussian:
        import numpy as np

        from dlspec.data.arrays import some_of
        from dlspec.evaluation.baselines.base import MOST_VALUES
        from dlspec.evaluation.fitted_mixtures import FittedGaussian, deviations_of

        chosen = some_of(data.train.truth, MOST_VALUES)
        truth = np.asarray(data.train.truth[chosen], "float64").reshape(len(chosen), -1)
        weights = None if data.train.weights is None else data.train.weights[chosen]
        means = np.average(truth, axis=0, weights=weights)
        deviations = deviations_of(truth - means, data, weights)
        return FittedGaussian(means, deviations, np.array([not data.signature.target.columns], int))


@BASELINES.register
class Majority(Baseline):
    """How often each class or label stands in the training part, for every sample, or place; the most frequent class
    wins. Of tokens these shares are mixed with all tokens alike, as `pairs` does it; of texts that are written it is
    the most frequent whole text."""

    tasks = frozenset({"class", "class_series", "labels", "class_places", "next_token", "tagged_words", "sequence"})
    in_words = "always what is most frequent"
    examples: ClassVar = ["majority"]

    def fit(self, data: Prepared) -> FittedConstant | FittedPlaces | FittedTokens | FittedText:
        import numpy as np

        from dlspec.evaluation.baselines.tokens import fitted_tokens
        from dlspec.evaluation.fitted import FittedConstant, FittedPlaces
        from dlspec.evaluation.fitted_sequences import FittedText

        target = data.signature.target
        if target.tokens:
            return fitted_tokens(data, 1)
        if target.written:
            return FittedText.most_frequent(data.train)
        if target.places:
            return FittedPlaces.of_classes(np.asarray(data.train.truth), len(target.classes), each=False)
        counts = data.train.class_weights(len(target.classes or target.labels))
        return FittedConstant(counts / len(data.train), np.zeros(1, int))


@BASELINES.register
class PlaceMajority(Baseline):
    """How often each class stands at each place of the training part, such as at a pixel: where things mostly are."""

    tasks = frozenset({"class_places"})
    in_words = "at each place always what is most frequent there"
    examples: ClassVar = ["place_majority"]

    def fit(self, data: Prepared) -> FittedPlaces:
        import numpy as np

        from dlspec.evaluation.fitted import FittedPlaces

        return FittedPlaces.of_classes(np.asarray(data.train.truth), len(data.signature.target.classes), each=True)
