"""Data in files of rows: a row is a sample of a table, or a timestep of a series."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Self

from dlspec.data.datasets import Column, ColumnKind, Columns, Description, Loaded
from dlspec.data.sources.base import FileSource, SourceContext, fits_in_memory
from dlspec.data.sources.formats import LOOKED_AT, SEPARATORS, Dialect, RowsFormat, format_of
from dlspec.data.sources.formats.base import Counts, as_word
from dlspec.data.sources.formats.dialect import NOTHING_SAID, may_be_number
from dlspec.data.sources.looks import (
    MAX_SPELLINGS,
    all_dates,
    given,
    holds_values,
    mostly_dates,
    mostly_numbers,
    two_whole_numbers,
    written_values,
)
from dlspec.data.sources.reading import looking, reading_briefly
from dlspec.data.sources.walking import matching
from dlspec.data.target import split_tags
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of

MAX_CLASSES = 1000
"""With more different words than this, a column holds text and no classes."""
MAX_TAGGED = 1_000_000
"""With more different values than this, a column of tags is not read to its end before training."""
MANY_NUMBERS = 0.2
"""With a larger share of numbers a column of words is doubtful; from half of them on it is one of numbers."""
FEW_WORDS = 20
"""So many may be codes, some of which are digits."""
LEAST_LOOKED_AT = 10
"""Of fewer values nothing is said."""
MOST_TO_PASS = 200_000
"""More rows than this are not gone through for some of them."""
MAX_COLUMNS = 5000
"""More columns than this are hardly meant as a table."""


@dataclass(frozen=True)
class RowsFiles(FileSource):
    """Files of rows with the same columns, one after the other.

    A path with `*` or `?` names all files that match, in order of their names.

    Args:
        validation: files that hold the validation part.
        test: files that hold the test part.
        groups: columns whose values are names, also where they are digits: as numbers, long ones would fall together.
        dialect: what the spec says of how the files are written.
        said: columns whose kind the spec says, whatever they look like.
    """

    validation: RowsFiles | None = None
    test: RowsFiles | None = None
    groups: tuple[str, ...] = ()
    dialect: Dialect = NOTHING_SAID
    said: tuple[tuple[str, ColumnKind], ...] = ()

    least: ClassVar = 2
    """Columns that are needed."""

    @classmethod
    def of(cls, given: Sequence[str], context: SourceContext) -> Self:
        return cls(
            tuple(given),
            context.folder,
            context.span,
            context.cache,
            groups=context.groups,
            dialect=context.dialect,
            training=context.training,
            said=context.said,
        )

    def with_parts(self, validation: Any, test: Any) -> Self:
        """The same, with files of their own for these parts, each `RowsFiles` or None."""
        return replace(self, validation=validation, test=test)

    @property
    def files(self) -> list[RowsFormat]:
        """The files, at least one of them.

        Raises:
            DataError: there is no such file.
        """
        found: list[RowsFormat] = []
        for path in self.paths:
            whole = self.folder / path
            if re.search(r"[*?\[]", path) and "\0" not in path and not whole.exists():
                try:
                    files = matching(str(whole))
                except OSError as error:
                    raise self._unreadable(path, error) from None
                if not files:
                    raise self._error("data-not-found", f"no file matches `{path}`", self._nearest(path))
                found += [self._format(str(Path(file).absolute()), Path(file).name) for file in files]
            else:
                found.append(self._format(path, path))
        return found

    def _format(self, path: str, name: str) -> RowsFormat:
        """A file that is there and not empty; files of the kernel are, and reading some of them waits for ever."""
        file = self._existing(path)
        if not file.stat().st_size:
            raise self._error("data-unreadable", f"`{name}` is empty", "name the columns in the first line")
        return format_of(file, name, self.span, self.dialect)

    @property
    def all_files(self) -> list[RowsFormat]:
        """These, and behind them those of the parts that have files of their own."""
        return [file for source in (self, self.validation, self.test) if source is not None for file in source.files]

    def describe(self) -> Description:
        """The columns; files that have not changed are looked at once.

        Raises:
            DataError: a file is absent, cannot be read, has no header, or has other columns than the first.
        """
        try:
            states = tuple((state.st_mtime_ns, state.st_size) for state in (f.file.stat() for f in self.all_files))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise self._error("data-unreadable", f"cannot read `{self.paths[0]}`: {reason.lower()}") from None
        return _looked_at(self, states, reading_briefly() is not None)

    def look(self) -> Description:
        """The columns, out of the files; the parts that are held out say nothing of types and words."""
        with looking() as brief:
            files = self.all_files if brief is None else brief.files(self.all_files)
            header = files[0].header()
            self._check_header(header, files[0].name)
            for other in files[1:]:
                self._check_same(header, files[0].name, other)
            assumed = [(file, file.signs.assumed) for file in files]
            remarks = tuple(_assumed(file, *found) for file, found in assumed if found is not None)
            self._check_apart()
            if self.dialect.header is None and holds_values(header, files[0].first_rows()):
                remarks += (_no_header(files[0], header),)
            parts = (self.validation, self.test)
            validation, test = (sum(f.count() for f in part.files) if part else 0 for part in parts)
            counts = self.training.counts(self, header) if self.training is not None else None
            own = self.files if brief is None else brief.files(self.files)
            first, counts = _first_rows(own, header, counts, self._part)
            looked = self._look(own, header, first, counts)
            for column in looked.columns:
                if column.kind == "text" or (column.kind == "class" and len(column.classes) > FEW_WORDS):
                    values = written_values(first, header.index(column.name))
                    remarks += tuple(_half_numbers(files[0], column, values))
        if brief is not None and brief.in_words():
            looked = replace(looked, rows=_about(self.files, own))
        rows = None if looked.rows is None else looked.rows + validation + test
        looked = replace(looked, rows=rows, validation_rows=validation, test_rows=test, remarks=remarks)
        read_to = "" if brief is None else brief.in_words()
        if not read_to:
            return looked
        known = {*dict(self.said), *files[0].kinds()}
        return replace(looked, read_to=read_to, not_settled=tuple(name for name in looked.names if name not in known))

    def count_all(self) -> int:
        """How many rows there are in these files, without those of the parts that have files of their own."""
        return sum(file.count_all() for file in self.files)

    @property
    def _part(self) -> str:
        """The column that says the part of each row; empty: none does."""
        return self.training.part if self.training is not None else ""

    @abstractmethod
    def _look(
        self, files: Sequence[RowsFormat], header: Sequence[str], first: list[list[str]], counts: Counts | None
    ) -> Description:
        """The columns, which are those of the header.

        Args:
            files: of the training part, and of those that are drawn from it.
            first: some rows, which count.
            counts: which rows decide what columns hold; None: all.
        """

    def _values(
        self, files: Sequence[RowsFormat], header: Sequence[str], first: list[list[str]], counts: Counts | None
    ) -> list[list[str]]:
        """The values of each column in the first rows; of one that has none there, those that come later."""
        values = [written_values(first, place) for place in range(len(header))]
        late = {name: set[str]() for name, column in zip(header, values, strict=True) if name and not given(column)}
        if late:
            self._gather(files, {name: (words, MAX_CLASSES) for name, words in late.items()}, counts)
        return [sorted(late.get(name, set()) - {""}) or column for name, column in zip(header, values, strict=True)]

    def _gather(
        self, files: Sequence[RowsFormat], wanted: Mapping[str, tuple[set[str], int]], counts: Counts | None
    ) -> tuple[int, int]:
        """Adds the words of columns to sets, as of `gather_words`, and counts rows."""
        rows = counted = 0
        for file in files:
            own, some = file.gather_words(wanted, counts, rows, self._part)
            rows, counted = rows + own, counted + some
        return rows, counted

    def load(self, seed: int) -> Columns:
        """See `load_parts`."""
        return self.load_parts(seed).columns

    def load_parts(self, seed: int) -> Loaded:
        """All columns, numbers as float64, times as datetime64 where the format has them, everything else as text.

        Raises:
            DataError: a file cannot be read, or a row has not as many values as there are columns.
        """
        import numpy as np

        labels = self._labels()
        parts = [file.read(labels) for file in self.all_files]
        names = [column.name for column in self.describe().columns]
        rows = [len(next(iter(part.values()), ())) for part in parts]
        behind = 0
        counts = []
        for source in (self, self.validation, self.test):
            ahead = behind + (len(source.files) if source else 0)
            counts.append(sum(rows[behind:ahead]))
            if source and not counts[-1]:
                raise source._error("no-rows", f"`{source.paths[0]}` has a header and no rows", "add some below it")
            behind = ahead
        named = [_named(part, names) for part in parts]
        if len(named) == 1:
            return Loaded(named[0], 0, 0)
        del parts
        columns = {name: np.concatenate([part.pop(name) for part in named]) for name in names}
        return Loaded(columns, counts[1], counts[2])

    def blocks(self, size: int) -> Iterator[Columns]:
        """The columns as `load` gives them, of so many rows at a time."""
        labels = self._labels()
        names = [column.name for column in self.describe().columns]
        for file in self.files:
            for part in file.blocks(size, labels):
                yield _named(part, names)

    def place_of(self, row: int) -> str:
        """In which row of which file a row lies, both counted from 1; empty where there is one file."""
        files = self.all_files
        if len(files) == 1:
            return ""
        for file in files:
            count = sum(1 for _ in file.rows())
            if row <= count:
                return f"row {row} of `{file.name}`"
            row -= count
        return ""

    def place_of_word(self, column: str, words: Collection[str]) -> str:
        """The first of these words in a column, and where it stands; empty where none of them does."""
        files = self.all_files
        for file in files:
            place = file.header().index(column)
            for number, row in enumerate(file.rows(), start=1):
                word = row[place].strip()
                if word in words:
                    return f"`{word}` in row {number}" + (f" of `{file.name}`" if len(files) > 1 else "")
        return ""

    def first_values(self) -> dict[str, list[str]]:
        """The values of every column in the first rows, as they are written, without empty ones."""
        file = self.files[0]
        header, rows = file.header(), file.first_rows()
        self._check_header(header, file.name)
        return {name: written_values(rows, place) for place, name in enumerate(header) if name}

    def some_rows(self, most: int) -> tuple[list[int], list[list[str]]]:
        """Rows of the first file, as they are written, and their places, counted from 0.

        They are drawn from all over the file, always the same ones; of one with very many rows from its beginning.
        """
        draw, kept = Random(0), list[tuple[int, list[str]]]()
        for place, row in enumerate(islice(self.files[0].rows(), MOST_TO_PASS)):
            if place < most:
                kept.append((place, row))
            elif (chosen := draw.randrange(place + 1)) < most:
                kept[chosen] = (place, row)
        kept.sort(key=lambda each: each[0])
        return [place for place, _ in kept], [row for _, row in kept]

    def words_of(self, column: str) -> list[str]:
        """The values of a column as they are written, of all rows."""
        header = self.files[0].header()
        place = header.index(column)
        return [row[place] for row in _all_rows(self.files, header)]

    def _labels(self) -> list[str]:
        """The columns whose words are taken as they are, also where they look like missing values or numbers."""
        return self._words_and()

    def _words_and(self, *kinds: ColumnKind) -> list[str]:
        """Columns that name groups, and those of certain kinds."""
        return [column.name for column in self.describe().columns if column.name in self.groups or column.kind in kinds]

    def _check_header(self, header: Sequence[str], file: str) -> None:
        named = [name for name in header if name]
        if len(named) < self.least:
            raise self._error(
                "one-column" if len(named) == 1 else "data-unreadable",
                f"the first line of `{file}` names {len(named)} column{'s' * (len(named) != 1)}; needed are "
                "something to see and something to predict",
                "remove its first line, which Excel alone understands"
                if named[:1] and named[0].lower().startswith("sep=")
                else "write `series:` in place of `table:` where its rows are timesteps"
                if len(named) == 1
                else f"name the columns in the first line, separated by {', '.join(SEPARATORS.values())}",
            )
        twice = sorted({name for name in named if named.count(name) > 1}) if len(set(named)) < len(named) else []
        if twice:
            raise self._error(
                "repeated-column",
                f"`{file}` has two columns named {one_of(twice)}",
                "write `header: false` under `data` if its first line has no names"
                if all(map(may_be_number, twice))
                else "rename one of them",
            )
        if len(named) > MAX_COLUMNS:
            raise self._error(
                "too-many-columns",
                f"`{file}` has {len(named):,} columns, and {MAX_COLUMNS:,} are the most",
                "keep what is a value of one kind each as an array: `arrays: FILE.npy`",
            )

    def _check_same(self, header: Sequence[str], first: str, other: RowsFormat) -> None:
        own = other.header()
        missing, more = sorted(set(header) - set(own)), sorted(set(own) - set(header))
        if not missing and not more:
            return
        said = (
            f"no column `{missing[0]}`, which `{first}` has"
            if missing
            else f"a column `{more[0]}` that `{first}` lacks"
        )
        help = "files of one source have the same columns; name the others as a source of their own"
        raise DataError.of("files-differ", f"`{other.name}` has {said}", other.span, help=help)

    def _check_apart(self) -> None:
        """No file may hold rows of two parts."""
        before = {format_.file.resolve() for format_ in self.files}
        for part in (self.validation, self.test):
            for format_ in part.files if part else ():
                if format_.file.resolve() in before:
                    message = f"`{format_.name}` is among the files of another part too"
                    help = f"name the others alone under `{self.key}`"
                    raise DataError.of("file-in-two-parts", message, format_.span, help=help)
            before |= {format_.file.resolve() for format_ in part.files} if part else set()


@dataclass(frozen=True)
class SeriesFiles(RowsFiles):
    """A series: a row is a timestep, oldest first.

    Args:
        targets: columns that are predicted, which may hold classes.
    """

    key = "series"
    least = 1
    targets: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Sequence[str], context: SourceContext) -> Self:
        return replace(super().of(given, context), targets=context.targets)

    def _look(
        self, files: Sequence[RowsFormat], header: Sequence[str], first: list[list[str]], counts: Counts | None
    ) -> Description:
        """The columns, from the first rows alone; the words of a target, which are classes, from all."""
        known, said, units = files[0].kinds(), dict(self.said), files[0].units(first)
        kinds: dict[str, ColumnKind] = {}
        words: dict[str, set[str]] = {}
        values = self._values(files, header, first, counts)
        for place, name in enumerate(header):
            if name:
                numbers = mostly_numbers(values[place])
                kinds[name] = known.get(name) or ("number" if numbers else "text")
                if name in self.targets and (kinds[name] == "text" or said.get(name) == "class") and name not in known:
                    words[name] = set()
        wanted = {name: (own, MAX_CLASSES) for name, own in words.items()}
        rows = self._gather(files, wanted, counts)[0] if wanted else sum(file.count() for file in files)
        classes = {
            name: tuple(sorted(own - {""}))
            for name, own in words.items()
            if len(own) <= MAX_CLASSES or said.get(name) == "class"
        }
        columns = (
            Column(
                name,
                "class" if name in classes else kind,
                classes=classes.get(name, ()),
                unit=units.get(name) if kind == "number" else None,
            )
            for name, kind in kinds.items()
        )
        return Description("series", tuple(columns), rows=rows)

    def _labels(self) -> list[str]:
        return self._words_and("class")


@dataclass(frozen=True)
class TableFiles(RowsFiles):
    """A table: a row is a sample.

    A column of words that come again is one of classes, and so is a column of two whole numbers, which may also be
    a feature.

    Args:
        tags: columns of tags, and what separates these.
    """

    key = "table"
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether its rows are not kept in memory: each is there as float64, and in the form that the network sees."""
        description = self.describe()
        shape = (2 * (description.rows or 0), len(description.columns))
        return not fits_in_memory(shape, "float64", self.cache)

    @classmethod
    def of(cls, given: Sequence[str], context: SourceContext) -> Self:
        return replace(super().of(given, context), tags=context.tags)

    def _look(
        self, files: Sequence[RowsFormat], header: Sequence[str], first: list[list[str]], counts: Counts | None
    ) -> Description:
        """The columns; where one may hold classes, from all rows, since a network has an output for each of them."""
        known, units = files[0].kinds(), files[0].units(first)
        values = self._values(files, header, first, counts)
        numbers = [mostly_numbers(column) for column in values]
        said, separators = dict(self.said), dict(self.tags)
        for name, column in zip(header, values, strict=True):
            kind = said.get(name, "number")
            if kind == "number" and all_dates(column):
                kind = "time"
            if kind == "text" or (kind == "time" and mostly_dates(column)):
                known.setdefault(name, kind)
        words: list[set[str]] = [set() for _ in header]
        asked = [said.get(name) == "class" or name in separators for name in header]
        most = [
            MAX_TAGGED if name in separators else MAX_CLASSES if asked[p] or not numbers[p] else MAX_SPELLINGS
            for p, name in enumerate(header)
        ]
        seen = [{as_word(value) for value in column} for column in values]
        open_ = [p for p, name in enumerate(header) if name and name not in known and len(seen[p]) <= most[p]]
        if open_:
            rows, counted = self._gather(files, {header[p]: (words[p], most[p]) for p in open_}, counts)
        else:
            rows = counted = sum(file.count() for file in files)
        columns = []
        for place, name in enumerate(header):
            found = tuple(sorted((words[place] or seen[place]) - {""}))
            if not name:
                continue
            if asked[place] and name not in known:
                if name in separators:
                    found = tuple(sorted({tag for value in found for tag in split_tags(value, separators[name])}))
                columns.append(Column(name, "tags" if name in separators else "class", classes=found))
            elif name in known:
                columns.append(Column(name, known[name]))
            elif numbers[place]:
                whole = two_whole_numbers(found, files[0].signs.decimal)
                columns.append(Column(name, classes=whole, unit=units.get(name)))
            elif len(found) <= MAX_CLASSES and 2 * len(found) <= max(counted, 2):
                columns.append(Column(name, "class", classes=found))
            else:
                columns.append(Column(name, "text"))
        return Description("samples", tuple(columns), rows=rows)

    def _labels(self) -> list[str]:
        return self._words_and("class", "tags", "text")


