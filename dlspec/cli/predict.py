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
    Several series are told apart by the column `group` of the spec.

    \b
    Example:  dlspec predict runs/lstm_stock/001 new_prices.csv > predicted.csv
    """
    import csv
    import sys

    import pandas as pd

    from dlspec.api import open_run
    from dlspec.diagnostics import DataError
    from dlspec.preparation import to_times, to_words

    opened = open_run(run)
    try:
        rows = pd.read_csv(file, sep=None, engine="python", encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError.of("data-not-found", f"there is no file `{file}`") from None
    except (OSError, ValueError, csv.Error) as error:
        raise DataError.of("data-unreadable", f"cannot read `{file}`: {error}") from None
    time, group = opened.spec.data.time, opened.spec.data.group
    if time is not None and time in rows:
        groups = to_words(group, rows[group].to_numpy()) if group is not None and group in rows else None
        to_times(time, rows[time].to_numpy(), groups)
        rows = rows.set_index(time)
    predicted = opened.predict(rows)
    predicted.to_csv(sys.stdout, index=time is not None)
    return 0
