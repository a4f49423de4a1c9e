"""A series: split in time order, then scaled and cut into windows, each with its target inside one part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from dlspec.data.arrays import Computed, Samples, SideBySide
from dlspec.data.datasets import Columns
from dlspec.data.even_steps import Policy
from dlspec.data.features import fit_affine
from dlspec.data.features.numeric import all_whole, rounded_by_float32
from dlspec.data.preparation.aims import Aim, places_in
from dlspec.data.preparation.columns import (
    check_known,
    data_error,
    fingerprint,
    numbers_of,
    times_of,
    words_of,
)
from dlspec.data.preparation.lazy import places_of, windows_at
from dlspec.data.preparation.leakage import windows_without_held_out
from dlspec.data.preparation.prepared import Part, Prepared, Preprocessing, flattened
from dlspec.data.preparation.sampling import generator
from dlspec.data.preparation.segments import Cut, Segments, part_of_rows
from dlspec.data.preparation.series_rows import Rows, rows_of_series
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.data.split import Window
from dlspec.language.diagnostics.errors import DataError

Array = np.ndarray

KEPT_VALUES = 2**22
"""Of a series with more values, what the network sees of a window is computed when it is asked for."""


def prepare_series(
    section: DataSpec, seed: int, signature: Signature, columns: Columns, unlabeled: Columns | None, fold: int
) -> Prepared:
    """Splits, scales and cuts a series."""
    window, change, outputs = signature.window, section.predict or "level", signature.of_outputs
    assert window is not None, "a series without window was refused"
    read = rows_of_series(section, signature, columns, fold)
    numbers, labels, times, groups, given = read.numbers, read.labels, read.times, read.groups, read.given
    predicted = {name: own.target.kind for own in outputs for name in own.target.names}
    names = [column.name for column in signature.features]
    count = len(read)
    if change == "return":
        _check_positive(section, numbers)
    levels = [n for n, kind in predicted.items() if kind == "number" and change != "level" and n not in names]
    raw_columns = [*names, *levels]
    timesteps = window.length + (change != "level")
    span = window.span(timesteps)
    reach = 0 if signature.target.kind == "input" else window.reach

    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    part_of_row = part_of_rows(section.split, given, count, fold, codes, times)
    files = [count - sum(given), count - given.test] if sum(given) else []
    cut_before = None if read.evened is None else read.evened.cut
    segments = Segments.find(part_of_row, count, codes, times, window.gap, apart=files, cut=cut_before)
    in_training = np.arange(count) < part_of_row[0] if isinstance(part_of_row, tuple) else part_of_row == 0
    unknown = {name: check_known(section, read.columns, name, own < 0, in_training) for name, own in labels.items()}
    cut = Cut(span, reach, reaches_back=reach > 0 and not window.each)
    usable = _usable(read, segments.rows, (*predicted,), span - 1, _predicted(window, reach))
    for part, name in enumerate(("training", "validation", "test")):
        if (
            not (name == "validation" and section.split.validation == 0)
            and not usable(segments.starts(part, cut)).any()
        ):
            raise _too_short(section, segments, part, name, cut)
    if segments.rows is not None:
        numbers, labels = ({n: values[segments.rows] for n, values in own.items()} for own in (numbers, labels))
    table = SideBySide([numbers[name] for name in raw_columns])
    features = len(names)
    scale = fit_affine(
        _joined(changes(table[a:b][:, :features], change, axis=0, step=window.every) for a, b in segments.of(0)),
        section.scale,
    )
    aims = [Aim.of(own, window, numbers, labels, change) for own in outputs]
    aims = [
        aim.scaled(section, segments.of(0), reach) if aim is not None and own.target.kind == "number" else aim
        for aim, own in zip(aims, outputs, strict=True)
    ]
    preprocessing = Preprocessing(
        scale,
        None,
        change,
        tuple(raw_columns),
        (),
        timesteps,
        features,
        dtype="float64" if read.evened is not None else _dtype(table, segments.of(0)),
    )
    windows = _Windows(table, window, preprocessing, segments.rows)
    judged = window.span(window.length) if window.each else 1  # so that each row is judged once
    strides = (window.stride, judged, judged)
    starts = [own[usable(own)] for own in (segments.starts(part, cut, strides[part]) for part in range(3))]
    if any(unknown.values()):
        starts = _leading_to_labels(section, starts, labels, [span - 1 + step for step in _predicted(window, reach)])
    if section.limit and section.limit < len(starts[0]):
        some = generator(seed, "limit").permutation(len(starts[0]))[: section.limit]
        starts[0] = starts[0][np.sort(some)]
    seen = [windows.see(own) for own in starts]
    more, begins, left_out = np.empty((0, *seen[0].inputs.shape[1:]), "float32"), np.empty(0, int), 0
    if unlabeled is not None:
        held_out = [own.inputs for own in seen[1:]]
        more, begins, left_out = _more_windows(section, signature, preprocessing, unlabeled, held_out)
    by_group, print_of_data = _by_group(segments, groups), fingerprint(columns)

    def predicting(own: Signature, aim: Aim | None) -> Prepared:
        """The data as if one of the outputs were the only one."""
        naive, naive_of_series, target = None, {}, own.target
        if aim is not None and aim.scale is not None:
            naive = aim.naive_error(segments.of(0))
            naive_of_series = {name: aim.naive_error(rows) for name, rows in by_group.items()}
        train, validation, test = (windows.leading(each, aim) for each in seen)
        shown, ends = _shown(part_of_row, codes, test)
        return Prepared(
            own,
            replace(
                preprocessing,
                target=aim.scale if aim is not None else None,
                target_columns=places_in(raw_columns, target),
            ),
            train,
            validation,
            test,
            read.columns,
            print_of_data,
            more,
            left_out,
            unlabeled_rows=(np.empty(0, int), begins),
            naive_error=naive,
            naive_of_series=naive_of_series,
            times=times,
            ends=ends,
            groups=groups,
            shown=shown,
            gaps=segments.gaps(cut, window.stride),
            usual_step=segments.usual_step,
            date_forms={} if read.form is None or own.time is None else {own.time: read.form},
            origin=read.origin,
            evened=read.counts,
            turned=read.turned,
            unknown_labels=unknown.get(target.name, {}),
        )

    found = [predicting(own, aim) for own, aim in zip(outputs, aims, strict=True)]
    if not signature.views:
        return found[0]
    return replace(found[0], signature=signature, outputs=dict(zip(signature.views, found, strict=True)))


def _leading_to_labels(
    section: DataSpec, starts: Sequence[Array], labels: Columns, steps: Sequence[int]
) -> list[Array]:
    """Of the windows of each part, by where they begin, those that lead to labels that the training part has.

    Args:
        steps: how many rows behind its beginning those lie that a window leads to.
    """
    begins = np.concatenate(starts)
    known = np.all([own[begins + step] >= 0 for own in labels.values() for step in steps], axis=0)
    kept = np.split(known, np.cumsum([len(own) for own in starts])[:-1])
    found = [own[which] for own, which in zip(starts, kept, strict=True)]
    if len(found[2]) == 0:
        message = "no window of the test part leads to a label that the training part has"
        raise data_error(section, "too-few-rows", message, "split")
    return found


class NewWindows(NamedTuple):
    """Windows of rows that a network was not trained on.

    Args:
        part: those that lead to new rows, with the place of each in `rows`.
        unknown: of classes, labels that the training part does not have -> how often.
    """

    part: Part
    rows: Rows
    unknown: Mapping[str, int]


def windows_of_new_rows(
    section: DataSpec, signature: Signature, columns: Columns, new: Array, steps: Preprocessing,
    usual_step: float | None, policy: Policy,
) -> NewWindows:  # fmt: skip
    """Every window that leads to new rows, as a network sees it that was trained on others.

    Args:
        columns: those before the new ones are what is known when a forecast is made.
        new: which of their rows are, (rows,) bool.
        steps: as they were fitted.
        usual_step: in time, of the training part.
        policy: what is done about holes, repeats and steps.

    Raises:
        DataError: there is none, or something is wrong with the rows.
    """
    window, target = signature.window, signature.target
    assert window is not None, "a series has a window"
    read = rows_of_series(section, signature, columns, 0, policy, steps.raw_columns)
    origin = np.arange(len(read)) if read.origin is None else read.origin
    codes = None if read.groups is None else np.unique(read.groups, return_inverse=True)[1]
    part_of_row = np.where((origin < 0) | new[origin], 2, 0)  # what no row lies in leads to no truth
    numbers, labels = read.numbers, read.labels
    if steps.change == "return":
        _check_positive(section, numbers)
    span = window.span(steps.timesteps or window.length)
    reach = 0 if target.kind == "input" else window.reach
    cut = Cut(span, reach, reaches_back=reach > 0 and not window.each)
    before = None if read.evened is None else read.evened.cut
    segments = Segments.find(part_of_row, len(read), codes, read.times, window.gap, usual_step, cut=before)
    usable = _usable(read, segments.rows, target.names, span - 1, _predicted(window, reach))
    starts = segments.starts(2, cut)
    starts = starts[usable(starts)]
    if segments.rows is not None:
        numbers, labels = ({n: values[segments.rows] for n, values in own.items()} for own in (numbers, labels))
    unknown: dict[str, int] = {}
    for own in labels.values():
        ends, steps_of = starts + span - 1, _predicted(window, reach)
        known = np.all([own[ends + step] >= 0 for step in steps_of], axis=0)
        words = read.columns[target.name] if segments.rows is None else read.columns[target.name][segments.rows]
        at = np.unique(np.concatenate([ends[~known] + step for step in steps_of]))
        unknown = dict(Counter(map(str, words[at[own[at] < 0]])))
        starts = starts[known]
    if window.each:  # each row is judged once
        starts = _apart(starts, span)
    if not len(starts):
        message = f"no window leads to a row that can be judged: one with its target takes {cut.rows} rows in order"
        raise DataError.of("too-few-rows", message)
    table = SideBySide([numbers[name] for name in steps.raw_columns])
    aim = Aim.of(signature, window, numbers, labels, steps.change)
    aim = None if aim is None else replace(aim, scale=steps.target)
    windows = _Windows(table, window, steps, segments.rows)
    return NewWindows(windows.leading(windows.see(starts), aim), read, unknown)


def _predicted(window: Window, reach: int) -> Sequence[int]:
    """How many rows after the last one that a window sees those lie which it leads to."""
    if window.each and reach >= window.horizon:
        return [window.horizon - back * window.every for back in range(window.length)]
    return range(window.horizon, reach + 1)


def _apart(starts: Array, span: int) -> Array:
    """Of places in order, the first one, and each that lies so far behind the one before it."""
    kept: list[int] = []
    for start in starts.tolist():
        if not kept or start - kept[-1] >= span:
            kept.append(start)
    return np.array(kept, starts.dtype)


def _usable(
    read: Rows, rows: Array | None, targets: tuple[str, ...], seen: int, steps: Sequence[int]
) -> Callable[[Array], Array]:
    """Which windows, by where they begin, lead to values that were given, and see none that was filled in with what
    comes later than all that they see.

    Args:
        rows: as of `Segments`.
        seen: rows from the first to the last that a window sees.
        steps: timesteps behind that one which are predicted, negative before it.
    """
    truth = read.leads_to_truth(targets)
    unsure = read.unsure
    if rows is not None:
        truth, unsure = (None if each is None else each[rows] for each in (truth, unsure))

    def usable(starts: Array) -> Array:
        found = np.ones(len(starts), bool)
        if truth is not None:
            for step in steps:
                found &= truth[starts + seen + step]
        return found if unsure is None else found & ~unsure[starts + seen]

    return usable


def _dtype(table: SideBySide, trained: Sequence[tuple[int, int]]) -> str:
    """What the saved model takes: whole numbers where all are, and float32 does not hold some of the training part."""
    if not all(all_whole(column) for column in table.columns):
        return "float64"
    ends = [(table[a:b].min(), table[a:b].max()) for a, b in trained if b > a]
    large = rounded_by_float32(min(low for low, _ in ends), max(high for _, high in ends))
    return "int64" if large else "float64"


def _too_short(section: DataSpec, segments: Segments, part: int, name: str, cut: Cut) -> DataError:
    """Of a part without a single window."""
    stretches, count = segments.of(part), int(segments.edges[-1])
    longest = max((end - first for first, end in stretches), default=0)
    takes = f"one window with its target takes {cut.rows}"
    help = f"`length` and `horizon` together must stay below {longest}, or `split` keep a larger share"
    if part > 0 and cut.reaches_back:
        help = "write a shorter `length`, or let `split` keep a smaller share"
        takes += " in a row, of which it may share those that are seen with the parts before"
        if longest < cut.ahead:
            takes = f"forecasts go {cut.ahead} timesteps ahead"
            help = f"write a `horizon` and `steps` that stay within {longest} rows, or let `split` keep a larger share"
    if len(stretches) > 1:
        where = "group" if section.group else "gap in time"
        message = f"the {name} part has no more than {longest} rows without a {where} between, and {takes}"
    else:
        message = f"the {name} part has {longest} of {count} rows, and {takes}"
    return data_error(section, "too-few-rows", message, "window", help=help)


def _by_group(segments: Segments, groups: Array | None) -> dict[str, list[tuple[int, int]]]:
    """The stretches of the training part of each group."""
    found: dict[str, list[tuple[int, int]]] = {}
    if groups is None:
        return found
    for first, end in segments.of(0):
        name = str(groups[first if segments.rows is None else segments.rows[first]])
        found.setdefault(name, []).append((first, end))
    return found


def _joined(pieces: Iterable[Array]) -> Array:
    found = list(pieces)
    return found[0] if len(found) == 1 else np.concatenate(found)


def _shown(
    part_of_row: Array | tuple[int, int, int], codes: Array | None, test: Part
) -> tuple[Array | None, tuple[int, int]]:
    """The rows that the report draws, those of the group with the largest test part, and how many of them are before
    the validation and the test part."""
    if isinstance(part_of_row, tuple):
        return None, part_of_row[:2]
    assert codes is not None, "only groups have parts row by row"
    rows = np.flatnonzero(codes == np.bincount(codes[test.rows]).argmax())
    return rows, (int((part_of_row[rows] == 0).sum()), int((part_of_row[rows] <= 1).sum()))


def changes(values: Array, change: str, axis: int, step: int = 1) -> Array:
    """Levels as they are, as differences, or as logarithmic returns from one timestep to the one `step` later."""
    if change == "level":
        return values
    levels = np.moveaxis(np.log(values) if change == "return" else values, axis, 0)
    return np.moveaxis(levels[step:] - levels[:-step], 0, axis)


class _Seen(NamedTuple):
    """Windows by where they begin, (windows,), what the network sees of them and their raw columns."""

    starts: Array
    inputs: Samples
    raw: Samples


class _Windows:
    """All windows of a table of rows, none of which is copied, and what they lead to.

    Of many rows nothing is kept besides the table: what the network sees of a window is computed when it is asked for.

    Args:
        rows: the row of the data at each place of the table; None: the same.
    """

    def __init__(self, table: SideBySide, window: Window, steps: Preprocessing, rows: Array | None = None) -> None:
        length = window.length
        self.timesteps = steps.timesteps or length
        self.table, self.length, self.steps, self.every = table, length, steps, window.every
        self.behind = window.span(self.timesteps) - 1
        self.rows = rows
        self.seen: Array | None = None
        if len(table) * steps.features <= KEPT_VALUES:
            values = changes(table[:][:, : steps.features], steps.change, axis=0, step=window.every)
            inputs = steps.inputs(values).astype("float32")
            view = np.lib.stride_tricks.sliding_window_view(inputs, window.span(length), axis=0)
            self.seen = view[..., :: window.every].swapaxes(1, 2)  # (windows, timesteps, features)

    def see(self, starts: Array) -> _Seen:
        """The windows that begin there."""
        raw = self._raw(starts)
        if self.seen is None:
            shape, seen = (len(starts), self.length, self.steps.features), self._see
            return _Seen(starts, Computed(shape, "float32", lambda rows: seen(raw[rows])), raw)
        return _Seen(starts, windows_at(self.seen, starts), raw)

    def leading(self, seen: _Seen, aim: Aim | None) -> Part:
        """Windows with the rows that they lead to.

        Args:
            aim: None: the input is given back.
        """
        starts, inputs, raw = seen
        if aim is None:
            flat = flattened(inputs)
            return Part(inputs, flat, raw, flat, self._of_last(starts, self._rows))
        scale = aim.scale
        values = () if len(aim.levels) == 1 else (len(aim.levels),)
        dtype = "int64" if scale is None else "float64"
        one = (len(aim.levels),)
        if aim.back is not None:
            values = one = (len(aim.back),)
        if scale is not None:
            targets = self._of_last(starts, lambda last: scale(aim.put_out(last)), one, "float32")
        elif aim.units == 1 and aim.back is not None:
            targets = self._of_last(starts, lambda last: aim.truth(last)[..., None], (*one, 1), "float32")
        elif aim.units == 1:
            targets = self._of_last(starts, aim.put_out, (1,), "float32")
        elif aim.back is not None:
            targets = self._of_last(starts, aim.truth, one)
        else:
            targets = self._of_last(starts, aim.truth)
        return Part(
            inputs,
            targets,
            raw,
            self._of_last(starts, aim.truth, values, dtype),
            self._of_last(starts, lambda last: self._rows(last + aim.steps[0])),
            self._of_last(starts, aim.known, values, dtype),
            at_places=aim.back is not None,
        )

    def _of_last(
        self, starts: Array, make: Callable[[Array], Array], shape: tuple[int, ...] = (), dtype: str = "int64"
    ) -> Samples:
        """What is made of the last row of each window: at once, or of many rows when it is asked for."""
        if self.seen is not None:
            return make(starts + self.behind).astype(dtype, copy=False)
        place = places_of(starts)
        return Computed((len(starts), *shape), dtype, lambda rows: make(place(rows) + self.behind))

    def _raw(self, starts: Array) -> Samples:
        """The windows as raw columns."""
        place, along = places_of(starts), np.arange(self.timesteps) * self.every

        def read(rows: Array) -> Array:
            places = place(rows)[:, None] + along
            return self.table[places.ravel()].reshape(*places.shape, -1)

        return Computed((len(starts), self.timesteps, self.table.shape[1]), "float64", read)

    def _see(self, raw: Array) -> Array:
        """What the network sees of raw windows."""
        return self.steps.inputs(changes(raw[..., : self.steps.features], self.steps.change, axis=1))

    def _rows(self, places: Array) -> Array:
        return places if self.rows is None else self.rows[places]


def windows_of_rows(
    table: Array,
    length: int,
    groups: Array | None = None,
    times: Array | None = None,
    gap: float | Literal["none"] = "none",
    usual_step: float | None = None,
    cut: Array | None = None,
    every: int = 1,
) -> tuple[Array, Array]:
    """All windows of rows, (rows, columns), each within one group and without a gap in time, and the last row of each.

    Args:
        cut: as of `Segments.find`.
        every: a window takes every so manieth row.
        gap, usual_step: as of `Stretches.find`.

    Returns:
        (windows, timesteps, columns), in the order of their last rows, and (windows,)
    """
    count = len(table)
    segments = Segments.find((count, count, count), count, groups, times, gap, usual_step, cut=cut)
    span = (length - 1) * every + 1
    starts = segments.starts(0, Cut(span))
    last = starts + span - 1
    if not len(starts):
        return np.empty((0, length, table.shape[1])), last
    if segments.rows is not None:
        table, last = table[segments.rows], segments.rows[last]
    order = np.argsort(last)
    view = np.lib.stride_tricks.sliding_window_view(table, span, axis=0)[..., ::every].swapaxes(1, 2)
    return windows_at(view, starts[order]), last[order]


def _more_windows(
    section: DataSpec, signature: Signature, steps: Preprocessing, columns: Columns, held_out: list[Array]
) -> tuple[Array, Array, int]:
    """Windows of the source under `unlabeled`, where they begin, and how many were left out of it."""
    window = signature.window
    assert window is not None, "a series has a window"
    numbers = {c.name: numbers_of(section, c.name, columns, "unlabeled") for c in signature.features}
    if steps.change == "return":
        _check_positive(section, numbers, "unlabeled")
    codes = None
    if signature.group:
        words = words_of(section, signature.group, columns, "unlabeled", source="unlabeled")
        codes = np.unique(words, return_inverse=True)[1]
    timed = times_of(section, signature.time, columns, codes, "unlabeled")
    times = None if timed is None else timed[0]
    table = np.stack(list(numbers.values()), axis=1)
    count, cut = len(table), Cut(window.span(steps.timesteps or window.length))
    segments = Segments.find((count, count, count), count, codes, times, window.gap)
    starts = segments.starts(0, cut)
    if not len(starts):
        message = f"the unlabeled series has {len(table)} rows, and one window takes {cut.rows}"
        raise data_error(section, "too-few-rows", message, "unlabeled")
    if segments.rows is not None:
        table = table[segments.rows]
    seen = steps.inputs(changes(table, steps.change, axis=0, step=window.every)).astype("float32")
    kept, begins = windows_without_held_out(seen, window, held_out, starts)
    return kept, begins, len(starts) - len(kept)


def _check_positive(section: DataSpec, numbers: Columns, place: str = "predict") -> None:
    for name, values in numbers.items():
        if (values <= 0).any():
            row = int(np.argmax(values <= 0))
            raise data_error(
                section,
                "not-positive",
                f"`predict: return` needs values above zero, and `{name}` is {values[row]:g} in row {row + 1}",
                place,
                help=f"write `predict: difference`, or leave `{name}` out of `features`",
            )
