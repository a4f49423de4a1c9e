"""Dense layers, embeddings and the output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr

from dlspec.language.fields import Flag, Fraction, Number, PositiveInt, PositiveNumber, Primary, mistake, show_value
from dlspec.language.shapes import Shape, ShapeError, count, known, show_shape
from dlspec.model.activations import UNIT_INTERVAL, ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, RandomUniform, Zeros
from dlspec.model.layers.base import LAYERS, DType, Example, LayerSpec
from dlspec.model.layers.sight import Sight
from dlspec.model.regularizers import AnyRegularizer

KEEP_APART = (
    "write `expand_dims: -1` above it, so that timesteps stay apart, or `sum: {axis: 1, keepdims: true}`, which leaves "
    "out what is masked"
)
"""What is told who lets a dense layer add up over timesteps of which some are masked."""


class Adaptable(LayerSpec):
    """Base of the layers whose weights can be left alone while a product of two small matrices is trained beside them
    (LoRA, Hu et al., 2021)."""

    weighted = True

    def model_post_init(self, context: object) -> None:
        rank = getattr(self, "lora_rank", None)
        if rank is None and getattr(self, "lora_alpha", None) is not None:
            raise mistake(
                "missing-key", "`lora_alpha` scales what `lora_rank` adds", help="add `lora_rank: 4`", at="key"
            )
        for key in ("kernel_constraint", "embeddings_constraint"):
            if rank is not None and getattr(self, key, None) is not None:
                raise mistake("wrong-value", f"`lora_rank` and `{key}` exclude each other", help="keep one of them")

    def adapters(self, kernel: Shape) -> int:
        """How many numbers the two small matrices of a kernel hold."""
        rank: int | None = getattr(self, "lora_rank", None)
        return 0 if rank is None else rank * (math.prod(known(size) for size in kernel[:-1]) + known(kernel[-1]))


@LAYERS.register
class Dense(Adaptable):
    """Multiplies the last axis by a matrix and adds a bias: activation(x W + b).

    Input shape:  (batch, ..., features)
    Output shape: (batch, ..., units)
    """

    of_each_place = True
    passes_mask = True
    examples: ClassVar = [
        Example({"dense": 3}, (None, 8)),
        Example({"dense": {"units": 3, "activation": "relu", "use_bias": False}}, (None, 5, 8)),
    ]

    units: PositiveInt = Primary(description="how many numbers come out")
    activation: ActivationName = "linear"
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    lora_rank: PositiveInt | None = Field(None, description="train two matrices of so many columns and rows instead")
    lora_alpha: PositiveNumber | None = Field(None, description="how much these count, divided by their rank")

    instead_of_mask = KEEP_APART

    def blind_axes(self, shape: Shape) -> Sequence[int]:
        return [len(shape) - 1]

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ShapeError(f"`dense` needs (batch, features), got {show_shape(input_shape)}")
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: Shape) -> int:
        kernel = (input_shape[-1], self.units)
        return (known(input_shape[-1]) + self.use_bias) * self.units + self.adapters(kernel)

    def flops(self, input_shape: Shape) -> int:
        outputs = count(self.output_shape(input_shape))
        return outputs * (2 * known(input_shape[-1]) + self.use_bias + (self.activation != "linear"))

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        features = input_shape[-1]
        return (Dense(units=features, kernel_initializer=self.kernel_initializer),) if features else None


class Lookup(LayerSpec):
    """Base of the layers that learn a vector for each number from 0 to `input_dim` - 1.

    Input shape:  (batch, ...), whole numbers
    Output shape: (batch, ..., output_dim)
    """

    weighted = True
    input_dtype = "int32"

    input_dim: PositiveInt | None = Field(
        None,
        description="how many different numbers there are, zero included; by default those of the text that comes in",
    )
    output_dim: PositiveInt = Primary(description="size of each vector")
    embeddings_initializer: AnyInitializer = RandomUniform()
    embeddings_regularizer: AnyRegularizer | None = None
    embeddings_constraint: AnyConstraint | None = None
    mask_zero: Flag = Field(False, description="skip timesteps that hold 0, which then stands for nothing")

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0]

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        shape = shapes[0]
        return (1 if shape is None else len(shape) - 1) if self.mask_zero else 0

    def parameters(self, input_shape: Shape) -> int:
        return known(self.input_dim) * self.output_dim


@LAYERS.register
class Embedding(Lookup, Adaptable):
    """Learns a vector for each number from 0 to `input_dim` - 1.

    Input shape:  (batch, ...), whole numbers
    Output shape: (batch, ..., output_dim)
    """

    examples: ClassVar = [
        Example({"embedding": {"input_dim": 1000, "output_dim": 16}}, (None, 20)),
        Example({"embedding": {"input_dim": 50, "output_dim": 4, "mask_zero": True}}, (None, 7)),
    ]

    lora_rank: PositiveInt | None = Field(None, description="train two matrices of so many columns and rows instead")
    lora_alpha: PositiveNumber | None = Field(None, description="how much these count, divided by their rank")

    def parameters(self, input_shape: Shape) -> int:
        return super().parameters(input_shape) + self.adapters((self.input_dim, self.output_dim))


@LAYERS.register
class ReversibleEmbedding(Lookup):
    """Learns a vector for each number, with weights that can also lead from vectors back to a score for each number
    (Press and Wolf, 2017).

    Input shape:  (batch, ...), whole numbers
    Output shape: (batch, ..., output_dim)
    """

    examples: ClassVar = [
        Example({"reversible_embedding": {"input_dim": 1000, "output_dim": 16}}, (None, 20)),
        Example({"reversible_embedding": {"input_dim": 50, "output_dim": 4, "tie_weights": False}}, (None, 7)),
    ]

    tie_weights: Flag = Field(True, description="use the same weights in both directions")
    reverse_dtype: DType | None = Field(None, description="of the way back")
    logit_soft_cap: PositiveNumber | None = Field(None, description="bound of the scores on the way back")

    def parameters(self, input_shape: Shape) -> int:
        return super().parameters(input_shape) * (1 if self.tie_weights else 2)


@LAYERS.register
class Masking(LayerSpec):
    """Tells the layers above to skip timesteps in which every feature is `mask_value`.

    Input shape:  (batch, timesteps, features)
    Output shape: same as input
    """

    of_each_place = True
    keeps_shape = True
    examples: ClassVar = [Example("masking", (None, 6, 3)), Example({"masking": -1}, (None, 6, 3))]

    mask_value: Number = Primary(0.0, description="what stands where there is nothing")

    def flops(self, input_shape: Shape) -> int:
        return 2 * count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        shape = shapes[0]
        return 1 if shape is None else len(shape) - 2

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return ()


@LAYERS.register
class Identity(LayerSpec):
    """Passes its input on, which gives it a name or a place in `branches`.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    of_each_place = True
    keeps_shape = True
    passes_values = True
    passes_mask = True
    examples: ClassVar = [Example("identity", (None, 8)), Example({"identity": {"name": "features"}}, (None, 4, 8))]

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


