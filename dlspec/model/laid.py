"""The layers of a network as far as they are laid, from the inputs up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dlspec.model.graph import GraphLayer
from dlspec.model.layers import Wire


@dataclass
class Laid:
    """What stands so far.

    Args:
        known: what `from` may name; of a name used several times the last one.
    """

    layers: list[GraphLayer] = field(default_factory=list)
    known: dict[str, Wire] = field(default_factory=dict)
    _by_name: dict[str, GraphLayer] = field(default_factory=dict)

    def add(self, layer: GraphLayer) -> Wire:
        """The layer above all others; returns what leads out of it."""
        self.layers.append(layer)
        self._by_name[layer.name] = layer
        self.known[layer.name] = Wire(layer.name, layer.output_shape)
        if layer.layer.name and not layer.shares:
            self.known[layer.layer.name] = self.known[layer.name]
        return self.known[layer.name]

    def __contains__(self, name: object) -> bool:
        """Whether a layer has this name."""
        return name in self._by_name

    def layer_of(self, wire: Wire | None) -> GraphLayer | None:
        """The layer that a wire leads out of; None for an input of the network."""
        return self._by_name.get(wire.source) if wire else None

    def above(self, wire: Wire) -> Iterator[GraphLayer]:
        """The layers that lead to the wire, the nearest first, as long as there is one way."""
        while (layer := self.layer_of(wire)) is not None:
            yield layer
            if len(layer.inputs) != 1:
                return
            wire = Wire(layer.inputs[0], None)

    def origin(self, name: str) -> str:
        """The layer or input that made the values under this name, below the layers that only pass them on."""
        while (layer := self._by_name.get(name)) and layer.layer.passes_values and len(layer.inputs) == 1:
            (name,) = layer.inputs
        return name
