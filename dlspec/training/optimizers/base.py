"""What all optimizers have in common."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, Strict

from dlspec.language.fields import Flag, NonNegativeNumber, PositiveInt, PositiveNumber, Primary, Share, mistake
from dlspec.language.left_out import left_out
from dlspec.language.registry import OneOf, Registry
from dlspec.language.words import one_of
from dlspec.model.keras_kind import KerasKind
from dlspec.training.schedules.base import Schedule

CLIPS = {"norm": "clipnorm", "value": "clipvalue", "global_norm": "global_clipnorm"}
"""Key of `gradient_clipping` -> the optimizer's argument."""


class Optimizer(KerasKind):
    """How weights follow the gradient.

    `use_ema` keeps a running average of the weights, which training ends with (Polyak and Juditsky, 1992);
    `gradient_accumulation_steps` adds up the gradients of so many batches before it moves.
    """

    module: ClassVar = "optimizers"

    learning_rate: PositiveNumber = Primary(1e-3, description="size of a step")
    weight_decay: NonNegativeNumber | None = None
    clipnorm: PositiveNumber | None = None
    clipvalue: PositiveNumber | None = None
    global_clipnorm: PositiveNumber | None = None
    use_ema: Flag = False
    ema_momentum: Share = 0.99
    ema_overwrite_frequency: PositiveInt | None = None
    loss_scale_factor: PositiveNumber | None = None
    gradient_accumulation_steps: Annotated[int, Strict(), Field(ge=2)] | None = None

    def model_post_init(self, context: object) -> None:
        if len(self.clips) > 1:
            raise mistake("wrong-value", f"{one_of(self.clips)} exclude each other", help=f"keep `{self.clips[0]}`")

    @property
    def clips(self) -> list[str]:
        """Its arguments that limit the gradient and are set."""
        return [name for name in CLIPS.values() if getattr(self, name) is not None]

    @property
    def running_averages(self) -> int:
        """How many numbers it keeps of each weight."""
        return 2

    @property
    def state_per_weight(self) -> int:
        """How many numbers it keeps of each weight, those that every optimizer can keep included."""
        return self.running_averages + self.use_ema + (self.gradient_accumulation_steps is not None)

    def over(self, steps: int, schedule: Schedule | None = None, done: int = 0) -> Any:
        """The Keras optimizer of a training.

        Args:
            steps: weight updates in the whole training.
            schedule: how the learning rate changes.
            done: those of the updates that another optimizer makes before.
        """
        return self.keras_class()(**self.scheduled(steps, schedule, done))

    def scheduled(self, steps: int, schedule: Schedule | None, done: int) -> dict[str, Any]:
        """The arguments, with the schedule as the learning rate where there is one."""
        if schedule is None:
            return self.arguments()
        rate = schedule.over(self.learning_rate, steps)
        if done:
            from dlspec.training.schedules._later import Later

            rate = Later(rate, done)
        return {**self.arguments(), "learning_rate": rate}


OPTIMIZERS: Registry[Optimizer] = Registry(
    "optimizer", "dlspec.training.optimizers", left_out=left_out("optimizers"), lazy=True, usual="adam"
)
AnyOptimizer = Annotated[Optimizer, OneOf(OPTIMIZERS)]
