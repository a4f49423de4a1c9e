"""A schedule that goes on where another training stopped; imported when training begins, since it loads Keras."""

from __future__ import annotations

from typing import Any

import keras


class Later(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of which some steps were taken before.

    The steps of the optimizer itself are counted from 0, since Adam and its like correct their averages, which begin
    at zero, by this number (Kingma and Ba, 2015).

    Args:
        schedule: which learning rate belongs to which step.
        done: steps that were taken before.
    """

    def __init__(self, schedule: Any, done: int) -> None:
        super().__init__()
        self.schedule = schedule
        self.done = done

    def __call__(self, step: Any) -> Any:
        return self.schedule(step + self.done)

    def get_config(self) -> dict[str, Any]:
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "done": self.done}
