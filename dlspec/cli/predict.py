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
    type=click.Path(path_type=Path),
    help="The file to write, in place of standard output; of masks a folder.",
)
@click.option("--bom", is_flag=True, help="Begin separated values with a mark by which Excel knows UTF-8.")
@click.option(
    "--intervals",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    is_flag=False,
    flag_value=0.9,
    metavar="[LEVEL]",
    help="Beside each number, between what the truth lies so often (0.9), and beside each class, among which labels.",
)
@click.option(
    "--explain",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=3,
    metavar="[N]",
    help="Beside each row of a table, the columns (3) that moved the answer most.",
)
@plugin_option
def command(run: Path, file: Path, out: Path | None, bom: bool, intervals: float | None, explain: int | None) -> int:
    """Write the rows of a file again, in its own format, with what the network predicts for them.

    FILE is `-` for standard input. Columns may stand in another order than in training, and text may have another
    encoding, separator or decimal sign. Rows that cannot be read have no prediction, and are counted and named; so
    are words that training did not have, and values far outside its range. A file of any size is read and written in
    blocks. Of a series, a forecast stands beside the last row that it was made from; `close+1` is the next value of
    `close`; several series are told apart by the column `group` of the spec. What the file has a column of is called
    `predicted NAME`.

    Of pictures with masks, FILE is a picture or a folder with some, and `--out` a folder, into which a mask is written
    for each, in its size: a PNG with a palette, whose values are those of the masks in training.

    `--intervals` adds `price low` and `price high`, or `species set`, by the errors of the network on the test part;
    `--explain` adds `why`, such as `age +0.21; sex=male -0.08`: what columns add to the number or to the probability
    of the class. Both stand behind FILE.

    \b
    Example:  dlspec predict runs/lstm_stock/001 new_prices.csv > predicted.csv
              cat new_prices.csv | dlspec predict runs/lstm_stock/001 -
              dlspec predict runs/mixed/001 patients.parquet --out predicted.parquet
              dlspec predict runs/mixed/001 patients.csv --intervals 0.95 --explain
    """
    import sys

    from dlspec.api import predict

    with standard_input() if str(file) == "-" else nullcontext(file) as given:
        predict(
            run,
            given,
            sys.stdout.buffer if out is None else out,
            note=partial(echo, err=True),
            bom=bom,
            intervals=intervals,
            explain=explain,
        )
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
