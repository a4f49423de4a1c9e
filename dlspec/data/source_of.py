"""The sources of data that a spec names."""

from __future__ import annotations

from typing import Any

from dlspec.data.datasets import ColumnKind
from dlspec.data.section import DataSpec, UnlabeledSpec
from dlspec.data.signature import PARTS_IN_FILES, DataSource
from dlspec.data.sources import FILE_SOURCES, FileSource, SourceContext
from dlspec.data.sources.base import Deciding
from dlspec.data.sources.rows import RowsFiles, TableFiles, TableOfTexts
from dlspec.data.target import Sequenced, Tags


def source_of(section: DataSpec, training: Deciding | None = None) -> DataSource:
    """The source that the section names.

    Args:
        training: which rows decide types and words; None: all.
    """
    return _source(section, section, training=training)


def unlabeled_source(section: DataSpec) -> DataSource | None:
    """The source of samples that only pretraining sees, where the section names one."""
    return _source(section, section.unlabeled, "unlabeled") if section.unlabeled else None


def _source(
    section: DataSpec, named: DataSpec | UnlabeledSpec, *path: str, training: Deciding | None = None
) -> DataSource:
    if named.dataset is not None:
        return named.dataset
    key = next(key for key in FILE_SOURCES if getattr(named, key) is not None)
    split, given = section.split, section.features
    types = given if isinstance(given, dict) else {}
    said: list[tuple[str, ColumnKind]] = [(name, kind.takes[0]) for name, kind in types.items()]
    if split.column:
        said.append((split.column, "class"))
    if section.target_type in ("category", "boolean"):
        said += [(name, "class") for name in section.target_names]
    if section.target_type == "next" or isinstance(section.target_type, Sequenced):
        said += [(name, "text") for name in section.target_names]
    separator = section.target_type.tags if isinstance(section.target_type, Tags) else None
    tags = ((section.target_names[0], separator),) if separator else ()

    kinds: dict[Any, ColumnKind] = {"category": "class", "numeric": "number"}
    kind_said = kinds.get(section.target_type) if isinstance(section.target_type, str) else None
    at_places = tuple((name, kind_said) for name in section.target_names if kind_said is not None)

    seen = {*section.target_names, *(section.feature_names or [])}
    groups = tuple(name for name in (section.group, split.group) if name and name not in seen)

    def source(given: Any, *path: str) -> FileSource:
        place, span, targets = section.folder_of(*path), section.span(*path), tuple(section.target_names)
        context = SourceContext(
            place,
            span,
            section.cache,
            tuple(said),
            tags,
            targets,
            groups,
            training,
            section.dialect,
            at_places,
            whole_texts=section.target_type == "next",
        )
        kind = FILE_SOURCES[key]
        return (TableOfTexts if kind is TableFiles and context.whole_texts else kind).of(given, context)

    found = source(getattr(named, key), *path, key)
    if named is not section or not isinstance(found, RowsFiles):
        return found
    validation, test = (
        source(paths, "split", part) if (paths := split.files(part)) else None for part in PARTS_IN_FILES
    )
    return found.with_parts(validation, test)
