"""Layers that bring images to one size and contrast."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeNumber, Number, PositiveInt, Size2D, mistake
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import LAYERS, Example
from dlspec.model.layers.imaging import BILINEAR_STEPS, ImageLayer, SpatialImageLayer
from dlspec.model.layers.numbers import ValueRange

IMAGE = (None, 8, 9, 3)
"""Of the examples."""
RANGE = "the smallest and the largest value of the images"


@LAYERS.register
class Resizing(SpatialImageLayer):
    """Scales images to a size.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, height, width, channels), with the new height and width
    """

    examples: ClassVar = [
        Example({"resizing": {"height": 4, "width": 5}}, IMAGE),
        Example({"resizing": {"height": 6, "width": 6, "pad_to_aspect_ratio": True, "fill_value": 0.5}}, IMAGE),
        Example({"resizing": {"height": 4, "width": 4, "interpolation": "nearest"}}, (None, None, None, 1)),
    ]

    height: PositiveInt
    width: PositiveInt
    interpolation: Literal["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"] = "bilinear"
    crop_to_aspect_ratio: Flag = Field(False, description="whether edges are cut off rather than the image distorted")
    pad_to_aspect_ratio: Flag = Field(False, description="whether edges are added rather than the image distorted")
    fill_mode: Literal["constant"] = "constant"
    fill_value: Number = Field(0.0, description="the value of the edges that are added")
    antialias: Flag = Field(False, description="whether images are smoothed first when they become smaller")

    def model_post_init(self, context: object) -> None:
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise mistake(
                "wrong-value",
                "`crop_to_aspect_ratio` and `pad_to_aspect_ratio` cannot both be true",
                help="leave one of them out",
            )

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.resized(input_shape, self.height, self.width)

    def flops(self, input_shape: Shape) -> int:
        read = {"nearest": 0, "bicubic": 16, "lanczos3": 36, "lanczos5": 100}  # values that one is made of
        return 2 * read.get(self.interpolation, BILINEAR_STEPS // 2) * count(self.output_shape(input_shape))

    def in_unit_interval(self, input_inside: bool) -> bool:
        inside = not self.pad_to_aspect_ratio or 0 <= self.fill_value <= 1
        return input_inside and inside and self.interpolation in ("bilinear", "nearest", "area")


@LAYERS.register
class CenterCrop(SpatialImageLayer):
    """Cuts the middle out of images; one that is smaller is scaled until it fills the window.

    Input shape:  (batch, height, width, channels)
    Output shape: (batch, height, width, channels), with the height and width of the window
    """

    examples: ClassVar = [
        Example({"center_crop": {"height": 4, "width": 5}}, IMAGE),
        Example({"center_crop": {"height": 9, "width": 4, "data_format": "channels_first"}}, (None, 3, 8, 9)),
    ]

    height: PositiveInt = Field(description="height of the window")
    width: PositiveInt = Field(description="width of the window")

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.resized(input_shape, self.height, self.width)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


@LAYERS.register
class AutoContrast(ImageLayer):
    """Stretches the values of each channel of each image over the whole range.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    keeps_shape = True
    examples: ClassVar = [
        Example("auto_contrast", IMAGE),
        Example({"auto_contrast": {"value_range": [0, 1]}}, (None, None, 5, 1)),
    ]

    value_range: ValueRange = Field((0, 255), description=RANGE)

    def flops(self, input_shape: Shape) -> int:
        return 6 * count(input_shape)  # smallest and largest value, a product and a sum, cut off at both ends

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.value_range[0] >= 0 and self.value_range[1] <= 1


@LAYERS.register
class ContrastLimitedAdaptiveHistogramEqualization(SpatialImageLayer):
    """Makes the values around each place of an image about equally frequent, without exaggerating noise (Zuiderveld,
    1994).

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        Example("contrast_limited_adaptive_histogram_equalization", (None, 16, 16, 3)),
        Example(
            {
                "contrast_limited_adaptive_histogram_equalization": {
                    "value_range": [0, 1], "clip_limit": 2.0, "tile_grid_size": [2, 3],
                }
            },
            (None, 8, 9, 1),
        ),
    ]  # fmt: skip

    value_range: ValueRange = Field((0, 255), description=RANGE)
    clip_limit: NonNegativeNumber = Field(4.0, description="how much more frequent than all others a value may count")
    tile_grid_size: Size2D = Field((8, 8), description="into how many tiles an image is divided")

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes, _ = self.split(input_shape)
        for size, tiles in zip(sizes, self.tile_grid_size, strict=True):
            if size is not None and -(-size // tiles) * tiles > 2 * size:  # an image is mirrored to fill the tiles
                raise ShapeError(
                    f"`{self.type_name}` has {tiles} tiles along an axis of {size} of {show_shape(input_shape)}",
                    help=f"write at most {2 * size} in `tile_grid_size`",
                )
        return input_shape

    def flops(self, input_shape: Shape) -> int:
        return 8 * count(input_shape)  # counted, looked up in four tiles, and read between them

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.value_range[0] >= 0 and self.value_range[1] <= 1
