"""Activations as layers of their own, some with weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from dlspec.language.fields import NonNegativeNumber, OneOrMore, PositiveInt, Primary, Whole, mistake
from dlspec.language.shapes import Shape, ShapeError, UnknownSize, count, show_shape
from dlspec.model.activations import ALONG_LAST_AXIS, UNIT_INTERVAL, ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, Zeros
from dlspec.model.layers.base import LAYERS, Example, LayerSpec
from dlspec.model.layers.masking import called, low_where_masked, mask_of, with_mask, without_masks
from dlspec.model.layers.sight import Sight
from dlspec.model.regularizers import AnyRegularizer


class Activating(LayerSpec):
    """Base of the layers that change every value on its own.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    of_each_place = True
    keeps_shape = True
    passes_mask = True
    follows_code = True

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return ()


@LAYERS.register
class Activation(Activating):
    """Applies a function to every value.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example({"activation": "relu"}, (None, 8))]

    activation: ActivationName = Primary(description="name of the function")

    @property
    def instead_of_mask(self) -> str:  # type: ignore[override]
        return "write the layer `softmax`, which leaves out what is masked"

    def blind_axes(self, shape: Shape) -> Sequence[int]:
        return [len(shape) - 1] if self.activation in ALONG_LAST_AXIS else []

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL or (input_inside and self.activation in ("linear", "relu"))


@LAYERS.register
class ReLU(Activating):
    """Sets what lies below zero to zero: max(0, x) (Nair and Hinton, 2010).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example("relu", (None, 8)), Example({"relu": {"max_value": 6.0}}, (None, 4, 8))]

    max_value: NonNegativeNumber | None = Field(None, description="the most that comes out")
    negative_slope: NonNegativeNumber = Field(0.0, description="slope below `threshold`")
    threshold: NonNegativeNumber = Field(0.0, description="what lies below it is set to zero, or follows the slope")

    def in_unit_interval(self, input_inside: bool) -> bool:
        bounded = self.max_value is not None and self.max_value <= 1
        return (input_inside or bounded) and not self.negative_slope


@LAYERS.register
class LeakyReLU(Activating):
    """Lets a share of what lies below zero through (Maas et al., 2013).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example("leaky_relu", (None, 8)), Example({"leaky_relu": 0.1}, (None, 4, 8))]

    negative_slope: NonNegativeNumber = Primary(0.3, description="slope below zero")

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class PReLU(Activating):
    """Learns the slope below zero, one for each place of a sample (He et al., 2015).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    weighted = True
    examples: ClassVar = [
        Example("prelu", (None, 8)),
        Example({"prelu": {"shared_axes": [1, 2]}}, (None, 6, 7, 3)),
    ]

    alpha_initializer: AnyInitializer = Zeros()
    alpha_regularizer: AnyRegularizer | None = None
    alpha_constraint: AnyConstraint | None = None
    shared_axes: Annotated[list[PositiveInt], OneOrMore, Field(min_length=1)] | None = Field(
        None, description="axes along which the slope is one, counted with the batch as 0"
    )

    def model_post_init(self, context: object) -> None:
        if len(set(self.shared_axes or ())) < len(self.shared_axes or ()):
            raise mistake("wrong-value", "`shared_axes` names an axis twice", help="name each axis once")

    def _slopes(self, input_shape: Shape) -> Shape:
        shared = self.shared_axes or ()
        return tuple(1 if axis in shared else size for axis, size in enumerate(input_shape) if axis)

    def output_shape(self, input_shape: Shape) -> Shape:
        beyond = [axis for axis in self.shared_axes or () if axis >= len(input_shape)]
        if beyond:
            raise ShapeError(f"`shared_axes` names axis {beyond[0]}, and the input is {show_shape(input_shape)}")
        slopes = self._slopes(input_shape)
        if None in slopes and len(input_shape) > 2:
            axis = slopes.index(None) + 1
            raise UnknownSize(
                f"`prelu` learns a slope for each place, and the size of axis {axis} of its input is not known",
                help=f"write `prelu: {{shared_axes: [{axis}]}}`",
            )
        return input_shape

    def without_input(self) -> Shape | None:
        return None

    def parameters(self, input_shape: Shape) -> int:
        return math.prod(size or 0 for size in self._slopes(input_shape))

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class ELU(Activating):
    """Bends what lies below zero towards -alpha: alpha (exp(x) - 1) (Clevert et al., 2016).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example("elu", (None, 8)), Example({"elu": 0.5}, (None, 4, 8))]

    alpha: NonNegativeNumber = Primary(1.0, description="how far below zero it goes at most")

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Softmax(Activating):
    """Turns values along an axis into shares that add up to 1: exp(x) / sum exp(x).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    follows_code = False
    examples: ClassVar = [Example("softmax", (None, 8)), Example({"softmax": {"axis": [1, 2]}}, (None, 4, 8))]

    axis: Annotated[list[Whole], OneOrMore, Field(min_length=1)] = Primary(
        [-1], description="the axis, or axes, that add up to 1, counted with the batch as 0"
    )

    def output_shape(self, input_shape: Shape) -> Shape:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ShapeError(f"`axis: {self.axis}` names an axis that {show_shape(input_shape)} does not have")
        places = [axis % rank for axis in self.axis]
        if 0 in places:
            raise ShapeError("`softmax` along the batch would mix samples", help="write `axis: -1`")
        if len(set(places)) < len(places):
            raise ShapeError(f"`axis: {self.axis}` names an axis twice")
        return input_shape

    def without_input(self) -> Shape | None:
        return None

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        rank = len(shapes[0])
        return None if seen[0].axis in [axis % rank for axis in self.axis] else seen[0]

    def flops(self, input_shape: Shape) -> int:
        return 3 * count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return True

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        x, mask = inputs[0], mask_of(inputs[0])
        rank = len(x.shape)
        if mask is None or len(mask.shape) == rank:
            return called(built, x)
        # Keras lays a mask of fewer axes over the last ones
        inside = any(axis % rank < len(mask.shape) for axis in self.axis)
        return with_mask(built(low_where_masked(x, mask) if inside else without_masks(inputs)[0]), mask)
