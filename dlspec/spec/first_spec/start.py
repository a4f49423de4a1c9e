"""What a first spec is made from: the columns of some data, what is predicted, and from what."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal

from dlspec.data.datasets import DATASETS, Column, Dataset, Description
from dlspec.data.features.base import MANY
from dlspec.data.signature import HOLDS, TIME_NAMES
from dlspec.data.sources.arrays import ArrayFiles
from dlspec.data.sources.audio import AudioFiles
from dlspec.data.sources.base import fits_in_memory
from dlspec.data.sources.folders import FolderFiles
from dlspec.data.sources.formats import RowsFormat
from dlspec.data.sources.formats.base import as_word
from dlspec.data.sources.images import ImageFiles
from dlspec.data.sources.rows import RowsFiles, SeriesFiles, TableFiles
from dlspec.data.sources.texts import TextFiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import did_you_mean, one_of
from dlspec.spec.first_spec.looked import (
    LEVELS,
    Looked,
    counts_rows,
    is_cut_of,
    looked_at,
    says_the_same,
    tagged_texts,
    usual_length,
    words_of_texts,
)
from dlspec.spec.first_spec.opening import Opened, opened
from dlspec.spec.first_spec.saying import Said, say
from dlspec.spec.first_spec.series import in_time
from dlspec.spec.first_spec.target import Candidate, are_codes, is_identity, likely_targets, names_things, speaks_for

Task = Literal["series", "class_series", "number", "class"]

COUNTING_NAMES = ("no", "nr", "number", "unnamed: 0")
"""Names of columns that may count the rows."""
LONGEST_WINDOW = 30
"""Timesteps that a window has, unless there are few."""
MOST_FOR_TIMES = 20_000
"""Rows that tell whether they follow each other in time."""
SOME_ROWS = 600
"""So many rows, from all over a file, tell what its columns are like."""


@dataclass(frozen=True)
class Start:
    """What a first spec is made from.

    Args:
        data: a built-in's name, or the path of a file.
        kind: the key that names the data: `dataset`, `table`, `series`, `images`, …
        options: what is said of files besides their path: `{"size": [64, 64]}`.
        target: the column to predict; empty where nothing in the data can be.
        features: what the network sees; empty where the data are pictures.
        left_out: column -> why it is no feature.
        settings: other keys of `data`: what is done about missing values.
        notes: how many values which columns lack.
        is_large: whether the file is too large to be read at once.
        likely: the columns that may be meant to be predicted, the likeliest first.
        looked: what the values of columns are like, in some rows.
        rows: the places of these rows.
        codes: columns of whole numbers that stand for classes.
        texts: columns of text that the network sees, and how many words of it come again.
        lengths: of these columns, words that most of their texts have at most.
        group: the column that separates several series.
        length: timesteps of a series; None: as many as there are rows.
        longest_window: timesteps that a window has at most.
        why: setting -> what it is for.
        tagged: column with a tag for each word of a text -> that text.
        companion: the name of the file with the test part, beside that of the training part.
        problem: what is wrong with the data, whatever is written of them.
    """

    data: str
    kind: str
    description: Description
    target: str
    features: tuple[str, ...]
    left_out: dict[str, Said]
    time: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[Said, ...] = ()
    is_large: bool = False
    likely: tuple[Candidate, ...] = ()
    looked: Mapping[str, Looked] = field(default_factory=dict)
    rows: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    texts: Mapping[str, int] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    group: str | None = None
    length: int | None = None
    longest_window: int = LONGEST_WINDOW
    why: Mapping[str, Said] = field(default_factory=dict)
    tagged: Mapping[str, str] = field(default_factory=dict)
    companion: str = ""
    problem: DataError | None = None

    @property
    def may_be_read(self) -> bool:
        """Whether its values can be read at once, so that the first spec is made to fit them."""
        return not self.is_large and self.kind in ("table", "series", "arrays")

    @property
    def task(self) -> Task:
        if self.description.layout == "series":
            return "class_series" if self.column.classes else "series"
        return "class" if self.column.classes else "number"

    @property
    def name(self) -> str:
        """Of the spec: the data's name in letters that a folder may have."""
        return re.sub(r"\W+", "_", Path(self.data).stem).strip("_") or "experiment"

    @property
    def column(self) -> Column:
        """What is predicted; whole numbers that stand for classes are words here."""
        found = self.description.column(self.target) or Column(self.target)
        if self.target not in self.codes:
            return found
        return replace(found, kind="class", classes=tuple(sorted(map(as_word, self.looked[self.target].counts))))

    @property
    def predicted(self) -> list[str]:
        """The columns to predict: those that the data have for it, where the target is among them."""
        together = list(self.description.targets)
        return together if self.target in together else [self.target]

    @property
    def picture(self) -> tuple[int, ...]:
        """Shape of a picture; empty where there are none."""
        return next((column.shape for column in self.description.columns if column.shape), ())

    def tells_rows_apart(self, name: str) -> bool:
        """Whether a column counts the rows or names them."""
        return self.counts_rows(name) or self._is_id(name)

    def counts_rows(self, name: str) -> bool:
        looked = self.looked.get(name)
        return looked is not None and counts_rows(looked, self.rows)

    def _is_id(self, name: str) -> bool:
        """Whether a column is called an id, and holds what may be one: words or whole numbers, of which no `index` and
        no `number` comes twice."""
        if not (name.lower() in COUNTING_NAMES or is_identity(name)):
            return False
        looked = self.looked.get(name)
        if looked is None:
            return True
        may_be = not looked.is_number or looked.is_whole
        return may_be and (names_things(name) or looked.distinct == 1)

    def copies_of(self, name: str) -> list[str]:
        """The columns that say the same as another, in all rows that were looked at."""
        own = self.looked.get(name)
        if own is None:
            return []
        return [other for other, looked in self.looked.items() if other != name and says_the_same(own, looked)]

    def decides(self, name: str) -> bool:
        """Whether the target only says on which side of a limit the numbers of a column lie."""
        own, other = self.looked.get(self.target), self.looked.get(name)
        return own is not None and other is not None and is_cut_of(own, other)

    @property
    def sees_target(self) -> bool:
        """Whether the network sees the target too, up to now."""
        return self.task == "series"

    @property
    def targets(self) -> list[str]:
        """The columns that can be predicted."""
        return [
            c.name
            for c in self.description.columns
            if _can_be_predicted(c) and c.name not in (self.time, self.group, *self.tagged)
        ]

    def without(self, reasons: Mapping[str, Said]) -> Start:
        """The same without some of the features, each with the reason."""
        kept = tuple(name for name in self.features if name not in reasons)
        return replace(self, features=kept, left_out={**self.left_out, **reasons})

    def predicting(self, target: str) -> Start:
        """The same with another target.

        Raises:
            DataError: there is no such column, or it cannot be predicted.
        """
        if target not in self.description.names:
            near = did_you_mean(target, self.targets)
            raise DataError.of("unknown-column", f"`{self.data}` has no column `{target}`", help=near)
        _refuse_tags(self, target)
        if target not in self.targets:
            raise DataError.of(
                "wrong-value",
                f"`{target}` cannot be predicted: it holds neither numbers nor classes",
                help=f"there are {one_of(self.targets)}",
            )
        return _with_features(replace(self, target=target))


