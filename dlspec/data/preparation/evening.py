"""A series with even steps and without holes: repeated times and missing values are dealt with as the spec says.

What is filled in is no truth: no sample leads to a value that was filled in, and where it was filled from both sides
none ends in one, since the value behind the hole is not known when a forecast is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.even_steps import Duplicates, How, Policy, Resample, duration, filling_of
from dlspec.language.diagnostics.errors import DataError

Array = np.ndarray

MOST_STEPS = 100
"""More steps than so many times the rows are no even form of these."""


@dataclass(frozen=True)
class Evened:
    """A series with even steps.

    Args:
        columns: numbers as float64, words as text.
        times: of each row.
        groups: of several series, that of each row.
        origin: the row of the data that each row comes from, the last of several; -1: of none.
        filled: column -> which of its values were filled in, (rows,) bool.
        unsure: rows with a value that was filled in with what comes after it, (rows,) bool.
        cut: rows before which others were left out, (rows,) bool.
        counts: `repeated`: rows that were put together with one before; `left_out`: rows that lack a value;
            `steps`: steps that no row lies in.
    """

    columns: Columns
    times: Array | None
    groups: Array | None
    origin: Array
    filled: Mapping[str, Array] = field(default_factory=dict)
    unsure: Array | None = None
    cut: Array | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    def at(self, rows: Array) -> Evened:
        """Some of its rows."""

        def some(values: Array | None) -> Array | None:
            return None if values is None else values[rows]

        columns = {name: values[rows] for name, values in self.columns.items()}
        filled = {name: values[rows] for name, values in self.filled.items()}
        return Evened(
            columns, some(self.times), some(self.groups), self.origin[rows], filled, some(self.unsure), some(self.cut),
            self.counts,
        )  # fmt: skip


def even_out(columns: Columns, times: Array | None, groups: Array | None, policy: Policy) -> Evened:
    """The series with even steps, as the policy says.

    Args:
        columns: numbers as float64 with NaN for what is missing, words with an empty one.
        times: of each row, datetime64[us] or numbers; None: rows are numbered.
        groups: of several series, the name of that of each row.

    Raises:
        DataError: it would have more steps than make sense.
    """
    count = len(next(iter(columns.values())))
    series = Evened(columns, times, groups, np.arange(count))
    if policy.resample is not None:
        series = _resampled(series, policy.resample)
    elif policy.duplicates != "error":
        series = _without_repeats(series, policy.duplicates)
    how, limit = filling_of(policy.missing)
    if how == "error":
        return series
    if how != "drop":
        series = _filled(series, how, limit)
    return _complete(series, cut=how != "drop" or times is None or policy.cut)


def in_parts(series: Sequence[Evened]) -> Evened:
    """Several series with the same columns behind each other, as one."""
    if len(series) == 1:
        return series[0]

    def joined(of: Callable[[Evened], Array | None]) -> Array | None:
        found = [values for each in series if (values := of(each)) is not None]
        return np.concatenate(found) if len(found) == len(series) else None

    def marked(found: Sequence[Array | None]) -> Array:
        """Rows that are marked in some of them; in others none is."""
        pairs = zip(series, found, strict=True)
        return np.concatenate([np.zeros(len(each.origin), bool) if own is None else own for each, own in pairs])

    names = dict.fromkeys(name for each in series for name in each.filled)
    return Evened(
        {name: np.concatenate([each.columns[name] for each in series]) for name in series[0].columns},
        joined(lambda each: each.times),
        joined(lambda each: each.groups),
        np.concatenate([each.origin for each in series]),
        {name: marked([each.filled.get(name) for each in series]) for name in names},
        marked([each.unsure for each in series]),
        marked([each.cut for each in series]),
        sum((Counter(each.counts) for each in series), Counter()),
    )


def lacking(values: Array) -> Array:
    """Which values are missing, (rows,) bool."""
    return values == "" if values.dtype == object else np.isnan(values)


def _resampled(series: Evened, resample: Resample) -> Evened:
    """One row for each step from the first to the last of each series."""
    times = series.times
    if times is None:
        raise DataError.of(
            "no-time", "`resample` needs the times of the rows", help="name their column: `time: COLUMN`"
        )
    steps, start_of = _steps(times, resample.every)
    names, codes = _coded(series)
    wide = int(steps.max() - steps.min()) + 1
    if wide * len(names) > MOST_STEPS * len(steps) + 1000:
        text = f"`resample` with `every: {resample.every}` makes {wide:,} steps of {len(steps):,} rows"
        raise DataError.of("wrong-value", text, help="write a longer step")
    bounds = [(steps[codes == code].min(), steps[codes == code].max()) for code in range(len(names))]
    all_steps = np.concatenate([np.arange(low, high + 1) for low, high in bounds])
    all_codes = np.concatenate([np.full(high - low + 1, code) for code, (low, high) in enumerate(bounds)])
    made = _together(series, codes * (wide + 1) + (steps - steps.min()), resample.how)
    where = {key: place for place, key in enumerate(made.keys.tolist())}
    place = np.array([where.get(key, -1) for key in (all_codes * (wide + 1) + all_steps - steps.min()).tolist()])
    columns: Columns = {}
    for name, values in made.columns.items():
        empty = "" if values.dtype == object else np.nan
        columns[name] = np.where(place >= 0, values[place], empty).astype(values.dtype)
    origin = np.where(place >= 0, made.origin[place], -1)
    groups = None if series.groups is None else np.asarray(names, object)[all_codes]
    counts = {"repeated": len(steps) - len(made.keys), "steps": int((place < 0).sum())}
    evened = Evened(columns, start_of(all_steps), groups, origin, counts=counts)
    return evened if groups is None else evened.at(np.argsort(all_steps, kind="stable"))


def _steps(times: Array, every: float | str) -> tuple[Array, Callable[[Array], Array]]:
    """The number of the step that each time lies in, and what gives the beginning of steps."""
    if times.dtype.kind != "M":
        if isinstance(every, str):
            text = f"`every: {every}` is a step between dates, and times are numbers"
            raise DataError.of("wrong-value", text, help="write a number")
        return np.floor(times / every).astype("int64"), lambda steps: steps * every
    if isinstance(every, float):
        text = f"`every: {every:g}` is a number, and times are dates"
        raise DataError.of("wrong-value", text, help="write such as `every: 1 h`")
    found = duration(every)
    assert found is not None, "was checked when the spec was read"
    size, unit = found
    if unit == "month":
        months = times.astype("datetime64[M]").astype("int64")
        return months // size, lambda steps: (steps * size).astype("datetime64[M]").astype("datetime64[us]")
    passed, monday = times.astype("datetime64[us]").astype("int64"), 4 * 86_400 * 10**6  # 1970-01-01 was a Thursday
    step = size * 10**6
    shift = monday if size % 604_800 == 0 else 0
    return (passed - shift) // step, lambda steps: (steps * step + shift).astype("datetime64[us]")


@dataclass(frozen=True)
class _Together:
    """Rows that were put together.

    Args:
        keys: what the rows of each have in common, in order.
        origin: the row of the data of the last of them.
    """

    keys: Array
    columns: Columns
    origin: Array


def _together(series: Evened, keys: Array, how: How) -> _Together:
    """Rows with the same key as one row."""
    import pandas as pd

    order = np.argsort(keys, kind="stable")
    found: dict[str, Any] = {}
    for name, values in series.columns.items():
        if values.dtype == object:
            there = [word or None for word in values[order].tolist()]
            found[name] = pd.Series(there, dtype=object).groupby(keys[order]).last().fillna("").to_numpy(object)
        else:
            grouped = pd.Series(values[order]).groupby(keys[order])
            done = grouped.sum(min_count=1) if how == "sum" else getattr(grouped, how)()
            found[name] = done.to_numpy("float64")
    origin = pd.Series(series.origin[order]).groupby(keys[order]).last()
    return _Together(origin.index.to_numpy(), found, origin.to_numpy())


def _without_repeats(series: Evened, how: Duplicates) -> Evened:
    """One row for each time of each series, at the place of the first of them."""
    if series.times is None:
        raise DataError.of(
            "no-time", "`duplicates` needs the times of the rows", help="name their column: `time: COLUMN`"
        )
    _, codes = _coded(series)
    _, time_codes = np.unique(series.times, return_inverse=True)
    keys = codes.astype("int64") * (int(time_codes.max(initial=0)) + 1) + time_codes
    _, first = np.unique(keys, return_index=True)
    repeated = len(keys) - len(first)
    if not repeated:
        return series
    assert how != "error", "was refused before"
    made = _together(series, keys, how)
    order = np.argsort(first)
    groups = None if series.groups is None else series.groups[first[order]]
    columns = {name: values[order] for name, values in made.columns.items()}
    return Evened(columns, series.times[first[order]], groups, made.origin[order], counts={"repeated": repeated})


def _filled(series: Evened, how: str | float, limit: int | None) -> Evened:
    """Holes are filled that are not longer than the limit."""
    _, codes = _coded(series)
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    columns, filled = dict(series.columns), dict(series.filled)
    unsure = np.zeros(len(codes), bool)
    for name, values in series.columns.items():
        own, hole = values[order], lacking(values[order])
        if not hole.any():
            continue
        made, done = own.copy(), np.zeros(len(own), bool)
        for first, end in _holes(hole, begins):
            leads = first in begins  # nothing lies before it
            if limit is not None and end - first > limit:
                continue
            if isinstance(how, float | int):
                if own.dtype == object:
                    continue
                made[first:end] = how
            elif leads:
                continue
            elif how == "previous" or own.dtype == object:
                made[first:end] = own[first - 1]
            else:
                if end == len(own) or end in begins:  # nothing lies behind it
                    continue
                made[first:end] = _between(series, order, own, first, end)
                unsure[order[first:end]] = True
            done[first:end] = True
        columns[name], filled[name] = np.empty_like(values), np.zeros(len(values), bool)
        columns[name][order], filled[name][order] = made, done
    return Evened(columns, series.times, series.groups, series.origin, filled, unsure, None, series.counts)


def _holes(hole: Array, begins: Collection[int]) -> list[tuple[int, int]]:
    """Where stretches of missing values begin and end, none of them in two series."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hole, [False]]).astype("int8")))
    found = []
    starts = np.asarray(begins)
    for first, end in edges.reshape(-1, 2).tolist():
        inside = starts[(starts > first) & (starts < end)].tolist()
        found += list(zip([first, *inside], [*inside, end], strict=True))
    return found


