"""Convolutions backwards: from places to what they were read from, which makes images larger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeInt, PositiveInt, Size1D, Size2D, Size3D, mistake, one_for_all
from dlspec.language.shapes import Shape
from dlspec.model.activations import ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Zeros
from dlspec.model.layers.base import IMAGE, LAYERS, SEQUENCE, VOLUME, DataFormat, Example, LayerSpec
from dlspec.model.layers.convolution import Padding, Sliding
from dlspec.model.layers.sight import Sight
from dlspec.model.regularizers import AnyRegularizer


class Transposed(Sliding):
    """Base of the transposed convolutions (Zeiler et al., 2010).

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    Output shape: (batch, *larger sizes, filters)
    """

    filters: PositiveInt = Field(description="how many filters, each of which gives a channel")
    kernel_size: tuple[int, ...] = Field(description="how large each filter is")
    strides: tuple[int, ...] = Field((1,), description="how many times larger it becomes")
    padding: Padding = Field("valid", description="`same` makes the size that of the input times `strides`")
    output_padding: tuple[int, ...] | None = Field(None, description="places added at the end, fewer than `strides`")
    data_format: DataFormat | None = None
    dilation_rate: tuple[int, ...] = Field((1,), description="how far apart the places are that a filter writes")
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
        added: Sequence[int] = self.output_padding or ()
        if any(one >= step for one, step in zip(added, self.strides, strict=False)):
            raise mistake("out-of-range", "`output_padding` must be less than `strides`", help="leave it out")

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        place = seen[0].axis - (2 if self.channels_first else 1)
        alone = 0 <= place < len(self.kernel_size) and self.kernel_size[place] == 1 == self.strides[place]
        return seen[0] if alone else None

    def places(self, sizes: Shape) -> Shape:
        added = self.output_padding or (None,) * len(sizes)
        axes = zip(sizes, self.kernel_size, self.strides, self.dilation_rate, added, strict=True)
        return tuple(self._places(*axis) for axis in axes)

    def _places(self, size: int | None, window: int, step: int, dilation: int, added: int | None) -> int | None:
        if size is None:
            return None
        reach = (window - 1) * dilation + 1
        if self.padding == "same":
            return size * step if added is None else (size - 1) * step + reach % 2 + added
        return (size - 1) * step + reach + (max(reach, step) - reach if added is None else added)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """A convolution with the same kernel size, which reads where this one has written."""
        sizes, channels = self.split(input_shape)
        if channels is None:
            return None
        forwards: LayerSpec = LAYERS[f"conv{len(sizes)}d"](  # type: ignore[assignment]
            filters=channels,
            kernel_size=self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            kernel_initializer=self.kernel_initializer,
        )
        return (forwards,)

    def parameters(self, input_shape: Shape) -> int:
        return (self.window * self.channels(input_shape) + self.use_bias) * self.filters

    def flops(self, input_shape: Shape) -> int:
        sizes, channels = self.split(input_shape)
        values = 1
        for size in (*sizes, channels):
            values *= size or 1
        return 2 * values * self.window * self.filters + self.finishing(input_shape)


@LAYERS.register
class Conv1DTranspose(Transposed):
    """Writes filters along a longer sequence.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, more timesteps, filters)
    """

    axes = SEQUENCE
    examples: ClassVar = [
        Example({"conv1d_transpose": {"filters": 4, "kernel_size": 3, "strides": 2}}, (None, 9, 2)),
        Example({"conv1d_transpose": {"filters": 4, "kernel_size": 3, "padding": "same"}}, (None, 9, 2)),
    ]

    kernel_size: Size1D = Field(description="how many timesteps a filter writes")
    strides: Size1D = Field((1,), description="how many times longer it becomes")
    output_padding: Annotated[tuple[NonNegativeInt], one_for_all(1)] | None = Field(
        None, description="timesteps added at the end, fewer than `strides`"
    )
    dilation_rate: Size1D = Field((1,), description="how far apart the timesteps are that a filter writes")


@LAYERS.register
class Conv2DTranspose(Transposed):
    """Writes filters over a larger image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, more height, more width, filters)
    """

    axes = IMAGE
    examples: ClassVar = [
        Example(
            {"conv2d_transpose": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}}, (None, 4, 5, 2)
        ),
        Example({"conv2d_transpose": {"filters": 4, "kernel_size": [3, 2], "use_bias": False}}, (None, 4, 5, 2)),
    ]

    kernel_size: Size2D = Field(description="height and width of a filter")
    strides: Size2D = Field((1, 1), description="how many times higher and wider it becomes")
    output_padding: Annotated[tuple[NonNegativeInt, NonNegativeInt], one_for_all(2)] | None = Field(
        None, description="rows and columns added at the end, fewer than `strides`"
    )
    dilation_rate: Size2D = Field((1, 1), description="how far apart the pixels are that a filter writes")


@LAYERS.register
class Conv3DTranspose(Transposed):
    """Writes filters into a larger volume.

    Input shape:  (batch, depth, height, width, channels)
    Output shape: (batch, more depth, more height, more width, filters)
    """

    axes = VOLUME
    examples: ClassVar = [
        Example({"conv3d_transpose": {"filters": 4, "kernel_size": 2, "strides": 2}}, (None, 2, 4, 5, 2)),
    ]

    kernel_size: Size3D = Field(description="depth, height and width of a filter")
    strides: Size3D = Field((1, 1, 1), description="how many times larger it becomes")
    output_padding: Annotated[tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt], one_for_all(3)] | None = Field(
        None, description="places added at the end of each axis, fewer than `strides`"
    )
    dilation_rate: Size3D = Field((1, 1, 1), description="how far apart the places are that a filter writes")
