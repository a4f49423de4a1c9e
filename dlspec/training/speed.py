"""How long a training takes on this machine, by those that it has done.

The time of a training is a sum: so many steps, timesteps and floating-point operations of each sort of layer, each
times what one of them takes here. What each takes is fitted to the runs that were timed, beginning from what they take
on an ordinary processor: in logarithms, by the method of Gauss and Newton with a normal prior, so that the spread of
what is told is known too (MacKay, 1992). Where that spread is wide, no time is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dlspec.model.graph import GraphLayer
from dlspec.model.layers.core import Dense, Output
from dlspec.training.estimates import TRAINING, count_of, work_of
from dlspec.training.plan import Plan, SampleCounts, Stage

if TYPE_CHECKING:
    import numpy as np

PRIOR: dict[str, float] = {
    "steps": 1e-3,
    "timesteps": 1e-4,
    "dense": 1 / 20e9,
    "convolution": 1 / 10e9,
    "recurrent": 1 / 20e9,
    "other": 1 / 3e9,
    "stages": 1.0,
    "recurrent_stages": 2.0,
    "compiled_stages": 3.0,
    "runs": 6.0,
    "later_stages": 3.0,
}
"""What is counted -> the seconds that one takes on an ordinary processor: a step and a timestep besides their
operations, an operation by sorts of layers, tracing a stage (and one with recurrent layers, one that XLA compiles),
what a run takes besides its epochs, and each of its stages but the first."""
OF_MACHINE, OF_EACH = 0.8, 0.8
"""Standard deviations in logarithms: how far a machine differs in all of them, and in each."""
NOISE = 0.35
"""The same of one time, for the same work."""
TOLD = 0.6
"""The largest standard deviation of the logarithm with which a time is told: 0.69 is a factor of two."""

Counts = dict[str, float]
"""How much of each there is; what is not named is 0."""


@dataclass(frozen=True)
class TimedStage:
    """What a stage took.

    Args:
        epoch: the counts of one epoch.
        seconds: of an ordinary epoch.
        start: the counts of its beginning.
        extra: seconds that its first epoch took more.
    """

    epoch: Counts
    seconds: float
    start: Counts
    extra: float


@dataclass(frozen=True)
class TimedRun:
    """What a run took.

    Args:
        rest: seconds besides its epochs; None where more was trained than its stages.
    """

    stages: tuple[TimedStage, ...]
    rest: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, values: Any) -> TimedRun:
        """Raises ValueError, TypeError or KeyError where it is not what `as_json` writes."""
        stages = [TimedStage(**stage) for stage in values["stages"]]
        for counts in (each for stage in stages for each in (stage.epoch, stage.start)):
            if not {*counts} <= {*PRIOR} or not all(_is_time(count) for count in counts.values()):
                raise ValueError("counts of something else")
        times = [time for stage in stages for time in (stage.seconds, stage.extra)]
        if not all(map(_is_time, times)) or not (values["rest"] is None or _is_time(values["rest"])):
            raise ValueError("no times")
        return cls(tuple(stages), values["rest"])


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def sort_of(layer: GraphLayer) -> str:
    """By what its operations are done."""
    inner = getattr(layer.layer, "layer", layer.layer)
    if hasattr(inner, "return_sequences"):
        return "recurrent"
    if "conv" in inner.type_name:
        return "convolution"
    return "dense" if isinstance(inner, Dense | Output) or "attention" in inner.type_name else "other"


def counts_of_epoch(plan: Plan, stage: Stage, samples: SampleCounts) -> Counts:
    """What an epoch of a stage consists of."""
    count = count_of(stage, samples)
    work = work_of(plan, stage, count)
    steps = work.steps / stage.epochs
    passes = stage.method.passes if stage.method else 1.0
    found = {"steps": steps, "timesteps": steps * work.timesteps}
    for layer in work.layers:
        sort = sort_of(layer)
        found[sort] = found.get(sort, 0.0) + TRAINING * passes * layer.flops * count
    return found


def counts_of_start(plan: Plan, stage: Stage, *, compiled: bool) -> Counts:
    """What the first epoch of a stage has besides."""
    work = work_of(plan, stage, 1)
    return {"stages": 1.0, "recurrent_stages": float(work.timesteps > 0), "compiled_stages": float(compiled)}


def counts_of_rest(stages: int) -> Counts:
    """What a run of so many stages consists of besides its epochs."""
    return {"runs": 1.0, "later_stages": stages - 1.0}


def counts_of_training(plan: Plan, samples: SampleCounts, compiled: Sequence[str]) -> Counts:
    """What the stages of a plan consist of, from the first epoch to the last."""
    parts = []
    for stage in plan.stages:
        parts.append((stage.epochs, counts_of_epoch(plan, stage, samples)))
        parts.append((1, counts_of_start(plan, stage, compiled=stage.name in compiled)))
    return together(parts)


def together(parts: Sequence[tuple[float, Counts]]) -> Counts:
    """Counts, each so many times."""
    return {name: sum(times * counts.get(name, 0.0) for times, counts in parts) for name in PRIOR}


def expected_seconds(counts: Counts, runs: Sequence[TimedRun]) -> float | None:
    """How long it takes on a machine that has done these runs; None where they do not tell."""
    import numpy as np

    observed = [pair for run in runs for pair in _observations(run)]
    if not observed:
        return None
    rows = np.array([[counted.get(name, 0.0) for name in PRIOR] for counted, _ in observed])
    rates, spread = _fit(rows, np.log([seconds for _, seconds in observed]))
    parts = np.array([counts.get(name, 0.0) for name in PRIOR]) * np.exp(rates)
    shares = parts / parts.sum()
    return float(parts.sum()) if math.sqrt(shares @ spread @ shares + NOISE**2) <= TOLD else None


def _observations(run: TimedRun) -> list[tuple[Counts, float]]:
    """Counts, and the seconds that they took; what is too short to be timed is left out."""
    found = [(stage.epoch, stage.seconds) for stage in run.stages]
    found += [(stage.start, stage.extra) for stage in run.stages]
    if run.rest is not None:
        found.append((counts_of_rest(len(run.stages)), run.rest))
    return [(counts, seconds) for counts, seconds in found if seconds > 1e-4 and any(counts.values())]


def _fit(rows: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithms of what each count takes, and their covariance.

    Args:
        rows: counts, shape (observations, kinds of counts).
        seconds: their logarithms, shape (observations,).
    """
    import numpy as np

    prior = np.log([*PRIOR.values()])
    number = len(prior)
    certain = np.linalg.inv(np.full((number, number), OF_MACHINE**2) + OF_EACH**2 * np.eye(number))
    rates = prior.copy()
    for _ in range(50):
        parts = rows * np.exp(rates)
        total = parts.sum(axis=1, keepdims=True)
        shares = parts / total
        curvature = shares.T @ shares / NOISE**2 + certain
        slope = shares.T @ (seconds - np.log(total[:, 0])) / NOISE**2 - certain @ (rates - prior)
        step = np.clip(np.linalg.solve(curvature, slope), -1, 1)
        rates += step
        if np.abs(step).max() < 1e-6:
            break
    return rates, np.linalg.inv(curvature)
