"""What a training will cost in memory and operations, before it starts: it follows from the network and the optimizer.

How long that takes depends on the machine; see `speed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from dlspec.language.quantities import show_bytes
from dlspec.language.shapes import count
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.core import Output
from dlspec.model.layers.recurrent import Recurrent
from dlspec.training.plan import Plan, SampleCounts, Stage
from dlspec.training.section import TrainingSettings

BYTES = {"float64": 8, "float32": 4, "mixed_float16": 4, "mixed_bfloat16": 4, "float16": 2, "bfloat16": 2}
"""Of one weight, by the layer's `dtype`."""
TRAINING = 3
"""FLOPs of training in those of a forward pass: backward takes about twice as many."""


@dataclass(frozen=True)
class Memory:
    """Bytes that training takes, by what they hold.

    Args:
        weights: of the network; what the saved model takes.
        gradients: of the weights that are trained.
        optimizer: its running averages.
        activations: of one batch, kept until training comes back through the layers.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        return self.of_weights + self.activations

    @property
    def of_weights(self) -> int:
        """What does not depend on the batch."""
        return self.weights + self.gradients + self.optimizer

    def with_batch(self, samples: int, instead_of: int) -> Memory:
        """The same with a batch of another size."""
        return replace(self, activations=self.activations // instead_of * samples)


def layer_memory(settings: TrainingSettings, layer: GraphLayer) -> Memory:
    """What fine-tuning takes for a layer; pretraining it takes less."""
    dtype = layer.layer.dtype or ("float32" if isinstance(layer.layer, Output) else settings.runtime.precision)
    weights = layer.parameters * BYTES[dtype]
    thaws = layer.may_learn and settings.train.thaw_after is not None
    trained = weights * (layer.layer.trainable or thaws)
    computed = 2 if "16" in dtype else BYTES[dtype]
    return Memory(
        weights,
        trained,
        trained * settings.train.optimizer.state_per_weight,
        layer.activations * settings.train.batch_size * computed,
    )


def training_memory(settings: TrainingSettings, graph: Graph) -> Memory:
    """What fine-tuning takes for all layers."""
    return _together([layer_memory(settings, layer) for layer in graph.layers])


def _together(each: Sequence[Memory]) -> Memory:
    return Memory(*(sum(getattr(memory, key.name) for memory in each) for key in fields(Memory)))


def stage_memory(settings: TrainingSettings, graph: Graph, stage: Stage, batch_size: int) -> dict[str, Memory]:
    """Layer -> what a stage takes for it with batches of so many samples. A layer that is pretrained takes its input,
    and what decodes it, besides."""
    if stage.method is None:
        layers, passes, optimizer = graph.layers, 1.0, settings.train.optimizer
    else:
        layers, passes = tuple(graph[name] for name in stage.encoder), stage.method.passes
        optimizer = stage.method.optimizer
    found = {}
    for layer in layers:
        one = layer_memory(settings, layer).with_batch(batch_size, settings.train.batch_size)
        state = one.gradients * optimizer.state_per_weight
        shape = layer.input_shape if stage.method else None
        seen = 4 * batch_size * count(shape) if shape else 0
        sizes = (one.weights, one.gradients, state, one.activations + seen)
        found[layer.name] = Memory(*(round(passes * size) for size in sizes))
    return found


def smaller_batch(stage: Stage, found: Fit) -> str:
    """What to write so that a stage fits, as help of a diagnostic."""
    if found.largest_batch:
        return f"write `batch_size: {found.largest_batch}` {stage.set_in}, which fits by estimate"
    takes = f"`{found.largest_layer}` takes {show_bytes(found.of_largest_layer)} with a batch of one"
    if found.of_weights <= found.free:
        return f"make layers smaller: {takes}"
    return (
        f"make layers smaller: weights, gradients and the optimizer's averages take {show_bytes(found.of_weights)} "
        f"whatever the batch; {takes}"
    )


@dataclass(frozen=True)
class Fit:
    """How much of what is free a stage takes by estimate.

    Args:
        batch_size: of the stage, as it is.
        needed: bytes that it takes with this batch.
        free: bytes that there are for it.
        largest_batch: the largest power of two that fits, at most half of the batch; 0 where there is none.
        of_weights: bytes that it takes whatever the batch.
        largest_layer: the name of the layer that takes most where no batch fits.
        of_largest_layer: how much that is.
    """

    batch_size: int
    needed: int
    free: int
    largest_batch: int
    of_weights: int
    largest_layer: str
    of_largest_layer: int


def fit(
    settings: TrainingSettings, graph: Graph, stage: Stage, batch_size: int, free: int, *, begun: bool = False
) -> Fit:
    """What batch of a stage fits in the memory that is free.

    Args:
        begun: the stage is under way, and its weights and their running averages are in memory already.
    """
    layers = stage_memory(settings, graph, stage, batch_size)
    memory = _together([*layers.values()])
    free += memory.weights + memory.optimizer if begun else 0
    for_one = memory.activations / batch_size
    room = free - memory.of_weights
    samples = min(int(room // max(for_one, 1)), batch_size // 2)
    single = {name: own.with_batch(1, batch_size).total for name, own in layers.items()}
    largest = max(single, key=lambda name: single[name])
    return Fit(
        batch_size,
        memory.total,
        free,
        2 ** (samples.bit_length() - 1) if samples > 0 else 0,
        memory.of_weights,
        largest,
        single[largest],
    )


class Work(NamedTuple):
    """What a stage does, when it does not end early.

    Args:
        layers: those that a step goes through.
        steps: weight updates in all epochs.
        timesteps: of a step, those of all recurrent layers.
        flops: floating-point operations in all.
    """

    layers: tuple[GraphLayer, ...]
    steps: int
    timesteps: float
    flops: float


def count_of(stage: Stage, samples: SampleCounts) -> int:
    """How many samples an epoch of a stage has."""
    return samples.unlabeled if stage.method and not stage.method.needs_labels else samples.labelled


def work_of(plan: Plan, stage: Stage, samples: int) -> Work:
    """What a stage does with so many samples."""
    passes = stage.method.passes if stage.method else 1.0  # what is encoded is decoded again
    layers = tuple(plan.graph[name] for name in stage.encoder) if stage.method else plan.graph.layers
    flops = TRAINING * passes * sum(layer.flops for layer in layers) * samples * stage.epochs
    timesteps = passes * sum(_timesteps(layer) for layer in layers)
    return Work(layers, stage.epochs * -(-samples // stage.batch_size), timesteps, flops)


def _timesteps(layer: GraphLayer) -> int:
    inner = getattr(layer.layer, "layer", layer.layer)
    if not isinstance(inner, Recurrent) or layer.input_shape is None or len(layer.input_shape) < 2:
        return 0
    return layer.input_shape[1] or 1
