"""The sources of data that a spec names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlspec.datasets import ColumnKind
from dlspec.signature.base import PARTS_IN_FILES, DataSource
from dlspec.sources import FILE_SOURCES, FileSource, Place
from dlspec.sources.rows import RowsFiles
from dlspec.spec import DataSpec, Spec, UnlabeledSpec
from dlspec.targets import Tags


def source_of(spec: Spec) -> DataSource:
    """The source that the spec names."""
    return _source(spec, spec.data, "data")


def unlabeled_source(spec: Spec) -> DataSource | None:
    """The source of samples that only pretraining sees, where the spec names one."""
    return _source(spec, spec.data.unlabeled, "data", "unlabeled") if spec.data.unlabeled else None


def _source(spec: Spec, section: DataSpec | UnlabeledSpec, *path: str) -> DataSource:
    if section.dataset is not None:
        return section.dataset
    key = next(key for key in FILE_SOURCES if getattr(section, key) is not None)
    split, given = spec.data.split, spec.data.features
    types = given if isinstance(given, dict) else {}
    said: list[tuple[str, ColumnKind]] = [(name, kind.takes[0]) for name, kind in types.items()]
    if split.column:
        said.append((split.column, "class"))
    if spec.data.target_type in ("category", "boolean"):
        said += [(name, "class") for name in spec.data.target_names]
    separator = spec.data.target_type.tags if isinstance(spec.data.target_type, Tags) else None
    tags = ((spec.data.target_names[0], separator),) if separator else ()

    def source(given: Any, *path: str) -> FileSource:
        span = spec.span(*path)
        folder = Path(span.file).parent if span.in_file else spec.source.folder
        place = Place(folder, span, spec.data.cache, tuple(said), tags, tuple(spec.data.target_names))
        return FILE_SOURCES[key].of(given, place)

    found = source(getattr(section, key), *path, key)
    if section is not spec.data or not isinstance(found, RowsFiles):
        return found
    validation, test = (
        source(paths, "data", "split", part) if (paths := split.files(part)) else None for part in PARTS_IN_FILES
    )
    return found.with_parts(validation, test)
