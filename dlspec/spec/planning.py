"""Spec and Graph -> Plan: the stages of pretraining, then fine-tuning, with their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlspec.data.datasets import Description
from dlspec.model.graph import Graph, GraphLayer
from dlspec.pretraining.base import NetworkMethod
from dlspec.pretraining.section import Entry
from dlspec.spec.spec import Spec
from dlspec.training.callbacks.standard import ReduceLROnPlateau
from dlspec.training.plan import FINE_TUNE, FROZEN, THAWING, Plan, SampleCounts, Stage, StagePlace, code_of


def make_plan(
    spec: Spec, graph: Graph, samples: SampleCounts | None = None, taken: Sequence[Sequence[str]] = ()
) -> Plan:
    """Pretraining entry by entry, each from the lowest layer up, then fine-tuning.

    Args:
        samples: as many as there are to train with; None: that is not known.
        taken: the layers of each entry that another run has, which its `from` names; they need no stage there.
    """
    stages: list[Stage] = []
    codes: dict[str, tuple[str, ...]] = {}
    taken_from: dict[str, tuple[str, ...]] = {}
    for i, entry in enumerate(spec.pretraining):
        if entry.method.of_network:
            stage = _stage_of_network(spec, graph, entry, stages)
            if stage is not None:
                stages.append(stage)
                codes |= {name: (name,) for name in stage.encoder if graph[name].layer.has_weights}
            continue
        of_run = tuple(taken[i]) if i < len(taken) else ()
        chosen = entry.method.chosen(graph)
        if of_run:
            source = str(entry.method.from_)
            taken_from[source] = (*taken_from.get(source, ()), *of_run)
        codes |= {layer.name: code_of(graph, layer) for layer in chosen}
        places = place_layers(spec, graph, chosen)
        for layer in chosen:
            if layer.name not in of_run:
                own, name = entry.method.of_layer(layer.name), stage_name(layer.name, stages)
                code, place = codes[layer.name], places[layer.name]
                stages.append(
                    Stage(name, "pretrain", own.epochs, own.batch_size, layer, code, place, own, set_at=entry.path)
                )
    frozen = _held(spec, graph)
    if spec.then == "freeze":
        thaw_after = spec.pretraining[-1].method.thaw_after
        frozen.append((tuple(name for code in codes.values() for name in code), thaw_after))
    stages += _fine_tuning(spec, frozen)
    return Plan(graph, tuple(stages), samples, taken_from)


def stage_name(of: str, before: Sequence[Stage]) -> str:
    """`pretrain:h1`; where stages of that layer come before it, `pretrain:h1:2` and so on."""
    name = f"pretrain:{of}"
    others = sum(stage.name == name or stage.name.startswith(f"{name}:") for stage in before)
    return f"{name}:{others + 1}" if others else name


def place_of_network(spec: Spec, graph: Graph, method: NetworkMethod) -> StagePlace | None:
    """The network that a method trains as the place of a stage; None where it has none."""
    layers, ends_in = (method.network(graph), method.ends_in(graph)) if len(graph.inputs) == 1 else ([], None)
    if not layers or ends_in is None:
        return None
    first = next((layer.layer for layer in layers if layer.layer.axes or layer.layer.has_weights), None)
    in_time = spec.data.window is not None or (first is not None and "timesteps" in (first.axes or ()))
    parts = tuple(layer.layer for layer in layers)
    return StagePlace(parts, graph.input_shape, spec.data.inside(), True, ends_in, in_time)


def _stage_of_network(spec: Spec, graph: Graph, entry: Entry, before: Sequence[Stage]) -> Stage | None:
    output, method = graph.output_layer, entry.method
    assert isinstance(method, NetworkMethod), "it trains a network"
    place = place_of_network(spec, graph, method)
    if place is None or output is None:
        return None
    names = tuple(layer.name for layer in method.network(graph))
    name = stage_name(method.type_name, before)
    sizes = method.epochs, method.batch_size
    return Stage(name, "pretrain", *sizes, None, names, place, method, set_at=entry.path, below=output.name)


def without_pretraining(plan: Plan, spec: Spec) -> Plan:
    """The same network, trained from its random start; what others have trained stays as they left it."""
    return replace(plan, stages=tuple(_fine_tuning(spec, _held(spec, plan.graph))), taken_from={})


Frozen = tuple[tuple[str, ...], int | None]
"""Names of layers, and the epoch of training after which they learn, too; None: never."""


def _held(spec: Spec, graph: Graph) -> list[Frozen]:
    """The layers of networks that others have trained, as far as the spec freezes them."""
    names = tuple(layer.name for layer in graph.layers if layer.borrowed and layer.borrowed.held)
    return [(names, spec.train.thaw_after)] if names else []


def _fine_tuning(spec: Spec, frozen: Sequence[Frozen] = ()) -> list[Stage]:
    """Training of the whole network, a stage up to each epoch after which layers thaw, and one to the end."""
    epochs = spec.train.epochs
    ends = sorted({after for _, after in frozen if after is not None and after < epochs} | {epochs})
    names = [FINE_TUNE] if len(ends) == 1 else [FROZEN, *[THAWING] * (len(ends) - 2), FINE_TUNE]
    stages, begin = [], 0
    for name, end in zip(names, ends, strict=True):
        kept = tuple(name for group, after in frozen if after is None or after > begin for name in group)
        stages.append(Stage(name, "fine_tune", end - begin, spec.train.batch_size, frozen=kept))
        begin = end
    return stages


def place_layers(spec: Spec, graph: Graph, layers: Sequence[GraphLayer]) -> dict[str, StagePlace]:
    """Where in the network each layer stands."""
    inside = graph.inside(spec.data.inside())
    inputs = {given.name for given in graph.inputs}
    return {
        layer.name: StagePlace(
            tuple(graph[name].layer for name in code_of(graph, layer)),
            layer.input_shape,
            all(inside.get(source, False) for source in layer.inputs),
            all(graph.origin(source) in inputs for source in layer.inputs),
        )
        for layer in layers
    }


def count_samples(spec: Spec, description: Description) -> SampleCounts | None:
    """About how many samples there are to train with, where they are not read; None where nobody knows."""
    if description.rows is None:
        return None
    data, rows = spec.data, description.rows
    given, stride = (description.test_rows, description.validation_rows), 1
    if description.layout == "series" and data.window:
        rows, stride = rows - data.window.span(data.window.length) - data.window.reach + 1, data.window.stride
    rows = max(1, data.split.sizes(rows, *given)[0] // stride)
    if data.limit:
        rows = min(rows, data.limit)
    labelled = rows
    if data.labels is not None:
        labelled = round(data.labels * rows) if isinstance(data.labels, float) else min(rows, data.labels)
    return SampleCounts(max(1, labelled), rows)


def choice_by_validation(spec: Spec) -> str:
    """What is chosen by the validation part, in words that go on; empty where nothing is."""
    watched = "val_loss"
    rate = any(isinstance(x, ReduceLROnPlateau) and x.monitor == watched for x in spec.train.callbacks or ())
    found = []
    if spec.train.early_stopping and spec.train.early_stopping.monitor == watched:
        found.append("early stopping chooses the epoch")
    if rate:
        found.append("`reduce_lr_on_plateau` lowers the learning rate")
    stopping = [entry.method.early_stopping for entry in spec.pretraining]
    if not found and any(each is not None and each.monitor != "loss" for each in stopping):
        found.append("early stopping of pretraining chooses the epoch")
    return f"; {' and '.join(found)} by it" if found else ""
