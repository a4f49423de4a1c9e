"""Operations of `keras.ops` as layers, and those that take each value alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dlspec.language.fields import Number, Primary, mistake
from dlspec.language.shapes import Shape, count
from dlspec.model.layers.base import LAYERS, Example, LayerSpec, Merging, check_masks
from dlspec.model.layers.masking import mask_of, over, with_mask
from dlspec.model.layers.sight import Sight

Masks = Sequence[Any]
"""The mask of each input, batch first; None where there is none."""


class Operating(LayerSpec):
    """Base of the layers that are operations of `keras.ops`, which are no layers in Keras and drop masks.

    An `Identity` behind the operation bears the name, so that what comes out is found as that of any layer.
    """

    alone_in_keras = False

    @abstractmethod
    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        """What the operation makes of tensors."""

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        """The mask of what comes out; None: it has none. One input at least has one."""
        return masks[0]

    def build(self, name: str | None = None) -> Any:
        import keras

        layer = keras.layers.Identity(name=name, dtype=self.dtype)
        layer.trainable = self.trainable
        return layer

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        from keras import ops

        masks = [mask_of(x) for x in inputs]
        check_masks(self, inputs)
        dtype = built.compute_dtype
        tensors = [x if x.dtype == dtype else ops.cast(x, dtype) for x in inputs]
        output = built(self.operate(tensors, masks))
        return with_mask(output, self.mask(tensors, masks, output)) if any(m is not None for m in masks) else output


class Operation(Operating):
    """Base of the operations on one input."""

    passes_mask = True


class MergingOperation(Operating, Merging):
    """Base of the operations on several inputs."""


class EachValue(Operation):
    """Base of the operations on each value alone.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    keeps_shape = True
    steep: ClassVar[bool] = False
    """Whether it is infinite, or infinitely steep, somewhere: what is masked is 1 there, so that training goes on."""

    @abstractmethod
    def of(self, x: Any) -> Any:
        """What it makes of a tensor."""

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0]

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        x, mask = inputs[0], masks[0]
        return self.of(ops.where(over(mask, x), x, 1.0) if self.steep and mask is not None else x)

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)


@LAYERS.register
class Square(EachValue):
    """Multiplies each value by itself.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example("square", (None, 8)), Example("square", (None, 5, 8))]

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.square(x)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Exp(EachValue):
    """The exponential of each value.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    steep = True
    examples: ClassVar = [Example("exp", (None, 8)), Example("exp", (None, 5, 8))]

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.exp(x)


@LAYERS.register
class Log(EachValue):
    """The natural logarithm of each value, which must be above 0: `clip` or `softplus` above it sees to that.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    steep = True
    examples: ClassVar = [Example("log", (None, 8)), Example("log", (None, 5, 8))]

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.log(x)


@LAYERS.register
class Sqrt(EachValue):
    """The square root of each value, which must not be below 0; at 0 it is infinitely steep.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    steep = True
    examples: ClassVar = [Example("sqrt", (None, 8)), Example("sqrt", (None, 5, 8))]

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.sqrt(x)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Abs(EachValue):
    """Each value without its sign.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    also: ClassVar = ("absolute",)
    examples: ClassVar = [Example("abs", (None, 8)), Example("abs", (None, 5, 8))]

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.abs(x)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Sin(EachValue):
    """The sine of each value.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example("sin", (None, 8)), Example("sin", (None, 5, 8))]

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.sin(x)


@LAYERS.register
class Cos(EachValue):
    """The cosine of each value.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example("cos", (None, 8)), Example("cos", (None, 5, 8))]

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.cos(x)


@LAYERS.register
class Clip(EachValue):
    """Cuts values off at two bounds.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    also: ClassVar = ("clamp", "clip_by_value")
    examples: ClassVar = [
        Example({"clip": {"x_min": 0, "x_max": 1}}, (None, 8)),
        Example({"clip": {"x_min": -2.5, "x_max": 2.5}}, (None, 5, 8)),
    ]

    x_min: Number = Field(description="what smaller values become")
    x_max: Number = Field(description="what larger values become")

    def model_post_init(self, context: object) -> None:
        if self.x_min >= self.x_max:
            raise mistake(
                "wrong-value",
                f"`x_min` must be smaller than `x_max`, got {self.x_min:g} and {self.x_max:g}",
                help="write the smaller number as `x_min`",
            )

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.clip(x, self.x_min, self.x_max)

    def flops(self, input_shape: Shape) -> int:
        return 2 * count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.x_min >= 0 and self.x_max <= 1


@LAYERS.register
class Power(EachValue):
    """Raises each value to a power; where that is no whole number, values must not be below 0.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    steep = True
    also: ClassVar = ("pow",)
    examples: ClassVar = [Example({"power": 3}, (None, 8)), Example({"power": {"exponent": 0.5}}, (None, 5, 8))]

    exponent: Number = Primary(description="the power")

    def of(self, x: Any) -> Any:
        from keras import ops

        return ops.power(x, self.exponent)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside and self.exponent >= 0
