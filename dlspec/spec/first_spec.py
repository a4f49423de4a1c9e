"""A first spec with comments, from what the data look like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

from dlspec.data.datasets import DATASETS, Column, Dataset, Description
from dlspec.data.features.base import MANY
from dlspec.data.signature import HOLDS, TIME_NAMES
from dlspec.data.sources.arrays import ArrayFiles
from dlspec.data.sources.audio import AudioFiles
from dlspec.data.sources.folders import FolderFiles
from dlspec.data.sources.formats import LOOKED_AT
from dlspec.data.sources.images import ImageFiles
from dlspec.data.sources.rows import RowsFiles, SeriesFiles, TableFiles
from dlspec.data.sources.texts import TextFiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.diagnostics.text import visible
from dlspec.language.shapes import show_shape
from dlspec.language.words import did_you_mean, one_of
from dlspec.language.yaml import to_inline_yaml

Task = Literal["series", "number", "class"]

TARGET_NAMES = ("target", "label", "class", "species", "y", "close", "price", "value", "outcome", "diagnosis")
"""Names that columns to be predicted often have."""
IDENTITY_NAMES = ("id", "index", "no", "nr", "number", "rownames", "unnamed: 0")
"""Names of columns that count rows and say nothing about them."""
SHOWN = 3
"""Columns that lack values, and are named."""
LONGEST_WINDOW = 30


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
    """

    data: str
    kind: str
    description: Description
    target: str
    features: tuple[str, ...]
    left_out: dict[str, str]
    time: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_large: bool = False

    @property
    def task(self) -> Task:
        if self.description.layout == "series":
            return "series"
        return "class" if self._column.classes else "number"

    @property
    def name(self) -> str:
        """Of the spec: the data's name in letters that a folder may have."""
        return re.sub(r"\W+", "_", Path(self.data).stem).strip("_") or "experiment"

    @property
    def _column(self) -> Column:
        return self.description.column(self.target) or Column(self.target)

    @property
    def predicted(self) -> list[str]:
        """The columns to predict: those that the data have for it, where the target is among them."""
        together = list(self.description.targets)
        return together if self.target in together else [self.target]

    @property
    def picture(self) -> tuple[int, ...]:
        """Shape of a picture; empty where there are none."""
        return next((column.shape for column in self.description.columns if column.shape), ())

    @property
    def targets(self) -> list[str]:
        """The columns that can be predicted."""
        return [
            c.name for c in self.description.columns if _can_be_predicted(c, self.description) and c.name != self.time
        ]

    def predicting(self, target: str) -> Start:
        """The same with another target.

        Raises:
            DataError: there is no such column, or it cannot be predicted.
        """
        if target not in self.description.names:
            near = did_you_mean(target, self.targets)
            raise DataError.of("unknown-column", f"`{self.data}` has no column `{target}`", help=near)
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
        raise DataError.of("no-target", f"`{data}` has no column that could be predicted: numbers, or words that recur")
    return _with_features(start if start.target else replace(start, target=_likely_target(start)))


def _look_at_file(data: str, folder: Path, series: bool | None) -> Start:
    if re.search(r"\.ya?ml$", data):
        raise DataError.of(
            "data-unreadable", f"`{data}` is a spec, and a first spec is made from data", help="name a CSV file"
        )
    if (folder / data).is_dir() or re.search(r"\.np[yz]$", data):
        return _look_at_samples(data, folder)
    table = TableFiles((data,), folder)
    if not (folder / data).is_file() and not re.search(r"[./\\]", data):
        near = did_you_mean(data, DATASETS, otherwise=f"built-in are {one_of(DATASETS)}")
        raise DataError.of("data-not-found", f"there is no file and no built-in dataset `{data}`", help=near)
    values = table.first_values()
    time = _time_column(values)
    if series is None:
        series = time is not None
    source: RowsFiles = SeriesFiles((data,), folder) if series else table
    kind, time = ("series", time) if series else ("table", None)
    return Start(data, kind, source.describe(), "", (), {}, time, is_large=not series and table.is_large)


def _look_at_samples(data: str, folder: Path) -> Start:
    """A folder of pictures, sounds or texts, whatever there is most of, or arrays of numpy."""
    if not (folder / data).is_dir():
        return Start(data, ArrayFiles.key, ArrayFiles((data,), folder).describe(), "", (), {})
    names = [file.name.lower() for file in (folder / data).rglob("*") if file.is_file()]
    kinds: tuple[type[FolderFiles], ...] = (ImageFiles, AudioFiles, TextFiles)
    kind = max(kinds, key=lambda kind: sum(name.endswith(kind.suffixes) for name in names))
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


def _time_column(values: dict[str, list[str]]) -> str | None:
    """The column with the times: one of dates in order or of numbers that grow, by its name, or else one of dates."""
    dated = [name for name, column in values.items() if column and all(map(_is_date, column)) and _one_way(column)]
    named = [name for name in values if name.lower() in TIME_NAMES and (name in dated or _grows(values[name]))]
    return next(iter(named or dated), None)


