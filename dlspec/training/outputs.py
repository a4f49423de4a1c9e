"""The outputs of a network as they are trained: `model: {outputs: {kind: {target: species, weight: 2}}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dlspec.language.fields import PositiveNumber, Text, either
from dlspec.model.layers.base import LayerName
from dlspec.model.section import ModelSpec, OutputSpec, as_target
from dlspec.training.losses import AnyLoss, Loss

ClassWeight = Annotated[
    Literal["balanced"] | Annotated[dict[Text, PositiveNumber], Field(min_length=1)],
    either("`balanced`, or a number above zero for each class by its label"),
]


class TrainedOutput(OutputSpec):
    """An output of the network, the column that it predicts, and what it counts in training."""

    loss: AnyLoss | None = Field(None, description="what training makes small of it; what its target needs by default")
    weight: PositiveNumber = Field(1.0, description="how much its loss counts in the sum of all")
    class_weight: ClassWeight | None = Field(None, description="how much its classes count; see `train`")


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
        return tuple(Head(name, own.loss, own.weight, own.class_weight) for name, own in self.outputs.items())


@dataclass(frozen=True)
class Head:
    """One of several outputs, as it is trained.

    Args:
        loss: None: it is not known yet what its target needs.
        weight: how much its loss counts in the sum of all.
        class_weight: how much its classes count; None: all alike.
    """

    name: str
    loss: Loss | None
    weight: float
    class_weight: ClassWeight | None = None


def part_name(output: str) -> str:
    """What the loss of an output is called in the history."""
    return f"{output}_loss"