Fitting = Literal["class_means", "distance"]
"""How weights of `output` are computed after training: from the mean code of each class, or from distances of pairs."""
MEDIAN = 0.5
"""The quantile that is the prediction."""


MOST_COMPONENTS = 100
"""Of a mixture."""


def _in_order(levels: list[float]) -> list[float]:
    """Shares of which the quantiles are put out, from the smallest to the largest, with the median among them."""
    cure = "write `quantiles: [0.1, 0.5, 0.9]`"
    if len(levels) < 2:
        raise mistake("wrong-value", "`quantiles` takes the median and one more share at least", help=cure)
    if not all(one < other for one, other in pairwise(levels)):
        message = f"`quantiles` ascend, each larger than the one before, got `{levels}`"
        raise mistake("wrong-value", message, help=f"write `quantiles: {sorted({*levels, MEDIAN})}`")
    if MEDIAN not in levels:
        message = f"`quantiles` lacks 0.5: the median is the prediction, got `{levels}`"
        raise mistake("wrong-value", message, help=f"write `quantiles: {sorted([*levels, MEDIAN])}`")
    return levels


def _no_percents(levels: Any) -> Any:
    """Refuses percents, and a single share, with what to write."""
    numbers = levels if isinstance(levels, list) else [levels]
    if not numbers or not all(type(level) in (int, float) and 0 < level < 100 for level in numbers):
        return levels
    percents = min(numbers) >= 1
    shares = sorted({*(level / 100 if percents else level for level in numbers), MEDIAN})
    cure = f"write `quantiles: {shares if len(shares) > 1 else [0.1, MEDIAN, 0.9]}`"
    if percents:
        raise mistake("wrong-value", "`quantiles` are shares, between 0 and 1, and no percents", help=cure)
    if not isinstance(levels, list):
        raise mistake("wrong-type", f"`quantiles` must be a list, got {show_value(levels)}", help=cure)
    return levels


Quantiles = Annotated[list[Fraction], BeforeValidator(_no_percents), AfterValidator(_in_order)]
Components = Annotated[PositiveInt, Field(le=MOST_COMPONENTS)]


def one_form(quantiles: Sequence[float] | None, mixture: int | None) -> None:
    """Raises a mistake where a number is to be given by both."""
    if quantiles and mixture:
        message = "`quantiles` and `mixture` exclude each other: a number is given by one of them"
        help = "leave one out; of a mixture `predict` writes the quantiles 0.1 and 0.9 too"
        raise mistake("wrong-value", message, help=help)


