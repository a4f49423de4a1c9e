"""How the learning rate changes while training."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from dlspec.language.fields import (
    Flag,
    NonNegativeInt,
    NonNegativeNumber,
    PositiveInt,
    PositiveNumber,
    Primary,
    mistake,
)
from dlspec.training.schedules.base import SCHEDULES, Schedule


class Decay(Schedule):
    """A schedule over `decay_steps`; without it, over the whole training."""

    decay_steps: PositiveInt | None = None

    def over(self, rate: float, steps: int) -> Any:
        left = max(1, steps - self.steps_before)
        return self.keras_class()(rate, **{**self.arguments(), "decay_steps": self.decay_steps or left})

    @property
    def steps_before(self) -> int:
        """Steps before the decay begins."""
        return 0


@SCHEDULES.register
class CosineDecay(Decay):
    """Half a cosine from the learning rate down to `alpha` times it (Loshchilov and Hutter, 2017).

    With `warmup_steps` it first rises in a straight line to `warmup_target` (Goyal et al., 2017).
    """

    decay_steps: PositiveInt | None = Primary(None, description="how many steps it takes")
    alpha: NonNegativeNumber = 0.0
    warmup_target: PositiveNumber | None = None
    warmup_steps: NonNegativeInt = 0
    examples: ClassVar = [
        "cosine_decay",
        {"cosine_decay": {"decay_steps": 1000}},
        {"cosine_decay": {"warmup_target": 0.01, "warmup_steps": 20}},
    ]

    def model_post_init(self, context: object) -> None:
        if self.warmup_steps and self.warmup_target is None:
            raise mistake(
                "missing-key",
                "`warmup_steps` needs `warmup_target`: the learning rate that it rises to",
                help="add `warmup_target: 0.01`, and begin with a lower `learning_rate` of the optimizer",
                at="key",
            )
        if self.warmup_target is not None and not self.warmup_steps:
            raise mistake(
                "missing-key",
                "`warmup_target` needs `warmup_steps`: how many steps it takes to rise",
                help="add `warmup_steps: 100`",
                at="key",
            )

    @property
    def steps_before(self) -> int:
        return self.warmup_steps


@SCHEDULES.register
class CosineDecayRestarts(Schedule):
    """Cosine decay that starts anew: each time `t_mul` times as long, from `m_mul` times as high (Loshchilov and
    Hutter, 2017)."""

    also: ClassVar = ("sgdr",)
    first_decay_steps: PositiveInt = Primary(description="steps until the first restart")
    t_mul: Annotated[PositiveNumber, Field(ge=1)] = 2.0
    m_mul: PositiveNumber = 1.0
    alpha: NonNegativeNumber = 0.0
    examples: ClassVar = [{"cosine_decay_restarts": 100}]


@SCHEDULES.register
class ExponentialDecay(Decay):
    """Times `decay_rate` every `decay_steps`, gradually or in steps of a `staircase`."""

    decay_rate: PositiveNumber = Primary(description="what the learning rate is multiplied by")
    staircase: Flag = False
    examples: ClassVar = [{"exponential_decay": 0.1}, {"exponential_decay": {"decay_rate": 0.9, "decay_steps": 100}}]


@SCHEDULES.register
class InverseTimeDecay(Decay):
    """Divided by 1 + `decay_rate` t, where t counts in `decay_steps`."""

    decay_rate: PositiveNumber = Primary(description="how fast it falls")
    staircase: Flag = False
    examples: ClassVar = [{"inverse_time_decay": 9.0}, {"inverse_time_decay": {"decay_rate": 1.0, "decay_steps": 50}}]


@SCHEDULES.register
class PolynomialDecay(Decay):
    """From the learning rate to `end_learning_rate`, in a straight line or by a `power`."""

    also: ClassVar = ("linear_decay",)
    end_learning_rate: NonNegativeNumber = 0.0001
    power: PositiveNumber = 1.0
    cycle: Flag = False
    examples: ClassVar = ["polynomial_decay", {"polynomial_decay": {"end_learning_rate": 0.0, "power": 2.0}}]


@SCHEDULES.register
class PiecewiseConstantDecay(Schedule):
    """The first of `values` after the first of `boundaries`, and so on; before it the optimizer's learning rate."""

    also: ClassVar = ("piecewise_constant",)
    boundaries: list[PositiveInt] = Field(min_length=1, description="steps after which the learning rate changes")
    values: list[PositiveNumber] = Field(min_length=1, description="the learning rate after each of them")
    examples: ClassVar = [{"piecewise_constant_decay": {"boundaries": [100, 200], "values": [0.001, 0.0001]}}]

    def model_post_init(self, context: object) -> None:
        if len(self.values) != len(self.boundaries):
            first = len(self.values) == len(self.boundaries) + 1
            raise mistake(
                "wrong-value",
                f"`values` has {len(self.values)} entries for {len(self.boundaries)} `boundaries`",
                help=f"leave out {self.values[0]:g}: it is the optimizer's `learning_rate`"
                if first
                else "write one value for each boundary",
            )
        if any(later <= earlier for earlier, later in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise mistake(
                "wrong-value",
                "`boundaries` must rise",
                help=f"write `boundaries: {sorted(set(self.boundaries))}`",
            )

    def over(self, rate: float, steps: int) -> Any:
        return self.keras_class()(self.boundaries, [rate, *self.values])
