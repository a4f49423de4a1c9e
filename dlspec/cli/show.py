"""`dlspec show`: the network as a drawing, or the spec with every default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dlspec.cli.completion import complete_specs
from dlspec.cli.output import out_option, print_or_write, set_option
from dlspec.cli.plugins import plugin_option


@click.command("show")
@click.argument("file", shell_complete=complete_specs)
@click.option("--resolved", is_flag=True, help="Show every value, defaults included, and where each came from.")
@click.option("--diagram", type=click.Choice(["text", "svg", "mermaid"]), help="How to draw the network: text.")
@click.option("--filters", is_flag=True, help="Of a run folder, show what the units of the first layer look for.")
@out_option
@set_option
@plugin_option
def command(
    file: str, resolved: bool, diagram: str | None, filters: bool, out: Path | None, overrides: dict[str, Any]
) -> int:
    """Draw the network, show the spec with every default, or what the first layer of a run looks for.

    \b
    Example:  dlspec show specs/lstm_stock.yaml
              dlspec show specs/lstm_stock.yaml --resolved
              dlspec show specs/lstm_stock.yaml --diagram svg -o network.svg
              dlspec show --filters runs/digits_autoencoder_pretraining/001
    """
    from dlspec.api import load, resolve
    from dlspec.conversion import draw

    if sum((resolved, diagram is not None, filters)) > 1:
        raise click.UsageError("--resolved, --diagram and --filters exclude each other")
    if filters:
        if overrides:
            raise click.UsageError("--filters is of a run, which takes no --set")
        return _show_filters(file, out)
    spec = load(file, overrides=overrides)
    text = resolve(spec) if resolved else draw(spec, diagram or "text")
    print_or_write(text, out)
    return 0


def _show_filters(folder: str, out: Path | None) -> int:
    from dlspec.api import filters
    from dlspec.runtime.packages import require

    if out is not None:
        require("matplotlib", what="a sheet of filters")
        from dlspec.views.report.figures import filters as draw_sheet

        print_or_write(draw_sheet(list(filters(folder).values())[-1], "shown"), out)
        return 0
    from dlspec.cli.console import Console
    from dlspec.cli.filters import MOST, draw_filters

    console = Console()
    for when, kernels in filters(folder).items():
        words = {"pretrained": "after pretraining", "final": "at the end"}[when]
        count = f"{MOST} of {len(kernels)}" if len(kernels) > MOST else str(len(kernels))
        console.print(f"first-layer filters {words}, {count}", style="bold", highlight=False)
        for line in draw_filters(kernels, console.width, console.color_system == "truecolor"):
            console.print(line, soft_wrap=True)
    return 0
