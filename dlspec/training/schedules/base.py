"""What all schedules have in common."""

from __future__ import annotations

from typing import Annotated, Any

from dlspec.language.left_out import left_out
from dlspec.language.registry import OneOf, Registry
from dlspec.model.keras_kind import KerasKind


class Schedule(KerasKind):
    """How the learning rate changes while training; it starts at the optimizer's `learning_rate`.

    A step is one weight update.
    """

    module = "optimizers.schedules"

    def over(self, rate: float, steps: int) -> Any:
        """The Keras schedule.

        Args:
            rate: the learning rate to start with.
            steps: weight updates in the whole training.
        """
        return self.keras_class()(rate, **self.arguments())


SCHEDULES: Registry[Schedule] = Registry(
    "schedule", "dlspec.training.schedules", left_out=left_out("optimizers.schedules")
)


AnySchedule = Annotated[Schedule, OneOf(SCHEDULES)]
