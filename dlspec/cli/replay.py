"""`dlspec replay`: trains a run again, and says whether the same came of it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option
from dlspec.cli.signals import lasting

if TYPE_CHECKING:
    from rich.table import Table

    from dlspec.runs import Replay


@click.command("replay")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.option("--out", type=click.Path(path_type=Path), help="Keep the new run in this folder.")
@click.option("--json", "as_json", is_flag=True, help="For programs: the verdict and all that was compared.")
@plugin_option
def command(run: Path, out: Path | None, as_json: bool) -> int:
    """Train a finished run again, and say whether the same came of it.

    Weights, losses, predictions and metrics are compared: `equal` to the last bit, `equal within tolerance`, or
    `differs`. What is not as it was is listed: libraries, device, threads, flags. Data that have changed are said
    before anything is trained. Without --out nothing is kept of the new run.

    \b
    Example:  dlspec replay runs/lstm_stock/001
              dlspec replay runs/lstm_stock/001 --out again --json

    Exit code 0: equal, also within tolerance; 4: differs; 3: the data have changed, or the run is not finished.
    """
    from dlspec.runtime.environment import typed_as

    with lasting(), typed_as(shlex.join(["dlspec", *sys.argv[1:]])):
        return _replay(run, out, as_json)


def _replay(run: Path, out: Path | None, as_json: bool) -> int:
    import json

    from dlspec import api
    from dlspec.cli import OK, STOPPED, TERMINATED, TRAINING_FAILED
    from dlspec.cli.console import Console
    from dlspec.cli.progress import told_on
    from dlspec.runs.listener import Listener
    from dlspec.training.progress import Stopped

    console = Console()
    shown = told_on(console)
    listener: Listener = Listener() if as_json else shown
    try:
        found = api.replay(run, out, listener=listener)
    except Stopped as stop:
        shown.close()
        echo("\nStopped; the two runs were not compared.", err=True)
        return TERMINATED if stop.terminated else STOPPED
    finally:
        shown.close()
    if as_json:
        echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        console.print(compared_table(found))
        for title, rows in (("test part", _scores(found)), ("surroundings", _changes(found))):
            if rows:
                console.print(_before_and_now(title, rows))
        console.print(found.sentence, highlight=False, markup=False)
        if out is not None:
            echo(out)
    return TRAINING_FAILED if found.verdict == "differs" else OK


def compared_table(found: Replay) -> Table:
    """How far weights, losses, predictions and metrics are apart."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("compared", no_wrap=True)
    table.add_column("largest difference, of its scale")
    table.add_column("where")
    for one in found.comparisons:
        apart = "none" if one.equal else f"{one.difference:.1e}"
        table.add_row(Text(one.what), Text(apart, style="" if one.close else "bold red"), Text(one.where))
    return table


def _before_and_now(title: str, rows: list[tuple[str, str, str]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in (title, "before", "now"):
        table.add_column(heading, no_wrap=heading == title)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _scores(found: Replay) -> list[tuple[str, str, str]]:
    """Metrics of the test part that are not the same."""

    def show(value: float | None) -> str:
        return "cannot be computed" if value is None else f"{value:.7g}"

    return [(name, show(before), show(now)) for name, (before, now) in found.scores.items() if before != now]


def _changes(found: Replay) -> list[tuple[str, str, str]]:
    def show(value: Any) -> str:
        if value is None:
            return "not set" if name.isupper() else "not recorded"
        return ", ".join(map(str, value)) or "nothing" if isinstance(value, list) else str(value)

    rows = []
    for change in found.changes:
        name = change.name
        rows.append((name, show(change.before), show(change.now)))
    return rows
