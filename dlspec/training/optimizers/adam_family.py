"""Relatives of Adam: steps are scaled by running moments of the gradient."""

from __future__ import annotations

from typing import ClassVar

from dlspec.language.fields import Flag, NonNegativeInt, NonNegativeNumber, PositiveNumber, Primary, Rate
from dlspec.training.optimizers.base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register
class Adamw(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    keras_name = "AdamW"
    also: ClassVar = ("adam_w",)
    weight_decay: NonNegativeNumber = 0.004
    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    amsgrad: Flag = False
    examples: ClassVar = [{"adamw": 1e-3}]

    @property
    def running_averages(self) -> int:
        return 2 + self.amsgrad


@OPTIMIZERS.register
class Adamax(Optimizer):
    """Adam with the largest gradient of late instead of its second moment (Kingma and Ba, 2015)."""

    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    examples: ClassVar = ["adamax"]


@OPTIMIZERS.register
class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat, 2016)."""

    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    examples: ClassVar = ["nadam"]


@OPTIMIZERS.register
class Lamb(Optimizer):
    """Adam whose step in each layer is as large as its weights, for large batches (You et al., 2020)."""

    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    examples: ClassVar = ["lamb"]


@OPTIMIZERS.register
class ScheduleFreeAdamw(Optimizer):
    """AdamW that averages its weights instead of lowering the learning rate (Defazio et al., 2024)."""

    keras_name = "ScheduleFreeAdamW"
    also: ClassVar = ("schedule_free_adam_w",)
    learning_rate: PositiveNumber = Primary(0.0025, description="size of a step")
    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-8
    warmup_steps: NonNegativeInt = 0
    examples: ClassVar = ["schedule_free_adamw", {"schedule_free_adamw": {"warmup_steps": 10}}]
