"""`dlspec evaluate`: a run judged by labelled data that it has not seen."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option

if TYPE_CHECKING:
    from rich.table import Table

    from dlspec.runs.evaluating import Evaluated

MOST_SHOWN = 12
"""Columns of which the terminal says what is different."""
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("evaluate")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--report", type=NEW_FILE, help="Draw the page of the results into this file.")
@click.option("--predictions", type=NEW_FILE, help="Write truth, network and baselines, a row each, as CSV.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all figures.")
@plugin_option
def command(run: Path, file: Path, report: Path | None, predictions: Path | None, as_json: bool) -> int:
    """Judge a finished run by labelled data that it has not seen.

    FILE has the columns of the data, the target among them; for a run trained on pictures, sounds, texts or arrays it
    is a folder, a table of files or an `.npz` file; `-` is standard input. Printed are the metrics with their
    intervals, the baselines as the run fitted them, the verdict, and what is different about these data: words and
    labels that the network does not know, values outside the range of training, distributions that have changed. Rows
    that cannot be judged are counted, and so are those that the network was trained on. Forecasts of a series look
    back to the data of the run where FILE goes on from them. Where these data fall short of `evaluate: {require: …}` of
    the spec, the exit code is 6.

    \b
    Example:  dlspec evaluate runs/churn/001 june.csv
              dlspec evaluate runs/churn/001 june.csv --report june.html --json > june.json
    """
    import json
    import sys

    from dlspec import api
    from dlspec.cli import FALLS_SHORT, OK
    from dlspec.cli.console import Console
    from dlspec.cli.predict import standard_input
    from dlspec.language.diagnostics.errors import DataError
    from dlspec.runs.names import file_of
    from dlspec.runs.results import as_cells
    from dlspec.runtime.files import write_text, written_whole

    for path in (report, predictions):
        if path is not None and path.exists():
            raise DataError.of("cannot-write", f"`{path}` is there already", help="name another file")
    with standard_input() if str(file) == "-" else nullcontext(file) as given:
        found = api.evaluate(run, given, note=partial(echo, err=True))
    if report is not None:
        from dlspec.runtime.packages import REPORT, require
        from dlspec.views.report import render_evaluation

        require(*REPORT, what="a report")
        write_text(report, render_evaluation(found))
    outputs = found.each_output or {"": found}
    if predictions is not None:
        for name, own in outputs.items():
            of_output = predictions.with_name(file_of(predictions.name, "" if own is found else name))
            with written_whole(of_output) as draft:
                as_cells(own.predictions.copy()).to_csv(draft, index=False)
    short = [
        f"{name}: {each.sentence}" if name else each.sentence
        for name, own in outputs.items()
        for each in own.metrics.require
        if not each.met
    ]
    for sentence in short:
        echo(sentence, err=True)
    code = FALLS_SHORT if short else OK
    if as_json:
        echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        return code
    from dlspec.cli.tables import result_table

    console = Console(file=sys.stdout)
    for name, own in outputs.items():
        of = f"{name}, " if name else ""
        console.print(result_table(own, f"{of}{own.judged_in_words}: {own.data.target.name}"))
        console.print(own.metrics.verdict.sentence, highlight=False, markup=False)
    if table := _different(found):
        console.print(table)
    for note in dict.fromkeys(note for own in outputs.values() for note in own.metrics.notes):
        console.print(note, style="dim", highlight=False, markup=False)
    return code


def _different(found: Evaluated) -> Table | None:
    """What is worth saying of columns, those that have changed most first; None: nothing."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    worth = [each for each in found.differences if each.sentence]
    if not worth:
        return None
    worth.sort(key=lambda each: (not each.drifted, -(each.apart or 0.0)))
    heading = Text("what is different")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=heading, title_justify="left", show_header=False)
    table.add_column("")
    table.add_column("")
    for each in worth[:MOST_SHOWN]:
        table.add_row(Text(each.column), Text(each.sentence), style="bold" if each.drifted else "")
    if len(worth) > MOST_SHOWN:
        table.add_row("", f"and {len(worth) - MOST_SHOWN:,} more columns")
    return table
