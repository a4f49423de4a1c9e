"""What a training will cost in memory and time, before it starts.

Memory follows from the network and the optimizer. Time depends on the machine, so it is a range: the constants below
were measured on processors from a small laptop's to a server's with 16 cores.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from dlspec.graphs import Graph, GraphLayer
from dlspec.layers.core import Output
from dlspec.layers.recurrent import Recurrent
from dlspec.plans import Plan, Samples, Stage
from dlspec.spec import Spec

BYTES = {"float64": 8, "float32": 4, "mixed_float16": 4, "mixed_bfloat16": 4, "float16": 2, "bfloat16": 2}
"""Of one weight, by the layer's `dtype`."""
TRAINING = 3
"""FLOPs of training in those of a forward pass: backward takes about twice as many."""


class Range(NamedTuple):
    """The least and the most, in seconds."""

    low: float
    high: float


START = Range(3, 25)
"""Loading TensorFlow, and compiling."""
STAGE = Range(0.5, 10)
"""Building and compiling a stage."""
STEP = Range(0.1e-3, 6e-3)
"""What a batch costs besides its FLOPs."""
TIMESTEP = Range(15e-6, 250e-6)
"""What a timestep of a recurrent layer costs, forward and backward, besides its FLOPs."""
FLOPS_A_SECOND = (400e9, 5e9)
"""At best and at worst."""


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
        return self.weights + self.gradients + self.optimizer + self.activations


def layer_memory(spec: Spec, layer: GraphLayer) -> Memory:
    """What fine-tuning takes for a layer; pretraining it takes less."""
    dtype = layer.layer.dtype or ("float32" if isinstance(layer.layer, Output) else spec.runtime.precision)
    weights = layer.parameters * BYTES[dtype]
    trained = weights * layer.layer.trainable
    computed = 2 if "16" in dtype else BYTES[dtype]
    return Memory(
        weights,
        trained,
        trained * spec.train.optimizer.state_per_weight,
        layer.activations * spec.train.batch_size * computed,
    )


def training_memory(spec: Spec, graph: Graph) -> Memory:
    """What fine-tuning takes for all layers."""
    each = [layer_memory(spec, layer) for layer in graph.layers]
    return Memory(*(sum(getattr(memory, key.name) for memory in each) for key in fields(Memory)))


def training_time(plan: Plan) -> Range | None:
    """From start to end on a processor, when no stage ends early; None when it is not known how many samples there
    are."""
    if plan.samples is None:
        return None
    low, high = START
    for stage in plan.stages:
        work = work_of(plan, stage, count_of(stage, plan.samples))
        low += STAGE.low + work.steps * (STEP.low + work.timesteps * TIMESTEP.low) + work.flops / FLOPS_A_SECOND[0]
        high += STAGE.high + work.steps * (STEP.high + work.timesteps * TIMESTEP.high) + work.flops / FLOPS_A_SECOND[1]
    return Range(low, high)


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


def count_of(stage: Stage, samples: Samples) -> int:
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
