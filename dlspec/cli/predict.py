"""`dlspec predict`: a file of rows with the predictions of a trained run beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option

BEGINNINGS = {b"{": ".jsonl", b"[": ".json", b"PAR1": ".parquet", b"PK": ".xlsx", b"\x1f\x8b": ".csv.gz"}
"""How the content of files begins -> how their names end."""


@click.command("predict")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, in place of standard output.",
)
@click.option("--bom", is_flag=True, help="Begin separated values with a mark by which Excel knows UTF-8.")
@plugin_option
def command(run: Path, file: Path, out: Path | None, bom: bool) -> int:
    """Write the rows of a file again, in its own format, with what the network predicts for them.

    FILE is `-` for standard input. Columns may stand in another order than in training, and text may have another
    encoding, separator or decimal sign. Rows that cannot be read have no prediction, and are counted and named; so
    are words that training did not have, and values far outside its range. A file of any size is read and written in
    blocks. Of a series, a forecast stands beside the last row that it was made from; `close+1` is the next value of
    `close`; several series are told apart by the column `group` of the spec. What the file has a column of is called
    `predicted NAME`.

    \b
    Example:  dlspec predict runs/lstm_stock/001 new_prices.csv > predicted.csv
              cat new_prices.csv | dlspec predict runs/lstm_stock/001 -
              dlspec predict runs/mixed/001 patients.parquet --out predicted.parquet
    """
    import sys

    from dlspec.api import predict

    with standard_input() if str(file) == "-" else nullcontext(file) as given:
        predict(run, given, sys.stdout.buffer if out is None else out, note=partial(echo, err=True), bom=bom)
    return 0


@contextmanager
def standard_input() -> Iterator[Path]:
    """What comes in, as a file whose name ends as its content begins."""
    import sys

    content = sys.stdin.buffer.read()
    start = content[:64].lstrip()
    ending = next((ending for begins, ending in BEGINNINGS.items() if start.startswith(begins)), ".csv")
    with TemporaryDirectory(prefix="dlspec-stdin-") as folder:
        file = Path(folder) / f"stdin{ending}"
        file.write_bytes(content)
        yield file
