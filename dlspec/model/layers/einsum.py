"""The layer that multiplies by weights along axes that an equation names."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, ClassVar

from pydantic import Field

from dlspec.language.fields import OneOrMore, PositiveInt, PositiveNumber, Text, mistake
from dlspec.language.shapes import Shape, ShapeError, count, known, show_shape
from dlspec.model.activations import UNIT_INTERVAL, ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Zeros
from dlspec.model.layers.base import LAYERS, Example
from dlspec.model.layers.core import Adaptable
from dlspec.model.regularizers import AnyRegularizer

EQUATION = re.compile(r"(\.\.\.)?([A-Za-z]+)(\.\.\.)?,([A-Za-z]+)->(\.\.\.)?([A-Za-z]+)(\.\.\.)?")


@LAYERS.register
class EinsumDense(Adaptable):
    """Multiplies by weights along the axes that an equation names: `abc,cd->abd` is `dense` on a sequence.

    The letters before the comma are the axes of the input, batch first, then those of the weights; behind the arrow
    stand those that come out. `...` stands for axes that stay as they are.

    Input shape:  as the equation says
    Output shape: (batch, *output_shape)
    """

    examples: ClassVar = [
        Example({"einsum_dense": {"equation": "ab,bc->ac", "output_shape": 3}}, (None, 8)),
        Example(
            {"einsum_dense": {"equation": "abc,cd->abd", "output_shape": [None, 6], "bias_axes": "d"}}, (None, 5, 4)
        ),
        Example({"einsum_dense": {"equation": "...x,xy->...y", "output_shape": 6}}, (None, 5, 7, 4)),
    ]

    equation: Text = Field(description="axes of input and weights, and which of them come out")
    output_shape_: Annotated[list[PositiveInt | None], OneOrMore, Field(min_length=1)] = Field(
        description="sizes that come out, without the batch and what `...` stands for; null is that of the input"
    )
    activation: ActivationName = "linear"
    bias_axes: Text | None = Field(None, description="axes that come out and have a bias")
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    lora_rank: PositiveInt | None = Field(None, description="train two matrices of so many columns and rows instead")
    lora_alpha: PositiveNumber | None = Field(None, description="how much these count, divided by their rank")

    def model_post_init(self, context: object) -> None:
        super().model_post_init(context)
        match = EQUATION.fullmatch(self.equation)
        left, right = match is not None and bool(match[1]), match is not None and bool(match[3])
        if match is None or (left, right) != (bool(match[5]), bool(match[7])) or (left and right):
            raise mistake(
                "wrong-value",
                f"`equation` has the form `abc,cd->abd`, `...x,xy->...y` or `ab...,bc->ac...`, got `{self.equation}`",
            )
        taken, weights, given = match[2], match[4], match[6]
        if any(len(set(axes)) < len(axes) for axes in (taken, weights, given)):
            raise mistake("wrong-value", f"`{self.equation}` names an axis twice in one place")
        unknown = [axis for axis in given if axis not in taken + weights]
        unknown += [axis for axis in weights if axis not in taken + given]
        if unknown:
            raise mistake("wrong-value", f"`{unknown[0]}` stands in one place of `{self.equation}` only")
        if not left and (given[0] != taken[0] or given[0] in weights):
            raise mistake("wrong-value", f"the first letter of `{self.equation}` is the batch, which comes out first")
        sizes = len(given) - (not left)
        if len(self.output_shape_) != sizes:
            raise mistake("wrong-value", f"`output_shape` needs {sizes} sizes, one for each axis that comes out")
        if self.bias_axes is not None and (
            not self.bias_axes
            or not set(self.bias_axes) <= set(given if left else given[1:])
            or len(set(self.bias_axes)) < len(self.bias_axes)
        ):
            raise mistake("wrong-value", f"`bias_axes` names axes that come out, got `{self.bias_axes}`")
        size = dict(zip(given if left else given[1:], self.output_shape_, strict=True))
        of_input = [axis for axis in self.bias_axes or "" if size[axis] is None]
        if of_input:  # Keras makes the bias by these sizes alone
            raise mistake(
                "wrong-value",
                f"`bias_axes` names `{of_input[0]}`, whose size is null in `output_shape`",
                help=f"write its size in `output_shape`, or leave `{of_input[0]}` out",
            )

    def _sizes(self, input_shape: Shape) -> tuple[Shape, dict[str, int | None], str]:
        """What comes out, the size of every letter, and the letters of the weights."""
        match = EQUATION.fullmatch(self.equation)
        assert match is not None, "checked when it was read"
        taken, weights, given = match[2], match[4], match[6]
        elided = len(input_shape) - len(taken)
        if elided < (1 if match[1] else 0) or (elided and not match[1] and not match[3]):
            raise ShapeError(f"`{self.equation}` does not fit an input of {show_shape(input_shape)}")
        own = input_shape[elided:] if match[1] else input_shape[: len(taken)]
        size = dict(zip(taken, own, strict=True))
        letters = given if match[1] else given[1:]
        for letter, wanted in zip(letters, self.output_shape_, strict=True):
            if letter not in size:
                if wanted is None:
                    raise ShapeError(f"`output_shape` must say how large `{letter}` is, which the input does not have")
                size[letter] = wanted
            elif wanted is not None and wanted != size[letter]:
                held = "?" if size[letter] is None else size[letter]
                raise ShapeError(f"`{letter}` is {held} in the input, and {wanted} in `output_shape`")
        before = input_shape[:elided] if match[1] else input_shape[:1]
        behind = input_shape[len(taken) :] if match[3] else ()
        return (*before, *(size[letter] for letter in letters), *behind), size, weights

    def output_shape(self, input_shape: Shape) -> Shape:
        return self._sizes(input_shape)[0]

    def parameters(self, input_shape: Shape) -> int:
        _, size, weights = self._sizes(input_shape)
        kernel = tuple(size[letter] for letter in weights)
        bias = math.prod(known(size[letter]) for letter in self.bias_axes) if self.bias_axes else 0
        return math.prod(known(x) for x in kernel) + bias + self.adapters(kernel)

    def flops(self, input_shape: Shape) -> int:
        given, size, weights = self._sizes(input_shape)
        match = EQUATION.fullmatch(self.equation)
        assert match is not None, "checked when it was read"
        summed = math.prod(known(size[letter]) for letter in {*match[2], *weights} - set(match[6]))
        return count(given) * (2 * summed + bool(self.bias_axes) + (self.activation != "linear"))

    def without_input(self) -> Shape | None:
        return None

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL

    def sized(self, *input_shapes: Shape) -> EinsumDense:
        size = self._sizes(*input_shapes)[1]  # Keras leaves null open, also where the input has a size
        letters = self.equation.partition("->")[2].replace(".", "")[-len(self.output_shape_) :]
        return self.model_copy(update={"output_shape_": [size[letter] for letter in letters]})

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        given["output_shape"] = given.pop("output_shape_")
        return given
