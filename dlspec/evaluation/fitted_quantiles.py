"""Baselines that guess quantiles: those of the training part, or a guess and how far it is off there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlspec.data.preparation import Part
from dlspec.evaluation.fitted import Fitted, FittedLinear

Array = np.ndarray


def quantiles_of_columns(values: Array, levels: Sequence[float], weights: Array | None = None) -> Array:
    """The quantiles of each column, (columns, quantiles).

    Args:
        values: (samples, columns).
        weights: how much each sample counts, (samples,); None: all alike.
    """
    if weights is None:
        return np.asarray(np.quantile(values, levels, axis=0).T)
    each = [np.quantile(column, levels, weights=weights, method="inverted_cdf") for column in values.T]
    return np.array(each)


def as_quantiles(guess: Array, truth: Array, levels: Sequence[float]) -> Array:
    """A guess as quantiles, (samples, ..., quantiles): one of numbers alone, as of a plugin, says each quantile alike.

    Args:
        truth: (samples, ...).
        levels: of the quantiles; where there are none, the guess stays as it is.
    """
    return np.repeat(guess[..., None], len(levels), axis=-1) if levels and guess.ndim == truth.ndim else guess


def _after_change(last: Array | None, change: int, values: Array) -> Array:
    """Levels of a series, (samples, values, quantiles), out of what changes.

    Args:
        last: (samples, values): the last that is known.
        change: what `values` are: 0 levels, 1 differences, 2 logarithmic returns.
    """
    if last is None or not change:
        return values
    return last[..., None] + values if change == 1 else last[..., None] * np.exp(values)


def _check(values: Array, name: str) -> None:
    if (np.diff(values, axis=-1) < 0).any():
        raise ValueError(f"`{name}` do not ascend")


@dataclass(frozen=True)
class FittedQuantiles(Fitted):
    """The same for every sample.

    Args:
        values: (numbers, quantiles).
        single: (1,): 1 where the target is one number.
    """

    values: Array
    single: Array

    axes: ClassVar = {"values": 2, "single": 1}

    def check(self) -> None:
        _check(self.values, "values")

    def guess(self, part: Part) -> Array:
        values = self.values[0] if self.single[0] else self.values
        return np.repeat(values[None], len(part), axis=0)


@dataclass(frozen=True)
class FittedSteps(Fitted):
    """The last value that is known, and how far the next ones were from it in the training part.

    Args:
        offsets: (numbers, quantiles): of differences, or of logarithmic returns.
        change: (1,): 1 of differences, 2 of returns.
        single: as of `FittedQuantiles`.
    """

    offsets: Array
    change: Array
    single: Array

    axes: ClassVar = {"offsets": 2, "change": 1, "single": 1}

    def check(self) -> None:
        _check(self.offsets, "offsets")

    def guess(self, part: Part) -> Array:
        assert part.last is not None, "a series keeps the last value of each window"
        last = np.asarray(part.last, "float64").reshape(len(part), -1)
        found = _after_change(last, int(self.change[0]), np.repeat(self.offsets[None], len(part), axis=0))
        return found[:, 0] if self.single[0] else found


@dataclass(frozen=True)
class FittedBand(FittedLinear):
    """A linear model of numbers, and how far it was off each training sample when it was fitted without it.

    Args:
        offsets: (outputs, quantiles), at the scale of the outputs.
        scale, offset, change, single: as of `FittedLine`.
    """

    offsets: Array
    scale: Array
    offset: Array
    change: Array
    single: Array

    axes: ClassVar = {**FittedLinear.axes, "offsets": 2, "scale": 1, "offset": 1, "change": 1, "single": 1}

    def check(self) -> None:
        super().check()
        _check(self.offsets, "offsets")
        if not len(self.scale) == len(self.offset) == len(self.level) == len(self.offsets) or (self.scale <= 0).any():
            raise ValueError("`scale`, `offset` and `offsets` do not fit `level`")

    def guess(self, part: Part) -> Array:
        values = self.outputs(part)[..., None] + self.offsets
        values = (values - self.offset[:, None]) / self.scale[:, None]
        last = None if part.last is None else np.asarray(part.last, "float64").reshape(len(part), -1)
        found = _after_change(last, int(self.change[0]), values)
        return found[:, 0] if self.single[0] else found