def look_at(data: str, *, folder: Path = Path(), series: bool | None = None) -> Start:
    """Looks at the columns of a built-in dataset or a file, and proposes what to predict from what.

    Args:
        series: whether rows are timesteps; None where the columns shall tell.

    Raises:
        DataError: there is no such dataset or file, it cannot be read, or nothing in it can be predicted.
    """
    if data in DATASETS:
        dataset: Dataset = DATASETS[data]()
        description = dataset.describe()
        start = Start(data, "dataset", description, "".join(description.targets[:1]), (), {}, description.time)
    else:
        start = _look_at_file(data, folder, series)
    if not start.targets:
        _refuse_tags(start, *start.tagged)
        raise DataError.of("no-target", f"`{data}` has no column that could be predicted: numbers, or words that recur")
    if not start.target:
        likely = _likely(start)
        start = replace(start, target=likely[0].column, likely=tuple(likely))
    return _with_features(start)


def _look_at_file(data: str, folder: Path, series: bool | None) -> Start:
    if re.search(r"\.ya?ml$", data):
        raise DataError.of(
            "data-unreadable", f"`{data}` is a spec, and a first spec is made from data", help="name a CSV file"
        )
    if (folder / data).is_dir() or re.search(r"\.(np[yz]|ts)$", data):
        return _look_at_samples(data, folder)
    if not (folder / data).is_file() and not re.search(r"[./\\]", data):
        near = did_you_mean(data, DATASETS, otherwise=f"built-in are {one_of(DATASETS)}")
        raise DataError.of("data-not-found", f"there is no file and no built-in dataset `{data}`", help=near)
    opening = opened(data, folder, SeriesFiles if series else TableFiles)
    file = opening.source.files[0]
    numbers = {c.name: c.kind == "number" for c in opening.source.describe().columns}
    first = _first_rows(file, numbers)
    found = None if series is False else in_time(first, numbers, file.signs)
    if isinstance(opening.source, TableFiles) and found is None:
        return _opened_with(_of_table(data, opening.source), opening)
    time = found.time if found is not None else _time_column(opening.source.first_values())
    group = found.group if found is not None else None
    targets = tuple(_class_targets(first, numbers, {time, group}))
    source = SeriesFiles((data,), folder, targets=targets, dialect=opening.source.dialect)
    description = source.describe()
    places, rows = source.some_rows(SOME_ROWS)
    looked = _look_at_values(source, description, rows)
    settings = {"duplicates": "mean"} if found is not None and found.repeats else {}
    start = Start(data, "series", description, "", (), {}, time, settings=settings, looked=looked, rows=tuple(places))
    start = replace(start, group=group, length=found.length if found is not None else None)
    return _opened_with(start, opening)


