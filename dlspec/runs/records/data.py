"""`data.json`: what the data looked like, enough to predict with the model and to draw the report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from dlspec.data.features.base import Raw
from dlspec.data.features.text import Items
from dlspec.data.forms import GivenBy
from dlspec.data.signature import Label, Signature, Target, Task, Written, shapes_of, share_out
from dlspec.runtime.records import Record

if TYPE_CHECKING:
    from dlspec.spec.spec import Spec

Count = Annotated[int, Field(ge=0, le=2**53)]
Size = Annotated[int, Field(ge=1, le=2**31)]
SUMMARIES: dict[Raw, tuple[str, ...]] = {
    "number": ("min", "max", "mean"),
    "word": ("words",),
    "text": ("longest", "mean"),
    "time": ("form", "from_", "to"),
}
"""What is said of a column, by what the saved model takes of it."""


class Parts(Record):
    """Samples of each part of the split."""

    train: Count
    validation: Count
    test: Count


class WrittenRecord(Record):
    """How texts are written; see `Written`."""

    unit: Items
    fed: str | None = None
    beam: Size = 1


class TargetRecord(GivenBy, Record):
    """What was predicted.

    Args:
        inside, labels, separator, steps, places, numbered, cut_from, of_words, levels, mixture, unit_each: as those of
            `Target`; older runs have no places.
        names: the columns that are predicted.
        values: what each of several numbers or labels is called.
        units: of several numbers, the unit of each.
        quantiles: of each number, how its values lie in the training part, as `quantiles_of` gives it; older runs do
            not say it.
        deviations: of several numbers with several units, what the errors of each are divided by; older runs do not say
            it.
    """

    name: str
    kind: Literal["number", "class", "labels", "input"]
    classes: tuple[str, ...]
    unit: str | None
    inside: bool = False
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    steps: tuple[Size, ...] = ()
    units: tuple[str | None, ...] = ()
    deviations: tuple[Annotated[float, Field(gt=0)], ...] = ()
    quantiles: tuple[tuple[float, ...], ...] = ()
    labels: tuple[tuple[str, str, str, str], ...] = ()
    separator: str | None = None
    places: tuple[Size, ...] = ()
    numbered: bool = False
    cut_from: tuple[Size, ...] = ()
    tokens: Literal["words", "characters"] | None = None
    of_words: bool = False
    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    mixture: Annotated[int, Field(ge=0)] = 0
    unit_each: bool = False
    written: WrittenRecord | None = None

    @property
    def judged_as(self) -> str:
        """As that of `Target`."""
        if self.levels or self.mixture:
            return self.form
        return "sequence" if self.written else "tokens" if self.tokens else self.kind

    @property
    def aligned(self) -> bool:
        """As that of `Target`."""
        return self.written is not None and self.written.fed is None

    @property
    def items(self) -> tuple[str, ...]:
        """As those of `Target`."""
        return self.classes[1 if self.aligned else 2 :] if self.written else ()

    @property
    def answers(self) -> int:
        """As those of `Target`."""
        return 1 if self.written else math.prod(self.places)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind == "class") != bool(self.classes):
            raise ValueError(f"a target of the kind `{self.kind}` with {len(self.classes)} classes")
        if (self.kind == "labels") != bool(self.labels):
            raise ValueError(f"a target of the kind `{self.kind}` with {len(self.labels)} labels")
        for name in ("labels",) if self.labels else ("units",):
            if len(getattr(self, name)) != len(self.values):
                raise ValueError(f"{len(getattr(self, name))} `{name}` for {len(self.values)} `values`")
        if self.levels and (
            self.kind != "number" or 0.5 not in self.levels or sorted({*self.levels}) != [*self.levels]
        ):
            raise ValueError("`levels` are not those of quantiles of a number")
        if self.mixture and (self.kind != "number" or self.levels):
            raise ValueError("`mixture` is not that of a number, or there are quantiles too")
        if self.written and (self.kind != "class" or len(self.places) != 1 or not self.items):
            raise ValueError("texts that are written have items among their classes, and places along one axis")
        if self.deviations and len(self.deviations) != len(self.values):
            raise ValueError(f"{len(self.deviations)} `deviations` for {len(self.values)} `values`")
        if self.steps and len(self.steps) != len(self.values):
            raise ValueError(f"{len(self.steps)} `steps` for {len(self.values)} `values`")
        return self

    def columns(self) -> Iterator[tuple[str, str | None]]:
        """Column and unit of each of several numbers that the network puts out."""
        for value, unit in zip(() if self.labels else self.values, self.units, strict=True):
            yield value.rpartition("+")[0] if self.steps else value, unit


class FeatureRecord(Record):
    """A column that the network sees, and what its values are like.

    Args:
        width: how many numbers the network sees of it.
        raw: what the saved model takes of it.
        type: of a table, its feature type.
        input: the input of the saved model that takes it, where each column has one.
        holes: whether a value may be missing.
        min, max, mean: of numbers; of texts `mean` and `longest` count words.
        words: of words, how many there are.
        known: the words that the network tells apart; None where there are more, or older runs do not say it.
        missing: how many values there are not, in all rows.
        unknown: how many words of the validation and the test part the training part does not have.
        form, from_, to: of times, how they are written, the first and the last.
        quantiles, shares: how the values of the training part lie, as `quantiles_of` and `shares_of` give it; older
            runs, and those with very many columns, do not say it.
        trained: how many values these are of.
        shape: of an array that stands beside other features.
    """

    name: str
    unit: str | None
    width: Size = 1
    raw: Raw
    type: str | None = None
    input: str | None = None
    holes: bool | None = None
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    words: Count | None = None
    known: tuple[str, ...] | None = None
    missing: Count = 0
    unknown: Count = 0
    longest: Count | None = None
    form: str | None = None
    from_: str | None = Field(None, alias="from")
    to: str | None = None
    quantiles: tuple[float, ...] | None = None
    shares: dict[str, float] | None = None
    trained: Count = 0
    shape: tuple[Size, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in SUMMARIES[self.raw]:
            if getattr(self, name) is None:
                raise ValueError(f"it has no `{name.rstrip('_')}`, which a column of the kind `{self.raw}` has")
        return self


class WindowRecord(Record):
    """How samples were cut from a series; see `data.window` of a spec.

    Args:
        target, every: where something is predicted at each timestep; older runs do not say it.
    """

    length: Size
    horizon: Count
    steps: Size = 1
    target: Literal["each"] | None = None
    every: Size = 1


class GapsRecord(Record):
    """What gaps in time cost; see `Gaps`."""

    number: Count
    windows: Count


class DataRecord(Record):
    """What the data of a run looked like.

    Args:
        rows: of the data, all parts together.
        fingerprint: sha256 of their content.
        raw_columns: what the saved model takes, in order.
        encoded: whether the saved model takes each column by its name.
        missing_word: what the saved model takes for a word that is missing; older runs do not say it.
        timesteps: of a series, rows of a raw window.
        input_shape: of what the network sees of a sample.
        parts: samples of each part of the split.
        unlabeled: samples that only pretraining saw.
        left_out: samples that pretraining left out, since they are held out.
        group: of several series, the column that separates them.
        not_seen: column -> why the network does not see it.
        rows_left_out: that lack a value, where `missing` is `drop`.
        evened: of a series, what was left out, put together and filled in, by `Rows.counts`.
        turned: of a series, whether the data have the newest row first.
        unknown_labels: of the validation and the test part, which the training part does not have -> how often.
        time_form: of a series, how its times are written; older runs do not say it.
        rate: of sounds, samples a second that each was brought to; older runs do not say it.
        signs: of files of text, what stands before fractions and between thousands.
        usual_step: the usual step in time, in seconds where times are `dated`.
        class_counts: class or label -> samples of each part.
        output, outputs: of a network of several outputs, the first, of which all of this is, and the same of each of
            the others.
        naive_error: of a series, mean absolute error of persistence one step ahead in the training part, of each value.
        naive_of_series: of several series, that of each.
        texts: of texts that are written on, how many there are.
    """

    task: Task
    rows: Count
    fingerprint: str
    target: TargetRecord
    features: tuple[FeatureRecord, ...] = Field(min_length=1)
    raw_columns: tuple[str, ...]
    encoded: bool
    missing_word: str = "[missing]"
    timesteps: Size | None
    window: WindowRecord | None
    input_shape: tuple[Size, ...]
    parts: Parts
    unlabeled: Count
    left_out: Count
    group: str | None = None
    gaps: GapsRecord | None = None
    usual_step: float | None = None
    not_seen: dict[str, str] = Field(default_factory=dict)
    rows_left_out: Count = 0
    evened: dict[str, Count] = Field(default_factory=dict)
    turned: bool = False
    unknown_labels: dict[str, Count] = Field(default_factory=dict)
    time_form: str | None = None
    rate: Count | None = None
    signs: tuple[str, str] | None = None
    dated: bool = False
    class_counts: dict[str, Parts] | None
    naive_error: tuple[float | None, ...] | float | None = None
    naive_of_series: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    texts: Count | None = None
    output: str = ""
    outputs: dict[str, DataRecord] = Field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        """The raw columns that a prediction takes; what is fed back is written by the model itself."""
        return tuple(name for name in self.raw_columns if not self.target.written or name != self.target.name)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.window is None) != (self.timesteps is None):
            raise ValueError("`window` and `timesteps` are of a series, and only one of them is there")
        either = self.task in (
            "reconstruction", "number_places", "class_places", "next_token", "tagged_words", "sequence",
        )  # fmt: skip
        if (self.window is None) == (self.task in ("series", "class_series")) and not either:
            raise ValueError(f"`window` does not fit the task `{self.task}`")
        kinds = {"series": "number", "class_series": "class", "reconstruction": "input"}
        kinds |= {"number_places": "number", "class_places": "class", "next_token": "class", "tagged_words": "class"}
        kinds["sequence"] = "class"
        if self.target.kind != kinds.get(self.task, self.task):
            raise ValueError(f"a target of the kind `{self.target.kind}` does not fit the task `{self.task}`")
        if self.encoded:
            for feature in self.features:
                if feature.input is None or feature.holes is None:
                    raise ValueError(
                        f"the feature `{feature.name}` has no `input` or no `holes`, and `encoded` is true"
                    )
        known = self.target.classes or tuple(name for name, *_ in self.target.labels)
        if self.class_counts is not None and tuple(self.class_counts) != known:
            raise ValueError("`class_counts` has other classes than `target`")
        return self

    @property
    def side_by_side(self) -> bool:
        """Whether an array stands beside other features."""
        return any(feature.shape for feature in self.features)

    def sample_shape(self, entry: str) -> tuple[int, ...]:
        """Of what a source has of a sample, where other features may stand beside it.

        Args:
            entry: the feature that this is, if it is one.
        """
        shapes = {feature.name: feature.shape for feature in self.features if feature.shape}
        return shapes.get(entry) or next(iter(shapes.values()), self.input_shape)

    def target_of_run(self) -> Target:
        """What is predicted."""
        from dlspec.data.datasets import Column

        target = self.target
        return Target(
            target.name,
            target.kind,
            target.classes,
            target.unit,
            self.input_shape if target.kind == "input" else (),
            target.inside,
            tuple(Column(name, unit=unit) for name, unit in target.columns()),
            target.steps,
            tuple(Label(*label) for label in target.labels),
            target.separator,
            target.places,
            numbered=target.numbered,
            cut_from=target.cut_from,
            tokens=target.tokens,
            of_words=target.of_words,
            levels=target.levels,
            mixture=target.mixture,
            unit_each=target.unit_each,
            written=None if target.written is None else Written(**target.written.as_json()),
        )

    def signature(self, spec: Spec) -> Signature:
        """What goes into the network of a run and comes out."""
        from dlspec.data.datasets import Column
        from dlspec.data.split import Window

        shape = (None, *self.input_shape)
        arrays = len(self.features) == 1 and self.target.places and self.window is None and not self.encoded
        alone = self.input_shape if arrays else ()
        features = tuple(
            Column(feature.name, shape=feature.shape or alone, unit=feature.unit) for feature in self.features
        )
        return Signature(
            self.task,
            shape,
            features,
            self.target_of_run(),
            share_out(
                spec.model.columns_of_inputs,
                shape,
                [feature.name for feature in features],
                [feature.width for feature in self.features],
                shapes_of(features),
            ),
            {self.output: self.target_of_run(), **{name: own.target_of_run() for name, own in self.outputs.items()}}
            if self.output
            else {},
            window=Window(**self.window.as_json()) if self.window else None,
            one_text=self.texts == 1,
        )
