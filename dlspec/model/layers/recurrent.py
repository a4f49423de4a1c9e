"""Layers that walk through a sequence, one timestep after the other, and remember."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from dlspec.language.fields import Flag, NonNegativeInt, PositiveInt, Primary, Rate, Text, mistake, show_value
from dlspec.language.registry import OneOf, Registry
from dlspec.language.shapes import Path, Shape, known
from dlspec.model.activations import UNIT_INTERVAL, ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Orthogonal, Zeros
from dlspec.model.keras_kind import KerasKind
from dlspec.model.layers.base import (
    LAYERS,
    Builder,
    Example,
    LayerSpec,
    MaskError,
    Wire,
    refuse_beside,
    unfold_around,
)
from dlspec.model.layers.core import Dense
from dlspec.model.layers.mirroring import Backwards, LastOutput
from dlspec.model.layers.reshaping import RepeatVector
from dlspec.model.layers.sight import NEVER, Sight
from dlspec.model.regularizers import AnyRegularizer


def _cudnn(value: Any) -> Any:
    if value is True:  # Keras stops at the first batch where it cannot, as on every machine without a GPU
        raise mistake(
            "wrong-value",
            "with `use_cudnn: true` a run stops where there is no GPU, and `auto` uses cuDNN wherever that can be",
            help="write `use_cudnn: auto`",
        )
    if value is not False and value != "auto":
        raise mistake("wrong-value", f"`use_cudnn` is `auto` or `false`, got {show_value(value)}")
    return value


UseCudnn = Annotated[str | bool, BeforeValidator(_cudnn)]


class Step(NamedTuple):
    """One timestep of one sample.

    Args:
        parameters: how many numbers the cell holds.
        flops: operations.
        states: values that go on to the next timestep, which training keeps.
    """

    parameters: int
    flops: int
    states: int


class Steps:
    """What a recurrent layer and its cell, which is one timestep of it, have in common."""

    gates: ClassVar[int]
    """How many matrices of (features + units) x units it has."""
    state_count: ClassVar[int] = 1
    """How many states of `units` values it has."""

    if TYPE_CHECKING:  # the fields of each class stand in Keras's order
        units: int
        activation: str
        use_bias: bool

    @property
    def size(self) -> int:
        """How many numbers come out at each timestep."""
        return self.units

    def biases(self) -> int:
        return self.gates * self.units if self.use_bias else 0

    def step(self, features: int) -> Step:
        products = self.gates * (features + self.units) * self.units
        # products with input and state, biases, then about four operations a gate and unit on the state
        flops = 2 * products + self.biases() + 4 * self.gates * self.units
        return Step(products + self.biases(), flops, self.state_count * self.units)

    def stays_in_unit_interval(self) -> bool:
        gate = getattr(self, "recurrent_activation", "sigmoid")
        return self.activation in UNIT_INTERVAL and gate in UNIT_INTERVAL


class LSTMSteps(Steps):
    gates = 4
    state_count = 2


class GRUSteps(Steps):
    gates = 3

    if TYPE_CHECKING:
        reset_after: bool

    def biases(self) -> int:
        return super().biases() * (2 if self.reset_after else 1)  # one for the input, one for the state


class SimpleSteps(Steps):
    gates = 1


class Cell(KerasKind):
    """One timestep of a recurrent layer; `rnn` walks it through a sequence."""

    module = "layers"

    if TYPE_CHECKING:

        @property
        def size(self) -> int: ...
        def step(self, features: int) -> Step: ...
        def stays_in_unit_interval(self) -> bool: ...

    def build(self, name: str | None = None, dtype: str | None = None) -> Any:
        given = {
            key: value.build() if isinstance(value, KerasKind) else value for key, value in self.arguments().items()
        }
        return self.keras_class()(name=name or self.type_name, dtype=dtype, **given)


CELLS: Registry[Cell] = Registry(
    "cell",
    "dlspec.model.layers",
    left_out={name: f"write `{name}_cell`, which is one timestep of it" for name in ("lstm", "gru", "simple_rnn")},
    lazy=True,
)
AnyCell = Annotated[Cell, OneOf(CELLS)]


def masked_timesteps(layer: Any, masked: Sequence[int]) -> int:
    """How many axes a mask covers in what a layer that walks through timesteps puts out; as `LayerSpec.masked_axes`."""
    if masked[0] and layer.return_sequences and layer.go_backwards:
        raise MaskError(
            f"`{layer.type_name}` with `go_backwards: true` puts timesteps out in the other order, and Keras leaves "
            "their mask as it is",
            help="write `bidirectional`, which turns them back",
        )
    return masked[0] if layer.return_sequences else 0


class Recurrent(LayerSpec):
    """Base of the recurrent layers.

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    axes = ("timesteps", "features")
    weighted = True

    if TYPE_CHECKING:
        return_sequences: bool
        go_backwards: bool

        @property
        def size(self) -> int: ...
        def step(self, features: int) -> Step: ...
        def stays_in_unit_interval(self) -> bool: ...

    def output_shape(self, input_shape: Shape) -> Shape:
        batch, timesteps, _ = input_shape
        return (batch, timesteps, self.size) if self.return_sequences else (batch, self.size)

    heeds_mask = True

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        return masked_timesteps(self, masked)

    def parameters(self, input_shape: Shape) -> int:
        return self.step(known(input_shape[-1])).parameters

    def flops(self, input_shape: Shape) -> int:
        return (input_shape[1] or 1) * self.step(known(input_shape[-1])).flops

    def activations(self, input_shape: Shape) -> int:
        return (input_shape[1] or 1) * self.step(known(input_shape[-1])).states

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.stays_in_unit_interval()

    @abstractmethod
    def decoder(self) -> LayerSpec:
        """A layer of the same size that returns every timestep."""

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        """Reads the code again at every timestep and unrolls it, beginning with what the layer saw last (Srivastava et
        al., 2015)."""
        _, timesteps, features = input_shape
        if not timesteps or not features:
            return None
        starts: tuple[LayerSpec, ...] = (LastOutput(),) if self.return_sequences else ()
        backwards: tuple[LayerSpec, ...] = () if self.go_backwards else (Backwards(),)
        return (*starts, RepeatVector(n=timesteps), self.decoder(), Dense(units=features), *backwards)

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return seen[0] if seen[0].axis == 1 and self.return_sequences and not self.go_backwards else None

    def cure_of_sight(self) -> str:
        return "remove `go_backwards: true`" if self.go_backwards else "write `return_sequences: true`"

    def why_shape(self) -> str:
        return "returns every timestep: {shape}" if self.return_sequences else "returns only its last output: {shape}"

    def with_axes(self, wanted: int) -> LayerSpec | None:
        return self.model_copy(update={"return_sequences": wanted == 3}) if wanted in (2, 3) else None


