"""What a layer type declares: its fields, and how shapes, parameters and FLOPs follow from them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from dlspec.fields import Flag, Text, mistake
from dlspec.parts import Part
from dlspec.registry import Kind, OneOf, Registry

Shape = tuple[int | None, ...]
"""Sizes of the axes, the batch first; None is not known before the data are."""


class ShapeError(Exception):
    """A layer cannot take the shape that it is given."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def show_shape(shape: Shape | None) -> str:
    """`(batch, 30, 64)`; `?` where a size is not known."""
    if shape is None:
        return "(batch, …)"
    return f"({', '.join(['batch', *('?' if size is None else str(size) for size in shape[1:])])})"


def product(sizes: Shape) -> int | None:
    """The number of values, or None where a size is not known."""
    known = [size for size in sizes if size is not None]
    return math.prod(known) if len(known) == len(sizes) else None


def count(shape: Shape) -> int:
    """The number of values of one sample; unknown sizes count as one."""
    return math.prod(size or 1 for size in shape[1:])


def known(size: int | None) -> int:
    """A size that parameters depend on; zero where it is not known, so that the count is a lower bound."""
    return size or 0


@dataclass(frozen=True)
class Example:
    """A way to write a layer, and a shape that it takes, for the tests and the reference."""

    written: Any
    shape: Shape


def _layer_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):  # Keras takes no others
        raise mistake("wrong-value", f"a layer's `name` is made of the letters a to z, digits and `_`, got `{name}`")
    if name == "input":
        raise mistake("wrong-value", "`input` is the name of the network's input", help="choose another `name`")
    return name


class LayerSpec(Kind):
    """Base of every layer type.

    A layer that has weights sets `weighted`. One that needs certain axes behind the batch names them in
    `axes`. A layer is built as the class of `keras.layers` that has its name, unless it overrides `build`.
    """

    later: ClassVar = {"from": "names the layers it takes its input from"}
    axes: ClassVar[tuple[str, ...] | None] = None
    weighted: ClassVar[bool] = False
    keeps_shape: ClassVar[bool] = False
    """Whether the output has the shape of the input whatever the arguments are."""
    passes_values: ClassVar[bool] = False
    """Whether, in use, the values come out as they are, if in another shape."""
    follows_code: ClassVar[bool] = False
    """Whether, behind a layer with weights, it belongs to that layer's code in pretraining (activations)."""

    name: Annotated[Text, AfterValidator(_layer_name)] | None = None
    trainable: Flag = True

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape that comes out.

        Raises:
            ShapeError: sizes do not fit; the number of axes was checked before.
        """
        if self.keeps_shape:
            return input_shape
        raise NotImplementedError(f"{type(self).__name__} says neither `keeps_shape` nor `output_shape`")

    def parameters(self, input_shape: Shape) -> int:
        """How many numbers it holds, trained or not."""
        return 0

    def flops(self, input_shape: Shape) -> int:
        """Floating-point operations of one sample forward; a multiply-add is two."""
        return 0

    def in_unit_interval(self, input_inside: bool) -> bool:
        """Whether what comes out lies in [0, 1], given whether the input does."""
        return False

    @property
    def counted_as(self) -> str:
        """The type that numbers layers without a name."""
        return self.type_name

    @property
    def kind(self) -> type[LayerSpec]:
        """The class that says which axes it needs."""
        return type(self)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """Layers that lead from this layer's code back to its input, for an autoencoder; None: it has none."""
        return None

    def why_shape(self) -> str:
        """Why the shape that comes out is as it is, for a diagnostic that points here."""
        return "gives {shape}"

    def with_axes(self, wanted: int) -> LayerSpec | None:
        """The same layer changed so that it gives `wanted` axes, batch included; None if it cannot."""
        return None

    def build(self, name: str) -> Any:
        """The Keras layer."""
        import keras

        arguments = {
            key: value.build() if isinstance(value, Part) else value
            for key, value in self.arguments().items()
            if key not in ("name", "trainable")
        }
        layer = getattr(keras.layers, type(self).__name__)(name=name, **arguments)
        layer.trainable = self.trainable
        return layer

    @classmethod
    def check_axes(cls, input_shape: Shape) -> None:
        """Raises ShapeError when the number of axes is not what the layer needs."""
        if cls.axes is not None and len(input_shape) != len(cls.axes) + 1:
            raise ShapeError(
                f"`{cls.type_name}` needs ({', '.join(('batch', *cls.axes))}), got {show_shape(input_shape)}"
            )

    def infer(self, input_shape: Shape | None) -> Shape | None:
        """The output shape, also where the input is not known: then as far as the layer itself fixes it."""
        if input_shape is None:
            if self.axes is None:
                return None
            input_shape = (None,) * (len(self.axes) + 1)
        self.check_axes(input_shape)
        return self.output_shape(input_shape)


LAYERS: Registry[LayerSpec] = Registry(
    "layer",
    "dlspec.layers",
    later=(
        "add", "additive_attention", "attention", "average", "bidirectional", "branches", "concatenate",
        "conv1d_transpose", "conv2d_transpose", "conv3d", "cropping2d", "depthwise_conv2d", "embedding",
        "group_normalization", "masking", "multi_head_attention", "multiply", "permute", "repeat", "rescaling",
        "separable_conv2d", "skip", "spatial_dropout1d", "spatial_dropout2d", "time_distributed",
        "up_sampling1d", "up_sampling2d", "zero_padding1d", "zero_padding2d",
    ),
)  # fmt: skip
AnyLayer = Annotated[LayerSpec, OneOf(LAYERS)]
