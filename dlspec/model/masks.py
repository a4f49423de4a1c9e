"""Which layers of a network put out a mask, and over which axes. No Keras.

A mask says of each place of the first axes behind the batch whether it is there or only fills the sample up: of a
sequence (batch, timesteps, features) it is (batch, timesteps). `masking` and `embedding: {mask_zero: true}` make one;
each layer says with `LayerSpec.masked_axes` what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dlspec.language.shapes import ShapeError
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.base import MaskError


@dataclass(frozen=True)
class MaskProblem:
    """A layer that cannot take the mask of its input.

    Args:
        maker: the layer that made the mask.
    """

    layer: GraphLayer
    maker: GraphLayer
    error: MaskError


@dataclass(frozen=True)
class Masks:
    """The masks of a network.

    Args:
        covered: layer or input -> how many axes behind the batch a mask covers in what comes out; 0: there is none.
        makers: layer -> the layer that made its mask; layers without a mask are left out.
    """

    covered: Mapping[str, int]
    makers: Mapping[str, str]
    problems: tuple[MaskProblem, ...] = ()
    dropped: tuple[tuple[GraphLayer, GraphLayer], ...] = ()
    """Layers that neither hand a mask on nor look at it, each with the layer that made the mask."""

    def axes(self, name: str) -> tuple[int, ...]:
        """The axes that the mask of a layer or input covers, the batch being 0: `(1,)` for timesteps; empty without a
        mask."""
        return tuple(range(1, self.covered.get(name, 0) + 1))

    def __contains__(self, name: str) -> bool:
        """Whether a mask comes out of a layer or input."""
        return self.covered.get(name, 0) > 0


def masks_of(graph: Graph) -> Masks:
    """What becomes of masks from the inputs up; behind a layer that cannot take one, there is none."""
    covered = {given.name: 0 for given in graph.inputs}
    makers: dict[str, str] = {}
    problems: list[MaskProblem] = []
    dropped: list[tuple[GraphLayer, GraphLayer]] = []
    for layer in graph.layers:
        masked = [covered.get(source, 0) for source in layer.inputs]
        covered[layer.name] = 0
        least, most = layer.layer.takes
        if not least <= len(layer.inputs) <= (most or len(layer.inputs)):  # which has been said
            continue
        maker = next((makers[source] for source in layer.inputs if source in makers), layer.name)
        try:
            covered[layer.name] = layer.layer.masked_axes(masked, layer.input_shapes)
            known = type(layer.layer).__module__.startswith("dlspec.")  # of a plugin nobody knows what it does
            heeded = covered[layer.name] or layer.layer.heeds_mask or not known
            if any(masked) and not heeded and None not in layer.input_shapes:
                dropped.append((layer, graph[maker]))
        except MaskError as error:
            problems.append(MaskProblem(layer, graph[maker], error))
        except ShapeError:  # which has been said
            pass
        if covered[layer.name]:
            makers[layer.name] = maker
    return Masks(covered, makers, tuple(problems), tuple(dropped))
