"""A network as a graph: the layers in order with their shapes, parameters and FLOPs. No Keras."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from pydantic import PrivateAttr

from dlspec.data.signature import NetworkInput
from dlspec.language.notebooks import InNotebooks
from dlspec.language.shapes import Path, Shape
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.layers import LayerSpec, ModelItem


@dataclass(frozen=True)
class Borrowed:
    """Where a layer of a network that others have trained comes from.

    Args:
        network: what that network is called here.
        place: of the layer in it: names of the models around it, and its own; empty where it has none there.
        held: whether it is frozen, and would learn otherwise.
        rank: the place of the outermost of them among the layers of that network, where its name says nothing.
    """

    network: str
    place: tuple[str, ...] = ()
    held: bool = False
    rank: int | None = None


class Whole(LayerSpec):
    """Stands in pictures and tables for a network that others have trained.

    Input shape:  that of the network
    Output shape: that of the network
    """

    takes: ClassVar = (1, None)
    _item: ModelItem | None = PrivateAttr(default=None)

    def of(self, item: ModelItem) -> Whole:
        """The same, for an item of the spec."""
        self._item = item
        return self

    @property
    def item(self) -> ModelItem:
        """What the spec says."""
        assert self._item is not None, "it stands for something"
        return self._item

    @property
    def has_weights(self) -> bool:
        return True


@dataclass(frozen=True)
class GraphLayer:
    """A layer with its place in the network.

    Args:
        name: as given, or its type and a number: `lstm_1`.
        index: its place among the layers, from the inputs up.
        path: its place in the spec.
        written: the item of the spec that it comes from; for a layer that `skip` adds, that is the `skip`.
        inputs: names of the layers and inputs that it takes.
        input_shapes, output_shape: batch first; None where nothing is known, because of a mistake above it.
        parameters: how many numbers it holds; none where it shares those of another layer.
        flops: operations of one sample forward, a multiply-add being two.
        activations: values of one sample that training keeps.
        shares: the layer whose weights it uses.
        mirrors: of the decoder that `unroll` adds, the layer of the encoder that it leads back through.
        borrowed: of a layer of a network that others have trained, where it comes from.
    """

    name: str
    index: int
    path: Path
    layer: LayerSpec
    written: ModelItem
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape | None, ...]
    output_shape: Shape | None
    parameters: int = 0
    flops: int = 0
    activations: int = 0
    shares: str | None = None
    mirrors: str | None = None
    borrowed: Borrowed | None = None

    @property
    def may_learn(self) -> bool:
        """Whether its weights are trained, at first or once it has thawed."""
        return self.layer.trainable or (self.borrowed is not None and self.borrowed.held)

    @property
    def state_source(self) -> str | None:
        """The layer whose last state it begins with, which is the last of its inputs."""
        return None if self.layer.begins_with is None else self.inputs[-1]

    @property
    def input_shape(self) -> Shape | None:
        """The shape of the first input, which most layers have alone."""
        return self.input_shapes[0] if self.input_shapes else None

    @property
    def type_name(self) -> str:
        return self.written.type_name

    @property
    def told(self) -> ModelItem:
        """What is said of it: the layer, or the network that it stands for."""
        return self.layer.item if isinstance(self.layer, Whole) else self.layer

    @property
    def text(self) -> str:
        """The layer as one would write it, without its name and where it takes its input: `lstm: 64`."""
        plain = self.written if isinstance(self.written, LayerSpec) else self.told
        return to_inline_yaml(plain.model_copy(update={"name": None, "from_": None}).brief())


@dataclass(frozen=True)
class Graph(InNotebooks):
    """A network with shapes.

    Args:
        outputs: names of the layers whose output is the network's.
        complete: false when there were too many layers to lay them all.
    """

    inputs: tuple[NetworkInput, ...]
    layers: tuple[GraphLayer, ...]
    outputs: tuple[str, ...]
    complete: bool = True

    @property
    def input_shape(self) -> Shape | None:
        return self.inputs[0].shape

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def flops(self) -> int:
        """Of one sample forward."""
        return sum(layer.flops for layer in self.layers)

    @property
    def activations(self) -> int:
        """Values of one sample that training keeps until it comes back."""
        return sum(layer.activations for layer in self.layers)

    @property
    def to_first_output(self) -> Graph:
        """The same of which nothing but the first output is asked."""
        return replace(self, outputs=self.outputs[:1])

    @property
    def hidden(self) -> list[GraphLayer]:
        """Layers with weights below the outputs that nobody has trained before; normalizations belong to others."""
        weighted = [
            layer
            for layer in self.layers
            if layer.layer.has_weights
            and not layer.layer.follows_code
            and not layer.mirrors
            and layer.name in self.with_weights_used
        ]
        if len(self.outputs) == 1 and not self.unrolled:
            weighted = weighted[:-1]  # the last one makes the output, also where an activation follows it
        elif not self.unrolled:
            weighted = [layer for layer in weighted if layer.name not in self.outputs]
        return [layer for layer in weighted if layer.shares is None and layer.borrowed is None]

    @property
    def output_layer(self) -> GraphLayer | None:
        """The layer with weights that makes the only output; None where there are several, or none has weights."""
        layers = [layer for layer in self.layers if layer.layer.has_weights and layer.name in self.reached]
        layers = [layer for layer in layers if not layer.layer.follows_code]
        return layers[-1] if layers and len(self.outputs) == 1 and not self.unrolled else None

    @property
    def unrolled(self) -> bool:
        """Whether it ends in a decoder that mirrors its layers."""
        return bool(self.layers) and self.layers[-1].mirrors is not None

    def inside(self, data: bool) -> dict[str, bool]:
        """Name of a layer or input -> whether what comes out of it lies in [0, 1], given whether the data do."""
        found = {given.name: data for given in self.inputs}
        for layer in self.layers:
            found[layer.name] = layer.layer.in_unit_interval(all(found.get(source, False) for source in layer.inputs))
        return found

    @property
    def output_shape(self) -> Shape | None:
        return self[self.outputs[0]].output_shape

    def __getitem__(self, name: str) -> GraphLayer:
        return self.by_name[name]

    def in_short(self, names: Collection[str]) -> list[str]:
        """Names of layers, where those of a network that others have trained are that network, or how many of it."""
        own = [name for name in names if self[name].borrowed is None]
        counts: dict[str, int] = {}
        whole: dict[str, int] = {}
        given = {*names}
        for layer in self.layers:
            if layer.borrowed is not None and layer.layer.has_weights and layer.shares is None:
                network = layer.borrowed.network
                whole[network] = whole.get(network, 0) + 1
                counts[network] = counts.get(network, 0) + (layer.name in given)
        parts = [
            network if count == whole[network] else f"{count} of {whole[network]} layers of {network}"
            for network, count in counts.items()
            if count
        ]
        return [*own, *parts]

    def needed_by(self, names: Iterable[str]) -> set[str]:
        """These names, and those of all layers and inputs that they depend on."""
        open_ = list(names)
        needed = set(open_)
        while open_:
            at = self.by_name.get(open_.pop())
            for source in at.inputs if at else ():
                if source not in needed:
                    needed.add(source)
                    open_.append(source)
        return needed

    @cached_property
    def giving_states(self) -> set[str]:
        """The layers whose last state others begin with, and those that share their weights."""
        sources = {layer.state_source for layer in self.layers} - {None}
        shared = {layer.shares or layer.name for layer in self.layers if layer.name in sources}
        return {layer.name for layer in self.layers if (layer.shares or layer.name) in shared}

    @cached_property
    def reached(self) -> set[str]:
        """The layers and inputs that the outputs depend on; Keras leaves out the rest."""
        return self.needed_by(self.outputs)

    @cached_property
    def with_weights_used(self) -> set[str]:
        """Those, and the layers that have weights in common with them."""
        return self.reached | {layer.shares for layer in self.layers if layer.shares and layer.name in self.reached}

    def without_dead_ends(self) -> Graph:
        """The same, where layers that no output depends on count nothing."""
        if len(self.reached & {*self.by_name}) == len(self.layers):
            return self
        layers = []
        for layer in self.layers:
            if layer.name not in self.reached:
                kept = layer.parameters if layer.name in self.with_weights_used else 0
                layer = replace(layer, parameters=kept, flops=0, activations=0)
            layers.append(layer)
        return replace(self, layers=tuple(layers))

    def origin(self, name: str) -> str:
        """The layer or input that made the values under this name, below the layers that only pass them on."""
        while name in self.by_name and self[name].layer.passes_values and len(self[name].inputs) == 1:
            (name,) = self[name].inputs
        return name

    @cached_property
    def by_name(self) -> dict[str, GraphLayer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def consumers(self) -> dict[str, list[str]]:
        """Name of a layer or input -> names of the layers that take what comes out of it."""
        found: dict[str, list[str]] = {name: [] for name in (*(given.name for given in self.inputs), *self.by_name)}
        for layer in self.layers:
            for source in layer.inputs:
                found.setdefault(source, []).append(layer.name)
        return found
