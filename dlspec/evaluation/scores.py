"""Metrics of a part: of all its samples, and of each value, class and series alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.data.preparation import Part, class_shares
from dlspec.evaluation.intervals import Dependence
from dlspec.evaluation.judged import Judged
from dlspec.evaluation.metrics import Metric
from dlspec.evaluation.metrics.mixtures import LogLikelihood
from dlspec.evaluation.metrics.quantiles import QuantileMetric
from dlspec.evaluation.metrics.spans import SpanMetric
from dlspec.evaluation.mixtures import log_density, mean_of, quantiles_of
from dlspec.evaluation.score_intervals import Bounds, intervals_of_scores
from dlspec.evaluation.spans import count_spans, has_spans, types_of
from dlspec.evaluation.verdict import dependence_of, places_of

if TYPE_CHECKING:
    Places = np.ndarray | slice

Array = np.ndarray
Scores = dict[str, float]

MOST_SLICES = 1000
"""Classes, or series, that have metrics of their own, those with the most samples."""
ALL = slice(None)
MEAN, ENDS, DENSITY = 0, slice(1, 3), 3
"""Where they stand in what `Scorer` makes of a mixture."""
BY_TRUE = {"accuracy", "log_loss", "perplexity"}
"""Metrics of classes that look at the true class, and at whether it is the likeliest."""


class Scorer:
    """The metrics of a spec on the samples of a part, in the target's own units.

    Args:
        metrics: of the spec.
        part: one of the parts of `data`.
    """

    def __init__(self, metrics: Sequence[Metric], data: Judged, part: Part) -> None:
        self.metrics, self.data, self.part = metrics, data, part
        self.truth, self.weights = np.asarray(part.truth), part.weights
        self.naive = _naive_errors(data, part)
        self.told: dict[int, tuple[Array, Array]] = {}

    @property
    def without_own_scale(self) -> list[str]:
        """The series whose errors are scaled by the changes of all, since their own training part has none."""
        if self.data.naive_error is None or self.data.groups is None:
            return []
        names = np.unique(self.data.groups[np.asarray(self.part.rows)].astype(str))
        return [str(name) for name in names if not np.all(self.data.naive_of_series.get(name, np.zeros(1)) > 0)]

    def scores(self, guess: Array, places: Places = ALL) -> Scores:
        """Of all samples, or some; of several numbers, the mean of each metric over them.

        Where these may have several units, metrics that have one are of values divided by their deviation in the
        training part, since meters and tons have no mean.
        """
        truth, guess = self.truth[places], self._told(guess)[places]
        if not len(truth):
            return {}
        if self.data.signature.target.written:
            return {metric.type_name: metric.compute(truth, guess) for metric in self.metrics}
        if self.data.signature.target.places:
            places_alone = counted_places(truth, guess)
            return {
                metric.type_name: metric.compute_spans(truth, guess.argmax(axis=-1), self.data.signature.target.classes)
                if isinstance(metric, SpanMetric)
                else metric.compute(*places_alone)
                for metric in self.metrics
            }
        naive = None if self.naive is None else self.naive[places]
        counts = {} if self.weights is None else {"weights": self.weights[places]}
        if counts and not counts["weights"].any():
            return {metric.type_name: math.nan for metric in self.metrics}
        if not self.data.signature.target.columns:
            of_all = None if naive is None else naive[:, 0]
            return {metric.type_name: self._judged(metric, truth, guess, of_all, **counts) for metric in self.metrics}
        spreads = self.data.deviations
        found: Scores = {}
        for metric in self.metrics:
            by = spreads if metric.unit in ("target", "squared") else np.ones(truth.shape[1])
            each = [
                self._judged(
                    metric, truth[:, i] / by[i], guess[:, i] / by[i], None if naive is None else naive[:, i], **counts
                )
                for i in range(truth.shape[1])
            ]
            found[metric.type_name] = float(np.mean(each))
        return found

    def _judged(self, metric: Metric, truth: Array, guess: Array, naive: Array | None = None, **counts: Array) -> float:
        """A metric of one number: of its quantiles, or of the median alone; of a mixture as `_told` has it."""
        target = self.data.signature.target
        if isinstance(metric, LogLikelihood):
            return metric.judge(guess[:, DENSITY], **counts)
        if isinstance(metric, QuantileMetric):
            return metric.judge(truth, guess[:, ENDS] if target.mixture else guess, target.covered, **counts)
        if target.form != "value":
            guess = guess[:, MEAN if target.mixture else target.median]
        return metric.compute(truth, guess, naive, **counts)

    def _told(self, guess: Array) -> Array:
        """A guess as it is; of mixtures, of each number (..., 4): mean, both ends of the interval, and the logarithm of
        the density at what is true. They are computed once, since intervals of scores ask for them often."""
        if not self.data.signature.target.mixture:
            return guess
        if id(guess) not in self.told:
            ends = quantiles_of(guess, self.data.signature.target.covered)
            rest = mean_of(guess)[..., None], ends, log_density(self.truth, guess)[..., None]
            self.told[id(guess)] = guess, np.concatenate(rest, axis=-1)
        return self.told[id(guess)][1]

    def intervals(self, guess: Array) -> dict[str, Bounds | None]:
        """Where each metric lies with 95% confidence; counts of samples have no such interval."""
        dependence = dependence_of(self.data, np.asarray(self.part.rows))
        if self.data.signature.target.tokens and by_true(self.metrics):  # of many classes two say all
            truth, guess = true_and_best(self.truth, guess)
            return Scorer(self.metrics, self.data, replace(self.part, truth=truth))._intervals(guess, dependence)
        return self._intervals(guess, dependence)

    def _intervals(self, guess: Array, dependence: Dependence) -> dict[str, Bounds | None]:
        found: dict[str, Bounds | None] = {}
        for slow, tags in ((False, False), (True, False), (False, True)):
            own = [
                metric
                for metric in self.metrics
                if metric.slow == slow and metric.unit != "count" and (metric.of == "tags") == tags
            ]
            if own:
                of_some = partial(Scorer(own, self.data, self.part).scores, guess)
                bounds = {metric.type_name: metric.bounds for metric in own}
                places = self._spans_of_each() if tags else places_of(self.data)
                count, weights = len(self.truth), self.weights
                found |= intervals_of_scores(
                    of_some, count, dependence, bounds, slow=slow, places=places, weights=weights
                )
        return found

    def _spans_of_each(self) -> float:
        """How many spans a text has in the mean, 1 at least."""
        there = count_spans(self.truth, self.truth, self.data.signature.target.classes).there.sum()
        return max(1.0, float(there) / max(1, len(self.truth)))

    def by_value(self, guesses: Mapping[str, Array]) -> dict[str, dict[str, Scores]]:
        """Of several numbers or labels: value -> who guesses -> metrics, in the value's own units.

        A label is a class of two, which metrics that speak of several labels cannot judge.
        """
        labels = self.data.signature.target.kind == "labels"
        counts = {} if self.weights is None else {"weights": self.weights}
        metrics = [metric for metric in self.metrics if not (labels and metric.of_several)]

        def score(metric: Metric, guess: Array, i: int) -> float:
            if labels:
                return metric.compute(self.truth[:, i], class_shares(guess[:, [i]]), **counts)
            naive = None if self.naive is None else self.naive[:, i]
            return self._judged(metric, self.truth[:, i], self._told(guess)[:, i], naive, **counts)

        return {
            name: {who: {m.type_name: score(m, guess, i) for m in metrics} for who, guess in guesses.items()}
            for i, name in enumerate(self.data.signature.target.values)
        }

    def by_class(self, guesses: Mapping[str, Array]) -> dict[str, Any]:
        """Of classes: class -> how many samples, or places, it has, and who guesses -> how well it is found."""
        target = self.data.signature.target
        if target.kind != "class" or target.written:
            return {}
        count = len(target.classes)
        counts = self.truth >= 0
        truth = self.truth[counts]
        there = np.bincount(truth, minlength=count)
        weights = None if self.weights is None else self.weights[counts]
        whole = there if weights is None else np.bincount(truth, weights, minlength=count)
        of: dict[str, tuple[Array, Array]] = {}
        for who, shares in guesses.items():
            guessed = shares.argmax(axis=-1)[counts]
            found = guessed == truth
            right = np.bincount(truth[found], None if weights is None else weights[found], minlength=count)
            of[who] = right, np.bincount(guessed, weights, minlength=count)
        return {
            target.classes[i]: {
                "samples": int(there[i]),
                "scores": {who: _of_class(right[i], whole[i], said[i]) for who, (right, said) in of.items()},
            }
            for i in _largest(there)
        }

    def by_span(self, guesses: Mapping[str, Array]) -> dict[str, Any]:
        """Of tags that mark spans: type -> how many spans of it there are, and who guesses -> how well they are
        found."""
        classes = self.data.signature.target.classes
        if not self.data.signature.target.of_words or not has_spans(classes):
            return {}
        of = {who: count_spans(self.truth, shares.argmax(axis=-1), classes) for who, shares in guesses.items()}
        there = next(iter(of.values())).there
        return {
            name: {
                "samples": int(there[i]),
                "scores": {who: _of_class(own.right[i], own.there[i], own.said[i]) for who, own in of.items()},
            }
            for i, name in enumerate(types_of(classes))
            if i in _largest(there)
        }

    def by_series(self, guesses: Mapping[str, Array]) -> dict[str, Any]:
        """Of several series: series -> how many forecasts it has, and who guesses -> metrics."""
        if self.data.groups is None:
            return {}
        names, codes = np.unique(self.data.groups[np.asarray(self.part.rows)].astype(str), return_inverse=True)
        counts = np.bincount(codes)
        order = np.argsort(codes, kind="stable")
        places = np.split(order, np.cumsum(counts)[:-1])
        return {
            str(names[i]): {
                "samples": int(counts[i]),
                "scores": {who: self.scores(guess, places[i]) for who, guess in guesses.items()},
            }
            for i in _largest(counts)
        }


def by_true(metrics: Sequence[Metric]) -> bool:
    """Whether metrics look at the probability of the true class, and at whether it is the largest, alone."""
    return {metric.type_name for metric in metrics} <= BY_TRUE


def true_and_best(truth: Array, guess: Array) -> tuple[Array, Array]:
    """The same of two classes: the true one, which is class 0, and the likeliest other one.

    Args:
        truth: (samples, places), -1 where a place does not count.
        guess: (samples, places, classes).
    """
    own = np.maximum(truth, 0)[..., None]
    given = np.take_along_axis(guess, own, axis=-1)[..., 0]
    first = np.take_along_axis(guess, guess.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    best = np.where(guess.argmax(axis=-1) == own[..., 0], 0, np.maximum(first, np.nextafter(given, np.inf)))
    return np.where(truth >= 0, 0, -1).astype("int32"), np.stack([given, best], axis=-1)


def counted_places(truth: Array, guess: Array) -> tuple[Array, Array]:
    """The places of all samples that count, (places,), and what is guessed of them, (places,) or (places, classes).

    Args:
        truth: (samples, *places), -1 or NaN where a place does not count.
    """
    there = (truth >= 0) if truth.dtype.kind == "i" else ~np.isnan(truth)
    return truth[there], guess[there]


def _largest(counts: Array) -> list[int]:
    """The places of the largest counts, in their order."""
    return sorted(np.argsort(-counts, kind="stable")[:MOST_SLICES].tolist())


def _of_class(right: int, there: int, said: int) -> Scores:
    """NaN is a share of nothing."""
    return {
        "recall": right / there if there else float("nan"),
        "precision": right / said if said else float("nan"),
        "f1_score": 2 * right / (there + said) if there + said else float("nan"),
    }


def _naive_errors(data: Judged, part: Part) -> Array | None:
    """By which errors of a series are scaled, of each sample, (samples, values): those of its own series, or those of
    all where it has none, or none that is above zero."""
    if data.naive_error is None:
        return None
    of_all = np.atleast_1d(data.naive_error)
    if data.groups is None:
        return np.broadcast_to(of_all, (len(part), len(of_all)))
    names, codes = np.unique(data.groups[np.asarray(part.rows)].astype(str), return_inverse=True)
    of_each = np.array([np.atleast_1d(data.naive_of_series.get(name, of_all)) for name in names])
    return np.where(of_each > 0, of_each, of_all)[codes]
