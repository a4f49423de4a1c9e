"""What the layers over images have in common; those that change images while training keep them as they are in use."""

from __future__ import annotations

from typing import ClassVar, Literal

from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import LayerSpec, Spatial

Interpolation = Literal["bilinear", "nearest"]
FillMode = Literal["reflect", "wrap", "constant", "nearest"]
"""What lies outside an image: its mirror image, its other side, `fill_value`, or its edge."""


class ImageLayer(LayerSpec):
    """Base of the layers over images, whose values come out in another form.

    Input shape:  (batch, height, width, channels)
    """

    axes = ("height", "width", "channels")

    def color_channels(self, input_shape: Shape) -> int | None:
        """How many channels an image of this shape has."""
        return input_shape[-1]

    def need_colors(self, input_shape: Shape, *, gray: bool = False) -> None:
        """Raises ShapeError unless the channels are red, green and blue, or, with `gray`, a single one."""
        channels = self.color_channels(input_shape)
        if channels not in ((None, 1, 3) if gray else (None, 3)):
            either = " or 1, grey" if gray else ""
            raise ShapeError(
                f"`{self.type_name}` needs images of 3 channels, red, green and blue{either}, "
                f"got {show_shape(input_shape)}, which has {channels}"
            )


class SpatialImageLayer(ImageLayer, Spatial):
    """Base of the layers over images whose channels are the last axis, or the first.

    Input shape:  (batch, height, width, channels); with `data_format: channels_first` (batch, channels, height, width)
    """

    def color_channels(self, input_shape: Shape) -> int | None:
        return self.split(input_shape)[1]

    def resized(self, input_shape: Shape, height: int, width: int) -> Shape:
        """The shape with another height and width."""
        return self.join(input_shape[0], (height, width), self.split(input_shape)[1])


class Augmentation(ImageLayer):
    """Base of the layers that change images at random while training, and in use pass them on.

    Input shape:  (batch, height, width, channels)
    Output shape: same as input
    """

    keeps_shape = True
    passes_values = True
    at_random_in_keras = True
    moves: ClassVar[bool] = False
    """Whether it moves pixels, so that a mask must be moved with the picture."""
    moves_no_mask: ClassVar[str] = ""
    """Why no mask can be moved with a picture, as the end of a sentence; empty: one can, or need not be."""
    steps: ClassVar[int] = 0
    """Operations a value, while training."""

    def flops(self, input_shape: Shape) -> int:
        return self.steps * count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


class SpatialAugmentation(SpatialImageLayer, Augmentation):
    """Base of those whose channels are the last axis, or the first."""


CROPS = ("random_crop", "center_crop")
"""Layers that cut a window out of pictures, in use the middle."""
BILINEAR_STEPS = 8
"""Operations to read a value between four others: four multiply-adds."""


class Warp(SpatialAugmentation):
    """Base of the layers that read each value from another place of the image."""

    moves = True
    interpolation: Interpolation = "bilinear"

    def flops(self, input_shape: Shape) -> int:
        return BILINEAR_STEPS * count(input_shape) if self.interpolation == "bilinear" else 0


def moves_pixels(layer: LayerSpec) -> bool:
    """Whether a layer moves pixels at random while training, or cuts pictures."""
    return layer.type_name in CROPS or (isinstance(layer, Augmentation) and layer.moves)
