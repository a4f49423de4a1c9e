"""What a network must take and give, from the spec and the description of its data; no data are loaded."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, Protocol

from dlspec.baselines import BASELINES
from dlspec.datasets import Column, ColumnKind, Columns, Description, Loaded
from dlspec.diagnostics import Diagnostic
from dlspec.features import FEATURES, Feature, infer
from dlspec.features.base import MANY
from dlspec.fields import did_you_mean
from dlspec.layers import Shape
from dlspec.metrics import METRICS
from dlspec.parts.losses import LOSSES, Loss
from dlspec.sources import FILE_SOURCES, FileSource, Place
from dlspec.sources.rows import RowsFiles
from dlspec.spec import DataSpec, Spec, UnlabeledSpec
from dlspec.splits import Window

Task = Literal["series", "number", "class", "reconstruction"]

HOLDS = {"class": "labels", "time": "times", "text": "text", "number": "numbers", "nested": "nested values"}
TIME_NAMES = ("date", "datetime", "time", "timestamp")


class DataSource(Protocol):
    """Where data come from: a built-in dataset or a file."""

    def describe(self) -> Description: ...

    def load(self, seed: int) -> Columns: ...

    def load_parts(self, seed: int) -> Loaded: ...


PARTS_IN_FILES: tuple[Literal["validation", "test"], ...] = ("validation", "test")
"""The parts of the split that may have files of their own."""
INPUT_TARGET = "input"
"""What `target` says where the network is to give back its own input."""


@dataclass(frozen=True)
class Target:
    """What is predicted, and the output that it asks of a network.

    Args:
        kind: a `number`, a `class`, or the `input` of the network itself.
        columns: of several numbers, the column of each value that the network puts out, with its unit.
        steps: of several numbers of a series, how many timesteps ahead each of them lies.
        shape: of the input, without the batch.
        inside: every value of the input lies in [0, 1], so that it may be taken for a probability.
    """

    name: str
    kind: Literal["number", "class", "input"]
    classes: tuple[str, ...] = ()
    unit: str | None = None
    shape: tuple[int, ...] = ()
    inside: bool = False
    columns: tuple[Column, ...] = ()
    steps: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        return tuple(dict.fromkeys(column.name for column in self.columns)) or (self.name,)

    @property
    def is_mixed(self) -> bool:
        """Whether it is several columns that are not known to have the same unit, so that their errors have no mean."""
        units = {column.unit for column in self.columns}
        return len(self.names) > 1 and (len(units) > 1 or None in units)

    @property
    def values(self) -> tuple[str, ...]:
        """What each of several numbers is called; empty where there is one."""
        if self.steps:
            return tuple(f"{column.name}+{step}" for column, step in zip(self.columns, self.steps, strict=True))
        return tuple(column.name for column in self.columns)

    @property
    def units(self) -> int:
        if self.kind == "input":
            return math.prod(self.shape)
        if self.columns:
            return len(self.columns)
        return 1 if self.kind == "number" or len(self.classes) == 2 else len(self.classes)

    @property
    def activation(self) -> str:
        if self.kind == "class":
            return "sigmoid" if len(self.classes) == 2 else "softmax"
        return "sigmoid" if self.inside else "linear"

    @property
    def loss_of(self) -> str:
        """The sort of loss that fits: see `Loss.of`."""
        if self.kind == "class":
            return "binary" if len(self.classes) == 2 else "class"
        return "number"

    @property
    def default_loss(self) -> str:
        if self.inside:
            return "binary_crossentropy"
        return {"number": "mse", "binary": "binary_crossentropy", "class": "sparse_categorical_crossentropy"}[
            self.loss_of
        ]

    def fits(self, loss: Loss) -> bool:
        """Whether the loss can compare what the network puts out with it."""
        return self.loss_of in loss.of or (self.inside and "binary" in loss.of)


@dataclass(frozen=True)
class NetworkInput:
    """An input of the network.

    Args:
        columns: places in the features that it takes; None for all of them.
    """

    name: str
    shape: Shape | None
    columns: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Signature:
    """What goes into a network and what comes out.

    Args:
        task: `series`, `number`, `class` or `reconstruction`; metrics and baselines say which they are for.
        input_shape: of all that the network sees, batch first.
        types: how each feature is encoded; empty for pictures and series, whose values are numbers.
        widths: how many numbers the network sees of each feature.
        inputs: how that is shared out over the inputs of the network.
        targets: output -> what it predicts, where the spec names outputs.
        time: the column with the time of a series, if there is one.
        window: how a series is cut; None: the data are single samples.
        test_rows: how many of the last rows are the test part that the data bring.
        validation_rows: how many rows before those are the validation part that the data bring.
        group: the column that separates several series, or whose values stay in one part.
        part_words: of a column that says where each row belongs, its words.
    """

    task: Task
    input_shape: Shape
    features: tuple[Column, ...]
    target: Target
    inputs: tuple[NetworkInput, ...]
    targets: Mapping[str, Target]
    time: str | None = None
    window: Window | None = None
    test_rows: int = 0
    types: tuple[Feature, ...] = ()
    widths: tuple[int, ...] = ()
    validation_rows: int = 0
    group: str | None = None
    part_words: tuple[str, ...] | None = None

    def types_of(self, given: NetworkInput) -> list[Feature]:
        """The types of the features that an input takes."""
        if given.columns is None or not self.types:
            return list(self.types)
        ends = list(accumulate(self.widths))
        return [self.types[i] for i in sorted({bisect_right(ends, column) for column in given.columns})]

    def tokens(self, name: str) -> int | None:
        """How many different whole numbers come out of an input, which stand for words; None where others do."""
        given = next((given for given in self.inputs if given.name == name), None)
        return next((kind.tokens for kind in self.types_of(given) if kind.tokens), None) if given else None

    def with_widths(self, spec: Spec, widths: Sequence[int]) -> Signature:
        """The same, once it is known how many numbers the network sees of each feature."""
        shape, names = (None, sum(widths)), [column.name for column in self.features]
        inputs = share_out(spec, shape, names, widths)
        return replace(self, input_shape=shape, inputs=inputs, widths=tuple(widths))


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

    def source(given: Any, *place: str) -> FileSource:
        span = spec.span(*place)
        folder = Path(span.file).parent if span.in_file else spec.source.folder
        return FILE_SOURCES[key].of(given, Place(folder, span, spec.data.cache, tuple(said)))

    found = source(getattr(section, key), *path, key)
    if section is not spec.data or not isinstance(found, RowsFiles):
        return found
    validation, test = (
        source(paths, "data", "split", part) if (paths := split.files(part)) else None for part in PARTS_IN_FILES
    )
    return found.with_parts(validation, test)


def read_signature(spec: Spec, description: Description) -> tuple[Signature | None, list[Diagnostic]]:
    """The signature, and what is wrong with the names of columns. None: it cannot be known."""
    problems = list(_column_problems(spec, description))
    data = spec.data
    time = data.time or description.time or _guess_time(description)
    targets = {name: _target(description, output.target) for name, output in (spec.model.outputs or {}).items()}
    names = data.target_names or [t.name for t in targets.values() if t][:1]
    names = names or [name for name in (INPUT_TARGET if spec.unrolls else description.target,) if name]
    if not names:
        where = next(key for key in data.sources if getattr(data, key) is not None)
        problems.append(
            Diagnostic(
                "missing-key",
                "`target` is missing: the column to predict",
                spec.key_span("data", where),
                help=did_you_mean("", description.names) or "add `target: …`, or `target: input` to give it back",
            )
        )
        return None, problems
    target_name = ", ".join(names)
    back = names == [INPUT_TARGET] and INPUT_TARGET not in description.names
    target = Target(INPUT_TARGET, "input") if back else _several(description, names, data.window)
    if target is None or None in targets.values():
        return None, problems
    if target.kind == "class" and len(target.classes) < 2:
        of = f"one class, `{target.classes[0]}`" if target.classes else "no class"
        problems.append(
            Diagnostic(
                "one-class",
                f"`{target_name}` has {of}, and so there is nothing to tell apart",
                spec.span("data", "target") if data.target else spec.key_span("data"),
                help="predict another column, or add samples of another class",
            )
        )
        return None, problems
    predicted = {*names, *(t.name for t in targets.values() if t)}
    group = data.group if description.layout == "series" else data.split.group
    predicted |= {name for name in (group, data.split.column) if name}
    chosen = data.feature_names or list(dict.fromkeys(name for _, names in _inputs(spec) for name in names))
    if back and description.layout == "samples":
        predicted.add(description.target or "")  # the label of a built-in set is no part of a sample
    series = description.layout == "series"
    chosen = chosen or [name for name in description.features if name not in predicted]
    chosen = chosen or [
        column.name
        for column in description.columns
        if column.name not in (time, group)
        and (series or column.name not in predicted)
        and _by_itself(column, description)
    ]
    # a name that is not there counts as a number, so that shapes are still checked
    features = tuple(description.column(name) or Column(name) for name in chosen)
    if not features:
        by_name = next(
            (c for c in description.columns if c.kind in _no_numbers(description) and c.name not in predicted), None
        )
        problems.append(
            Diagnostic(
                "no-features",
                f"no column is left for the network to see besides `{target_name}`",
                spec.key_span("data"),
                help="predict another column; or, if a row is a timestep, write `series` in place of `table`"
                if data.table and not by_name
                else f"name one: `features: {{{by_name.name}: {by_name.kind}}}`"
                if by_name
                else "predict another column",
            )
        )
        return None, problems
    pictures = [c for c in features if c.shape]
    task: Task = "reconstruction" if target.kind == "input" else "series" if series else target.kind
    shape: Shape
    if series:
        if data.window is None:
            problems.append(
                Diagnostic(
                    "missing-key",
                    "a series needs `window`: how many timesteps the network sees",
                    spec.key_span("data"),
                    help="add `window: {length: 30, horizon: 1}` under `data`",
                )
            )
            return None, problems
        shape = (None, data.window.length, len(features))
    elif pictures and len(features) > 1:
        problems.append(
            Diagnostic(
                "wrong-value",
                f"`{pictures[0].name}` holds arrays, such as pictures, and cannot stand beside other features",
                spec.span("data", "features") if data.features else spec.key_span("model", "inputs"),
                help=f"write `features: {pictures[0].name}`",
            )
        )
        return None, problems
    else:
        shape = (None, *features[0].shape) if pictures else (None, len(features))
    types: tuple[Feature, ...] = ()
    widths = [1] * len(features)
    if not series and not pictures:
        types = tuple(data.feature_type(column.name) or infer(column) or FEATURES["numeric"]() for column in features)
        widths = [given.width(column) for given, column in zip(types, features, strict=True)]
        shape = (None, sum(widths))
    inputs = share_out(spec, shape, chosen, widths)
    if back:
        words = next((c for c, given in zip(features, types, strict=False) if given.raw != "number"), None)
        if words is not None:
            problems.append(
                Diagnostic(
                    "wrong-target",
                    f"`target: {INPUT_TARGET}` gives back numbers, and `{words.name}` holds {HOLDS[words.kind]}",
                    spec.span("data", "target") if data.target else spec.key_span("data"),
                    help=f"list the features without `{words.name}`",
                )
            )
            return None, problems
        sizes = tuple(size for size in shape[1:] if size is not None)
        target = replace(target, shape=sizes, inside=data.inside(types))
    known = {name: target for name, target in targets.items() if target}
    window = data.window if series else None
    rows = description.test_rows
    words = description.column(data.split.column) if data.split.column else None
    signature = Signature(
        task, shape, features, target, inputs, known, time if window else None, window, rows, types, tuple(widths),
        description.validation_rows, group, words.classes if words else None,
    )  # fmt: skip
    return signature, problems


def needs_memory(spec: Spec, signature: Signature) -> tuple[tuple[str, ...], str] | None:
    """Why rows must be in memory together: the key that asks for it, and what that is; None: they need not be."""
    data = spec.data
    if signature.target.kind == "input":
        return ("target",), "a network that gives back its input"
    if signature.window is not None:
        return ("window",), "a series"
    if signature.target.columns:
        return ("target",), "a list of targets"
    for key in ("labels", "limit", "unlabeled"):
        if getattr(data, key) is not None:
            return (key,), f"`{key}`"
    for key in ("group", "column", "folds"):
        if getattr(data.split, key) is not None:
            return ("split", key), f"`split: {{{key}: …}}`"
    part = next((part for part in PARTS_IN_FILES if data.split.files(part)), None)
    return None if part is None else (("split", part), f"a {part} part in files of its own")


def _by_itself(column: Column, description: Description) -> bool:
    """Whether the network sees a column that the spec does not name: numbers, and of a table words that come again."""
    words = column.kind == "class" and description.layout == "samples" and len(column.classes) <= MANY
    return column.kind == "number" or words


def _no_numbers(description: Description) -> tuple[str, ...]:
    """The kinds of columns that may be features although they hold no numbers."""
    return ("class", "time", "text") if description.layout == "samples" else ()


INPUT = "input"
"""Name of the input of a network that has one."""


def share_out(
    spec: Spec, shape: Shape, features: Sequence[str], widths: Sequence[int] | None = None
) -> tuple[NetworkInput, ...]:
    """The inputs of the network, and which of the features each takes.

    Args:
        shape: of all features together, batch first.
        widths: how many numbers each feature is; 1 by default.
    """
    if spec.model.inputs is None:
        return (NetworkInput(INPUT, shape),)
    ends = list(accumulate(widths if widths is not None else [1] * len(features), initial=0))
    places = {column: range(*ends[i : i + 2]) for i, column in enumerate(features)}
    shared = []
    for name, names in _inputs(spec):
        columns = tuple(place for column in names for place in places.get(column, ()))
        shared.append(NetworkInput(name, (*shape[:-1], len(columns)) if len(shape) < 4 else shape, columns))
    return tuple(shared)


def _inputs(spec: Spec) -> list[tuple[str, list[str]]]:
    return [(name, given.features) for name, given in (spec.model.inputs or {}).items()]


def _target(description: Description, name: str) -> Target | None:
    """What the column asks of a network; None where it is not there or cannot be predicted."""
    column = description.column(name)
    if column is None or column.kind not in ("number", "class") or column.shape:
        return None
    return Target(name, "class" if column.classes else "number", column.classes, column.unit)


def _several(description: Description, names: Sequence[str], window: Window | None) -> Target | None:
    """What the columns ask of a network, at each of the timesteps that are predicted."""
    found = [_target(description, name) for name in names]
    first = found[0]
    steps = range(window.horizon, window.reach + 1) if window and description.layout == "series" else range(1, 2)
    if first is None or None in found or (len(found) == 1 and len(steps) == 1):
        return first if None not in found else None
    columns = tuple(Column(t.name, unit=t.unit) for t in found if t for _ in steps)
    ahead = tuple(step for _ in found for step in steps) if window and description.layout == "series" else ()
    units = {t.unit for t in found if t}
    return Target(
        ", ".join(names), "number", unit=first.unit if len(units) == 1 else None, columns=columns, steps=ahead
    )


def _column_problems(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Names of columns that the data do not have, and keys that their layout has no use for."""
    data = spec.data
    named: list[tuple[str | None, tuple[str | int, ...]]] = [
        (data.time, ("data", "time")),
        *((name, _place_of_target(spec, i)) for i, name in enumerate(data.target_names)),
        (data.group, ("data", "group")),
        (data.split.group, ("data", "split", "group")),
        (data.split.column, ("data", "split", "column")),
    ]
    named += [(name, place_of_feature(spec, name)) for name in data.feature_names or []]
    for given, names in _inputs(spec):
        named += [(name, ("model", "inputs", given, "features", i)) for i, name in enumerate(names)]
    for given, output in (spec.model.outputs or {}).items():
        named.append((output.target, ("model", "outputs", given, "target")))
    for name, path in named:
        if name == INPUT_TARGET and data.target == INPUT_TARGET and path == ("data", "target"):
            continue
        if name is not None and name not in description.names:
            yield Diagnostic(
                "unknown-column",
                f"the data have no column `{name}`",
                spec.span(*path),
                help=did_you_mean(name, description.names),
            )
    for given, names in _inputs(spec):
        for i, name in enumerate(names):
            if data.features and name in description.names and name not in data.features:
                yield Diagnostic(
                    "unknown-column",
                    f"`{name}` is not among the `features` of `data`",
                    spec.span("model", "inputs", given, "features", i),
                    help=f"add `{name}` to `features`, or leave `features` out",
                )
    names = data.feature_names or []
    taken = {name for _, own in _inputs(spec) for name in own}
    for name in names if taken else []:
        if name not in taken:
            yield Diagnostic(
                "wrong-value",
                f"`{name}` is among the `features` of `data`, and no input takes it",
                spec.span(*place_of_feature(spec, name)),
                help=f"add `{name}` to an input, or take it out of `features`",
            )
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Diagnostic("repeated-column", f"`{name}` is listed twice", spec.span("data", "features", i))
            continue
        column, place = description.column(name), place_of_feature(spec, name)
        if name in (*data.target_names, description.target)[: max(1, len(data.target_names))] and (
            description.layout == "samples"
        ):
            continue  # the network would see its own answer, whatever it holds
        kind = data.feature_type(name)
        if kind is not None and description.layout == "series":
            message = "types of features are of single samples, and these data are a series"
            yield Diagnostic("only-for-samples", message, spec.span(*place), help="list the names alone")
        elif kind is not None and column and (column.kind not in kind.takes or column.shape):
            held = "arrays" if column.shape else HOLDS[column.kind]
            fitting, wanted = infer(column), " or ".join(HOLDS[other] for other in kind.takes)
            yield Diagnostic(
                "wrong-value",
                f"`{name}` holds {held}, and `{kind.type_name}` takes {wanted}",
                spec.span(*place),
                help=f"write `{name}: {fitting.type_name}`" if fitting and not column.shape else "leave it out",
            )
        elif name == (data.time or description.time):
            yield _no_feature(spec, name, "time", "numbers here")
        elif column and kind is None and column.kind not in ("number", *_no_numbers(description)):
            wanted = "numbers, words, texts or times" if _no_numbers(description) else "numbers here"
            yield _no_feature(spec, name, column.kind, wanted)
    kinds = ("number",) if description.layout == "series" or len(data.target_names) > 1 else ("number", "class")
    targets = data.target_names or [name for name in [description.target] if name]
    for i, target in enumerate(targets):
        column = description.column(target)
        if column and (column.kind not in kinds or column.shape or (len(targets) > 1 and column.classes)):
            held = "pictures" if column.shape else "labels" if column.classes else HOLDS[column.kind]
            among = "cannot be predicted here" if len(targets) == 1 else "several targets are numbers"
            message = f"`{target}` holds {held}, {'which ' if len(targets) == 1 else 'and '}{among}"
            yield Diagnostic("wrong-value", message, spec.span(*_place_of_target(spec, i)))
    drawn = isinstance(data.split.test, int | float) and spec.source.written("data", "split", "test")
    if description.test_rows and drawn:
        yield Diagnostic(
            "wrong-split",
            f"these data bring their own test part, {description.test_rows:,} samples",
            spec.key_span("data", "split", "test"),
            help="remove `test`",
        )
    if description.layout == "samples":
        for key in ("window", "predict", "time", "group"):
            if getattr(data, key) is not None:
                yield Diagnostic(
                    "only-for-series",
                    f"`{key}` is for a series, and these data are single samples",
                    spec.key_span("data", key),
                    help=f"write `split: {{group: {data.group}}}`" if key == "group" else f"remove `{key}`",
                )
        for name in names:
            if name in targets:
                yield Diagnostic(
                    "target-among-features",
                    f"`{name}` is the target, so the network would see its own answer",
                    spec.span(*place_of_feature(spec, name)),
                    help=f"remove `{name}` from `features`",
                )
    else:
        if data.missing != "error":
            yield Diagnostic(
                "only-for-samples",
                "`missing` is for single samples, and in a series every timestep is needed",
                spec.key_span("data", "missing"),
                help="remove `missing`, and fill in the values of the file",
            )
        if data.labels is not None:
            yield Diagnostic(
                "only-for-samples",
                "`labels` keeps some of the labels of single samples, and a series has none",
                spec.key_span("data", "labels"),
                help="use `limit` to train on fewer windows",
            )


