"""`dlspec predict`: predictions of a trained run for new rows."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("predict")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
def command(run: Path, file: Path) -> int:
    """Predict the target for the rows of a CSV file, and print it as CSV.

    \b
    Example:  dlspec predict runs/lstm_stock/001 new_prices.csv > predicted.csv
    """
    import sys

    import pandas as pd

    from dlspec.api import open_run
    from dlspec.diagnostics import DataError

    opened = open_run(run)
    try:
        rows = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise DataError.of("data-unreadable", f"cannot read `{file}`: {error}") from None
    time = opened.spec.data.time
    if time in rows:
        rows = rows.set_index(time)
    opened.predict(rows).to_csv(sys.stdout)
    return 0
