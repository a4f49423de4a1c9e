"""Layers that make training harder so that what is learned holds on new data."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from dlspec.language.fields import Deviation, NonNegativeInt, NonNegativeNumber, PositiveInt, Primary, Rate
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import LAYERS, DataFormat, Example, LayerSpec

NoiseShape = Annotated[list[PositiveInt | None], Field(min_length=1)]


class Regularizing(LayerSpec):
    """Base of the layers that do something in training alone, and pass values on in use.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    of_each_place = True
    keeps_shape = True
    passes_mask = True
    passes_values = True

    def output_shape(self, input_shape: Shape) -> Shape:
        noise: list[int | None] | None = getattr(self, "noise_shape", None)
        if noise is None:
            return input_shape
        pairs = zip(noise, input_shape, strict=False)
        if len(noise) != len(input_shape) or any(n not in (None, 1, size) for n, size in pairs):
            raise ShapeError(
                f"`noise_shape: {noise}` does not fit {show_shape(input_shape)}".replace("None", "null"),
                help="write null for each axis, batch first, or 1 where what is drawn holds for the whole axis",
            )
        return input_shape

    def without_input(self) -> Shape | None:
        return None if self.axes is None else (None,) * (len(self.axes) + 1)

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class Dropout(Regularizing):
    """Sets inputs to zero with probability `rate` while training (Srivastava et al., 2014).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"dropout": 0.5}, (None, 8)),
        Example({"dropout": {"rate": 0.5, "noise_shape": [None, 1, None]}}, (None, 6, 8)),
    ]

    rate: Rate = Primary(description="fraction of inputs dropped, 0 <= rate < 1")
    noise_shape: NoiseShape | None = Field(
        None, description="batch first, null for an axis as it is, 1 for one along which all are dropped or none"
    )
    seed: NonNegativeInt | None = None


@LAYERS.register
class AlphaDropout(Regularizing):
    """Drops inputs while training so that mean and variance stay, for `selu` (Klambauer et al., 2017).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example({"alpha_dropout": 0.1}, (None, 8))]

    rate: Rate = Primary(description="fraction of inputs dropped, 0 <= rate < 1")
    noise_shape: NoiseShape | None = Field(
        None, description="batch first, null for an axis as it is, 1 for one along which all are dropped or none"
    )
    seed: NonNegativeInt | None = None


class SpatialDropout(Regularizing):
    """Base of the layers that drop whole channels (Tompson et al., 2015)."""

    rate: Rate = Primary(description="fraction of channels dropped, 0 <= rate < 1")


@LAYERS.register
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of a sequence while training (Tompson et al., 2015).

    Input shape:  (batch, timesteps, channels)
    Output shape: same as input
    """

    axes = ("timesteps", "channels")
    examples: ClassVar = [Example({"spatial_dropout1d": 0.2}, (None, 9, 4))]

    seed: NonNegativeInt | None = None


@LAYERS.register
class SpatialDropout2D(SpatialDropout):
    """Drops whole feature maps while training (Tompson et al., 2015).

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    axes = ("height", "width", "channels")
    examples: ClassVar = [Example({"spatial_dropout2d": 0.2}, (None, 8, 9, 4))]

    data_format: DataFormat | None = None
    seed: NonNegativeInt | None = None


@LAYERS.register
class SpatialDropout3D(SpatialDropout):
    """Drops whole feature volumes while training (Tompson et al., 2015).

    Input shape:  (batch, depth, height, width, channels)
    Output shape: same as input
    """

    axes = ("depth", "height", "width", "channels")
    examples: ClassVar = [Example({"spatial_dropout3d": 0.2}, (None, 5, 8, 9, 4))]

    data_format: DataFormat | None = None
    seed: NonNegativeInt | None = None


@LAYERS.register
class GaussianNoise(Regularizing):
    """Adds normal noise to its input while training.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example({"gaussian_noise": 0.1}, (None, 8))]

    stddev: Deviation = Primary(description="standard deviation of the noise, 0 <= stddev <= 1")
    seed: NonNegativeInt | None = None


@LAYERS.register
class GaussianDropout(Regularizing):
    """Multiplies its input by normal noise around 1 while training (Srivastava et al., 2014).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    examples: ClassVar = [Example({"gaussian_dropout": 0.2}, (None, 8))]

    rate: Rate = Primary(description="as that of `dropout`: the noise has a variance of rate / (1 - rate)")
    seed: NonNegativeInt | None = None


@LAYERS.register
class ActivityRegularization(LayerSpec):
    """Adds the size of its input to the loss, so that it stays small.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    of_each_place = True
    keeps_shape = True
    passes_mask = True
    passes_values = True
    examples: ClassVar = [Example({"activity_regularization": {"l1": 0.01}}, (None, 8))]

    l1: NonNegativeNumber = Field(0.0, description="of the absolute values")
    l2: NonNegativeNumber = Field(0.0, description="of the squares")

    def flops(self, input_shape: Shape) -> int:
        return 2 * count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside
