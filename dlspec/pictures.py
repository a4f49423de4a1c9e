"""What the report shows of a network: arrays taken from it between and after the stages.

`Pictures` collects them by name; the run folder keeps them as `pictures.npz`, so that a report is drawn
without loading Keras.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.graphs import Graph, GraphLayer
from dlspec.layers.core import Dense
from dlspec.plans import Plan, Stage
from dlspec.preparation import Prepared
from dlspec.training import as_array, predict

Array = np.ndarray

SAMPLES = 10
"""How many samples a row of pictures shows."""
GRID = 160
"""Points along each axis of the plane."""


class Pictures:
    """Collects arrays for the report; an `Observer` of training."""

    def __init__(self, data: Prepared, graph: Graph) -> None:
        self.data = data
        self.graph = graph
        self.arrays: dict[str, Array] = {}

    def after_pretraining(self, plan: Plan, network: Any, stage_models: list[Any]) -> None:
        """Held-out samples beside what each depth of the pretrained stack gives back, and first-layer filters."""
        held_out = self.data.validation if len(self.data.validation) else self.data.train
        chosen = np.linspace(0, len(held_out) - 1, min(SAMPLES, len(held_out))).astype(int)
        originals = held_out.inputs[chosen]
        stages = plan.pretraining
        if stages and stages[0].layer and _sees_everything(self.graph, stages[0].layer):
            self.arrays["originals"] = originals.reshape(len(originals), -1)
            for depth, (stage, model) in enumerate(zip(stages, stage_models, strict=True)):
                if depth and not _fit_together(self.graph, stages[depth - 1], stage):
                    break
                values = predict(model, predict(_sub_model(network, stage.layer), originals))
                for lower in reversed(stage_models[:depth]):
                    values = as_array(lower.decode(lower.code(values)))
                self.arrays[f"reconstructed:{stage.name}"] = values.reshape(len(values), -1)
        self._keep_filters(network, "pretrained")

    def after_training(self, network: Any) -> None:
        """Everything that is seen of the finished network."""
        self._keep_filters(network, "final")
        if self.data.train.inputs.shape[1:] == (2,) and self.data.signature.target.kind == "class":
            self._keep_plane(network)
        if self.data.signature.task == "series":
            self._keep_series()
        if self.data.test.raw.ndim == 3 and self.data.signature.target.kind == "class":
            self._keep_wrong(network)

    def _keep_series(self) -> None:
        """The whole series of the target, and the rows where a new part begins."""
        data = self.data
        values = np.asarray(data.columns[data.signature.target.name], "float64")
        times = np.arange(len(values)) if data.times is None else data.times
        dated = times.dtype.kind == "M"
        self.arrays["series:times"] = times.astype("datetime64[us]").astype("int64") if dated else times
        self.arrays["series:dated"] = np.array(dated)
        self.arrays["series:values"] = values
        self.arrays["series:ends"] = np.array(data.ends)

    def _keep_wrong(self, network: Any) -> None:
        """Test pictures that were taken for something else, the surest mistakes first."""
        test = self.data.test
        shares = self.data.to_units(predict(network, test.inputs), test)
        guessed = shares.argmax(axis=1)
        wrong = np.flatnonzero(guessed != test.truth)
        wrong = wrong[np.argsort(-shares[wrong, guessed[wrong]], kind="stable")][: 2 * SAMPLES]
        labels = np.array(self.data.signature.target.classes)
        self.arrays["wrong:pictures"] = test.raw[wrong]
        self.arrays["wrong:truth"] = labels[test.truth[wrong]]
        self.arrays["wrong:guessed"] = labels[guessed[wrong]]

    def _keep_filters(self, network: Any, when: str) -> None:
        """Weights of the first dense layer, when it looks at a picture: (units, height, width)."""
        first = next((layer for layer in self.graph.layers if layer.layer.has_weights), None)
        shape = self.data.train.inputs.shape[1:]
        if first and isinstance(first.layer, Dense) and len(shape) == 2 and _sees_everything(self.graph, first):
            kernel = as_array(network.get_layer(first.name).kernel)
            if len(kernel) == shape[0] * shape[1]:
                self.arrays[f"filters:{when}"] = kernel.T.reshape(-1, *shape)

    def _keep_plane(self, network: Any) -> None:
        """The plane of the inputs, cut into a grid, and where each hidden layer moves points and grid lines."""
        import keras

        points, steps = self.data.train.inputs, self.data.preprocessing
        low, high = points.min(axis=0), points.max(axis=0)
        margin = 0.08 * (high - low) + (high == low)
        axes = [np.linspace(a, b, GRID, dtype="float32") for a, b in zip(low - margin, high + margin, strict=True)]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        probabilities = self.data.to_units(predict(network, grid), self.data.test)
        self.arrays["plane:axes"] = np.stack([steps.inputs.back(grid)[:GRID, 0], steps.inputs.back(grid)[::GRID, 1]])
        self.arrays["plane:probabilities"] = probabilities.reshape(GRID, GRID, -1)
        for name in ("train", "test"):
            part = getattr(self.data, name)
            self.arrays[f"plane:{name}"] = part.raw
            self.arrays[f"plane:{name}_classes"] = part.truth
        lines, last = _lattice(axes), self.graph[self.graph.outputs[0]]
        self.arrays["plane:lines"] = steps.inputs.back(lines.reshape(-1, 2)).reshape(lines.shape)
        for layer in self.graph.hidden:
            above = [self.graph[name] for name in self.graph.consumers[layer.name]]
            activated = len(above) == 1 and above[0].layer.follows_code and not above[0].layer.weighted
            ends_in = above[0].name if activated else layer.name
            view = keras.Model(network.inputs, network.get_layer(ends_in).output)
            seen, bent = predict(view, points), predict(view, lines.reshape(-1, 2))
            if seen.ndim != 2:
                continue
            origin, directions = seen.mean(axis=0), _principal(seen)
            boundary = None
            if [self.graph.origin(name) for name in last.inputs] == [ends_in]:
                boundary = _boundary(network.get_layer(last.name))
            if boundary is not None:
                directions, threshold = _across_boundary(seen, origin, *boundary)
                self.arrays[f"bent:{layer.name}:threshold"] = np.array(threshold)
            self.arrays[f"bent:{layer.name}:points"] = (seen - origin) @ directions
            self.arrays[f"bent:{layer.name}:lines"] = ((bent - origin) @ directions).reshape(lines.shape)


def _lattice(axes: list[Array], count: int = 13, points: int = 60) -> Array:
    """Straight lines across the plane, both ways: (2 x count, points, 2)."""
    (x0, x1), (y0, y1) = ((axis[0], axis[-1]) for axis in axes)
    along, places = np.linspace(0, 1, points), np.linspace(0, 1, count)
    upright = [np.stack([np.full(points, x0 + p * (x1 - x0)), y0 + along * (y1 - y0)], 1) for p in places]
    level = [np.stack([x0 + along * (x1 - x0), np.full(points, y0 + p * (y1 - y0))], 1) for p in places]
    return np.array([*upright, *level], "float32")


def _principal(values: Array) -> Array:
    """The two directions of largest variance, (features, 2)."""
    if values.shape[1] == 1:
        return np.array([[1.0, 0.0]])
    _, _, directions = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return directions[:2].T if len(directions) > 1 else np.hstack([directions.T, np.zeros_like(directions.T)])


def _boundary(output: Any) -> tuple[Array, float] | None:
    """Weights and bias of an output of one unit, which draws one straight line."""
    if not hasattr(output, "kernel"):
        return None
    kernel = as_array(output.kernel)
    if kernel.shape[1] != 1:
        return None
    bias = float(as_array(output.bias)[0]) if output.use_bias else 0.0
    return kernel[:, 0], bias


def _across_boundary(seen: Array, origin: Array, weights: Array, bias: float) -> tuple[Array, float]:
    """Axes of which the first crosses the output's line at a right angle, and where on it the line stands."""
    length = float(np.linalg.norm(weights)) or 1.0
    first = weights / length
    rest = (seen - origin) - ((seen - origin) @ first)[:, None] * first
    second = _principal(rest)[:, 0]
    threshold = -(bias + float(origin @ weights)) / length
    return np.stack([first, second], axis=1), threshold


def _sees_everything(graph: Graph, layer: GraphLayer) -> bool:
    """Whether the layer takes all that goes into the network as it is, at most in another shape."""
    return len(graph.inputs) == 1 and [graph.origin(name) for name in layer.inputs] == [graph.inputs[0].name]


def _fit_together(graph: Graph, lower: Stage, upper: Stage) -> bool:
    """Whether the upper stage sees the code of the lower one as it is."""
    assert upper.layer is not None, "a pretraining stage has a layer"
    return [graph.origin(name) for name in upper.layer.inputs] == [graph.origin(lower.encoder[-1])]


def _sub_model(network: Any, layer: GraphLayer | None) -> Any:
    import keras

    assert layer is not None, "a pretraining stage has a layer"
    return keras.Model(network.inputs, network.get_layer(layer.name).input)
