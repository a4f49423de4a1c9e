"""`metrics.json`: how good the network is, beside the simplest guesses; and of trainings beside that of the run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import ConfigDict, Field, NonNegativeInt, model_validator

from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.outcome import Verdict
from dlspec.evaluation.require import Requirement
from dlspec.runs.records.data import Parts
from dlspec.runs.records.state import Judged
from dlspec.runtime.records import Record

Scores = dict[str, float | None]
"""Metric -> value; None where it cannot be computed."""
ArmName = Literal["with", "without"]


def known(scores: Mapping[str, float]) -> Scores:
    """None for what is not finite, as JSON has no such numbers."""
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}


class Spread(Record):
    """A metric of several trainings; of one there is no deviation."""

    mean: float | None
    sd: float | None
    values: tuple[float | None, ...] = Field(min_length=1)


class Arm(Record):
    """A training with pretraining or without."""

    arm: ArmName
    seed: int
    test: Scores
    loss: tuple[float | None, ...]
    val_loss: tuple[float | None, ...]


class Compared(Record):
    """The network with pretraining and without: metric -> values of all seeds, and each training."""

    seeds: tuple[int, ...]
    with_: dict[str, Spread] = Field(alias="with", min_length=1)
    without: dict[str, Spread] = Field(min_length=1)
    sentence: str
    verdict: Verdict | None = None
    arms: tuple[Arm, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if list(self.with_) != list(self.without):
            raise ValueError("`with` and `without` have other metrics")
        return self


class Comparisons(Record):
    """What the network was compared with."""

    without_pretraining: Compared


class SavedModel(Record):
    """How far the saved model's predictions of the test part are from those that were measured.

    Args:
        rows: that were compared.
        allowed: the largest difference that counts as the same, as a share of the output's scale.
        difference: the largest there is; None where there is nothing to compare with.
        where: what the saved model does otherwise, in words.
    """

    rows: NonNegativeInt
    allowed: float
    difference: float | None
    where: str | None = None

    @property
    def same(self) -> bool:
        return self.where is None


class PastAlone(Record):
    """How far outputs moved when later timesteps of the input were changed.

    Args:
        samples: whose timesteps were changed.
        allowed: the largest difference that counts as none, as a share of the outputs' spread.
        difference: the largest there is.
        timestep: up to which one outputs moved so far, from 0 on.
    """

    samples: NonNegativeInt
    allowed: float
    difference: float
    timestep: NonNegativeInt

    @property
    def holds(self) -> bool:
        return self.difference <= self.allowed


class Codes(Record):
    """Of a network that is trained by triplets, the codes that it compares.

    Args:
        layer: that gives them.
        units: numbers of a code.
        recall_at_1: the share of test samples whose nearest other test sample is of their own class; None: it was not
            computed, as of windows of a series.
        samples: that it was computed of.
    """

    layer: str
    units: NonNegativeInt
    recall_at_1: float | None = None
    samples: NonNegativeInt = 0


class Distances(Record):
    """Of a network that is trained by pairs, the distances that it gives.

    Args:
        layer: that gives them.
        threshold: the distance at which the probability of a pair is one half; None: it is so at none above 0.
    """

    layer: str
    threshold: float | None


class Fold(Record):
    """What came of the training on one fold."""

    fold: NonNegativeInt
    parts: Parts
    test: Scores
    baselines: dict[str, Scores]
    saved_model: SavedModel | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, scores in self.baselines.items():
            if list(scores) != list(self.test):
                raise ValueError(f"`baselines.{name}` has other metrics than `test`")
        return self


class Folds(Record):
    """All folds together: beside these fields, each metric of the network."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Spread] = Field(init=False)

    baselines: dict[str, dict[str, Spread]]
    parts: tuple[Parts, ...]
    sentence: str
    verdict: Verdict | None = None
    saved_models: tuple[SavedModel | None, ...] = ()

    @property
    def test(self) -> Mapping[str, Spread]:
        """Metric -> its values on the test part of every fold."""
        return self.__pydantic_extra__

    def of_all(self) -> Iterator[tuple[str, Mapping[str, Spread]]]:
        """The network and the baselines, each with its metrics."""
        yield "network", self.test
        yield from self.baselines.items()


class Slice(Record):
    """Some of the samples of the test part: who guesses -> metrics."""

    samples: NonNegativeInt
    scores: dict[str, Scores]


def _means(spreads: Mapping[str, Spread]) -> Scores:
    return {metric: own.mean for metric, own in spreads.items()}


