"""What arrays in files hold, out of their headers and, where there may be classes, of their values, without numpy."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.arrays import LazyArray, Samples, joined
from dlspec.data.datasets import Column, ColumnKind
from dlspec.runtime.npy import Header, read_columns

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

MOST_CLASSES = 100
"""Whole numbers of which there are more are numbers, and no classes."""
MOST_TARGETS = 1000
"""With more columns than this, `y` is no list of targets."""


@dataclass(frozen=True)
class ArrayInFile:
    """An array in a file.

    Args:
        member: of an archive, in which the array is; empty where the file is the array.
    """

    file: Path
    member: str
    header: Header

    def columns(self) -> Iterator[list[Sequence[Any]]]:
        """The values, some rows at a time, as lists of columns."""
        if not self.header.is_plain:
            yield self._by_numpy()
        elif self.member:
            with zipfile.ZipFile(self.file) as archive, archive.open(self.member) as opened:
                opened.read(self.header.start)
                yield from read_columns(opened, self.header)
        else:
            with self.file.open("rb") as opened:
                opened.seek(self.header.start)
                yield from read_columns(opened, self.header)

    def _by_numpy(self) -> list[Sequence[Any]]:
        """The same of numbers that `struct` does not know, such as those of 80 bits."""
        values = self.load()[:]
        return list(values.reshape(len(values), math.prod(values.shape[1:])).T)

    def load(self) -> Samples:
        """The array: in memory out of an archive, else in its file."""
        import numpy as np

        values: Samples
        if self.member:
            with np.load(self.file, allow_pickle=False) as archive:
                values = archive[self.member.removesuffix(".npy")]
        else:
            values = MappedFile(np.load(self.file, mmap_mode="r", allow_pickle=False))
        return np.char.decode(values[:], "utf-8") if self.header.kind == "S" else values


class MappedFile(LazyArray):
    """An array that stays in its file."""

    def __init__(self, mapped: Array) -> None:
        super().__init__(mapped.shape, mapped.dtype)
        self.mapped = mapped

    def read(self, rows: Array) -> Array:
        return self.mapped[rows]


@dataclass(frozen=True)
class JoinedArray:
    """An array in a file, or in two, one behind the other.

    It has the shape and the length of an array; its values stay in the files.

    Args:
        looked_at: so many of the first rows tell what it holds; None: all.
    """

    parts: tuple[ArrayInFile, ...]
    looked_at: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        first = self.parts[0].header.shape
        return first if len(self.parts) == 1 else (len(self), *first[1:])

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return sum(part.header.shape[0] for part in self.parts)

    @property
    def dtype(self) -> Any:
        """Of the first part, as its header has it."""
        return self.parts[0].header.dtype

    @property
    def kind(self) -> str:
        """numpy's letter for the kind of values; of parts that differ, for what numpy makes of both."""
        headers = [part.header for part in self.parts]
        kinds = {header.kind for header in headers}
        if kinds == {"i", "u"} and any((header.kind, header.item_size) == ("u", 8) for header in headers):
            return "f"
        return max(kinds, key="buifc".find)

    def fits(self, other: JoinedArray) -> bool:
        """Whether the values of another array can follow: there are none, both are numbers, or both of one kind."""
        if not (len(self) and len(other)):
            return True
        kinds = {self.kind, other.kind}
        return kinds <= set("buifc") or len(kinds) == 1

    def followed_by(self, other: JoinedArray) -> JoinedArray:
        """Both arrays, one behind the other."""
        filled = tuple(part for part in self.parts + other.parts if part.header.shape[0])
        return JoinedArray(filled or self.parts)

    def columns(self) -> Iterator[list[Sequence[Any]]]:
        """The values, (rows,) or (rows, columns), some rows at a time, as lists of columns."""
        left = len(self) if self.looked_at is None else self.looked_at
        for part in self.parts:
            for columns in part.columns():
                if left <= 0:
                    return
                yield [values[:left] for values in columns]
                left -= len(columns[0]) if columns else 0

    def load(self) -> Samples:
        """The whole array."""
        return joined([part.load() for part in self.parts])


def describe_column(name: str, stored: JoinedArray) -> Column:
    """What an array is: a column with a value in each row, or with an array in each."""
    if stored.ndim > 1:
        return Column(name, shape=stored.shape[1:])
    return _describe_values(name, stored)


def describe_places(name: str, stored: JoinedArray, kind: ColumnKind) -> Column:
    """An array with a class, or a number, at each of its places; where it has no classes, the kind is a number.

    Classes are whole numbers, or true and false.
    """
    if kind != "class" or stored.kind not in "buif":
        return Column(name, shape=stored.shape[1:])
    found: set[Any] = set()
    for columns in stored.columns():
        found.update(*columns)
        if len(found) > MOST_CLASSES or (stored.kind == "f" and any(value != value // 1 for value in found)):
            return Column(name, shape=stored.shape[1:])
    words = [str(value) if stored.kind == "b" else str(int(value)) for value in sorted(found)]
    return Column(name, "class", stored.shape[1:], tuple(words))


def describe_targets(y: JoinedArray) -> dict[str, Column]:
    """What is predicted, by name: `y`, or a target for each of its columns."""
    if y.ndim != 2 or y.kind not in "iufb" or not 1 <= y.shape[1] <= MOST_TARGETS:
        return {"y": describe_column("y", y)}
    if y.shape[1] == 1:
        return {"y": _describe_values("y", y)}
    names = [f"y_{place}" for place in range(1, y.shape[1] + 1)]
    found = _zeros_and_ones(y)
    if found is None:
        return {name: Column(name) for name in names}
    present, single = found
    if single:
        classes = tuple(str(place) for place, values in enumerate(present) if 1 in values)
        return {"y": Column("y", "class", classes=classes, one_hot=True)}
    return {
        name: Column(name, "class", classes=tuple(word for word in "01" if int(word) in values))
        for name, values in zip(names, present, strict=True)
    }


def _describe_values(name: str, stored: JoinedArray) -> Column:
    """A column with one value in each row."""
    if stored.kind in "mM":
        return Column(name, "time")
    if stored.kind not in "fc" and name != "x":
        return _column_of_classes(name, _distinct(stored), "text" if stored.kind in "SU" else "number")
    return Column(name, "text" if stored.kind in "SU" else "number")


def _column_of_classes(name: str, words: Sequence[str], otherwise: Any = "number") -> Column:
    if len(words) > MOST_CLASSES:
        return Column(name, otherwise)
    return Column(name, "class", classes=tuple(words))


def _distinct(stored: JoinedArray) -> list[str]:
    """The distinct values in order; where there are more than `MOST_CLASSES`, not all of them."""
    found: set[Any] = set()
    for (values,) in stored.columns():
        some = set(values)
        found |= {int(value) for value in some} if stored.kind in "iu" else some
        if len(found) > MOST_CLASSES:
            break
    return [str(value) for value in sorted(found)]


def _zeros_and_ones(stored: JoinedArray) -> tuple[list[set[int]], bool] | None:
    """Which of 0 and 1 are in each column, and whether each row has a single 1; None where there are other values."""
    present: list[set[int]] = [set() for _ in range(stored.shape[1])]
    single = True
    for columns in stored.columns():
        for values, column in zip(present, columns, strict=True):
            values |= set(column)
            if not values <= {0, 1}:
                return None
        single = single and all(row.count(1) == 1 for row in set(zip(*columns, strict=True)))
    return present, single
