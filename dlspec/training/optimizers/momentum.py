"""Optimizers whose step is a direction that is remembered."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, Strict

from dlspec.language.fields import (
    Flag,
    NonNegativeNumber,
    Number,
    PositiveInt,
    PositiveNumber,
    Primary,
    Rate,
    SpecModel,
    Text,
    either,
    mistake,
)
from dlspec.training.optimizers.base import OPTIMIZERS, Optimizer
from dlspec.training.schedules.base import Schedule


class Ramp(SpecModel):
    """A momentum that rises while training: small at first, when gradients are large (Hinton, 2010)."""

    start: Rate = Field(description="momentum of the first step")
    end: Rate = Field(description="momentum that it rises to, in a straight line")
    over: Annotated[float, Strict(), Field(gt=0, le=1)] = Field(
        1.0, description="share of the training in which it rises; then it stays"
    )

    def model_post_init(self, context: object) -> None:
        if self.start == self.end:
            raise mistake("wrong-value", "`start` and `end` are the same", help=f"write `momentum: {self.end:g}`")


AnyMomentum = Annotated[Rate | Ramp, either("a number below 1, or how it rises: `{start: 0.5, end: 0.9}`")]


@OPTIMIZERS.register
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where asked (Polyak, 1964; Nesterov, 1983)."""

    learning_rate: PositiveNumber = Primary(0.01, description="size of a step")
    momentum: AnyMomentum = 0.0
    nesterov: Flag = False
    examples: ClassVar = [
        "sgd",
        {"sgd": 0.1},
        {"sgd": {"learning_rate": 0.1, "momentum": 0.9}},
        {"sgd": {"learning_rate": 0.1, "momentum": {"start": 0.5, "end": 0.9}}},
    ]

    @property
    def running_averages(self) -> int:
        return int(isinstance(self.momentum, Ramp) or self.momentum != 0)

    def arguments(self) -> dict[str, Any]:
        """With the momentum that is reached, where it rises: `over` makes it rise."""
        momentum = self.momentum.end if isinstance(self.momentum, Ramp) else self.momentum
        return {**super().arguments(), "momentum": momentum}

    def over(self, steps: int, schedule: Schedule | None = None, done: int = 0) -> Any:
        if not isinstance(self.momentum, Ramp):
            return super().over(steps, schedule, done)
        from dlspec.training.optimizers._rising import RisingSGD

        rising = round(steps * self.momentum.over)
        arguments = self.scheduled(steps, schedule, done)
        return RisingSGD(self.momentum.start, self.momentum.end, rising, done, **arguments)


@OPTIMIZERS.register
class Lion(Optimizer):
    """Steps of the same size everywhere, by the sign of the momentum (Chen et al., 2023)."""

    beta_1: Rate = 0.9
    beta_2: Rate = 0.99
    examples: ClassVar = [{"lion": 1e-4}]

    @property
    def running_averages(self) -> int:
        return 1


def _plain_name(name: str) -> str:
    if not re.fullmatch(r"[\w/-]+", name):  # Keras reads it as a regular expression
        raise mistake(
            "wrong-value", f"`exclude_layers` takes layers' names, or parts of them, got `{name}`", help="write a name"
        )
    return name


@OPTIMIZERS.register
class Muon(Optimizer):
    """Momentum whose matrices are made orthogonal by `ns_steps` of Newton and Schulz; vectors, embeddings and layers
    in `exclude_layers` follow AdamW (Jordan, 2024; Liu et al., 2025)."""

    weight_decay: NonNegativeNumber = 0.004
    adam_beta_1: Rate = 0.9
    adam_beta_2: Rate = 0.999
    adam_weight_decay: NonNegativeNumber = 0.004
    epsilon: PositiveNumber = 1e-7
    exclude_layers: list[Annotated[Text, AfterValidator(_plain_name)]] | None = None
    exclude_embeddings: Flag = True
    muon_a: Number = 3.4445
    muon_b: Number = -4.775
    muon_c: Number = 2.0315
    adam_lr_ratio: PositiveNumber = 1
    momentum: Rate = 0.95
    ns_steps: PositiveInt = 5
    nesterov: Flag = True
    rms_rate: Annotated[PositiveNumber | Literal["none"], either("a number above zero, or `none`")] = 0.2
    examples: ClassVar = ["muon", {"muon": {"learning_rate": 0.01, "exclude_layers": ["output"], "rms_rate": "none"}}]

    @property
    def running_averages(self) -> int:
        return 1  # of matrices; vectors have two

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "rms_rate": None if self.rms_rate == "none" else self.rms_rate}