def _is_date(text: str) -> bool:
    return bool(
        re.match(r"\s*(\d{4}-\d\d(-\d\d)?|\d{1,2}([/.])\d{1,2}\3\d{4}|\d{4}/\d\d?/\d\d?)([ T]\d\d:\d\d.*)?\s*$", text)
    )


def _one_way(dates: Sequence[str]) -> bool:
    """Whether dates whose order their text tells are in order, or the other way round."""
    return not re.match(r"\d{4}", dates[0].strip()) or list(dates) in (sorted(dates), sorted(dates, reverse=True))


def _grows(values: Sequence[str]) -> bool:
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return False
    return all(a < b for a, b in pairwise(numbers))


def _can_be_predicted(column: Column, description: Description) -> bool:
    if column.shape or column.kind not in ("number", "class"):
        return False
    return description.layout == "samples" or column.kind == "number"


def _likely_target(start: Start) -> str:
    """By name, else the last column of classes, else the last one."""
    candidates = [name for name in start.targets if name.lower() not in IDENTITY_NAMES] or start.targets
    named = [name for known in TARGET_NAMES for name in candidates if name.lower() == known]
    classes = [c.name for c in start.description.columns if c.name in candidates and c.kind == "class"]
    return [*named, *classes[-1:], candidates[-1]][0]


def _with_features(start: Start) -> Start:
    description = start.description
    left_out: dict[str, str] = {}
    features: list[str] = []
    for column in description.columns:
        name = column.name
        if name == start.time or (name == start.target and description.layout == "samples"):
            continue
        if column.shape or name in description.features:
            features = []
            break
        words = column.kind == "class" and description.layout == "samples" and len(column.classes) <= MANY
        if column.kind != "number" and not words:
            left_out[name] = {"class": "classes"}.get(column.kind, HOLDS[column.kind])
        elif name.lower() in IDENTITY_NAMES and start.kind != "dataset":
            left_out[name] = "counts the rows"
        else:
            features.append(name)
    return replace(start, features=tuple(features), left_out=left_out)


