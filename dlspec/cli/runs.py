"""`dlspec runs`: the runs in a folder, how each ended and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option

if TYPE_CHECKING:
    from rich.text import Text

    from dlspec.runs import RunSummary

COLORS = {
    "finished": "green",
    "running": "blue",
    "failed": "bold red",
    "unreadable": "bold red",
    "stopped": "yellow",
    "interrupted": "yellow",
    "unfinished": "yellow",
}
SORTINGS = ("time", "metric", "name")
VERDICTS = {"better": "better", "level": "level", "worse": "worse", "too_few": "not told", "alone": "not told"}
HEADS = ("run", "state", "network", "best guess", "verdict", "took", "when")
LONGEST_RUN, LEAST_RUN = 48, 20
"""Columns of a terminal for the name of a run, however wide that is."""
LEFT_OUT_FIRST = ("took", "when")
"""Where the terminal is too narrow for all."""


@click.command("runs")
@click.argument("folder", type=click.Path(path_type=Path), default="runs")
@click.option("--sort", type=click.Choice(SORTINGS), default="time", help="What the last of the list has most of.")
@click.option("--state", type=click.Choice(list(COLORS)), help="Only the runs of this state.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all that is known of each run.")
@plugin_option
def command(folder: Path, sort: str, state: str | None, as_json: bool) -> int:
    """List the runs in a folder: how each ended, and its result beside the best simple guess.

    Folders below are searched too, five deep. The newest run comes last; with --sort metric the best. A run that failed
    or was stopped says why.

    \b
    Example:  dlspec runs
              dlspec runs experiments --sort metric
              dlspec runs --state failed
    """
    import json

    from dlspec.runs.listing import list_runs  # not by way of `api`, which loads what reads specs

    found = list_runs(folder, sort=sort, state=state)
    if as_json:
        echo(json.dumps([summary.as_json() for summary in found], indent=2, ensure_ascii=False))
        return 0
    if not found:
        of = f" of the state `{state}`" if state else ""
        echo(f"There is no run{of} in `{folder}`.")
        return 0
    from dlspec.cli.console import Console

    console = Console(highlight=False)
    console.print(list_of_runs(found, console.width), soft_wrap=True)
    return 0


def list_of_runs(found: Sequence[RunSummary], width: int) -> Text:
    """A line for each run, and below it why it is not finished; each as wide as the terminal at most."""
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    from dlspec.language.diagnostics.text import visible

    for intervals, left_out in ((True, 0), (True, 1), (True, 2), (False, 0), (False, 1), (False, 2)):
        rows = [_cells(summary, intervals) for summary in found]
        widths = [max(cell_len(row[i]) for row in (HEADS, *rows)) for i in range(len(HEADS))]
        shown = [i for i in range(len(HEADS)) if any(row[i] for row in rows)]
        shown = [i for i in shown if HEADS[i] not in LEFT_OUT_FIRST[:left_out]]
        room = width - sum(widths[i] + 2 for i in shown if i)
        if room >= min(widths[0], LEAST_RUN):
            break
    widths[0] = min(widths[0], max(LEAST_RUN, min(LONGEST_RUN, room)))

    def line(row: Sequence[str]) -> list[str]:
        cells = [_cut_in_front(row[0], widths[0]), *row[1:]]
        return [set_cell_size(cells[i], widths[i]) for i in shown]

    text = Text(no_wrap=True)
    text.append("  ".join(line(HEADS)).rstrip() + "\n", "dim")
    for row, summary in zip(rows, found, strict=True):
        name, state, *rest = line(row)
        text.append(f"{name}  ")
        text.append(state.rstrip(), COLORS[summary.state])
        text.append("  ".join([state[len(state.rstrip()) :], *rest]).rstrip() + "\n")
        if summary.reason:
            reason = " ".join(visible(summary.reason).split())
            text.append(f"    {_cut(reason, width - 4)}\n", "dim")
    text.right_crop(1)
    return text


def _cells(summary: RunSummary, intervals: bool) -> list[str]:
    from dlspec.language.diagnostics.text import visible
    from dlspec.language.quantities import show_seconds

    network, guess = _figures(summary, intervals)
    return [
        visible(summary.name),
        summary.state,
        network,
        guess,
        "" if summary.verdict is None else VERDICTS[summary.verdict],
        "" if summary.seconds is None else show_seconds(summary.seconds),
        "" if summary.began is None else _when(summary.began),
    ]


def _when(began: str) -> str:
    """`11-30 16:05`, in the time of this machine; of another year `2025-11-30`."""
    from datetime import datetime

    moment = datetime.fromisoformat(began).astimezone()
    return f"{moment:%m-%d %H:%M}" if moment.year == datetime.now().year else f"{moment:%Y-%m-%d}"


def _figures(summary: RunSummary, intervals: bool) -> tuple[str, str]:
    """The network's value, with its interval, and that of the best simple guess, each with its name."""
    from dlspec.evaluation.metrics import METRICS

    if summary.metric is None:
        return "", ""
    values = [summary.value, summary.baseline_value]
    label, shown = summary.metric, ["none" if value is None else f"{value:.4g}" for value in values]
    lies = ""
    if summary.metric in METRICS:
        kind = METRICS[summary.metric]
        label, shown = kind.label, kind.show_all(values)
        lies = "" if summary.interval is None or not intervals else f" ({kind.show_interval(summary.interval)})"
    return f"{label} {shown[0]}{lies}", "" if summary.baseline is None else f"{summary.baseline} {shown[1]}"


def _cut(text: str, width: int) -> str:
    """The text in so many columns of a terminal, with `…` where something is left out."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else set_cell_size(text, max(1, width - 1)).rstrip() + "…"


def _cut_in_front(name: str, width: int) -> str:
    """The end of a path, which tells one run from another."""
    from rich.cells import cell_len

    if cell_len(name) <= width:
        return name
    while cell_len(name) >= width:
        name = name[1:]
    return f"…{name}"
