"""Shapes of arrays, and what is said of them."""

from __future__ import annotations

import math

Shape = tuple[int | None, ...]
"""Sizes of the axes, the batch first; None is not known before the data are."""


class ShapeError(Exception):
    """A layer cannot take the shape that it is given."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class UnknownSize(ShapeError):
    """Nothing but that a size is not known is in the way: a mistake only where all is known that the data say."""


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


Path = tuple[str | int, ...]
"""Where something stands in the spec: `("model", "layers", 3)`."""
