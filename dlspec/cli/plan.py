"""`dlspec plan`: shows what a run would do."""

from __future__ import annotations

from typing import Any

import click

from dlspec.cli.output import load_and_warn, set_option


@click.command("plan")
@click.argument("file")
@set_option
def command(file: str, overrides: dict[str, Any]) -> int:
    """Show layers, shapes, parameters and training stages, without training.

    \b
    Example:  dlspec plan specs/lstm_stock.yaml
    """
    from rich.console import Console

    from dlspec.api import plan
    from dlspec.cli.tables import plan_tables

    spec = load_and_warn(file, overrides)
    console = Console(emoji=False)
    for renderable in plan_tables(spec, plan(spec), console.width):
        console.print(renderable)
    return 0
