"""Axes that a layer names, counted with the batch as 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from dlspec.language.fields import OneOrMore, Whole, mistake
from dlspec.language.shapes import Shape, ShapeError, show_shape


def _no_batch(axis: int) -> int:
    if axis == 0:
        raise mistake("wrong-value", "axis 0 is the batch, whose samples stay apart", help="write -1 or another axis")
    return axis


Axis = Annotated[Whole, AfterValidator(_no_batch)]
Axes = Annotated[list[Axis], OneOrMore, Field(min_length=1)]
"""One axis or several."""


def place_of(axis: int, shape: Shape, *, added: int = 0, key: str = "axis") -> int:
    """The axis counted from the front.

    Args:
        shape: what has the axis, batch first.
        added: how many axes more there will be.

    Raises:
        ShapeError: there is no such axis, or it is the batch.
    """
    rank = len(shape) + added
    if not -rank <= axis < rank:
        raise ShapeError(f"`{key}: {axis}` names an axis that {show_shape(shape)} does not have")
    if axis % rank == 0:
        raise ShapeError(
            f"`{key}: {axis}` names the batch of {show_shape(shape)}, whose samples stay apart",
            help=f"write `{key}: -1` or another axis",
        )
    return axis % rank


def places_of(axes: Sequence[int], shape: Shape) -> tuple[int, ...]:
    """Several axes counted from the front, in order; see `place_of`."""
    places = sorted(place_of(axis, shape) for axis in axes)
    if len({*places}) < len(places):
        raise ShapeError(f"`axis: {list(axes)}` names an axis of {show_shape(shape)} twice")
    return tuple(places)