@LAYERS.register
class Output(LayerSpec):
    """A dense layer with as many units, and the activation, that the target needs.

    A number gives linear units, two classes one sigmoid unit, more classes a softmax unit each. Where a class or a
    number is predicted at each place, the axes in front stay, and the same units are at each place.

    With `mixture` each number is given by that many normal distributions (Bishop, 1994): their weights, a softmax,
    their means, and their deviations, a softplus and 0.001 at the scale of what the network puts out.

    With `quantiles` each number is given by several values, of which the share that is written is to lie below: the
    first is linear, each other one the one before and a softplus of what the layer gives, so that none crosses another.

    With `loss: triplet` or `loss: contrastive` the layers below are trained, and its own weights are computed after
    training: from the mean code of each class, or from the distances of pairs.

    Input shape:  (batch, features), or (batch, ..., features)
    Output shape: (batch, units), or (batch, ..., units); with `quantiles` (batch, units, quantiles), with `mixture`
    (batch, units, 3 * mixture): weights, means and deviations
    """

    of_each_place = True
    axes: ClassVar[tuple[str, ...] | None] = ("features",)
    weighted = True
    passes_mask = True
    examples: ClassVar = [
        Example("output", (None, 8)),
        Example({"output": {"quantiles": [0.1, 0.5, 0.9]}}, (None, 8)),
        Example({"output": {"mixture": 3}}, (None, 8)),
    ]

    units: PositiveInt | None = None
    activation: ActivationName | None = None
    quantiles: Quantiles | None = Field(
        None, description="of a number: shares of what is true that are to lie below each value, 0.5 among them"
    )
    mixture: Components | None = Field(None, description="of a number: how many normal distributions give it")

    _start: tuple[float, float] = PrivateAttr(default=(0.0, 1.0))
    _fitted: Fitting | None = PrivateAttr(default=None)

    def model_post_init(self, context: object) -> None:
        one_form(self.quantiles, self.mixture)
        if self.mixture and self.activation not in (None, "linear"):
            message = "`mixture` and `activation` exclude each other: weights, means and deviations have their own"
            raise mistake("wrong-value", message, help="leave `activation` out")
        if self.quantiles and self.activation not in (None, "linear"):
            message = "`quantiles` and `activation` exclude each other: quantiles of a number are any numbers"
            raise mistake("wrong-value", message, help="leave `activation` out")

    @property
    def levels(self) -> tuple[float, ...]:
        """Its quantiles; empty where there are none."""
        return tuple(self.quantiles or ())

    @property
    def start(self) -> tuple[float, float]:
        """The mean and the deviation of the distribution that an untrained network gives."""
        return self._start

    def starting(self, start: tuple[float, float]) -> Output:
        """The same with another start."""
        found = self.model_copy()
        found._start = start
        return found

    @property
    def fitted(self) -> Fitting | None:
        """How its weights are computed after training, which are zero until then; None: they are trained."""
        return self._fitted

    def as_fitted(self, how: Fitting) -> Output:
        """The same with weights that are computed after training."""
        found = self.model_copy(update={"trainable": False})
        found._fitted = how
        return found

    @property
    def values_each(self) -> int:
        """How many values give one number; 0: there is no axis of them."""
        return len(self.levels) or 3 * (self.mixture or 0)

    @property
    def values(self) -> int | None:
        """How many values its dense layer puts out at each place."""
        return self.units and self.units * max(1, self.values_each)

    @property
    def last_axes(self) -> Shape:
        """The axes of what comes out at each place."""
        return (self.units, *([self.values_each] if self.values_each else []))

    instead_of_mask = KEEP_APART

    def blind_axes(self, shape: Shape) -> Sequence[int]:
        return [len(shape) - 1]

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.last_axes)

    def parameters(self, input_shape: Shape) -> int:
        return (known(input_shape[-1]) + 1) * known(self.values)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.activation in UNIT_INTERVAL

    def flops(self, input_shape: Shape) -> int:
        whole = known(self.values) * (2 * known(input_shape[-1]) + 1 + (self.activation not in (None, "linear")))
        of_each = 3 * self.mixture if self.mixture else 2 * max(0, len(self.levels) - 1)
        return whole + known(self.units) * of_each


class OutputAtPlaces(Output):
    """A dense layer with the same units, and the activation, that the target needs, at each place."""

    axes = None

    @classmethod
    def name_in_yaml(cls) -> str:
        return Output.name_in_yaml()

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], *self.last_axes)

    def without_input(self) -> Shape | None:
        return None

    def flops(self, input_shape: Shape) -> int:
        places = count((None, *input_shape[1:-1]))
        return places * super().flops(input_shape)


class OutputOfTexts(OutputAtPlaces):
    """A dense layer that gives the logits of the blank and of each item of a text at each timestep; at those that are
    masked it says the blank."""


def at_places(layer: Output, *, texts: bool = False, **given: object) -> OutputAtPlaces:
    """An output as one that has the same units at each place.

    Args:
        texts: whether the places are timesteps off which a text is read.
        given: other values of its fields.
    """
    kind = OutputOfTexts if texts else OutputAtPlaces
    return kind.model_construct(layer.model_fields_set | {*given}, **{**vars(layer), **given})
