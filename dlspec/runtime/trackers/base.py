"""What all trackers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from dlspec.language.registry import Kind, OneOf, Registry

State = Literal["finished", "stopped", "failed"]
Parameter = str | int | float | bool


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is opened with.

    Args:
        name: of the spec.
        folder: of the run.
        parameters: every value of the resolved spec by its dotted path.
        kept: what `OpenTracker.kept` was before the run was stopped; empty for a new run.
    """

    name: str
    folder: Path
    parameters: Mapping[str, Parameter]
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the run is called among others: `lstm_stock/001`."""
        return self.name if self.folder.name == self.name else f"{self.name}/{self.folder.name}"


@dataclass(frozen=True)
class Point:
    """An epoch of a stage.

    Args:
        number: counts the epochs of all stages, from 1.
        values: `loss`, `val_loss` and other measures; they may be NaN or infinite.
    """

    number: int
    stage: str
    epoch: int
    values: Mapping[str, float]

    @property
    def named(self) -> dict[str, float]:
        """The values by stage and measure: `fine_tune/val_loss`."""
        return {f"{self.stage}/{name}": value for name, value in self.values.items()}


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Args:
        values: final metrics: `test/rmse`, `baselines/mean/rmse`; empty unless the run is finished.
        texts: the verdict of a finished run, the error of a failed one.
        files: the artifacts, relative to the run folder; none unless the run is finished.
    """

    state: State
    values: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[str] = ()


class OpenTracker(ABC):
    """A tracker that a run is logged to.

    Args:
        where: where the run can be seen, in a few words or as a command.
        kept: what finds the same entry again when the run is resumed.
        notes: what could not be logged as it was given.
    """

    def __init__(self, where: str, kept: Mapping[str, str], notes: Sequence[str] = ()) -> None:
        self.where = where
        self.kept = kept
        self.notes = notes

    @abstractmethod
    def log(self, points: Sequence[Point]) -> None:
        """Logs epochs, in order. After an error they count as lost, and later ones are tried again."""

    @abstractmethod
    def close(self, ending: Ending) -> None:
        """Logs how the run ended. A run that was stopped or failed may be opened again."""


class Tracker(Kind):
    """Shows runs beside each other.

    It is opened in a process of its own: whatever it imports, starts or breaks, training does not notice.
    """

    modules: ClassVar[tuple[str, ...]] = ()
    """Modules that must be installed."""

    @abstractmethod
    def open(self, run: TrackedRun) -> OpenTracker:
        """Begins an entry for a run, or finds the one that `run.kept` names."""


TRACKERS: Registry[Tracker] = Registry("tracker", "dlspec.runtime.trackers", lazy=True)
AnyTracker = Annotated[Tracker, OneOf(TRACKERS)]
