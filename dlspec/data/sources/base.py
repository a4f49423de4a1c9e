"""What a source of data in files declares: where they are, what they look like, and how they are read."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

from dlspec.data.arrays import bytes_of
from dlspec.data.datasets import ColumnKind, Columns, Description, Loaded
from dlspec.data.sources.formats.base import Counts
from dlspec.data.sources.formats.dialect import NOTHING_SAID, Dialect
from dlspec.language.diagnostics import Span
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import did_you_mean
from dlspec.runtime.memory import machine_memory

Cache = Literal["auto", "memory", "none"]
SHARE_OF_MEMORY = 8
"""Samples that take more than this part of the machine's memory are read when they are needed."""


class Deciding(Protocol):
    """Which rows decide types and words: those of the training part, where that is known before values are read."""

    @property
    def part(self) -> str:
        """The column that says the part of each row; empty: none does."""

    def counts(self, source: Any, header: Sequence[str]) -> Counts | None:
        """Which rows of a source in files of rows these are; None: all."""

    def first(self, rows: int, test: int) -> int:
        """How many of the first rows these are, of so many with so many for the test behind them: of other sources."""


@dataclass(frozen=True)
class SourceContext:
    """Where a spec names a source, and what else it says of it.

    Args:
        folder: what a relative path is relative to.
        span: of what it says.
        cache: whether samples are kept in memory.
        said: column -> the kind that it takes it for, whatever it looks like.
        tags: column -> what separates the tags in it.
        targets: the columns that are predicted, as far as they are named.
        at_places: array that is predicted -> the kind that the spec says of each of its values.
        groups: the columns that say which rows belong together, whose values are names, also where they are digits.
        training: which rows decide types and words; None: all.
        dialect: how files of rows are written.
        whole_texts: whether a file of text is one text that is written on, also where its name is one of tables.
    """

    folder: Path
    span: Span | None = None
    cache: Cache = "auto"
    said: tuple[tuple[str, ColumnKind], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    training: Deciding | None = None
    dialect: Dialect = NOTHING_SAID
    at_places: tuple[tuple[str, ColumnKind], ...] = ()
    whole_texts: bool = False


@dataclass(frozen=True)
class FileSource(ABC):
    """Data in files.

    Args:
        paths: as written in the spec.
        folder: what a relative path is relative to.
        span: where the spec names them.
        cache: whether samples are kept in memory.
        training: which rows decide types and words; None: all.
    """

    paths: tuple[str, ...]
    folder: Path
    span: Span | None = None
    cache: Cache = "auto"
    training: Deciding | None = field(default=None, kw_only=True)

    key: ClassVar[str]
    """Of the spec, which names such files."""

    @abstractmethod
    def describe(self) -> Description:
        """The columns, as far as they are known without reading all of the data.

        Raises:
            DataError: a file is absent or cannot be read, or the files do not fit together.
        """

    @abstractmethod
    def load(self, seed: int) -> Columns:
        """The columns of the description.

        Raises:
            DataError: a file cannot be read.
        """

    def load_parts(self, seed: int) -> Loaded:
        """The columns, and how many of the last rows are parts that the data bring."""
        return Loaded(self.load(seed), 0, self.describe().test_rows)

    def load_beside(self, seed: int) -> Loaded:
        """The same, perhaps without columns of samples that take long to read."""
        return self.load_parts(seed)

    def place_of(self, row: int) -> str:
        """Where a row, counted from 1, stands in the files; empty where its number says it."""
        return ""

    def _deciding(self, rows: int, test: int) -> int:
        """How many of the first rows decide types and words, of so many with so many for the test behind them."""
        return rows - test if self.training is None else self.training.first(rows, test)

    @classmethod
    @abstractmethod
    def of(cls, given: Any, context: SourceContext) -> Self:
        """The source that the spec names.

        Args:
            given: what it says under `key`.
        """

    def written(self, given: Any, paths: Sequence[str]) -> Any:
        """What a spec says under `key` where the files have other paths.

        Args:
            given: what it says, as plain values.
        """
        return paths[0] if len(paths) == 1 else list(paths)

    def seen_from(self, folder: Path, given: Any) -> Any:
        """What a spec in another folder says under `key`."""
        return self.written(given, [relative(self.folder / path, folder) for path in self.paths])

    def _existing(self, path: str) -> Path:
        """Where the file or folder is; raises DataError where it is not."""
        if "\0" in path:
            raise self._error("data-unreadable", f"cannot read `{path}`: no file has such a name")
        whole = self.folder / path
        try:
            state = whole.stat()
        except FileNotFoundError:
            raise self._error("data-not-found", f"there is no file `{path}`", self._nearest(path)) from None
        except OSError as error:
            raise self._unreadable(path, error) from None
        if not (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)):  # it may have no end, or wait for ever
            raise self._error("data-unreadable", f"`{path}` is neither a file nor a folder", "save the data as a file")
        return whole

    def _nearest(self, path: str) -> str:
        if "://" in path:
            return "nothing is downloaded; save the file and name its path"
        whole = self.folder / path
        where = "" if self.span is None else f"the path is relative to the folder of the spec: `{whole.absolute()}`"
        try:
            there = [*whole.parent.iterdir()]
        except (OSError, ValueError):
            return where
        names = [file.name for file in there if file.suffix.lower() == whole.suffix.lower() or file.stem == whole.stem]
        near = did_you_mean(whole.name, names, otherwise="")
        return f"{near} ({where})" if near and where else near or where

    def _error(self, code: str, message: str, help: str | None = None) -> DataError:
        return DataError.of(code, message, self.span, help=help)

    def _unreadable(self, path: str, error: OSError | ValueError) -> DataError:
        reason = (getattr(error, "strerror", None) or str(error)).strip()
        return self._error("data-unreadable", f"cannot read `{path}`: {reason[:1].lower()}{reason[1:]}")


def relative(file: Path, folder: Path) -> str:
    """The path of a file as seen from a folder."""
    try:
        return os.path.relpath(file.resolve(), folder.resolve())
    except ValueError:  # another drive of Windows
        return str(file)


def fits_in_memory(shape: Sequence[int], dtype: Any, cache: Cache) -> bool:
    """Whether samples are kept in memory: by `data.cache`, or where they take an eighth of the machine's at most."""
    return cache == "memory" or (cache == "auto" and bytes_of(shape, dtype) <= machine_memory() // SHARE_OF_MEMORY)


def files_state(files: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of files: while these stay the same, what is in them does."""
    return tuple((str(file), (state := file.stat()).st_mtime_ns, state.st_size) for file in files)