def _between(series: Evened, order: Array, own: Array, first: int, end: int) -> Array:
    """Values on a line between those around a hole, by time where there are times."""
    places = np.arange(first - 1, end + 1, dtype="float64")
    if series.times is not None:
        times = series.times[order[first - 1 : end + 1]]
        places = times.astype("int64").astype(float) if times.dtype.kind == "M" else times
    return np.interp(places[1:-1], places[[0, -1]], own[[first - 1, end]])


def check_steps(series: Evened) -> None:
    """Raises DataError where steps have no value, and nothing is said of missing ones."""
    for name, values in series.columns.items():
        count = int((lacking(values) & (series.origin < 0)).sum())
        if count:
            text = f"`resample` leaves {count:,} of {len(values):,} steps of `{name}` without a value"
            raise DataError.of("missing-value", text, help="write `missing: previous` under `data`, or a longer step")


def _complete(series: Evened, *, cut: bool) -> Evened:
    """Without the rows that lack a value."""
    missing = np.zeros(len(series.origin), bool)
    for values in series.columns.values():
        missing |= lacking(values)
    if not missing.any():
        return series
    _, codes = _coded(series)
    order = np.argsort(codes, kind="stable")
    after = np.zeros(len(missing), bool)
    if cut:
        gone = np.concatenate([[False], missing[order][:-1]])
        after[order] = gone
    kept = np.flatnonzero(~missing)
    counts = {**series.counts, "left_out": int((missing & (series.origin >= 0)).sum())}
    whole = Evened(
        series.columns, series.times, series.groups, series.origin, series.filled, series.unsure, after, counts
    )
    return whole.at(kept)


def _coded(series: Evened) -> tuple[list[Any], Array]:
    """The names of the series, and the number of that of each row."""
    if series.groups is None:
        return [""], np.zeros(len(series.origin), "int64")
    names, codes = np.unique(series.groups.astype(str), return_inverse=True)
    return names.tolist(), codes
