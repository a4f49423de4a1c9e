"""Pictures of a network while it is trained: of its plane, its filters, what it gives back, forecasts, masks, text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dlspec.data.arrays import chosen
from dlspec.data.language import joined
from dlspec.data.preparation import Part, Prepared
from dlspec.evaluation.pictures.filters import filters_of, is_picture, without_channel
from dlspec.evaluation.pictures.language import prompt_of
from dlspec.evaluation.pictures.places import at_places
from dlspec.evaluation.pictures.planes import directions_of, grid_over, hidden_ends, is_plane, lattice
from dlspec.evaluation.pictures.stages import BINS, SAMPLES, led_down, stack_of
from dlspec.evaluation.writing import written
from dlspec.model.graph import GraphLayer
from dlspec.model.layers.core import Dense
from dlspec.model.states import output_of
from dlspec.training.picture import Picture
from dlspec.training.plan import Plan, Stage
from dlspec.training.values import as_array

Array = np.ndarray
SHARE = 0.08
"""Of the time of the training so far that pictures may take; measured from outside it is a tenth, since they also push
out of the caches what training needs next."""
FIRST = 0.01
"""Seconds that the first picture of a stage is taken to need."""
GRID = 48
"""Places along each axis of a plane; for the response of a unit every second one."""
POINTS, MOST_UNITS, MOST_LAYERS, MOST_FILTERS, MOST_VALUES = 240, 16, 6, 64, 784
"""Samples in a plane, units of a layer, layers, filters, and values of a sample that is no picture, at most."""
SEEN, FORECASTS, MASKS = 128, 300, 4
"""Samples of activations, of forecasts, and of masks."""
WRITES = {"characters": 80, "words": 20}
"""Tokens that a network writes."""
NETWORK = ""
"""Stands for the network itself among names of layers."""
NO_CLASS = 255
"""In a mask: a place that does not count."""

Fields = dict[str, Any]


class TrainingPictures:
    """Takes pictures as training goes on, which all together take at most a tenth of its time.

    Samples are of the held-out part, or of the training part where nothing is held out; never of the test part. What
    it asks of the network is asked as in use, so that nothing random is drawn and no averages move.

    Fields of each kind, where arrays are (samples, ...):

    - `plane`: `classes`, `probabilities` (rows, columns, classes), `points`, `truth`, `bent`, `units`, `connections`;
    - `filters`: `filters`, (filters, rows, columns) or with three colors behind;
    - `reconstructions`: `originals` and `reconstructions`;
    - `activations`: `counts`, `edges`, `units`, `dead`, `mean`;
    - `forecasts`: `name`, `truth`, `forecast`, `rows`, `ordered`;
    - `masks`: `seen`, `truth`, `guess`, `classes`;
    - `text`: `texts`.

    Args:
        network: that is trained, whose layers the stages of pretraining train, too.
        tell: is given each picture.
        note: is told why there are no more, where one fails: no training ends because of a picture.
    """

    def __init__(
        self,
        data: Prepared,
        plan: Plan,
        network: Any,
        tell: Callable[[Picture], None],
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.data, self.plan, self.network, self.tell, self.note = data, plan, network, tell, note
        self._failed = False
        self.graph = plan.graph
        self.held_out = data.validation if len(data.validation) else data.train
        self._models: Sequence[Any] = ()
        self._began = self._spent = 0.0
        self._last = FIRST
        self._views: dict[tuple[str, ...], Any] = {}
        self._frames: dict[str, Array] = {}

    def stage_begins(self, stage: Stage, models: Sequence[Any]) -> None:
        self._models = list(models)
        self._began = self._began or time.perf_counter()
        self._last = FIRST
        self._frames = {}

    def epoch_ends(self, stage: Stage, epoch: int) -> None:
        if self._failed:
            return
        began = time.perf_counter()
        kept_back = 1 if epoch == stage.epochs else 2  # so that the last epoch has its picture
        if self._spent + kept_back * self._last > SHARE * (began - self._began - self._spent):
            return
        try:
            for picture in self._taken(stage, epoch):
                self.tell(picture)
        except Exception as error:
            self._failed = True
            self.note(f"no more pictures are taken: {type(error).__name__}: {error}")
        self._last = time.perf_counter() - began
        self._spent += self._last

    def _taken(self, stage: Stage, epoch: int) -> Iterator[Picture]:
        if stage.kind == "pretrain":
            yield from self._of_pretraining(stage, epoch)
            return
        found = filters_of(self.data, self.graph, self.network)
        if found is not None:
            yield self._filters(stage, epoch, *found)
        if is_plane(self.data) and not self.data.outputs:
            yield self._plane(stage, epoch)
            return
        guessed = None if self.data.outputs else self._guessed()
        if guessed is not None:
            kind, title, fields = guessed
            yield Picture(kind, stage.name, epoch, title, None, {}, fields)
        yield from self._activations(stage, epoch)

    def _filters(self, stage: Stage, epoch: int, layer: Any, weights: Array) -> Picture:
        shown = weights[:MOST_FILTERS]
        return Picture("filters", stage.name, epoch, f"Filters of {layer.name}", layer.name, {}, {"filters": shown})

    def _view(self, *names: str) -> Any:
        """A model from the inputs of the network to the outputs of some layers; `NETWORK`: to its own."""
        import keras

        if names not in self._views:
            network = self.network
            outputs = [network.output if name == NETWORK else output_of(network.get_layer(name)) for name in names]
            self._views[names] = keras.Model(self.network.inputs, outputs)
        return self._views[names]

    def _outputs(self, inputs: Array, *names: str) -> list[Array]:
        """What some layers put out in use."""
        found = self._view(*names)([inputs], training=False)
        return [_floats(each) for each in (found if isinstance(found, list) else [found])]

    def _guesses(self, part: Part) -> Array:
        """What the network puts out for a part."""
        return self._outputs(np.asarray(part.inputs), NETWORK)[0]

    # pretraining

    def _of_pretraining(self, stage: Stage, epoch: int) -> Iterator[Picture]:
        layer, model = stage.layer, self._models[-1] if self._models else None
        if layer is None or model is None:
            return
        found = filters_of(self.data, self.graph, self.network)
        if found is not None and found[0].name == layer.name:
            yield self._filters(stage, epoch, *found)
        below = self.network.get_layer(layer.name).input
        seen = self._below(below, _some(self.held_out, SEEN).inputs)
        yield self._activation(stage, epoch, layer.name, _floats(model.encode(seen, training=False)))
        if hasattr(model, "reconstruct"):
            yield from self._given_back(stage, epoch, layer, model, below)

    def _below(self, tensor: Any, inputs: Array) -> Any:
        import keras

        key = ("below", str(id(tensor)))
        if key not in self._views:
            self._views[key] = keras.Model(self.network.inputs, tensor)
        return self._views[key]([inputs], training=False)

    def _given_back(self, stage: Stage, epoch: int, layer: GraphLayer, model: Any, below: Any) -> Iterator[Picture]:
        """Samples and what the layers trained so far give back of them, led down to the input where that can be."""
        stages = [(own, built) for own, built in zip(self.plan.pretraining, self._models, strict=False) if own.layer]
        stack = stack_of(self.graph, stages)
        some = _some(self.held_out, SAMPLES)
        seen = self._below(below, some.inputs)
        values = model.reconstruct(seen)
        originals = _floats(seen)
        if stack and stack[-1][1] is model:
            values, originals = led_down(stack[:-1], values), np.asarray(some.inputs, "float32")
        fields = _side_by_side(originals, _floats(values))
        if fields is not None:
            title = f"Samples, and what {stage.name} gives back"
            yield Picture("reconstructions", stage.name, epoch, title, layer.name, {}, fields)

    # the whole network

    def _activations(self, stage: Stage, epoch: int) -> Iterator[Picture]:
        places = hidden_ends(self.graph)
        if not places:
            return
        some = [
            places[i] for i in np.unique(np.linspace(0, len(places) - 1, min(MOST_LAYERS, len(places))).astype(int))
        ]
        found = self._outputs(_some(self.held_out, SEEN).inputs, *(ends_in for _, ends_in in some))
        for (layer, _), values in zip(some, found, strict=True):
            yield self._activation(stage, epoch, layer.name, values)

    def _activation(self, stage: Stage, epoch: int, layer: str, code: Array) -> Picture:
        values = code.reshape(-1, code.shape[-1])
        counts, edges = np.histogram(values, BINS)
        spread = values.std(axis=0)
        fields: Fields = {
            "counts": counts.tolist(),
            "edges": [round(float(edge), 5) for edge in edges],
            "units": values.shape[1],
            "dead": int((spread < max(1e-6, 0.01 * float(spread.mean()))).sum()),
            "mean": float(values.mean()),
        }
        return Picture("activations", stage.name, epoch, f"Activations of {layer}", layer, {}, fields)

    def _guessed(self) -> tuple[str, str, Fields] | None:
        """What the network makes of samples: kind, title and fields; None: that cannot be drawn."""
        target, data = self.data.signature.target, self.data
        if target.tokens:
            return "text", "What the network writes", self._text()
        if target.kind == "input":
            some = _some(self.held_out, SAMPLES)
            values = self._guesses(some)
            fields = _side_by_side(np.asarray(some.inputs, "float32"), values)
            return None if fields is None else ("reconstructions", "Samples, and what the network gives back", fields)
        if target.kind == "class" and len(target.places) == 2 and data.signature.window is None:
            fields = self._masks()
            return None if fields is None else ("masks", "Masks that the network draws", fields)
        if target.kind == "number" and not target.places and not target.mixture:
            return "forecasts", f"Forecasts of {target.names[0]}", self._forecasts()
        return None

    def _text(self) -> Fields:
        target = self.data.signature.target
        assert target.tokens is not None, "tokens are predicted"
        prompt = prompt_of(target, self.held_out)
        tokens = written(self.network, prompt, WRITES[target.tokens], [0.5])[0]
        both = [joined([target.classes[int(each)] for each in own], target.tokens) for own in (prompt, tokens)]
        return {"texts": [joined(both, target.tokens)]}

    def _masks(self) -> Fields | None:
        some, target = _some(self.held_out, MASKS), self.data.signature.target
        shares = self._guesses(some).reshape(len(some), *target.places, -1)
        found = at_places(self.data.signature, some, {"network": self.data.to_units(shares, some)})
        if "places:seen" not in found or found["places:seen"].ndim > 4 or len(target.classes) >= NO_CLASS:
            return None
        truth = np.where(found["places:truth"] < 0, NO_CLASS, found["places:truth"]).astype("uint8")
        guess = found["places:network"].astype("uint8")
        seen = without_channel(found["places:seen"])
        return {"seen": seen, "truth": truth, "guess": guess, "classes": list(target.classes)}

    def _forecasts(self) -> Fields:
        series = self.data.signature.task == "series"
        order = np.argsort(np.asarray(self.held_out.rows), kind="stable")
        some = self.held_out.at(order[-FORECASTS:] if series else order[:: -(-len(order) // FORECASTS)])
        target = self.data.signature.target
        guesses = self.data.to_units(self._guesses(some), some)
        if target.levels:  # the middle one
            guesses = guesses[..., len(target.levels) // 2]
        truth = np.asarray(some.truth, "float64")
        first = truth if truth.ndim == 1 else truth.reshape(len(truth), -1)[:, 0]
        forecast = np.asarray(guesses, "float64").reshape(len(some), -1)[:, 0]
        rows = np.asarray(some.rows).reshape(len(some), -1)[:, 0]
        return {
            "name": target.names[0],
            "truth": first,
            "forecast": forecast,
            "rows": [int(row) for row in rows],
            "ordered": series,
        }

    def _plane(self, stage: Stage, epoch: int) -> Picture:
        """The plane of two inputs: what the network says where, where layers move it, and how each unit responds."""
        data, graph = self.data, self.graph
        axes, grid = grid_over(np.asarray(data.train.inputs), GRID)
        lines, some = lattice(axes, points=40), _some(self.held_out, POINTS)
        ends = [(layer, ends_in) for layer, ends_in in hidden_ends(graph) if len(layer.output_shape or ()) == 2]
        ends = ends[:MOST_LAYERS]
        names = [*(ends_in for _, ends_in in ends), NETWORK]
        every = np.concatenate([grid, lines.reshape(-1, 2), np.asarray(some.inputs)]).astype("float32")
        *hidden, outputs = self._outputs(every, *names)
        on_lines, on_points = (
            slice(len(grid), len(grid) + lines[..., 0].size),
            slice(len(grid) + lines[..., 0].size, None),
        )
        bent, units = [], []
        for (layer, ends_in), values in zip(ends, hidden, strict=True):
            seen = values[on_points]
            origin, directions, threshold = directions_of(seen, graph, self.network, ends_in)
            moved = (values[on_lines] - origin) @ directions, (seen - origin) @ directions
            moved = self._aligned(layer.name, *moved, keeps_first=threshold is not None)
            shape = lines.shape
            bent.append(
                {"layer": layer.name, "lines": moved[0].reshape(shape), "points": moved[1], "threshold": threshold}
            )
            responses = values[: len(grid), :MOST_UNITS].T.reshape(-1, GRID, GRID)[:, ::2, ::2]
            units.append({"layer": layer.name, "responses": responses})
        back = data.preprocessing.inputs.back(np.stack([grid[0], grid[-1]]))
        columns = [column.name for column in data.signature.features]
        columns = columns if len(columns) == 2 else [f"{columns[0]}[{place}]" for place in (0, 1)]
        found = {
            name: {"name": column, "low": float(back[0, place]), "high": float(back[1, place])}
            for place, (name, column) in enumerate(zip("xy", columns, strict=True))
        }
        shares = data.to_units(outputs[: len(grid)], some)
        fields: Fields = {
            "classes": list(data.signature.target.classes),
            "probabilities": shares.reshape(GRID, GRID, -1),
            "points": np.asarray(data.preprocessing.inputs.back(np.asarray(some.inputs))),
            "truth": [int(label) for label in some.truth],
            "bent": bent,
            "units": units,
            "connections": self._connections(),
        }
        return Picture("plane", stage.name, epoch, "The plane of the inputs, and how it is bent", None, found, fields)

    def _aligned(self, layer: str, lines: Array, points: Array, *, keeps_first: bool) -> tuple[Array, Array]:
        """The same, turned or mirrored so that points are as near as possible to where they were in the last frame
        (orthogonal Procrustes; Schönemann, 1966).

        Args:
            keeps_first: whether the first axis stays, so that the second can be mirrored alone.
        """
        last = self._frames.get(layer)
        if last is not None:
            turn = np.eye(2)
            if keeps_first:
                turn[1, 1] = 1.0 if float(points[:, 1] @ last[:, 1]) >= 0 else -1.0
            else:
                left, _, right = np.linalg.svd(points.T @ last)
                turn = left @ right
            lines, points = lines @ turn, points @ turn
        self._frames[layer] = points
        return lines, points

    def _connections(self) -> list[Mapping[str, Any]]:
        """Weights of the small dense layers."""
        found: list[Mapping[str, Any]] = []
        for layer in self.graph.layers:
            if not isinstance(layer.layer, Dense):
                continue
            own = self.network.get_layer(layer.name)
            kernel = _floats(own.kernel)
            if kernel.ndim == 2 and max(kernel.shape) <= MOST_UNITS:
                bias = _floats(own.bias) if own.use_bias else np.zeros(kernel.shape[1], "float32")
                inputs = [self.graph.origin(name) for name in layer.inputs]
                found.append({"layer": layer.name, "inputs": inputs, "kernel": kernel, "bias": bias})
        return found


def _floats(tensor: Any) -> Array:
    return as_array(tensor).astype("float32")


def _some(part: Part, count: int) -> Part:
    """Samples from first to last."""
    some = np.linspace(0, len(part) - 1, min(count, len(part))).astype(int)
    found = part.at(some)
    return Part(
        np.asarray(chosen(part.inputs, some)), found.targets, found.raw, found.truth, found.rows, found.last,
        found.at_places, found.weights,
    )  # fmt: skip


def _side_by_side(originals: Array, given_back: Array) -> Fields | None:
    """Samples as pictures where they are some, else as rows of values; None: they have too many."""
    given_back = given_back.reshape(originals.shape)
    if is_picture(originals.shape[1:]):
        originals, given_back = without_channel(originals), without_channel(given_back)
    else:
        originals, given_back = (each.reshape(len(each), -1) for each in (originals, given_back))
        if originals.shape[1] > MOST_VALUES:
            return None
    return {"originals": originals, "reconstructions": given_back}
