"""The engines that there are, and which of them trains a stage."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.data.arrays import Samples
from dlspec.data.preparation import Prepared
from dlspec.runtime.backend import on_gpu
from dlspec.runtime.section import RuntimeSpec
from dlspec.training.engines.base import ENGINES, Engine, EngineKind, StepByStep, TrainingTask
from dlspec.training.engines.xla_rule import way_of
from dlspec.training.estimates import count_of
from dlspec.training.plan import Plan, SampleCounts


def compiled_stages(runtime: RuntimeSpec, plan: Plan, data: Prepared) -> list[str]:
    """Names of the stages that are compiled by XLA here; the rule is about processors, and other backends have their
    own."""
    import keras

    if keras.backend.backend() != "tensorflow" or (runtime.xla == "auto" and on_gpu()):
        return []
    samples = SampleCounts.of(data)
    return [stage.name for stage in plan.stages if way_of(runtime, plan, stage, count_of(stage, samples)).compiled]


@ENGINES.register
class KerasSteps(EngineKind):
    """Keras's own way, one step after the other, on every backend."""

    def fits(self, task: TrainingTask) -> bool:
        return True

    def make(self, task: TrainingTask) -> Engine:
        return StepByStep(task.model, task.x, task.y, task.weights, task.batch_size)


@ENGINES.register
class TensorFlowRuns(EngineKind):
    """Many steps in one call of TensorFlow, compiled by XLA where that is faster."""

    preference: ClassVar = 1

    def fits(self, task: TrainingTask) -> bool:
        return task.backend == "tensorflow"

    def make(self, task: TrainingTask) -> Engine:
        from dlspec.training.engines.tensorflow import LONGEST_RUN, TensorFlowEngine

        longest = 1 if task.one_at_a_time else LONGEST_RUN
        return TensorFlowEngine(task.model, task.x, task.y, task.weights, task.batch_size, task.compiled, longest)


@ENGINES.register
class Mirrored(EngineKind):
    """Runs of TensorFlow on several devices, each of which takes a part of every batch."""

    preference: ClassVar = 2

    def fits(self, task: TrainingTask) -> bool:
        return task.backend == "tensorflow" and task.model.distribute_strategy.num_replicas_in_sync > 1

    def make(self, task: TrainingTask) -> Engine:
        from dlspec.training.engines.mirrored import MirroredEngine

        return MirroredEngine(task.model, task.x, task.y, task.weights, task.batch_size)


def choose_engine(task: TrainingTask) -> EngineKind:
    """The preferred one of the engines that fit; among equals, the first by name."""
    fitting = [engine for engine in (kind() for kind in ENGINES.load_all().values()) if engine.fits(task)]
    return max(fitting, key=lambda engine: engine.preference)


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
    """The engine that trains a model on samples; for the arguments see `TrainingTask`."""
    import keras

    task = TrainingTask(model, x, y, weights, batch_size, compiled, one_at_a_time, keras.backend.backend())
    return choose_engine(task).make(task)
