"""Layers that cut off or add edges, or repeat places: they change sizes in space, and no channels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import Edges, Edges2D, Edges3D, PositiveInt, Primary, Size2D, Size3D
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import IMAGE, LAYERS, SEQUENCE, VOLUME, DataFormat, Example, LayerSpec
from dlspec.model.layers.sight import Sight


class InSpace(LayerSpec):
    """Base of the layers that give every axis in space another size.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: the same axes with other sizes
    """

    moves_values = True

    @abstractmethod
    def resized(self, sizes: Shape, shape: Shape) -> Shape:
        """The sizes in space that come out; `shape` is the whole input, for messages."""

    def output_shape(self, input_shape: Shape) -> Shape:
        if getattr(self, "data_format", None) == "channels_first":
            return (*input_shape[:2], *self.resized(input_shape[2:], input_shape))
        return (input_shape[0], *self.resized(input_shape[1:-1], input_shape), input_shape[-1])

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def edge_before(self, axis: int, shape: Shape) -> int | None:
        """How many places are cut off in front along an axis, or, below zero, are added; None: they are resized."""
        return None

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        edge = self.edge_before(seen[0].axis, shapes[0])
        return None if edge is None else seen[0].moved(edge)

    def _edge(self, edges: Sequence[tuple[int, int]], axis: int, shape: Shape) -> int:
        """What is done in front along an axis, 0 along that of the channels."""
        first = 2 if getattr(self, "data_format", None) == "channels_first" else 1
        return edges[axis - first][0] if 0 <= axis - first < len(edges) else 0


class Cropping(InSpace):
    """Base of the layers that cut off edges."""

    def resized(self, sizes: Shape, shape: Shape) -> Shape:
        edges: Sequence[tuple[int, int]] = self.edges
        left = [None if size is None else size - sum(edge) for size, edge in zip(sizes, edges, strict=True)]
        if any(size is not None and size < 1 for size in left):
            raise ShapeError(f"`{self.type_name}` leaves nothing of {show_shape(shape)}", help="crop less")
        return tuple(left)

    def edge_before(self, axis: int, shape: Shape) -> int | None:
        return self._edge(self.edges, axis, shape)

    @property
    def edges(self) -> Sequence[tuple[int, int]]:
        """What is cut off before and behind, for each axis."""
        return self.cropping  # type: ignore[attr-defined]

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return (add_edges(self.edges, getattr(self, "data_format", None)),)


@LAYERS.register
class Cropping1D(Cropping):
    """Cuts timesteps off before and behind.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, fewer timesteps, channels)
    """

    axes = SEQUENCE
    examples: ClassVar = [Example({"cropping1d": 1}, (None, 9, 2)), Example({"cropping1d": [0, 2]}, (None, 9, 2))]

    cropping: Edges = Primary((1, 1), description="timesteps before and behind")

    @property
    def edges(self) -> Sequence[tuple[int, int]]:
        return (self.cropping,)


@LAYERS.register
class Cropping2D(Cropping):
    """Cuts rows and columns off an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, less height, less width, channels)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example({"cropping2d": 1}, (None, 8, 9, 2)),
        Example({"cropping2d": [[1, 0], [2, 3]]}, (None, 8, 9, 2)),
    ]

    cropping: Edges2D = Primary(((0, 0), (0, 0)), description="rows above and below, and columns left and right")
    data_format: DataFormat | None = None


@LAYERS.register
class Cropping3D(Cropping):
    """Cuts the edges off a volume.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, less depth, less height, less width, channels)
    """

    axes = VOLUME
    examples: ClassVar = [Example({"cropping3d": 1}, (None, 5, 8, 9, 2))]

    cropping: Edges3D = Primary(((1, 1), (1, 1), (1, 1)), description="before and behind along each axis")
    data_format: DataFormat | None = None


class ZeroPadding(InSpace):
    """Base of the layers that add edges of zeros."""

    def resized(self, sizes: Shape, shape: Shape) -> Shape:
        edges = zip(sizes, self.edges, strict=True)
        return tuple(None if size is None else size + sum(edge) for size, edge in edges)

    def edge_before(self, axis: int, shape: Shape) -> int | None:
        return -self._edge(self.edges, axis, shape)

    @property
    def edges(self) -> Sequence[tuple[int, int]]:
        """What is added before and behind, for each axis."""
        return self.padding  # type: ignore[attr-defined]

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        data_format = getattr(self, "data_format", None)
        return None if data_format == "channels_first" and len(self.edges) == 1 else (cut(self.edges, data_format),)


@LAYERS.register
class ZeroPadding1D(ZeroPadding):
    """Adds timesteps of zeros before and behind.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, more timesteps, channels)
    """

    axes = SEQUENCE
    examples: ClassVar = [
        Example({"zero_padding1d": 2}, (None, 9, 2)),
        Example({"zero_padding1d": [3, 0]}, (None, 9, 2)),
    ]

    padding: Edges = Primary((1, 1), description="timesteps before and behind")
    data_format: DataFormat | None = None

    @property
    def edges(self) -> Sequence[tuple[int, int]]:
        return (self.padding,)


