"""Layers that keep values in a certain range: at mean zero and variance one, or at norm one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from dlspec.language.fields import (
    Flag,
    NonNegativeNumber,
    PositiveNumber,
    Primary,
    Rate,
    SpecModel,
    Whole,
    mistake,
    show_value,
)
from dlspec.language.shapes import Shape, ShapeError, count, known, show_shape
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import BiasInitializer, Ones, Zeros
from dlspec.model.layers.base import LAYERS, Example, LayerSpec, MaskError, check_masks
from dlspec.model.layers.masking import mask_of, with_mask, without_masks
from dlspec.model.layers.sight import Sight
from dlspec.model.regularizers import AnyRegularizer


def _axes(value: Any) -> Any:
    entries = value if isinstance(value, list | tuple) else [value]
    if not entries or any(not isinstance(entry, int) or isinstance(entry, bool) for entry in entries):
        got = f"`[{', '.join(map(str, value))}]`" if isinstance(value, list) else show_value(value)
        raise mistake("wrong-type", f"`axis` must be a whole number or a list of them, got {got}")
    return value


Axes = Annotated[int | list[int], BeforeValidator(_axes)]
"""One axis, or several; the batch is axis 0, the last one is -1."""


class Normalizing(LayerSpec):
    """Base of the normalizations, over the last axis or others.

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    weighted = True
    keeps_shape = True
    passes_mask = True
    follows_code = True
    operations: ClassVar[int]
    """How many operations a value takes before it is scaled and centered."""

    if TYPE_CHECKING:  # the fields of each class stand in Keras's order
        axis: int | list[int]

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return ()  # the layer that follows in a decoder has weights to undo it

    def normalized_axes(self, input_shape: Shape) -> list[int]:
        """The axes, counted from the batch.

        Raises:
            ShapeError: the input has no such axis, or it is the batch.
        """
        written = self.axis if isinstance(self.axis, list) else [self.axis]
        axes = [axis + len(input_shape) if axis < 0 else axis for axis in written]
        last = len(input_shape) - 1
        if any(not 1 <= axis <= last for axis in axes) or len(set(axes)) < len(axes):
            shown = self.axis if isinstance(self.axis, int) else written
            raise ShapeError(
                f"`{self.type_name}` is given {show_shape(input_shape)}, whose axes behind the batch are "
                f"{'1' if last == 1 else f'1 to {last}'}, and it has `axis: {shown}`",
                help="write `axis: -1` for the last one",
            )
        return axes

    def output_shape(self, input_shape: Shape) -> Shape:
        self.normalized_axes(input_shape)
        return input_shape

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return None if seen[0].axis in self.normalized_axes(shapes[0]) else seen[0]

    def cure_of_sight(self) -> str:
        return "write `layer_normalization`, which is over the last axis"

    def blind_axes(self, shape: Shape) -> Sequence[int]:
        return self.normalized_axes(shape)

    def flops(self, input_shape: Shape) -> int:
        return self.operations * count(input_shape)


class Adjusting(Normalizing):
    """Base of the normalizations that scale and center what they have normalized, by weights."""

    if TYPE_CHECKING:
        center: bool
        scale: bool

    @property
    def has_weights(self) -> bool:
        return self.center or self.scale

    def sizes(self, input_shape: Shape) -> int:
        """How many values have a scale and a center of their own."""
        return math.prod(known(input_shape[axis]) for axis in self.normalized_axes(input_shape))

    def parameters(self, input_shape: Shape) -> int:
        return self.sizes(input_shape) * (self.center + self.scale)

    def flops(self, input_shape: Shape) -> int:
        return (self.operations + self.center + self.scale) * count(input_shape)


class RenormClipping(SpecModel):
    """How far batch renormalization may go."""

    rmax: NonNegativeNumber | None = Field(None, description="the largest factor")
    rmin: NonNegativeNumber | None = Field(None, description="the smallest factor")
    dmax: NonNegativeNumber | None = Field(None, description="the largest shift")

    def model_post_init(self, context: object) -> None:
        if self.rmax is not None and self.rmin is not None and self.rmax < self.rmin:
            raise mistake("wrong-value", f"`rmin` {self.rmin:g} lies above `rmax` {self.rmax:g}")


