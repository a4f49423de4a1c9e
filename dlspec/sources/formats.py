"""How rows are written in a file: separated values, JSON Lines or Parquet, also compressed."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, TextIO, cast

from dlspec.datasets import ColumnKind, Columns
from dlspec.diagnostics import DataError, Span
from dlspec.fields import one_of
from dlspec.source.encodings import encoding_in_words

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
VALUES_AT_A_TIME = 2**19
"""Values of a text file that are read at a time."""
LOOKED_AT = 200
"""Rows that tell numbers from text before the whole file is read."""
OPENERS = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}
COMPRESSED = (*OPENERS, ".zip")
BROKEN = (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
"""What reading a file raises, compressed or not."""


@dataclass(frozen=True)
class RowsFormat(ABC):
    """A file of rows, whose columns have names.

    A column without a name, such as the index that pandas writes, is left out.

    Args:
        file: where it is.
        name: what it is called in messages.
        span: where the spec names it.

    All methods raise DataError where the file cannot be read.
    """

    file: Path
    name: str
    span: Span | None = None

    suffixes: ClassVar[tuple[str, ...]]
    title: ClassVar[str]
    """What the format is called in messages."""
    is_text: ClassVar[bool] = True

    @property
    def decimal(self) -> str:
        """What stands before the fraction of a number."""
        return "."

    @abstractmethod
    def header(self) -> list[str]:
        """The names of the columns; an empty one has none."""

    @abstractmethod
    def rows(self) -> Iterator[list[str]]:
        """The values of each row as they are written, an empty one where there is none."""

    @abstractmethod
    def read(self, labels: Collection[str]) -> Columns:
        """All columns, numbers as float64 and everything else as it is.

        Args:
            labels: columns whose values are taken as text, also where they look like numbers or missing values.
        """

    @abstractmethod
    def blocks(self, size: int, labels: Collection[str] = ()) -> Iterator[Columns]:
        """The columns as `read` gives them, of so many rows at a time, so that memory stays flat."""

    @abstractmethod
    def extending(self, out: IO[bytes], size: int) -> AbstractContextManager[Callable[[Columns], None]]:
        """Writes the rows anew in the same format, as they are, with more columns behind their own.

        Args:
            size: rows at a time, as for `blocks`.

        Returns:
            In the `with` block a function that takes the values of the new columns for each block in turn.
        """

    def kinds(self) -> dict[str, ColumnKind]:
        """What the format itself says of columns: `time` or `nested`."""
        return {}

    def first_rows(self) -> list[list[str]]:
        """A few rows, as they are written."""
        return list(islice(self.rows(), LOOKED_AT))

    def gather_words(self, wanted: Mapping[str, tuple[set[str], int]]) -> int:
        """Adds the different values of columns to sets, until one has more than is asked for.

        Args:
            wanted: column -> its words so far, and how many there may be.

        Returns:
            How many rows there are.
        """
        header = self.header()
        open_ = [(header.index(name), *sought) for name, sought in wanted.items() if name in header]
        rows = 0
        for rows, row in enumerate(self.rows(), start=1):
            for place, words, _ in open_:
                words.add(row[place].strip())
            if rows % LOOKED_AT == 0:
                open_ = [sought for sought in open_ if len(sought[1]) <= sought[2] + 1]
        return rows

    def count(self) -> int:
        """About how many rows there are, by the size of the file and of its first rows."""
        rows = self.first_rows()
        if len(rows) < LOOKED_AT:
            return len(rows)
        if self.file.suffix.lower() in COMPRESSED:
            return sum(1 for _ in self.rows())
        sizes = [sum(len(value.encode()) + 1 for value in row) for row in rows]
        return max(LOOKED_AT, round(self.file.stat().st_size * len(rows) / (sum(sizes) + self._overhead(len(rows)))))

    def _overhead(self, rows: int) -> int:
        """Bytes of so many rows besides their values."""
        return 0

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        """The file as text. Whatever goes wrong with it in the block becomes a DataError."""
        try:
            with _opened(self.file) as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
                yield lines
        except UnicodeDecodeError:
            raise self._not_utf8() from None
        except (*BROKEN, ValueError, csv.Error) as error:
            raise self._unreadable(error) from None

    def _not_utf8(self) -> DataError:
        with _opened(self.file) as raw:
            known = encoding_in_words(raw.read(2**20))
        saved = f"is saved as {known}" if known else "is no text"
        return self._error("data-unreadable", f"`{self.name}` {saved}, and data are UTF-8", "save it as UTF-8")

    def _unreadable(self, error: Exception) -> DataError:
        compressed = self.file.suffix.lower() in COMPRESSED
        if isinstance(error, BROKEN) and compressed and getattr(error, "strerror", None) is None:
            reason = f"it is no whole {self.file.suffix} file"
        else:
            reason = (getattr(error, "strerror", None) or str(error)).strip()
            reason = reason[:1].lower() + reason[1:]
        return self._error("data-unreadable", f"cannot read `{self.name}`: {reason}")

    def _error(self, code: str, message: str, help: str | None = None) -> DataError:
        return DataError.of(code, message, self.span, help=help)


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
        found = pd.read_csv(
            self.file,
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
            values = zip(*(_texts(column, self.decimal) for column in more.values()), strict=True)
            writer.writerows([*next(rows), *behind] for behind in values)
            out.write(text.getvalue().encode())

        yield add

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
        separator = max(SEPARATORS, key=first.count)
        return separator, [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]

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


class JsonLines(RowsFormat):
    """A JSON object in each line: `{"age": 31, "city": "Seoul"}`. What a line leaves out is missing in it."""

    title = "JSON Lines"
    suffixes = (".jsonl", ".ndjson", ".json")

    def header(self) -> list[str]:
        return list(dict.fromkeys(name for entry in islice(self._objects(), LOOKED_AT) for name in entry))

    def rows(self) -> Iterator[list[str]]:
        header = self.header()
        for entry in self._objects():
            yield [_as_text(entry.get(name)) for name in header]

    def kinds(self) -> dict[str, ColumnKind]:
        found: dict[str, ColumnKind] = {}
        for entry in islice(self._objects(), LOOKED_AT):
            found |= {name: "nested" for name, value in entry.items() if isinstance(value, dict | list)}
        return found

    def read(self, labels: Collection[str]) -> Columns:
        return _columns_of(self._objects(), labels)

    def blocks(self, size: int, labels: Collection[str] = ()) -> Iterator[Columns]:
        names, entries = self.header(), self._objects()
        while some := list(islice(entries, size)):
            yield _columns_of(some, labels, names)

    @contextmanager
    def extending(self, out: IO[bytes], size: int) -> Iterator[Callable[[Columns], None]]:
        lines = self._lines()

        def add(more: Columns) -> None:
            values = zip(*(_values(column) for column in more.values()), strict=True)
            for behind, (line, entry) in zip(values, lines, strict=False):
                added = json.dumps(dict(zip(more, behind, strict=True)), ensure_ascii=False)
                out.write(f"{line.strip()[:-1]}{', ' * bool(entry)}{added[1:]}\n".encode())

        yield add

    def _objects(self) -> Iterator[dict[str, Any]]:
        return (entry for _, entry in self._lines())

    def _lines(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each line as it is written, and what it says."""
        with self._text() as lines:
            for place, line in enumerate(filter(str.strip, lines), start=1):
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = None
                if "\\ud" in line and not _is_text(entry):
                    message = f"line {place} of `{self.name}` has half a character: {line.strip()[:60]}"
                    raise self._error("data-unreadable", message, r"write characters beyond \uffff as they are")
                if not isinstance(entry, dict):
                    whole = place == 1 and line.lstrip().startswith("[")
                    message = f"line {place} of `{self.name}` is no JSON object: {line.strip()[:60]}"
                    help = "write each row as `{…}` on a line of its own"
                    raise self._error("data-unreadable", message, f"{help}, without `[` and `]`" if whole else help)
                yield line, entry

    def _overhead(self, rows: int) -> int:
        return rows * (2 + sum(len(name) + 4 for name in self.header()))


