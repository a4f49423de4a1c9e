"""MLflow."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from dlspec.language.fields import Primary, Text, mistake
from dlspec.language.words import one_of
from dlspec.runtime.trackers.base import TRACKERS, Ending, OpenTracker, Point, State, TrackedRun, Tracker

STATUS: Mapping[State, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
MOST_PARAMETERS, MOST_METRICS = 100, 1000
"""In one request, as MLflow limits it."""
LONGEST_NAME, LONGEST_PARAMETER, LONGEST_TAG = 250, 6000, 5000


def _without_password(uri: str) -> str:
    if re.search(r"//[^/@]*:[^/@]*@", uri):
        raise mistake(
            "wrong-value",
            "`uri` has a password in it, which would be copied into every run folder",
            help="leave it out of `uri`, and set `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` in the "
            "environment",
        )
    return uri


@TRACKERS.register
class Mlflow(Tracker):
    """MLflow: parameters, curves of each stage, final metrics, the verdict as a tag, the run folder as artifacts.

    A run that was stopped has the status KILLED until it is resumed.
    """

    also: ClassVar = ("ml_flow",)
    modules: ClassVar = ("mlflow",)
    examples: ClassVar = ["mlflow", {"mlflow": {"uri": "sqlite:///mlflow.db", "experiment": "stocks"}}]

    uri: Annotated[Text, AfterValidator(_without_password)] | None = Primary(
        None, description="the tracking server or store; by default MLflow's own choice, as `MLFLOW_TRACKING_URI`"
    )
    experiment: Text | None = None

    def open(self, run: TrackedRun) -> OpenTracker:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        client, kept, notes = MlflowClient(self.uri), run.kept.get("run_id"), []
        if kept is not None:
            try:
                client.update_run(kept, status="RUNNING")
                return _Logged(client, kept, run)
            except MlflowException as error:
                notes = [f"the run {kept} is not there any more ({error}), so that a new one begins"]
        name = self.experiment or run.name
        experiment = client.get_experiment_by_name(name)
        number = client.create_experiment(name) if experiment is None else experiment.experiment_id
        tags = {"dlspec.folder": str(run.folder), "mlflow.source.name": "dlspec"}
        opened = _Logged(client, client.create_run(number, tags=tags, run_name=run.title).info.run_id, run)
        opened.notes = [*notes, *opened.log_parameters(run.parameters)]
        return opened


class _Logged(OpenTracker):
    """A run of MLflow."""

    def __init__(self, client: Any, run_id: str, run: TrackedRun) -> None:
        super().__init__(f"run {run_id} in {client.tracking_uri}", {"run_id": run_id})
        self.client, self.run_id, self.folder = client, run_id, run.folder

    def log_parameters(self, parameters: Mapping[str, Any]) -> list[str]:
        """Returns what had to be cut."""
        from mlflow.entities import Param

        params = [
            Param(name, str(value)[:LONGEST_PARAMETER])
            for name, value in zip(_names(parameters), parameters.values(), strict=True)
        ]
        for part in _parts(params, MOST_PARAMETERS):
            self.client.log_batch(self.run_id, params=part, synchronous=True)
        cut = [name for name, value in parameters.items() if len(str(value)) > LONGEST_PARAMETER]
        return [f"values of more than {LONGEST_PARAMETER:,} characters were cut: {one_of(cut)}"] if cut else []

    def log(self, points: Sequence[Point]) -> None:
        self._log_metrics((values, point.epoch) for point in points for values in [point.named])

    def _log_metrics(self, steps: Iterable[tuple[Mapping[str, float], int]]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = (
            Metric(name, value, now, step)
            for values, step in steps
            for name, value in zip(_names(values), values.values(), strict=True)
        )
        for part in _parts(metrics, MOST_METRICS):
            self.client.log_batch(self.run_id, metrics=part, synchronous=True)

    def close(self, ending: Ending) -> None:
        self._log_metrics([(ending.values, 0)])
        for name, text in ending.texts.items():
            self.client.set_tag(self.run_id, f"dlspec.{name}", text[:LONGEST_TAG])
        for file in ending.files:
            parent = PurePosixPath(Path(file).as_posix()).parent
            self.client.log_artifact(self.run_id, str(self.folder / file), None if str(parent) == "." else str(parent))
        self.client.set_terminated(self.run_id, STATUS[ending.state])


def _names(names: Iterable[str]) -> Iterator[str]:
    """Names as MLflow takes them; those that become the same get a number."""
    seen: set[str] = set()
    for name in names:
        plain = re.sub(r"[^\w .:/-]", "_", name).strip("/")[-LONGEST_NAME:]
        plain = re.sub(r"(?<=/)/+|(?<![^/])\.+(?![^/])", "_", plain)  # a part that is empty, or `.` or `..`
        found, i = plain, 1
        while found in seen:
            i += 1
            found = f"{plain[: LONGEST_NAME - 8]}_{i}"
        seen.add(found)
        yield found


def _parts(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