def _place_of_target(spec: Spec, place: int) -> tuple[str | int, ...]:
    """Where the spec names one of the targets."""
    return ("data", "target", place) if isinstance(spec.data.target, list) else ("data", "target")


def place_of_feature(spec: Spec, name: str) -> tuple[str | int, ...]:
    """Where the spec names a feature."""
    by_name = ("data", "features", name)
    if isinstance(spec.data.features, dict) and spec.source.written(*by_name):
        return by_name
    return ("data", "features", (spec.data.feature_names or []).index(name))


def _no_feature(spec: Spec, name: str, kind: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        "wrong-value",
        f"`{name}` holds {HOLDS[kind]}, and features are {wanted}",
        spec.span(*place_of_feature(spec, name)),
        help="leave it out of `features`",
    )


def _guess_time(description: Description) -> str | None:
    if description.layout != "series":
        return None
    return next((name for name in description.names if name.lower() in TIME_NAMES), None)


def _filled_in(data: DataSpec, signature: Signature) -> list[str] | dict[str, Feature]:
    """The features, with their types where one of them is more than a number."""
    names = [column.name for column in signature.features]
    plain = not isinstance(data.features, dict) and all(given.brief() == "numeric" for given in signature.types)
    return names if plain or not signature.types else dict(zip(names, signature.types, strict=True))


