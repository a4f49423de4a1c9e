"""What may stand in a list of layers, and how shapes, parameters and FLOPs follow from a layer's fields."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import Flag, Text, mistake
from dlspec.language.left_out import why_no_argument
from dlspec.language.registry import Kind, OneOf, Registry, is_own, snake_case
from dlspec.language.shapes import Path, Shape, ShapeError, count, show_shape
from dlspec.language.words import nearest
from dlspec.model.keras_kind import KerasKind
from dlspec.model.layers.left_out import LEFT_OUT
from dlspec.model.layers.masking import called, mask_of
from dlspec.model.layers.sight import Sight


@dataclass(frozen=True)
class Example:
    """A way to write a layer, and a shape that it takes (of a layer with several inputs, a list of shapes), for the
    tests and the reference."""

    written: Any
    shape: Shape | list[Shape]

    @property
    def shapes(self) -> list[Shape]:
        return self.shape if isinstance(self.shape, list) else [self.shape]


class MaskError(Exception):
    """A layer cannot take an input that has a mask."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Wire(NamedTuple):
    """What leads from one layer to the next: the layer or input it comes out of, and its shape where that is known."""

    source: str
    shape: Shape | None


class Builder(Protocol):
    """What layers are laid on; `GraphBuilder` of `graph_builder`."""

    def place(
        self,
        layer: LayerSpec,
        wires: Sequence[Wire],
        path: Path,
        written: ModelItem | None = None,
        borrowed: Any = None,
    ) -> Wire:
        """Adds a layer that takes what the wires lead to it; returns what comes out.

        Args:
            borrowed: the `Borrowed` of a layer of a network that others have trained.
        """

    def place_again(
        self, name: str, wires: Sequence[Wire], path: Path, written: ModelItem, borrowed: Any = None
    ) -> Wire:
        """Applies a layer that was placed before once more, with the same weights."""

    def walk(self, items: Sequence[ModelItem], wire: Wire, path: Path) -> Wire:
        """Lays items one after the other, the first on `wire`."""

    def call(self, name: str, wire: Wire) -> Wire:
        """Gives what leads out of a layer another name, by which `from` finds it."""

    def unused(self, name: str, *, given: bool = False) -> str:
        """A name for a network whose layers are laid next, with a number where it is taken.

        Args:
            given: whether the spec gives it.
        """

    def folder_of(self, path: Path) -> FilePath:
        """The folder that relative paths in the value at a place start from."""

    def state_for(self, layer: LayerSpec, path: Path) -> Wire:
        """What leads out of the layer whose last state a layer begins with; says what is wrong with it."""

    def refuse(
        self,
        problem: str,
        code: str,
        at: Path,
        name: str,
        wires: Sequence[Wire],
        written: ModelItem,
        *,
        help: str | None = None,
        certain: bool = True,
    ) -> Wire:
        """Keeps what is wrong with an item, and lays something in its place, of whose output nothing is known.

        Args:
            at: what is wrong.
            name: of what is laid.
            certain: whether it is an error.
        """


def _layer_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):  # Keras takes no others
        raise mistake("wrong-value", f"a layer's `name` is made of the letters a to z, digits and `_`, got `{name}`")
    if name == "input":
        raise mistake("wrong-value", "`input` is the name of the network's input", help="choose another `name`")
    if name in ("inputs", "layers", "outputs"):  # `-s model.h1.units=8` names layers there
        message = f"`{name}` is a key of `model`, by which a layer cannot be called"
        raise mistake("wrong-value", message, help="choose another `name`")
    return name


LayerName = Annotated[Text, AfterValidator(_layer_name)]


class OfCopies(TypedDict):
    """A layer in every copy of the `repeat` above, which are named before a list of layers is read."""

    all: Text


Sources = Annotated[
    list[Text],
    BeforeValidator(
        lambda v: v if isinstance(v, list | tuple) else [v],
        json_schema_input_type=Text | OfCopies | list[Text | OfCopies],
    ),
]
"""Names of layers: one, or several."""


