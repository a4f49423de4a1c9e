"""How the layers bend a plane of two inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.data.preparation import Prepared
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.states import output_of
from dlspec.training.values import as_array, predict

Array = np.ndarray

GRID = 160
"""Points along each axis of the plane."""


def keep_plane(arrays: dict[str, Array], data: Prepared, graph: Graph, network: Any) -> None:
    """The plane of the inputs, cut into a grid, and where each hidden layer moves points and grid lines."""
    import keras

    points, steps = data.train.inputs, data.preprocessing
    axes, grid = grid_over(points, GRID)
    probabilities = data.to_units(predict(network, grid), data.test)
    arrays["plane:axes"] = np.stack([steps.inputs.back(grid)[:GRID, 0], steps.inputs.back(grid)[::GRID, 1]])
    arrays["plane:probabilities"] = probabilities.reshape(GRID, GRID, -1)
    for name in ("train", "test"):
        part = getattr(data, name)
        arrays[f"plane:{name}"] = np.asarray(part.raw)
        arrays[f"plane:{name}_classes"] = part.truth
    lines = lattice(axes)
    arrays["plane:lines"] = steps.inputs.back(lines.reshape(-1, 2)).reshape(lines.shape)
    for layer, ends_in in hidden_ends(graph):
        view = keras.Model(network.inputs, output_of(network.get_layer(ends_in)))
        seen, bent = predict(view, points), predict(view, lines.reshape(-1, 2))
        if seen.ndim != 2:
            continue
        origin, directions, threshold = directions_of(seen, graph, network, ends_in)
        if threshold is not None:
            arrays[f"bent:{layer.name}:threshold"] = np.array(threshold)
        arrays[f"bent:{layer.name}:points"] = (seen - origin) @ directions
        arrays[f"bent:{layer.name}:lines"] = ((bent - origin) @ directions).reshape(lines.shape)


def is_plane(data: Prepared) -> bool:
    """Whether classes are told apart by two numbers."""
    encoded = data.preprocessing.columns and len(data.signature.features) == 1  # a word is no place
    return data.train.inputs.shape[1:] == (2,) and data.signature.target.kind == "class" and not encoded


def grid_over(points: Array, count: int) -> tuple[list[Array], Array]:
    """A grid over points and a little around them: the places along both axes, and (count * count, 2), row by row."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * (high - low) + (high == low)
    axes = [np.linspace(a, b, count, dtype="float32") for a, b in zip(low - margin, high + margin, strict=True)]
    return axes, np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)


def hidden_ends(graph: Graph) -> list[tuple[GraphLayer, str]]:
    """Each hidden layer with weights, and the layer by which its activation is done, which may be itself."""
    found = []
    for layer in graph.hidden:
        above = [graph[name] for name in graph.consumers[layer.name]]
        activated = len(above) == 1 and above[0].layer.follows_code and not above[0].layer.weighted
        found.append((layer, above[0].name if activated else layer.name))
    return found


def directions_of(seen: Array, graph: Graph, network: Any, ends_in: str) -> tuple[Array, Array, float | None]:
    """The plane in which values of a layer are drawn, (samples, features): its origin and its directions, (features,
    2); and, below an output that draws one line, where on the first axis that stands."""
    origin, last = seen.mean(axis=0), graph[graph.outputs[0]]
    boundary = None
    if [graph.origin(name) for name in last.inputs] == [ends_in]:
        boundary = boundary_of(network.get_layer(last.name))
    if boundary is None:
        return origin, principal(seen), None
    return origin, *across_boundary(seen, origin, *boundary)


def lattice(axes: list[Array], count: int = 13, points: int = 60) -> Array:
    """Straight lines across the plane, both ways: (2 x count, points, 2)."""
    (x0, x1), (y0, y1) = ((axis[0], axis[-1]) for axis in axes)
    along, places = np.linspace(0, 1, points), np.linspace(0, 1, count)
    upright = [np.stack([np.full(points, x0 + p * (x1 - x0)), y0 + along * (y1 - y0)], 1) for p in places]
    level = [np.stack([x0 + along * (x1 - x0), np.full(points, y0 + p * (y1 - y0))], 1) for p in places]
    return np.array([*upright, *level], "float32")


def principal(values: Array) -> Array:
    """The two directions of largest variance, (features, 2)."""
    if values.shape[1] == 1:
        return np.array([[1.0, 0.0]])
    _, _, directions = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return directions[:2].T if len(directions) > 1 else np.hstack([directions.T, np.zeros_like(directions.T)])


def boundary_of(output: Any) -> tuple[Array, float] | None:
    """Weights and bias of an output of one unit, or of a softmax of two, which draws one straight line."""
    if not hasattr(output, "kernel"):
        return None
    kernel = as_array(output.kernel)
    if kernel.shape[1] > 2:
        return None
    biases = as_array(output.bias) if output.use_bias else np.zeros(kernel.shape[1])
    if kernel.shape[1] == 2:  # both are as likely where their sums are equal
        return kernel[:, 1] - kernel[:, 0], float(biases[1] - biases[0])
    return kernel[:, 0], float(biases[0])


def across_boundary(seen: Array, origin: Array, weights: Array, bias: float) -> tuple[Array, float]:
    """Axes of which the first crosses the output's line at a right angle, and where on it the line stands."""
    length = float(np.linalg.norm(weights)) or 1.0
    first = weights / length
    rest = (seen - origin) - ((seen - origin) @ first)[:, None] * first
    second = principal(rest)[:, 0]
    threshold = -(bias + float(origin @ weights)) / length
    return np.stack([first, second], axis=1), threshold
