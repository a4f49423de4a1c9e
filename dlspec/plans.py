"""Spec and Graph -> Plan: what will be trained in which order, as data that one can print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dlspec.graphs import Graph, GraphLayer
from dlspec.spec import Spec

FINE_TUNE = "fine_tune"


@dataclass(frozen=True)
class Stage:
    """One training: of a single layer, or of the whole network.

    Args:
        name: `pretrain:lstm_1` or `fine_tune`, as in `history.csv`.
        layer: the layer that is pretrained; None in fine-tuning.
        encoder: names of the layers that make its code: the layer itself and activations behind it.
        unit_interval: the layer's input lies in [0, 1], so that reconstruction may be a probability.
    """

    name: str
    kind: Literal["pretrain", "fine_tune"]
    epochs: int
    batch_size: int
    layer: GraphLayer | None = None
    encoder: tuple[str, ...] = ()
    unit_interval: bool = False


@dataclass(frozen=True)
class Plan:
    """The stages in order."""

    graph: Graph
    stages: tuple[Stage, ...]
    frozen: tuple[str, ...] = ()
    """Layers that fine-tuning leaves as pretraining made them."""

    @property
    def pretraining(self) -> tuple[Stage, ...]:
        return self.stages[:-1]


def make_plan(spec: Spec, graph: Graph) -> Plan:
    """Pretraining from the lowest layer up, then fine-tuning."""
    stages: list[Stage] = []
    method = spec.pretrain
    layers = method.chosen(graph) if method else []
    for layer in layers:
        assert method is not None, "layers are pretrained by a method"
        stages.append(
            Stage(
                f"pretrain:{layer.name}",
                "pretrain",
                method.epochs,
                method.batch_size,
                layer,
                _encoder(graph, layer),
                _in_unit_interval(spec, graph, layer),
            )
        )
    stages.append(Stage(FINE_TUNE, "fine_tune", spec.train.epochs, spec.train.batch_size))
    frozen = method is not None and method.then == "freeze"
    return Plan(graph, tuple(stages), tuple(name for stage in stages for name in stage.encoder) if frozen else ())


def _encoder(graph: Graph, layer: GraphLayer) -> tuple[str, ...]:
    """The layer, and behind it those that belong to its code, as long as nothing else takes what is between."""
    names, consumers = [layer.name], graph.consumers
    while len(consumers[names[-1]]) == 1:
        above = graph[consumers[names[-1]][0]]
        if not above.layer.follows_code or above.name in graph.outputs:
            break
        names.append(above.name)
    return tuple(names)


def _in_unit_interval(spec: Spec, graph: Graph, layer: GraphLayer) -> bool:
    """Whether what the layer sees lies in [0, 1] by construction."""
    inside = {given.name: spec.data.scale == "min_max" for given in graph.inputs}
    for below in graph.layers[: layer.index]:
        inside[below.name] = below.layer.in_unit_interval(all(inside.get(source, False) for source in below.inputs))
    return all(inside.get(source, False) for source in layer.inputs)
