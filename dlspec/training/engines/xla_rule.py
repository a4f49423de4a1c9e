"""Which stages are compiled by XLA: where that saves more time than it takes. No Keras.

The rule looks at the layers and at how much there is to do, and never at a clock: a choice that was measured could come
out otherwise the next time, and with it the last digits of the weights. The figures were measured on two cores of a
server, see `docs/design/0014-engine.md`.
"""

from __future__ import annotations

from typing import NamedTuple

from dlspec.model.graph import GraphLayer
from dlspec.model.layers.activations import Activating
from dlspec.model.layers.attention import Attending
from dlspec.model.layers.base import LayerSpec, Merging
from dlspec.model.layers.core import Embedding
from dlspec.model.layers.learned import Table
from dlspec.model.layers.operations import Operating
from dlspec.model.layers.recurrent import Recurrent
from dlspec.model.layers.regularization import Dropout
from dlspec.model.layers.sampling import Sampling
from dlspec.model.layers.wrappers import Wrapper
from dlspec.runtime.section import RuntimeSpec
from dlspec.training.estimates import count_of, work_of
from dlspec.training.plan import Plan, Stage

FASTER = (
    "dense", "output", "flatten", "reshape", "permute", "repeat_vector", "identity", "rescaling",
    "lstm", "gru", "simple_rnn", "layer_normalization", "batch_normalization", "rms_normalization",
    "unit_normalization", "group_normalization", "global_average_pooling1d", "global_max_pooling1d",
    "average_pooling1d", "zero_padding1d", "up_sampling1d", "masking", "embedding",
    "multi_head_attention", "group_query_attention", "attention",
)  # fmt: skip
"""Layers, besides activations, merges, operations and learned tables, that take less time once they are compiled;
convolutions take many times as long, and so does what is random, unless it is drawn before."""
COMPILING, COMPILING_LOOP, COMPILING_ATTENTION = 0.6, 0.6, 0.5
"""Seconds that it takes, and for each recurrent layer and each attention more."""
A_LAYER, A_TIMESTEP = 26e-6, 25e-6
"""Seconds that a step saves for each layer with weights, and for each timestep of a recurrent layer."""
A_FLOP = 2e-12
"""Seconds that are saved for each floating-point operation."""
A_LOOKED_UP = 1.5e-9
"""Seconds that a step saves for each weight that is looked up: its gradient is mostly zeros."""


class Way(NamedTuple):
    """How the steps of a stage are made.

    Args:
        why: in words, as the end of a sentence.
    """

    compiled: bool
    why: str


def way_of(runtime: RuntimeSpec, plan: Plan, stage: Stage, samples: int) -> Way:
    """Whether a stage over so many samples is compiled, on a processor."""
    if runtime.distribute is not None:
        return Way(False, "several devices run it")
    if runtime.xla != "auto":
        return Way(runtime.xla == "on", f"as `xla: {runtime.xla}` says")
    if runtime.precision != "float32":
        return Way(False, f"`{runtime.precision}` would not be faster")
    work = work_of(plan, stage, samples)
    slower = next((layer for layer in work.layers if not _is_faster(layer, stage)), None)
    if slower is not None:
        return Way(False, f"`{slower.layer.type_name}` would not be faster")
    weighted = sum(layer.layer.has_weights for layer in work.layers)
    loops = sum(isinstance(part, Recurrent) for layer in work.layers for part in _parts(layer.layer))
    attentions = sum(isinstance(layer.layer, Attending) for layer in work.layers)
    looked_up = sum(layer.parameters for layer in work.layers if isinstance(layer.layer, Embedding))
    a_step = A_LAYER * weighted + A_TIMESTEP * work.timesteps + A_LOOKED_UP * looked_up
    saved = work.steps * a_step + A_FLOP * work.flops
    if saved < COMPILING + COMPILING_LOOP * loops + COMPILING_ATTENTION * attentions:
        return Way(False, "which would take longer than it saves")
    return Way(True, f"which saves about {saved:.0f} s on a processor")


def ways(runtime: RuntimeSpec, plan: Plan) -> dict[str, Way]:
    """Stage -> how it is run, where it is known how many samples there are."""
    if plan.samples is None:
        return {}
    return {stage.name: way_of(runtime, plan, stage, count_of(stage, plan.samples)) for stage in plan.stages}


def _parts(layer: LayerSpec) -> list[LayerSpec]:
    """The layer, or those that it wraps."""
    if not isinstance(layer, Wrapper):
        return [layer]
    backward = getattr(layer, "backward_layer", None)
    return [layer.layer, backward] if backward is not None else [layer.layer]


def _is_faster(layer: GraphLayer, stage: Stage) -> bool:
    if isinstance(layer.layer, Dropout | Sampling) and stage.kind == "fine_tune":  # drawn before, see `masks`
        known = layer.output_shape is not None and None not in layer.output_shape[1:]
        return known and layer.shares is None and getattr(layer.layer, "noise_shape", None) is None
    return all(map(_part_is_faster, _parts(layer.layer)))


def _part_is_faster(layer: LayerSpec) -> bool:
    if isinstance(layer, Recurrent | Attending):  # what these drop is drawn within
        random = any(getattr(layer, key, 0) for key in ("dropout", "recurrent_dropout"))
        return layer.type_name in FASTER and not random and not getattr(layer, "unroll", False)
    plain = isinstance(layer, Activating | Merging | Operating | Table) and not isinstance(layer, Sampling)
    return layer.type_name in FASTER or plain
