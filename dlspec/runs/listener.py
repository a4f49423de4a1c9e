"""What a run tells those who watch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dlspec.data.preparation import Prepared
from dlspec.language.diagnostics import Diagnostic
from dlspec.spec.spec import Spec
from dlspec.training.picture import Picture
from dlspec.training.plan import Plan, Stage
from dlspec.training.progress import HistoryRow, StageListener


class Listener(StageListener):
    """Is told what happens in a run; every method does nothing unless overridden."""

    def warns(self, warnings: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
        """What is odd about the data; `texts` are those of the spec, for places in it."""

    def begins(self, spec: Spec, plan: Plan, data: Prepared) -> None:
        """The data are ready; the backend is loaded next, which takes seconds."""

    def ready(self, device: str) -> None:
        """The backend is loaded; `device` says in words what it runs on."""

    def opens(self, folder: Path, spec: Spec, history: Sequence[HistoryRow]) -> None:
        """Training begins in its run folder, or goes on there after the epochs of `history`."""

    def remark(self, text: str) -> None:
        """A line that is worth reading after the run, too."""

    def keeps_pictures(self) -> bool:
        """Whether the run keeps the pictures of its training in its folder."""
        return False


class KeepPictures(Listener):
    """Lets a run keep pictures of its training, below `pictures/` in its folder."""

    def keeps_pictures(self) -> bool:
        return True


class Listeners(Listener):
    """Several listeners, each of which is told everything."""

    def __init__(self, *listeners: Listener) -> None:
        self.listeners = listeners

    def warns(self, warnings: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
        for listener in self.listeners:
            listener.warns(warnings, texts)

    def begins(self, spec: Spec, plan: Plan, data: Prepared) -> None:
        for listener in self.listeners:
            listener.begins(spec, plan, data)

    def ready(self, device: str) -> None:
        for listener in self.listeners:
            listener.ready(device)

    def opens(self, folder: Path, spec: Spec, history: Sequence[HistoryRow]) -> None:
        for listener in self.listeners:
            listener.opens(folder, spec, history)

    def stage_begins(self, stage: Stage, samples: int, steps: int) -> None:
        for listener in self.listeners:
            listener.stage_begins(stage, samples, steps)

    def step_ends(self, stage: Stage, epoch: int, step: int, loss: float) -> None:
        for listener in self.listeners:
            listener.step_ends(stage, epoch, step, loss)

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        for listener in self.listeners:
            listener.epoch_ends(stage, row)

    def stage_ends(self, stage: Stage, reason: str) -> None:
        for listener in self.listeners:
            listener.stage_ends(stage, reason)

    def note(self, text: str) -> None:
        for listener in self.listeners:
            listener.note(text)

    def goes_on(self, text: str) -> None:
        for listener in self.listeners:
            listener.goes_on(text)

    def remark(self, text: str) -> None:
        for listener in self.listeners:
            listener.remark(text)

    def keeps_pictures(self) -> bool:
        return any(listener.keeps_pictures() for listener in self.listeners)

    def wants_pictures(self) -> bool:
        return any(listener.wants_pictures() for listener in self.listeners)

    def picture(self, picture: Picture) -> None:
        for listener in self.listeners:
            if listener.wants_pictures():
                listener.picture(picture)

    def wants_stop(self) -> bool:
        return any(listener.wants_stop() for listener in self.listeners)
