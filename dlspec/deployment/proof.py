"""Is what was exported what was measured? It is opened in its runtime, and given rows of the test part."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.deployment.base import Loaded
from dlspec.deployment.serving.preprocessing import Preprocessing
from dlspec.deployment.steps import Program, Value
from dlspec.model.alignment import NEVER
from dlspec.runs.samples import SampleRows
from dlspec.training.values import predict

if TYPE_CHECKING:
    from dlspec.runs.folder import Run

Array = np.ndarray
Raw = Mapping[str, Array]

ALLOWED, ALLOWED_MIXED = 1e-5, 2e-2
"""How far an output may be from the one that was measured, as a share of the scale of outputs; under mixed precision
the second."""
ROUNDING = 1e-2
"""An output that is larger than its scale may differ by as much more, times this."""
AT_ONCE, ALONE = 1000, 5
"""Rows that are given at once, and rows that are also given one at a time."""
TIMED_SECONDS, TIMED_CALLS = 0.3, 1000
"""For how long, at most, the time of one row is measured, and how often."""
NEVER_SEEN = "\N{SNOWMAN} never seen"
"""A word that no column has."""
ODD_ROWS = 3
"""Rows in which one value after the other is made unusual."""


class Runnable:
    """An exported file with the steps that stand outside of it: raw columns in, what the run predicts out.

    Args:
        loaded: the file in its runtime.
        outside: the steps around it; None: there are none.
    """

    def __init__(self, loaded: Loaded, outside: Program | None) -> None:
        self.loaded = loaded
        self.steps = None if outside is None else Preprocessing(outside.as_json())
        self.names = [] if outside is None else [value.name for value in outside.takes]

    def __call__(self, raw: Raw) -> Array:
        """The output for some rows."""
        return self.outputs(raw)[0]

    def once(self, raw: Raw) -> None:
        """Runs it once for one row, for the time that it takes."""
        self._at_once(raw)

    def outputs(self, raw: Raw) -> list[Array]:
        """All outputs for some rows."""
        count = len(next(iter(raw.values())))
        size = self.loaded.batch or AT_ONCE
        found = [
            self._at_once({name: values[first : first + size] for name, values in raw.items()})
            for first in range(0, count, size)
        ]
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def _at_once(self, raw: Raw) -> list[Array]:
        if self.steps is None:
            return self.loaded.run(raw)
        values = self.steps.before(dict(raw))
        outputs = self.loaded.run(dict(zip(self.names, values, strict=True)))
        return [np.asarray(values) for values in self.steps.after(outputs, values.kept)]


class StepByStep(Runnable):
    """An exported step model, which walks through whole windows from states of zeros.

    Args:
        inputs: of the step model, the raw timestep first.
    """

    def __init__(self, loaded: Loaded, outside: Program | None, inputs: Sequence[Value]) -> None:
        super().__init__(loaded, outside)
        self.raw, *self.states = inputs

    def __call__(self, raw: Raw) -> Array:
        windows = raw[self.raw.name]
        given, output = self._at_first(len(windows)), np.empty(0)
        for first in range(windows.shape[1] - self._span + 1):
            step = {self.raw.name: windows[:, first : first + self._span]}
            output, *after = self.outputs({**step, **given})
            given = {state.name: values for state, values in zip(self.states, after, strict=True)}
        return output

    def once(self, raw: Raw) -> None:
        windows = raw[self.raw.name]
        self._at_once({self.raw.name: windows[:, : self._span], **self._at_first(len(windows))})

    @property
    def _span(self) -> int:
        """Raw timesteps that it takes at a time."""
        return self.raw.shape[0] or 1

    def _at_first(self, rows: int) -> dict[str, Array]:
        return {
            state.name: np.zeros((rows, *(length or 1 for length in state.shape)), state.dtype) for state in self.states
        }


@dataclass(frozen=True)
class Proof:
    """What the comparison found.

    Args:
        rows: of the test part that were compared with `predictions.csv`.
        difference: the largest difference from what was measured, as a share of the scale of outputs.
        odd_rows: rows with words that were never seen, and missing values, that were compared with the saved model.
        odd_difference: the largest difference of these.
        allowed: how large these may be.
        outputs: of the sample rows.
        milliseconds: median and 99th percentile of one row alone.
    """

    rows: int
    difference: float
    odd_rows: int
    odd_difference: float
    allowed: float
    outputs: Array = field(repr=False)
    milliseconds: tuple[float, float]

    @property
    def holds(self) -> bool:
        return self.difference <= self.allowed and self.odd_difference <= self.allowed


def prove(run: Run, model: Any, whole: bool, runnable: Runnable, samples: SampleRows) -> Proof:
    """Compares an exported network with the run.

    Args:
        model: the `keras.Model` whose outputs it gives.
        whole: whether it is the whole network, whose outputs `predictions.csv` has.
        runnable: the exported file.
    """
    raw, odd = samples.raw, odd_rows(run, samples)
    expected = by_keras(model, raw)
    found = runnable(raw)
    scale = scale_of(run, expected, raw, whole)
    alone = [runnable({name: values[[row]] for name, values in raw.items()}) for row in range(min(ALONE, len(samples)))]
    apart = max(_apart(found, expected, scale), _apart(np.concatenate(alone), expected[: len(alone)], scale))
    measured = as_measured(run, samples, found) if whole else None
    if measured is not None:
        apart = max(apart, _apart(*measured, np.ones(1) if run.data.target.kind != "number" else scale))
    odd_apart, count = 0.0, 0
    if odd:
        odd_apart = _apart(runnable(odd), by_keras(model, odd), scale)
        count = len(next(iter(odd.values())))
    allowed = ALLOWED if run.spec.runtime.precision == "float32" else ALLOWED_MIXED
    return Proof(len(samples), apart, count, odd_apart, allowed, found, timed(runnable, raw))


def by_keras(model: Any, raw: Raw) -> Array:
    """What a `keras.Model` puts out for raw rows."""
    return predict(model, raw if isinstance(model.input, dict) or len(raw) > 1 else next(iter(raw.values())))


def as_measured(run: Run, samples: SampleRows, outputs: Array) -> tuple[Array, Array] | None:
    """Outputs as `predictions.csv` has them, and what stands there; None: it has no such numbers."""
    if run.data.target.places:  # of which the table has errors alone
        return None
    target, rows = run.data.target, run.predictions.iloc[samples.places]
    outputs = np.asarray(outputs, "float64")
    if target.kind == "class":
        shares = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
        return shares, rows[[f"p({label})" for label in target.classes]].to_numpy("float64")
    if target.kind == "input":  # of which the squared error alone is there
        raw = samples.raw if run.data.encoded else next(iter(samples.raw.values()))
        off = run.predictor.given_back(outputs, raw, rows.index)["squared_error"].to_numpy()
        written = rows["network"].to_numpy("float64")
        return off / np.maximum(1, written), written / np.maximum(1, written)
    names = [f"network:{value}" for value in target.values] or ["network"]
    names = [own for name in names for own in target.names_of(name)]
    return outputs.reshape(len(rows), -1), rows[names].to_numpy("float64")


def scale_of(run: Run, expected: Array, raw: Raw, whole: bool) -> Array:
    """By what differences of outputs are divided: the deviation of the truth, of raw inputs or of a layer's outputs; of
    probabilities 1."""
    target = run.data.target
    if not whole:
        spread = np.full(1, expected.std())
    elif target.places and target.kind == "number":  # of a network that says nearly the same everywhere, too
        spread = np.full(1, max(expected.std(), *(np.std(values) for values in target.quantiles), 0.0))
    elif target.aligned:  # logits, without those of what is never said
        spread = np.full(1, max(1.0, expected[expected > NEVER / 2].std()))
    elif target.kind in ("class", "labels"):
        return np.ones(1)
    elif target.kind == "number":
        names = [f"truth:{value}" for value in target.values] or ["truth"]
        spread = run.predictions[names].to_numpy("float64").std(axis=0).repeat(max(1, target.values_each))
        if target.mixture:  # weights are probabilities
            spread[np.tile(np.arange(target.values_each) < target.mixture, len(names))] = 1.0
    elif run.data.encoded:  # what the network sees, of which the spread is about 1
        return np.ones(1)
    else:
        spread = np.full(1, next(iter(raw.values())).astype("float64").std())
    return np.maximum(spread, 1e-12 * (1 + np.abs(expected).max()))


def _apart(found: Array, expected: Array, scale: Array) -> float:
    """The largest difference, as a share of the scale; infinite where one is a number and the other none."""
    found, expected = (np.asarray(values, "float64").reshape(len(values), -1) for values in (found, expected))
    if not len(found):
        return 0.0
    if found.shape != expected.shape or (np.isnan(found) != np.isnan(expected)).any():
        return float("inf")
    middle = np.nanmean(expected, axis=0, keepdims=True) if np.isfinite(expected).any() else np.zeros(1)
    far = np.maximum(1.0, np.abs(expected - middle) / scale * ROUNDING)
    return float(np.nanmax(np.abs(found - expected) / scale / far, initial=0.0))


def odd_rows(run: Run, samples: SampleRows) -> Raw:
    """Rows of a table in which one value after the other is missing, where it may be, or a word that was never seen."""
    inputs = {feature.input or feature.name for feature in run.data.features}
    if not run.data.encoded or not len(samples) or inputs != {*samples.raw}:
        return {}
    first = {name: values[:ODD_ROWS] for name, values in samples.raw.items()}
    rows = []
    for feature in run.data.features:
        name = feature.input or feature.name
        strange: list[Any] = [NEVER_SEEN, ""] if first[name].dtype == object else []
        if first[name].dtype.kind == "f" and feature.holes:
            strange = [np.nan]
        rows += [{**first, name: np.full_like(first[name], value)} for value in strange]
    return {name: np.concatenate([row[name] for row in rows]) for name in first} if rows else {}


def timed(runnable: Runnable, raw: Raw) -> tuple[float, float]:
    """Median and 99th percentile of the time of one row alone, of a step model of one timestep, with the steps outside
    of the file, in milliseconds."""
    rows = [{name: values[[row]] for name, values in raw.items()} for row in range(len(next(iter(raw.values()))))]
    spent: list[float] = []
    ends = time.perf_counter() + TIMED_SECONDS
    while len(spent) < TIMED_CALLS and (len(spent) < ALONE or time.perf_counter() < ends):
        began = time.perf_counter()
        runnable.once(rows[len(spent) % len(rows)])
        spent.append(1000 * (time.perf_counter() - began))
    return float(np.median(spent)), float(np.quantile(spent, 0.99))
