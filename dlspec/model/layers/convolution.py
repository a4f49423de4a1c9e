"""Layers that slide learned filters over a sequence, an image or a volume (LeCun et al., 1998)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import Flag, PositiveInt, Size1D, Size2D, Size3D, mistake
from dlspec.language.shapes import Shape, ShapeError, count, known, show_shape
from dlspec.model.activations import UNIT_INTERVAL, ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Zeros
from dlspec.model.layers.base import IMAGE, LAYERS, SEQUENCE, VOLUME, DataFormat, Example, LayerSpec, Spatial
from dlspec.model.layers.resizing import cut
from dlspec.model.layers.sight import Sight
from dlspec.model.regularizers import AnyRegularizer

Padding = Literal["valid", "same"]


def slide(size: int | None, window: int, step: int, padding: str, dilation: int = 1) -> int | None:
    """How many places a window of `window` has on an axis of `size`, `step` apart.

    Zero or less: the window is larger than the axis.
    """
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // step)
    return (size - ((window - 1) * dilation + 1)) // step + 1


def along_window(seen: Sight, reach: int, padding: str) -> Sight:
    """What a window that moves by one timestep sees.

    Args:
        reach: how many timesteps lie between its first and its last one.
    """
    before = {"causal": reach, "same": reach // 2}.get(padding, 0)  # zeros that are put in front
    return seen.moved(reach - before)


class Sliding(Spatial):
    """Base of what slides a learned window over every axis in space.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, *places, filters)
    """

    weighted = True

    if TYPE_CHECKING:  # each family has its fields in Keras's order
        kernel_size: Sequence[int]
        strides: Sequence[int]
        padding: str
        dilation_rate: Sequence[int]
        activation: str
        use_bias: bool

    def model_post_init(self, context: object) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise mistake("wrong-value", "`strides` and `dilation_rate` cannot both be more than 1")

    def filters_of(self, channels: int | None) -> int | None:
        """How many channels come out.

        Raises:
            ShapeError: the layer cannot take so many channels.
        """
        return self.filters  # type: ignore[attr-defined]

    def places(self, sizes: Shape) -> Shape:
        """How many places the window has along each axis; zero or less where it does not fit."""
        axes = zip(sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        return tuple(slide(size, window, step, self.padding, dilation) for size, window, step, dilation in axes)

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes, channels = self.split(input_shape)
        filters = self.filters_of(channels)
        places = self.places(sizes)
        if any(place is not None and place < 1 for place in places):
            raise ShapeError(
                f"`{self.type_name}` has a kernel of {' x '.join(map(str, self.kernel_size))}, larger than its "
                f"input {show_shape(input_shape)}",
                help="write a smaller `kernel_size`, or `padding: same`",
            )
        return self.join(input_shape[0], places, filters)

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        place = seen[0].axis - (2 if self.channels_first else 1)
        if not 0 <= place < len(self.kernel_size) or seen[0].axis >= len(shapes[0]):
            return None
        if self.strides[place] > 1 and self.kernel_size[place] * self.strides[place] > 1:
            return None  # a timestep that comes out stands for several
        return along_window(seen[0], (self.kernel_size[place] - 1) * self.dilation_rate[place], self.padding)

    def cure_of_sight(self) -> str:
        if len(self.kernel_size) == 1 and "causal" in str(type(self).model_fields["padding"].annotation):
            return "write `padding: causal`" + (", and `strides: 1`" if max(self.strides) > 1 else "")
        return "write a `kernel_size` of 1 along time, or `conv1d` with `padding: causal`"

    @property
    def window(self) -> int:
        """How many places the window covers."""
        return math.prod(self.kernel_size)

    def channels(self, input_shape: Shape) -> int:
        return known(self.split(input_shape)[1])

    def finishing(self, input_shape: Shape) -> int:
        """FLOPs of biases and activation."""
        return count(self.output_shape(input_shape)) * (self.use_bias + (self.activation != "linear"))

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """A transposed convolution with the same kernel size, which writes where this one has read."""
        sizes, channels = self.split(input_shape)
        if channels is None or None in sizes:
            return None
        padding = "same" if self.padding == "causal" else self.padding
        axes = zip(sizes, self.places(sizes), self.kernel_size, self.strides, self.dilation_rate, strict=True)
        ways = [
            _way_back(known(size), known(place), (k - 1) * d + 1, step, padding) for size, place, k, step, d in axes
        ]
        fits = all(added is not None for added, _ in ways)
        own = getattr(self, "kernel_initializer", None) or getattr(self, "depthwise_initializer", None)
        back: LayerSpec = LAYERS[f"conv{len(sizes)}d_transpose"](  # type: ignore[assignment]
            filters=channels,
            kernel_size=self.kernel_size,
            strides=self.strides,
            padding=padding,
            output_padding=[added for added, _ in ways] if fits else None,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            **({} if own is None else {"kernel_initializer": own}),
        )
        edges = [edge for _, edge in ways]
        return (back,) if fits or not any(map(sum, edges)) else (back, cut(edges, self.data_format))


def _way_back(size: int, places: int, reach: int, step: int, padding: str) -> tuple[int | None, tuple[int, int]]:
    """How a transposed convolution comes from so many places to a size: by adding places at its end, as far as that can
    be, or else as many places as a multiple of the steps, of which edges are cut off."""
    added = size - (places - 1) * step - (reach if padding == "valid" else reach % 2)
    before, without = (max((places - 1) * step + reach - whole, 0) // 2 for whole in (size, places * step))
    front = max(0, before - without)
    surplus = max(0, places * step - size)
    return added if 0 <= added < step else None, (min(front, surplus), surplus - min(front, surplus))


class Convolution(Sliding):
    """Base of the convolutions.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, *places, filters)
    """

    filters: PositiveInt = Field(description="how many filters, each of which gives a channel")
    kernel_size: tuple[int, ...] = Field(description="how large each filter is")
    strides: tuple[int, ...] = Field((1,), description="how far a filter moves from place to place")
    padding: Literal["valid", "same", "causal"] = Field("valid", description="`same` adds zeros at the edges")
    data_format: DataFormat | None = None
    dilation_rate: tuple[int, ...] = Field((1,), description="how far apart the places are that a filter reads")
    groups: PositiveInt = Field(1, description="groups of channels that have filters of their own")
    activation: ActivationName = "linear"
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None

    def model_post_init(self, context: object) -> None:
        super().model_post_init(context)
        if self.filters % self.groups:
            raise mistake("wrong-value", f"`groups: {self.groups}` does not divide the {self.filters} filters")

    def filters_of(self, channels: int | None) -> int | None:
        if (channels or 0) % self.groups:
            raise ShapeError(f"`groups: {self.groups}` does not divide the {channels} channels of the input")
        return self.filters

    def parameters(self, input_shape: Shape) -> int:
        return (self.window * (self.channels(input_shape) // self.groups) + self.use_bias) * self.filters

    def flops(self, input_shape: Shape) -> int:
        products = self.window * (self.channels(input_shape) // self.groups)
        return 2 * count(self.output_shape(input_shape)) * products + self.finishing(input_shape)


@LAYERS.register
class Conv1D(Convolution):
    """Slides filters along a sequence.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, filters)
    """

    axes = SEQUENCE
    examples: ClassVar = [
        Example({"conv1d": {"filters": 4, "kernel_size": 3}}, (None, 9, 2)),
        Example({"conv1d": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "causal"}}, (None, 9, 2)),
    ]

    kernel_size: Size1D = Field(description="how many timesteps a filter reads")
    strides: Size1D = Field((1,), description="how far a filter moves from place to place")
    padding: Literal["valid", "same", "causal"] = Field(
        "valid", description="`same` adds zeros at both ends, `causal` in front alone"
    )
    dilation_rate: Size1D = Field((1,), description="how far apart the timesteps are that a filter reads")


@LAYERS.register
class Conv2D(Convolution):
    """Slides filters over an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, rows, columns, filters)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example({"conv2d": {"filters": 4, "kernel_size": 3}}, (None, 8, 8, 2)),
        Example(
            {"conv2d": {"filters": 4, "kernel_size": [3, 5], "padding": "same", "strides": 2}},
            (None, 8, 9, 2),
        ),
        Example({"conv2d": {"filters": 4, "kernel_size": 3, "groups": 2, "use_bias": False}}, (None, 8, 8, 2)),
    ]

    kernel_size: Size2D = Field(description="height and width of a filter")
    strides: Size2D = Field((1, 1), description="how far a filter moves from place to place")
    padding: Padding = Field("valid", description="`same` adds zeros around the image")
    dilation_rate: Size2D = Field((1, 1), description="how far apart the pixels are that a filter reads")


@LAYERS.register
class Conv3D(Convolution):
    """Slides filters through a volume, such as a film.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, layers, rows, columns, filters)
    """

    axes = VOLUME
    examples: ClassVar = [
        Example({"conv3d": {"filters": 4, "kernel_size": 3}}, (None, 5, 8, 8, 2)),
        Example({"conv3d": {"filters": 4, "kernel_size": [1, 3, 3], "padding": "same"}}, (None, 5, 8, 9, 2)),
    ]

    kernel_size: Size3D = Field(description="depth, height and width of a filter")
    strides: Size3D = Field((1, 1, 1), description="how far a filter moves from place to place")
    padding: Padding = Field("valid", description="`same` adds zeros around the volume")
    dilation_rate: Size3D = Field((1, 1, 1), description="how far apart the places are that a filter reads")