class ModelItem(Kind):
    """Base of what may stand in a list of layers: layer types, and the ways to combine them."""

    from_: Annotated[Sources, Field(min_length=1)] | None = Field(
        None, description="the layers it takes its input from, instead of the one above"
    )

    takes_pixels: ClassVar[bool] = False
    """Whether it needs pixels from 0 to 255, and scales them itself."""
    takes_several: ClassVar[bool] = False
    """Of an item that is no layer: whether `from` may name several."""

    def settings(self) -> dict[str, Any]:
        """Its arguments as a person would write them, without defaults."""
        written = self.brief()
        given = written[self.type_name] if isinstance(written, dict) else {}
        return given if isinstance(given, dict) else {self.primary() or "": given}

    @property
    def files(self) -> tuple[str, ...]:
        """Its keys that name files, relative to the spec."""
        return ()

    @classmethod
    def fields_in_order(cls) -> dict[str, FieldInfo]:
        """Its own first, then what every layer has."""
        of_all = ("name", "trainable", "dtype", "from_")
        own = {name: field for name, field in cls.model_fields.items() if name not in of_all}
        return {**own, **{name: cls.model_fields[name] for name in of_all if name in cls.model_fields}}

    naming: ClassVar[tuple[str, ...]] = ("name",)
    """Keys that give names to layers."""

    def names_given(self) -> list[tuple[str, Path]]:
        """The names that it gives to layers, and where each stands below it."""
        name = getattr(self, "name", None)
        return [(name, ("name",))] if name else []

    @abstractmethod
    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        """Lays its layers by the builder and returns what comes out."""


DType = Literal["float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"]