class Continuing(Recurrent):
    """Base of the recurrent layers that may begin with the last state of another one of their kind and size.

    That layer is a further input, behind the sequence; see `LayerSpec.begins_with`.
    """

    if TYPE_CHECKING:
        state_from: str | None

    @property
    def begins_with(self) -> str | None:
        return self.state_from

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        states = [] if self.state_from is None else [builder.state_for(self, path)]
        return builder.place(self, [*wires, *states], path)

    def infer(self, *shapes: Shape | None) -> Shape | None:
        return super().infer(shapes[0])

    def counts(self, *shapes: Shape) -> tuple[int, int, int]:
        return super().counts(shapes[0])

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        apart = all(other.ahead == NEVER for other in seen[1:])  # a last state has seen every timestep of its input
        return super().sight(seen[:1], shapes[:1]) if apart else None

    def cure_of_sight(self) -> str:
        if self.state_from is not None:
            return f"remove `state_from: {self.state_from}`: a last state has seen every timestep"
        return super().cure_of_sight()

    def keras_arguments(self) -> dict[str, Any]:
        return {key: value for key, value in super().keras_arguments().items() if key != "state_from"}


@LAYERS.register
class LSTM(LSTMSteps, Continuing):
    """Long short-term memory: gates decide what is kept, forgotten and shown (Hochreiter and Schmidhuber, 1997).

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    examples: ClassVar = [
        Example({"lstm": 4}, (None, 6, 3)),
        Example({"lstm": {"units": 4, "return_sequences": True}}, (None, 6, 3)),
        Example({"lstm": {"units": 4, "dropout": 0.2, "use_bias": False, "go_backwards": True}}, (None, 6, 3)),
    ]

    units: PositiveInt = Primary(description="size of the state")
    activation: ActivationName = Field("tanh", description="of the state")
    recurrent_activation: ActivationName = Field("sigmoid", description="of the gates")
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    recurrent_initializer: AnyInitializer = Orthogonal()
    bias_initializer: BiasInitializer = Zeros()
    unit_forget_bias: Flag = Field(True, description="start the bias of the forget gate at 1 (Jozefowicz et al., 2015)")
    kernel_regularizer: AnyRegularizer | None = None
    recurrent_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    recurrent_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    dropout: Rate = Field(0.0, description="fraction of the inputs dropped, the same ones at every timestep")
    recurrent_dropout: Rate = Field(0.0, description="fraction of the state dropped, the same at every timestep")
    seed: NonNegativeInt | None = None
    return_sequences: Flag = Field(False, description="give what comes out at every timestep, not only at the last")
    go_backwards: Flag = Field(False, description="walk from the last timestep to the first")
    unroll: Flag = Field(False, description="lay out the timesteps instead of looping: faster for few, more memory")
    use_cudnn: UseCudnn = Field("auto", description="the fast kernel of a GPU, where settings and machine allow it")
    state_from: Text | None = Field(
        None, description="a layer of its kind and size above, with whose last state it begins, not with zeros"
    )

    def decoder(self) -> LayerSpec:
        return LSTM(units=self.units, return_sequences=True)


@LAYERS.register
class GRU(GRUSteps, Continuing):
    """Gated recurrent unit: an LSTM with two gates (Cho et al., 2014).

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    examples: ClassVar = [
        Example({"gru": 4}, (None, 6, 3)),
        Example({"gru": {"units": 4, "reset_after": False, "return_sequences": True}}, (None, 6, 3)),
    ]

    units: PositiveInt = Primary(description="size of the state")
    activation: ActivationName = Field("tanh", description="of the state")
    recurrent_activation: ActivationName = Field("sigmoid", description="of the gates")
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    recurrent_initializer: AnyInitializer = Orthogonal()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    recurrent_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    recurrent_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    dropout: Rate = Field(0.0, description="fraction of the inputs dropped, the same ones at every timestep")
    recurrent_dropout: Rate = Field(0.0, description="fraction of the state dropped, the same at every timestep")
    seed: NonNegativeInt | None = None
    return_sequences: Flag = Field(False, description="give what comes out at every timestep, not only at the last")
    go_backwards: Flag = Field(False, description="walk from the last timestep to the first")
    unroll: Flag = Field(False, description="lay out the timesteps instead of looping: faster for few, more memory")
    reset_after: Flag = Field(True, description="reset what the state's matrix gives, not the state before it")
    use_cudnn: UseCudnn = Field("auto", description="the fast kernel of a GPU, where settings and machine allow it")
    state_from: Text | None = Field(
        None, description="a layer of its kind and size above, with whose last state it begins, not with zeros"
    )

    def decoder(self) -> LayerSpec:
        return GRU(units=self.units, return_sequences=True)


