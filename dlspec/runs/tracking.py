"""What trackers are told of a run: `runtime: {track: …}`. Nothing that they do changes or ends it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import DiagnosticError
from dlspec.runs.folder import Run
from dlspec.runs.listener import Listener, Listeners
from dlspec.runs.records.metrics import Metrics
from dlspec.runs.resolved import portable
from dlspec.runtime.packages import install_missing
from dlspec.runtime.trackers import record, tensorboard
from dlspec.runtime.trackers.base import Ending, Parameter, Point, State, TrackedRun, Tracker
from dlspec.runtime.trackers.process import TrackerProcess, end_all
from dlspec.spec.spec import Spec
from dlspec.training.plan import Stage
from dlspec.training.progress import HistoryRow, Stopped

SECONDS, SHARE = 10.0, 0.01
"""How long trackers may take at the end of a run: so many seconds, or that share of its time where it is more."""
NO_ARTIFACTS = ("checkpoints", record.FOLDER, tensorboard.FOLDER)


@contextmanager
def tracking(listener: Listener | None) -> Iterator[Listener]:
    """In the block, runs are logged to the trackers of their specs; gives what to tell of them."""
    listener = listener or Listener()
    trackers = Trackers(listener)
    try:
        yield Listeners(listener, trackers)
    except BaseException as error:
        trackers.close(error)
        raise
    trackers.close(None)


class Trackers(Listener):
    """Passes on to trackers what a run tells.

    Args:
        listener: is told in a line where the run can be seen, and what was logged.
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.processes: list[TrackerProcess] = []
        self.folder = Path()
        self.began = time.monotonic()
        self.number = 0

    def opens(self, folder: Path, spec: Spec, history: Sequence[HistoryRow]) -> None:
        self.folder = folder.absolute()
        for tracker in spec.runtime.track or ():
            try:
                self._open(tracker, spec)
            except Exception as error:  # none ends a run
                self.listener.remark(f"{tracker.type_name}: not logged to: {error}")
        for row in history:
            self._log(row)

    def _open(self, tracker: Tracker, spec: Spec) -> None:
        cure = install_missing(*tracker.modules)
        if cure is not None:
            self.listener.remark(f"{tracker.type_name}: not installed, so nothing is logged there; type `{cure}`")
            return
        before = record.read_tracker(self.folder, tracker.type_name)
        run = TrackedRun(spec.name, self.folder, dict(flatten(portable(spec, self.folder))), before.kept)
        self.processes.append(TrackerProcess(tracker, run, before.last))

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        self._log(row)
        self._tell_news()

    def _log(self, row: HistoryRow) -> None:
        self.number += 1
        measured = {"loss": row.loss, "val_loss": row.val_loss, **row.measures}
        values = {name: float(value) for name, value in measured.items() if value is not None}
        for process in self.processes:
            if self.number > process.last:  # what a stopped run has logged already
                process.log(Point(self.number, row.stage, row.epoch, values))

    def _tell_news(self) -> None:
        for process in self.processes:
            for line in process.news():
                self.listener.remark(line)

    def close(self, error: BaseException | None) -> None:
        """Lets the trackers log how the run ended, and waits for them a little.

        Args:
            error: that ended the run.

        Raises:
            KeyboardInterrupt: somebody did not want to wait.
        """
        if not self.processes:
            return
        ending = _ending(self.folder, error)
        for process in self.processes:
            process.end(ending)
        try:
            end_all(self.processes, max(SECONDS, SHARE * (time.monotonic() - self.began)))
        finally:
            for process in self.processes:
                lines = [*process.news(), process.summary()]
                for line in lines:
                    if line == lines[-1] or line != f"{process.name}: {process.where}":
                        self.listener.remark(line)


def _ending(folder: Path, error: BaseException | None) -> Ending:
    run = Run(folder)
    if error is None or (isinstance(error, Stopped) and run.finished):
        try:
            metrics = run.metrics
        except DiagnosticError as damaged:
            return Ending("finished", texts={"error": str(damaged)})
        texts = {"verdict": metrics.verdict.sentence, "outcome": metrics.verdict.outcome}
        return Ending("finished", dict(final_values(metrics)), texts, artifacts(folder))
    state: State = "stopped" if isinstance(error, Stopped | KeyboardInterrupt) else "failed"
    return Ending(state, texts={} if state == "stopped" else {"error": f"{type(error).__name__}: {error}"})


def final_values(metrics: Metrics) -> Iterator[tuple[str, float]]:
    """Metrics of the network and the baselines; of folds mean and deviation. What cannot be computed is left out."""
    parts: dict[str, Mapping[str, float | None]] = {
        "train": metrics.train,
        "validation": metrics.validation,
        "test": metrics.test,
        **{f"baselines/{name}": scores for name, scores in metrics.baselines.items()},
    }
    for who, spreads in metrics.folds.of_all() if metrics.folds is not None else ():
        parts[f"folds/{who}"] = {name: spread.mean for name, spread in spreads.items()}
        parts[f"folds/{who}/sd"] = {name: spread.sd for name, spread in spreads.items()}
    for part, scores in parts.items():
        for name, value in scores.items():
            if value is not None and math.isfinite(value):
                yield f"{part}/{name}", value
    for output, own in metrics.outputs.items():
        yield from ((f"{output}/{name}", value) for name, value in final_values(own))


def artifacts(folder: Path) -> tuple[str, ...]:
    """Files of a run folder that trackers keep: all but checkpoints, hidden files and what trackers wrote."""
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return tuple(
        path.as_posix()
        for path in found
        if path.parts[0] not in NO_ARTIFACTS and not any(part.startswith(".") for part in path.parts)
    )


def flatten(values: Any, path: str = "") -> Iterator[tuple[str, Parameter]]:
    """Every value of a spec by its dotted path: `model.0.dense.units`. A list of plain values is one text."""
    plain = isinstance(values, list) and not any(isinstance(value, dict | list) for value in values)
    if isinstance(values, dict) or (isinstance(values, list) and not plain):
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            yield from flatten(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, ", ".join(map(str, values)) if plain else values if isinstance(values, Parameter) else str(values)
