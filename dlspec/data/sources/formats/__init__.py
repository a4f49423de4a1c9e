"""How rows are written in a file: separated values, JSON Lines or Parquet, text also compressed."""

from __future__ import annotations

from pathlib import Path

from dlspec.data.sources.formats.base import COMPRESSED, LOOKED_AT, RowsFormat, creating
from dlspec.data.sources.formats.dialect import NOTHING_SAID, Dialect
from dlspec.data.sources.formats.json_lines import JsonLines
from dlspec.data.sources.formats.parquet import Parquet
from dlspec.data.sources.formats.separated import SEPARATORS, Separated
from dlspec.language.diagnostics import Span

__all__ = ["COMPRESSED", "FORMATS", "LOOKED_AT", "SEPARATORS", "Dialect", "RowsFormat", "creating", "format_of"]

FORMATS: tuple[type[RowsFormat], ...] = (Separated, JsonLines, Parquet)


def format_of(file: Path, name: str, span: Span | None = None, dialect: Dialect = NOTHING_SAID) -> RowsFormat:
    """The format of a file, by the end of its name; anything unknown is taken for separated values."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    kind = next((kind for kind in FORMATS if suffixes and suffixes[-1] in kind.suffixes), Separated)
    return kind(file, name, span, dialect)
