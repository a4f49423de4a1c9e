"""`dlspec run`: trains a spec and writes its run folder."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.completion import complete_runs, complete_specs
from dlspec.cli.output import echo, load_and_warn, set_option
from dlspec.cli.plugins import plugin_option, with_plugins
from dlspec.cli.signals import lasting

if TYPE_CHECKING:
    from dlspec.cli.console import Console
    from dlspec.runs import Run
    from dlspec.spec.spec import Spec


@click.command("run")
@click.argument("files", nargs=-1, shell_complete=complete_specs)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder, instead of the next in runs/<name>/.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[RUN]",
    shell_complete=complete_runs,
    help="Go on with a run that was stopped; without RUN, with the last of the spec, or begin one.",
)
@click.option("--rehearse", is_flag=True, help="Take two batches through everything, and keep nothing.")
@click.option(
    "--quiet", is_flag=True, help="Print no more than warnings, errors, what falls short, and the run folder."
)
@click.option("--pictures", is_flag=True, help="Keep pictures of the training in the run folder, for the studio.")
@set_option
@plugin_option
def command(
    files: tuple[str, ...],
    out: Path | None,
    resume: str | None,
    rehearse: bool,
    quiet: bool,
    pictures: bool,
    overrides: dict[str, Any],
) -> int:
    """Pretrain, train and evaluate specs, and write their run folders.

    \b
    Example:  dlspec run specs/lstm_stock.yaml
              dlspec run specs/lstm_stock.yaml -s train.epochs=5
              dlspec run specs/lstm_stock.yaml --resume
              dlspec run --resume runs/lstm_stock/001
              dlspec run small.yaml large.yaml --quiet
              dlspec run specs/lstm_stock.yaml --rehearse
              dlspec run specs/lstm_stock.yaml --pictures

    The path of the run folder is printed last. Ctrl-C once ends a run after the step, twice at once; what was learned
    is kept. Several specs are all checked before the first is trained, and compared at the end, as by `dlspec compare`.
    --rehearse reads all data and tries every stage, the evaluation, the report and an export, in seconds. A result that
    falls short of `evaluate: {require: …}` ends with exit code 6, and all of it is kept.
    """
    if not files and resume and Path(resume).is_file():  # `run --resume SPEC`
        files, resume = (resume,), ""
    if not files and not resume:
        raise click.UsageError("name a spec, or --resume and a run folder")
    if resume is not None and out:
        raise click.UsageError("--resume goes on in the folder of the run, so it takes no --out")
    if not files and overrides:
        raise click.UsageError("--resume RUN goes on with a run as it was started, so it takes no --set")
    if len(files) > 1 and (out or resume is not None):
        raise click.UsageError("--out and --resume are of one run, and several specs are named")
    if rehearse and pictures:
        raise click.UsageError("--rehearse keeps nothing, so it takes no --pictures")
    if rehearse and (out or resume is not None):
        raise click.UsageError("--rehearse keeps nothing, so it takes no --out and no --resume")
    from dlspec.runtime.environment import typed_as
    from dlspec.spec.checks.base import STOPS_A_RUN

    with lasting(), typed_as(shlex.join(["dlspec", *sys.argv[1:]])):
        specs = [load_and_warn(file, overrides, but=STOPS_A_RUN) for file in files]
        if rehearse:
            return _rehearse(files, specs, quiet)
        if len(specs) > 1:
            return _run_all(files, specs, quiet, pictures)
        return _run(files[0] if files else None, specs[0] if specs else None, out, resume, quiet, pictures)


def _rehearse(files: Sequence[str], specs: Sequence[Spec], quiet: bool) -> int:
    """Each of the specs, until one does not run."""
    from dlspec import api
    from dlspec.cli import OK
    from dlspec.cli.progress import OnlyWarnings
    from dlspec.language.quantities import show_seconds

    for file, spec in zip(files, specs, strict=True):
        seconds = api.rehearse(spec, listener=OnlyWarnings())
        if not quiet:
            echo(f"`{file}` runs to its end; tried in {show_seconds(seconds)}, nothing is kept.")
    return OK


def _run_all(files: Sequence[str], specs: Sequence[Spec], quiet: bool, pictures: bool) -> int:
    """One spec behind the other, and what differs between their results; a spec that fails does not stop the others."""
    from dlspec import api
    from dlspec.cli import OK, STOPPED, TERMINATED, explain_error
    from dlspec.language.diagnostics.errors import DataError, DiagnosticError

    codes, folders = [], []
    for file, spec in zip(files, specs, strict=True):
        if not quiet:
            echo(f"\n=== {file}\n")
        try:
            code, folder = _train(file, spec, None, None, quiet, pictures)
        except DiagnosticError as error:
            code, folder = explain_error(error), None
        if code in (STOPPED, TERMINATED):
            return code
        codes.append(code)
        folders += [folder] if folder is not None else []
    if len(folders) > 1:
        try:
            echo(f"\n{api.compare(*folders)}", err=quiet)
        except DataError as error:
            explain_error(error)
    for folder in folders:
        echo(folder)
    return max(codes, default=OK)


def _run(file: str | None, spec: Spec | None, out: Path | None, resume: str | None, quiet: bool, pictures: bool) -> int:
    code, folder = _train(file, spec, out, resume, quiet, pictures)
    if folder is not None:
        echo(folder)
    return code


def _train(
    file: str | None, spec: Spec | None, out: Path | None, resume: str | None, quiet: bool, pictures: bool
) -> tuple[int, Path | None]:
    """Trains a spec, or goes on with a run, and prints its results; the exit code, and the folder where it finished."""
    from dlspec import api
    from dlspec.cli import FALLS_SHORT, OK, STOPPED, TERMINATED
    from dlspec.cli.console import Console
    from dlspec.cli.progress import OnlyWarnings, told_on
    from dlspec.runs import unfinished
    from dlspec.runs.listener import KeepPictures, Listeners
    from dlspec.training.progress import Stopped

    console = Console()
    listener = OnlyWarnings() if quiet else told_on(console)
    told = Listeners(listener, *([KeepPictures()] if pictures else []))
    folder = resume
    if spec and not resume and not out:
        stopped = unfinished(spec.name)
        if resume is not None:
            folder = str(stopped) if stopped else None
            echo(f"Going on with `{folder}`." if folder else "There is nothing to go on with; a run begins.", err=True)
        elif stopped and not quiet:
            again = with_plugins(["dlspec", "run", file or "", "--resume"])
            echo(f"`{stopped}` was stopped; `{again}` would go on with it.\n", err=True)
    try:
        if folder:
            finished = api.resume(folder, spec=spec, listener=told)
        else:
            assert spec is not None, "there is a spec, or a run folder"
            finished = api.run(spec, out=out, listener=told)
    except Stopped as stop:
        listener.close()
        echo("\nStopped; what was learned is kept.", err=True)
        again = with_plugins(["dlspec", "run", "--resume", str(stop.folder)])
        echo(f"Go on with:  {again}", err=True)
        return (TERMINATED if stop.terminated else STOPPED), None
    finally:
        listener.close()
    if not quiet:
        _print_results(console, finished)
    short = [found.sentence for found in finished.metrics.require if not found.met]
    for sentence in short:
        echo(f"{finished.folder}: {sentence}", err=True)
    return (FALLS_SHORT if short else OK), finished.folder


def _print_results(console: Console, finished: Run) -> None:
    from dlspec.cli.tables import fold_table, result_table
    from dlspec.language.quantities import show_seconds

    def line(text: str, style: str | None = None) -> None:
        console.print(text, style=style, highlight=False, markup=False)

    metrics = finished.metrics
    for name, own in (finished.outputs or {"": finished}).items():
        console.print(result_table(own, f"{name}, on the test part: {own.data.target.name}" if name else ""))
        line(own.metrics.verdict.sentence)
        if own.metrics.folds is not None:
            console.print(fold_table(own, own.metrics.folds, name))
            line(own.metrics.folds.sentence)
        if own.metrics.compare is not None:
            line(own.metrics.compare.without_pretraining.sentence)
    for found in metrics.require:
        if found.met:
            line(found.sentence)
    for note in metrics.notes:
        line(note, "dim")
    for name, of_output in metrics.outputs.items():
        for note in of_output.notes:
            line(f"{name}: {note}", "dim")
    line(f"\n{show_seconds(finished.environment.seconds)}; open {finished.report}")
