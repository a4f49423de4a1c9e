"""Values separated by commas, semicolons, tabs, vertical bars or white space."""

from __future__ import annotations

import csv
import re
from codecs import getincrementalencoder
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from io import StringIO
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Literal

from dlspec.data.datasets import Columns
from dlspec.data.sources.formats.base import BROKEN, COMPRESSED, LONGEST_LINE, LOOKED_AT, RowsFormat, as_word, opened
from dlspec.data.sources.formats.dialect import MISSING, PLAIN, Marks, Settled, may_be_number, numbers_in_dress, settle
from dlspec.data.sources.reading import reading_briefly
from dlspec.language.diagnostics.errors import DataError
from dlspec.runtime.cells import as_cell

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_QUOTED = re.compile(r'"[^"]*("|$)')
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BLANKS = " "
"""Stands for any white space between values."""
_BLANKS = re.compile(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""White space outside quotes."""
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))  # of the whole process; a cell may have a megabyte
MOSTLY = 0.9
"""The share of numbers in a column of numbers, where that tells how a file is written."""
MOST_ROWS = 1_000_000
"""Rows that are read to settle how numbers are written; then it is asked for."""
VALUES_AT_A_TIME = 2**19
"""Values of a text file that are read at a time."""


class Separated(RowsFormat):
    """Values separated by commas, semicolons, tabs, vertical bars or white space; the first line names the columns.

    Where it has one name less than the rows have values, as R writes it, the first value is the name of the row.

    What stands before fractions and between thousands is told by the values, or by the spec.
    """

    title = "separated values"
    suffixes = (".csv", ".tsv", ".txt", ".tab", ".dat")

    @property
    def signs(self) -> Settled:
        state, brief = self.file.stat(), reading_briefly()
        signs = _signs(self, state.st_mtime_ns, state.st_size, brief is not None)
        if signs.doubt is None:
            return signs
        if self.dialect.in_doubt is not None:
            return Settled(*self.dialect.in_doubt)
        if brief is not None and self.name in brief.ended:  # a later row may tell
            return PLAIN
        column, value = signs.doubt
        mark = "," if "," in value else "."
        message = f"`{column}` of `{self.name}` has `{value}`, which may be thousands or a fraction"
        help = f'write `thousands: "{mark}"` or `decimal: "{mark}"` under `data`'
        raise self._error("ambiguous-number", message, help)

    @property
    def signs_in_doubt(self) -> tuple[str, str]:
        """A column whose values leave a choice how its numbers are written, and one of them."""
        state = self.file.stat()
        doubt = _signs(self, state.st_mtime_ns, state.st_size, reading_briefly() is not None).doubt
        assert doubt is not None, "is asked for where `signs` was refused"
        return doubt

    @property
    def separator(self) -> str:
        return self._look()[0]

    def header(self) -> list[str]:
        return self._look()[1]

    def rows(self) -> Iterator[list[str]]:
        separator, header = self._look()
        with self._text() as lines:
            rows = _read(lines, separator)
            if self.dialect.header is None:
                next(rows, None)
            for row in rows:
                if row and not (len(row) == 1 and row[0].isspace()):  # which pandas skips too
                    if self.dialect.na:
                        row = ["" if value.strip() in self.dialect.na else value for value in row]
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

        import numpy as np
        import pandas as pd

        labels = [name for name in labels if name in self.header()]
        frames, checked, signs, units = self._frames(size, labels), False, self.signs, _Units(self)
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
                    frame = next(frames, None)
            except UnicodeError:
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
                codes, words = pd.factorize(frame[name].str[1:].fillna(""))
                spelt = ["" if word.strip() in self.dialect.na else as_word(word) for word in words]
                frame[name] = np.array(spelt, object)[codes]
            found: Columns = {}
            for place, column in frame.items():
                name = str(place)
                if name.startswith("\0"):
                    continue
                if pd.api.types.is_numeric_dtype(column):
                    found[name] = column.to_numpy("float64")
                    units.see(name, {""} if np.nan_to_num(found[name]).any() else set())
                    continue
                values = column.to_numpy(object)
                dressed = None if name in labels else numbers_in_dress(values.tolist(), signs)
                if dressed is not None:
                    units.see(name, dressed[1])
                found[name] = values if dressed is None else dressed[0]
            yield found

    def _frames(self, size: int | None, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
        import pandas as pd

        separator, header = self._look()
        compressed = self.file.suffix.lower() in COMPRESSED
        with opened(self.file) if compressed else nullcontext(self.file) as source:
            found = pd.read_csv(
                source,
                sep=r"\s+" if separator == BLANKS else separator,
                decimal=self.signs.decimal,
                encoding=self.encoding,
                index_col=False,
                header=0 if self.dialect.header is None else None,
                na_values=list(self.dialect.na) or None,
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
        rows, first, signs = self._as_written(), [header], self.signs
        encode = getincrementalencoder(self.encoding_to_write)().encode
        with self._text() as lines:
            end = "\r\n" if lines.readline().endswith("\r\n") else "\n"

        def add(more: Columns) -> None:
            text = StringIO()
            writer = csv.writer(text, delimiter=separator, lineterminator=end)
            if first:
                writer.writerow([*first.pop(), *map(as_cell, more)])
            for behind in zip(*(_texts(column, signs.decimal) for column in more.values()), strict=True):
                row = next(rows, None)
                if row is None:
                    raise self._other_rows()
                writer.writerow([*row, *behind])
            out.write(encode(text.getvalue()))

        yield add
        if next(rows, None) is not None:
            raise self._other_rows()

    def _other_rows(self) -> DataError:
        """Its values and its text are read by two readers, which must find the same rows."""
        message = f"`{self.name}` has other rows than were predicted; a quote may be open"
        return self._error("data-unreadable", message, "close each quote in the cell where it begins")

    def _as_written(self) -> Iterator[list[str]]:
        """The rows with the words that stand for missing values."""
        return replace(self, dialect=replace(self.dialect, na=())).rows()

    def _look(self) -> tuple[str, list[str]]:
        """The separator and the header."""
        with self._text() as lines:
            first = lines.readline()
            if "\0" in first:
                raise UnicodeDecodeError("utf-8", b"", 0, 1, "UTF-16")
            if not first.strip():
                message = f"`{self.name}` {'begins with an empty line' if first else 'is empty'}"
                raise self._error("data-unreadable", message, "name the columns in the first line")
            read = [first, *islice(lines, LOOKED_AT)]
        first_rows = read[1:]
        separator = self.dialect.delimiter or _separator(read)
        with self._text() as lines:
            read = []  # a name may have several lines
            names = next(_read(_noted(lines, read), separator), [])
        given = self.dialect.header
        if given is not None:
            return separator, self._given_names([name.strip() for name in names], given)
        if len(read) > 1 and "".join(read).count('"') % 2:
            message = f"a quote in the first line of `{self.name}` is not closed"
            raise self._error("data-unreadable", message, "close it behind the name of the column, or remove it")
        names = [name.strip() for name in names]
        return separator, ["", *names] if _names_rows(names, first_rows, separator) else names

    def _given_names(self, first: Sequence[str], given: tuple[str, ...] | Literal[False]) -> list[str]:
        """The names of the columns of a file that has none.

        Args:
            first: its first line.
        """
        if given is False:
            return [f"column_{place}" for place in range(1, len(first) + 1)]
        if len(given) != len(first):
            message = f"`header` names {len(given)} columns, and the first line of `{self.name}` has {len(first)}"
            raise self._error("uneven-rows", message, "name every column, or write `header: false` to number them")
        if [name.lower() for name in first] == [name.lower() for name in given]:
            message = f"the first line of `{self.name}` has the names of the columns, and `header` is for files without"
            raise self._error("data-unreadable", message, "remove `header`")
        return list(given)

    def _all_of(self, width: int) -> bool:
        """Whether the first rows have so many values, all of them."""
        separator, _ = self._look()
        with self._text() as lines:
            return all(
                len(row) == width for row in islice(filter(None, _read(islice(lines, 1, None), separator)), LOOKED_AT)
            )

    def _check_lengths(self) -> None:
        """Raises DataError at the first row that has not as many values as the header has names."""
        separator, header = self._look()
        with self._text() as lines:
            rows = _read(lines, separator)
            if self.dialect.header is None:
                next(rows, None)
            for place, row in enumerate(filter(None, rows), start=1):
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
                if self.dialect.header is None and self._all_of(len(row)):
                    help = f"name all {len(row)} columns in the first line, or remove that if it has no names"
                raise self._error("uneven-rows", message, help)


class _Units:
    """The units that the values of each column are written with, which must be one."""

    def __init__(self, file: Separated) -> None:
        self.file = file
        self.known: dict[str, str] = {}

    def see(self, column: str, units: set[str]) -> None:
        """Raises DataError where a column has another unit than before."""
        if not units:
            return
        known = self.known.setdefault(column, min(units))
        other = units - {known}
        if other:
            written = " and ".join(f"`{unit}`" if unit else "no unit" for unit in (known, min(other)))
            message = f"`{column}` of `{self.file.name}` has numbers with {written}"
            raise self.file._error("not-a-number", message, "write all of them with the same unit, or with none")


def _separator(lines: Sequence[str]) -> str:
    """What separates values in as many columns in every line; else what the first line has most of."""
    best, most = "", 1
    for separator in SEPARATORS:
        try:
            widths = {len(row) for row in _read(lines, separator) if row}
        except csv.Error:
            continue
        if len(widths) == 1 and max(widths) > most:
            best, most = separator, max(widths)
    if not best and _separated_by_blanks(lines):
        return BLANKS
    return best or max(SEPARATORS, key=_QUOTED.sub("", lines[0]).count)


def _separated_by_blanks(lines: Sequence[str]) -> bool:
    """Whether white space separates as many values in every line, of which some are numbers: a column of text has that
    too, and none of the same length, or no numbers."""
    if any(mark in _QUOTED.sub("", lines[0]) for mark in SEPARATORS):
        return False
    named, *rows = [row for row in _read(lines, BLANKS) if row] or [[]]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or len(named) < 2 or max(widths) - len(named) not in (0, 1):
        return False
    columns = zip(*rows, strict=True)
    return any(sum(may_be_number(value) or bool(MISSING.fullmatch(value)) for value in column) > MOSTLY * len(rows)
               for column in columns)  # fmt: skip


def _read(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The values of each line."""
    if separator == BLANKS:
        return csv.reader((_BLANKS.sub("\t", line.strip()) + "\n" for line in lines), delimiter="\t")
    return csv.reader(lines, delimiter=separator)


def _names_rows(names: Sequence[str], lines: Sequence[str], separator: str) -> bool:
    """Whether every row has one value more than there are names of columns, and the first of them names it."""
    if separator not in (BLANKS, "\t"):  # as R writes them without commas
        return False
    rows = [row for row in _read(lines, separator) if row]
    return {len(row) for row in rows} == {len(names) + 1} and len({row[0] for row in rows}) == len(rows)


@lru_cache(maxsize=64)
def _signs(file: Separated, modified: int, size: int, brief: bool) -> Settled:
    """How the numbers of a file are written; its rows are read until that is settled.

    Args:
        modified, size: of the file, which is read again when they change.
        brief: whether a part of them is read.
    """
    separator, header = file._look()
    marks, rows = Marks(), file.looked_at()
    first = list(islice(rows, LOOKED_AT))
    numeric = []
    for place, name in enumerate(header):
        values = [row[place] for row in first if not MISSING.fullmatch(row[place])]
        if values and 2 * sum(map(may_be_number, values)) >= len(values):
            numeric.append((place, name))
            marks.see(name, values)
    rest = islice(rows, MOST_ROWS)
    while not marks.settled and (some := list(islice(rest, LOOKED_AT))):
        for place, name in numeric:
            marks.see(name, [row[place] for row in some])
    return settle(marks, file.dialect, separator)


def _noted(lines: Iterable[str], read: list[str]) -> Iterator[str]:
    """The lines, each added to those that were read."""
    for line in lines:
        read.append(line)
        yield line


def _texts(values: Any, decimal: str) -> list[str]:
    """Numbers in as few digits as tell them apart, an empty text where there is none; words as `as_cell` has them."""
    if values.dtype.kind != "f":
        return ["" if value is None else as_cell(str(value)) for value in values.tolist()]
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
