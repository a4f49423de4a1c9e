"""`dlspec predict`: a file of rows with the predictions of a trained run beside them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option


@click.command("predict")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, in place of standard output.",
)
@plugin_option
def command(run: Path, file: Path, out: Path | None) -> int:
    """Write the rows of a file again, in its own format, with what the network predicts for them.

    A file of any size is read and written in blocks. Of a series, a forecast stands beside the last row that it was
    made from; `close+1` is the next value of `close`; several series are told apart by the column `group` of the spec.
    What the file has a column of is called `predicted NAME`.

    \b
    Example:  dlspec predict runs/lstm_stock/001 new_prices.csv > predicted.csv
              dlspec predict runs/mixed/001 patients.parquet --out predicted.parquet
    """
    import sys

    from dlspec.api import predict

    predict(run, file, sys.stdout.buffer if out is None else out, note=partial(echo, err=True))
    return 0
