"""Which layers of a network let a timestep see others that come later. No Keras."""

from __future__ import annotations

from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.sight import Sight
from dlspec.model.section import Broken


def looks_ahead(graph: Graph) -> GraphLayer | None:
    """The first layer by which something that comes out at a timestep depends on later timesteps of the input.

    Time is the first axis behind the batch, of every input and of the output. None: each timestep sees itself and those
    before it alone, or nothing is known because of a mistake. What a layer does along time it says by `sight`; of one
    that does not say it, a layer of a plugin perhaps, it is taken that it looks ahead.
    """
    seen: dict[str, Sight] = {given.name: Sight() for given in graph.inputs}
    ahead: list[GraphLayer] = []
    for layer in graph.layers:
        if layer.name not in graph.reached:
            continue
        shapes = [shape for shape in layer.input_shapes if shape is not None]
        if len(shapes) < len(layer.input_shapes) or layer.output_shape is None or isinstance(layer.layer, Broken):
            return None
        found = layer.layer.sight([seen[name] for name in layer.inputs], shapes)
        if found is None:
            return layer
        if found.ahead > max(seen[name].ahead for name in layer.inputs):
            ahead.append(layer)
        seen[layer.name] = found
    for output in graph.outputs:
        if seen[output].ahead > 0:
            leading = graph.needed_by([output])
            return next(layer for layer in ahead if layer.name in leading)
        if seen[output].axis != 1:
            return graph[output]
    return None
