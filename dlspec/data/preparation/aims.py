"""What a network is to put out for the windows of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.features import Affine, fit_affine
from dlspec.data.preparation.lazy import values_at
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature, Target
from dlspec.data.split import Window

Array = np.ndarray


@dataclass(frozen=True)
class Aim:
    """What the network is to put out for the windows that end in given rows, before scaling.

    Args:
        levels: of each value, its column, in every row; of a class its number.
        steps: of each value, how many rows later it lies.
        change: how it is put out: as `level`, `difference` or `return`.
        units: that the network has for it.
        back: of a value at each timestep, how many rows before the last one these lie, (timesteps,); None: of the last.
        scale: of numbers, as the network puts them out; None: they have none yet.
    """

    levels: tuple[Array, ...]
    steps: tuple[int, ...]
    change: str
    units: int
    back: Array | None = None
    scale: Affine | None = None

    @classmethod
    def of(cls, signature: Signature, window: Window, numbers: Columns, labels: Columns, change: str) -> Aim | None:
        """None: the target is the input."""
        target = signature.target
        back = np.arange(window.length)[::-1] * window.every if window.each else None
        if target.kind == "number":
            steps = target.steps or (window.horizon,)
            return cls(tuple(numbers[name] for name in values_of(target)), steps, change, target.units, back)
        if target.name not in labels:
            return None
        return cls((labels[target.name],), (window.horizon,), "level", target.units, back)

    def scaled(self, section: DataSpec, segments: Sequence[tuple[int, int]], reach: int) -> Aim:
        """The same with a scale that is fitted to what stretches of the training part lead to."""
        learned = np.concatenate([np.arange(a, max(a, b - reach)) for a, b in segments])
        return replace(self, scale=fit_affine(replace(self, back=None).put_out(learned), section.scale))

    def truth(self, last: Array) -> Array:
        """Values, (windows,), of several (windows, values), at each timestep (windows, timesteps)."""
        last = self._places(last)
        found = [values_at(level, last + step) for level, step in zip(self.levels, self.steps, strict=True)]
        return found[0] if len(found) == 1 else np.stack(found, axis=1)

    def known(self, last: Array) -> Array:
        """The last value that the network may know of each, as `truth`."""
        last = self._places(last)
        found = [values_at(level, last) for level in self.levels]
        return found[0] if len(found) == 1 else np.stack(found, axis=1)

    def _places(self, last: Array) -> Array:
        """The rows of the timesteps that are predicted from."""
        return last if self.back is None else last[:, None] - self.back

    def put_out(self, last: Array) -> Array:
        """(windows, values)"""
        truth = self.truth(last)
        if self.change == "difference":
            truth = truth - self.known(last)
        elif self.change == "return":
            truth = np.log(truth) - np.log(self.known(last))
        return truth[:, None] if truth.ndim == 1 else truth

    def naive_error(self, segments: Sequence[tuple[int, int]]) -> Array:
        """Mean absolute error of persistence one step ahead in stretches of rows, (values,); NaN where all of them have
        one row."""
        steps = sum(b - a - 1 for a, b in segments)
        sums = [sum(float(abs(np.diff(level[a:b])).sum()) for a, b in segments) for level in self.levels]
        return np.array(sums) / steps if steps else np.full(len(sums), np.nan)


def places_in(raw_columns: Sequence[str], target: Target) -> tuple[int, ...]:
    """Where each value that is predicted stands among raw columns; empty where one of them does not."""
    values = values_of(target)
    return tuple(raw_columns.index(name) for name in values) if {*values} <= {*raw_columns} else ()


def values_of(target: Target) -> list[str]:
    """Of numbers, the column of each value that is predicted."""
    if target.kind != "number":
        return []
    return [column.name for column in target.columns] or [target.name]