class Metrics(Record):
    """What a run came to.

    Args:
        train, validation, test: of the network; that of a part without samples is empty.
        baselines: of the simplest guesses, on the test part.
        test_intervals: where each metric of the test part lies with 95% confidence; None: that cannot be told. Counts,
            and older runs, have none.
        by_target: of several numbers or labels: value -> who guesses -> metrics on the test part.
        by_class: of classes: class -> how well it is found in the test part.
        by_series: of several series: series -> metrics on the test part.
        by_span: of tags that mark spans of words: type -> how well its spans are found in the test part.
        pretraining: layer -> what was seen of it after pretraining.
        notes: what a reader should know, in sentences.
        saved_model: whether `model.keras` gives these predictions; older runs do not say it.
        past_alone: where a timestep may not see later ones, whether that is so.
        codes, distances: of a network that is trained by comparing samples, what it compares.
        require: what came of `evaluate.require`, of all outputs.
        output, outputs: of a network of several outputs, the first, of which all else is, and what came of each of the
            others.
    """

    by_target: dict[str, dict[str, Scores]] = Field(default_factory=dict)
    by_class: dict[str, Slice] = Field(default_factory=dict)
    by_series: dict[str, Slice] = Field(default_factory=dict)
    by_span: dict[str, Slice] = Field(default_factory=dict)
    train: Scores
    validation: Scores
    test: Scores = Field(min_length=1)
    test_intervals: dict[str, tuple[float, float] | None] = Field(default_factory=dict)
    baselines: dict[str, Scores]
    verdict: Verdict
    notes: tuple[str, ...]
    pretraining: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    compare: Comparisons | None = None
    folds: Folds | None = None
    saved_model: SavedModel | None = None
    past_alone: PastAlone | None = None
    codes: Codes | None = None
    distances: Distances | None = None
    require: tuple[Requirement, ...] = ()
    output: str = ""
    outputs: dict[str, Metrics] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        judged = {"train": self.train, "validation": self.validation}
        judged |= {f"baselines.{name}": scores for name, scores in self.baselines.items()}
        for place, scores in judged.items():
            if scores and list(scores) != list(self.test):
                raise ValueError(f"`{place}` has other metrics than `test`")
        if self.folds is not None:
            for name, spreads in self.folds.of_all():
                if list(spreads) != list(self.test):
                    raise ValueError(f"`folds` has other metrics of `{name}` than `test`")
            if list(self.folds.baselines) != list(self.baselines):
                raise ValueError("`folds` has other baselines")
        who = ["network", *self.baselines]
        for name, scored in self.by_target.items():
            if list(scored) != who:
                raise ValueError(f"`by_target.{name}` has other baselines")
        for place, cut in (("by_class", self.by_class), ("by_series", self.by_series), ("by_span", self.by_span)):
            for name, own in cut.items():
                if list(own.scores) != who:
                    raise ValueError(f"`{place}.{name}` has other baselines")
        if not set(self.test_intervals) <= set(self.test):
            raise ValueError("`test_intervals` has other metrics than `test`")
        return self

    def judged(self) -> Judged:
        """What the network is judged by, beside the best simple guess; with folds, the means over them."""
        verdict, network, baselines = self.verdict, self.test, self.baselines
        if self.folds is not None and self.folds.verdict is not None:
            verdict, means = self.folds.verdict, {who: _means(own) for who, own in self.folds.of_all()}
            network, baselines = means.pop("network"), means
        named = self.verdict.metric.lower().replace(" ", "_")  # `RMSE`, `log loss`, `pinball loss`
        metric = next((name for name in (named, named.removesuffix("_loss")) if name in network), next(iter(network)))
        return Judged(
            metric=metric,
            value=network[metric],
            baseline=verdict.against,
            baseline_value=baselines.get(verdict.against, {}).get(metric),
            outcome=verdict.outcome,
            interval=self.test_intervals.get(metric) if network is self.test else None,
        )

    def scores(self) -> dict[str, Scores]:
        """On the test part, of the network and the baselines."""
        return {"network": self.test, **self.baselines}

    def shown(self) -> dict[str, dict[str, str]]:
        """The same as tables print it: metric -> who guesses -> value."""
        scores = self.scores()
        columns = {name: METRICS[name].show_all([own[name] for own in scores.values()]) for name in self.test}
        return {name: dict(zip(scores, column, strict=True)) for name, column in columns.items()}

    def shown_interval(self, name: str) -> str:
        """Where a metric of the network lies on such data; empty: that is not asked."""
        return METRICS[name].show_interval(self.test_intervals[name]) if name in self.test_intervals else ""
