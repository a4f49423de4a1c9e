"""A series in a file: a row is a timestep."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dlspec.datasets import Column, Columns, Description
from dlspec.diagnostics import DataError, Span
from dlspec.fields import did_you_mean, one_of

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
LOOKED_AT = 200
"""Rows that tell numbers from text before the whole file is read."""


@dataclass(frozen=True)
class SeriesFile:
    """A file whose first line names the columns, separated by commas, semicolons or tabs.

    Decimal commas are read where semicolons separate. A column without a name, such as the index that pandas
    writes, is left out.

    Args:
        path: as written in the spec.
        folder: what a relative path is relative to.
        span: where the spec names it.
    """

    path: str
    folder: Path
    span: Span | None = None

    @property
    def file(self) -> Path:
        return self.folder / self.path

    def describe(self) -> Description:
        """The columns, from the first rows alone.

        Raises:
            DataError: the file is absent, is no UTF-8 text or has no header.
        """
        separator, header, rows = self._first_rows()
        decimal = "," if separator == ";" else "."
        columns = []
        for place, name in enumerate(header):
            values = [row[place] for row in rows if place < len(row) and row[place].strip()]
            if name:
                columns.append(Column(name, "number" if _mostly_numbers(values, decimal) else "text"))
        return Description("series", tuple(columns), rows=self._count(header, rows))

    def load(self, seed: int) -> Columns:
        """All columns, numbers as float64 and everything else as text.

        Raises:
            DataError: the file cannot be read, or a row is longer than the header.
        """
        import warnings

        import pandas as pd

        separator, header, _ = self._first_rows()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
                frame = pd.read_csv(
                    self.file,
                    sep=separator,
                    decimal="," if separator == ";" else ".",
                    encoding="utf-8-sig",
                    index_col=False,
                    header=0,
                    names=[name or f"\0{place}" for place, name in enumerate(header)],
                )
        except (OSError, ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise self._error("data-unreadable", f"cannot read `{self.path}`: {str(error).strip()}") from None
        if frame.empty:
            raise self._error("no-rows", f"`{self.path}` has a header and no rows")
        return {
            str(name): column.to_numpy("float64") if pd.api.types.is_numeric_dtype(column) else column.to_numpy(object)
            for name, column in frame.items()
            if not str(name).startswith("\0")
        }

    def _first_rows(self) -> tuple[str, list[str], list[list[str]]]:
        """The separator, the header and some rows behind it."""
        try:
            with self.file.open(encoding="utf-8-sig", newline="") as lines:
                first = lines.readline()
                separator = max(SEPARATORS, key=first.count)
                header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
                rows = list(islice(csv.reader(lines, delimiter=separator), LOOKED_AT))
        except (OSError, ValueError, csv.Error) as error:
            if isinstance(error, FileNotFoundError):
                raise self._error("data-not-found", f"there is no file `{self.path}`", self._nearest()) from None
            reason = getattr(error, "strerror", None) or str(error)
            raise self._error("data-unreadable", f"cannot read `{self.path}`: {reason.lower()}") from None
        named = [name for name in header if name]
        if len(named) < 2:
            raise self._error(
                "data-unreadable",
                f"the first line of `{self.path}` names {len(named)} column{'s' * (len(named) != 1)}; a series needs "
                "the time and at least one value",
                f"name the columns in the first line, separated by {', '.join(SEPARATORS.values())}",
            )
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise self._error("repeated-column", f"`{self.path}` has two columns named {one_of(twice)}")
        return separator, header, rows

    def _count(self, header: list[str], rows: list[list[str]]) -> int:
        """About how many rows there are, by the size of the file and of its first rows."""
        if len(rows) < LOOKED_AT:
            return len(rows)
        head, *sizes = [sum(len(value.encode()) + 1 for value in row) for row in (header, *rows)]
        return round((self.file.stat().st_size - head) * len(rows) / sum(sizes))

    def _nearest(self) -> str:
        if "://" in self.path:
            return "nothing is downloaded; save the file and name its path"
        where = f"the path is relative to the folder of the spec: `{self.file.absolute()}`"
        try:
            names = [path.name for path in self.file.parent.iterdir() if path.is_file()]
        except (OSError, ValueError):
            return where
        near = did_you_mean(self.file.name, names, otherwise="")
        return f"{near} ({where})" if near and near.startswith("did") else where

    def _error(self, code: str, message: str, help: str | None = None) -> DataError:
        return DataError.of(code, message, self.span, help=help)


def _mostly_numbers(values: list[str], decimal: str) -> bool:
    """Whether a column is meant to hold numbers; one that does not parse here is named when all are read."""
    pattern = (
        rf"\s*[-+]?(\d+[{decimal}]?\d*|[{decimal}]\d+)([eE][-+]?\d+)?\s*|\s*[-+]?(nan|inf|infinity|na|n/a|null)\s*"
    )
    numbers = sum(bool(re.fullmatch(pattern, value, re.IGNORECASE)) for value in values)
    return numbers * 2 >= len(values)
