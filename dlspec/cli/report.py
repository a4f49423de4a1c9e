"""`dlspec report`: draws the report of a run anew."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@plugin_option
def command(run: Path) -> int:
    """Write the report of a finished run again, from the files in its folder.

    \b
    Example:  dlspec report runs/lstm_stock/001
    """
    from dlspec.api import report

    echo(report(run))
    return 0
