"""The outputs of a network as they are trained: `model: {outputs: {kind: {target: species, weight: 2}}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from dlspec.language.fields import PositiveNumber
from dlspec.model.layers.base import LayerName
from dlspec.model.section import ModelSpec, OutputSpec, as_target
from dlspec.training.losses import AnyLoss, Loss


class TrainedOutput(OutputSpec):
    """An output of the network, the column that it predicts, and what it counts in training."""

    loss: AnyLoss | None = Field(None, description="what training makes small of it; what its target needs by default")
    weight: PositiveNumber = Field(1.0, description="how much its loss counts in the sum of all")


class TrainedModel(ModelSpec):
    """The layers of the network, and its inputs and outputs where there are several. A list alone is the layers."""

    outputs: (
        Annotated[dict[LayerName, Annotated[TrainedOutput, BeforeValidator(as_target)]], Field(min_length=1)] | None
    ) = None  # type: ignore[assignment]  # a narrower type

    @property
    def heads(self) -> tuple[Head, ...]:
        """The outputs of a network that has several, as they are trained; else none."""
        if self.outputs is None or len(self.outputs) < 2:
            return ()
        return tuple(Head(name, given.loss, given.weight) for name, given in self.outputs.items())


@dataclass(frozen=True)
class Head:
    """One of several outputs, as it is trained.

    Args:
        loss: None: it is not known yet what its target needs.
        weight: how much its loss counts in the sum of all.
    """

    name: str
    loss: Loss | None
    weight: float


def part_name(output: str) -> str:
    """What the loss of an output is called in the history."""
    return f"{output}_loss"
