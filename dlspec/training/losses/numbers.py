"""Losses for a number. They compare the scaled target, as the network puts it out."""

from __future__ import annotations

from typing import ClassVar

from dlspec.language.fields import PositiveNumber, Primary
from dlspec.training.losses.base import LOSSES, Loss


@LOSSES.register
class MSE(Loss):
    """Mean squared error: mean (truth - predicted)^2."""

    of = ("number",)
    keras_name = "MeanSquaredError"
    also: ClassVar = ("mean_squared_error",)
    examples: ClassVar = ["mse"]


@LOSSES.register
class MAE(Loss):
    """Mean absolute error: mean |truth - predicted|."""

    of = ("number",)
    keras_name = "MeanAbsoluteError"
    also: ClassVar = ("mean_absolute_error",)
    examples: ClassVar = ["mae"]


@LOSSES.register
class MAPE(Loss):
    """Mean absolute percentage error: 100 mean |truth - predicted| / |truth|; of targets that are not scaled."""

    of = ("number",)
    keras_name = "MeanAbsolutePercentageError"
    also: ClassVar = ("mean_absolute_percentage_error",)
    scales = ("none",)
    examples: ClassVar = ["mape"]


@LOSSES.register
class MSLE(Loss):
    """Mean squared difference of log(1 + value), for targets of zero and more."""

    of = ("number",)
    keras_name = "MeanSquaredLogarithmicError"
    also: ClassVar = ("mean_squared_logarithmic_error",)
    scales = ("min_max", "none")
    positive = True
    examples: ClassVar = ["msle"]


@LOSSES.register
class Huber(Loss):
    """Squared near zero, absolute beyond `delta` (Huber, 1964)."""

    of = ("number",)
    delta: PositiveNumber = Primary(1.0, description="where it turns from squared to absolute")
    examples: ClassVar = ["huber", {"huber": 0.5}]


@LOSSES.register
class LogCosh(Loss):
    """Logarithm of the hyperbolic cosine of the error."""

    of = ("number",)
    examples: ClassVar = ["log_cosh"]


@LOSSES.register
class Poisson(Loss):
    """Negative log-likelihood of counts: mean predicted - truth log(predicted), for a positive output."""

    of = ("number",)
    scales = ("min_max", "none")
    positive = True
    examples: ClassVar = ["poisson"]
