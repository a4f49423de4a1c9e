"""What `run` shows while it trains: a table that is redrawn on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dlspec.cli.console import Console
from dlspec.cli.output import echo, print_diagnostics
from dlspec.cli.tables import data_line, plan_tables
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.quantities import show_seconds
from dlspec.runs.listener import Listener
from dlspec.spec.spec import Spec
from dlspec.training.plan import Plan, Stage
from dlspec.training.progress import HistoryRow

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared


class OnlyWarnings(Listener):
    """Prints what is odd about the data to standard error, and what is worth reading after the run."""

    def close(self) -> None:
        """Nothing is left open."""

    def remark(self, text: str) -> None:
        echo(text, err=True)

    def warns(self, warnings: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
        if warnings:
            print_diagnostics(warnings, texts)
            echo("", err=True)


class PlainLines(OnlyWarnings):
    """One line an epoch, for files and pipes: no colors, no cursor."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.epochs = 0
        self.samples = 0

    def line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begins(self, spec: Spec, plan: Plan, data: Prepared) -> None:
        for table in plan_tables(spec, plan, self.console.width):
            self.console.print(table)
        self.line(data_line(data))

    def ready(self, device: str) -> None:
        self.line(f"device: {device}")

    def stage_begins(self, stage: Stage, samples: int, steps: int) -> None:
        self.epochs, self.samples = stage.epochs, samples
        self.line(f"{stage.name}: {samples:,} samples, {steps} steps an epoch")

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        held_out = "" if row.val_loss is None else f"  val_loss {row.val_loss:.5g}"
        speed = self.samples / row.seconds if row.seconds else 0.0
        self.line(f"{stage.name} {row.epoch}/{self.epochs}  loss {row.loss:.5g}{held_out}  {speed:,.0f} samples/s")

    def stage_ends(self, stage: Stage, reason: str) -> None:
        self.line(f"{stage.name}: done ({reason})")

    def note(self, text: str) -> None:
        self.line(text)

    def remark(self, text: str) -> None:
        self.line(text)


class LiveTable(OnlyWarnings):
    """A row a stage, redrawn while it trains: epoch, losses, throughput, time left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.rows: dict[str, dict[str, Any]] = {}
        self.status = ""
        self.live = Live(console=console, get_renderable=self.draw, refresh_per_second=8)

    def begins(self, spec: Spec, plan: Plan, data: Prepared) -> None:
        for table in plan_tables(spec, plan, self.console.width):
            self.console.print(table)
        self.console.print(data_line(data), style="dim", highlight=False, markup=False)
        self.rows = {stage.name: {"epochs": stage.epochs, "state": "waits"} for stage in plan.stages}
        self.status = "loading TensorFlow …"
        self.live.start()

    def ready(self, device: str) -> None:
        self.status = ""
        self.console.print(f"device: {device}", style="dim", highlight=False, markup=False)

    def close(self) -> None:
        """Leaves the terminal as it was; may be called twice."""
        self.status = ""
        if self.live.is_started:
            self.live.stop()

    def stage_begins(self, stage: Stage, samples: int, steps: int) -> None:
        for name, row in self.rows.items():  # done before the run was stopped
            if name == stage.name:
                break
            if row["state"] == "waits":
                row["state"] = "earlier"
        self.rows[stage.name] |= {
            "state": "starts",
            "samples": samples,
            "steps": steps,
            "epoch": 0,
            "share": 0.0,
            "began": time.monotonic(),
        }

    def step_ends(self, stage: Stage, epoch: int, step: int, loss: float) -> None:
        row = self.rows[stage.name]
        row |= {"state": "trains", "epoch": epoch, "share": (epoch - 1 + step / row["steps"]) / stage.epochs}
        row.setdefault("loss", loss)

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        state = self.rows[stage.name]
        if "first" not in state:  # the first epoch compiles, and says nothing of the speed
            state["first"] = row.epoch
            state["began"] = time.monotonic()
        elif row.epoch > state["first"]:
            state["epoch_seconds"] = (time.monotonic() - state["began"]) / (row.epoch - state["first"])
        state |= {
            "loss": row.loss,
            "val_loss": row.val_loss,
            "seconds": row.seconds,
            "share": row.epoch / stage.epochs,
        }

    def stage_ends(self, stage: Stage, reason: str) -> None:
        self.rows[stage.name] |= {"state": "done", "reason": reason, "share": 1.0}

    def note(self, text: str) -> None:
        self.status = text

    def goes_on(self, text: str) -> None:
        self.status = text

    def remark(self, text: str) -> None:
        self.console.print(text, style="dim", highlight=False, markup=False)

    def draw(self) -> RenderableType:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("stage")
        table.add_column("", width=16)
        for heading in ("epoch", "loss", "val_loss", "samples/s", "left"):
            table.add_column(heading, justify="right")
        for name, row in self.rows.items():
            table.add_row(name, *self._cells(row), style="dim" if row["state"] == "waits" else "")
        return Group(table, Text(self.status, style="dim")) if self.status else table

    def _cells(self, row: dict[str, Any]) -> list[RenderableType]:
        if row["state"] in ("waits", "starts", "earlier"):
            words = {"waits": "", "starts": "compiling", "earlier": "done before"}
            return [words[row["state"]], "" if row["state"] == "earlier" else f"0/{row['epochs']}", "", "", "", ""]
        speed = row["samples"] / row["seconds"] if row.get("seconds") else math.nan
        left = "" if row["state"] == "done" else "…"
        if row["state"] == "trains" and "epoch_seconds" in row:
            left = show_seconds(row["epoch_seconds"] * row["epochs"] * (1 - row["share"]))
        elif row["state"] == "done" and row["reason"] != "all epochs":
            left = "stopped early"
        val_loss = row.get("val_loss")
        return [
            ProgressBar(total=1.0, completed=row["share"], width=16),
            f"{row['epoch']}/{row['epochs']}",
            f"{row['loss']:.5g}",
            "" if val_loss is None else f"{val_loss:.5g}",
            "" if math.isnan(speed) else f"{speed:,.0f}",
            left,
        ]


def told_on(console: Console) -> LiveTable | PlainLines:
    """What shows a training: the table needs a terminal with a cursor."""
    return LiveTable(console) if sys.stdout.isatty() and not console.is_dumb_terminal else PlainLines(console)
