"""What runs there are in a folder, how each ended and what it came to; read from their small files alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dlspec.evaluation.metrics import METRICS as METRIC_KINDS
from dlspec.evaluation.outcome import Outcome
from dlspec.language.diagnostics.errors import DataError
from dlspec.model.weights import RESOLVED
from dlspec.runs.names import ENVIRONMENT, HISTORY, METRICS, STATE
from dlspec.runs.records.state import Judged, Problem, State
from dlspec.runtime.records import read_record

RunState = Literal["running", "interrupted", "stopped", "failed", "finished", "unfinished", "unreadable"]
MOST_DEEP = 5
"""Folders are looked into so far below the one that is named."""
TAIL = 4096
"""Bytes at the end of `history.csv` among which its last line is."""


@dataclass(frozen=True)
class RunSummary:
    """A run folder in a list.

    Args:
        name: its path below the folder that was searched.
        state: `finished`, `stopped` (by Ctrl-C or a signal), `failed`, `running`, `interrupted` (its process died, as
            by `kill -9` or a loss of power), `unfinished` (an older run that does not say why), or `unreadable`.
        reason: why it is not finished, in words.
        problems: what it failed by.
        began, written: when it was started, and when its state was written.
        seconds: that it took so far.
        stage, epoch: the last epoch that was done.
        metric: what it is judged by.
        value, interval: of the network on the test part, and where that lies with 95% confidence; with folds, the mean
            alone.
        baseline: the best simple guess, with its value.
        verdict: how the network did against it.
    """

    name: str
    folder: Path
    state: RunState
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    began: str | None = None
    written: str | None = None
    seconds: float | None = None
    stage: str | None = None
    epoch: int | None = None
    metric: str | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    baseline: str | None = None
    baseline_value: float | None = None
    verdict: Outcome | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "folder": str(self.folder),
            "problems": [problem.as_json() for problem in self.problems],
            "interval": None if self.interval is None else list(self.interval),
        }

    @property
    def when(self) -> float:
        """When it was started, in seconds; those of which that is not known come first."""
        return datetime.fromisoformat(self.began).timestamp() if self.began else 0.0


def list_runs(folder: str | Path = "runs", *, sort: str = "time", state: str | None = None) -> list[RunSummary]:
    """The runs in a folder and below it, without loading NumPy, pandas or Keras.

    Args:
        folder: it is searched five folders deep; a run folder is not searched further.
        sort: `time` (when they were started, the newest last), `metric` (the best last, each metric by itself) or
            `name`.
        state: only those of this state.

    Raises:
        DataError: there is no such folder.
    """
    home = Path(folder)
    if not home.is_dir():
        raise DataError.of(
            "no-run",
            f"`{folder}` is a file, and runs are in folders" if home.exists() else f"there is no folder `{folder}`",
            help="name the folder that holds the runs; `dlspec run` writes them to `runs`",
        )
    found = [summary for summary in _summaries(home) if state in (None, summary.state)]
    return sorted(found, key=_SORT_KEYS[sort])


def summarize(folder: Path) -> RunSummary:
    """How one run ended, and what it came to."""
    return _summary(folder.name, folder, set(os.listdir(folder)))


def _by_metric(summary: RunSummary) -> tuple[Any, ...]:
    """The best last, those of one metric together; those without a value first."""
    if summary.metric is None or summary.value is None:
        return ("", 0.0, summary.when)
    known = summary.metric in METRIC_KINDS
    better = METRIC_KINDS[summary.metric].better if known else "higher"
    return (summary.metric, summary.value if better == "higher" else -summary.value, summary.when)


_SORT_KEYS: dict[str, Callable[[RunSummary], Any]] = {
    "time": lambda summary: (summary.when, summary.name),
    "metric": _by_metric,
    "name": lambda summary: summary.name,
}


def _summaries(home: Path) -> Iterator[RunSummary]:
    for path, names in _folders(home):
        name = Path(os.path.relpath(path, home)).as_posix()
        if isinstance(names, OSError):
            reason = (names.strerror or str(names)).lower()
            yield RunSummary(name, Path(path), "unreadable", f"the folder cannot be read: {reason}")
        elif RESOLVED in names:
            yield _summary(name, Path(path), names)
        else:
            try:
                yield _of_state(name, Path(path), names)
            except DataError:  # another program has files of that name, too
                continue


def _folders(home: Path) -> Iterator[tuple[str, set[str] | OSError]]:
    """Folders that may hold a run, with the names of their files; or why they cannot be read.

    Links to folders are followed, and no folder is looked into twice.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [(str(home), 0)]
    links: list[tuple[str, int]] = []
    while waiting or links:
        path, depth = waiting.pop() if waiting else links.pop(0)
        try:
            own = os.stat(path)
            if (own.st_dev, own.st_ino) in seen:
                continue
            seen.add((own.st_dev, own.st_ino))
            with os.scandir(path) as entries:
                there = list(entries)
        except OSError as error:
            yield path, error
            continue
        names = {entry.name for entry in there}
        if RESOLVED in names or STATE in names:
            yield path, names
            if RESOLVED in names and depth:
                continue
        if depth == MOST_DEEP:
            continue
        for entry in there:
            if not entry.name.startswith(".") and entry.is_dir():
                (links if entry.is_symlink() else waiting).append((entry.path, depth + 1))


