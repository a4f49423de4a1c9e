"""`dlspec plan`: shows what a run would do."""

from __future__ import annotations

from typing import Any

import click

from dlspec.cli.output import load_and_warn, print_diagnostics, set_option


@click.command("plan")
@click.argument("file")
@set_option
def command(file: str, overrides: dict[str, Any]) -> int:
    """Show what the data are like, layers, shapes, parameters and training stages, without training.

    \b
    Example:  dlspec plan specs/lstm_stock.yaml
    """
    from rich.console import Console

    from dlspec.api import plan
    from dlspec.cli import DATA_ERROR, OK
    from dlspec.cli.tables import column_table, plan_tables, storage_line
    from dlspec.data_check import check_data
    from dlspec.data_check.table import summarize_columns
    from dlspec.diagnostics import DataError
    from dlspec.runs.jobs import load_data

    spec = load_and_warn(file, overrides)
    console = Console(emoji=False)
    code = OK
    try:
        data = load_data(spec)
    except DataError as error:
        print_diagnostics(error.diagnostics, error.texts)
        click.echo("", err=True)
        code = DATA_ERROR
    else:
        odd = check_data(spec, data)
        if odd:
            print_diagnostics(odd, spec.source.texts)
            click.echo("", err=True)
        code = DATA_ERROR if any(problem.is_error for problem in odd) else OK
        console.print(column_table(summarize_columns(spec, data.signature, data.columns), console.width))
        console.print(storage_line(data), style="dim", highlight=False, markup=False)
    for renderable in plan_tables(spec, plan(spec), console.width):
        console.print(renderable)
    return code
