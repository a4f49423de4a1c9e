"""`dlspec explain`: a spec in plain sentences."""

from __future__ import annotations

from typing import Any

import click

from dlspec.cli.completion import complete_specs
from dlspec.cli.output import out_option, print_or_write, set_option
from dlspec.cli.plugins import plugin_option


@click.command("explain")
@click.argument("file", shell_complete=complete_specs)
@click.option("--lang", "language", type=click.Choice(["en", "ko"]), default="en", help="English or Korean.")
@out_option
@set_option
@plugin_option
def command(file: str, language: str, out: Any, overrides: dict[str, Any]) -> int:
    """Tell what a spec says in plain sentences, line by line.

    \b
    Example:  dlspec explain specs/lstm_stock.yaml
              dlspec explain specs/lstm_stock.yaml --lang ko

    What a code such as shape-mismatch means says `dlspec validate --explain CODE`.
    """
    from dlspec.api import explain, load

    print_or_write(explain(load(file, overrides=overrides), language), out)
    return 0
