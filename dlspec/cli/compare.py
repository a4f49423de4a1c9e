"""`dlspec compare`: finished runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option

if TYPE_CHECKING:
    from rich.table import Table

    from dlspec.views.comparison import Grid

STYLES = {"own": "bold", "quiet": "dim", "": ""}


@click.command("compare")
@click.argument(
    "runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN...", shell_complete=complete_runs
)
@click.option("--out", type=click.Path(path_type=Path), help="Write a page with all of it and the curves of training.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all that was compared.")
@plugin_option
def command(runs: tuple[Path, ...], out: Path | None, as_json: bool) -> int:
    """Put finished runs side by side: what their specs have that differs, their metrics, and which one is better.

    Two runs that were tested on the same rows of the same data are compared sample by sample, by the rule of the
    verdict, and classes by McNemar's test, too. Of more runs, each is compared with the first. Nothing is trained.

    \b
    Example:  dlspec compare runs/lstm_stock/001 runs/lstm_stock/002
              dlspec compare runs/lstm_stock/00* --out compare.html
    """
    import json

    from dlspec.api import compare

    if len(runs) < 2:
        raise click.UsageError("name two runs or more")
    found = compare(*runs)
    if as_json:
        echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        from dlspec.cli.console import Console

        console = Console()
        for grid in found.grids:
            console.print(_table(grid))
        for sentence in found.sentences:
            console.print(sentence, highlight=False, markup=False)
    if out is not None:
        page = found.write_page(out)
        echo(page, err=as_json)
    return 0


def _table(grid: Grid) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    own_title = None if grid.title == grid.heads[0] else Text(grid.title)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=own_title, title_justify="left")
    for place, head in enumerate(grid.heads):
        table.add_column(Text(head), justify="right" if grid.numbers and place else "left", overflow="fold")
    for sort, row in grid.lines():
        table.add_row(*map(Text, row), style=STYLES[sort])
    return table
