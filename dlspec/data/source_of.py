"""The sources of data that a spec names."""

from __future__ import annotations

from typing import Any

from dlspec.data.datasets import ColumnKind
from dlspec.data.section import DataSpec, UnlabeledSpec
from dlspec.data.signature import PARTS_IN_FILES, DataSource
from dlspec.data.sources import FILE_SOURCES, FileSource, SourceContext
from dlspec.data.sources.base import Deciding
from dlspec.data.sources.rows import RowsFiles, TableFiles, TableOfTexts
from dlspec.data.target import SPACES, Sequenced, TagOfWords, Tags


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
    targets = section.all_targets
    kinds: dict[Any, ColumnKind] = {"category": "class", "boolean": "class", "next": "text"}
    said += [(name, kinds[kind]) for name, kind in targets if isinstance(kind, str) and kind in kinds]
    said += [(name, "text") for name, kind in targets if isinstance(kind, Sequenced)]
    tags = tuple((name, kind.tags) for name, kind in targets if isinstance(kind, Tags))
    tagged = [name for name, kind in targets if isinstance(kind, TagOfWords)]
    tags += tuple((name, SPACES) for name in tagged)
    said = [(name, kind) for name, kind in said if name not in tagged]
    of_places: dict[Any, ColumnKind] = {"category": "class", "numeric": "number"}
    at_places = tuple((name, of_places[kind]) for name, kind in targets if isinstance(kind, str) and kind in of_places)
    whole_texts = section.target_type == "next"

    names = tuple(name for name, _ in targets)
    seen = {*names, *(section.feature_names or [])}
    groups = tuple(name for name in (section.group, split.group) if name and name not in seen)

    def source(given: Any, *path: str) -> FileSource:
        place, span = section.folder_of(*path), section.span(*path)
        context = SourceContext(
            place,
            span,
            section.cache,
            tuple(said),
            tags,
            names,
            groups,
            training,
            section.dialect,
            at_places,
            whole_texts=whole_texts,
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
