"""Cells: one timestep of a recurrent layer, which `rnn` walks through a sequence."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeInt, PositiveInt, Primary, Rate
from dlspec.model.activations import ActivationName
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Orthogonal, Zeros
from dlspec.model.layers.recurrent import CELLS, AnyCell, Cell, GRUSteps, LSTMSteps, SimpleSteps, Step
from dlspec.model.regularizers import AnyRegularizer


@CELLS.register
class LSTMCell(LSTMSteps, Cell):
    """One timestep of an LSTM (Hochreiter and Schmidhuber, 1997).

    Input shape:  (batch, features)
    Output shape: (batch, units)
    """

    examples: ClassVar = [{"lstm_cell": 32}, {"lstm_cell": {"units": 32, "dropout": 0.2}}]

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
    kernel_constraint: AnyConstraint | None = None
    recurrent_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    dropout: Rate = Field(0.0, description="fraction of the inputs dropped, the same ones at every timestep")
    recurrent_dropout: Rate = Field(0.0, description="fraction of the state dropped, the same at every timestep")
    seed: NonNegativeInt | None = None


@CELLS.register
class GRUCell(GRUSteps, Cell):
    """One timestep of a GRU (Cho et al., 2014).

    Input shape:  (batch, features)
    Output shape: (batch, units)
    """

    examples: ClassVar = [{"gru_cell": 32}, {"gru_cell": {"units": 32, "reset_after": False}}]

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
    kernel_constraint: AnyConstraint | None = None
    recurrent_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    dropout: Rate = Field(0.0, description="fraction of the inputs dropped, the same ones at every timestep")
    recurrent_dropout: Rate = Field(0.0, description="fraction of the state dropped, the same at every timestep")
    reset_after: Flag = Field(True, description="reset what the state's matrix gives, not the state before it")
    seed: NonNegativeInt | None = None


@CELLS.register
class SimpleRNNCell(SimpleSteps, Cell):
    """One timestep of a simple recurrent network (Elman, 1990).

    Input shape:  (batch, features)
    Output shape: (batch, units)
    """

    examples: ClassVar = [{"simple_rnn_cell": 32}]

    units: PositiveInt = Primary(description="size of the state")
    activation: ActivationName = "tanh"
    use_bias: Flag = True
    kernel_initializer: AnyInitializer = GlorotUniform()
    recurrent_initializer: AnyInitializer = Orthogonal()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    recurrent_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    recurrent_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    dropout: Rate = Field(0.0, description="fraction of the inputs dropped, the same ones at every timestep")
    recurrent_dropout: Rate = Field(0.0, description="fraction of the state dropped, the same at every timestep")
    seed: NonNegativeInt | None = None


@CELLS.register
class StackedRNNCells(Cell):
    """Cells one on the other, as one: each takes what the one below gives at the same timestep.

    Input shape:  (batch, features)
    Output shape: (batch, units of the last cell)
    """

    examples: ClassVar = [
        {"stacked_rnn_cells": [{"lstm_cell": 8}, {"lstm_cell": 4}]},
        {"stacked_rnn_cells": {"cells": [{"gru_cell": 8}, {"simple_rnn_cell": 4}]}},
    ]

    cells: Annotated[list[AnyCell], Field(min_length=1)] = Primary(description="the cells, from the input up")

    @property
    def size(self) -> int:
        return self.cells[-1].size

    def step(self, features: int) -> Step:
        below = [features, *(cell.size for cell in self.cells)]
        steps = [cell.step(size) for cell, size in zip(self.cells, below, strict=False)]
        return Step(*(sum(values) for values in zip(*steps, strict=True)))

    def stays_in_unit_interval(self) -> bool:
        return self.cells[-1].stays_in_unit_interval()

    def build(self, name: str | None = None, dtype: str | None = None) -> Any:
        cells = [cell.build(f"{cell.type_name}_{i}", dtype) for i, cell in enumerate(self.cells, 1)]
        return self.keras_class()(cells, name=name or self.type_name, dtype=dtype)
