"""When training ends before its last epoch: of the whole network, and of a stage of pretraining."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeInt, NonNegativeNumber, Number, SpecModel
from dlspec.training.callbacks.base import Monitor


class Stopping(SpecModel):
    """Base of what ends training when something no longer becomes better, and goes back to the best weights."""

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{patience: {5 if isinstance(value, bool) else value}}}" if isinstance(value, bool | int) else None


class EarlyStopping(Stopping):
    """Ends training when the held-out loss no longer falls, and goes back to the best weights."""

    monitor: Monitor = "val_loss"
    patience: NonNegativeInt = Field(5, description="epochs to wait for something better")
    min_delta: NonNegativeNumber = 0.0
    mode: Literal["auto", "min", "max"] = "auto"
    baseline: Number | None = None
    restore_best_weights: Flag = True
    start_from_epoch: NonNegativeInt = 0


class StageStopping(Stopping):
    """Ends a stage when the held-out reconstruction error no longer falls, and goes back to the best weights."""

    monitor: Literal["val_loss", "loss", "free_energy_gap"] = Field(
        "val_loss",
        description="what is watched; with `free_energy_gap` a stage ends when the gap no longer shrinks and the "
        "held-out error no longer falls",
    )
    patience: NonNegativeInt = Field(5, description="epochs to wait for something better")
    min_delta: NonNegativeNumber = 0.0
    restore_best_weights: Flag = True
    start_from_epoch: NonNegativeInt = 0
