"""Which layers of a network let a timestep see others that come later. No Keras."""

from __future__ import annotations

from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.base import Merging
from dlspec.model.layers.sight import NEVER, Sight
from dlspec.model.section import Broken


def looks_ahead(graph: Graph, timed: str | None = None) -> GraphLayer | None:
    """The first layer by which something that comes out at a timestep depends on later timesteps of the input.

    Time is the first axis behind the batch, of every input and of the output. None: each timestep sees itself and those
    before it alone, or nothing is known because of a mistake. What a layer does along time it says by `sight`; of one
    that does not say it, a layer of a plugin perhaps, it is taken that it looks ahead.

    Args:
        timed: the only input that has timesteps; None: all of them do. What depends on others alone may be seen by all.
    """
    seen: dict[str, Sight] = {
        given.name: Sight() if timed in (None, given.name) else Sight(ahead=NEVER) for given in graph.inputs
    }
    ahead: list[GraphLayer] = []
    for layer in graph.layers:
        if layer.name not in graph.reached:
            continue
        shapes = [shape for shape in layer.input_shapes if shape is not None]
        if len(shapes) < len(layer.input_shapes) or layer.output_shape is None or isinstance(layer.layer, Broken):
            return None
        given = [seen[name] for name in layer.inputs]
        if all(each.ahead == NEVER for each in given):
            seen[layer.name] = Sight(ahead=NEVER)
            continue
        if isinstance(layer.layer, Merging):  # what depends on no timestep may be merged with any
            most = max(len(shape) for each, shape in zip(given, shapes, strict=True) if each.ahead != NEVER)
            both = [each for each in zip(given, shapes, strict=True) if each[0].ahead != NEVER or len(each[1]) > most]
            given, shapes = [each for each, _ in both], [shape for _, shape in both]
        found = layer.layer.sight(given, shapes)
        if found is None:
            return layer
        if found.ahead > max(each.ahead for each in given):
            ahead.append(layer)
        seen[layer.name] = found
    for output in graph.outputs:
        if seen[output].ahead > 0:
            leading = graph.needed_by([output])
            return next(layer for layer in ahead if layer.name in leading)
        if seen[output].axis != 1 and seen[output].ahead != NEVER:
            return graph[output]
    return None
