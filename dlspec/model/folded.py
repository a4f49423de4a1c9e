"""A graph in which each network that others have trained is a single layer, for pictures and tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from dlspec.language.shapes import Shape
from dlspec.model.graph import Graph, GraphLayer, Whole


def folded(graph: Graph) -> Graph:
    """The same network, in which those that others have trained are a layer each; itself where there is none."""
    networks: dict[str, list[GraphLayer]] = {}
    for layer in graph.layers:
        if layer.borrowed is not None:
            networks.setdefault(layer.borrowed.network, []).append(layer)
    if not networks:
        return graph
    homes = {layer.name: name for name, layers in networks.items() for layer in layers}
    kept: list[GraphLayer] = []
    for layer in graph.layers:
        name = homes.get(layer.name)
        if name is None:
            kept.append(replace(layer, index=len(kept), inputs=_renamed(layer.inputs, homes)))
        elif layer is networks[name][0]:
            kept.append(_whole(name, networks[name], homes, len(kept)))
    return replace(graph, layers=tuple(kept), outputs=_renamed(graph.outputs, homes))


def frozen_parts(graph: Graph, frozen: Collection[str]) -> dict[str, bool]:
    """Network that others have trained -> whether all its layers are frozen; those of which none is are left out."""
    counts: dict[str, list[bool]] = {}
    for layer in graph.layers:
        if layer.borrowed is not None and layer.layer.has_weights and layer.shares is None:
            counts.setdefault(layer.borrowed.network, []).append(layer.name in frozen)
    return {name: all(held) for name, held in counts.items() if any(held)}


def _renamed(names: tuple[str, ...], homes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(homes.get(name, name) for name in names)


def _whole(name: str, layers: list[GraphLayer], homes: Mapping[str, str], index: int) -> GraphLayer:
    """The layer that stands for a network."""
    taken: dict[str, Shape | None] = {}
    for layer in layers:
        for source, shape in zip(layer.inputs, layer.input_shapes, strict=True):
            if homes.get(source) != name:
                taken.setdefault(homes.get(source, source), shape)
    first, last = layers[0], layers[-1]
    return GraphLayer(
        name,
        index,
        first.path,
        Whole().of(first.written),
        first.written,
        tuple(taken),
        tuple(taken.values()),
        last.output_shape,
        sum(layer.parameters for layer in layers),
        sum(layer.flops for layer in layers),
        sum(layer.activations for layer in layers),
    )
