"""`dlspec predict`: predictions of a trained run for new rows."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("predict")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
def command(run: Path, file: Path) -> int:
    """Predict the target for the rows of a CSV file, and print it as CSV.

    Of a series, a forecast stands beside the last row that it was made from; `close+1` is the next value of `close`.

    \b
    Example:  dlspec predict runs/lstm_stock/001 new_prices.csv > predicted.csv
    """
    import csv
    import sys

    import pandas as pd

    from dlspec.api import open_run
    from dlspec.diagnostics import DataError
    from dlspec.preparation import to_times

    opened = open_run(run)
    try:
        rows = pd.read_csv(file, sep=None, engine="python", encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError.of("data-not-found", f"there is no file `{file}`") from None
    except (OSError, ValueError, csv.Error) as error:
        raise DataError.of("data-unreadable", f"cannot read `{file}`: {error}") from None
    time = opened.spec.data.time
    if time is not None and time in rows:
        to_times(time, rows[time].to_numpy())
        rows = rows.set_index(time)
    predicted = opened.predict(rows)
    predicted.to_csv(sys.stdout, index=time is not None)
    return 0
