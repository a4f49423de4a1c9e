"""A sheet of an Excel workbook."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any

from dlspec.data.datasets import ColumnKind, Columns
from dlspec.data.sources.formats.base import LOOKED_AT, RowsFormat, as_text, as_word
from dlspec.data.sources.formats.dialect import undressed
from dlspec.language.words import did_you_mean, one_of
from dlspec.language.yaml import to_inline_yaml
from dlspec.runtime.packages import require

MOST_BYTES = 2**31
"""Of a workbook, decompressed: more is no table, or a trap."""
ERRORS = ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!")
"""What a cell shows whose formula has no value."""


class Excel(RowsFormat):
    """A sheet of an Excel workbook, whose first row that is not empty names the columns.

    Cells with formulas count as the values that were saved with them; errors such as `#N/A` are missing values.
    """

    title = "an Excel workbook"
    suffixes = (".xlsx", ".xlsm")
    is_text = False

    def header(self) -> list[str]:
        with self._opened() as rows:
            return self._names(next(rows, []))

    def rows(self) -> Iterator[list[str]]:
        yield from ([self._word(value) for value in row] for row in self._values())

    def count(self) -> int:
        return self.count_all()

    def kinds(self) -> dict[str, ColumnKind]:
        found: dict[str, ColumnKind] = {}
        some = list(islice(self._values(), LOOKED_AT))
        for place, name in enumerate(self.header()):
            values = [row[place] for row in some if row[place] is not None]
            if name and values and all(isinstance(value, dt.date) for value in values):
                found[name] = "time"
        return found

    def read(self, labels: Collection[str]) -> Columns:
        return self._columns(list(self._values()), labels)

    def blocks(self, size: int, labels: Collection[str] = ()) -> Iterator[Columns]:
        rows = self._values()
        while some := list(islice(rows, size)):
            yield self._columns(some, labels)

    def sheets(self) -> list[str]:
        """The names of the sheets that have rows below a first one."""
        with self._book() as book:
            return [sheet.title for sheet in book.worksheets if len(list(islice(_filled(sheet), 2))) > 1]

    @contextmanager
    def extending(self, out: IO[bytes], size: int) -> Iterator[Callable[[Columns], None]]:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Sheet1")
        rows, first = self._values(as_written=True), [self.header()]

        def add(more: Columns) -> None:
            if first:
                sheet.append([*first.pop(), *more])
            for behind in zip(*(_cells(column) for column in more.values()), strict=True):
                sheet.append([*next(rows), *behind])

        yield add
        book.save(out)

    def _names(self, row: list[Any]) -> list[str]:
        given = self.dialect.header
        if given is False:
            return [f"column_{place}" for place in range(1, len(row) + 1)]
        return list(given) if given is not None else ["" if name is None else as_text(name).strip() for name in row]

    def _values(self, *, as_written: bool = False) -> Iterator[list[Any]]:
        """The values of each row, as many as there are names."""
        with self._opened() as rows:
            first = next(rows, [])
            names = self._names(first)
            width = len(names)
            if self.dialect.header is not None:
                yield first
            for row in rows:
                whole = (row + [None] * width)[:width]
                yield whole if as_written else [self._given(value) for value in whole]

    def _given(self, value: Any) -> Any:
        return None if value in ERRORS or (self.dialect.na and self._as_written(value) in self.dialect.na) else value

    def _word(self, value: Any) -> str:
        return "" if value is None else self._as_written(value)

    @staticmethod
    def _as_written(value: Any) -> str:
        if isinstance(value, dt.datetime):
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
        return value.isoformat() if isinstance(value, dt.date | dt.time) else as_text(value)

    def _columns(self, rows: list[list[Any]], labels: Collection[str]) -> Columns:
        import numpy as np

        found: Columns = {}
        for place, name in enumerate(self.header()):
            values = [row[place] for row in rows]
            if not name:
                continue
            if name in labels:
                found[name] = np.array([as_word(self._word(value)) for value in values], object)
            elif all(value is None or type(value) in (int, float) for value in values):
                found[name] = np.array(values, "float64")
            elif all(value is None or isinstance(value, dt.date) for value in values):
                found[name] = np.array([None if v is None else self._as_written(v) for v in values], "datetime64[us]")
            else:
                found[name] = undressed(np.array([None if v is None else self._as_written(v) for v in values], object))
        return found

    @contextmanager
    def _opened(self) -> Iterator[Iterator[list[Any]]]:
        """The rows of the sheet that are not empty, from the first column on that is not."""
        with self._book() as book:
            yield _filled(self._sheet(book))

    @contextmanager
    def _book(self) -> Iterator[Any]:
        require("openpyxl", what=f"`{self.name}`", span=self.span)
        import openpyxl

        try:
            with zipfile.ZipFile(self.file) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > MOST_BYTES:
                message = f"`{self.name}` has {size:,} bytes when it is decompressed, and {MOST_BYTES:,} are the most"
                raise self._error("data-unreadable", message, "save the sheet as CSV")
            book = openpyxl.load_workbook(self.file, read_only=True, data_only=True)
        except OSError as error:
            raise self._unreadable(error) from None
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError):
            message = f"cannot read `{self.name}`: it is no whole Excel workbook"
            raise self._error("data-unreadable", message, "save it anew, or as CSV") from None
        try:
            yield book
        finally:
            book.close()

    def _sheet(self, book: Any) -> Any:
        """The sheet that the spec names, or the only one with rows."""
        names, wanted = [sheet.title for sheet in book.worksheets], self.dialect.sheet
        if isinstance(wanted, int) and not isinstance(wanted, bool):
            if wanted > len(names):
                message = f"`{self.name}` has {len(names)} sheets, and `sheet` is {wanted}"
                raise self._error("no-sheet", message, f"there are {one_of(names)}")
            return book.worksheets[wanted - 1]
        if isinstance(wanted, str):
            if wanted not in names:
                message = f"`{self.name}` has no sheet `{wanted}`"
                raise self._error("no-sheet", message, did_you_mean(wanted, names))
            return book[wanted]
        filled = [sheet for sheet in book.worksheets if len(list(islice(_filled(sheet), 2))) > 1]
        if not filled:
            raise self._error("no-rows", f"`{self.name}` has no sheet with rows", "name the columns in its first row")
        if len(filled) > 1:
            message = f"`{self.name}` has {len(filled)} sheets with rows: {one_of([sheet.title for sheet in filled])}"
            help = f"write {to_inline_yaml({'sheet': filled[0].title})!r} under `data`, or another one".replace(
                "'", "`"
            )
            raise self._error("no-sheet", message, help)
        return filled[0]


def _filled(sheet: Any) -> Iterator[list[Any]]:
    """The rows that are not empty, from the first column that the first of them has."""
    first = None
    for row in sheet.iter_rows(values_only=True):
        if first is None:
            there = [place for place, value in enumerate(row) if value is not None]
            if not there:
                continue
            first, end = there[0], there[-1] + 1
        own = list(row[first:end])
        if any(value is not None for value in own):
            yield own


def _cells(values: Any) -> list[Any]:
    """A predicted column as cells of a workbook have it."""
    if values.dtype.kind != "f":
        return [None if value is None else str(value) for value in values.tolist()]
    return [None if value != value else value for value in values.tolist()]
