"""`dlspec show`: the network as a drawing, or the spec with every default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dlspec.cli.output import out_option, print_or_write, set_option


@click.command("show")
@click.argument("file")
@click.option("--resolved", is_flag=True, help="Show every value, defaults included, and where each came from.")
@click.option("--diagram", type=click.Choice(["text", "svg", "mermaid"]), help="How to draw the network: text.")
@out_option
@set_option
def command(file: str, resolved: bool, diagram: str | None, out: Path | None, overrides: dict[str, Any]) -> int:
    """Draw the network, or show the spec with every default.

    \b
    Example:  dlspec show specs/lstm_stock.yaml
              dlspec show specs/lstm_stock.yaml --resolved
              dlspec show specs/lstm_stock.yaml --diagram svg -o network.svg
    """
    from dlspec.api import draw, load, resolve

    if resolved and diagram:
        raise click.UsageError("--resolved and --diagram exclude each other")
    spec = load(file, overrides=overrides)
    text = resolve(spec) if resolved else draw(spec, diagram or "text")
    print_or_write(text, out)
    return 0
