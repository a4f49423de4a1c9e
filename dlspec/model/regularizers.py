"""Penalties on weights."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from dlspec.language.fields import NonNegativeNumber, Primary
from dlspec.language.left_out import left_out
from dlspec.language.registry import OneOf, Registry
from dlspec.model.keras_kind import KerasKind


class Regularizer(KerasKind):
    """A penalty on weights, added to the loss."""

    module = "regularizers"
    axes: ClassVar[tuple[int, int | None]] = (0, None)
    """The least and the largest number of axes of the weights that it can take."""


REGULARIZERS: Registry[Regularizer] = Registry("regularizer", __name__, left_out=left_out("regularizers"), usual="l2")
AnyRegularizer = Annotated[Regularizer, OneOf(REGULARIZERS)]


@REGULARIZERS.register
class L1(Regularizer):
    """`l1` times the sum of absolute values (Tibshirani, 1996)."""

    l1: NonNegativeNumber = Primary(0.01, description="strength of the penalty")
    examples: ClassVar = [{"l1": 1e-4}]


@REGULARIZERS.register
class L2(Regularizer):
    """`l2` times the sum of squares (Hoerl and Kennard, 1970)."""

    l2: NonNegativeNumber = Primary(0.01, description="strength of the penalty")
    examples: ClassVar = [{"l2": 1e-4}]


@REGULARIZERS.register
class L1L2(Regularizer):
    """Both penalties (elastic net; Zou and Hastie, 2005)."""

    also: ClassVar = ("l1_l2", "elastic_net")
    l1: NonNegativeNumber = 0.0
    l2: NonNegativeNumber = 0.0
    examples: ClassVar = [{"l1l2": {"l1": 1e-5, "l2": 1e-4}}]


@REGULARIZERS.register
class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between the rows, or the columns, of a matrix."""

    also: ClassVar = ("orthogonal",)
    axes = (2, 2)
    factor: NonNegativeNumber = Primary(0.01, description="strength of the penalty")
    mode: Literal["rows", "columns"] = "rows"
    examples: ClassVar = [{"orthogonal_regularizer": 0.02}, {"orthogonal_regularizer": {"mode": "columns"}}]
