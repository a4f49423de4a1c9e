"""Data in files: one source in each module, from files to columns of samples."""

from __future__ import annotations

from dlspec.data.sources.arrays import ArrayFiles
from dlspec.data.sources.audio import AudioFiles
from dlspec.data.sources.base import FileSource, SourceContext
from dlspec.data.sources.masks import MaskedFiles
from dlspec.data.sources.rows import SeriesFiles, TableFiles
from dlspec.data.sources.texts import TextFiles

__all__ = ["FILE_SOURCES", "FileSource", "SourceContext"]

FILE_SOURCES: dict[str, type[FileSource]] = {
    kind.key: kind for kind in (TableFiles, SeriesFiles, MaskedFiles, TextFiles, AudioFiles, ArrayFiles)
}
"""Key of the spec -> what reads the files that it names."""
