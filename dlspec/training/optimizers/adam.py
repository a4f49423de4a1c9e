"""Adam, the default."""

from __future__ import annotations

from typing import ClassVar

from dlspec.language.fields import Flag, PositiveNumber, Rate
from dlspec.training.optimizers.base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register
class Adam(Optimizer):
    """Steps scaled by running moments of the gradient (Kingma and Ba, 2015)."""

    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    amsgrad: Flag = False
    examples: ClassVar = ["adam", {"adam": {"learning_rate": 1e-3}}]

    @property
    def running_averages(self) -> int:
        return 2 + self.amsgrad
