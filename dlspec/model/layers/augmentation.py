"""Layers that move, cut or mix images at random while training, and in use pass them on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from dlspec.language.fields import NonNegativeInt, Number, PositiveInt, PositiveNumber, Primary, Share, mistake
from dlspec.language.shapes import Shape, ShapeError, count
from dlspec.model.layers.base import LAYERS, Example
from dlspec.model.layers.imaging import FillMode, SpatialAugmentation, SpatialImageLayer, Warp
from dlspec.model.layers.numbers import Factor, SignedFactor, ValueRange, one_or

IMAGE = (None, 8, 9, 3)
"""Of the examples."""


@LAYERS.register
class RandomCrop(SpatialImageLayer):
    """Cuts a window out of each image, at a random place while training and in the middle in use.

    An image that is not larger than the window, or of which nothing is cut, is scaled to it.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, height, width, channels), with the height and width of the window
    """

    examples: ClassVar = [
        Example({"random_crop": {"height": 4, "width": 5}}, IMAGE),
        Example({"random_crop": {"height": 4, "width": 4, "data_format": "channels_first"}}, (None, 3, 8, 9)),
    ]

    at_random_in_keras = True
    height: PositiveInt = Field(description="height of the window")
    width: PositiveInt = Field(description="width of the window")
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.resized(input_shape, self.height, self.width)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        # Keras cuts while training alone, and in use passes on whole images, which no later layer expects
        import keras

        name = f"{built.name}_in_use_{inputs[0].name}"  # one for each place where it is used
        middle = keras.layers.CenterCrop(self.height, self.width, self.data_format, name=name, dtype=self.dtype)
        return middle(built(inputs[0]))


@LAYERS.register
class RandomFlip(SpatialAugmentation):
    """Mirrors half of the images, left to right, top to bottom, or both, while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    moves = True
    examples: ClassVar = [
        Example({"random_flip": "horizontal"}, IMAGE),
        Example("random_flip", IMAGE),
    ]

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = Primary(
        "horizontal_and_vertical", description="`horizontal` swaps left and right"
    )
    seed: NonNegativeInt | None = None


@LAYERS.register
class RandomRotation(Warp):
    """Turns each image by a random angle while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"random_rotation": 0.1}, IMAGE),
        Example({"random_rotation": {"factor": [-0.05, 0.1], "fill_mode": "constant", "seed": 1}}, IMAGE),
    ]

    factor: SignedFactor = Primary(description="the largest angle, 1 a full turn, or the smallest and the largest")
    fill_mode: FillMode = "reflect"
    seed: NonNegativeInt | None = None
    fill_value: Number = Field(0.0, description="the value outside with `fill_mode: constant`")


@LAYERS.register
class RandomTranslation(Warp):
    """Moves each image up or down and left or right by a random distance while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"random_translation": {"height_factor": 0.1, "width_factor": 0.1}}, IMAGE),
        Example({"random_translation": {"height_factor": [-0.2, 0.0], "width_factor": 0.1, "seed": 1}}, IMAGE),
    ]

    height_factor: SignedFactor = Field(description="the largest distance down, of the height, or the range")
    width_factor: SignedFactor = Field(description="the largest distance to the right, of the width, or the range")
    fill_mode: FillMode = "reflect"
    seed: NonNegativeInt | None = None
    fill_value: Number = Field(0.0, description="the value outside with `fill_mode: constant`")


Zoom = Annotated[float | tuple[float, float], one_or(2, low=-1, high=1, above=True, rising=True)]


@LAYERS.register
class RandomZoom(Warp):
    """Scales each image by a random factor around its middle while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"random_zoom": 0.2}, IMAGE),
        Example({"random_zoom": {"height_factor": [-0.3, -0.1], "width_factor": 0.1}}, IMAGE),
    ]

    height_factor: Zoom = Primary(description="how much smaller the image becomes; negative numbers enlarge it")
    width_factor: Zoom | None = Field(None, description="the same for the width; without it, both scale alike")
    fill_mode: FillMode = "reflect"
    seed: NonNegativeInt | None = None
    fill_value: Number = Field(0.0, description="the value outside with `fill_mode: constant`")


@LAYERS.register
class RandomShear(Warp):
    """Slants each image by a random amount while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"random_shear": {"x_factor": 0.2}}, IMAGE),
        Example({"random_shear": {"x_factor": [0.1, 0.3], "y_factor": 0.2, "fill_mode": "nearest"}}, IMAGE),
    ]

    x_factor: Factor = Field(0.0, description="how far rows are shifted against each other, or the range")
    y_factor: Factor = Field(0.0, description="how far columns are shifted against each other, or the range")
    fill_mode: FillMode = "reflect"
    fill_value: Number = Field(0.0, description="the value outside with `fill_mode: constant`")
    seed: NonNegativeInt | None = None

    def keras_arguments(self) -> dict[str, Any]:
        # of one number Keras saves a range from its negative, and does not load it; directions are drawn anyway
        given = super().keras_arguments()
        both = ("x_factor", "y_factor")
        return {**given, **{key: given[key] if isinstance(given[key], tuple) else (0.0, given[key]) for key in both}}


