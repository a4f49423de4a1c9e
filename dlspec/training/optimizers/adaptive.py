"""Optimizers that scale steps by the size of past gradients."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from dlspec.language.fields import Flag, Fraction, NonNegativeNumber, PositiveNumber, Rate
from dlspec.training.optimizers.base import OPTIMIZERS, Optimizer

NonPositiveNumber = Annotated[float, Strict(), Field(le=0)]


@OPTIMIZERS.register
class Rmsprop(Optimizer):
    """Steps scaled by the root of the mean squared gradient (Hinton, 2012)."""

    keras_name = "RMSprop"
    also: ClassVar = ("rms_prop",)
    rho: Fraction = 0.9
    momentum: Rate = 0.0
    epsilon: PositiveNumber = 1e-7
    centered: Flag = False
    examples: ClassVar = ["rmsprop"]

    @property
    def running_averages(self) -> int:
        return 1 + (self.momentum > 0) + self.centered


@OPTIMIZERS.register
class Adagrad(Optimizer):
    """Steps scaled by the sum of squared gradients (Duchi et al., 2011)."""

    initial_accumulator_value: NonNegativeNumber = 0.1
    epsilon: PositiveNumber = 1e-7
    examples: ClassVar = [{"adagrad": 0.01}]

    @property
    def running_averages(self) -> int:
        return 1


@OPTIMIZERS.register
class Adadelta(Optimizer):
    """Steps as large as late steps were, over late gradients (Zeiler, 2012); its paper has a learning rate of 1."""

    rho: Fraction = 0.95
    epsilon: PositiveNumber = 1e-7
    examples: ClassVar = [{"adadelta": 1.0}]


@OPTIMIZERS.register
class Adafactor(Optimizer):
    """Adam that keeps row and column sums of second moments only, for large matrices (Shazeer and Stern, 2018)."""

    beta_2_decay: NonPositiveNumber = -0.8
    epsilon_1: PositiveNumber = 1e-30
    epsilon_2: PositiveNumber = 1e-3
    clip_threshold: PositiveNumber = 1.0
    relative_step: Flag = True
    examples: ClassVar = ["adafactor", {"adafactor": {"learning_rate": 0.01, "relative_step": False}}]

    @property
    def running_averages(self) -> int:
        return 1


@OPTIMIZERS.register
class Ftrl(Optimizer):
    """Follow the regularized leader: sparse linear models from streams (McMahan et al., 2013)."""

    learning_rate_power: NonPositiveNumber = -0.5
    initial_accumulator_value: NonNegativeNumber = 0.1
    l1_regularization_strength: NonNegativeNumber = 0.0
    l2_regularization_strength: NonNegativeNumber = 0.0
    l2_shrinkage_regularization_strength: NonNegativeNumber = 0.0
    beta: NonNegativeNumber = 0.0
    examples: ClassVar = [{"ftrl": 0.1}]
