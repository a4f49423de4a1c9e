"""Spec and Graph -> Plan: what will be trained in which order, as data that one can print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from dlspec.datasets import Description
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


class Samples(NamedTuple):
    """How many samples training sees in an epoch."""

    labelled: int
    unlabeled: int


@dataclass(frozen=True)
class Plan:
    """The stages in order."""

    graph: Graph
    stages: tuple[Stage, ...]
    frozen: tuple[str, ...] = ()
    """Layers that fine-tuning leaves as pretraining made them."""
    samples: Samples | None = None

    @property
    def pretraining(self) -> tuple[Stage, ...]:
        return self.stages[:-1]


def make_plan(spec: Spec, graph: Graph, description: Description | None = None) -> Plan:
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
    kept = tuple(name for stage in stages for name in stage.encoder) if frozen else ()
    return Plan(graph, tuple(stages), kept, count_samples(spec, description))


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


def count_samples(spec: Spec, description: Description | None) -> Samples | None:
    """About how many samples there are to train with; None when the number of rows is not known."""
    if description is None or description.rows is None:
        return None
    data, count = spec.data, description.rows
    if description.layout == "series" and data.window:
        count = count - data.window.length - data.window.horizon + 1
    count = max(1, round(count * (1 - data.split.validation - data.split.test)))
    if data.limit:
        count = min(count, data.limit)
    labelled = count
    if data.labels is not None:
        labelled = round(data.labels * count) if isinstance(data.labels, float) else min(count, data.labels)
    return Samples(max(1, labelled), count)
