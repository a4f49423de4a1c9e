"""Numbers that are learned and do not depend on the sample: factors of channels, vectors of positions, constants."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr

from dlspec.language.fields import Flag, OneOrMore, PositiveInt, Primary, mistake
from dlspec.language.shapes import Path, Shape, ShapeError, count, show_shape
from dlspec.model.initializers import AnyInitializer, Constant, TruncatedNormal
from dlspec.model.layers.base import LAYERS, Builder, Example, LayerName, LayerSpec, ModelItem, Wire
from dlspec.model.layers.merging import Add, Multiply
from dlspec.model.layers.operations import Masks, Operating
from dlspec.model.layers.sight import Sight
from dlspec.model.regularizers import AnyRegularizer

LONGEST = 10_000
"""The longest wave of the sines of positions, divided by 2 pi, in timesteps (Vaswani et al., 2017)."""
START = TruncatedNormal(stddev=0.02)
"""As vectors of positions start in BERT and in vision transformers (Devlin et al., 2018; Dosovitskiy et al., 2020)."""


class Table(LayerSpec):
    """Base of what becomes an `Embedding` of Keras: rows of numbers, looked up by numbers that no sample changes."""

    weighted = True
    follows_code = True
    alone_in_keras = False
    heeds_mask = True

    initializer: AnyInitializer = Field(START, description="how the numbers start")
    regularizer: AnyRegularizer | None = Field(None, description="of what is learned")

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """How many rows there are, and how many numbers in each."""

    @abstractmethod
    def rows(self, x: Any) -> Any:
        """The rows that are looked up, whole numbers from 0."""

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0]

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        return 0

    def parameters(self, input_shape: Shape) -> int:
        return math.prod(self.size)

    def keras_arguments(self) -> dict[str, Any]:
        rows, columns = self.size
        given = {
            "input_dim": rows,
            "output_dim": columns,
            "embeddings_initializer": self.initializer.build(),
            "embeddings_regularizer": self.regularizer.build() if self.regularizer else None,
        }
        return given if self.dtype is None else {**given, "dtype": self.dtype}

    def build(self, name: str | None = None) -> Any:
        import keras

        layer = keras.layers.Embedding(name=name, **self.keras_arguments())
        layer.trainable = self.trainable
        return layer

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        return built(self.rows(inputs[0]))


def first_values(x: Any, value: int, covered: int = 0) -> Any:
    """Whole numbers, all the same, in the shape of the first axes of a tensor: the batch and `covered` behind it."""
    from keras import ops

    part = x[(..., *[0] * (len(x.shape) - covered - 1))]
    return ops.zeros_like(part, dtype="int32") if value == 0 else ops.ones_like(part, dtype="int32")


@LAYERS.register
class Learned(Table):
    """Numbers that are learned, the same for every sample, such as the class token of a vision transformer or the
    queries of DETR. Of what it takes only the number of samples counts.

    Input shape:  (batch, ...)
    Output shape: (batch, *shape)
    """

    examples: ClassVar = [
        Example({"learned": {"shape": [8, 32]}}, (None, 5)),
        Example({"learned": {"shape": 4, "initializer": {"constant": 0.5}}}, (None, 6, 3)),
        Example({"learned": {"shape": [2, 3, 4], "regularizer": {"l2": 0.01}}}, (None, 6, 3)),
    ]

    shape: Annotated[list[PositiveInt], OneOrMore, Field(min_length=1)] = Primary(
        description="sizes of the axes, without the batch"
    )

    @property
    def size(self) -> tuple[int, int]:
        return math.prod(self.shape[:-1]), self.shape[-1]

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.shape)

    def without_input(self) -> Shape | None:
        return (None, *self.shape)

    def rows(self, x: Any) -> Any:
        from keras import ops

        if len(self.shape) == 1:
            return first_values(x, 0)
        ones = ops.repeat(ops.expand_dims(first_values(x, 1), 1), self.size[0], axis=1)
        numbers = ops.cumsum(ones, axis=1) - 1
        return numbers if len(self.shape) == 2 else ops.reshape(numbers, (-1, *self.shape[:-1]))


# --- beside a layer that takes them


class AddTable(Operating, Add):
    """The sum of a tensor and a table, which has one row for all samples: of the layer `Add` in Keras, one sample would
    come out."""

    takes_table = True

    @classmethod
    def name_in_yaml(cls) -> str:
        return "add"

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0]

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        return inputs[0] + inputs[1]


class MultiplyByTable(Operating, Multiply):
    """The product of a tensor and a table; see `AddTable`."""

    takes_table = True

    @classmethod
    def name_in_yaml(cls) -> str:
        return "multiply"

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0]

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        return inputs[0] * inputs[1]


class Factors(Table):
    """A factor for each channel: the weights of `layer_scale`."""

    initializer: AnyInitializer = Field(Constant(value=1e-6), description="how the factors start")
    _channels: int = PrivateAttr(0)

    @classmethod
    def name_in_yaml(cls) -> str:
        return "layer_scale"

    @property
    def size(self) -> tuple[int, int]:
        return 1, self._channels

    def of(self, channels: int | None) -> Factors:
        """The same, of so many channels."""
        self._channels = channels or 0
        return self

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ShapeError(f"`layer_scale` needs (batch, ..., channels), got {show_shape(input_shape)}")
        return (*(1,) * (len(input_shape) - 1), input_shape[-1])

    def without_input(self) -> Shape | None:
        return None

    def takes_again(self, shape: Shape) -> bool:
        return shape[-1] == self._channels

    def rows(self, x: Any) -> Any:
        from keras import ops

        zero = ops.min(first_values(x, 0), axis=0, keepdims=True)
        return ops.reshape(zero, (1,) * (len(x.shape) - 1))


@LAYERS.register
class LayerScale(ModelItem):
    """Multiplies each channel by a factor that is learned and starts small, so that a deep network begins as a shallow
    one (Touvron et al., 2021). It stands at the end of a `skip`.

    Input shape:  (batch, ..., channels)
    Output shape: same as input
    """

    examples: ClassVar = ["layer_scale", {"layer_scale": {"initializer": {"constant": 0.1}, "name": "scaled"}}]

    initializer: AnyInitializer = Field(Constant(value=1e-6), description="how the factors start")
    regularizer: AnyRegularizer | None = Field(None, description="of what is learned")
    name: LayerName | None = None
    trainable: Flag = True

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        shape = wires[0].shape
        factors = Factors(initializer=self.initializer, regularizer=self.regularizer, trainable=self.trainable)
        wire = builder.place(factors.of(shape[-1] if shape else None), wires[:1], path, self)
        return builder.place(MultiplyByTable(name=self.name), [wires[0], wire], path, self)


Form = Literal["learned", "sine"]


class Positions(Table):
    """A vector for each timestep: what `position_embedding` adds."""

    form: Form = Primary("learned")
    length: PositiveInt | None = None
    _channels: int = PrivateAttr(0)
    _timesteps: int = PrivateAttr(0)

    axes = ("timesteps", "channels")

    @classmethod
    def name_in_yaml(cls) -> str:
        return "position_embedding"

    @property
    def has_weights(self) -> bool:
        return self.form == "learned"

    @property
    def size(self) -> tuple[int, int]:
        return (self.length or self._timesteps, self._channels) if self.has_weights else (0, 0)

    @property
    def channels(self) -> int:
        """How many numbers there are in each vector."""
        return self._channels

    def of(self, shape: Shape | None) -> Positions:
        """The same, for an input of a shape."""
        if shape is not None and len(shape) == 3:
            self._timesteps, self._channels = shape[1] or 0, shape[2] or 0
        return self

    def output_shape(self, input_shape: Shape) -> Shape:
        _, timesteps, channels = input_shape
        if channels is None:
            raise ShapeError(f"`position_embedding` needs the number of channels, got {show_shape(input_shape)}")
        if self.has_weights and timesteps is None and self.length is None:
            raise ShapeError(
                f"`position_embedding` needs a `length`, since {show_shape(input_shape)} says no number of timesteps",
                help="add `length: 100`, or write `position_embedding: sine`",
            )
        if self.length is not None and timesteps is not None and timesteps > self.length:
            raise ShapeError(
                f"`length: {self.length}` has no vector for each of the {timesteps} timesteps of "
                f"{show_shape(input_shape)}",
                help="leave `length` out, which takes as many as there are",
            )
        return (1, timesteps, channels)

    def without_input(self) -> Shape | None:
        return None

    def takes_again(self, shape: Shape) -> bool:
        enough = not self.has_weights or (shape[1] is not None and shape[1] <= self.size[0])
        return len(shape) == 3 and shape[2] == self._channels and enough

    def flops(self, input_shape: Shape) -> int:
        return 0 if self.has_weights else 2 * count(input_shape)

    def build(self, name: str | None = None) -> Any:
        import keras

        if self.has_weights:
            return super().build(name)
        return keras.layers.Identity(name=name, dtype=self.dtype)

    def rows(self, x: Any) -> Any:
        from keras import ops

        numbers = ops.cumsum(ops.max(first_values(x, 1, covered=1), axis=0, keepdims=True), axis=1) - 1
        return numbers if self.has_weights else sines(numbers, self._channels)


def sines(numbers: Any, channels: int) -> Any:
    """Sine and cosine by turns, of waves that are longer from channel to channel (Vaswani et al., 2017).

    Args:
        numbers: of timesteps, (1, timesteps).
    """
    from keras import ops

    waves = (channels + 1) // 2
    steps = ops.expand_dims(ops.cast(numbers, "float32"), -1)
    wave = ops.cumsum(ops.repeat(ops.ones_like(steps), waves, axis=-1), axis=-1) - 1.0
    angles = steps * ops.exp(wave * (-2 * math.log(LONGEST) / channels))
    pairs = ops.reshape(ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1), (1, -1, 2 * waves))
    return pairs[..., :channels] if channels % 2 else pairs


@LAYERS.register
class PositionEmbedding(ModelItem):
    """Adds a vector to each timestep that says where it stands: one that is learned, or sines of waves of different
    length (`sine`), which know no longest sequence.

    Input shape:  (batch, timesteps, channels)
    Output shape: same as input
    """

    examples: ClassVar = [
        "position_embedding",
        {"position_embedding": "sine"},
        {"position_embedding": {"length": 64, "initializer": {"random_normal": {"stddev": 0.1}}}},
    ]

    form: Form = Primary("learned", description="a vector for each position, or sines and cosines")
    length: PositiveInt | None = Field(
        None, description="how many positions have a vector; by default as many as there are timesteps"
    )
    initializer: AnyInitializer | None = Field(
        None, description="how vectors start; by default normal with standard deviation 0.02"
    )
    regularizer: AnyRegularizer | None = Field(None, description="of what is learned")
    name: LayerName | None = None
    trainable: Flag = True

    def model_post_init(self, context: object) -> None:
        given = next((key for key in ("length", "initializer", "regularizer") if getattr(self, key) is not None), None)
        if self.form == "sine" and given:
            raise mistake(
                "wrong-value",
                f"`{given}` belongs to vectors that are learned, and `sine` has none",
                help=f"leave `{given}` out, or write `form: learned`",
            )

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        positions = Positions(
            form=self.form,
            length=self.length,
            initializer=self.initializer or START,
            regularizer=self.regularizer,
            trainable=self.trainable,
        )
        wire = builder.place(positions.of(wires[0].shape), wires[:1], path, self)
        return builder.place(AddTable(name=self.name), [wires[0], wire], path, self)
