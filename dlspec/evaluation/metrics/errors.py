"""Errors of a number: how far predictions are from the truth."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.metrics.base import METRICS, Metric, mean_of

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray


class ErrorMetric(Metric):
    """An error of a number; the smaller, the better."""

    of, better = "number", "lower"
    bounds: ClassVar[tuple[float, float]] = (0, inf)


@METRICS.register
class MAE(ErrorMetric):
    """Mean absolute error: mean |truth - predicted|."""

    label, unit = "MAE", "target"
    of_inputs = True
    also: ClassVar = ("mean_absolute_error",)
    keras_names = ("MeanAbsoluteError",)
    examples: ClassVar = ["mae"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        return mean_of(abs(truth - predicted), weights)


@METRICS.register
class MSE(ErrorMetric):
    """Mean squared error: mean (truth - predicted)^2."""

    label, unit = "MSE", "squared"
    of_inputs = True
    also: ClassVar = ("mean_squared_error",)
    keras_names = ("MeanSquaredError",)
    examples: ClassVar = ["mse"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        return mean_of((truth - predicted) ** 2, weights)


@METRICS.register
class RMSE(ErrorMetric):
    """Root mean squared error: sqrt(mean (truth - predicted)^2)."""

    label, unit = "RMSE", "target"
    of_inputs = True
    also: ClassVar = ("root_mean_squared_error",)
    keras_names = ("RootMeanSquaredError",)
    examples: ClassVar = ["rmse"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        errors = (truth - predicted) ** 2
        return float(errors.mean() ** 0.5) if weights is None else mean_of(errors, weights) ** 0.5


@METRICS.register
class MASE(ErrorMetric):
    """Mean absolute scaled error: errors divided by the mean change from one timestep to the next in the training part
    (Hyndman and Koehler, 2006), of several series each by its own. One is as good as persistence was there one step
    ahead; only a series has it."""

    label, only_series = "MASE", True
    also: ClassVar = ("mean_absolute_scaled_error",)
    examples: ClassVar = ["mase"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        assert naive_error is not None, "checks refuse `mase` without a series"
        if not np.all(naive_error):
            return float("inf")
        return mean_of(abs(truth - predicted) / naive_error, weights)


@METRICS.register
class MAPE(ErrorMetric):
    """Mean absolute percentage error: mean |truth - predicted| / |truth|; huge where the truth comes near zero."""

    label, unit = "MAPE", "percent"
    also: ClassVar = ("mean_absolute_percentage_error",)
    keras_names = ("MeanAbsolutePercentageError",)
    examples: ClassVar = ["mape"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        return mean_of(abs(truth - predicted) / abs(truth).clip(1e-7), weights)


@METRICS.register
class SMAPE(ErrorMetric):
    """Symmetric mean absolute percentage error: mean 2 |truth - predicted| / (|truth| + |predicted|), from 0 to 2
    (Makridakis, 1993)."""

    label, unit = "sMAPE", "percent"
    also: ClassVar = ("symmetric_mean_absolute_percentage_error",)
    examples: ClassVar = ["smape"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        return mean_of(2 * abs(truth - predicted) / (abs(truth) + abs(predicted)).clip(1e-12), weights)


@METRICS.register
class MSLE(ErrorMetric):
    """Mean squared difference of log(1 + value); of a target that is never negative."""

    label = "MSLE"
    also: ClassVar = ("mean_squared_logarithmic_error",)
    keras_names = ("MeanSquaredLogarithmicError",)
    examples: ClassVar = ["msle"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        if (truth < 0).any():
            return float("nan")
        return mean_of((np.log1p(truth) - np.log1p(predicted.clip(0))) ** 2, weights)


@METRICS.register
class LogCosh(ErrorMetric):
    """Mean logarithm of the hyperbolic cosine of the error: squared when small, absolute when large."""

    label = "Log-cosh"
    also: ClassVar = ("logcosh", "log_cosh_error")
    keras_names = ("LogCoshError",)
    examples: ClassVar = ["log_cosh"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        error = abs(truth - predicted)
        return mean_of(error + np.log1p(np.exp(-2 * error)) - np.log(2), weights)


@METRICS.register
class Poisson(ErrorMetric):
    """Negative log-likelihood of counts: mean predicted - truth log(predicted), if positive."""

    label, bounds = "Poisson", (-inf, inf)
    keras_names = ("Poisson",)
    examples: ClassVar = ["poisson"]

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import numpy as np

        if (truth < 0).any() or (predicted <= 0).any():
            return float("nan")
        return mean_of(predicted - truth * np.log(predicted), weights)
