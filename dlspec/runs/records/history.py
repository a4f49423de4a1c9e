"""`history.csv`: a row for every epoch of every stage."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from dlspec.runtime.files import write_text
from dlspec.runtime.records import damaged, read_whole, unreadable
from dlspec.training.progress import HistoryRow

FIXED = ("stage", "epoch", "loss", "val_loss", "seconds")
"""Columns that are always there; those between `val_loss` and `seconds` are what a stage measures."""


def write_history(path: Path, history: Sequence[HistoryRow]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measures = list(dict.fromkeys(name for row in history for name in row.measures))
    writer.writerow([*FIXED[:-1], *measures, FIXED[-1]])
    for row in history:
        values = [row.loss, row.val_loss, *(row.measures.get(name) for name in measures)]
        writer.writerow([row.stage, row.epoch, *("" if v is None else repr(v) for v in values), row.seconds])
    write_text(path, text.getvalue())


def read_history(path: Path) -> list[HistoryRow]:
    """Raises DataError where the file is not what `write_history` writes; each line that is wrong is named."""
    try:
        rows = list(csv.reader(io.StringIO(read_whole(path).decode("utf-8"), newline=""), strict=True))
    except (ValueError, csv.Error) as error:
        raise unreadable(path, error) from None
    header = rows[0] if rows else []
    if [*header[:4], *header[-1:]] != list(FIXED) or len(set(header)) != len(header):
        raise damaged(path, [f"its first line is not that of a history, which begins {','.join(FIXED[:4])}"])
    found, problems = [], []
    for line, cells in enumerate(rows[1:], 2):
        try:
            found.append(_row(header, cells))
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    if problems:
        raise damaged(path, problems)
    return found


def _row(header: Sequence[str], cells: Sequence[str]) -> HistoryRow:
    if len(cells) != len(header):
        raise ValueError(f"it has {len(cells)} values for {len(header)} columns")
    given = dict(zip(header, cells, strict=True))
    if not (given["stage"] and given["epoch"].isdecimal()):
        raise ValueError("it has no stage, or no epoch")
    numbers = {name: _number(name, cell) for name, cell in given.items() if name not in FIXED[:2]}
    loss, val_loss, seconds = (numbers.pop(name) for name in FIXED[2:])
    if loss is None or seconds is None:
        raise ValueError("it has no loss, or no seconds")
    measures = {name: value for name, value in numbers.items() if value is not None}
    return HistoryRow(given["stage"], int(given["epoch"]), loss, val_loss, seconds, measures)


def _number(name: str, cell: str) -> float | None:
    try:
        value = float(cell) if cell else None
    except ValueError:
        raise ValueError(f"`{name}` is {cell!r}, which is no number") from None
    if value is not None and not math.isfinite(value) and name in FIXED:
        raise ValueError(f"`{name}` is {cell}")
    return value
