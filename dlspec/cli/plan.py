"""`dlspec plan`: shows what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.completion import complete_specs
from dlspec.cli.output import echo, load_and_warn, print_diagnostics, set_option
from dlspec.cli.plugins import plugin_option

if TYPE_CHECKING:
    from dlspec.cli.console import Console
    from dlspec.data.preparation import Prepared
    from dlspec.spec.spec import Spec


@click.command("plan")
@click.argument("file", shell_complete=complete_specs)
@set_option
@plugin_option
def command(file: str, overrides: dict[str, Any]) -> int:
    """Show what the data are like, layers, shapes, parameters and training stages, without training.

    \b
    Example:  dlspec plan specs/lstm_stock.yaml
    """
    from dlspec.api import plan
    from dlspec.cli.console import Console
    from dlspec.cli.tables import plan_tables
    from dlspec.runs.job import plan_of, too_large
    from dlspec.runtime.memory import machine_memory

    spec = load_and_warn(file, overrides)
    console = Console()
    code, data = _show_data(spec, console)
    planned = plan(spec) if data is None else plan_of(spec, data)
    warnings = too_large(spec, planned, planned.samples, machine_memory(), "this machine has {}")
    if warnings:
        print_diagnostics(warnings, spec.document.texts)
        echo("", err=True)
    for renderable in plan_tables(spec, planned, console.width, ahead=True):
        console.print(renderable)
    return code


def _show_data(spec: Spec, console: Console) -> tuple[int, Prepared | None]:
    """The columns, and what is odd about them. Data that are not there were spoken of before.

    Returns:
        The exit code, and the data where nothing is wrong with them.
    """
    from dlspec.cli import DATA_ERROR, OK
    from dlspec.cli.tables import column_table, storage_line
    from dlspec.data.checks.table import summarize_columns
    from dlspec.data.not_seen import in_words, not_seen
    from dlspec.data.training_rows import deciding_source
    from dlspec.language.diagnostics.errors import DataError
    from dlspec.runs.job import columns_as_read, find_oddities, load_or_tell

    try:
        deciding_source(spec.data, spec.seed).describe()
    except DataError as error:
        if any(problem.code == "missing-package" for problem in error.diagnostics):
            raise
        return OK, None
    try:
        data = load_or_tell(spec)
        problems, texts = find_oddities(spec, data), dict(spec.document.texts)
    except DataError as error:
        data, problems, texts = None, error.diagnostics, dict(error.texts)
    if problems:
        print_diagnostics(problems, texts)
        echo("", err=True)
    try:
        signature, columns = (data.signature, data.columns) if data is not None else columns_as_read(spec)
    except DataError:  # what is wrong was said
        return DATA_ERROR, None
    console.print(column_table(summarize_columns(spec.data, signature, columns), console.width))
    left_out = in_words(not_seen(spec.data, deciding_source(spec.data, spec.seed).describe(), signature))
    if left_out:
        console.print(left_out, highlight=False, markup=False)
    if data is not None:
        console.print(storage_line(spec, data), style="dim", highlight=False, markup=False)
    return (DATA_ERROR if any(problem.is_error for problem in problems) else OK), data