def write_start(start: Start, *, path: str | None = None, pretrain: bool = False) -> str:
    """The spec as YAML with comments.

    Args:
        path: of the data file as the spec shall name it, where that is not `start.data`.
        pretrain: whether the stages of pretraining count; they stand in comments otherwise.
    """
    description = start.description
    estimated = start.kind == "series" and (description.rows or 0) >= LOOKED_AT
    about = f"{'about ' * estimated}{_plural(description.rows, 'row')}; " if description.rows else ""
    columns = _columns_in_words(start)
    lines = [
        on_one_line(f"# A first spec for {start.data}: {about}{columns}."),
        "# Every line may be changed; `dlspec validate` says at once what is wrong, `dlspec layers` what there is.",
        "",
        "dlspec: 1",
        f"name: {to_inline_yaml(start.name)}",
        "seed: 1                           # the same number, the same result",
        "",
        "data:",
        *_noted(_data_lines(start, path or start.data)),
        "",
        "model:                            # from the data up; `dlspec plan` shows the shapes",
        *_noted(_model_lines(start)),
        "",
        *_pretrain_lines(start, pretrain),
        "",
        "train:",
        *_noted(_train_lines(start)),
        "",
        "evaluate:                         # on the test part, beside the simplest guesses",
        *_noted(_evaluate_lines(start)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def on_one_line(comment: str) -> str:
    """A comment with the names of columns and files in it, which ends where it should."""
    return visible(" ".join(comment.split())) if re.search(r"[^\x20-\x7e]", comment) else comment


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _columns_in_words(start: Start) -> str:
    target = start._column
    if len(start.predicted) > 1:
        return f"{len(start.predicted)} labels are to be predicted"
    what = f"{len(target.classes)} classes" if target.classes and start.task == "class" else "a number"
    return f"`{start.target}` ({what}) is to be predicted"


def _noted(lines: Iterator[tuple[str, str]], column: int = 34) -> Iterator[str]:
    """Lines with their comments below each other."""
    for text, note in lines:
        gap = " " * max(2, column - len(text))
        yield f"{text}{gap}# {on_one_line(note)}" if note else text


def _data_lines(start: Start, path: str) -> Iterator[tuple[str, str]]:
    what = {"dataset": "built in", "table": "a row is a sample", "series": "a row is a timestep, oldest first"}
    options = f"{{{to_inline_yaml({'path': path, **start.options})}}}" if start.options else to_inline_yaml(path)
    yield f"  {start.kind}: {options}", what.get(start.kind, "a sample in each file")
    if start.time:
        yield f"  time: {to_inline_yaml(start.time)}", ""
    others = [name for name in start.targets if name not in start.predicted][:4]
    target = start.predicted if len(start.predicted) > 1 else start.target
    yield f"  target: {to_inline_yaml(target)}", f"or {one_of(others).replace('`', '')}" if others else ""
    if start.features:
        left = [f"{name} ({why})" for name, why in start.left_out.items()]
        yield (
            f"  features: {to_inline_yaml(list(start.features))}",
            f"left out: {', '.join(left)}" if left else "what the network sees",
        )
    for key, value in start.settings.items():
        yield f"  {key}: {to_inline_yaml(value)}", _note_of(key, value, start.notes)
    if start.task == "series":
        yield (
            f"  window: {{length: {_window(start)}, horizon: 1}}",
            "timesteps that the network sees, and how many ahead it predicts",
        )
        yield "  predict: difference", "level | difference | return: what the network puts out"
    yield "  scale: standard", "standard | min_max | none; fitted on the training part only"
    by = "in order of time" if start.task == "series" else "at random, by the seed"
    if start.description.test_rows:
        yield (
            "  split: {validation: 0.15}",
            f"of the training part; the last {start.description.test_rows:,} are the test part",
        )
    else:
        yield "  split: {validation: 0.15, test: 0.15}", f"the rest is trained on; {by}"


def _note_of(key: str, value: object, lacking: Sequence[str]) -> str:
    """Why a setting is there."""
    if key == "na":
        return "stands for no value"
    more = f" and {len(lacking) - SHOWN} more columns" if len(lacking) > SHOWN else ""
    done = {"drop": "rows are left out", "median": "the median stands in; a missing word is one of its own"}
    return f"{', '.join(lacking[:SHOWN])}{more} are missing; {done.get(str(value), '')}" if lacking else ""


def _window(start: Start) -> int:
    """So long that each part of the series holds a few windows."""
    rows = start.description.rows or 1000
    return max(1, min(LONGEST_WINDOW, round(rows * 0.15) // 2 - 1))


def _width(start: Start) -> int:
    """Units of the first hidden layer: few where there are few samples."""
    rows = start.description.rows or 1000
    return 16 if rows < 500 else 32 if rows < 5000 else 64


def _model_lines(start: Start) -> Iterator[tuple[str, str]]:
    width = _width(start)
    if start.task == "series":
        yield f"  - lstm: {width}", "reads the window from the oldest timestep to the newest"
        yield "  - dropout: 0.2", "sets a fifth of the values to zero while training"
    else:
        if start.kind == AudioFiles.key:
            yield (
                f"  - mel_spectrogram: {{sampling_rate: {start.options['rate']}, fft_length: 256}}",
                "a picture of the sound",
            )
            yield "  - flatten", ""
        elif len(start.picture) == 3:
            width *= 2
            yield "  - conv2d: {filters: 16, kernel_size: 3, activation: relu}", "looks for small patterns everywhere"
            yield "  - max_pooling2d: 2", "keeps the strongest of four neighbours"
            yield "  - conv2d: {filters: 32, kernel_size: 3, activation: relu}", "patterns of patterns"
            yield "  - max_pooling2d: 2", ""
            yield "  - flatten", ""
        elif start.picture:
            width *= 2
            yield "  - flatten", f"{show_shape((None, *start.picture))} becomes one row of numbers"
        yield f"  - dense: {{units: {width}, activation: relu}}", "lines that are drawn, and bent"
        yield "  - dropout: 0.2", "sets a fifth of the values to zero while training"
        yield f"  - dense: {{units: {width // 2}, activation: relu}}", ""
    yield "  - output", "as many units, and the activation, that the target needs"


def _pretrain_lines(start: Start, wanted: bool) -> Iterator[str]:
    lines = [
        "pretrain:                         # each layer first learns to give back its own input, from the lowest up",
        "  method: autoencoder             # or denoising_autoencoder, rbm; `dlspec layers autoencoder` tells more",
        "  epochs: 10",
    ]
    if not wanted:
        yield "# Pretraining, layer by layer; remove the `# ` to use it:"
    for line in lines:
        yield line if wanted else f"# {line}"


def _train_lines(start: Start) -> Iterator[tuple[str, str]]:
    yield "  optimizer: {adam: 0.001}", "the size of a step; three times less or more is worth a try"
    yield "  epochs: 100", "how often it goes through the data, at most"
    yield "  batch_size: 32", "samples between two steps"
    yield "  early_stopping: {patience: 10}", "ends when the validation loss no longer falls for so many epochs"


def _evaluate_lines(start: Start) -> Iterator[tuple[str, str]]:
    metrics = {"series": "[mae, rmse, mase]", "number": "[mae, rmse, r2]", "class": "[accuracy, log_loss]"}
    baselines = {"series": "[persistence, linear]", "number": "[mean, linear]", "class": "[majority, linear]"}
    guess = {
        "series": "the next value is the last one, and a linear model of the window",
        "number": "always the mean, and a linear model",
        "class": "always the most frequent class, and a linear model",
    }
    yield f"  metrics: {metrics[start.task]}", ""
    yield f"  baselines: {baselines[start.task]}", guess[start.task]
