"""How rows are written in a file: separated values, JSON Lines or Parquet, text also compressed."""

from __future__ import annotations

from pathlib import Path

from dlspec.data.sources.formats.base import COMPRESSED, LOOKED_AT, RowsFormat, creating
from dlspec.data.sources.formats.dialect import NOTHING_SAID, Dialect
from dlspec.data.sources.formats.excel import Excel
from dlspec.data.sources.formats.json_lines import JsonLines
from dlspec.data.sources.formats.parquet import Parquet
from dlspec.data.sources.formats.separated import SEPARATORS, Separated
from dlspec.language.diagnostics import Span
from dlspec.language.diagnostics.errors import DataError

__all__ = ["COMPRESSED", "FORMATS", "LOOKED_AT", "SEPARATORS", "Dialect", "RowsFormat", "creating", "format_of"]

FORMATS: tuple[type[RowsFormat], ...] = (Separated, JsonLines, Parquet, Excel)


NOT_READ = {
    ".xls": "an Excel workbook of before 2007",
    ".ods": "a spreadsheet of LibreOffice",
    ".numbers": "a spreadsheet of Numbers",
    ".sav": "a file of SPSS",
    ".dta": "a file of Stata",
    ".rds": "a file of R",
    ".mat": "a file of MATLAB",
    ".db": "a database",
    ".sqlite": "a database",
    ".h5": "an HDF5 file",
    ".hdf5": "an HDF5 file",
    ".pkl": "a pickle of Python",
    ".feather": "a Feather file",
    ".docx": "a document of Word",
    ".pdf": "a PDF",
}
"""Ends of names of files that people have tables in, and that no format here reads -> what they are."""


def format_of(file: Path, name: str, span: Span | None = None, dialect: Dialect = NOTHING_SAID) -> RowsFormat:
    """The format of a file, by the end of its name; anything unknown is taken for separated values.

    Raises:
        DataError: it is of a kind that is not read.
    """
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in NOT_READ:
        said = f"`{name}` is {NOT_READ[suffixes[-1]]}, which is not read as a table"
        raise DataError.of("data-unreadable", said, span, help=f"save it as CSV, and write `{file.stem}.csv`")
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    kind = next((kind for kind in FORMATS if suffixes and suffixes[-1] in kind.suffixes), Separated)
    return kind(file, name, span, dialect)
