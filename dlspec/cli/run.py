"""`dlspec run`: trains a spec and writes its run folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from dlspec.cli.output import load_and_warn, set_option

STOPS_A_RUN = ("data-not-found", "data-unreadable", "several-outputs", "too-few-rows")
"""Warnings of `validate` that are errors of a run, which says them itself."""


@click.command("run")
@click.argument("file", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder, instead of the next in runs/<name>/.")
@click.option("--resume", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a run that was stopped.")
@set_option
def command(file: str | None, out: Path | None, resume: Path | None, overrides: dict[str, Any]) -> int:
    """Pretrain, train and evaluate a spec, and write its run folder.

    \b
    Example:  dlspec run specs/lstm_stock.yaml
              dlspec run specs/lstm_stock.yaml -s train.epochs=5
              dlspec run --resume runs/lstm_stock/001

    The path of the run folder is printed last.
    """
    if file is None and resume is None:
        raise click.UsageError("name a spec, or --resume and a run folder")
    if file is not None and resume is not None:
        raise click.UsageError("--resume goes on with the spec of its run folder; leave the spec out")
    if resume is not None and (overrides or out):
        raise click.UsageError("--resume goes on with a run as it was started, so it takes no --set and no --out")
    from rich.console import Console

    from dlspec import api
    from dlspec.cli import OK, STOPPED
    from dlspec.cli.progress import LiveTable, PlainLines
    from dlspec.cli.tables import fold_table, format_seconds, result_table
    from dlspec.runs import unfinished
    from dlspec.training import Stopped

    console = Console(emoji=False)
    listener: LiveTable | PlainLines = LiveTable(console) if console.is_terminal else PlainLines(console)
    typed = shlex.join(["dlspec", *sys.argv[1:]])
    spec = None if file is None else load_and_warn(file, overrides, but=STOPS_A_RUN)
    stopped = unfinished(spec.name) if spec and not out else None
    if stopped:
        click.echo(f"`{stopped}` was stopped; `dlspec run --resume {stopped}` would go on with it.\n", err=True)
    try:
        if spec is None:
            finished = api.resume(resume or "", listener=listener, command=typed)
        else:
            finished = api.run(spec, out=out, listener=listener, command=typed)
    except Stopped as stop:
        listener.close()
        click.echo("\nStopped; what was learned is kept.", err=True)
        click.echo(f"Go on with:  dlspec run --resume {shlex.quote(str(stop.folder))}", err=True)
        return STOPPED
    finally:
        listener.close()
    console.print(result_table(finished))
    console.print(finished.metrics["verdict"]["sentence"], highlight=False, markup=False)
    if "folds" in finished.metrics:
        console.print(fold_table(finished))
        console.print(finished.metrics["folds"]["sentence"], highlight=False, markup=False)
    for comparison in finished.metrics.get("compare", {}).values():
        console.print(comparison["sentence"], highlight=False, markup=False)
    for note in finished.metrics["notes"]:
        console.print(note, style="dim", highlight=False, markup=False)
    console.print(
        f"\n{format_seconds(finished.environment['seconds'])}; open {finished.report}", highlight=False, markup=False
    )
    click.echo(finished.folder)
    return OK
