"""What the stages of pretraining show of themselves: reconstructions, activations, samples that they dream up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlspec.data.arrays import chosen
from dlspec.data.features.text import FittedSequence
from dlspec.data.preparation import Part, Prepared
from dlspec.model.graph import Graph
from dlspec.training.plan import Plan, Stage
from dlspec.training.values import as_array, predict

Array = np.ndarray

SAMPLES = 10
"""How many samples a row of pictures shows."""
SHOWN = 100
"""Samples that a method of the whole network is shown on."""
LOOKED_AT = 1000
"""Samples that activations are counted over."""
BINS = 40
GIBBS = (0, 10, 100, 1000)
"""After so many steps of Gibbs sampling a deep belief net is shown."""


def keep_stages(
    arrays: dict[str, Array], data: Prepared, plan: Plan, network: Any, stage_models: Sequence[Any]
) -> None:
    """Everything that is seen of the stages before the whole network is trained.

    `reconstructed:<stage>` are samples led up to the code of a stage and down again through the decoders;
    `activations:<layer>` counts how often units take which value, between `activation_edges:<layer>`;
    `units:<layer>` holds how many there are, how many of them are dead, and their mean activation; `explained:<layer>`
    is the share of the variance of what the layer sees that its reconstruction gives back; `dreams:<steps>` are samples
    that Gibbs sampling in the topmost machine has made. `shown:<stage>:<what>` is what a method of the whole network
    shows of some samples.
    """
    held_out = data.validation if len(data.validation) else data.train
    for i, (stage, model) in enumerate(zip(plan.pretraining, stage_models, strict=True)):
        changed = any({*stage.encoder} & {*later.encoder} for later in plan.pretraining[i + 1 :])
        if hasattr(model, "shows") and not changed:  # else it is no longer what this stage left
            for key, values in model.shows(some_inputs(held_out, SHOWN)).items():
                arrays[f"shown:{stage.name}:{key}"] = _in_words(data, values) if key == "words" else values
    of_layer = {
        stage.layer.index: (stage, model)  # of several stages the last, which left the layer as it is
        for stage, model in zip(plan.pretraining, stage_models, strict=True)
        if stage.layer
    }
    stages = [of_layer[index] for index in sorted(of_layer)]
    stack = stack_of(plan.graph, stages)
    if stack:
        _keep_reconstructions(arrays, held_out, network, stack)
        _keep_dreams(arrays, held_out, network, stack)
    for stage, model in stages:
        _keep_activations(arrays, held_out, network, stage, model)


def stack_of(graph: Graph, stages: Sequence[tuple[Stage, Any]]) -> list[tuple[Stage, Any]]:
    """The stages from the input up, each of which sees the code of the one below it, and can lead back from its own."""
    found: list[tuple[Stage, Any]] = []
    for stage, model in stages:
        layer = stage.layer
        if layer is None or not hasattr(model, "decode"):
            break
        sees = [graph.origin(name) for name in layer.inputs]
        below = graph.origin(found[-1][0].encoder[-1]) if found else graph.inputs[0].name
        if sees != [below] or len(graph.inputs) > 1:
            break
        found.append((stage, model))
    return found


def _keep_reconstructions(
    arrays: dict[str, Array], part: Part, network: Any, stack: Sequence[tuple[Stage, Any]]
) -> None:
    originals = some_inputs(part)
    arrays["originals"] = originals.reshape(len(originals), -1)
    for depth, (stage, model) in enumerate(stack):
        values = model.reconstruct(_seen(network, stage, originals))
        arrays[f"reconstructed:{stage.name}"] = led_down(stack[:depth], values)


def _keep_dreams(arrays: dict[str, Array], part: Part, network: Any, stack: Sequence[tuple[Stage, Any]]) -> None:
    """Of restricted Boltzmann machines one on the other: a deep belief net (Hinton et al., 2006)."""
    if not all(hasattr(model, "gibbs") for _, model in stack):
        return
    top, model = stack[-1]
    v = _seen(network, top, some_inputs(part))
    done = 0
    for steps in GIBBS:
        if steps:
            v, shown = model.gibbs(v, steps - done)
        else:
            shown = v
        arrays[f"dreams:{steps}"] = led_down(stack[:-1], shown)
        done = steps


def _keep_activations(arrays: dict[str, Array], part: Part, network: Any, stage: Stage, model: Any) -> None:
    assert stage.layer is not None, "a pretraining stage has a layer"
    seen = _seen(network, stage, part.inputs[:LOOKED_AT])
    code = as_array(model.encode(seen, training=False))
    values = code.reshape(-1, code.shape[-1])  # a feature map, or a timestep, is a unit at many places
    counts, edges = np.histogram(values, BINS)
    spread = values.std(axis=0)
    dead = spread < max(1e-6, 0.01 * float(spread.mean()))
    name = stage.layer.name
    arrays[f"activations:{name}"], arrays[f"activation_edges:{name}"] = counts, edges
    if hasattr(model, "reconstruct"):
        arrays[f"explained:{name}"] = np.array(_explained(seen, as_array(model.reconstruct(seen))))
    arrays[f"units:{name}"] = np.array([values.shape[1], int(dead.sum()), float(values.mean())])


def _explained(seen: Array, given_back: Array) -> float:
    """1 of a perfect reconstruction, 0 of one that gives back the mean of all samples whatever comes."""
    spread = float(((seen - seen.mean(axis=0)) ** 2).sum(dtype="float64"))
    errors = float(((seen - given_back.reshape(seen.shape)) ** 2).sum(dtype="float64"))
    return 1 - errors / spread if spread else 1.0


def _in_words(data: Prepared, numbers: Array) -> Array:
    """The words of texts, of which the network sees the numbers; empty where a text has ended."""
    fitted = next(column for column in data.preprocessing.columns if isinstance(column, FittedSequence))
    return np.array(["", "\ufffd", *fitted.vocabulary])[numbers]


def some_inputs(part: Part, most: int = SAMPLES) -> Array:
    """Inputs of a few samples, from first to last."""
    return np.asarray(chosen(part.inputs, np.linspace(0, len(part) - 1, min(most, len(part))).astype(int)))


def _seen(network: Any, stage: Stage, inputs: Array) -> Array:
    """What the layer of a stage sees."""
    import keras

    assert stage.layer is not None, "a pretraining stage has a layer"
    return predict(keras.Model(network.inputs, network.get_layer(stage.layer.name).input), inputs)


def led_down(stack: Sequence[tuple[Stage, Any]], values: Any) -> Array:
    """Through the decoders of the stages down to the input: (samples, values)."""
    for stage, model in reversed(stack):
        assert stage.place is not None, "a pretraining stage has a place"
        values = model.decode(as_array(values).reshape(-1, *stage.place.code_shape[1:]))
    return as_array(values).reshape(len(values), -1)
