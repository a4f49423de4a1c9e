"""A series in a file: a row is a timestep."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from dlspec.datasets import Column, Columns, Description
from dlspec.diagnostics import DataError, Span
from dlspec.fields import did_you_mean


@dataclass(frozen=True)
class SeriesFile:
    """A CSV or TSV file whose first line names the columns.

    Args:
        path: as written in the spec.
        folder: what a relative path is relative to.
        span: where the spec names it.
    """

    path: str
    folder: Path
    span: Span | None = None

    @property
    def file(self) -> Path:
        return self.folder / self.path

    @property
    def separator(self) -> str:
        return "\t" if self.file.suffix.lower() in (".tsv", ".tab") else ","

    def describe(self) -> Description:
        """The column names, from the first line alone; their types are not known yet.

        Raises:
            DataError: the file is absent, is no UTF-8 text or has no header.
        """
        try:
            with self.file.open(encoding="utf-8-sig", newline="") as lines:
                header = next(csv.reader(lines, delimiter=self.separator), [])
        except OSError as error:
            raise self._error(
                "data-not-found" if isinstance(error, FileNotFoundError) else "data-unreadable",
                f"cannot read `{self.path}`: {(error.strerror or str(error)).lower()}",
                self._nearest(),
            ) from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise self._error("data-unreadable", f"`{self.path}` is no UTF-8 text: {error}") from None
        if len(header) < 2:
            raise self._error(
                "data-unreadable",
                f"the first line of `{self.path}` names {len(header)} column{'s' * (len(header) != 1)}; a series "
                "needs the time and at least one value",
                "separate the columns by commas, and name them in the first line",
            )
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise self._error("repeated-column", f"`{self.path}` has two columns named `{twice[0]}`")
        return Description("series", tuple(Column(name, "unknown") for name in header))

    def load(self, seed: int) -> Columns:
        """All columns, numbers as float64 and everything else as text.

        Raises:
            DataError: the file cannot be read, or a row is longer than the header.
        """
        import pandas as pd

        self.describe()
        try:
            frame = pd.read_csv(self.file, sep=self.separator, encoding="utf-8-sig", index_col=False)
        except (OSError, ValueError, pd.errors.ParserError) as error:
            raise self._error("data-unreadable", f"cannot read `{self.path}`: {error}") from None
        if frame.empty:
            raise self._error("no-rows", f"`{self.path}` has a header and no rows")
        return {
            str(name): column.to_numpy("float64") if pd.api.types.is_numeric_dtype(column) else column.to_numpy(object)
            for name, column in frame.items()
        }

    def _nearest(self) -> str:
        where = f"the path is relative to the folder of the spec: `{self.file}`"
        if self.file.parent.is_dir():
            names = [path.name for path in self.file.parent.iterdir() if path.is_file()]
            near = did_you_mean(self.file.name, names, otherwise="")
            if near:
                return f"{near} ({where})"
        return where

    def _error(self, code: str, message: str, help: str | None = None) -> DataError:
        return DataError.of(code, message, self.span, help=help)
