"""The layers that read a sequence learn to tell what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.model.layers.core import Embedding
from dlspec.model.layers.recurrent import Recurrent
from dlspec.model.layers.sight import Sight
from dlspec.pretraining.base import PRETRAINING, NetworkMethod, Refusal
from dlspec.training.plan import StagePlace, StageTask

if TYPE_CHECKING:
    from dlspec.model.graph import Graph, GraphLayer


@PRETRAINING.register
class NextStep(NetworkMethod):
    """Trains the layers that read a sequence to tell at each timestep what the next one is, from those up to it alone
    (Dai and Le, 2015).

    From the input up, these are all layers at whose timesteps nothing is seen that comes later, up to a recurrent layer
    that returns only its last output, which returns every timestep here. A linear layer above them, which is thrown
    away, gives the next timestep: of numbers x the loss of a sample is the mean of (x[t+1] - z[t])^2 over timesteps and
    features, of words the mean of -log p(x[t+1] | x[1], ..., x[t]) over its words.
    """

    takes_words = True
    passes = 1.5
    examples: ClassVar = [{"method": "next_step", "epochs": 5}]

    def network(self, graph: Graph) -> list[GraphLayer]:
        return _reading(graph)[0]

    def refuses_network(self, graph: Graph) -> Refusal | None:
        from dlspec.model.masks import masks_of

        layers, end = _reading(graph)
        shape = graph.input_shape or ()
        first = graph[graph.consumers[graph.inputs[0].name][0]] if graph.consumers[graph.inputs[0].name] else None
        words = first is not None and isinstance(first.layer, Embedding)
        if len(shape) != (2 if words else 3):
            return Refusal("`next_step` is of sequences, timesteps of numbers or of words, and the network sees others")
        if (shape[1] or 0) < 2:
            return Refusal("`next_step` tells a timestep from those before it, and there is only one")
        makers = [graph[name] for name in masks_of(graph).makers.values()]
        maker = next((layer for layer in makers if not isinstance(layer.layer, Embedding)), None)
        if maker is not None:
            return Refusal(f"`next_step` does not heed which timesteps `{maker.name}` masks in this version")
        ends = end.output_shape if end is not None else None
        if end is not None and ends is not None and len(ends) > 2 and ends[1] == shape[1]:
            message = f"`{end.name}` sees later timesteps, which `next_step` is to tell"
            return Refusal(message, help=end.layer.cure_of_sight())
        if not any(layer.layer.has_weights and not isinstance(layer.layer, Embedding) for layer in layers):
            where = f"; `{end.name}` is the first that does not" if end is not None else ""
            said = f"no layers with weights, one above the other, read the timesteps without seeing later ones{where}"
            return Refusal(said, help=end.layer.cure_of_sight() if end is not None and end.layer.has_weights else None)
        return None

    def ends_in(self, graph: Graph) -> tuple[int | None, ...] | None:
        layers = self.network(graph)
        if not layers or layers[-1].output_shape is None or graph.input_shape is None:
            return None
        return (None, graph.input_shape[1], layers[-1].output_shape[-1])

    def refuses(self, place: StagePlace) -> Refusal | None:
        return None

    def encoder(self, network: Any, names: tuple[str, ...], below: str) -> list[Any]:
        return [network.get_layer(name) for name in names]  # one above the other

    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        from dlspec.pretraining._next_step import NextStepModel

        words = isinstance(place.code[0], Embedding)
        model = NextStepModel(
            encoder, encoder[0].input_dim if words else place.known_shape[-1], words, place.code_shape
        )
        model.build(place.known_shape)
        model.compile(optimizer=self.optimizer.over(task.steps))
        return model


def _reading(graph: Graph) -> tuple[list[GraphLayer], GraphLayer | None]:
    """The layers, one above the other, at whose timesteps nothing is seen that comes later; and the one that ends them
    because it is none of these."""
    found: list[GraphLayer] = []
    at, output = graph.inputs[0].name, graph.output_layer
    while len(graph.consumers[at]) == 1:
        layer = graph[graph.consumers[at][0]]
        if output is None or layer.name == output.name or layer.name in graph.outputs or layer.mirrors:
            return found, None
        if len(layer.inputs) != 1 or layer.input_shape is None or layer.output_shape is None or layer.shares:
            return found, layer
        kind = layer.layer
        if isinstance(kind, Recurrent) and not kind.return_sequences and not kind.go_backwards:
            return [*found, layer], None
        seen = kind.sight([Sight()], [layer.input_shape])
        if seen is None or seen.axis != 1 or seen.ahead > 0 or layer.output_shape[1:2] != layer.input_shape[1:2]:
            return found, layer
        found.append(layer)
        at = layer.name
    return found, None
