"""`history.csv`: a row for every epoch of every stage."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from dlspec.runtime.files import write_text
from dlspec.runtime.records import damaged, read_whole, unreadable
from dlspec.training.progress import HistoryRow

FIXED = ("stage", "epoch", "loss", "val_loss", "seconds")
"""Columns that are always there; those between `val_loss` and `seconds` are what a stage measures."""


def write_history(path: Path, history: Sequence[HistoryRow]) -> None:
    measures = list(dict.fromkeys(name for row in history for name in row.measures))
    header = [*FIXED[:-1], *measures, FIXED[-1]]
    write_text(path, _lines([header, *(_cells(row, measures) for row in history)]))


class GrowingHistory:
    """The file while a run is trained: each epoch is written as soon as it is done.

    Args:
        history: what is done already; the file has that and no more from now on.
    """

    def __init__(self, path: Path, history: Sequence[HistoryRow]) -> None:
        self.path, self.rows = path, [*history]
        self._measures = list(dict.fromkeys(name for row in history for name in row.measures))
        write_history(path, history)

    def add(self, row: HistoryRow) -> None:
        """One more epoch; a new measure gets a column, for which the whole file is written again."""
        self.rows.append(row)
        more = [name for name in row.measures if name not in self._measures]
        if more:
            self._measures += more
            write_history(self.path, self.rows)
            return
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_lines([_cells(row, self._measures)]))


def _cells(row: HistoryRow, measures: Sequence[str]) -> list[object]:
    values = [row.loss, row.val_loss, *(row.measures.get(name) for name in measures)]
    return [row.stage, row.epoch, *("" if v is None else repr(v) for v in values), row.seconds]


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


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
