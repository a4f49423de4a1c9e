"""Columns in the format of Apache Parquet."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from dlspec.data.datasets import ColumnKind, Columns
from dlspec.data.sources.formats.base import Counts, RowsFormat, as_text, as_word
from dlspec.data.sources.formats.dialect import undressed
from dlspec.data.sources.reading import reading_briefly
from dlspec.runtime.packages import require

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
                yield from ([self._word(value) for value in row] for row in zip(*columns, strict=True))

    def gather_words(
        self, wanted: Mapping[str, tuple[set[str], int]], counts: Counts | None = None, first: int = 0, part: str = ""
    ) -> tuple[int, int]:
        if counts is not None or reading_briefly() is not None:
            return super().gather_words(wanted, counts, first, part)
        open_ = {name: sought for name, sought in wanted.items() if name in self.header()}
        with self._open() as file:
            for batch in file.iter_batches(65_536, columns=list(open_)) if open_ else ():
                for name, (words, most) in list(open_.items()):
                    words.update(as_word(self._word(value)) for value in batch.column(name).unique().to_pylist())
                    if len(words) > most + 1:
                        del open_[name]
                if not open_:
                    break
            return int(file.metadata.num_rows), int(file.metadata.num_rows)

    def count_all(self) -> int:
        return self.count()

    def _word(self, value: Any) -> str:
        text = as_text(value)
        return "" if text in self.dialect.na else text

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
        import pyarrow as pa

        found = {}
        with self._open() as file:
            for name in self.header():  # one after the other, so that none is in memory twice
                column = file.read(columns=[name]).column(0)
                found[name] = _as_array(column, name in labels, self.dialect.na)
                del column
        pa.default_memory_pool().release_unused()
        return found

    def blocks(self, size: int, labels: Collection[str] = ()) -> Iterator[Columns]:
        names = self.header()
        for table in self._tables(size):
            yield {name: _as_array(table.column(name), name in labels, self.dialect.na) for name in names}

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
        require("pyarrow", what=f"`{self.name}`", span=self.span)
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


def _as_array(column: pa.ChunkedArray, label: bool, na: Collection[str]) -> Any:
    """A column of Parquet: float64, datetime64, or objects that are text or None.

    Args:
        na: words that stand for a missing value.
    """
    import numpy as np
    import pyarrow.types as types

    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if number and not label:
        numbers = np.array(column.to_pandas().to_numpy("float64", na_value=np.nan))  # memory of numpy's own
        said = [float(word) for word in na if re.fullmatch(r"[-+]?\d+(\.\d*)?", word)]
        numbers[np.isin(numbers, said)] = np.nan
        return numbers
    if types.is_timestamp(kind) or types.is_date(kind):
        import pandas as pd

        times: pd.Series[Any] = pd.to_datetime(pd.Series(column.to_pandas()), utc=True).dt.tz_localize(None)
        return times.to_numpy("datetime64[us]")
    words = [as_text(value) for value in column.to_pylist()]
    if label:
        return np.array(["" if word in na else as_word(word) for word in words], object)
    given: Sequence[Any] = column.to_pylist()
    there = [None if v is None or word in na else word for v, word in zip(given, words, strict=True)]
    return undressed(np.array(there, object))