def _summary(name: str, folder: Path, files: set[str]) -> RunSummary:
    try:
        return _of_state(name, folder, files) if STATE in files else _of_older(name, folder, files)
    except DataError as error:
        return RunSummary(name, folder, "unreadable", error.diagnostics[0].message)


def _of_state(name: str, folder: Path, files: set[str]) -> RunSummary:
    """Of a run that says how it ended.

    Raises:
        DataError: one of its files is damaged.
    """
    told = read_record(folder / STATE, State)
    found = RunSummary(
        name,
        folder,
        told.state,
        problems=told.problems,
        began=told.began,
        written=told.written,
        seconds=told.seconds,
        stage=told.stage,
        epoch=told.epoch,
    )
    if told.state == "finished" and told.judged is not None:
        if METRICS not in files:
            return replace(found, state="unreadable", reason=f"it is finished, and has no `{METRICS}`")
        return _with(found, told.judged)
    if told.state == "failed":
        return replace(found, reason="; ".join(f"{one.code}: {one.message}" for one in told.problems))
    if told.state == "stopped":
        by = "SIGTERM" if told.signal == "SIGTERM" else "Ctrl-C"
        return replace(found, reason=f"by {by}{_after(found)}")
    return _unended(found, files)


def _unended(found: RunSummary, files: set[str]) -> RunSummary:
    """Of a run whose state was not written at its end."""
    from dlspec.runs.lock import in_use

    used = in_use(found.folder)
    if used is False and METRICS in files:  # it died after its last result
        return _with(replace(found, state="finished"), _judged(found.folder))
    if HISTORY in files:
        stage, epoch = _last_epoch(found.folder / HISTORY)
        found = replace(found, stage=stage or found.stage, epoch=epoch or found.epoch)
    if used is False:
        return replace(found, state="interrupted", reason=f"its process ended without a word{_after(found)}")
    if used is None:
        return replace(found, state="running", reason="whether its process still runs cannot be told")
    since = time.time() - datetime.fromisoformat(found.written).timestamp() if found.written else 0.0
    seconds = round((found.seconds or 0.0) + max(0.0, since), 1)
    return replace(found, state="running", seconds=seconds, reason=_after(found).removeprefix(", "))


def _of_older(name: str, folder: Path, files: set[str]) -> RunSummary:
    """Of a run that was made before runs said how they ended.

    Raises:
        DataError: one of its files is damaged.
    """
    from dlspec.runs.lock import in_use
    from dlspec.runs.records.environment import Environment

    found = RunSummary(name, folder, "unfinished", "it does not say why")
    if ENVIRONMENT in files:
        environment = read_record(folder / ENVIRONMENT, Environment)
        found = replace(found, began=environment.started, seconds=environment.seconds or None)
    if METRICS in files:
        return _with(replace(found, state="finished", reason=""), _judged(folder))
    return replace(found, state="running", reason="") if in_use(folder) else found


def _judged(folder: Path) -> Judged:
    from dlspec.runs.records.metrics import Metrics

    return read_record(folder / METRICS, Metrics).judged()


def _with(found: RunSummary, judged: Judged) -> RunSummary:
    return replace(
        found,
        metric=judged.metric,
        value=judged.value,
        interval=judged.interval,
        baseline=judged.baseline or None,
        baseline_value=judged.baseline_value,
        verdict=judged.outcome,
    )


def _after(found: RunSummary) -> str:
    return f", after epoch {found.epoch} of {found.stage}" if found.epoch else ""


def _last_epoch(history: Path) -> tuple[str | None, int | None]:
    """Stage and epoch of the last line of `history.csv`; nothing where there is none."""
    try:
        with history.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            cells = file.read().decode("utf-8", "replace").rstrip("\n").rpartition("\n")[2].split(",")
    except OSError:
        return None, None
    return (cells[0], int(cells[1])) if len(cells) > 1 and cells[1].isdecimal() else (None, None)
