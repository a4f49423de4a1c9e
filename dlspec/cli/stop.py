"""`dlspec stop`: ends a run that another process trains."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option, with_plugins


@click.command("stop")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.option(
    "--wait", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="SECONDS",
    help="How long to wait at most until it has ended.",
)  # fmt: skip
@plugin_option
def command(run: Path, wait: float) -> int:
    """End a run that another process trains, after its step, as Ctrl-C does there.

    All that was learned is kept, and `dlspec run --resume RUN` goes on. A run that is being evaluated already comes to
    its end instead.

    \b
    Example:  dlspec stop runs/lstm_stock/001
    """
    from dlspec.runs.folder import open_run
    from dlspec.runs.stopping import stop

    if not stop(run, wait=wait):
        echo(f"`{run}` was asked to stop, and has not yet done so.")
        return 0
    if open_run(run).finished:
        echo(f"`{run}` came to its end.")
        return 0
    echo(f"`{run}` has stopped; what was learned is kept.")
    echo(f"Go on with:  {with_plugins(['dlspec', 'run', '--resume', str(run)])}")
    return 0
