"""A Keras model taken apart: its inputs, and its layers as calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlspec.language.shapes import Shape
from dlspec.model.layers import LayerSpec

Place = tuple[str, ...]
"""Names of the models around a layer, and its own."""


@dataclass(frozen=True)
class Given:
    """An input of the network."""

    name: str
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Call:
    """A layer that is applied.

    Args:
        number: its own; inputs of the network have the numbers before all calls.
        place: of the layer in the model.
        layer: in the language.
        inputs: numbers of what it takes.
        again: the number of the call that applied the same layer first.
        is_layer: whether the model has a layer at its place, which `layer` is word by word; an operation is none.
    """

    number: int
    place: Place
    layer: LayerSpec
    inputs: tuple[int, ...]
    again: int | None = None
    is_layer: bool = True


@dataclass(frozen=True)
class Network:
    """A model taken apart.

    Args:
        given: its inputs, numbered from 0.
        calls: its layers in an order in which each follows what it takes.
        outputs: name and number of each output.
        precision: the dtype policy that most layers have.
        remarks: what calls say that a spec does not.
        ends: model inside -> number of what comes out of it, of the last call where there are several.
        assumed: whether masks that layers are called with were taken for those that the layers above make.
    """

    given: tuple[Given, ...]
    calls: tuple[Call, ...]
    outputs: tuple[tuple[str, int], ...]
    precision: str
    remarks: tuple[str, ...] = ()
    ends: Mapping[str, int] = field(default_factory=dict)
    assumed: bool = False

    def by_number(self) -> dict[int, Call]:
        return {call.number: call for call in self.calls}


@dataclass(frozen=True)
class Ref:
    """What comes out of a layer or an input: one of its outputs.

    Args:
        mask: it is what Keras computes to skip timesteps, or another operation without a word: its name, and why there
            is none, should a layer take it as its input.
    """

    number: int
    shape: Shape | None = None
    output: int = 0
    mask: tuple[str, str] | None = None


@dataclass(frozen=True)
class Arguments:
    """What a layer is called with.

    Args:
        tensors: in order, those in lists and mappings one by one.
        args, kwargs: as they stand, a `Ref` for each tensor.
    """

    tensors: list[Ref]
    args: tuple[Any, ...] | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def positional(self) -> tuple[Any, ...]:
        return tuple(self.tensors[:1]) if self.args is None else self.args
