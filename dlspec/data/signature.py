"""What goes into a network, what comes out, and how the input is shared out."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, Protocol

from dlspec.data.datasets import Column, Columns, Description, Loaded
from dlspec.data.features import Feature
from dlspec.data.features.text import Items
from dlspec.data.forms import GivenBy
from dlspec.data.split import Window
from dlspec.language.shapes import Shape

Task = Literal[
    "series",
    "class_series",
    "number",
    "class",
    "labels",
    "reconstruction",
    "number_places",
    "class_places",
    "next_token",
    "tagged_words",
    "sequence",
]

NamedInputs = Mapping[str, Sequence[str]]
"""Input of a network -> the features that it takes."""

HOLDS = {
    "class": "labels",
    "tags": "tags",
    "time": "times",
    "text": "text",
    "number": "numbers",
    "nested": "nested values",
}
TIME_NAMES = ("date", "datetime", "time", "timestamp")


class DataSource(Protocol):
    """Where data come from: a built-in dataset or a file."""

    def describe(self) -> Description: ...

    def load(self, seed: int) -> Columns: ...

    def load_parts(self, seed: int) -> Loaded: ...

    def load_beside(self, seed: int) -> Loaded: ...


PARTS_IN_FILES: tuple[Literal["validation", "test"], ...] = ("validation", "test")
"""The parts of the split that may have files of their own."""
INPUT_TARGET = "input"
"""What `target` says where the network is to give back its own input."""


@dataclass(frozen=True)
class Label:
    """Something that a sample has or has not.

    Args:
        column: where that is said.
        word: what stands there if the sample has it; of a column of tags, the tag.
        other: what stands there if it has not; of tags nothing.
    """

    name: str
    column: str
    word: str
    other: str = ""


def is_mixed(columns: Collection[tuple[str, str | None]]) -> bool:
    """Whether columns, by name and unit, are several that are not known to have the same unit."""
    units = {unit for _, unit in columns}
    return len({name for name, _ in columns}) > 1 and (len(units) > 1 or None in units)


def without_last_of_one(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its last axis, where that has the size 1."""
    return shape[:-1] if shape[-1:] == (1,) else shape


@dataclass(frozen=True)
class Written:
    """How a text is written that is predicted item by item.

    Args:
        unit: what it is written in.
        fed: the input of the network that sees what was written so far; None: nothing is fed back, the network says an
            item or the blank at each of its timesteps (Graves et al., 2006).
        beam: beginnings that are kept side by side.
    """

    unit: Items
    fed: str | None = None
    beam: int = 1