@LAYERS.register
class BatchNormalization(Adjusting):
    """Normalizes each feature over the batch (Ioffe and Szegedy, 2015).

    In use it goes by running averages of the batches that it was trained on.

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    operations = 2
    examples: ClassVar = [
        Example("batch_normalization", (None, 8)),
        Example({"batch_normalization": {"momentum": 0.9, "scale": False}}, (None, 4, 4, 3)),
        Example({"batch_normalization": {"renorm": True, "renorm_clipping": {"rmax": 3.0}}}, (None, 8)),
    ]

    axis: Whole = Field(-1, description="the axis of the features, 1 behind `data_format: channels_first`")
    momentum: Rate = Field(0.99, description="share of the running average that a batch leaves as it is")
    epsilon: PositiveNumber = Field(1e-3, description="added to the variance, against division by zero")
    center: Flag = True
    scale: Flag = True
    beta_initializer: BiasInitializer = Zeros()
    gamma_initializer: BiasInitializer = Ones()
    moving_mean_initializer: BiasInitializer = Zeros()
    moving_variance_initializer: BiasInitializer = Ones()
    beta_regularizer: AnyRegularizer | None = None
    gamma_regularizer: AnyRegularizer | None = None
    beta_constraint: AnyConstraint | None = None
    gamma_constraint: AnyConstraint | None = None
    renorm: Flag = Field(False, description="correct each batch towards the running averages (Ioffe, 2017)")
    renorm_clipping: RenormClipping | None = None
    renorm_momentum: Rate = Field(0.99, description="as `momentum`, of the averages that correct a batch")
    synchronized: Flag = Field(False, description="average over the devices that share a batch")

    def model_post_init(self, context: object) -> None:
        if self.renorm_clipping is not None and not self.renorm:
            raise mistake(
                "wrong-value",
                "`renorm_clipping` limits a correction that is not made",
                help="add `renorm: true`, or remove `renorm_clipping`",
            )

    @property
    def has_weights(self) -> bool:
        return True

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0]  # in use its averages are known

    def parameters(self, input_shape: Shape) -> int:
        # running mean and variance; renormalization has a running deviation, and averages of its own of both
        return super().parameters(input_shape) + (5 if self.renorm else 2) * self.sizes(input_shape)

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        if self.renorm_clipping is not None:
            limits = self.renorm_clipping.written()
            given["renorm_clipping"] = {key: value for key, value in limits.items() if value is not None}
        return given

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        shape = shapes[0]
        if masked[0] and shape is not None and masked[0] != len(shape) - 2:
            raise MaskError(
                "`batch_normalization` leaves out what is masked where the mask covers all axes but the last, and the "
                f"one of its input {show_shape(shape)} covers {masked[0]}",
                help="put it above the layer that makes the mask, or write `layer_normalization`",
            )
        return masked[0]


@LAYERS.register
class LayerNormalization(Adjusting):
    """Normalizes the features of each sample (Ba et al., 2016).

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    operations = 5
    examples: ClassVar = [
        Example("layer_normalization", (None, 4, 8)),
        Example({"layer_normalization": {"axis": [1, 2], "center": False}}, (None, 4, 8)),
    ]

    axis: Axes = Field(-1, description="the axes that are normalized together, and that have weights")
    epsilon: PositiveNumber = Field(1e-3, description="added to the variance, against division by zero")
    center: Flag = True
    scale: Flag = True
    beta_initializer: BiasInitializer = Zeros()
    gamma_initializer: BiasInitializer = Ones()
    beta_regularizer: AnyRegularizer | None = None
    gamma_regularizer: AnyRegularizer | None = None
    beta_constraint: AnyConstraint | None = None
    gamma_constraint: AnyConstraint | None = None


