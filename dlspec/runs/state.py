"""Writes into a run folder whether the run goes on, or how it ended and why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics.errors import DataError, DiagnosticError, Terminated
from dlspec.language.diagnostics.text import visible
from dlspec.runs.names import METRICS, STATE
from dlspec.runs.records.state import Problem, State
from dlspec.runtime.environment import now
from dlspec.runtime.files import write_json
from dlspec.runtime.records import read_record

if TYPE_CHECKING:
    from dlspec.runs.folder import Run
    from dlspec.training.progress import HistoryRow


@dataclass
class StateFile:
    """`state.json` of a run folder, by the process that trains there.

    Where it cannot be written it stays as it was: no run fails because of it.

    Args:
        began: when the run was started.
        before: seconds that it was trained by earlier processes.
        since: when this process took it up, in seconds as of `time.time`.
        reached: stage and epoch that were done last.
    """

    folder: Path
    began: str
    before: float = 0.0
    since: float = field(default_factory=time.time)
    reached: tuple[str, int] | None = None

    @classmethod
    def going_on(cls, folder: Path) -> StateFile:
        """That of a run which was begun before.

        Raises:
            DataError: nothing is known of it, as of older runs.
        """
        earlier = read_record(folder / STATE, State)
        reached = None if earlier.stage is None or earlier.epoch is None else (earlier.stage, earlier.epoch)
        return cls(folder, earlier.began, earlier.seconds, reached=reached)

    def reaches(self, history: Sequence[HistoryRow]) -> None:
        """Keeps the last epoch that was done, for when the run ends."""
        self.reached = (history[-1].stage, history[-1].epoch) if history else None

    def write(self, state: str, **more: Any) -> None:
        seconds = round(max(0.0, self.before + time.time() - self.since), 1)
        found = {"state": state, "began": self.began, "written": now(), "seconds": seconds}
        if self.reached is not None:
            more |= {"stage": self.reached[0], "epoch": self.reached[1]}
        with suppress(OSError):
            write_json(self.folder / STATE, found | more)

    def finish(self) -> None:
        """The run has written all its results."""
        from dlspec.runs.records.metrics import Metrics

        with suppress(DataError):
            self.write("finished", judged=read_record(self.folder / METRICS, Metrics).judged().as_json())


@contextmanager
def telling_how_it_ends(folder: Path, *, since: float | None = None, began: str | None = None) -> Iterator[StateFile]:
    """In the block a run is trained in a folder; whatever ends it is written there, and raised again.

    Args:
        since: when this process took it up, where that was before the block.
        began: when the run was started, of one that goes on.
    """
    from dlspec.training.progress import Stopped

    file = StateFile(folder, began or now(), since=time.time() if since is None else since)
    if began is not None:
        with suppress(DataError):
            file = StateFile.going_on(folder)
    file.write("running")
    try:
        yield file
    except (Stopped, KeyboardInterrupt) as stop:
        terminated = stop.terminated if isinstance(stop, Stopped) else isinstance(stop, Terminated)
        with suppress(KeyboardInterrupt):  # a second Ctrl-C: it ends anyway
            file.write("stopped", signal="SIGTERM" if terminated else "SIGINT")
        raise
    except BaseException as error:
        with suppress(Exception, KeyboardInterrupt):  # nothing is to hide the error
            file.write("failed", problems=[problem.as_json() for problem in _problems(error)])
        raise


def say_finished(run: Run) -> None:
    """Of a run whose results are all there, though something ended it after they were written."""
    with suppress(DataError):
        earlier, saved = read_record(run.folder / STATE, State), run.metrics.saved_model
        if earlier.state != "finished" and (saved is None or saved.same):
            StateFile.going_on(run.folder).finish()


def _problems(error: BaseException) -> list[Problem]:
    if isinstance(error, DiagnosticError):
        return [Problem(code=one.code, message=visible(one.message)) for one in error.diagnostics if one.is_error]
    return [Problem(code=type(error).__name__, message=visible(str(error)))]
