"""Weights & Biases."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from dlspec.language.fields import Primary, Text
from dlspec.runtime.trackers.base import TRACKERS, Ending, OpenTracker, Point, TrackedRun, Tracker

SETTINGS: Mapping[str, Any] = {
    "console": "off",
    "silent": True,
    **dict.fromkeys(("disable_code", "disable_git", "disable_job_creation"), True),
    **dict.fromkeys(("x_disable_meta", "x_disable_stats", "x_disable_machine_info"), True),
    **dict.fromkeys(("save_code", "x_save_requirements"), False),
}
"""What W&B would add of its own accord is left out: it would be of the tracker's process, or tell too much."""


@TRACKERS.register
class Wandb(Tracker):
    """Weights & Biases: parameters, curves of each stage, final metrics and verdict in the summary, the run folder as
    an artifact.

    The key of an account is that of `wandb login` or `WANDB_API_KEY`, never of a spec. Neither code, command line,
    git state nor measurements of the machine are sent.
    """

    also: ClassVar = ("weights_and_biases", "wb")
    modules: ClassVar = ("wandb",)
    examples: ClassVar = ["wandb", {"wandb": {"project": "stocks", "entity": "team", "mode": "offline"}}]

    project: Text | None = Primary(None, description="by default the name of the spec, or `WANDB_PROJECT`")
    entity: Text | None = None
    mode: Literal["online", "offline"] = "online"

    def open(self, run: TrackedRun) -> OpenTracker:
        import wandb

        known = wandb.Settings.model_fields  # names that begin with `x_` come and go
        settings = wandb.Settings(**{name: value for name, value in SETTINGS.items() if name in known})
        opened = wandb.init(
            project=self.project or os.environ.get("WANDB_PROJECT") or run.name,
            entity=self.entity,
            mode=self.mode,
            id=run.kept.get("id"),
            resume="allow" if run.kept and self.mode == "online" else None,
            name=run.title,
            config=None if run.kept else dict(run.parameters),
            settings=settings,
        )
        return _Logged(opened, run)


class _Logged(OpenTracker):
    """A run of Weights & Biases, whose curves have the epochs of their stage as x axis."""

    def __init__(self, opened: Any, run: TrackedRun) -> None:
        offline = opened.settings.sync_dir if opened.url is None else None
        super().__init__(opened.url or f"wandb sync {offline}", {"id": opened.id})
        self.run, self.folder, self.stages = opened, run.folder, set[str]()

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            if point.stage not in self.stages:
                self.stages.add(point.stage)
                self.run.define_metric(f"{point.stage}/*", step_metric=f"{point.stage}/epoch")
            self.run.log({**point.named, f"{point.stage}/epoch": point.epoch}, step=point.number)

    def close(self, ending: Ending) -> None:
        import wandb

        self.run.summary.update({"state": ending.state, **ending.values, **ending.texts})
        if ending.files:
            artifact = wandb.Artifact(f"run-{self.run.id}", type="run")
            for file in ending.files:
                artifact.add_file(str(self.folder / file), name=file)
            self.run.log_artifact(artifact)
        self.run.finish(exit_code=0 if ending.state == "finished" else 1)
