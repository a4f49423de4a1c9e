"""`dlspec export`: takes the trained network, or a part of it, out of a run."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.option("--layers", metavar="FIRST..LAST", help="A part of it: `..h3` from the input to h3, `h2..h3`, or `h2..`.")
@click.option("--pretrained", is_flag=True, help="Layers as pretraining left them, before the whole was trained.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write: NAME.keras.")
@click.option("--format", "form", metavar="NAME", help="What to write; by default as the file's name ends, or keras.")
@click.option("--quantize", is_flag=True, help="Weights as whole numbers of 8 bits: a smaller file.")
@plugin_option
def command(run: Path, layers: str | None, pretrained: bool, out: Path | None, form: str | None, quantize: bool) -> int:
    """Write a trained network, or a part such as its encoder, as a model that runs without dlspec.

    From the input on it takes raw columns, as the whole model does.

    \b
    Example:  dlspec export runs/deep_autoencoder/001 --layers ..code -o encoder.keras
              dlspec export runs/few_labels_dae/001 --layers ..h3 --pretrained
    """
    from dlspec.api import export

    echo(export(run, layers=layers, pretrained=pretrained, out=out, format=form, quantize=quantize))
    return 0
