"""A graph in which layers that follow each other again and again are there once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dlspec.model.graph import Graph, GraphLayer

LONGEST = 12
"""Layers of a part that is looked for."""


@dataclass(frozen=True)
class Repeats:
    """The graph without repetitions.

    Args:
        standing_for: a layer that is left -> it and the layers that it stands for, where these are several.
    """

    graph: Graph
    standing_for: Mapping[str, tuple[str, ...]]


def fold_repeats(graph: Graph) -> Repeats:
    """Equal parts of a chain of layers, of up to `LONGEST` layers, that follow each other: the first of them is kept.

    Parts are equal where their layers are written alike and put out the same shapes. Only what takes in nothing but the
    layer above it, and goes nowhere but into the one below it, is left out.
    """
    keys = [_key(graph, layer) for layer in graph.layers]
    kept: list[GraphLayer] = []
    standing: dict[str, tuple[str, ...]] = {}
    renamed: dict[str, str] = {}
    at = 0
    while at < len(keys):
        length, times = _repeated_at(graph, keys, at)
        part = graph.layers[at : at + length]
        for place, layer in enumerate(part):
            same = graph.layers[at + place : at + length * times : length]
            if times > 1:
                standing[layer.name] = tuple(other.name for other in same)
            sources = tuple(renamed.get(source, source) for source in layer.inputs)
            parameters = sum(other.parameters for other in same)
            kept.append(replace(layer, index=len(kept), inputs=sources, parameters=parameters))
        for number, layer in enumerate(graph.layers[at : at + length * times]):
            renamed[layer.name] = part[number % length].name
        at += length * times
    outputs = tuple(renamed.get(name, name) for name in graph.outputs)
    return Repeats(replace(graph, layers=tuple(kept), outputs=outputs), standing)


_Key = tuple[object, ...]


def _key(graph: Graph, layer: GraphLayer) -> _Key:
    """What equal layers have in common; the name of one that has no equal."""
    above = layer.inputs[0] if len(layer.inputs) == 1 else None
    chained = (
        above in graph.by_name and len(graph.consumers[above or ""]) == 1 and len(graph.consumers[layer.name]) == 1
    )
    in_line = chained and graph.layers[layer.index - 1].name == above
    if not in_line or layer.name in graph.outputs:
        return (layer.name,)
    return layer.text, layer.output_shape


def _repeated_at(graph: Graph, keys: Sequence[_Key], at: int) -> tuple[int, int]:
    """How long the part is that begins there and is repeated, and how often it stands there; of several the one that
    takes up most layers."""
    best = 1, 1
    for length in range(1, min(LONGEST, (len(keys) - at) // 2) + 1):
        part, times = keys[at : at + length], 1
        while keys[at + length * times : at + length * (times + 1)] == part:
            times += 1
        if times > 1 and length * times > best[0] * best[1] - (best == (1, 1)):
            best = length, times
    return best