@LAYERS.register
class ZeroPadding2D(ZeroPadding):
    """Adds rows and columns of zeros around an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, more height, more width, channels)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example({"zero_padding2d": 1}, (None, 8, 9, 2)),
        Example({"zero_padding2d": [[1, 0], [2, 3]]}, (None, 8, 9, 2)),
    ]

    padding: Edges2D = Primary(((1, 1), (1, 1)), description="rows above and below, and columns left and right")
    data_format: DataFormat | None = None


@LAYERS.register
class ZeroPadding3D(ZeroPadding):
    """Adds zeros around a volume.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, more depth, more height, more width, channels)
    """

    axes = VOLUME
    examples: ClassVar = [Example({"zero_padding3d": 1}, (None, 5, 8, 9, 2))]

    padding: Edges3D = Primary(((1, 1), (1, 1), (1, 1)), description="before and behind along each axis")
    data_format: DataFormat | None = None


class UpSampling(InSpace):
    """Base of the layers that repeat every place."""

    def resized(self, sizes: Shape, shape: Shape) -> Shape:
        factors = zip(sizes, self.factors, strict=True)
        return tuple(None if size is None else size * factor for size, factor in factors)

    def edge_before(self, axis: int, shape: Shape) -> int | None:
        place = axis - (2 if getattr(self, "data_format", None) == "channels_first" else 1)
        return 0 if not 0 <= place < len(self.factors) or self.factors[place] == 1 else None

    @property
    def factors(self) -> Sequence[int]:
        """How much longer each axis becomes."""
        return self.size  # type: ignore[attr-defined]

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return (_made("average_pooling", self.factors, getattr(self, "data_format", None)),)


@LAYERS.register
class UpSampling1D(UpSampling):
    """Repeats every timestep.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, more timesteps, channels)
    """

    axes = SEQUENCE
    examples: ClassVar = [Example({"up_sampling1d": 3}, (None, 9, 2))]

    size: PositiveInt = Primary(2, description="how often each timestep stands")

    @property
    def factors(self) -> Sequence[int]:
        return (self.size,)


@LAYERS.register
class UpSampling2D(UpSampling):
    """Makes an image larger by repeating pixels or by what lies between them.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, more height, more width, channels)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example({"up_sampling2d": 2}, (None, 4, 5, 2)),
        Example({"up_sampling2d": {"size": [1, 3], "interpolation": "bilinear"}}, (None, 4, 5, 2)),
    ]

    size: Size2D = Primary((2, 2), description="how many times higher and wider")
    data_format: DataFormat | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = Field(
        "nearest", description="how new pixels follow from those around them"
    )

    def flops(self, input_shape: Shape) -> int:
        read = {"nearest": 0, "bilinear": 4, "bicubic": 16, "lanczos3": 36, "lanczos5": 100}[self.interpolation]
        return 2 * read * count(self.output_shape(input_shape))

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside and self.interpolation in ("nearest", "bilinear")  # the others overshoot


@LAYERS.register
class UpSampling3D(UpSampling):
    """Repeats every place of a volume.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, more depth, more height, more width, channels)
    """

    axes = VOLUME
    examples: ClassVar = [Example({"up_sampling3d": 2}, (None, 2, 4, 5, 2))]

    size: Size3D = Primary((2, 2, 2), description="how many times deeper, higher and wider")
    data_format: DataFormat | None = None


def enlarge(factors: Sequence[int], data_format: DataFormat | None) -> LayerSpec:
    """A layer that repeats places so many times along each axis."""
    return _made("up_sampling", factors if len(factors) > 1 else factors[0], data_format, len(factors))


def cut(edges: Sequence[tuple[int, int]], data_format: DataFormat | None) -> LayerSpec:
    """A layer that cuts these edges off."""
    return _made("cropping", edges if len(edges) > 1 else edges[0], data_format, len(edges))


def add_edges(edges: Sequence[tuple[int, int]], data_format: DataFormat | None) -> LayerSpec:
    """A layer that adds these edges of zeros."""
    return _made("zero_padding", edges if len(edges) > 1 else edges[0], data_format, len(edges))


def fit(sizes: Sequence[int], wanted: Sequence[int], data_format: DataFormat | None) -> tuple[LayerSpec, ...]:
    """Layers that bring an image of these sizes to the wanted ones, at its far edges; none where it has them."""
    missing = [(0, max(0, want - size)) for size, want in zip(sizes, wanted, strict=True)]
    surplus = [(0, max(0, size - want)) for size, want in zip(sizes, wanted, strict=True)]
    added = (add_edges(missing, data_format),) if any(map(sum, missing)) else ()
    return (cut(surplus, data_format), *added) if any(map(sum, surplus)) else added


def _made(family: str, value: Any, data_format: DataFormat | None, axes: int | None = None) -> LayerSpec:
    """The layer of a family for so many axes, from its one argument."""
    kind = LAYERS[f"{family}{axes or len(value)}d"]
    more = {"data_format": data_format} if "data_format" in kind.model_fields else {}
    made = kind(**{str(kind.primary()): value}, **more)
    assert isinstance(made, LayerSpec), "these families are layers"
    return made
