"""Which rows of files decide types and words: those of the training part, where rows or groups alone tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dlspec.data.columns import guess_time
from dlspec.data.section import DataSpec
from dlspec.data.signature import DataSource
from dlspec.data.source_of import source_of
from dlspec.data.sources.formats.base import Counts
from dlspec.data.sources.reading import reading_briefly
from dlspec.data.sources.rows import RowsFiles, SeriesFiles
from dlspec.data.split import part_of_word
from dlspec.language.diagnostics.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.datasets import Columns


def deciding_source(section: DataSpec, seed: int) -> DataSource:
    """The source that a section names, of which the training part decides types and words.

    Args:
        seed: by which groups are dealt out.
    """
    key = repr((section.split, section.group, section.time, section.first_target_names))
    return source_of(section, TrainingRows(section, seed, key))


@dataclass(frozen=True)
class TrainingRows:
    """The rows that decide. Where rows are drawn one by one, or trained on in turn, all of them do.

    Args:
        section: which says how the data are split.
        seed: by which groups are dealt out.
        key: what of these matters.
    """

    section: DataSpec = field(compare=False)
    seed: int
    key: str

    @property
    def part(self) -> str:
        return self.section.split.column or ""

    def counts(self, source: RowsFiles, header: Sequence[str]) -> Counts | None:
        split, series = self.section.split, isinstance(source, SeriesFiles)
        if split.column in header:
            return lambda place, word: part_of_word(word) == "training"
        if split.folds or reading_briefly() is not None:
            return None
        group = self.section.group if series else split.group
        if group is None and (series or split.by == "order"):
            given = (source.test, source.validation)
            test, validation = (part.count_all() if part is not None else 0 for part in given)
            count = source.count_all() + test + validation
            bounds = split.bounds(count, split.shown_fold, test, validation)
            end = bounds[0] if series else split.sizes(count, test, validation)[0]
            return lambda place, word: place < end
        if group is None or group not in header:
            return None
        try:
            mask = self._of_groups(source, group, self.seed).tobytes()
        except DataError:  # what is wrong there is said when the data are read
            return None
        return lambda place, word: bool(mask[place])

    def first(self, rows: int, test: int) -> int:
        split = self.section.split
        if split.by == "order" and not split.folds:
            return split.sizes(rows, test)[0]
        return rows - test

    def _of_groups(self, source: RowsFiles, group: str, seed: int) -> np.ndarray:
        """Which rows are in groups of the training part, or of a series before its end, (rows,) bool."""
        import numpy as np

        from dlspec.data.preparation.columns import times_of, words_of
        from dlspec.data.preparation.segments import part_of_rows
        from dlspec.data.preparation.splitting import Given, split_samples

        section, whole = self.section, replace(source, training=None)
        description, loaded = whole.describe(), whole.load_parts(seed)
        columns, given = loaded.columns, Given(loaded.validation_rows, loaded.test_rows)
        count = len(columns[group])
        if isinstance(source, SeriesFiles):
            groups = words_of(section, group, columns, "group")
            timed = times_of(section, section.time_name or guess_time(description), columns, groups)
            codes = np.unique(groups, return_inverse=True)[1]
            fold = section.split.shown_fold
            parts = part_of_rows(section.split, given, count, fold, codes, None if timed is None else timed[0])
            return np.asarray(parts == 0)
        train, _, _ = split_samples(section, seed, columns, self._strata(whole, columns), given, 0)
        return np.isin(np.arange(count), train)

    def _strata(self, whole: RowsFiles, columns: Columns) -> np.ndarray | None:
        """The classes of all rows, by which groups are dealt out."""
        from dlspec.data.preparation.columns import strata_of_words

        names, by = self.section.first_target_names, self.section.split.by
        if len(names) != 1 or names[0] not in columns:
            return None
        column = whole.describe().column(names[0])
        by = by or ("stratified" if column is not None and column.classes else "random")
        return strata_of_words(columns[names[0]]) if by == "stratified" else None
