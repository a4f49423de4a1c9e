"""Files in folders, a folder for each class: what pictures, sounds and texts have in common."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from dlspec.data.arrays import Chosen, LazyArray, chosen
from dlspec.data.datasets import Column, ColumnKind, Columns, Description, Loaded
from dlspec.data.sources.base import FileSource, files_state, fits_in_memory
from dlspec.data.sources.formats import FORMATS
from dlspec.data.sources.known_files import absolute, digest_of
from dlspec.data.sources.reading import looking, reading_briefly
from dlspec.data.sources.rows import TableFiles
from dlspec.data.sources.walking import Walk, remembered
from dlspec.data.split import WORDS
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import did_you_mean, one_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

LABEL = "label"
"""The column with the class of a file: the name of its folder."""
TRAINING, VALIDATION, TEST = (WORDS[part] for part in ("training", "validation", "test"))
"""Folders of these names, with the folders of the classes in them, are the parts of the split."""
Broken = Literal["error", "skip"]
Head = TypeVar("Head")
AT_A_TIME = 16
"""Files that a thread reads one after the other."""


@dataclass(frozen=True)
class Listing:
    """The files of a source, and what a table beside them says of each.

    Args:
        files: in order; those of the test part last.
        labels: of each, by the name of its folder; None: there are no such folders.
        tests: how many of the last ones are the test part that the data bring.
        table: the table that names them; None: they were found in a folder.
        column: its column with the names.
    """

    files: tuple[Path, ...]
    labels: tuple[str, ...] | None = None
    tests: int = 0
    table: TableFiles | None = None
    column: str = ""


@dataclass(frozen=True)
class NamesOfFiles(TableFiles):
    """A table with the names of files, which may be all that it has."""

    least: ClassVar = 1


@dataclass(frozen=True)
class FolderFiles(FileSource):
    """A sample in each file: a folder with a folder for each class, or a table with a column of paths.

    Args:
        column: of a table: the column with the paths, which are relative to the table.
        broken: what happens to files that cannot be read.
        said, groups: of the columns of a table, as those of `RowsFiles`.
    """

    column: str | None = None
    broken: Broken = "error"
    said: tuple[tuple[str, ColumnKind], ...] = field(default=(), kw_only=True)
    groups: tuple[str, ...] = field(default=(), kw_only=True)

    entry: ClassVar[str]
    """The column that holds what is in a file."""
    noun: ClassVar[str]
    """What a file holds, in the plural."""
    suffixes: ClassVar[tuple[str, ...]]

    def written(self, given: Any, paths: Sequence[str]) -> Any:
        return {**given, "path": paths[0]}

    @abstractmethod
    def _shape(self, listing: Listing) -> tuple[int, ...]:
        """Of a sample; `()` for a plain value."""

    @abstractmethod
    def _samples(self, listing: Listing, shape: tuple[int, ...]) -> FileSamples:
        """What is in the files, (files, ...)."""

    def opened(self, file: Path, shape: tuple[int, ...]) -> tuple[str, list[str], FileSamples]:
        """What is in other files, as that in these: a file, those in a folder, or those that a table names.

        Returns:
            What their names are called, these names, and their samples, which are read when they are asked for.
        """
        other = replace(self, paths=(str(file),), folder=Path())
        listing = Listing((file,)) if file.is_file() and self._is_mine(file.name) else other._listing()
        return "file", [str(name) for name in listing.files], other._samples(listing, shape)

    def labelled(self, file: Path, shape: tuple[int, ...]) -> Columns:
        """Other samples with what is known of each, in columns as those of `load`.

        Args:
            file: a folder with a folder for each class, or a table that names the files.
            shape: of a sample.
        """
        import numpy as np

        other = replace(self, paths=(str(file),), folder=Path())
        listing = other._listing()
        samples: Any = other._samples(listing, shape)
        columns: Columns = {self.entry: samples}
        if listing.labels is not None:
            columns[LABEL] = np.array(listing.labels, object)
        if listing.table is not None:
            others = listing.table.load(0)
            columns |= {name: values for name, values in others.items() if name != listing.column}
        return columns

    def describe(self) -> Description:
        with looking() as brief:
            found = self._described()
        read_to = "" if brief is None else brief.in_words()
        return replace(found, rows=None, read_to=read_to) if read_to and not found.read_to else found

    def _described(self) -> Description:
        listing = self._listing()
        entry = self._entry_column(self._shape(listing))
        files = len(listing.files)
        if listing.table is not None:
            others = listing.table.describe()
            columns = (entry, *(column for column in others.columns if column.name != listing.column))
            rows = files if not others.read_to else others.rows
            found = Description("samples", columns, rows=rows, features=(self.entry,))
            return replace(found, read_to=others.read_to, not_settled=others.not_settled)
        if listing.labels is None:
            return Description("samples", (entry,), rows=files, features=(self.entry,))
        labels = listing.labels[: len(self._of_training(listing))]
        label = Column(LABEL, "class", classes=tuple(sorted(set(labels))))
        return Description(
            "samples", (entry, label), target=LABEL, rows=files, test_rows=listing.tests, features=(self.entry,)
        )

    def load(self, seed: int) -> Columns:
        """See `load_parts`."""
        return self.load_parts(seed).columns

    def load_parts(self, seed: int) -> Loaded:
        import numpy as np

        listing = self._listing()
        samples = self._samples(listing, self._shape(listing))
        keep = samples.dtype == object or fits_in_memory(samples.shape, samples.dtype, self.cache)  # texts are words
        entry: Any = samples
        problems: dict[int, DataError] = {}
        if keep:
            entry, problems = samples.read_all()
        elif self.broken == "skip":
            problems = samples.problems()
        if problems and self.broken == "error":
            raise self._said_once(list(problems.values()))
        columns: Columns = {self.entry: entry}
        if listing.labels is not None:
            columns[LABEL] = np.array(listing.labels, object)
        if listing.table is not None:
            others = listing.table.load(seed)
            columns |= {name: values for name, values in others.items() if name != listing.column}
        if not problems:
            return Loaded(columns, 0, listing.tests)
        whole = np.setdiff1d(np.arange(len(listing.files)), list(problems))
        if not len(whole):
            raise self._said_once(list(problems.values()))
        tests = int((whole >= len(listing.files) - listing.tests).sum()) if listing.tests else 0
        first = next(iter(problems.values())).diagnostics[0].message
        note = (
            f"{len(problems)} of {len(listing.files)} files were skipped, as they cannot be read; the first: {first}."
        )
        return Loaded({name: chosen(values, whole) for name, values in columns.items()}, 0, tests, (note,))

    def load_beside(self, seed: int) -> Loaded:
        """What a table says beside the names of files, which are not read unless broken ones are left out."""
        if self.broken == "skip":
            return self.load_parts(seed)
        listing = self._listing()
        if listing.table is None:
            return self.load_parts(seed)
        others = listing.table.load(seed)
        return Loaded({name: own for name, own in others.items() if name != listing.column}, 0, listing.tests)

    def place_of(self, row: int) -> str:
        files = self._listing().files
        return f"`{self._shown(files[row - 1])}`" if 0 < row <= len(files) else ""

    def _heads(self, look: Callable[[Path], Head], files: Sequence[Path]) -> dict[Path, Head]:
        """What `look` finds in the heads of files, without those that are broken and shall be skipped.

        Raises:
            DataError: a file is broken and none shall be skipped, or all are.
        """
        found = _looked_at(look, files_state(files), self.broken == "skip")
        heads = {file: head for file, head in zip(files, found, strict=True) if not isinstance(head, DataError)}
        if files and not heads:
            raise self._said_once([problem for problem in found if isinstance(problem, DataError)])
        return heads

    def _skipping(self) -> str:
        """What to do about a file that cannot be read."""
        return f"put a whole one in its place, or write `{self.key}: {{path: {self.paths[0]}, broken: skip}}`"

    def _said_once(self, problems: list[DataError]) -> DataError:
        """Of several files that cannot be read, the first, and how many there are."""
        first = problems[0].diagnostics[0]
        if len(problems) == 1:
            return problems[0]
        return self._error(first.code, f"{first.message}; so it is with {len(problems)} files", first.help)

    def _of_training(self, listing: Listing) -> tuple[Path, ...]:
        """The files that decide what all are like: where they alone tell the part, those of the training part."""
        return listing.files[: self._deciding(len(listing.files), listing.tests)]

    def _entry_column(self, shape: tuple[int, ...]) -> Column:
        return Column(self.entry, shape=shape)

    def _shown(self, file: Path) -> str:
        """A file in messages."""
        try:
            return str(file.relative_to(self.folder))
        except ValueError:
            return str(file)

    def _listing(self) -> Listing:
        (path,) = self.paths
        whole = self._existing(path)
        if whole.is_file() and is_table(whole):
            return self._named(path)
        if whole.is_file():
            help = f"name the folder: `{self.key}: {Path(path).parent}`"
            raise self._error("data-unreadable", f"`{path}` is a file, and {self.noun} stand in folders", help)
        try:
            listing = remembered(
                (type(self), whole, absolute(whole)), Walk(reading_briefly()), lambda walk: self._found(whole, walk)
            )
            return self._filled(listing, path)
        except OSError as error:
            raise self._unreadable(error.filename or path, error) from None

    def _named(self, path: str) -> Listing:
        """The files that a table names."""
        kinds = tuple((name, kind) for name, kind in self.said if name != self.entry)
        table = NamesOfFiles((path,), self.folder, self.span, groups=self.groups, said=kinds, training=self.training)
        first = table.first_values()
        column = self.column
        if column is None:
            column = next((name for name, values in first.items() if values and all(map(self._is_mine, values))), None)
        if column is None or column not in first:
            what = f"no column `{column}`" if column else f"no column with names of {self.noun}"
            help = did_you_mean(column or "", first) or f"write `{self.key}: {{path: {path}, column: …}}`"
            raise self._error("unknown-column", f"`{path}` has {what}", help)
        folder = (self.folder / path).parent
        names = [name.strip() for name in table.words_of(column)]
        if "" in names:
            row = names.index("") + 1
            raise self._error("missing-value", f"column `{column}` of `{path}` names no file in row {row}")
        files = tuple(folder / name for name in names)
        absent = [row for row, file in enumerate(files) if not file.is_file()]
        if absent:
            said = f"{len(absent)} of {len(files)} files that `{path}` names are not there, the first in row "
            help = f"the names are relative to the folder of the table: `{folder.absolute()}`"
            raise self._error("data-not-found", f"{said}{absent[0] + 1}: `{names[absent[0]]}`", help)
        return Listing(files, table=table, column=column)

    def _found(self, whole: Path, walk: Walk) -> Listing:
        """The files in a folder and the folders in it."""
        folders = sorted(entry.name for entry in walk.entries(whole) if entry.is_dir() and entry.name[0] != ".")
        by_name = {name.lower(): name for name in folders}
        tests = [by_name[name] for name in TEST if name in by_name]
        training = [by_name[name] for name in (*TRAINING, *VALIDATION) if name in by_name]
        if tests and training and len(tests) + len(training) == len(folders):
            parts = [self._in_classes(whole / name, walk) for name in (*training, *tests)]
            if all(labels is not None for _, labels in parts):
                files = [file for found, _ in parts for file in found]
                labels = [label for _, found in parts for label in found or ()]
                held_out = sum(len(found) for found, _ in parts[len(training) :])
                return Listing(tuple(files), tuple(labels), held_out)
        found, given = self._in_classes(whole, walk)
        return Listing(tuple(found), None if given is None else tuple(given))

    def _in_classes(self, folder: Path, walk: Walk) -> tuple[list[Path], list[str] | None]:
        """The files below a folder with their classes; None where files stand in the folder itself."""
        entries = walk.entries(folder)
        classes = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
        files, labels = [], []
        for name in classes:
            own = sorted(file for file in walk.files(folder / name) if self._is_mine(file.name))
            files += own
            labels += [name] * len(own)
        if files:
            return files, labels
        return sorted(folder / entry.name for entry in entries if self._is_mine(entry.name)), None

    def _filled(self, listing: Listing, path: str) -> Listing:
        if not listing.files:
            ends = one_of(self.suffixes, last="or")
            message = f"there are no {self.noun} in `{path}`: no file ends in {ends}"
            raise self._error("data-not-found", message, "name a folder with a folder for each class")
        return listing

    def _is_mine(self, name: str) -> bool:
        return name.lower().endswith(self.suffixes) and not name.startswith(".")


class FileSamples(LazyArray):
    """What is in files, read when it is asked for, several at a time.

    Args:
        read_one: what is in a file, as an array of the shape; raises DataError.
    """

    def __init__(self, files: Sequence[Path], shape: tuple[int, ...], dtype: Any, read_one: Callable[[Path], Any]):
        from concurrent.futures import ThreadPoolExecutor

        super().__init__((len(files), *shape), dtype)
        self.files, self.read_one = files, read_one
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="read")

    def read(self, rows: Array) -> Array:
        import numpy as np

        found = np.empty((len(rows), *self.shape[1:]), self.dtype)

        def put(first: int) -> None:
            for place, row in enumerate(rows[first : first + AT_A_TIME].tolist(), start=first):
                found[place] = self.read_one(self.files[row])

        list(self._pool.map(put, range(0, len(rows), AT_A_TIME)))
        return found

    def fingerprint(self) -> str:
        """Of what is in the files and of their names below the folder that holds all of them, wherever that is."""
        import hashlib

        files = [*map(absolute, self.files)]
        home = os.path.join(os.path.commonpath([*map(os.path.dirname, files)]), "")
        names = [file[len(home) :].replace(os.sep, "/") for file in files]
        return hashlib.sha256(repr(names).encode() + self.contents()[:].tobytes()).hexdigest()

    def contents(self) -> FileSamples:
        """What tells whether two of the files are the same, (files, 16), read without decoding them."""
        return FileSamples(self.files, (16,), "uint8", _digest)

    def read_all(self) -> tuple[Array, dict[int, DataError]]:
        """All samples, and what is wrong with those that cannot be read, by their places."""
        import numpy as np

        found = np.empty(self.shape, self.dtype)

        def put(row: int, values: Any) -> None:
            found[row] = values

        return found, self.problems(put)

    def problems(self, use: Callable[[int, Any], None] = lambda row, values: None) -> dict[int, DataError]:
        """Which samples cannot be read, by their places.

        Args:
            use: is given every other sample.
        """

        def read(row: int) -> DataError | None:
            try:
                use(row, self.read_one(self.files[row]))
            except DataError as problem:
                return problem
            return None

        return {row: problem for row, problem in enumerate(self._pool.map(read, range(len(self)))) if problem}


def files_of(columns: Columns) -> list[Path]:
    """The files that samples are read from when they are asked for."""
    sources: list[Any] = [values.source if isinstance(values, Chosen) else values for values in columns.values()]
    return [file for source in sources if isinstance(source, FileSamples) for file in source.files]


def as_path(value: Any) -> Any:
    """A path alone, as a mapping of keys."""
    return {"path": value} if isinstance(value, str) else value


def is_table(file: Path) -> bool:
    suffixes = {suffix for kind in FORMATS for suffix in kind.suffixes}
    return any(suffix.lower() in suffixes for suffix in file.suffixes[-2:])


@lru_cache(maxsize=32)
def _looked_at(look: Callable[[Path], Any], state: tuple[tuple[str, int, int], ...], skip: bool) -> tuple[Any, ...]:
    """What `look` finds in files while these stay the same, or, to be skipped, why one cannot be read."""
    found = []
    for name, _, _ in state:
        try:
            found.append(look(Path(name)))
        except DataError as problem:
            if not skip:
                raise
            found.append(problem)
    return tuple(found)


def _digest(file: Path) -> Any:
    import numpy as np

    return np.frombuffer(digest_of(file), "uint8")