class Parquet(RowsFormat):
    """Columns in the format of Apache Parquet, which says itself what they hold."""

    title = "Parquet"
    suffixes = (".parquet", ".pq")
    is_text = False

    def header(self) -> list[str]:
        with self._open() as file:
            return [name for name in file.schema_arrow.names if not re.fullmatch(r"__index_level_\d+__", name)]

    def rows(self) -> Iterator[list[str]]:
        header = self.header()
        with self._open() as file:
            for batch in file.iter_batches(4096, columns=header):
                columns = [batch.column(i).to_pylist() for i in range(len(header))]
                yield from ([_as_text(value) for value in row] for row in zip(*columns, strict=True))

    def gather_words(self, wanted: Mapping[str, tuple[set[str], int]]) -> int:
        open_ = {name: sought for name, sought in wanted.items() if name in self.header()}
        with self._open() as file:
            for batch in file.iter_batches(65_536, columns=list(open_)) if open_ else ():
                for name, (words, most) in list(open_.items()):
                    words.update(_as_text(value).strip() for value in batch.column(name).unique().to_pylist())
                    if len(words) > most + 1:
                        del open_[name]
                if not open_:
                    break
            return int(file.metadata.num_rows)

    def count(self) -> int:
        with self._open() as file:
            return int(file.metadata.num_rows)

    def kinds(self) -> dict[str, ColumnKind]:
        import pyarrow.types as types

        with self._open() as file:
            schema = file.schema_arrow
        found: dict[str, ColumnKind] = {}
        for name, kind in zip(schema.names, schema.types, strict=True):
            if types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind):
                found[name] = "nested"
            elif types.is_temporal(kind):
                found[name] = "time"
        return found

    def read(self, labels: Collection[str]) -> Columns:
        with self._open() as file:
            table = file.read(columns=self.header())
        return {name: _as_array(table.column(name), name in labels) for name in table.column_names}

    def blocks(self, size: int, labels: Collection[str] = ()) -> Iterator[Columns]:
        names = self.header()
        for table in self._tables(size):
            yield {name: _as_array(table.column(name), name in labels) for name in names}

    @contextmanager
    def extending(self, out: IO[bytes], size: int) -> Iterator[Callable[[Columns], None]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = self._tables(size)
        writers: list[pq.ParquetWriter] = []

        def add(more: Columns) -> None:
            table = next(tables)
            for name, values in more.items():
                table = table.append_column(name, pa.array(values, from_pandas=True))
            if not writers:
                writers.append(pq.ParquetWriter(out, table.schema))
            writers[0].write_table(table)

        try:
            yield add
        finally:
            for writer in writers:
                writer.close()

    def _tables(self, size: int) -> Iterator[pa.Table]:
        import pyarrow as pa

        with self._open() as file:
            yield from (pa.Table.from_batches([batch]) for batch in file.iter_batches(size))

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.file) as file:
                yield file
        except (OSError, pa.ArrowInvalid) as error:
            if isinstance(error, OSError) and error.strerror:
                raise self._unreadable(error) from None
            message = f"cannot read `{self.name}`: it is no whole Parquet file"
            raise self._error("data-unreadable", message, "write it anew") from None


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


