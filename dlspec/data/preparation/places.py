"""Targets that are arrays: a class, or a number, at each place of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.datasets import Columns
from dlspec.data.preparation.columns import data_error, numbers_of
from dlspec.data.section import DataSpec
from dlspec.data.signature import Target

Array = np.ndarray
SHIFTED_AT_ONCE = 256
"""Samples that are compared at a time."""


def class_values(target: Target, dtype: Any) -> Array:
    """The value of an array that stands for each class, in their order."""
    return np.array([word == "True" if dtype.kind == "b" else int(word) for word in target.classes], dtype)


def classes_at_places(target: Target, values: Any) -> Array:
    """The class at each place, (samples, *places), int32; -1 for a value that stands for none."""
    found = np.empty((len(values), *target.places), "int32")
    known = class_values(target, values.dtype)
    first = 0
    for block in blocks(values):
        flat = np.asarray(block).reshape(len(block), *target.places)
        places = np.searchsorted(known, flat).clip(0, len(known) - 1)
        found[first : first + len(block)] = np.where(known[places] == flat, places, -1)
        first += len(block)
    return found


def unknown_at_places(
    section: DataSpec, target: Target, columns: Columns, known: Array, trained: Array
) -> Mapping[str, int]:
    """Values of the validation and the test part that no place of the training part has, and in how many samples.

    Args:
        known: samples without such a value, (samples,) bool.
        trained: samples of the training part, (samples,) bool.

    Raises:
        DataError: the training part has one.
    """
    values, counts = columns[target.name], dict[str, int]()
    for row in np.flatnonzero(~known):
        own = np.unique(np.asarray(values[row]))
        for value in own[~np.isin(own, class_values(target, own.dtype))]:
            word = f"{value:g}" if own.dtype.kind == "f" else str(value)
            if trained[row]:
                message = f"`{target.name}` has the unknown class `{word}` in row {row + 1}"
                raise data_error(section, "unknown-label", message, "target")
            counts[word] = counts.get(word, 0) + 1
    return counts


def numbers_at_places(section: DataSpec, target: Target, columns: Columns, rows: Array) -> Array:
    """The number at each place, (samples, *places), float64.

    Args:
        rows: of the data that the columns have.
    """
    given = {target.name: np.asarray(columns[target.name][:])}
    found = numbers_of(section, target.name, given, first=rows)
    return np.asarray(found, "float64").reshape(len(found), *target.places)


def is_shifted(seen: Any, target: Any) -> bool:
    """Whether what is predicted at each timestep is what is seen at the next one, in every sample.

    Args:
        seen, target: (samples, timesteps, ...); a last axis of size 1 is none.
    """
    one, other = (values.shape[:-1] if values.shape[-1:] == (1,) else values.shape for values in (seen, target))
    if one != other or len(one) < 2 or one[1] < 2 or not len(seen):
        return False
    for first in range(0, len(seen), SHIFTED_AT_ONCE):
        x, y = (np.asarray(each[first : first + SHIFTED_AT_ONCE]).reshape(-1, *one[1:]) for each in (seen, target))
        if not np.array_equal(x[:, 1:], y[:, :-1]):
            return False
    return True
