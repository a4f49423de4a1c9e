"""What the layers that turn categories into numbers and vectors have in common."""

from __future__ import annotations

from typing import Literal

from dlspec.language.shapes import Shape, ShapeError, UnknownSize, show_shape
from dlspec.model.layers.base import LayerSpec

CategoryMode = Literal["int", "one_hot", "multi_hot", "count"]
"""What comes out: the numbers, a vector for each, or one vector for all, which holds 1 or how often each is there."""


def encoded(layer: LayerSpec, input_shape: Shape, mode: str, depth: int) -> Shape:
    """The shape of categories turned into vectors of `depth` values in the way that `mode` names.

    Raises:
        ShapeError: Keras does not know in advance what comes out, or is wrong about it.
    """
    name = layer.type_name
    if mode == "int":
        return input_shape
    if mode == "one_hot":
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise UnknownSize(
                f"`{name}` needs to know the size of the last axis for `output_mode: one_hot`, "
                f"got {show_shape(input_shape)}"
            )
        return (*(input_shape[:-1] if input_shape[-1] == 1 else input_shape), depth)
    if len(input_shape) != 2:  # of more axes, Keras promises to take the last together, and takes the second
        raise ShapeError(
            f"`{name}` needs (batch, categories) for `output_mode: {mode}`, got {show_shape(input_shape)}",
            help="put a `flatten` in front of it",
        )
    return (input_shape[0], depth)