@dataclass(frozen=True)
class TableOfTexts(TableFiles):
    """A table with a column of texts that are written on, which may be all that it has."""

    least: ClassVar = 1


@lru_cache(maxsize=16)
def _looked_at(source: RowsFiles, states: tuple[tuple[int, int], ...], brief: bool) -> Description:
    return source.look()


def _about(files: Sequence[RowsFormat], known: Sequence[RowsFormat]) -> int | None:
    """About how many rows files have, by their sizes and the first rows of some of them; None: nothing tells it."""
    if any(file.is_compressed for file in known):
        return None
    of_all, of_known = (sum(file.file.stat().st_size for file in some) for some in (files, known))
    return round(sum(file.count() for file in known) * of_all / of_known)


def _first_rows(
    files: Sequence[RowsFormat], header: Sequence[str], counts: Counts | None, part: str
) -> tuple[list[list[str]], Counts | None]:
    """A few of the rows that count, and which do: all, where none does.

    Args:
        part: the column that says the part of each row; empty: none does.
    """
    if counts is not None:
        own = header.index(part) if part in header else None
        every = enumerate(_all_rows(files, header))
        rows = (row for place, row in every if counts(place, "" if own is None else row[own]))
        if found := list(islice(rows, LOOKED_AT)):
            return found, counts
    return files[0].first_rows(), None


