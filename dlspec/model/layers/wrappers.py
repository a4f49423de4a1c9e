"""Layers around another layer."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dlspec.language.fields import PositiveInt, Primary, mistake
from dlspec.language.shapes import Shape, ShapeError, UnknownSize, known, show_shape
from dlspec.model.layers.base import LAYERS, AnyLayer, Example, LayerSpec, refuse_beside, unfold_around
from dlspec.model.layers.mirroring import BothEnds, Taking
from dlspec.model.layers.sight import Sight


class Wrapper(LayerSpec):
    """Base of the layers around another one: `{bidirectional: {lstm: 8}}` stands for `{bidirectional: {layer: …}}`."""

    layer: AnyLayer

    @classmethod
    def unfold(cls, written: Any) -> tuple[Any, str | None]:
        return unfold_around(written, "layer", cls.keys(), LAYERS) or super().unfold(written)

    @model_validator(mode="before")
    @classmethod
    def _layer_has_its_key(cls, value: Any) -> Any:
        return refuse_beside(value, "layer", cls.keys(), LAYERS)

    def model_post_init(self, context: object) -> None:
        if self.layer.type_name == "output":
            raise mistake(
                "wrong-value",
                f"`output` follows from the target and stands alone, not inside `{self.type_name}`",
                help="write `dense`",
            )

    @property
    def has_weights(self) -> bool:
        return self.layer.has_weights

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.layer.in_unit_interval(input_inside)

    @abstractmethod
    def inner(self) -> Iterator[tuple[LayerSpec, str]]:
        """The layers inside, each with the attribute that holds it in the Keras layer."""
        yield self.layer, "layer"

    def keras_arguments(self) -> dict[str, Any]:
        inner = self.layer.build(self.layer.name or self.layer.type_name)  # Keras would count them through the process
        return {**super().keras_arguments(), "layer": inner}

    def build(self, name: str | None = None) -> Any:
        built = super().build(name)
        if self.trainable:  # Keras has set all that is inside to `trainable` as well
            self._freeze(built)
        return built

    def _freeze(self, built: Any) -> None:
        for layer, attribute in self.inner():
            inner = getattr(built, attribute)
            inner.trainable = layer.trainable
            if isinstance(layer, Wrapper) and layer.trainable:
                layer._freeze(inner)


@LAYERS.register
class Bidirectional(Wrapper):
    """Reads a sequence forwards and, with weights of its own, backwards (Schuster and Paliwal, 1997).

    Input shape:  (batch, timesteps, features), or what the layer inside takes
    Output shape: that of the layer inside, its last axis twice as large with `merge_mode: concat`
    """

    examples: ClassVar = [
        Example({"bidirectional": {"lstm": 4}}, (None, 6, 3)),
        Example(
            {"bidirectional": {"layer": {"gru": {"units": 4, "return_sequences": True}}, "merge_mode": "sum"}},
            (None, 6, 3),
        ),
        Example(
            {
                "bidirectional": {
                    "layer": {"simple_rnn": 4},
                    "backward_layer": {"simple_rnn": {"units": 4, "activation": "relu", "go_backwards": True}},
                }
            },
            (None, 6, 3),
        ),
    ]

    layer: AnyLayer = Primary(description="the recurrent layer that reads forwards")
    merge_mode: Literal["concat", "sum", "mul", "ave"] = "concat"  # Keras's None would give two outputs
    backward_layer: AnyLayer | None = None

    def model_post_init(self, context: object) -> None:
        super().model_post_init(context)
        for key, layer in (("layer", self.layer), ("backward_layer", self.backward_layer)):
            if layer is not None and "go_backwards" not in type(layer).model_fields:
                raise mistake(
                    "wrong-value",
                    f"`bidirectional` needs a recurrent layer as `{key}`, got `{layer.type_name}`",
                    help="recurrent are `lstm`, `gru`, `simple_rnn` and `rnn`",
                )
        if self.backward_layer is None:
            if self._of(self.layer, "go_backwards"):
                raise mistake(
                    "wrong-value",
                    "the layer inside `bidirectional` goes forwards, and the one that goes backwards is made of it",
                    help="remove `go_backwards: true`",
                )
            return
        if self._of(self.layer, "go_backwards") == self._of(self.backward_layer, "go_backwards"):
            raise mistake(
                "wrong-value",
                "`layer` and `backward_layer` go in the same direction",
                help="write `go_backwards: true` in `backward_layer` alone",
            )
        if self._of(self.layer, "return_sequences") != self._of(self.backward_layer, "return_sequences"):
            raise mistake(
                "wrong-value",
                "one of `layer` and `backward_layer` returns every timestep and the other only its last output",
                help="write `return_sequences` in both alike",
            )

    @staticmethod
    def _of(layer: LayerSpec, key: str) -> bool:
        return bool(getattr(layer, key))

    @property
    def backward(self) -> LayerSpec:
        """The layer that goes backwards."""
        return self.backward_layer or self.layer

    def cure_of_sight(self) -> str:
        return f"write `{self.layer.type_name}` alone, which reads forwards"

    def inner(self) -> Iterator[tuple[LayerSpec, str]]:
        yield self.layer, "forward_layer"
        yield self.backward, "backward_layer"

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        if self.backward_layer is not None:
            name = self.backward_layer.name or f"backward_{self.backward_layer.type_name}"
            given["backward_layer"] = self.backward_layer.build(name)
        return given

    @property
    def kind(self) -> type[LayerSpec]:
        return self.layer.kind

    heeds_mask = True

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        return masked[0] if self._of(self.layer, "return_sequences") else 0

    def _merged(self, shape: Shape, backward: Shape) -> Shape:
        if shape != backward:  # Keras goes by the first alone, and fails when it runs
            raise ShapeError(
                f"`layer` gives {show_shape(shape)} and `backward_layer` {show_shape(backward)}",
                help="give both the same size",
            )
        if self.merge_mode != "concat":
            return shape
        if shape[-1] is None:
            raise UnknownSize(
                f"`merge_mode: concat` doubles the last axis, whose size is not known in {show_shape(shape)}",
                help="write `merge_mode: sum`",
            )
        return (*shape[:-1], 2 * shape[-1])

    def output_shape(self, input_shape: Shape) -> Shape:
        return self._merged(_infer(self.layer, input_shape), _infer(self.backward, input_shape))

    def without_input(self) -> Shape | None:
        shape, backward = self.layer.without_input(), self.backward.without_input()
        return self._merged(shape, backward) if shape and backward and shape[-1] else None

    def parameters(self, input_shape: Shape) -> int:
        return self.layer.parameters(input_shape) + self.backward.parameters(input_shape)

    def flops(self, input_shape: Shape) -> int:
        values = 1
        for size in self.layer.output_shape(input_shape)[1:]:
            values *= size or 1
        merging = {"concat": 0, "sum": values, "mul": values, "ave": 2 * values}[self.merge_mode]
        return self.layer.flops(input_shape) + self.backward.flops(input_shape) + merging

    def activations(self, input_shape: Shape) -> int:
        return self.layer.activations(input_shape) + self.backward.activations(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        inside = self.layer.in_unit_interval(input_inside) and self.backward.in_unit_interval(input_inside)
        return inside and self.merge_mode != "sum"

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """Decodes in one direction: what is to be written is known to the code as a whole."""
        back = None if self._of(self.layer, "go_backwards") else self.layer.mirror(input_shape)
        if back is None or not self._of(self.layer, "return_sequences"):
            return back
        return (BothEnds(side_by_side=self.merge_mode == "concat"), *back[1:])

    def why_shape(self) -> str:
        return self.layer.why_shape()

    def with_axes(self, wanted: int) -> LayerSpec | None:
        layer = self.layer.with_axes(wanted)
        backward = self.backward_layer.with_axes(wanted) if self.backward_layer else None
        return layer and self.model_copy(update={"layer": layer, "backward_layer": backward})


@LAYERS.register
class TimeDistributed(Wrapper):
    """Applies the same layer, with the same weights, to every timestep.

    Input shape:  (batch, timesteps, ...), where (batch, ...) is what the layer inside takes
    Output shape: (batch, timesteps, ...), where (batch, ...) is what the layer inside gives
    """

    examples: ClassVar = [
        Example({"time_distributed": {"dense": 4}}, (None, 6, 3)),
        Example(
            {"time_distributed": {"layer": {"conv2d": {"filters": 2, "kernel_size": 3}}}},
            (None, 4, 8, 8, 3),
        ),
        Example({"time_distributed": "flatten"}, (None, 4, 2, 3)),
    ]

    passes_mask = True

    layer: AnyLayer = Primary(description="what is done at each timestep")

    def model_post_init(self, context: object) -> None:
        super().model_post_init(context)
        inner = self.layer.type_name
        if self.layer.takes[1] != 1:  # Keras hands on one tensor, and these take a list
            raise mistake("wrong-value", f"`time_distributed` cannot hold `{inner}`, which may take several inputs")
        if not self.layer.alone_in_keras:
            raise mistake(
                "wrong-value",
                f"`time_distributed` holds a layer of Keras, and `{inner}` is none",
                help=f"write `{inner}` without `time_distributed`, with axes that count the timesteps as 1",
            )
        # Keras calls the computation of the layer alone, so that these are never looked at
        if getattr(self.layer, "activity_regularizer", None) is not None:
            raise mistake(
                "wrong-value",
                f"`activity_regularizer` of `{inner}` has no effect inside `time_distributed`",
                help="put `activity_regularization` below it instead",
            )
        if self.layer.dtype is not None:
            raise mistake(
                "wrong-value",
                f"`dtype` of `{inner}` has no effect inside `time_distributed`",
                help=f"write it beside `layer`: `{{layer: {inner}, dtype: {self.layer.dtype}}}`",
            )

    def inner(self) -> Iterator[tuple[LayerSpec, str]]:
        yield self.layer, "layer"

    @staticmethod
    def _timestep(shape: Shape) -> Shape:
        return (shape[0], *shape[2:])

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0] if seen[0].axis == 1 else None

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 3:
            raise ShapeError(
                f"`time_distributed` needs (batch, timesteps, ...), got {show_shape(input_shape)}",
                help=f"write `{self.layer.type_name}` without `time_distributed` around it",
            )
        try:
            shape = _infer(self.layer, self._timestep(input_shape))
        except ShapeError as error:
            raise ShapeError(f"at each timestep of {show_shape(input_shape)}, {error.message}", error.help) from None
        return (shape[0], input_shape[1], *shape[1:])

    def without_input(self) -> Shape | None:
        shape = self.layer.without_input()
        return shape and (shape[0], None, *shape[1:])

    def parameters(self, input_shape: Shape) -> int:
        return self.layer.parameters(self._timestep(input_shape))

    def flops(self, input_shape: Shape) -> int:
        return (input_shape[1] or 1) * self.layer.flops(self._timestep(input_shape))

    def activations(self, input_shape: Shape) -> int:
        return (input_shape[1] or 1) * self.layer.activations(self._timestep(input_shape))

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        back = self.layer.mirror(self._timestep(input_shape))
        if back is None or any(isinstance(part, Taking) for part in back):
            return None
        return tuple(TimeDistributed(layer=part) for part in back)


@LAYERS.register
class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value while training (Miyato et al., 2018).

    Input shape:  what the layer inside takes
    Output shape: what the layer inside gives
    """

    weighted = True
    examples: ClassVar = [
        Example({"spectral_normalization": {"dense": 4}}, (None, 3)),
        Example(
            {"spectral_normalization": {"layer": {"conv1d": {"filters": 4, "kernel_size": 2}}, "power_iterations": 3}},
            (None, 6, 3),
        ),
    ]

    layer: AnyLayer = Primary(description="a dense or convolutional layer")
    power_iterations: PositiveInt = Field(1, description="steps of power iteration for each batch")

    def model_post_init(self, context: object) -> None:
        super().model_post_init(context)
        name = self.layer.type_name
        # an embedding's output would be rounded: Keras gives it the type of the input, whole numbers
        if not re.fullmatch(r"dense|einsum_dense|(depthwise_)?conv\dd|conv\dd_transpose", name):
            raise mistake(
                "wrong-value",
                f"`spectral_normalization` needs a layer with one kernel, got `{name}`",
                help="such are `dense`, `einsum_dense`, `conv1d` to `conv3d`, their transposed and depthwise kinds",
            )
        if getattr(self.layer, "lora_rank", None) is not None:  # Keras cannot write into the sum that the kernel is
            raise mistake(
                "wrong-value",
                "with `lora_rank` the kernel is a sum, which `spectral_normalization` cannot divide",
                help="remove `lora_rank`",
            )

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return self.layer.sight(seen, shapes)

    def cure_of_sight(self) -> str:
        return self.layer.cure_of_sight()

    def inner(self) -> Iterator[tuple[LayerSpec, str]]:
        yield self.layer, "layer"

    @property
    def has_weights(self) -> bool:
        return True

    @property
    def kind(self) -> type[LayerSpec]:
        return self.layer.kind

    def output_shape(self, input_shape: Shape) -> Shape:
        return _infer(self.layer, input_shape)

    def without_input(self) -> Shape | None:
        return self.layer.without_input()

    def parameters(self, input_shape: Shape) -> int:
        return self.layer.parameters(input_shape) + known(self._columns(input_shape))

    def _columns(self, input_shape: Shape) -> int | None:
        """The size of the kernel's last axis, of which a singular vector is kept."""
        layer: Any = self.layer
        name = layer.type_name
        if name == "dense":
            size: int | None = layer.units
        elif name == "einsum_dense":
            size = _size_of_last_axis(layer.equation, input_shape, self.output_shape(input_shape))
        elif name.endswith("_transpose"):
            size = layer.split(input_shape)[1]
        else:
            size = layer.depth_multiplier if name.startswith("depthwise_") else layer.filters
        return size

    def flops(self, input_shape: Shape) -> int:
        return self.layer.flops(input_shape)

    def activations(self, input_shape: Shape) -> int:
        return self.layer.activations(input_shape)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return self.layer.mirror(input_shape)


def _infer(layer: LayerSpec, shape: Shape) -> Shape:
    found = layer.infer(shape)
    assert found is not None, "the input is known, so is the output"
    return found


def _size_of_last_axis(equation: str, input_shape: Shape, output_shape: Shape) -> int | None:
    """Of the kernel of an `einsum_dense`: `abc,cd->abd` gives the size of d."""
    left, output = equation.replace(" ", "").split("->")
    given, kernel = left.split(",")
    letter = kernel[-1]
    for axes, shape in ((output, output_shape), (given, input_shape)):
        if letter in axes:
            before, _, after = axes.partition("...")
            return shape[axes.index(letter)] if letter in before else shape[after.index(letter) - len(after)]
    return None
