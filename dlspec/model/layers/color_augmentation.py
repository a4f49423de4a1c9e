"""Layers that change the colours of images at random while training, and in use pass them on."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeInt, PositiveInt, PositiveNumber, Primary, Share, mistake
from dlspec.language.shapes import Shape, count
from dlspec.model.layers.base import LAYERS, Example
from dlspec.model.layers.imaging import BILINEAR_STEPS, Augmentation, Interpolation, SpatialAugmentation
from dlspec.model.layers.numbers import Factor, SignedFactor, ValueRange, one_or

IMAGE = (None, 8, 9, 3)
"""Of the examples."""
RANGE = "the smallest and the largest value of the images"


@LAYERS.register
class RandomBrightness(Augmentation):
    """Makes each image brighter or darker by a random amount while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 2  # a sum, cut off
    examples: ClassVar = [
        Example({"random_brightness": 0.2}, IMAGE),
        Example({"random_brightness": {"factor": [-0.3, 0.1], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: SignedFactor = Primary(description="the largest change, of the value range, or its range")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None


@LAYERS.register
class RandomContrast(SpatialAugmentation):
    """Moves the values of each image away from their mean, or towards it, by a random factor while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 5  # the mean, a difference, a product, a sum, cut off
    examples: ClassVar = [
        Example({"random_contrast": 0.2}, IMAGE),
        Example({"random_contrast": {"factor": [0.1, 0.3], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: Factor = Primary(description="the factor lies between 1 and 1 + it; of two, between 1 - and 1 + them")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None


HSV_STEPS = 8
"""Operations a value to turn red, green and blue into hue, saturation and brightness, and back."""


@LAYERS.register
class RandomSaturation(SpatialAugmentation):
    """Makes the colours of each image stronger or weaker by a random factor while training.

    Input shape:  (batch, height, width, 3)
    Output shape: same as input
    """

    steps = HSV_STEPS + 1
    examples: ClassVar = [
        Example({"random_saturation": [0.4, 0.6]}, IMAGE),
        Example({"random_saturation": {"factor": 0.5, "value_range": [0, 1], "seed": 1}}, IMAGE),
    ]

    factor: Factor = Primary(description="0 is grey, 0.5 no change, 1 as strong as can be")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        self.need_colors(input_shape)
        return input_shape


@LAYERS.register
class RandomHue(SpatialAugmentation):
    """Turns the colours of each image on the colour wheel by a random amount while training.

    Input shape:  (batch, height, width, 3)
    Output shape: same as input
    """

    steps = HSV_STEPS + 1
    examples: ClassVar = [
        Example({"random_hue": 0.1}, IMAGE),
        Example({"random_hue": {"factor": [0.2, 0.4], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: Factor = Primary(description="how far colours turn, 0 not at all, or the range")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        self.need_colors(input_shape)
        return input_shape


@LAYERS.register
class RandomColorJitter(SpatialAugmentation):
    """Changes brightness, contrast, saturation and hue of each image, each if its factor is given, while training.

    With `data_format: channels_first` it changes the brightness alone, so that no other factor may be given.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example({"random_color_jitter": {"brightness_factor": 0.2, "contrast_factor": 0.1}}, IMAGE),
        Example({"random_color_jitter": {"saturation_factor": [0.4, 0.6], "hue_factor": 0.1}}, IMAGE),
    ]

    value_range: ValueRange = Field((0, 255), description=RANGE)
    brightness_factor: SignedFactor | None = None
    contrast_factor: Factor | None = None
    saturation_factor: Factor | None = None
    hue_factor: Factor | None = None
    seed: NonNegativeInt | None = None

    def model_post_init(self, context: object) -> None:
        if self.channels_first and {self.contrast_factor, self.saturation_factor, self.hue_factor} != {None}:
            # Keras hands the data format to none of them
            raise mistake(
                "wrong-value",
                "with `data_format: channels_first`, `random_color_jitter` changes the brightness alone",
                help="write `random_contrast`, `random_saturation` and `random_hue` one after the other",
            )

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.saturation_factor is not None or self.hue_factor is not None:
            self.need_colors(input_shape)
        return input_shape

    def flops(self, input_shape: Shape) -> int:
        steps = (
            (self.brightness_factor, RandomBrightness.steps),
            (self.contrast_factor, RandomContrast.steps),
            (self.saturation_factor, RandomSaturation.steps),
            (self.hue_factor, RandomHue.steps),
        )
        return count(input_shape) * sum(each for factor, each in steps if factor is not None)


@LAYERS.register
class RandomColorDegeneration(SpatialAugmentation):
    """Mixes each image with its grey version by a random amount while training.

    Input shape:  (batch, height, width, 3)
    Output shape: same as input
    """

    steps = 6  # grey of three colours, a difference, a product, a sum, cut off
    examples: ClassVar = [
        Example({"random_color_degeneration": 0.5}, IMAGE),
        Example({"random_color_degeneration": {"factor": [0.2, 0.4], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: Factor = Primary(description="0 leaves an image as it is, 1 makes it grey")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        self.need_colors(input_shape)
        return input_shape


@LAYERS.register
class RandomGrayscale(SpatialAugmentation):
    """Makes images grey, all channels alike, with a probability of `factor`, while training.

    Input shape:  (batch, height, width, 3)
    Output shape: same as input
    """

    steps = 2
    examples: ClassVar = [Example("random_grayscale", IMAGE), Example({"random_grayscale": 0.2}, IMAGE)]

    factor: Share = Primary(0.5, description="how likely an image becomes grey")
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        self.need_colors(input_shape, gray=True)
        return input_shape


@LAYERS.register
class RandomInvert(SpatialAugmentation):
    """Turns images into their negatives, the largest value less each value, while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 1
    examples: ClassVar = [
        Example({"random_invert": 0.5}, IMAGE),
        Example({"random_invert": {"factor": [0.1, 0.3], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: Factor = Primary(1.0, description="how likely an image is changed")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None


@LAYERS.register
class RandomPosterization(SpatialAugmentation):
    """Leaves fewer shades in each image, by dropping the last bits of its values, while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 2  # shifted there and back
    examples: ClassVar = [
        Example({"random_posterization": 4}, IMAGE),
        Example({"random_posterization": {"factor": [3, 6], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: Annotated[int | tuple[int, int], one_or(2, low=1, high=8, whole=True, rising=True)] = Primary(
        description="how many of 8 bits stay: drawn from 1 to less than it, or from the first to less than the second"
    )
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None


@LAYERS.register
class RandomSharpness(SpatialAugmentation):
    """Makes each image sharper or smoother by a random amount while training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 22  # nine multiply-adds, a difference, a product, a sum, cut off
    examples: ClassVar = [
        Example({"random_sharpness": 0.5}, IMAGE),
        Example({"random_sharpness": {"factor": [0.4, 0.8], "value_range": [0, 1]}}, IMAGE),
    ]

    factor: Factor = Primary(description="0 smooths, 0.5 leaves an image as it is, 1 sharpens")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None


@LAYERS.register
class Solarization(Augmentation):
    """Adds a random amount to each image and turns the values above a random threshold into their negative, while
    training.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    steps = 4  # a sum, cut off, a comparison, a difference
    examples: ClassVar = [
        Example({"solarization": {"threshold_factor": 0.5}}, IMAGE),
        Example({"solarization": {"addition_factor": [0.1, 0.3], "value_range": [0, 1]}}, IMAGE),
    ]

    addition_factor: Factor = Field(0.0, description="the largest amount, of the value range, or its range")
    threshold_factor: Factor = Field(0.0, description="the largest threshold, of the value range, or its range")
    value_range: ValueRange = Field((0, 255), description=RANGE)
    seed: NonNegativeInt | None = None


SHAPES = (BILINEAR_STEPS, BILINEAR_STEPS, BILINEAR_STEPS)  # shear, translation and rotation
TONES = (RandomPosterization.steps, Solarization.steps, 5, 4)  # and contrast and equalization
COLORS = (RandomBrightness.steps, RandomColorDegeneration.steps, RandomContrast.steps, RandomSharpness.steps)


@LAYERS.register
class RandAugment(SpatialAugmentation):
    """Changes images by `num_ops` randomly chosen layers, one after the other, while training (Cubuk et al., 2019).

    It chooses among shear, translation, rotation, brightness, colour, contrast, sharpness, posterization, solarization
    and equalization.

    Input shape:  (batch, height, width, 3)
    Output shape: same as input
    """

    moves_no_mask = "it turns and shifts pictures among other things, and does not say how"
    examples: ClassVar = [
        Example("rand_augment", IMAGE),
        Example({"rand_augment": {"num_ops": 1, "factor": [0.2, 0.4], "value_range": [0, 1]}}, IMAGE),
    ]

    value_range: ValueRange = Field((0, 255), description=RANGE)
    num_ops: PositiveInt = Field(2, description="how many layers follow each other")
    factor: Factor = Primary(0.5, description="how strong the changes are, or their range")
    interpolation: Interpolation = "bilinear"
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        self.need_colors(input_shape)
        return input_shape

    def flops(self, input_shape: Shape) -> int:
        # Keras computes all layers and keeps what the chosen one gave
        return self.num_ops * sum(SHAPES + TONES + COLORS) * count(input_shape)


@LAYERS.register
class AugMix(SpatialAugmentation):
    """Mixes each image with several chains of random changes to it, while training (Hendrycks et al., 2020).

    Within a network the changes are chosen once, and drawn anew is only how strong they are.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    moves_no_mask = "it turns and shifts pictures among other things, and does not say how"
    examples: ClassVar = [
        Example("aug_mix", IMAGE),
        Example({"aug_mix": {"num_chains": 2, "chain_depth": 1, "factor": [0.1, 0.2], "value_range": [0, 1]}}, IMAGE),
    ]

    value_range: ValueRange = Field((0, 255), description=RANGE)
    num_chains: PositiveInt = Field(3, description="how many chains")
    chain_depth: PositiveInt = Field(3, description="the largest number of changes in a chain")
    factor: Factor = Primary(0.3, description="how strong the changes are, or their range")
    alpha: PositiveNumber = Field(1.0, description="parameter of the distributions of the weights")
    all_ops: Flag = Field(True, description="whether brightness, colour, contrast and sharpness are among the changes")
    interpolation: Interpolation = "bilinear"
    seed: NonNegativeInt | None = None

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.all_ops:
            self.need_colors(input_shape)
        return input_shape

    def flops(self, input_shape: Shape) -> int:
        changes = SHAPES + TONES + (COLORS if self.all_ops else ())
        each = sum(changes) / len(changes)  # of a change, on average
        return round((self.num_chains * (self.chain_depth * each + 2) + 4) * count(input_shape))
