"""What runs took on this machine, and how long a plan will take by that."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from dlspec.runs.folder import Run
from dlspec.runtime.timings import keep_timing, timed_runs
from dlspec.spec.planning import without_pretraining
from dlspec.spec.spec import Spec
from dlspec.training.engines.xla_rule import ways
from dlspec.training.plan import Plan, SampleCounts
from dlspec.training.speed import (
    TimedRun,
    TimedStage,
    counts_of_epoch,
    counts_of_rest,
    counts_of_start,
    counts_of_training,
    expected_seconds,
    together,
)

LEAST_EPOCHS = 3
"""With fewer, an ordinary epoch cannot be told from the first."""


def expected_time(spec: Spec, plan: Plan) -> float | None:
    """Seconds from start to end, when no stage ends early, folds and comparison included; None: that is not known here.

    It is told from the runs that this machine has done, where these are enough like it.
    """
    if plan.samples is None:
        return None
    compiled = [name for name, way in ways(spec.runtime, plan).items() if way.compiled]
    once = counts_of_training(plan, plan.samples, compiled)
    parts = [(1.0, counts_of_rest(len(plan.stages))), (float(spec.data.split.times_trained), once)]
    if spec.evaluate.compare is not None:
        seeds = spec.evaluate.compare.without_pretraining.seeds
        tuned = counts_of_training(without_pretraining(plan, spec), plan.samples, compiled)
        parts += [(seeds - 1, once), (seeds, tuned)]
    return expected_seconds(together(parts), list(_known(spec.runtime.device)))


def _known(device: str) -> Iterator[TimedRun]:
    for values in timed_runs(device):
        try:
            yield TimedRun.of_json(values)
        except (KeyError, TypeError, ValueError):
            continue  # another version of dlspec, or another program, has written it


def keep_time(run: Run, plan: Plan, samples: SampleCounts, seconds: float) -> None:
    """Keeps what a run took that was trained without a stop.

    Args:
        samples: as many as it was trained with.
        seconds: from start to end.
    """
    spec, environment, rows = run.spec, run.environment, run.history
    if environment.resumed:
        return
    stages = []
    for stage in plan.stages:
        times = [row.seconds for row in rows if row.stage == stage.name]
        if len(times) < LEAST_EPOCHS:
            continue
        ordinary = statistics.median(times[1:])
        compiled = stage.name in (environment.compiled_by_xla or ())
        start = counts_of_start(plan, stage, compiled=compiled)
        stages.append(TimedStage(counts_of_epoch(plan, stage, samples), ordinary, start, max(0.0, times[0] - ordinary)))
    alone = spec.data.split.times_trained == 1 and spec.evaluate.compare is None and len(stages) == len(plan.stages)
    rest = max(0.0, seconds - sum(row.seconds for row in rows)) if alone else None
    if stages:
        keep_timing(spec.runtime.device, TimedRun(tuple(stages), rest).as_json())