@dataclass(frozen=True)
class Target(GivenBy):
    """What is predicted, and the output that it asks of a network.

    Args:
        kind: a `number`, a `class`, `labels` of which a sample may have any number, or the `input` of the network
            itself.
        columns: of several numbers, the column of each value that the network puts out, with its unit.
        steps: of several numbers of a series, how many timesteps ahead each of them lies.
        shape: of the input, without the batch.
        inside: every value of the input lies in [0, 1], so that it may be taken for a probability.
        labels: those that a sample may have.
        separator: of labels that are tags in one column, what stands between them.
        places: of a class or a number at each place of a sample, the sizes of these axes.
        one_hot: whether the class is the column of an array that has the 1 of a row, and the spec says of that array
            that it holds classes.
        numbered: whether values are the places of classes in `classes`, and -1 where none counts, as those of masks.
        cut_from: where the network cuts the middle out of pictures, how many places the data have; `places` are those
            that are left.
        levels: of numbers of which quantiles are predicted, the shares that are to lie below each, ascending.
        mixture: of numbers that are given by a mixture of normal distributions, how many components it has; 0: they are
            not.
        start: of quantiles and mixtures, the mean and the deviation of the distribution that the network begins with,
            at the scale of what it puts out.
        unit_each: of two classes, whether the network has a unit for each, and not one for the second.
        tokens: of texts that are written on, what is predicted at each place: the next of their `words` or
            `characters`; the classes are the tokens, behind one for all that are not known.
        of_words: whether the classes are tags, and the places the words of a text, of which each has one.
        fitted: of classes, how the weights of `output` are computed once the layers below are trained: from the mean
            code of each class, or from the distances of pairs; None: they are trained.
        written: of texts that are written item by item, how; the classes are the items, behind one for all that are not
            known and one for the end, or, where nothing is fed back, behind the blank.
    """

    name: str
    kind: Literal["number", "class", "labels", "input"]
    classes: tuple[str, ...] = ()
    unit: str | None = None
    shape: tuple[int, ...] = ()
    inside: bool = False
    columns: tuple[Column, ...] = ()
    steps: tuple[int, ...] = ()
    labels: tuple[Label, ...] = ()
    separator: str | None = None
    places: tuple[int, ...] = ()
    one_hot: bool = False
    numbered: bool = False
    cut_from: tuple[int, ...] = ()
    tokens: Literal["words", "characters"] | None = None
    of_words: bool = False
    levels: tuple[float, ...] = ()
    mixture: int = 0
    start: tuple[float, float] = (0.0, 1.0)
    unit_each: bool = False
    written: Written | None = None
    fitted: Literal["class_means", "distance"] | None = None

    @property
    def by_one_unit(self) -> bool:
        """Whether one unit gives the probability of the second of two classes."""
        return self.kind == "class" and len(self.classes) == 2 and not self.unit_each and not self.aligned

    @property
    def aligned(self) -> bool:
        """Whether a text is read off what the network says at each of its timesteps, an item or the blank, by
        connectionist temporal classification."""
        return self.written is not None and self.written.fed is None

    @property
    def items(self) -> tuple[str, ...]:
        """Of texts that are written, what they are made of."""
        return self.classes[1 if self.aligned else 2 :] if self.written else ()

    @property
    def leaves_out(self) -> bool:
        """Whether places whose class is -1 do not count."""
        return self.numbered or self.written is not None

    @property
    def answers(self) -> int:
        """How many answers a sample has that are judged one by one: its places, or the text that is written."""
        return 1 if self.written else math.prod(self.places)

    @property
    def places_in_data(self) -> tuple[int, ...]:
        """The sizes of the axes before the network cuts pictures."""
        return self.cut_from or self.places

    @property
    def judged_as(self) -> str:
        """What a network is compared with baselines as: the kind, `tokens` where the next one is predicted, `sequence`
        where texts are written, `quantiles` or `mixture`."""
        if self.levels or self.mixture:
            return self.form
        return "sequence" if self.written else "tokens" if self.tokens else self.kind

    @property
    def median(self) -> int:
        """The place of the median among the quantiles."""
        return self.levels.index(0.5)

    def fits_places(self, below: Shape | None) -> bool:
        """Whether a class out of columns may be a class at each of them too, above a layer that gives this shape."""
        return self.one_hot and below is not None and len(below) == 3 and below[1] == len(self.classes)

    def seen_in(self, shape: tuple[int, ...]) -> bool:
        """Whether samples of this shape, without the batch, are frames of numbers at each place, or one such frame."""
        if self.kind != "number" or not self.places:
            return False
        return shape[1:] == self.places or without_last_of_one(shape) == without_last_of_one(self.places)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        columns = [column.name for column in self.columns] or [label.column for label in self.labels]
        return tuple(dict.fromkeys(columns)) or (self.name,)

    @property
    def is_mixed(self) -> bool:
        """Whether it is several columns that are not known to have the same unit, so that their errors have no mean."""
        return is_mixed([(column.name, column.unit) for column in self.columns])

    @property
    def values(self) -> tuple[str, ...]:
        """What each of several numbers or labels is called; empty where there is one."""
        if self.labels:
            return tuple(label.name for label in self.labels)
        if self.steps:
            return tuple(f"{column.name}+{step}" for column, step in zip(self.columns, self.steps, strict=True))
        return tuple(column.name for column in self.columns)

    @property
    def units(self) -> int:
        if self.kind == "input":
            return math.prod(self.shape)
        if self.values:
            return len(self.values)
        return 1 if self.kind == "number" or self.by_one_unit else len(self.classes)

    def units_over(self, below: Shape | None) -> int:
        """The units of an `output` above a layer that gives this shape.

        Of a number at each place these are the places of the last axis, where the layer has no axis more for them.
        """
        axes = len(self.places)
        if self.kind == "number" and axes > 1 and below is not None and len(below) == axes + 1:
            return self.places[-1]
        return self.units

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        """The shapes that a network may end in, the usual one first."""
        if self.kind == "input":
            return (None, self.units), (None, *self.shape)
        if self.aligned:
            return ((None, None, self.units),)
        if self.kind == "number" and len(self.places) > 1:
            return (None, *self.places, 1), (None, *self.places)
        each = (self.values_each,) if self.values_each else ()
        return ((None, *self.places, self.units, *each),)

    @property
    def activation(self) -> str:
        if self.aligned:
            return "linear"
        if self.kind == "class":
            return "sigmoid" if self.by_one_unit else "softmax"
        return "sigmoid" if self.inside or self.labels else "linear"

    @property
    def loss_of(self) -> str:
        """The sort of loss that fits: see `Loss.of`."""
        if self.kind == "class":
            return "binary" if self.by_one_unit else "class"
        return "binary" if self.labels else "number"

    @property
    def default_loss(self) -> str:
        if self.inside:
            return "binary_crossentropy"
        if self.levels or self.mixture:
            return "pinball" if self.levels else "negative_log_likelihood"
        if self.aligned:
            return "ctc"
        return {"number": "mse", "binary": "binary_crossentropy", "class": "sparse_categorical_crossentropy"}[
            self.loss_of
        ]


