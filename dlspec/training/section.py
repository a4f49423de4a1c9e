"""The section `train`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from dlspec.language.fields import OneOrMore, PositiveInt, PositiveNumber, SpecModel, Text, mistake
from dlspec.language.quantities import Time
from dlspec.language.section import Section
from dlspec.language.words import one_of
from dlspec.runtime.section import RuntimeSpec
from dlspec.training.callbacks.base import AnyCallback
from dlspec.training.early_stopping import EarlyStopping
from dlspec.training.losses import AnyLoss
from dlspec.training.optimizers import Adam, AnyOptimizer, Optimizer
from dlspec.training.optimizers.base import CLIPS
from dlspec.training.outputs import ClassWeight, Head
from dlspec.training.schedules.base import AnySchedule


class GradientClipping(SpecModel):
    """Limits the gradient of each weight matrix (`norm`), each weight (`value`) or all together (`global_norm`)."""

    norm: PositiveNumber | None = None
    value: PositiveNumber | None = None
    global_norm: PositiveNumber | None = None

    def model_post_init(self, context: object) -> None:
        given = [name for name in CLIPS if getattr(self, name) is not None]
        if len(given) != 1:
            raise mistake(
                "wrong-value",
                f"`gradient_clipping` takes one of {one_of(CLIPS)}, got {one_of(given) if given else 'none'}",
                help=f"keep `{given[0]}`" if given else "write `gradient_clipping: {norm: 1.0}`",
            )

    @property
    def arguments(self) -> dict[str, float]:
        """As the optimizer's arguments."""
        return {argument: getattr(self, key) for key, argument in CLIPS.items() if getattr(self, key) is not None}


class TeacherSpec(SpecModel):
    """A run whose network is the teacher of this one (Hinton et al., 2015)."""

    from_: Text = Field(description="the folder of the run")
    temperature: PositiveNumber = Field(4.0, description="by what logits are divided before both are compared")
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.9, description="of the loss that the teacher has; the rest is the truth's"
    )

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{from: {value}}}" if isinstance(value, str) else None


class TrainSpec(Section):
    """How the whole network is trained."""

    loss: AnyLoss | None = None
    optimizer: AnyOptimizer = Adam()
    schedule: AnySchedule | None = None
    gradient_clipping: GradientClipping | None = None
    epochs: PositiveInt = 20
    batch_size: PositiveInt = 32
    thaw_after: PositiveInt | None = None
    class_weight: ClassWeight | None = None
    teacher: TeacherSpec | None = None
    early_stopping: EarlyStopping | None = None
    callbacks: Annotated[list[AnyCallback], OneOrMore] | None = None
    checkpoint_every: Time | None = None

    @property
    def clipped_optimizer(self) -> Optimizer:
        """The optimizer, with `gradient_clipping` where that is given."""
        clipping = self.gradient_clipping
        return self.optimizer.model_copy(update=clipping.arguments) if clipping else self.optimizer


@dataclass(frozen=True)
class TrainingSettings:
    """All that a training needs besides a plan and data.

    Args:
        heads: of a network of several outputs, how each is trained.
    """

    train: TrainSpec
    runtime: RuntimeSpec
    seed: int
    heads: tuple[Head, ...] = ()
