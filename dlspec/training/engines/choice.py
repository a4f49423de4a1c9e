"""Which engine trains a stage, and how."""

from __future__ import annotations

from typing import Any

from dlspec.data.arrays import Samples
from dlspec.data.preparation import Prepared
from dlspec.runtime.backend import on_gpu
from dlspec.runtime.section import RuntimeSpec
from dlspec.training.engines.base import Engine, StepByStep
from dlspec.training.engines.xla_rule import way_of
from dlspec.training.estimates import count_of
from dlspec.training.plan import Plan, SampleCounts


def compiled_stages(runtime: RuntimeSpec, plan: Plan, data: Prepared) -> list[str]:
    """Names of the stages that are compiled by XLA here; the rule is about processors, and other backends have their
    own."""
    import keras

    if keras.backend.backend() != "tensorflow" or (runtime.xla == "auto" and on_gpu()):
        return []
    samples = SampleCounts(len(data.train), len(data.pretraining_inputs))
    return [stage.name for stage in plan.stages if way_of(runtime, plan, stage, count_of(stage, samples)).compiled]


def make_engine(
    model: Any,
    x: Samples,
    y: Samples | None,
    weights: Samples | None,
    batch_size: int,
    *,
    compiled: bool,
    one_at_a_time: bool = False,
) -> Engine:
    """The engine of the backend.

    Args:
        compiled: whether runs are compiled by XLA, where the backend is TensorFlow.
        one_at_a_time: whether runs are of a single step.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return StepByStep(model, x, y, weights, batch_size)
    from dlspec.training.engines.mirrored import MirroredEngine
    from dlspec.training.engines.tensorflow import LONGEST_RUN, TensorFlowEngine

    if model.distribute_strategy.num_replicas_in_sync > 1:
        return MirroredEngine(model, x, y, weights, batch_size)
    return TensorFlowEngine(model, x, y, weights, batch_size, compiled, 1 if one_at_a_time else LONGEST_RUN)
