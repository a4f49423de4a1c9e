"""What a network shows of itself while it is trained, and who takes such pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from dlspec.training.plan import Stage


@dataclass(frozen=True)
class Picture:
    """What is seen of a network after an epoch, as numbers.

    Args:
        kind: `plane`, `filters`, `reconstructions`, `activations`, `forecasts`, `masks` or `text`.
        epoch: counted from 1.
        layer: which it is of; None: of the whole network.
        axes: `x` and `y` of a plane: `name`, `low` and `high`.
        fields: arrays, numbers, text and lists of these by their names; what each kind has is said in
            `evaluation.pictures.training`.
    """

    kind: str
    stage: str
    epoch: int
    title: str
    layer: str | None = None
    axes: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Those of its fields that are arrays."""
        return {name: value for name, value in self.fields.items() if isinstance(value, np.ndarray)}


class Painter(Protocol):
    """Takes pictures of what is trained. It changes no weights, no optimizer and no random numbers."""

    def stage_begins(self, stage: Stage, models: Sequence[Any]) -> None:
        """A stage begins, or goes on.

        Args:
            models: of the stages of pretraining that were built, this one's last where it is one of them.
        """

    def epoch_ends(self, stage: Stage, epoch: int) -> None:
        """An epoch of the stage is done."""
