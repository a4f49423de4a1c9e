"""`dlspec run`: trains a spec and writes its run folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from dlspec.cli.completion import complete_runs, complete_specs
from dlspec.cli.output import echo, load_and_warn, set_option
from dlspec.cli.plugins import plugin_option, with_plugins
from dlspec.cli.signals import lasting

STOPS_A_RUN = ("data-not-found", "data-unreadable", "missing-package", "several-outputs", "too-few-rows")
"""Warnings of `validate` that are errors of a run, which says them itself."""


@click.command("run")
@click.argument("file", required=False, shell_complete=complete_specs)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder, instead of the next in runs/<name>/.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[RUN]",
    shell_complete=complete_runs,
    help="Go on with a run that was stopped; without RUN, with the last of the spec, or begin one.",
)
@set_option
@plugin_option
def command(file: str | None, out: Path | None, resume: str | None, overrides: dict[str, Any]) -> int:
    """Pretrain, train and evaluate a spec, and write its run folder.

    \b
    Example:  dlspec run specs/lstm_stock.yaml
              dlspec run specs/lstm_stock.yaml -s train.epochs=5
              dlspec run specs/lstm_stock.yaml --resume
              dlspec run --resume runs/lstm_stock/001

    The path of the run folder is printed last. Ctrl-C once ends a run after the step, twice at once; what was learned
    is kept.
    """
    if file is None and resume and Path(resume).is_file():  # `run --resume SPEC`
        file, resume = resume, ""
    if file is None and not resume:
        raise click.UsageError("name a spec, or --resume and a run folder")
    if resume is not None and out:
        raise click.UsageError("--resume goes on in the folder of the run, so it takes no --out")
    if file is None and overrides:
        raise click.UsageError("--resume RUN goes on with a run as it was started, so it takes no --set")
    from dlspec.runtime.environment import typed_as

    with lasting(), typed_as(shlex.join(["dlspec", *sys.argv[1:]])):
        return _run(file, out, resume, overrides)


def _run(file: str | None, out: Path | None, resume: str | None, overrides: dict[str, Any]) -> int:
    from dlspec import api
    from dlspec.cli import OK, STOPPED, TERMINATED
    from dlspec.cli.console import Console
    from dlspec.cli.progress import told_on
    from dlspec.cli.tables import fold_table, result_table
    from dlspec.language.fields import show_seconds
    from dlspec.runs import unfinished
    from dlspec.training.progress import Stopped

    console = Console()
    listener = told_on(console)
    spec = None if file is None else load_and_warn(file, overrides, but=STOPS_A_RUN)
    folder = resume
    if spec and not resume and not out:
        stopped = unfinished(spec.name)
        if resume is not None:
            folder = str(stopped) if stopped else None
            echo(f"Going on with `{folder}`." if folder else "There is nothing to go on with; a run begins.", err=True)
        elif stopped:
            again = with_plugins(["dlspec", "run", file or "", "--resume"])
            echo(f"`{stopped}` was stopped; `{again}` would go on with it.\n", err=True)
    try:
        if folder:
            finished = api.resume(folder, spec=spec, listener=listener)
        else:
            assert spec is not None, "there is a spec, or a run folder"
            finished = api.run(spec, out=out, listener=listener)
    except Stopped as stop:
        listener.close()
        echo("\nStopped; what was learned is kept.", err=True)
        again = with_plugins(["dlspec", "run", "--resume", str(stop.folder)])
        echo(f"Go on with:  {again}", err=True)
        return TERMINATED if stop.terminated else STOPPED
    finally:
        listener.close()
    console.print(result_table(finished))
    metrics = finished.metrics
    console.print(metrics.verdict.sentence, highlight=False, markup=False)
    if metrics.folds is not None:
        console.print(fold_table(finished, metrics.folds))
        console.print(metrics.folds.sentence, highlight=False, markup=False)
    if metrics.compare is not None:
        console.print(metrics.compare.without_pretraining.sentence, highlight=False, markup=False)
    for note in metrics.notes:
        console.print(note, style="dim", highlight=False, markup=False)
    console.print(
        f"\n{show_seconds(finished.environment.seconds)}; open {finished.report}", highlight=False, markup=False
    )
    echo(finished.folder)
    return OK
