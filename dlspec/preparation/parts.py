"""What prepared data are made of: the parts of the split, and the way from raw columns to what the network sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dlspec.datasets import Columns
from dlspec.features import Affine, Fitted
from dlspec.preparation.stretches import Gaps
from dlspec.signature import Signature

Array = np.ndarray

BLOCK = 4096
"""Samples that are scaled at a time, so that what lies between takes little memory."""


@dataclass(frozen=True)
class Preprocessing:
    """From raw columns to what the network sees, and from what it puts out to the target's own units.

    Args:
        inputs: applied to features, after `change`.
        target: applied to the target, after `change`; None for a class.
        change: of a series, what the network sees and puts out: `level`, `difference` or `return`.
        raw_columns: what the saved model takes, in order: the features, and the target where its last value
            is needed to come back to its level.
        target_column: place of the target among `raw_columns`, if it is there.
        timesteps: rows of a raw window; one more than the network sees where changes are taken.
        columns: of a table, how each column is encoded; empty where samples are arrays of numbers.
    """

    inputs: Affine
    target: Affine | None
    change: str
    raw_columns: tuple[str, ...]
    target_column: int | None = None
    timesteps: int | None = None
    features: int = 0
    columns: tuple[Fitted, ...] = ()

    @property
    def input_names(self) -> list[str]:
        """What the inputs of the saved model are called, one for each of `columns`: as these, without `/`, which Keras
        forbids."""
        names: list[str] = []
        for column in self.columns:
            name = column.name.replace("/", "_")
            names.append(f"{name}_{len(names)}" if name in names else name)
        return names

    def network_inputs(self, raw: Array) -> Array:
        """Raw single samples (samples, ...) as the network sees them."""
        seen = np.empty(raw.shape, "float32")
        for first in range(0, len(raw), BLOCK):
            seen[first : first + BLOCK] = self.inputs(raw[first : first + BLOCK])
        return seen


@dataclass(frozen=True)
class Part:
    """One part of the split.

    Args:
        inputs: what the network sees, float32, (samples, ...).
        targets: what it is trained to put out: (samples, 1) float32, class indices (samples,), or, where the target
            is the input, that: (samples, values) float32.
        raw: the same samples as raw columns, which the saved model takes.
        truth: the target itself: float64 in its own units, or class indices, (samples,); where the target is the
            input, the same as `targets`.
        rows: the row of the data that each target stands in.
        last: of a series, the last value of the target that the network may know; (samples,).
    """

    inputs: Array
    targets: Array
    raw: Array
    truth: Array
    rows: Array
    last: Array | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def at(self, places: Array) -> Part:
        """Some of its samples."""
        last = None if self.last is None else self.last[places]
        return Part(
            self.inputs[places], self.targets[places], self.raw[places], self.truth[places], self.rows[places], last
        )


@dataclass(frozen=True)
class Prepared:
    """Data ready to train on.

    Args:
        unlabeled: inputs that only pretraining sees: of training samples whose label is hidden, and of the source
            under `unlabeled`.
        left_out: how many samples of that source were left out, as they stand in the validation or test part.
        naive_error: of a series, mean absolute error of persistence on the training part.
        times: of a series, the time of every row.
        groups: of several series, the group of every row.
        gaps: of a series, what its gaps in time cost.
        shown: of several series, the rows that the report draws: those of one group.
        ends: of a series, the rows, of those that are shown, where the validation and the test part begin.
    """

    signature: Signature
    preprocessing: Preprocessing
    train: Part
    validation: Part
    test: Part
    columns: Columns
    fingerprint: str
    unlabeled: Array
    left_out: int = 0
    naive_error: float | None = None
    times: Array | None = None
    ends: tuple[int, int] | None = None
    groups: Array | None = None
    shown: Array | None = None
    gaps: Gaps | None = None

    @cached_property
    def pretraining_inputs(self) -> Array:
        """What unsupervised pretraining sees: the training part, with and without labels."""
        return np.concatenate([self.train.inputs, self.unlabeled]) if len(self.unlabeled) else self.train.inputs

    def to_units(self, outputs: Array, part: Part) -> Array:
        """What the network puts out, (samples, units), in the target's own units, or class probabilities.

        Where the target is the input, it stays as the network sees it: columns may have different units, and an
        error is one number for all of them.
        """
        target = self.signature.target
        if target.kind == "class":
            return class_shares(outputs)
        if target.kind == "input":
            return flattened(outputs)
        assert self.preprocessing.target is not None, "a number has a scale"
        values = self.preprocessing.target.back(outputs[:, 0].astype("float64"))
        if part.last is None or self.preprocessing.change == "level":
            return np.asarray(values)
        return part.last + values if self.preprocessing.change == "difference" else part.last * np.exp(values)


def flattened(samples: Array) -> Array:
    """All values of a sample in one row, (samples, values), also where there are no samples."""
    return samples.reshape(len(samples), math.prod(samples.shape[1:]))


def class_shares(outputs: Array) -> Array:
    """Probabilities of all classes, (samples, classes), also of an output of one sigmoid unit."""
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else np.asarray(outputs)