@LAYERS.register
class SimpleRNN(SimpleSteps, Continuing):
    """The state is a function of the input and the state before it (Elman, 1990).

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    examples: ClassVar = [
        Example({"simple_rnn": 4}, (None, 6, 3)),
        Example({"simple_rnn": {"units": 4, "activation": "relu", "return_sequences": True}}, (None, 6, 3)),
    ]

    units: PositiveInt = Primary(description="size of the state")
    activation: ActivationName = "tanh"
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    recurrent_initializer: AnyInitializer = Orthogonal()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    recurrent_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    recurrent_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    dropout: Rate = Field(0.0, description="fraction of the inputs dropped, the same ones at every timestep")
    recurrent_dropout: Rate = Field(0.0, description="fraction of the state dropped, the same at every timestep")
    return_sequences: Flag = Field(False, description="give what comes out at every timestep, not only at the last")
    go_backwards: Flag = Field(False, description="walk from the last timestep to the first")
    unroll: Flag = Field(False, description="lay out the timesteps instead of looping: faster for few, more memory")
    seed: NonNegativeInt | None = None
    state_from: Text | None = Field(
        None, description="a layer of its kind and size above, with whose last state it begins, not with zeros"
    )

    def decoder(self) -> LayerSpec:
        return SimpleRNN(units=self.units, return_sequences=True)


@LAYERS.register
class RNN(Recurrent):
    """Walks a cell through a sequence, or several cells stacked into one.

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, units), or (batch, timesteps, units) with `return_sequences`
    """

    examples: ClassVar = [
        Example({"rnn": {"lstm_cell": 4}}, (None, 6, 3)),
        Example(
            {"rnn": {"cell": {"stacked_rnn_cells": [{"lstm_cell": 4}, {"gru_cell": 5}]}, "return_sequences": True}},
            (None, 6, 3),
        ),
    ]

    cell: AnyCell = Primary(description="what is done at each timestep")
    return_sequences: Flag = Field(False, description="give what comes out at every timestep, not only at the last")
    go_backwards: Flag = Field(False, description="walk from the last timestep to the first")
    unroll: Flag = Field(False, description="lay out the timesteps instead of looping: faster for few, more memory")
    zero_output_for_mask: Flag = Field(False, description="give zeros at masked timesteps")

    @classmethod
    def unfold(cls, written: Any) -> tuple[Any, str | None]:
        return unfold_around(written, "cell", cls.keys(), CELLS) or super().unfold(written)

    @model_validator(mode="before")
    @classmethod
    def _cell_has_its_key(cls, value: Any) -> Any:
        return refuse_beside(value, "cell", cls.keys(), CELLS)

    @property
    def size(self) -> int:
        return self.cell.size

    def step(self, features: int) -> Step:
        return self.cell.step(features)

    def stays_in_unit_interval(self) -> bool:
        return self.cell.stays_in_unit_interval()

    def decoder(self) -> LayerSpec:
        return RNN(cell=self.cell, return_sequences=True)

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        return given if self.dtype is None else {**given, "cell": self.cell.build(dtype=self.dtype)}
