"""`events.jsonl`: what happens in a run, a line for each event, as it happens."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError, DiagnosticError, Terminated
from dlspec.language.diagnostics.json import as_values
from dlspec.runs.kept_pictures import KeptPictures
from dlspec.runs.listener import Listener, Listeners
from dlspec.runs.names import EVENTS, METRICS, STATE
from dlspec.runs.records.events import last_seq
from dlspec.runs.records.state import State
from dlspec.runtime.environment import now
from dlspec.runtime.files import finite
from dlspec.runtime.records import read_record
from dlspec.training.progress import HistoryRow, Stopped

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.spec.spec import Spec
    from dlspec.training.picture import Picture
    from dlspec.training.plan import Plan, Stage


@contextmanager
def recording(listener: Listener | None) -> Iterator[Listener]:
    """In the block, what happens in a run is written into its folder; gives what to tell of it."""
    listener = listener or Listener()
    events = Events(pictures=listener.keeps_pictures())
    try:
        yield Listeners(listener, events)
    except BaseException as error:
        with suppress(Exception):  # nothing is to hide the error
            events.fails(error)
        raise
    events.is_done()


class Events(Listener):
    """Writes what a run tells into its folder.

    What is told before the folder is there is written once it is. Where the file cannot be written, what happens then
    is missing in it: no run fails because of it.

    Args:
        pictures: whether pictures of the training are kept in the folder.
    """

    def __init__(self, *, pictures: bool = False) -> None:
        self._keeps_them = pictures
        self._kept: KeptPictures | None = None
        self._stages: list[str] = []
        self.folder: Path | None = None
        self.seq = 0
        self._waiting: list[tuple[str, str, Mapping[str, Any]]] = []

    def warns(self, warnings: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
        for warning in warnings:
            self._write("warning", **as_values(warning))

    def begins(self, spec: Spec, plan: Plan, data: Prepared) -> None:
        stages = [
            {"name": stage.name, "kind": stage.kind, "epochs": stage.epochs, "batch_size": stage.batch_size}
            for stage in plan.stages
        ]
        samples = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
        self._stages = [stage.name for stage in plan.stages]
        self._write("begins", name=spec.name, stages=stages, samples=samples)

    def ready(self, device: str) -> None:
        self._write("ready", device=device)

    def opens(self, folder: Path, spec: Spec, history: Sequence[HistoryRow]) -> None:
        self.folder = folder.absolute()
        self.seq = last_seq(self.folder / EVENTS)
        waiting, self._waiting = self._waiting, []
        for time, event, values in waiting:
            self._append(time, event, values)
        if self._keeps_them:
            self._kept = KeptPictures(self.folder, self._stages)
        self._write("opens", process=os.getpid(), epochs_kept=len(history))

    def stage_begins(self, stage: Stage, samples: int, steps: int) -> None:
        self._write("stage_begins", stage=stage.name, epochs=stage.epochs, samples=samples, steps=steps)

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        measures = {name: float(value) for name, value in row.measures.items()}
        self._write(
            "epoch_ends",
            stage=row.stage,
            epoch=row.epoch,
            loss=row.loss,
            val_loss=row.val_loss,
            **({"measures": measures} if measures else {}),
            seconds=row.seconds,
        )

    def stage_ends(self, stage: Stage, reason: str) -> None:
        self._write("stage_ends", stage=stage.name, reason=reason)

    def wants_pictures(self) -> bool:
        return self._keeps_them

    def picture(self, picture: Picture) -> None:
        with suppress(OSError):
            told = self._kept.keep(picture) if self._kept is not None else None
            if told is not None:
                self._write("picture", **told)

    def note(self, text: str) -> None:
        self._write("note", text=text)

    def remark(self, text: str) -> None:
        self._write("remark", text=text)

    def is_done(self) -> None:
        """The run has come to its end, with its report."""
        if self.folder is not None:
            self._write("done", **_result(self.folder))

    def fails(self, error: BaseException) -> None:
        """Something ended the run: the user, or an error."""
        if isinstance(error, Stopped | KeyboardInterrupt):
            terminated = error.terminated if isinstance(error, Stopped) else isinstance(error, Terminated)
            self._write("stopped", signal="SIGTERM" if terminated else "SIGINT")
        elif isinstance(error, DiagnosticError):
            self._write("failed", diagnostics=[as_values(each) for each in error.diagnostics])
        else:
            self._write("failed", error=type(error).__name__, message=str(error))

    def _write(self, event: str, **values: Any) -> None:
        if self.folder is None:
            self._waiting.append((now(), event, values))
        else:
            self._append(now(), event, values)

    def _append(self, time: str, event: str, values: Mapping[str, Any]) -> None:
        assert self.folder is not None, "there is a folder"
        self.seq += 1
        line = json.dumps(finite({"seq": self.seq, "time": time, "event": event, **values}), allow_nan=False)
        with suppress(OSError), (self.folder / EVENTS).open("a", encoding="ascii", newline="\n") as file:
            file.write(line + "\n")


def _result(folder: Path) -> dict[str, Any]:
    """What the run came to."""
    with suppress(DataError):
        judged = read_record(folder / STATE, State).judged
        return {"metrics": METRICS, **({} if judged is None else {"judged": judged.as_json()})}
    return {"metrics": METRICS}