def _opened_with(start: Start, opening: Opened) -> Start:
    """The same start, with what is said so that the file is read as it is meant."""
    return replace(start, settings={**opening.settings, **start.settings}, why=opening.why)


def _of_table(data: str, table: TableFiles) -> Start:
    """Rows that are samples."""
    description = table.describe()
    places, rows = table.some_rows(SOME_ROWS)
    looked = _look_at_values(table, description, rows)
    codes = tuple(name for name, each in looked.items() if are_codes(name, each))
    header = table.files[0].header()
    texts = {
        column.name: words
        for column in description.columns
        if column.kind == "text" and not is_identity(column.name)
        if (words := words_of_texts(column.name, [row[header.index(column.name)] for row in rows]))
    }
    worded = [column.name for column in description.columns if column.kind in ("class", "text")]
    return Start(
        data, "table", description, "", (), {}, is_large=table.is_large, looked=looked, rows=tuple(places), codes=codes,
        texts=texts, tagged=tagged_texts({name: [row[header.index(name)] for row in rows] for name in worded}),
        lengths={name: usual_length([row[header.index(name)] for row in rows]) for name in texts},
    )  # fmt: skip


def _look_at_values(source: RowsFiles, description: Description, rows: list[list[str]]) -> dict[str, Looked]:
    """What the values of columns of numbers and words are like."""
    numeric = {c.name: c.kind == "number" for c in description.columns if c.kind in ("number", "class")}
    file = source.files[0]
    return looked_at(file.header(), rows, numeric, file.signs)


def _first_rows(file: RowsFormat, names: Mapping[str, bool]) -> dict[str, list[str]]:
    """The values of the first rows, as they are written, by column."""
    header, rows = file.header(), list(islice(file.rows(), MOST_FOR_TIMES))
    return {name: [row[place] for row in rows] for place, name in enumerate(header) if name in names}


def _class_targets(
    first: Mapping[str, Sequence[str]], numbers: Mapping[str, bool], others: set[str | None]
) -> Iterator[str]:
    """Columns of words in a series that are called as what is to be told at each timestep."""
    for name, values in first.items():
        few = 2 <= len({*values}) <= LEVELS
        if not numbers[name] and name not in others and few and speaks_for(name) > 0:
            yield name


def _look_at_samples(data: str, folder: Path) -> Start:
    """A folder of pictures, sounds or texts, whatever there is most of, or arrays of numpy."""
    if not (folder / data).is_dir():
        companion = re.sub(r"_TRAIN(\.ts)$", r"_TEST\1", data, flags=re.IGNORECASE)
        if companion != data and (folder / companion).is_file():  # as the archives have them
            both = ArrayFiles((data, companion), folder, roles=("train", "test"))
            return replace(_start_of_arrays(data, both), companion=Path(companion).name)
        return _start_of_arrays(data, ArrayFiles((data,), folder))
    names = [file.name.lower() for file in (folder / data).rglob("*") if file.is_file()]
    kinds: tuple[type[FolderFiles], ...] = (ImageFiles, AudioFiles, TextFiles)
    kind = max(kinds, key=lambda kind: sum(name.endswith(kind.suffixes) for name in names))
    if kind is ImageFiles:
        _refuse_masks(folder / data)
    source: FolderFiles = kind((data,), folder)
    options: dict[str, object] = {"rate": source.rate_of_first()} if isinstance(source, AudioFiles) else {}
    try:
        description = source.describe()
    except DataError as error:
        if error.diagnostics[0].code != "sizes-differ":
            raise
        if isinstance(source, AudioFiles):
            source, options = replace(source, rate=source.rate_of_first(), seconds=1.0), {**options, "seconds": 1}
        elif isinstance(source, ImageFiles):
            source, options = replace(source, size=(64, 64)), {"size": [64, 64]}
        description = source.describe()
    return Start(data, kind.key, description, "", (), {}, options=options)


