"""A JSON object in each line, or an array of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any

from dlspec.data.datasets import ColumnKind, Columns
from dlspec.data.sources.formats.base import LOOKED_AT, RowsFormat, as_text, as_word
from dlspec.data.sources.formats.dialect import undressed

MOST_CHARACTERS = 2**30
"""Of an array, which is read at once."""


class JsonLines(RowsFormat):
    """A JSON object in each line: `{"age": 31, "city": "Seoul"}`, or an array of such objects. What an object leaves
    out is missing in it."""

    title = "JSON"
    suffixes = (".jsonl", ".ndjson", ".json")

    def header(self) -> list[str]:
        return list(dict.fromkeys(name for entry in islice(self._objects(), LOOKED_AT) for name in entry))

    def rows(self) -> Iterator[list[str]]:
        header = self.header()
        for entry in self._objects():
            yield [as_text(entry.get(name)) for name in header]

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
        lines, is_array = self._lines(), self._is_array()
        between = ["[\n"] if is_array else [""]

        def add(more: Columns) -> None:
            values = zip(*(_values(column) for column in more.values()), strict=True)
            for behind, (line, entry) in zip(values, lines, strict=False):
                added = json.dumps(dict(zip(more, behind, strict=True)), ensure_ascii=False)
                out.write(f"{between[0]}{line.strip()[:-1]}{', ' * bool(entry)}{added[1:]}".encode())
                between[0] = ",\n" if is_array else "\n"

        yield add
        out.write(b"\n]\n" if is_array else b"\n")

    def _objects(self) -> Iterator[dict[str, Any]]:
        return (entry for _, entry in self._lines())

    def _lines(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each line as it is written, and what it says."""
        if self._is_array():
            yield from self._of_array()
            return
        with self._text() as lines:
            for place, line in enumerate(filter(str.strip, lines), start=1):
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    entry = None
                if "\\ud" in line and not _is_text(entry):
                    message = f"line {place} of `{self.name}` has half a character: {line.strip()[:60]}"
                    raise self._error("data-unreadable", message, r"write characters beyond \uffff as they are")
                if not isinstance(entry, dict):
                    message = f"line {place} of `{self.name}` is no JSON object: {line.strip()[:60]}"
                    help = "write each row as `{…}` on a line of its own, or all of them as one array: `[{…}, {…}]`"
                    raise self._error("data-unreadable", message, help)
                yield line, self._given(entry)

    def _is_array(self) -> bool:
        with self._text() as lines:
            return next(filter(None, map(str.strip, lines)), "").startswith("[")

    def _of_array(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each object of an array, as it may be written, and what it says."""
        with self._text() as lines:
            text = lines.read(MOST_CHARACTERS + 1)
        if len(text) > MOST_CHARACTERS:
            message = f"`{self.name}` is an array of more than {MOST_CHARACTERS:,} characters"
            help = "write each row as `{…}` on a line of its own, in a `.jsonl` file"
            raise self._error("data-unreadable", message, help)
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None)
            where = f" in line {line}" if line else ""
            message = f"`{self.name}` begins with `[`, and is no JSON array{where}"
            raise self._error("data-unreadable", message, "write `[{…}, {…}]`") from None
        for place, entry in enumerate(entries, start=1):
            if not isinstance(entry, dict) or not _is_text(entry):
                message = f"entry {place} of `{self.name}` is no JSON object with whole characters: {str(entry)[:60]!r}"
                raise self._error("data-unreadable", message, "write each row as `{…}`")
            yield json.dumps(entry, ensure_ascii=False), self._given(entry)

    def _given(self, entry: dict[str, Any]) -> dict[str, Any]:
        """An object without the words that stand for missing values."""
        if not self.dialect.na:
            return entry
        return {key: None if as_text(value) in self.dialect.na else value for key, value in entry.items()}

    def _overhead(self, rows: int) -> int:
        return rows * (2 + sum(len(name) + 4 for name in self.header()))


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
            found[name] = np.array([as_word(value) for value in values], object)
        elif all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
            found[name] = np.array(values, "float64")
        else:
            found[name] = undressed(np.array([None if v is None else as_text(v) for v in values], object))
    return found


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