def _half_numbers(file: RowsFormat, column: Column, first: list[str]) -> Iterator[tuple[str, str, str]]:
    """That a column of words has many numbers among them: in the first rows, or among its different values in all."""
    for values, which in ((first, "the first"), (column.classes, "its different ones")):
        known = given(values)
        numbers = sum(map(may_be_number, known))
        if len(known) > LEAST_LOOKED_AT and MANY_NUMBERS < numbers / len(known) < 1:
            other = next(value for value in known if not may_be_number(value)).strip()
            share = f"{numbers / len(known):.0%}"
            message = (
                f"`{column.name}` of `{file.name}` holds words, and {share} of {which} are numbers; `{other}` is none"
            )
            help = f'write what is no number as missing: `na: ["{other}"]` under `data`'
            yield _say("numbers-among-words", message, help)
            return


def _assumed(file: RowsFormat, column: str, value: str) -> tuple[str, str, str]:
    """That a comma was taken for a separator of thousands, since other columns have decimal points."""
    message = f"`{value}` in `{column}` of `{file.name}` is read as {value.replace(',', '')}"
    return _say("thousands-assumed", message, 'write `thousands: ","` under `data` if that is right')


def _no_header(file: RowsFormat, header: Sequence[str]) -> tuple[str, str, str]:
    shown = ", ".join(header[:3])
    message = f"the first line of `{file.name}` is taken for names of columns, and looks like values: {shown}"
    return _say("no-header", message, "write `header: false` under `data`, or name the columns: `header: [a, b, c]`")


def _say(code: str, message: str, help: str) -> tuple[str, str, str]:
    return code, message, help


def _all_rows(files: Sequence[RowsFormat], header: Sequence[str]) -> Iterator[list[str]]:
    """The rows of all files, their columns in the order of the header."""
    for file in files:
        own = file.header()
        if own == list(header):
            yield from file.looked_at()
        else:
            places = [own.index(name) for name in header]
            yield from ([row[place] for place in places] for row in file.looked_at())


def _named(columns: Columns, names: Sequence[str]) -> Columns:
    """Columns in this order; JSON Lines may leave one out."""
    import numpy as np

    rows = len(next(iter(columns.values()), ()))
    return {name: columns[name] if name in columns else np.full(rows, None, object) for name in names}
