"""What weights must obey after every step."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from dlspec.language.fields import NonNegativeNumber, PositiveNumber, Primary, Share, Whole, either, mistake
from dlspec.language.left_out import left_out
from dlspec.language.registry import OneOf, Registry
from dlspec.model.keras_kind import KerasKind


class Constraint(KerasKind):
    """A condition that weights are projected onto after every step."""

    module = "constraints"


CONSTRAINTS: Registry[Constraint] = Registry("constraint", __name__, left_out=left_out("constraints"))
AnyConstraint = Annotated[Constraint, OneOf(CONSTRAINTS)]

Axis = Annotated[Whole | Annotated[list[Whole], Field(min_length=1)], either("the number of an axis, or a list")]
"""The axes that a norm is taken over: 0 for the inputs of a dense layer's units, [0, 1, 2] for those of `conv2d`."""


@CONSTRAINTS.register
class MaxNorm(Constraint):
    """The norm of the weights into a unit is `max_value` at most (Srebro et al., 2005; Hinton et al., 2012)."""

    max_value: PositiveNumber = Primary(2, description="the largest norm")
    axis: Axis = 0
    examples: ClassVar = ["max_norm", {"max_norm": 3}, {"max_norm": {"axis": [0, 1, 2]}}]


@CONSTRAINTS.register
class MinMaxNorm(Constraint):
    """The norm of the weights into a unit lies between two values; `rate` says how fast it is brought there."""

    min_value: NonNegativeNumber = 0.0
    max_value: PositiveNumber = 1.0
    rate: Share = 1.0
    axis: Axis = 0
    examples: ClassVar = [{"min_max_norm": {"min_value": 0.5, "max_value": 2.0}}]

    def model_post_init(self, context: object) -> None:
        if self.min_value > self.max_value:
            raise mistake(
                "wrong-value",
                f"`min_value` {self.min_value:g} lies above `max_value` {self.max_value:g}",
                help=f"write `{{min_value: {self.max_value:g}, max_value: {self.min_value:g}}}`",
            )


@CONSTRAINTS.register
class NonNeg(Constraint):
    """No weight is negative."""

    examples: ClassVar = ["non_neg"]


@CONSTRAINTS.register
class UnitNorm(Constraint):
    """The norm of the weights into a unit is 1."""

    axis: Axis = Primary(0, description="the axes that the norm is taken over")
    examples: ClassVar = ["unit_norm", {"unit_norm": [0, 1, 2]}]
