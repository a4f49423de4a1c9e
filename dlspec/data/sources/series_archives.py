"""Series with a class or a number each, as the time-series archives write them (Bagnall et al., 2018): `.ts` files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.sources.array_files import ArrayInFile
from dlspec.language.diagnostics.errors import DataError
from dlspec.runtime.npy import Header

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

SUFFIX = ".ts"
MOST_BYTES = 2**31


@dataclass(frozen=True)
class ArrayInMemory(ArrayInFile):
    """An array that was read out of a text."""

    values: Any = field(default=None, compare=False)

    @classmethod
    def of(cls, file: Path, name: str, values: Array) -> ArrayInMemory:
        kind = "U" if values.dtype == object else values.dtype.kind
        return cls(file, name, Header(values.dtype.str, kind, values.dtype.itemsize, values.shape, False, 0), values)

    def columns(self) -> Iterator[list[Sequence[Any]]]:
        rows = self.values.reshape(len(self.values), -1)
        yield [column.tolist() for column in rows.T]

    def load(self) -> Array:
        return self.values.astype(str) if self.header.kind == "U" else self.values


@dataclass(frozen=True)
class SeriesArchive:
    """The series of a file.

    Args:
        series: of each, its dimensions, each a list of values.
        labels: of each, its class as text, or its number; empty: they have none.
        of_numbers: whether labels are numbers.
    """

    series: tuple[tuple[tuple[float, ...], ...], ...]
    labels: tuple[str, ...]
    of_numbers: bool

    @property
    def lengths(self) -> tuple[int, int]:
        """Timesteps of the shortest and of the longest series."""
        lengths = [len(dimension) for each in self.series for dimension in each]
        return min(lengths), max(lengths)

    def arrays(self, file: Path, length: int) -> dict[str, ArrayInMemory]:
        """`x`, (series, timesteps, dimensions), and `y`; shorter series go on with their last values."""
        import numpy as np

        x = np.empty((len(self.series), length, len(self.series[0])))
        for row, each in enumerate(self.series):
            for place, values in enumerate(each):
                x[row, : len(values), place] = values
                x[row, len(values) :, place] = values[-1]
        found = {"x": ArrayInMemory.of(file, "x", x)}
        if self.labels:
            y = np.array([float(label) for label in self.labels]) if self.of_numbers else np.array(self.labels, object)
            found["y"] = ArrayInMemory.of(file, "y", y)
        return found


def read_archive(file: Path, name: str) -> SeriesArchive:
    """The series of a file; one that has not changed is read once.

    Raises:
        DataError: it is no such file, or holds what is not read: times, or missing values.
    """
    state = file.stat()
    if state.st_size > MOST_BYTES:
        raise DataError.of("data-too-large", f"`{name}` has more than {MOST_BYTES:,} bytes")
    return _read(file, name, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(file: Path, name: str, modified: int, size: int) -> SeriesArchive:
    said: dict[str, list[str]] = {}
    series, labels = [], []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise _error(name, "is no text in UTF-8", "save it as UTF-8") from None
    begun = False
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not begun:
            if not text.startswith("@"):
                raise _error(name, f"has in line {number} neither `@data` nor what is said before it", "begin with `@`")
            key, *values = text[1:].split()
            said[key.lower()] = values
            begun = key.lower() == "data"
            if begun and said.get("timestamps", ["false"])[0].lower() == "true":
                raise _error(name, "has a time beside each value", "write values alone: `@timeStamps false`")
            continue
        *dimensions, last = text.split(":")
        has_label = any(said.get(key, ["false"])[0].lower() == "true" for key in ("classlabel", "targetlabel"))
        dimensions = dimensions if has_label else [*dimensions, last]
        labels += [last.strip()] * has_label
        series.append(tuple(_values(each, name, number) for each in dimensions))
        if len(series[-1]) != len(series[0]) or not series[-1]:
            text = f"has {len(series[-1])} dimensions in line {number}, and {len(series[0])} before"
            raise _error(name, text, "write all series with as many dimensions")
    if not series:
        raise _error(name, "has no series below `@data`", "write one in each line")
    of_numbers = said.get("targetlabel", ["false"])[0].lower() == "true"
    return SeriesArchive(tuple(series), tuple(labels), of_numbers)


def _values(text: str, name: str, line: int) -> tuple[float, ...]:
    try:
        found = tuple(float(value) for value in text.split(","))
    except ValueError:
        missing = "?" in text
        said = "lacks a value" if missing else f"has {text[:40]!r}, which are no numbers,"
        raise _error(name, f"{said} in line {line}", "fill in or remove this series") from None
    return found


def _error(name: str, said: str, help: str) -> DataError:
    return DataError.of("data-unreadable", f"`{name}` {said}", help=help)