@LAYERS.register
class RandomPerspective(Warp):
    """Shows images as if seen from a random direction, by moving their corners, while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"random_perspective": 0.5}, IMAGE),
        Example({"random_perspective": {"factor": [0.2, 0.8], "scale": 0.3, "interpolation": "nearest"}}, IMAGE),
    ]

    factor: Factor = Primary(1.0, description="how likely an image is changed")
    scale: Share = Field(1.0, description="how far the corners move")
    fill_value: Number = Field(0.0, description="the value outside the image")
    seed: NonNegativeInt | None = None


FillValue = Annotated[float | tuple[float, float, float], one_or(3)]


@LAYERS.register
class RandomErasing(SpatialAugmentation):
    """Covers a random rectangle of images with noise or one colour while training (Zhong et al., 2017).

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 1
    examples: ClassVar = [
        Example({"random_erasing": 0.5}, IMAGE),
        Example({"random_erasing": {"scale": [0.1, 0.2], "fill_value": [0.5, 0.5, 0.5], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: Factor = Primary(1.0, description="how likely an image is changed")
    scale: Factor = Field((0.02, 0.33), description="the area of the rectangle, of that of the image")
    fill_value: FillValue | None = Field(None, description="the colour; without it, noise")
    value_range: ValueRange = Field((0, 255), description="the smallest and the largest value of the images")
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        if isinstance(self.fill_value, tuple):
            if self.channels_first:
                # Keras lays the three numbers along the width
                raise ShapeError(
                    "`random_erasing` takes a `fill_value` of three numbers for channels that are the last axis only",
                    help="write one number",
                )
            self.need_colors(input_shape)
        return input_shape


def _odd(given: int | tuple[int, int]) -> int | tuple[int, int]:
    for number in given if isinstance(given, tuple) else (given,):
        if number % 2 == 0:
            raise mistake("wrong-value", f"`kernel_size` is odd, got `{number}`", help=f"write `{number + 1}`")
    return given


Odd = Annotated[int | tuple[int, int], one_or(2, whole=True, low=1), AfterValidator(_odd)]


@LAYERS.register
class RandomGaussianBlur(SpatialAugmentation):
    """Blurs images by a random amount while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"random_gaussian_blur": 0.5}, IMAGE),
        Example({"random_gaussian_blur": {"kernel_size": [3, 5], "sigma": [0.2, 0.8]}}, IMAGE),
    ]

    factor: Factor = Primary(1.0, description="how likely an image is changed")
    kernel_size: Odd = Field(3, description="odd height and width of the window; one number stands for both")
    sigma: Factor = Field(1.0, description="standard deviation of the window in pixels, or the range it is drawn from")
    value_range: ValueRange = Field((0, 255), description="the smallest and the largest value of the images")
    seed: NonNegativeInt | None = None

    def flops(self, input_shape: Shape) -> int:
        height, width = self.kernel_size if isinstance(self.kernel_size, tuple) else (self.kernel_size,) * 2
        return (2 * height * width + 1) * count(input_shape)


@LAYERS.register
class CutMix(SpatialAugmentation):
    """Puts a random rectangle of another image of the batch into each image while training (Yun et al., 2019).

    Classes of pixels move with them; other targets stay as they are, so that it is else meant for networks that
    reconstruct images.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 1
    moves = True
    examples: ClassVar = [
        Example({"cut_mix": 0.5}, IMAGE),
        Example({"cut_mix": {"factor": [0.2, 0.8], "seed": 1}}, IMAGE),
    ]

    factor: Factor = Primary(1.0, description="parameter of the beta distribution of the areas, or its range")
    seed: NonNegativeInt | None = None


@LAYERS.register
class MixUp(SpatialAugmentation):
    """Lays another image of the batch over each image, weighted at random, while training (Zhang et al., 2018).

    Targets stay as they are, so it is meant for networks that reconstruct images.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 4  # two products, a difference and a sum
    moves_no_mask = "it lays two pictures over each other, and a pixel has one class"
    examples: ClassVar = [
        Example("mix_up", IMAGE),
        Example({"mix_up": {"alpha": 0.4, "seed": 1}}, IMAGE),
    ]

    alpha: PositiveNumber = Primary(0.2, description="parameter of the beta distribution of the weights")
    seed: NonNegativeInt | None = None