@dataclass(frozen=True)
class NetworkInput:
    """An input of the network.

    Args:
        columns: places in the features that it takes; None for all of them.
        array: whether it takes a feature that is an array, whose values stand in these places one after the other.
    """

    name: str
    shape: Shape | None
    columns: tuple[int, ...] | None = None
    array: bool = False


@dataclass(frozen=True)
class Signature:
    """What goes into a network and what comes out.

    Args:
        task: `series` (of numbers), `class_series`, `number`, `class`, `labels` or `reconstruction`, or of a
            number or a class at each place `number_places` and `class_places`, of the next token of texts `next_token`,
            of a tag for each word `tagged_words`, of texts that are written `sequence`; metrics and baselines say which
            they are for.
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
        shared: the features that each input takes, where the spec names inputs.
        one_text: whether the next token of a single text is predicted, which is split in its order.
        others: of one of several outputs, the columns that the others predict.
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
    shared: NamedInputs | None = None
    one_text: bool = False
    others: tuple[str, ...] = ()

    @property
    def views(self) -> Mapping[str, Signature]:
        """Of a network of several outputs, the signature of each as if it were the only one; else none."""
        if len(self.targets) < 2:
            return {}
        series = self.window is not None
        return {
            name: replace(
                self,
                target=target,
                task=task_of(target, series=series),
                targets={name: target},
                others=tuple(column for other in self.targets.values() if other != target for column in other.names),
            )
            for name, target in self.targets.items()
        }

    @property
    def of_outputs(self) -> tuple[Signature, ...]:
        """The signature of each of several outputs as if it were the only one; of one the signature itself."""
        return (*self.views.values(),) or (self,)

    def features_of(self, given: NetworkInput) -> list[tuple[Column, Feature]]:
        """The features that an input takes, with their types; none where these have no types."""
        found = list(zip(self.features, self.types, strict=False))
        if given.columns is None or not self.types:
            return found
        ends = list(accumulate(self.widths))
        return [found[i] for i in sorted({bisect_right(ends, column) for column in given.columns})]

    def tokens(self, name: str) -> int | None:
        """How many different whole numbers come out of an input, which stand for words; None where others do."""
        given = next((given for given in self.inputs if given.name == name), None)
        counts = (kind.token_count(column) for column, kind in self.features_of(given)) if given else ()
        return next(filter(None, counts), None)

    def with_widths(self, widths: Sequence[int]) -> Signature:
        """The same, once it is known how many numbers the network sees of each feature."""
        shape, names = (None, sum(widths)), [column.name for column in self.features]
        inputs = share_out(self.shared, shape, names, widths, shapes_of(self.features))
        return replace(self, input_shape=shape, inputs=inputs, widths=tuple(widths))


def task_of(target: Target, *, series: bool) -> Task:
    """What metrics and baselines are for; see `Signature.task`."""
    if target.kind == "input":
        return "reconstruction"
    if target.written:
        return "sequence"
    if target.tokens:
        return "next_token"
    if target.of_words:
        return "tagged_words"
    if target.places:
        return "class_places" if target.kind == "class" else "number_places"
    if series:
        return "class_series" if target.kind == "class" else "series"
    return target.kind


INPUT = "input"
"""Name of the input of a network that has one."""


def shapes_of(features: Sequence[Column]) -> dict[str, tuple[int, ...]]:
    """Of features that stand side by side, the shapes of those that are arrays."""
    return {column.name: column.shape for column in features if column.shape} if len(features) > 1 else {}


def share_out(
    inputs: NamedInputs | None,
    shape: Shape,
    features: Sequence[str],
    widths: Sequence[int] | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> tuple[NetworkInput, ...]:
    """The inputs of the network, and which of the features each takes.

    Args:
        inputs: the features that each takes; None: there is one, which takes them all.
        shape: of all features together, batch first.
        widths: how many numbers each feature is; 1 by default.
        shapes: of features that are arrays, which an input takes alone.
    """
    if inputs is None:
        return (NetworkInput(INPUT, shape),)
    ends = list(accumulate(widths if widths is not None else [1] * len(features), initial=0))
    places = {column: range(*ends[i : i + 2]) for i, column in enumerate(features)}
    shared = []
    for name, names in inputs.items():
        columns = tuple(place for column in names for place in places.get(column, ()))
        own = (shapes or {}).get(names[0])
        if own is not None:
            shared.append(NetworkInput(name, (None, *own), columns, array=True))
            continue
        shared.append(NetworkInput(name, (*shape[:-1], len(columns)) if len(shape) < 4 else shape, columns))
    return tuple(shared)