class LayerSpec(ModelItem):
    """Base of every layer type.

    A layer that has weights sets `weighted`. One that needs certain axes behind the batch names them in
    `axes`. A layer is built as the class of `keras.layers` that has its name, unless it overrides `build`.
    """

    axes: ClassVar[tuple[str, ...] | None] = None
    weighted: ClassVar[bool] = False
    keeps_shape: ClassVar[bool] = False
    """Whether the output has the shape of the input whatever the arguments are."""
    passes_values: ClassVar[bool] = False
    """Whether, in use, the values come out as they are, if in another shape."""
    at_random_in_keras: ClassVar[bool] = False
    """Whether Keras applies it also where a model is called as a function, `model(x)`, so that it is not saved."""
    moves_values: ClassVar[bool] = False
    """Whether values, or what a window has for several of them, come out in other places, and none is made anew."""
    follows_code: ClassVar[bool] = False
    """Whether, behind a layer with weights, it belongs to that layer's code in pretraining (activations)."""
    of_each_place: ClassVar[bool] = False
    """Whether what comes out at a place of the axes before the last one depends on what comes in there alone."""
    takes: ClassVar[tuple[int, int | None]] = (1, 1)
    """The least and the largest number of inputs."""
    alone_in_keras: ClassVar[bool] = True
    """Whether one Keras layer does all that it does, so that it may stand inside another layer."""
    takes_table: ClassVar[bool] = False
    """Whether its second input is a table of weights that is laid together with it."""
    passes_mask: ClassVar[bool] = False
    """Whether a mask of its first input is handed on; see `masked_axes`."""
    heeds_mask: ClassVar[bool] = False
    """Whether it leaves out what is masked where it hands no mask on."""

    name: LayerName | None = None
    trainable: Flag = True
    dtype: DType | None = None

    @classmethod
    def why_no_argument(cls, key: str) -> str | None:
        return why_no_argument("layers", (cls.__name__,), key)

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        return builder.place(self, wires, path)

    # --- what a layer with one input declares

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape that comes out.

        Raises:
            ShapeError: sizes do not fit; the number of axes was checked before.
        """
        if self.keeps_shape:
            return input_shape
        raise NotImplementedError(f"{type(self).__name__} says neither `keeps_shape` nor `output_shape`")

    def parameters(self, input_shape: Shape) -> int:
        """How many numbers it holds, trained or not."""
        return 0

    def flops(self, input_shape: Shape) -> int:
        """Floating-point operations of one sample forward; a multiply-add is two."""
        return 0

    def activations(self, input_shape: Shape) -> int:
        """How many values of one sample training keeps until it comes back: its output, if nothing else."""
        return count(self.output_shape(input_shape))

    # --- what the graph asks, whatever the number of inputs

    def infer(self, *shapes: Shape | None) -> Shape | None:
        """The output shape, also where an input is not known: then as far as the layer itself fixes it.

        Raises:
            ShapeError: the layer cannot take these inputs.
        """
        (input_shape,) = shapes
        if input_shape is None:
            return self.without_input()
        self.check_axes(input_shape)
        return self.output_shape(input_shape)

    def without_input(self) -> Shape | None:
        """What is known of the output when nothing is known of the input."""
        return None if self.axes is None else self.output_shape((None,) * (len(self.axes) + 1))

    def counts(self, *shapes: Shape) -> tuple[int, int, int]:
        """Parameters, FLOPs and activations, for inputs of these shapes."""
        (shape,) = shapes
        return self.parameters(shape), self.flops(shape), self.activations(shape)

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        """How many axes behind the batch have a mask in what comes out; 0: there is no mask. A mask covers the first
        axes: 1 are the timesteps of a sequence.

        Args:
            masked: the same of each input.

        Raises:
            MaskError: the layer can neither hand a mask on nor leave out what is masked.
        """
        if not self.passes_mask or not masked[0]:
            return 0
        shape = shapes[0]
        blind = [] if shape is None else [axis for axis in self.blind_axes(shape) if axis <= masked[0]]
        if blind:
            raise MaskError(
                f"`{self.type_name}` brings values along axis {blind[0]} together, which has a mask, so that padding "
                "would change what comes out",
                help=self.instead_of_mask,
            )
        return masked[0]

    instead_of_mask: ClassVar[str] = "put it above the layer that makes the mask, or write it for another axis"
    """What a layer is told that brings masked places together."""

    def blind_axes(self, shape: Shape) -> Sequence[int]:
        """The axes along which it brings values together and does not look at a mask, from 1."""
        return ()

    @property
    def begins_with(self) -> str | None:
        """The layer whose last state it begins with, which is then the last of its inputs."""
        return None

    @property
    def has_weights(self) -> bool:
        return self.weighted

    def takes_again(self, shape: Shape) -> bool:
        """Whether, once it was laid, it can take another input, of this shape; weights are compared besides."""
        return True

    def in_unit_interval(self, input_inside: bool) -> bool:
        """Whether what comes out lies in [0, 1], given whether the input does."""
        return False

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        """What comes out, along time; None: it may depend on any timestep of the input.

        Args:
            seen: of each input, along time.
            shapes: of the inputs.
        """
        alone = self.of_each_place and len(seen) == 1 and seen[0].axis < len(shapes[0]) - 1
        return seen[0] if alone else None

    def cure_of_sight(self) -> str:
        """What to write so that each timestep sees none that comes later."""
        cure = "take it out, or write layers that see the past alone: `lstm`, `conv1d` with `padding: causal`"
        return cure if is_own(type(self)) else f"{cure}; one of a plugin says it by `sight`"

    @property
    def counted_as(self) -> str:
        """The type that numbers layers without a name."""
        return self.type_name

    @property
    def kind(self) -> type[LayerSpec]:
        """The class that says which axes it needs."""
        return type(self)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """Layers that lead from what this layer puts out back to its input, for an autoencoder; the last one is linear.

        Empty where the decoder has nothing to do, as behind an activation; None where there is no way back.
        """
        return () if self.passes_values and self.keeps_shape else None

    def why_shape(self) -> str:
        """Why the shape that comes out is as it is, for a diagnostic that points here."""
        return "gives {shape}"

    def with_axes(self, wanted: int) -> LayerSpec | None:
        """The same layer changed so that it gives `wanted` axes, batch included; None if it cannot."""
        return None

    def keras_arguments(self) -> dict[str, Any]:
        """What the Keras class is called with, apart from `name` and `trainable`."""
        given = {
            key: _built(value)
            for key, value in self.arguments().items()
            if key not in ("name", "trainable", "from_", "dtype")
        }
        return given if self.dtype is None else {**given, "dtype": self.dtype}

    def build(self, name: str | None = None) -> Any:
        """The Keras layer."""
        import keras

        layer = getattr(keras.layers, type(self).__name__)(name=name, **self.keras_arguments())
        layer.trainable = self.trainable
        return layer

    input_dtype: ClassVar[str] = "float32"
    """What Keras must be told that the layer takes, where that is not numbers."""

    def sized(self, *input_shapes: Shape) -> LayerSpec:
        """The same layer with sizes that it takes from its inputs, which Keras wants to be told."""
        return self

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        """Calls the Keras layer on its inputs."""
        check_masks(self, inputs)
        return called(built, inputs[0])

    @classmethod
    def check_axes(cls, input_shape: Shape) -> None:
        """Raises ShapeError when the number of axes is not what the layer needs."""
        if cls.axes is not None and len(input_shape) != len(cls.axes) + 1:
            raise ShapeError(
                f"`{cls.type_name}` needs ({', '.join(('batch', *cls.axes))}), got {show_shape(input_shape)}"
            )


def check_masks(layer: LayerSpec, inputs: Sequence[Any]) -> None:
    """Raises DataError where a layer cannot take the masks of tensors, as of a plugin's layer that the check of the
    spec does not know."""
    masks = [mask_of(x) for x in inputs]
    if any(mask is not None for mask in masks):
        try:
            covered = [0 if mask is None else len(mask.shape) - 1 for mask in masks]
            layer.masked_axes(covered, [tuple(x.shape) for x in inputs])
        except MaskError as error:
            raise DataError.of("masked-axis", error.message, help=error.help) from None


def _built(value: Any) -> Any:
    """An argument as Keras takes it."""
    if isinstance(value, LayerSpec):
        return value.build(value.name)
    if isinstance(value, KerasKind):
        return value.build()
    if isinstance(value, list):
        return [_built(v) for v in value]
    return value


class Merging(LayerSpec):
    """Base of the layers that take several inputs and give one output."""

    takes: ClassVar[tuple[int, int | None]] = (2, None)

    @abstractmethod
    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """The shape that comes out.

        Raises:
            ShapeError: the inputs do not fit each other.
        """

    def merged_parameters(self, shapes: Sequence[Shape]) -> int:
        """How many numbers it holds."""
        return 0

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        """Floating-point operations of one sample forward."""
        return 0

    def infer(self, *shapes: Shape | None) -> Shape | None:
        sizes = [shape for shape in shapes if shape is not None]
        return self.merged_shape(sizes) if len(sizes) == len(shapes) else None

    def counts(self, *shapes: Shape) -> tuple[int, int, int]:
        return self.merged_parameters(shapes), self.merged_flops(shapes), count(self.merged_shape(shapes))

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        return built(list(inputs))


def unfold_around(
    written: Any, key: str, keys: Collection[str], registry: Registry[Any]
) -> tuple[dict[str, Any], str] | None:
    """The arguments and `key` where that was left out: `{lstm: 64}` stands for `{layer: {lstm: 64}}`. None: it was not.

    A mapping of one key stands for what is inside when that key is (nearly) a name in the registry and no argument.
    """
    if not isinstance(written, dict) or len(written) != 1:
        return None
    (name,) = written
    if not isinstance(name, str) or name in keys:
        return None
    meant = name in registry or name in registry.left_out or (nearest(name, registry) and not nearest(name, keys))
    return ({key: written}, key) if meant else None


def refuse_beside(written: Any, key: str, keys: Collection[str], registry: Registry[Any]) -> Any:
    """Passes arguments on, unless `key` was left out beside others: one mistake, not an unknown and a missing key."""
    if isinstance(written, dict) and key not in written:
        name = next((name for name in written if name not in keys and name in registry), None)
        if name is not None:
            said = mistake(
                "unknown-key",
                f"`{name}` stands beside other keys here",
                help=f"write `{key}: {{{name}: …}}`",
                at="key",
            )
            raise registry.error(said, (name,), written)
    return written


DataFormat = Literal["channels_last", "channels_first"]
SEQUENCE = ("timesteps", "channels")
IMAGE = ("height", "width", "channels")
VOLUME = ("depth", "height", "width", "channels")


class Spatial(LayerSpec):
    """Base of the layers over sequences, images and volumes, whose channels are the last axis, or the first.

    Input shape:  (batch, *sizes, channels); with `data_format: channels_first` (batch, channels, *sizes)
    """

    data_format: DataFormat | None = None

    @property
    def channels_first(self) -> bool:
        return self.data_format == "channels_first"

    def split(self, shape: Shape) -> tuple[Shape, int | None]:
        """The sizes in space, and the channels."""
        return (shape[2:], shape[1]) if self.channels_first else (shape[1:-1], shape[-1])

    def join(self, batch: int | None, sizes: Shape, channels: int | None) -> Shape:
        """The shape with these sizes and channels."""
        return (batch, channels, *sizes) if self.channels_first else (batch, *sizes, channels)


LAYERS: Registry[ModelItem] = Registry(
    "layer",
    "dlspec.model.layers",
    left_out={snake_case(name): reason for name, reason in LEFT_OUT.items()},
    lazy=True,
    usual="dense",
)
AnyItem = Annotated[ModelItem, OneOf(LAYERS)]
"""Whatever may stand in a list of layers."""
Items = Annotated[list[AnyItem], Field(min_length=1)]


class Group(ModelItem):
    """Base of what is made of other items."""

    lists: ClassVar[tuple[str, ...]] = ("layers",)
    """Keys that hold lists of items."""

    def times_laid(self) -> int:
        """How often its items are laid."""
        return 1


def _a_layer(item: ModelItem) -> LayerSpec:
    if not isinstance(item, LayerSpec) or item.from_ is not None:
        what = "`from` belongs to the layer around it" if isinstance(item, LayerSpec) else f"`{item.type_name}` is none"
        raise mistake("wrong-value", f"a single layer is needed here, and {what}")
    if item.begins_with is not None:
        message = f"a layer inside another one cannot begin with the state of `{item.begins_with}`"
        raise mistake("wrong-value", message, help="remove `state_from`, or the layer around it")
    return item


AnyLayer = Annotated[LayerSpec, OneOf(LAYERS), AfterValidator(_a_layer)]
"""A single layer inside another one."""
