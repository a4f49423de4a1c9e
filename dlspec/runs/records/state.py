"""`state.json`: whether a run goes on, or how it ended and why, and what it came to."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import NonNegativeFloat, NonNegativeInt, model_validator

from dlspec.evaluation.outcome import Outcome
from dlspec.runtime.records import Record


class Problem(Record):
    """What a run failed by.

    Args:
        code: of a diagnostic; of any other error, its type.
    """

    code: str
    message: str


class Judged(Record):
    """What a finished run is judged by; with folds, means over them.

    Args:
        metric: its name.
        value: of the network on the test part; None: it cannot be computed.
        interval: where that lies with 95% confidence; None: that cannot be told, or folds say it.
        baseline: the best simple guess; empty: there is none.
    """

    metric: str
    value: float | None
    baseline: str
    baseline_value: float | None
    outcome: Outcome
    interval: tuple[float, float] | None = None


class State(Record):
    """How a run stands.

    Args:
        began: when it was started.
        written: when this was.
        seconds: that it was trained until then, all its legs together.
        stage, epoch: the last epoch that was done.
        signal: what stopped it.
        problems: what it failed by.
        judged: what it came to.
    """

    state: Literal["running", "stopped", "failed", "finished"]
    began: str
    written: str
    seconds: NonNegativeFloat = 0.0
    stage: str | None = None
    epoch: NonNegativeInt | None = None
    signal: Literal["SIGINT", "SIGTERM"] | None = None
    problems: tuple[Problem, ...] = ()
    judged: Judged | None = None

    @model_validator(mode="after")
    def _has_times(self) -> Self:
        for moment in (self.began, self.written):
            if datetime.fromisoformat(moment).tzinfo is None:
                raise ValueError(f"`{moment}` has no time zone")
        return self
