"""What a format of rows declares, and files that may be compressed."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any, ClassVar, TextIO, cast

from dlspec.data.datasets import ColumnKind, Columns
from dlspec.data.sources.formats.dialect import NOTHING_SAID, PLAIN, Dialect, Settled, written
from dlspec.data.sources.reading import reading_briefly
from dlspec.language.diagnostics import Span
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.language.yaml.encodings import encoding_in_words, encoding_of, marked_encoding

Counts = Callable[[int, str], bool]
"""Whether a row decides types and words, by its place among those of all files and what a column says of its part."""
LOOKED_AT = 200
"""Rows that tell numbers from text before the whole file is read."""
OPENERS = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}
COMPRESSED = (*OPENERS, ".zip")
LONGEST_LINE = 2**26
"""Bytes that a line of a file may have."""
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
        dialect: what the spec says of how it is written.

    All methods raise DataError where the file cannot be read.
    """

    file: Path
    name: str
    span: Span | None = None
    dialect: Dialect = NOTHING_SAID

    suffixes: ClassVar[tuple[str, ...]]
    title: ClassVar[str]
    """What the format is called in messages."""
    is_text: ClassVar[bool] = True

    @property
    def signs(self) -> Settled:
        """How its numbers are written.

        Raises:
            DataError: its values leave a choice.
        """
        return PLAIN

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

    def looked_at(self) -> Iterator[list[str]]:
        """The rows; where files are read briefly, the first of them."""
        brief = reading_briefly()
        return self.rows() if brief is None else brief.rows(self.rows(), self.name)

    def units(self, rows: Sequence[Sequence[str]]) -> dict[str, str]:
        """The currency or `%` beside the numbers of a column, in some rows; columns without one are left out."""
        found: dict[str, str] = {}
        for place, name in enumerate(self.header()):
            said = {number.unit for row in rows if (number := written(row[place])) is not None and number.unit}
            if name and len(said) == 1:
                found[name] = said.pop()
        return found

    def gather_words(
        self, wanted: Mapping[str, tuple[set[str], int]], counts: Counts | None = None, first: int = 0, part: str = ""
    ) -> tuple[int, int]:
        """Adds the different values of columns to sets, until one has more than is asked for.

        Args:
            wanted: column -> its words so far, and how many there may be.
            counts: which rows count; None: all.
            first: the place of the first row among those of all files.
            part: the column that says the part of a row, whose own words are gathered of all rows; empty: none does.

        Returns:
            How many rows there are, and how many of them count.
        """
        header = self.header()
        open_ = [(header.index(name), *sought) for name, sought in wanted.items() if name in header]
        own = header.index(part) if part in header else -1
        rows = counted = 0
        for rows, row in enumerate(self.looked_at(), start=1):
            here = counts is None or counts(first + rows - 1, row[own] if own >= 0 else "")
            counted += here
            for place, words, _ in open_:
                if here or place == own:
                    words.add(as_word(row[place]))
            if rows % LOOKED_AT == 0:
                open_ = [sought for sought in open_ if len(sought[1]) <= sought[2] + 1]
        return rows, counted

    @property
    def is_compressed(self) -> bool:
        return self.file.suffix.lower() in COMPRESSED

    def count_all(self) -> int:
        """How many rows there are."""
        return sum(1 for _ in self.rows())

    def count(self) -> int:
        """About how many rows there are, by the size of the file and of its first rows."""
        rows = self.first_rows()
        if len(rows) < LOOKED_AT:
            return len(rows)
        if self.is_compressed:
            return sum(1 for _ in self.looked_at())
        sizes = [sum(len(value.encode()) + 1 for value in row) for row in rows]
        return max(LOOKED_AT, round(self.file.stat().st_size * len(rows) / (sum(sizes) + self._overhead(len(rows)))))

    def _overhead(self, rows: int) -> int:
        """Bytes of so many rows besides their values."""
        return 0

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        """The file as text. Whatever goes wrong with it in the block becomes a DataError."""
        try:
            with opened(self.file) as raw, TextIOWrapper(raw, encoding=self.encoding, newline="") as lines:
                yield lines
        except UnicodeError:
            raise self._not_utf8() from None
        except (*BROKEN, ValueError, csv.Error) as error:
            raise self._unreadable(error) from None

    @property
    def encoding(self) -> str:
        """Of its text: what the spec says, or the mark at its beginning; else UTF-8."""
        return self.dialect.encoding or marked_encoding(self._beginning()) or "utf-8-sig"

    @property
    def encoding_to_write(self) -> str:
        """The same, in UTF-8 with a mark at the beginning where it is asked for."""
        given = self.dialect.encoding or marked_encoding(self._beginning())
        return given or ("utf-8-sig" if self.dialect.bom else "utf-8")

    def _beginning(self) -> bytes:
        with opened(self.file) as raw:
            return raw.read(4)

    def likely_encoding(self) -> str | None:
        """What a text that is not UTF-8 is likely saved as; None: nothing tells it."""
        with opened(self.file) as raw:
            return encoding_of(raw.read(2**20))

    def _not_utf8(self) -> DataError:
        if self.dialect.encoding is not None:
            message = f"`{self.name}` is not written in `{self.dialect.encoding}`, which `encoding` says"
            help = "write the encoding that it was saved in, or save it as UTF-8"
            return self._error("data-unreadable", message, help)
        with opened(self.file) as raw:
            known = encoding_in_words(raw.read(2**20))
        saved = f"is saved as {known}" if known else "is no text in UTF-8"
        name = known.split()[0].lower() if known else "cp1252"
        help = f"save it as UTF-8, or write `encoding: {name}` under `data`, if that is how it was saved"
        return self._error("data-unreadable", f"`{self.name}` {saved}, and data are UTF-8", help)

    def _unreadable(self, error: Exception) -> DataError:
        if isinstance(error, BROKEN) and self.is_compressed and getattr(error, "strerror", None) is None:
            reason = f"it is no whole {self.file.suffix} file"
        else:
            reason = (getattr(error, "strerror", None) or str(error)).strip()
            reason = reason[:1].lower() + reason[1:]
        return self._error("data-unreadable", f"cannot read `{self.name}`: {reason}")

    def _error(self, code: str, message: str, help: str | None = None) -> DataError:
        return DataError.of(code, message, self.span, help=help)


class _Lines(RawIOBase):
    """Bytes whose lines are not endless: a small file that is compressed, or has holes, would fill the memory.

    Raises ValueError where a line is too long.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.length = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self.file.read(len(buffer))
        buffer[: len(found)] = found
        end = max(found.rfind(b"\n"), found.rfind(b"\r"))
        self.length = self.length + len(found) if end < 0 else len(found) - end - 1
        if self.length > LONGEST_LINE:
            raise ValueError(f"a line of it is longer than {LONGEST_LINE:,} bytes")
        return len(found)

    def close(self) -> None:
        self.file.close()
        super().close()


def opened(file: Path) -> IO[bytes]:
    """The bytes of a file, decompressed."""
    whole = _decompressed(file) if file.suffix.lower() in COMPRESSED else file.open("rb")
    return BufferedReader(_Lines(whole), 2**18)


def _decompressed(file: Path) -> IO[bytes]:
    suffix = file.suffix.lower()
    if suffix in OPENERS:
        return cast("IO[bytes]", OPENERS[suffix](file))
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


def as_word(value: Any) -> str:
    """A value as one of several words: a whole number is the same with and without a fraction of zeros."""
    text = as_text(value).strip()
    return text.partition(".")[0] if _WHOLE.fullmatch(text) else text


_WHOLE = re.compile(r"-?(0|[1-9]\d*)\.0*")


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)