@LAYERS.register
class GroupNormalization(Adjusting):
    """Normalizes groups of channels of each sample (Wu and He, 2018); `groups: -1` takes each channel alone.

    Input shape:  (batch, ..., channels)
    Output shape: same as input
    """

    operations = 5
    examples: ClassVar = [
        Example({"group_normalization": 2}, (None, 4, 4, 6)),
        Example({"group_normalization": {"groups": -1, "axis": 1, "scale": False}}, (None, 3, 4, 4)),
    ]

    groups: Whole = Primary(32, description="how many groups; they divide the channels")
    axis: Whole = Field(-1, description="the axis of the channels")  # Keras's docs allow a list, its code does not
    epsilon: PositiveNumber = Field(1e-3, description="added to the variance, against division by zero")
    center: Flag = True
    scale: Flag = True
    beta_initializer: BiasInitializer = Zeros()
    gamma_initializer: BiasInitializer = Ones()
    beta_regularizer: AnyRegularizer | None = None
    gamma_regularizer: AnyRegularizer | None = None
    beta_constraint: AnyConstraint | None = None
    gamma_constraint: AnyConstraint | None = None

    def model_post_init(self, context: object) -> None:
        if self.groups < 1 and self.groups != -1:
            raise mistake("out-of-range", f"`groups` is at least 1, or -1 for each channel alone, got `{self.groups}`")

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return None  # its mean is over all places

    def output_shape(self, input_shape: Shape) -> Shape:
        (axis,) = self.normalized_axes(input_shape)
        channels = input_shape[axis]
        if channels is not None and self.groups != -1 and channels % self.groups:
            raise ShapeError(
                f"`groups: {self.groups}` does not divide the {channels} channels of {show_shape(input_shape)}",
                help=f"write `groups: {math.gcd(channels, self.groups)}`",
            )
        return input_shape

    def blind_axes(self, shape: Shape) -> Sequence[int]:
        return range(1, len(shape))


@LAYERS.register
class RMSNormalization(Normalizing):
    """Divides each sample by the root mean square of its features (Zhang and Sennrich, 2019).

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    operations = 4
    examples: ClassVar = [
        Example("rms_normalization", (None, 4, 8)),
        Example({"rms_normalization": {"axis": [1, 2]}}, (None, 4, 8)),
    ]

    axis: Axes = Field(-1, description="the axes that are normalized together, and that have weights")
    epsilon: PositiveNumber = Field(1e-6, description="added to the mean square, against division by zero")

    def output_shape(self, input_shape: Shape) -> Shape:
        axes = self.normalized_axes(input_shape)
        # Keras lines its weights up with the last axes, in the order of the numbers written, and fails when it runs
        written = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        in_order = [axis + len(input_shape) if axis < 0 else axis for axis in written]
        last = list(range(len(input_shape) - len(axes), len(input_shape)))
        if in_order != last:
            wanted = f"[{', '.join(map(str, last))}]" if len(last) > 1 else "-1"
            raise ShapeError(
                f"`rms_normalization` works on the last axes, and `axis: {self.axis}` of {show_shape(input_shape)} "
                "is not written as those",
                help=f"write `axis: {wanted}`",
            )
        return input_shape

    def parameters(self, input_shape: Shape) -> int:
        return math.prod(known(input_shape[axis]) for axis in self.normalized_axes(input_shape))

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        check_masks(self, inputs)
        return with_mask(built(*without_masks(inputs)), mask_of(inputs[0]))  # Keras drops the mask


@LAYERS.register
class UnitNormalization(Normalizing):
    """Divides each sample by its Euclidean norm.

    Input shape:  (batch, ..., features)
    Output shape: same as input
    """

    weighted = False
    operations = 3
    examples: ClassVar = [
        Example("unit_normalization", (None, 8)),
        Example({"unit_normalization": {"axis": [1, 2]}}, (None, 4, 8)),
    ]

    axis: Axes = Field(-1, description="the axes that the norm is taken over")

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside
