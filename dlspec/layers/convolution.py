"""Layers that slide learned filters over a sequence or an image (LeCun et al., 1998)."""

from __future__ import annotations

from typing import ClassVar, Literal

from dlspec.fields import Flag, PositiveInt, Size1D, Size2D, mistake
from dlspec.layers.base import LAYERS, Example, LayerSpec, Shape, ShapeError, count, known, show_shape
from dlspec.parts.activations import UNIT_INTERVAL, ActivationName
from dlspec.parts.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Zeros
from dlspec.parts.regularizers import AnyRegularizer

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


class Convolution(LayerSpec):
    """Base of the convolutions.

    Input shape:  (batch, *sizes, channels)
    Output shape: (batch, *places, filters)
    """

    weighted = True

    filters: PositiveInt
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    groups: PositiveInt = 1
    activation: ActivationName = "linear"
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None

    def model_post_init(self, context: object) -> None:
        if self.filters % self.groups:
            raise mistake("wrong-value", f"`groups: {self.groups}` does not divide the {self.filters} filters")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise mistake("wrong-value", "`strides` and `dilation_rate` cannot both be more than 1")

    def output_shape(self, input_shape: Shape) -> Shape:
        channels = input_shape[-1]
        if (channels or 0) % self.groups:
            raise ShapeError(f"`groups: {self.groups}` does not divide the {channels} channels of the input")
        padding: str = self.padding  # type: ignore[attr-defined]
        places = tuple(
            slide(size, window, step, padding, dilation)
            for size, window, step, dilation in zip(
                input_shape[1:-1], self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        )
        if any(place is not None and place < 1 for place in places):
            raise ShapeError(
                f"`{self.type_name}` has a kernel of {' x '.join(map(str, self.kernel_size))}, larger than its "
                f"input {show_shape(input_shape)}",
                help="write a smaller `kernel_size`, or `padding: same`",
            )
        return (input_shape[0], *places, self.filters)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL

    def _kernel(self, input_shape: Shape) -> int:
        size = known(input_shape[-1]) // self.groups
        for window in self.kernel_size:
            size *= window
        return size

    def parameters(self, input_shape: Shape) -> int:
        return (self._kernel(input_shape) + self.use_bias) * self.filters

    def flops(self, input_shape: Shape) -> int:
        per_value = 2 * self._kernel(input_shape) + self.use_bias + (self.activation != "linear")
        return count(self.output_shape(input_shape)) * per_value


@LAYERS.register
class Conv1D(Convolution):
    """Slides filters along a sequence.

    Input shape:  (batch, timesteps, channels)
    Output shape: (batch, places, filters)
    """

    axes = ("timesteps", "channels")
    examples: ClassVar = [
        Example({"conv1d": {"filters": 4, "kernel_size": 3}}, (None, 9, 2)),
        Example({"conv1d": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "causal"}}, (None, 9, 2)),
    ]

    kernel_size: Size1D
    strides: Size1D = (1,)
    padding: Literal["valid", "same", "causal"] = "valid"
    dilation_rate: Size1D = (1,)


@LAYERS.register
class Conv2D(Convolution):
    """Slides filters over an image.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, rows, columns, filters)
    """

    axes = ("height", "width", "channels")
    examples: ClassVar = [
        Example({"conv2d": {"filters": 4, "kernel_size": 3}}, (None, 8, 8, 2)),
        Example(
            {"conv2d": {"filters": 4, "kernel_size": [3, 5], "padding": "same", "strides": 2}},
            (None, 8, 9, 2),
        ),
        Example({"conv2d": {"filters": 4, "kernel_size": 3, "groups": 2, "use_bias": False}}, (None, 8, 8, 2)),
    ]

    kernel_size: Size2D
    strides: Size2D = (1, 1)
    padding: Padding = "valid"
    dilation_rate: Size2D = (1, 1)
