"""Targets that are arrays: a class, or a number, at each place of a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.datasets import Columns
from dlspec.data.features.shifted import classes_of_texts
from dlspec.data.preparation.columns import data_error, numbers_of
from dlspec.data.section import DataSpec
from dlspec.data.signature import Target

Array = np.ndarray
FIRST_COMPARED, SHIFTED_AT_ONCE = 32, 256
"""Samples that are compared first, and then at a time."""


def class_values(target: Target, dtype: Any) -> Array:
    """The value of an array that stands for each class, in their order."""
    if target.numbered:
        return np.arange(len(target.classes), dtype=dtype)
    return np.array([word == "True" if dtype.kind == "b" else int(word) for word in target.classes], dtype)


def classes_at_places(target: Target, values: Any) -> Array:
    """The class at each place of the data, (samples, *places), int32; -1 for a value that stands for none."""
    found = np.empty((len(values), *target.places_in_data), "int32")
    known = class_values(target, values.dtype)
    first = 0
    for block in blocks(values):
        flat = np.asarray(block).reshape(len(block), *target.places_in_data)
        places = np.searchsorted(known, flat).clip(0, len(known) - 1)
        found[first : first + len(block)] = np.where(known[places] == flat, places, -1)
        first += len(block)
    return found


def texts_as_classes(target: Target, texts: Array) -> Array:
    """The class of each item of texts that are written, and of their end, (texts, places) int32; -1 behind it."""
    assert target.written is not None, "texts are written"
    return classes_of_texts(texts, target.items, target.written.unit, target.places[0])


def in_the_middle(values: Array, sizes: tuple[int, ...]) -> Array:
    """What is left of places, (samples, height, width, ...), where `center_crop` cuts pictures to these sizes."""
    top, left = ((have - size) // 2 for have, size in zip(values.shape[1:3], sizes, strict=True))
    return values[:, top : top + sizes[0], left : left + sizes[1]]


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


def steps_ahead(seen: Any, target: Any) -> int:
    """How many timesteps later that is seen which is predicted at a timestep, in every sample; 0: it is not seen so.

    Everything that is predicted must stand among what is seen, such as one column of several or a whole frame, up to
    the rounding of float32. The last timesteps, whose answers lie behind what is seen, may hold anything.

    Args:
        seen, target: (samples, timesteps, ...).
    """
    x, y = (_columns(values, slice(FIRST_COMPARED)) for values in (seen, target))
    if x is None or y is None or x.shape[:2] != y.shape[:2] or not len(x):
        return 0
    for step in range(1, x.shape[1] // 2 + 1):
        place = _where(x[:, step:], y[:, :-step])
        if place is not None and all(
            np.array_equal(one[:, step:, place], other[:, :-step])
            for one, other in _together(seen, target, range(0, len(seen), SHIFTED_AT_ONCE))
        ):
            return step
    return 0


def _columns(values: Any, rows: slice) -> Array | None:
    """Some samples as (samples, timesteps, columns) in float32; None: they are no numbers, or have no timesteps."""
    if values.ndim < 2 or values.shape[1] < 2 or values.dtype.kind not in "buif":
        return None
    some = np.asarray(values[rows])
    return some.reshape(*some.shape[:2], -1).astype("float32") + 0.0  # no -0.0


def _together(seen: Any, target: Any, firsts: range) -> Iterator[tuple[Array, Array]]:
    """Both, some samples at a time."""
    for first in firsts:
        rows = slice(first, first + firsts.step)
        x, y = (_columns(values, rows) for values in (seen, target))
        assert x is not None and y is not None, "they were numbers"  # noqa: PT018
        yield x, y


def _where(x: Array, y: Array) -> list[int] | None:
    """The column of one array that is equal to each column of another; None: there is one of which none is, or what is
    to be found is the same everywhere."""
    if (y == y[:1, :1]).all():
        return None
    if np.array_equal(x, y):
        return [*range(y.shape[2])]
    known = {x[..., place].tobytes(): place for place in range(x.shape[2])}
    found = [known.get(y[..., place].tobytes()) for place in range(y.shape[2])]
    places = [place for place in found if place is not None]
    return places if len(places) == len(found) else None
