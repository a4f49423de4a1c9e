"""A JSON object in each line."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any

from dlspec.data.datasets import ColumnKind, Columns
from dlspec.data.sources.formats.base import LOOKED_AT, RowsFormat, as_text, as_word
from dlspec.data.sources.formats.dialect import undressed


class JsonLines(RowsFormat):
    """A JSON object in each line: `{"age": 31, "city": "Seoul"}`. What a line leaves out is missing in it."""

    title = "JSON Lines"
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
                except (ValueError, RecursionError):
                    entry = None
                if "\\ud" in line and not _is_text(entry):
                    message = f"line {place} of `{self.name}` has half a character: {line.strip()[:60]}"
                    raise self._error("data-unreadable", message, r"write characters beyond \uffff as they are")
                if not isinstance(entry, dict):
                    whole = place == 1 and line.lstrip().startswith("[")
                    message = f"line {place} of `{self.name}` is no JSON object: {line.strip()[:60]}"
                    help = "write each row as `{…}` on a line of its own"
                    raise self._error("data-unreadable", message, f"{help}, without `[` and `]`" if whole else help)
                if self.dialect.na:
                    entry = {key: None if as_text(value) in self.dialect.na else value for key, value in entry.items()}
                yield line, entry

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
