"""Where training stands, how that is kept, and who is told of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dlspec.model.weights import LayerWeights
from dlspec.runtime.archives import BROKEN, read_arrays, with_checksum, without_checksum
from dlspec.runtime.files import written_whole
from dlspec.runtime.records import unreadable
from dlspec.training.picture import Painter, Picture
from dlspec.training.plan import Plan, Stage

Array = np.ndarray


class StageListener:
    """Is told what happens while stages are trained; every method does nothing unless overridden."""

    def stage_begins(self, stage: Stage, samples: int, steps: int) -> None:
        """A stage begins: `steps` weight updates in an epoch over `samples` samples."""

    def step_ends(self, stage: Stage, epoch: int, step: int, loss: float) -> None:
        """A weight update is done; epochs and steps count from 1."""

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        """An epoch is done."""

    def stage_ends(self, stage: Stage, reason: str) -> None:
        """A stage is done, and why: `all epochs` or `stopped early, …`."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def goes_on(self, text: str) -> None:
        """How far something long is, which the next such text replaces."""

    def wants_pictures(self) -> bool:
        """Whether `picture` is to be told; else none are taken."""
        return False

    def picture(self, picture: Picture) -> None:
        """What is seen of the network after an epoch. All pictures of a stage take at most a tenth of its time, so that
        not every epoch has some."""

    def wants_stop(self) -> bool:
        """Is asked between steps, several times a second: whether training is to end after the step, as by Ctrl-C."""
        return False


@dataclass(frozen=True)
class HistoryRow:
    """One epoch: mean loss over the samples trained on, and over the held-out ones; None without any.

    Args:
        measures: what else the method of a stage measures, or the parts that the loss of the network has.
    """

    stage: str
    epoch: int
    loss: float
    val_loss: float | None
    seconds: float
    measures: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, column: str) -> Any:
        """A value by its column in `history.csv`; None: the stage does not measure that."""
        return getattr(self, column) if column in _OWN else self.measures.get(column)


_OWN = tuple(own.name for own in fields(HistoryRow) if own.name != "measures")


@dataclass
class Progress:
    """Where training stands: `epoch` and `step` count what is done in stage number `stage`.

    `loss_sum` adds up the loss of every sample, or place, of the epoch so far, `parts` those of its parts by their
    names, `seconds` its time. `best` and `wait` are those of early stopping; `callbacks` holds the numbers that each
    callback counts. `first_loss` is that of a stage before its first step. `begun`: whether the stage stands at its
    first step, or behind it.
    """

    stage: int = 0
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    best: float = math.inf
    best_epoch: int = 0
    wait: int = 0
    first_loss: float | None = None
    begun: bool = False
    callbacks: list[dict[str, Any]] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)


@dataclass
class Checkpoint:
    """Everything that training needs to go on: progress and the values of all variables."""

    progress: Progress
    variables: list[Array]
    best_weights: list[Array]

    def save(self, path: Path) -> None:
        """Writes one file, whole or not at all; without pickles."""
        progress = json.dumps(asdict(self.progress)).encode()
        arrays = {"progress": np.frombuffer(progress, "uint8")}
        arrays |= {f"variable_{i}": v for i, v in enumerate(self.variables)}
        arrays |= {f"best_{i}": v for i, v in enumerate(self.best_weights)}
        with written_whole(path) as draft, draft.open("wb") as file:
            np.savez(file, **with_checksum(arrays))  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Raises DataError where the file is not whole."""
        try:
            file = without_checksum(read_arrays(path))
        except BROKEN as error:
            raise unreadable(path, error) from None
        values = json.loads(file["progress"].tobytes())
        values["history"] = [HistoryRow(**row) for row in values["history"]]
        counts = {kind: sum(name.startswith(kind) for name in file) for kind in ("variable_", "best_")}
        return cls(
            Progress(**values),
            [file[f"variable_{i}"] for i in range(counts["variable_"])],
            [file[f"best_{i}"] for i in range(counts["best_"])],
        )


class Stopped(Exception):
    """Training was stopped by the user; a checkpoint was saved before.

    Args:
        folder: the run folder that can go on.
        terminated: whether another program asked for it (SIGTERM), as clusters do before they take a machine away.
    """

    def __init__(self, folder: Path | None = None, terminated: bool = False) -> None:
        super().__init__("stopped by the user")
        self.folder = folder
        self.terminated = terminated


class Observer(Protocol):
    """Looks at the network between stages, for the report."""

    def after_pretraining(
        self, plan: Plan, network: Any, stage_models: list[Any], pretrained: LayerWeights
    ) -> None: ...


@dataclass(frozen=True)
class Hooks:
    """Who is told of a training, and where goes what it leaves.

    Args:
        save: is given a checkpoint now and then, and when training is stopped.
        observer: is called once, between pretraining and fine-tuning.
        folder: callbacks write into it, and features of a stage that are too many for the memory.
        last: gives back the checkpoint that was saved last, to find out why training failed.
        painter: takes pictures while stages are trained; None: nobody wants them.
    """

    listener: StageListener
    save: Callable[[Checkpoint], None] = lambda checkpoint: None
    observer: Observer | None = None
    folder: Path = Path()
    last: Callable[[], Checkpoint | None] = lambda: None
    painter: Painter | None = None