def _refuse_masks(folder: Path) -> None:
    """Raises DataError where a folder holds pictures and, as it seems, their masks, which are no two classes."""
    below = {entry: {file.stem for file in entry.iterdir()} for entry in sorted(folder.iterdir()) if entry.is_dir()}
    for masks, names in below.items():
        pictures = next((other for other in below if other != masks and names and below[other] == names), None)
        if pictures is not None and re.search("mask|label|annot|segm", masks.name, re.IGNORECASE):
            message = (
                f"`{masks.name}` has a picture for each in `{pictures.name}`, as masks have: `init` writes no such spec"
            )
            help = f"write `images: {{path: {pictures}, masks: {masks}}}` under `data`, as in `specs/landscapes.yaml`"
            raise DataError.of("not-supported-yet", message, help=help)


def _refuse_tags(start: Start, *targets: str) -> None:
    """Raises DataError where a target is a tag for each word of a text."""
    for target in targets:
        if target in start.tagged:
            text = start.tagged[target]
            message = f"`{target}` has a tag for each word of `{text}`, as it seems: `init` writes no such spec"
            help = (
                f'write `target: {{{target}: {{sequence: " "}}}}` and `features: {{{text}: {{text: {{length: 40}}}}}}` '
                "under `data`, as in `specs/tags_bilstm.yaml`"
            )
            raise DataError.of("not-supported-yet", message, help=help)


def _start_of_arrays(data: str, source: ArrayFiles) -> Start:
    description = source.describe()
    values = sum((description.rows or 0) * math.prod(column.shape) for column in description.columns)
    return Start(data, source.key, description, "", (), {}, is_large=not fits_in_memory((values,), "float64", "auto"))


def _time_column(values: dict[str, list[str]]) -> str | None:
    """The column with the times of a series that nothing else tells: numbers that grow."""
    return next((name for name in values if name.lower() in TIME_NAMES and _grows(values[name])), None)


def _grows(values: Sequence[str]) -> bool:
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return False
    return all(a < b for a, b in pairwise(numbers))


def _can_be_predicted(column: Column) -> bool:
    return not column.shape and column.kind in ("number", "class")


def _likely(start: Start) -> list[Candidate]:
    """The columns that may be meant; never one that counts the rows, or names them, if there are others."""
    targets = [column for column in start.description.columns if column.name in start.targets]
    telling = [column for column in targets if not start.tells_rows_apart(column.name)]
    usable = [c for c in telling if c.name not in start.looked or not start.looked[c.name].is_constant]
    columns = usable or telling or targets
    looked = {name: each for name, each in start.looked.items() if not start.tells_rows_apart(name)}
    called = "" if start.kind == "dataset" else Path(start.data).stem
    found = likely_targets(columns, looked, numbered=start.settings.get("header") is False, called=called)
    ranks = {each.column: place for place, each in enumerate(found)}
    copies = {
        each.column
        for each in found
        for other in start.copies_of(each.column)
        if ranks.get(other, len(ranks)) < ranks[each.column]
    }
    found = [each for each in found if each.column not in copies]
    if start.kind == "series":  # a class of each timestep is there to be told
        classes = {column.name for column in columns if column.classes}
        found.sort(key=lambda each: each.column not in classes)
    return found


def _with_features(start: Start) -> Start:
    description = start.description
    left_out: dict[str, Said] = {}
    features: list[str] = []
    copies = start.copies_of(start.target) if description.layout == "samples" else []
    for column in description.columns:
        name = column.name
        if name == start.time or name == start.group or (name == start.target and not start.sees_target):
            continue
        if column.shape or name in description.features:
            features = []
            break
        words = column.kind == "class" and description.layout == "samples" and len(column.classes) <= MANY
        if name in start.texts:
            features.append(name)
        elif column.kind != "number" and not words:
            left_out[name] = say({"class": "classes"}.get(column.kind, HOLDS[column.kind]))
        elif start.kind != "dataset" and start.tells_rows_apart(name):
            left_out[name] = say("counts the rows") if start.counts_rows(name) else say("an id")
        elif name in copies:
            left_out[name] = say("says the same as {target}", target=start.target)
        elif start.decides(name):
            left_out[name] = say("{target} says on which side of a limit it lies", target=start.target)
        else:
            features.append(name)
    if not features:  # then the place of a row may be all there is
        counting = [name for name in left_out if start.counts_rows(name) and not is_identity(name)]
        features = [name for name in counting if name.lower() not in COUNTING_NAMES][:1]
        left_out = {name: why for name, why in left_out.items() if name not in features}
    return replace(start, features=tuple(features), left_out=left_out)
