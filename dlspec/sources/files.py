"""Data in a file of rows: a row is a sample of a table, or a timestep of a series."""

from __future__ import annotations

import csv
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import ClassVar, TextIO

from dlspec.datasets import Column, Columns, Description
from dlspec.diagnostics import DataError, Span
from dlspec.fields import did_you_mean, one_of

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
LOOKED_AT = 200
"""Rows that tell numbers from text before the whole file is read."""
MAX_CLASSES = 1000
"""With more different words than this, a column holds text and no classes."""


@dataclass(frozen=True)
class RowsFile(ABC):
    """A file whose first line names the columns, separated by commas, semicolons or tabs.

    Decimal commas are read where semicolons separate. A column without a name, such as the index that pandas
    writes, is left out.

    Args:
        path: as written in the spec.
        folder: what a relative path is relative to.
        span: where the spec names it.
    """

    key: ClassVar[str]
    """Of the spec, which names such a file."""

    path: str
    folder: Path
    span: Span | None = None

    @property
    def file(self) -> Path:
        return self.folder / self.path

    def describe(self) -> Description:
        """The columns; a file that has not changed is looked at once.

        Raises:
            DataError: the file is absent, is no UTF-8 text or has no header.
        """
        try:
            state = self.file.stat()
        except (OSError, ValueError):
            return self._look()  # which says what is wrong
        return _looked_at(self, state.st_mtime_ns, state.st_size)

    @abstractmethod
    def _look(self) -> Description:
        """The columns, out of the file."""

    def load(self, seed: int) -> Columns:
        """All columns, numbers as float64 and everything else as text.

        Raises:
            DataError: the file cannot be read, or a row is longer than the header.
        """
        import warnings

        import pandas as pd

        with self._opened() as (_, separator, header):
            pass
        labels = self._labels()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
                frame = pd.read_csv(
                    self.file,
                    sep=separator,
                    decimal=_decimal(separator),
                    encoding="utf-8-sig",
                    index_col=False,
                    header=0,
                    names=[name or f"\0{place}" for place, name in enumerate(header)],
                    converters=dict.fromkeys(labels, "={}".format),  # pandas would take `NA` for no value
                )
        except (OSError, ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise self._error("data-unreadable", f"cannot read `{self.path}`: {str(error).strip()}") from None
        if frame.empty:
            raise self._error("no-rows", f"`{self.path}` has a header and no rows")
        for name in labels:
            frame[name] = frame[name].str[1:].str.strip().fillna("").astype(object)
        return {
            str(name): column.to_numpy("float64") if pd.api.types.is_numeric_dtype(column) else column.to_numpy(object)
            for name, column in frame.items()
            if not str(name).startswith("\0")
        }

    def first_values(self) -> dict[str, list[str]]:
        """The values of every column in the first rows, as they are written, without empty ones."""
        with self._opened() as (lines, separator, header):
            rows = list(islice(csv.reader(lines, delimiter=separator), LOOKED_AT))
        return {name: _values(rows, place) for place, name in enumerate(header) if name}

    def _labels(self) -> list[str]:
        """The columns whose words are taken as they are, also where they look like missing values."""
        return []

    @contextmanager
    def _opened(self) -> Iterator[tuple[TextIO, str, list[str]]]:
        """The lines behind the header, the separator and the header."""
        try:
            with self.file.open(encoding="utf-8-sig", newline="") as lines:
                first = lines.readline()
                separator = max(SEPARATORS, key=first.count)
                header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
                self._check_header(header)
                yield lines, separator, header
        except (OSError, ValueError, csv.Error) as error:
            if isinstance(error, FileNotFoundError):
                raise self._error("data-not-found", f"there is no file `{self.path}`", self._nearest()) from None
            reason = getattr(error, "strerror", None) or str(error)
            raise self._error("data-unreadable", f"cannot read `{self.path}`: {reason.lower()}") from None

    def _check_header(self, header: Sequence[str]) -> None:
        named = [name for name in header if name]
        if len(named) < 2:
            raise self._error(
                "data-unreadable",
                f"the first line of `{self.path}` names {len(named)} column{'s' * (len(named) != 1)}; needed are "
                "something to see and something to predict",
                f"name the columns in the first line, separated by {', '.join(SEPARATORS.values())}",
            )
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise self._error("repeated-column", f"`{self.path}` has two columns named {one_of(twice)}")

    def _count(self, header: list[str], rows: list[list[str]]) -> int:
        """About how many rows there are, by the size of the file and of its first rows."""
        if len(rows) < LOOKED_AT:
            return len(rows)
        head, *sizes = [sum(len(value.encode()) + 1 for value in row) for row in (header, *rows)]
        return round((self.file.stat().st_size - head) * len(rows) / sum(sizes))

    def _nearest(self) -> str:
        if "://" in self.path:
            return "nothing is downloaded; save the file and name its path"
        where = "" if self.span is None else f"the path is relative to the folder of the spec: `{self.file.absolute()}`"
        try:
            names = [path.name for path in self.file.parent.iterdir() if path.is_file()]
        except (OSError, ValueError):
            return where
        near = did_you_mean(self.file.name, names, otherwise="")
        return f"{near} ({where})" if near and where else near or where

    def _error(self, code: str, message: str, help: str | None = None) -> DataError:
        return DataError.of(code, message, self.span, help=help)


class SeriesFile(RowsFile):
    """A series: a row is a timestep, oldest first."""

    key = "series"

    def _look(self) -> Description:
        """The columns, from the first rows alone."""
        with self._opened() as (lines, separator, header):
            rows = list(islice(csv.reader(lines, delimiter=separator), LOOKED_AT))
        columns = []
        for place, name in enumerate(header):
            if name:
                numbers = _mostly_numbers(_values(rows, place), _decimal(separator))
                columns.append(Column(name, "number" if numbers else "text"))
        return Description("series", tuple(columns), rows=self._count(header, rows))


class TableFile(RowsFile):
    """A table: a row is a sample.

    A column of words that come again is one of classes, and so is a column of two whole numbers, which may also be
    a feature.
    """

    key = "table"

    def _look(self) -> Description:
        """The columns; where one may hold classes, from all rows, since a network has an output for each of them."""
        with self._opened() as (lines, separator, header):
            reader = csv.reader(lines, delimiter=separator)
            first = list(islice(reader, LOOKED_AT))
            values = [_values(first, place) for place in range(len(header))]
            numbers = [_mostly_numbers(column, _decimal(separator)) for column in values]
            words = [{value.strip() for value in column} for column in values]
            most = [2 if is_number else MAX_CLASSES for is_number in numbers]
            open_ = [place for place, name in enumerate(header) if name and len(words[place]) <= most[place]]
            rows = self._count(header, first)
            if open_:
                rows = sum(map(bool, first))
                for row in reader:
                    rows += bool(row)
                    for place in open_:
                        if place < len(row):
                            words[place].add(row[place].strip())
                    if rows % LOOKED_AT == 0:
                        open_ = [place for place in open_ if len(words[place] - {""}) <= most[place]]
        columns = []
        for place, name in enumerate(header):
            found = tuple(sorted(words[place] - {""}))
            if not name:
                continue
            if numbers[place]:
                two = len(found) == 2 and all(map(str.isdecimal, found))
                columns.append(Column(name, classes=found if two else ()))
            elif len(found) <= MAX_CLASSES and 2 * len(found) <= max(rows, 2):
                columns.append(Column(name, "class", classes=found))
            else:
                columns.append(Column(name, "text"))
        return Description("samples", tuple(columns), rows=rows)

    def _labels(self) -> list[str]:
        return [column.name for column in self.describe().columns if column.kind == "class"]


@lru_cache(maxsize=16)
def _looked_at(source: RowsFile, changed: int, size: int) -> Description:
    return source._look()


def _values(rows: list[list[str]], place: int) -> list[str]:
    return [row[place] for row in rows if place < len(row) and row[place].strip()]


def _decimal(separator: str) -> str:
    return "," if separator == ";" else "."


def _mostly_numbers(values: list[str], decimal: str) -> bool:
    """Whether a column is meant to hold numbers; one that does not parse here is named when all are read."""
    missing = r"\s*[-+]?(nan|inf|infinity|na|n/a|null)\s*"
    number = rf"\s*[-+]?(\d+[{decimal}]?\d*|[{decimal}]\d+)([eE][-+]?\d+)?\s*"
    given = [value for value in values if not re.fullmatch(missing, value, re.IGNORECASE)]
    return 2 * sum(bool(re.fullmatch(number, value)) for value in given) >= len(given)