def fill_in(spec: Spec, signature: Signature) -> Spec:
    """The spec with the defaults that depend on the data written into it."""
    data, train, evaluate = spec.data, spec.train, spec.evaluate
    data_defaults: dict[str, object] = {
        "target": names[0] if len(names := signature.target.names) == 1 else list(names),
        "features": _filled_in(data, signature),
    }
    data_defaults["split"] = data.split.filled_in(
        series=signature.window is not None, classes=bool(signature.target.classes), test_rows=signature.test_rows
    )
    if signature.window is not None:
        data_defaults |= {"time": signature.time, "predict": data.predict or "level"}
    metrics = {
        "series": ("mae", "rmse", "mase"),
        "number": ("mae", "rmse", "r2"),
        "class": ("accuracy", "log_loss"),
        "reconstruction": ("squared_error", "rmse", "mae"),
    }
    baselines = {
        "series": ("persistence", "linear"),
        "number": ("mean", "linear"),
        "class": ("majority", "linear"),
        "reconstruction": ("mean", "pca"),
    }
    return spec.with_changes(
        data=data.model_copy(update=data_defaults),
        train=train.model_copy(update={"loss": train.loss or LOSSES[signature.target.default_loss]()}),
        evaluate=evaluate.model_copy(
            update={
                "metrics": evaluate.metrics
                if evaluate.metrics is not None
                else [METRICS[name]() for name in metrics[signature.task]],
                "baselines": evaluate.baselines
                if evaluate.baselines is not None
                else [BASELINES[name]() for name in baselines[signature.task]],
            }
        ),
    )
