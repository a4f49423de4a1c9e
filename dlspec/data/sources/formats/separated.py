"""Values separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from io import StringIO
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, TextIO

from dlspec.data.datasets import Columns
from dlspec.data.sources.formats.base import BROKEN, COMPRESSED, LONGEST_LINE, RowsFormat, opened
from dlspec.language.diagnostics.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_QUOTED = re.compile(r'"[^"]*("|$)')
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))  # of the whole process; a cell may have a megabyte
VALUES_AT_A_TIME = 2**19
"""Values of a text file that are read at a time."""


class Separated(RowsFormat):
    """Values separated by commas, semicolons or tabs; the first line names the columns.

    Decimal commas are read where semicolons separate.
    """

    title = "separated values"
    suffixes = (".csv", ".tsv", ".txt", ".tab", ".dat")

    @property
    def decimal(self) -> str:
        return "," if self._look()[0] == ";" else "."

    def header(self) -> list[str]:
        return self._look()[1]

    def rows(self) -> Iterator[list[str]]:
        with self._text() as lines:
            separator, header = self._header(lines)
            for row in csv.reader(lines, delimiter=separator):
                if row and not (len(row) == 1 and row[0].isspace()):  # which pandas skips too
                    yield row if len(row) == len(header) else (row + [""] * len(header))[: len(header)]

    def read(self, labels: Collection[str]) -> Columns:
        """Piece by piece, since all at once takes the memory of the text besides."""
        import numpy as np

        numbers: dict[str, GrowingArray] = {}
        others: dict[str, list[np.ndarray]] = {}
        expected = self.count()
        for part in self.blocks(max(1000, VALUES_AT_A_TIME // len(self.header())), labels):
            for name, values in part.items():
                if name not in numbers and name not in others:
                    if values.dtype == object:
                        others[name] = []
                    else:
                        numbers[name] = GrowingArray(expected)
                if (values.dtype == object) != (name in others):  # text among numbers: let pandas see all of them
                    (columns,) = self._parsed(None, labels)
                    return columns
                if name in others:
                    others[name].append(values)
                else:
                    numbers[name].add(values)
        return {
            name: numbers[name].values if name in numbers else np.concatenate(others[name])
            for name in self._names()
            if name in numbers or name in others
        }

    def _names(self) -> list[str]:
        return [name for name in self.header() if name]

    def blocks(self, size: int, labels: Collection[str] = ()) -> Iterator[Columns]:
        return self._parsed(size, labels)

    def _parsed(self, size: int | None, labels: Collection[str]) -> Iterator[Columns]:
        """The columns, of so many rows at a time, or of all at once."""
        import warnings

        import pandas as pd

        labels = [name for name in labels if name in self.header()]
        frames, checked = self._frames(size, labels), False
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
                    frame = next(frames, None)
            except UnicodeDecodeError:
                raise self._not_utf8() from None
            except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
                self._check_lengths()
                raise self._unreadable(error) from None
            except (*BROKEN, ValueError) as error:
                raise self._unreadable(error) from None
            if frame is None:
                return
            last = str(frame.columns[-1])
            short = frame[last].isin(["=", "=nan"]) if last in labels else frame[last].isna()
            if not checked and short.any():  # a row that is too short lacks its last value
                self._check_lengths()
                checked = True
            for name in labels:
                frame[name] = frame[name].str[1:].str.strip().fillna("").astype(object)
            yield {
                str(name): column.to_numpy("float64")
                if pd.api.types.is_numeric_dtype(column)
                else column.to_numpy(object)
                for name, column in frame.items()
                if not str(name).startswith("\0")
            }

    def _frames(self, size: int | None, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        import pandas as pd

        separator, header = self._look()
        compressed = self.file.suffix.lower() in COMPRESSED
        with opened(self.file) if compressed else nullcontext(self.file) as source:
            found = pd.read_csv(
                source,
                sep=separator,
                decimal="," if separator == ";" else ".",
                encoding="utf-8-sig",
                index_col=False,
                header=0,
                names=[name or f"\0{place}" for place, name in enumerate(header)],
                converters=dict.fromkeys(labels, "={}".format),  # pandas would take `NA` for no value
                low_memory=False,
                chunksize=size,
            )
            if isinstance(found, pd.DataFrame):
                yield found
            else:
                with found:
                    yield from found

    @contextmanager
    def extending(self, out: IO[bytes], size: int) -> Iterator[Callable[[Columns], None]]:
        separator, header = self._look()
        rows, first = self.rows(), [header]
        with self._text() as lines:
            end = "\r\n" if lines.readline().endswith("\r\n") else "\n"

        def add(more: Columns) -> None:
            text = StringIO()
            writer = csv.writer(text, delimiter=separator, lineterminator=end)
            if first:
                writer.writerow([*first.pop(), *more])
            for behind in zip(*(_texts(column, self.decimal) for column in more.values()), strict=True):
                row = next(rows, None)
                if row is None:
                    raise self._other_rows()
                writer.writerow([*row, *behind])
            out.write(text.getvalue().encode())

        yield add
        if next(rows, None) is not None:
            raise self._other_rows()

    def _other_rows(self) -> DataError:
        """Its values and its text are read by two readers, which must find the same rows."""
        message = f"`{self.name}` has other rows than were predicted; a quote may be open"
        return self._error("data-unreadable", message, "close each quote in the cell where it begins")

    def _look(self) -> tuple[str, list[str]]:
        """The separator and the header."""
        with self._text() as lines:
            return self._header(lines)

    def _header(self, lines: TextIO) -> tuple[str, list[str]]:
        first = lines.readline()
        if "\0" in first:
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "UTF-16")
        if not first.strip():
            message = f"`{self.name}` {'begins with an empty line' if first else 'is empty'}"
            raise self._error("data-unreadable", message, "name the columns in the first line")
        separator = max(SEPARATORS, key=_QUOTED.sub("", first).count)
        read = [first]  # a name may have several lines
        names = next(csv.reader(chain([first], _noted(lines, read)), delimiter=separator), [])
        if len(read) > 1 and "".join(read).count('"') % 2:
            message = f"a quote in the first line of `{self.name}` is not closed"
            raise self._error("data-unreadable", message, "close it behind the name of the column, or remove it")
        return separator, [name.strip() for name in names]

    def _check_lengths(self) -> None:
        """Raises DataError at the first row that has not as many values as the header has names."""
        with self._text() as lines:
            separator, header = self._header(lines)
            for place, row in enumerate(filter(None, csv.reader(lines, delimiter=separator)), start=1):
                if len(row) == len(header):
                    continue
                text = separator.join(row)
                others = [other for other in SEPARATORS if other != separator]
                other = next((o for o in others if len(next(csv.reader([text], delimiter=o))) == len(header)), None)
                if other and len(row) == 1:
                    own, others_own = SEPARATORS[separator], SEPARATORS[other]
                    message = f"`{self.name}` has {others_own} in row {place}, and {own} in its header"
                    raise self._error("uneven-rows", message, "separate all values by the same character")
                message = (
                    f"row {place} of `{self.name}` has {len(row)} value{'s' * (len(row) != 1)}, and the header names "
                    f"{len(header)} columns"
                )
                help = "leave missing values empty, with their separators, and put text with a separator into quotes"
                raise self._error("uneven-rows", message, help)


def _noted(lines: Iterable[str], read: list[str]) -> Iterator[str]:
    """The lines, each added to those that were read."""
    for line in lines:
        read.append(line)
        yield line


def _texts(values: Any, decimal: str) -> list[str]:
    """Numbers in as few digits as tell them apart, an empty text where there is none; words as they are."""
    if values.dtype.kind != "f":
        return ["" if value is None else str(value) for value in values.tolist()]
    return ["" if text == "nan" else text.replace(".", decimal) for text in values.astype(str).tolist()]


class GrowingArray:
    """Numbers that are put one behind the other, without a copy as long as about as many come as were expected."""

    def __init__(self, expected: int) -> None:
        import numpy as np

        self._room = np.empty(expected + expected // 4 + 1, "float64")  # pages that nobody touches take no memory
        self._used = 0

    def add(self, values: np.ndarray) -> None:
        import numpy as np

        end = self._used + len(values)
        if end > len(self._room):
            self._room = np.concatenate([self._room[: self._used], np.empty(end, "float64")])
        self._room[self._used : end] = values
        self._used = end

    @property
    def values(self) -> np.ndarray:
        return self._room[: self._used]
