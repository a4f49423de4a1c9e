"""What the first layer looks for in pictures, and samples as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlspec.data.preparation import Prepared
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.convolution import Conv2D
from dlspec.model.layers.core import Dense
from dlspec.training.values import as_array

Array = np.ndarray


def filters(data: Prepared, graph: Graph, network: Any, when: str) -> dict[str, Array]:
    """`filters:<when>`: weights of the first layer, where it looks at a picture."""
    found = filters_of(data, graph, network)
    return {} if found is None else {f"filters:{when}": found[1]}


def filters_of(data: Prepared, graph: Graph, network: Any) -> tuple[GraphLayer, Array] | None:
    """The first layer with its weights, (units, height, width), or (..., 3) of colors, where it looks at a picture."""
    first = next((layer for layer in graph.layers if layer.layer.has_weights), None)
    shape = data.train.inputs.shape[1:]
    if first is None or len(shape) not in (2, 3) or data.signature.window is not None:
        return None
    if [graph.origin(name) for name in first.inputs] != [graph.inputs[0].name]:
        return None
    if isinstance(first.layer, Dense):
        kernel = as_array(network.get_layer(first.name).kernel).T  # (units, values)
        return (first, _as_pictures(kernel.reshape(-1, *shape))) if kernel.shape[1] == np.prod(shape) else None
    if isinstance(first.layer, Conv2D) and not first.layer.channels_first:
        kernel = np.moveaxis(as_array(network.get_layer(first.name).kernel), -1, 0)  # (filters, rows, columns, …)
        return first, _as_pictures(kernel)
    return None


def _as_pictures(weights: Array) -> Array:
    """(units, rows, columns), the mean over channels where there are some."""
    return weights if weights.ndim == 3 else weights.mean(axis=-1)


def is_picture(shape: Sequence[int]) -> bool:
    """Whether a sample of this shape can be drawn: rows, columns, and one channel or three where there are some."""
    return len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, 3))


def without_channel(pictures: Array) -> Array:
    """Pictures of one channel as (samples, rows, columns), others as they are."""
    return pictures[..., 0] if pictures.ndim == 4 and pictures.shape[-1] == 1 else pictures
