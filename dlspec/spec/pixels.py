"""Whether what reaches a network of `keras.applications` are pixels from 0 to 255, as far as the data say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlspec.data.preparation import Prepared
from dlspec.data.signature import NetworkInput
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.preprocessing import Rescaling
from dlspec.spec.spec import Spec

LOOKED_AT = 256
"""Samples of the training part, spread evenly over it."""
DARK = 100.0
"""Pictures of which no pixel is brighter are no photographs."""
KEEP_VALUES = (
    "reshape", "permute", "resizing", "center_crop", "zero_padding2d", "cropping2d", "up_sampling2d", "max_pooling2d",
    "average_pooling2d", "identity",
)  # fmt: skip
"""Layers behind which values lie between the same ends; so they do behind those that change pictures at random."""


def check_pixels(spec: Spec, graph: Graph, data: Prepared) -> Iterator[Diagnostic]:
    """What is wrong with the values that networks of `keras.applications` get; nothing where layers above learn."""
    if spec.model.application is None:
        return
    for first in _firsts(graph):
        above = _layers_above(graph, first)
        if above is None:
            continue
        origin = above[0].inputs[0] if above else first.inputs[0]
        low, high = _ends(data, above, next(given for given in graph.inputs if given.name == origin))
        if low == high or (low >= 0 and DARK < high <= 255):
            continue
        name = first.borrowed.network if first.borrowed else first.name
        yield Diagnostic(
            "not-pixels",
            f"what reaches `{name}` lies from {_short(low)} to {_short(high)}, and it takes pixels from 0 to 255",
            spec.key_span(*first.path, first.type_name),
            Severity.ERROR if low >= -1 and high <= 1 else Severity.WARNING,
            help=_cure(low, high, above),
        )


def _short(value: float) -> str:
    return f"{round(value, 3):g}"


def _cure(low: float, high: float, above: list[GraphLayer]) -> str:
    scaled = next((layer for layer in above if isinstance(layer.layer, Rescaling)), None)
    if scaled is not None:
        return f"remove `{scaled.name}`, or write another `scale` in it"
    if low < 0 or high > 255:
        low, high = (-1, 1) if low >= -1 and 0.5 < high <= 1 else (low, high)
        scale = 255 / (high - low)
        return f"put `rescaling: {{scale: {scale:.6g}, offset: {-low * scale + 0.0:.6g}}}` above it"
    return f"put `rescaling: {255 / (1 if 0.5 < high <= 1 else high):.6g}` above it"


def _firsts(graph: Graph) -> Iterator[GraphLayer]:
    """The first layer of each network that takes pixels."""
    seen = set()
    for layer in graph.layers:
        if layer.borrowed is not None and layer.written.takes_pixels and layer.borrowed.network not in seen:
            seen.add(layer.borrowed.network)
            yield layer


def _layers_above(graph: Graph, first: GraphLayer) -> list[GraphLayer] | None:
    """From the input down to a layer; None where values are not known behind one of them."""
    found: list[GraphLayer] = []
    name = first.inputs[0]
    while name in graph.by_name:
        layer = graph[name]
        keeps = layer.type_name in KEEP_VALUES or layer.type_name.startswith("random_")
        if len(layer.inputs) != 1 or not (keeps or isinstance(layer.layer, Rescaling)):
            return None
        found.append(layer)
        name = layer.inputs[0]
    return found[::-1]


def _ends(data: Prepared, above: list[GraphLayer], given: NetworkInput) -> tuple[float, float]:
    """The smallest and the largest value that comes out of these layers, above an input."""
    count = len(data.train)
    values = np.asarray(data.train.inputs[np.linspace(0, count - 1, min(count, LOOKED_AT)).astype(int)])
    values = values if given.columns is None else values[..., list(given.columns)]
    low, high = float(values.min()), float(values.max())
    for layer in above:
        if isinstance(layer.layer, Rescaling):
            scale, offset = np.broadcast_arrays(np.atleast_1d(layer.layer.scale), np.atleast_1d(layer.layer.offset))
            ends = np.concatenate([scale * low + offset, scale * high + offset])
            low, high = float(ends.min()), float(ends.max())
    return low, high