FORMATS: tuple[type[RowsFormat], ...] = (Separated, JsonLines, Parquet)


def format_of(file: Path, name: str, span: Span | None = None) -> RowsFormat:
    """The format of a file, by the end of its name; anything unknown is taken for separated values."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    kind = next((kind for kind in FORMATS if suffixes and suffixes[-1] in kind.suffixes), Separated)
    return kind(file, name, span)


def _opened(file: Path) -> IO[bytes]:
    """The bytes of a file, decompressed."""
    suffix = file.suffix.lower()
    if suffix in OPENERS:
        return cast("IO[bytes]", OPENERS[suffix](file))
    if suffix != ".zip":
        return file.open("rb")
    with zipfile.ZipFile(file) as archive:  # a member that is open keeps the file open
        if len(archive.namelist()) != 1:
            raise ValueError(f"it holds {one_of(archive.namelist())}, and one file is needed")
        return archive.open(archive.namelist()[0])


@contextmanager
def creating(file: Path, member: str) -> Iterator[IO[bytes]]:
    """A new file to write to, compressed as the end of its name says.

    Args:
        member: the name inside an archive.
    """
    suffix = file.suffix.lower()
    if suffix in OPENERS:
        with cast("IO[bytes]", OPENERS[suffix](file, "wb")) as out:
            yield out
    elif suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(member, "w") as out:
            yield out
    else:
        with file.open("wb") as out:
            yield out


def _columns_of(entries: Iterable[dict[str, Any]], labels: Collection[str], names: Iterable[str] = ()) -> Columns:
    """The values of JSON objects by their names.

    Args:
        names: of columns that are there in any case.
    """
    import numpy as np

    columns: dict[str, list[Any]] = {name: [] for name in names}
    count = 0
    for count, entry in enumerate(entries, start=1):
        for name, value in entry.items():
            values = columns.setdefault(name, [None] * (count - 1))
            values.append(value)
        if len(entry) < len(columns):
            for values in columns.values():
                values.extend([None] * (count - len(values)))
    found: Columns = {}
    for name, values in columns.items():
        if name in labels:
            found[name] = np.array([_as_text(value).strip() for value in values], object)
        elif all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
            found[name] = np.array(values, "float64")
        else:
            found[name] = np.array([None if v is None else _as_text(v) for v in values], object)
    return found


def _texts(values: Any, decimal: str) -> list[str]:
    """Numbers in as few digits as tell them apart, an empty text where there is none; words as they are."""
    if values.dtype.kind != "f":
        return ["" if value is None else str(value) for value in values.tolist()]
    return ["" if text == "nan" else text.replace(".", decimal) for text in values.astype(str).tolist()]


def _values(values: Any) -> list[Any]:
    """The same as JSON has them."""
    if values.dtype.kind != "f":
        return list(values.tolist())
    return [None if text == "nan" else float(text) for text in values.astype(str).tolist()]


def _is_text(entry: Any) -> bool:
    """Whether every character of what JSON says is whole: `\\ud83d` alone is none."""
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


def _as_array(column: pa.ChunkedArray, label: bool) -> Any:
    """A column of Parquet: float64, datetime64, or objects that are text or None."""
    import numpy as np
    import pyarrow.types as types

    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if number and not label:
        return column.to_pandas().to_numpy("float64", na_value=np.nan)
    if types.is_timestamp(kind) or types.is_date(kind):
        import pandas as pd

        times: pd.Series[Any] = pd.to_datetime(pd.Series(column.to_pandas()), utc=True).dt.tz_localize(None)
        return times.to_numpy("datetime64[us]")
    values: Sequence[Any] = column.to_pylist()
    if label:
        return np.array([_as_text(value).strip() for value in values], object)
    return np.array([None if value is None else _as_text(value) for value in values], object)
