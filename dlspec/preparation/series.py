"""A series: split in time order, then scaled and cut into windows, each wholly inside one part."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dlspec.datasets import Columns
from dlspec.features import Affine, fit_affine
from dlspec.preparation.columns import data_error, fingerprint, numbers_of, times_of
from dlspec.preparation.drawing import generator
from dlspec.preparation.held_out import windows_without_held_out
from dlspec.preparation.parts import Part, Prepared, Preprocessing, flattened
from dlspec.signature import Signature
from dlspec.spec import Spec

Array = np.ndarray


@dataclass(frozen=True)
class _Aim:
    """What the network is to put out at each row, before scaling.

    Args:
        level: the target in every row.
        values: what is to be put out, in the row of the last timestep that is seen.
        horizon: how many rows later the target lies.
    """

    level: Array
    values: Array
    horizon: int

    @classmethod
    def of(cls, level: Array, horizon: int, change: str) -> _Aim:
        return cls(
            level, changes(level, change, axis=0, step=horizon) if change != "level" else level[horizon:], horizon
        )


def prepare_series(spec: Spec, signature: Signature, columns: Columns, unlabeled: Columns | None) -> Prepared:
    """Splits, scales and cuts a series."""
    window, change, target = signature.window, spec.data.predict or "level", signature.target
    assert window is not None, "a series without window was refused"
    numbers = {c.name: numbers_of(spec, c.name, columns) for c in signature.features}
    times = times_of(spec, signature, columns)
    names = list(numbers)
    if target.kind == "number":
        numbers[target.name] = numbers_of(spec, target.name, columns)
    if change == "return":
        _check_positive(spec, numbers)
    needs_level = target.kind == "number" and change != "level" and target.name not in names
    raw_columns = [*names, target.name] if needs_level else names
    table = np.stack([numbers[name] for name in raw_columns], axis=1)
    timesteps = window.length + (change != "level")
    horizon = window.horizon if target.kind == "number" else 0

    count = len(table)
    sizes = spec.data.split.sizes(count)
    ends = [0, *np.cumsum(sizes).tolist()]
    needed = timesteps + horizon
    for name, size in zip(("training", "validation", "test"), sizes, strict=True):
        if size < needed and not (name == "validation" and spec.data.split.validation == 0):
            raise data_error(
                spec,
                "too-few-rows",
                f"the {name} part has {size} of {count} rows, and one window with its target takes {needed}",
                "window",
                help=f"`length` and `horizon` together must stay below {size}, or `split` keep a larger share",
            )
    features = len(names)
    scale = fit_affine(changes(table[: ends[1], :features], change, axis=0), spec.data.scale)
    aim = target_scale = None
    if target.kind == "number":
        aim = _Aim.of(numbers[target.name], horizon, change)
        target_scale = fit_affine(aim.values[: ends[1] - horizon][:, None], spec.data.scale)
    preprocessing = Preprocessing(
        scale,
        target_scale,
        change,
        tuple(raw_columns),
        raw_columns.index(target.name) if target.name in raw_columns else None,
        timesteps,
        features,
    )
    parts = _Windows(table, window.length, preprocessing, aim)
    train, validation, test = (parts.between(first, end) for first, end in pairwise(ends))
    if spec.data.limit and spec.data.limit < len(train):
        train = train.at(np.sort(generator(spec.seed, "limit").permutation(len(train))[: spec.data.limit]))
    more, left_out = np.empty((0, *train.inputs.shape[1:]), "float32"), 0
    if unlabeled is not None:
        more, left_out = _more_windows(spec, signature, preprocessing, unlabeled, [validation.inputs, test.inputs])
    naive = None
    if aim is not None:
        naive = float(abs(aim.level[horizon : ends[1]] - aim.level[: ends[1] - horizon]).mean())
    return Prepared(
        signature,
        preprocessing,
        train,
        validation,
        test,
        columns,
        fingerprint(columns),
        more,
        left_out,
        naive_error=naive,
        times=times,
        ends=(ends[1], ends[2]),
    )


def changes(values: Array, change: str, axis: int, step: int = 1) -> Array:
    """Levels as they are, as differences, or as logarithmic returns from one timestep to the one `step` later."""
    if change == "level":
        return values
    levels = np.moveaxis(np.log(values) if change == "return" else values, axis, 0)
    return np.moveaxis(levels[step:] - levels[:-step], 0, axis)


class _Windows:
    """All windows of a table of rows, as views, and what each is to lead to."""

    def __init__(self, table: Array, length: int, steps: Preprocessing, aim: _Aim | None) -> None:
        view = np.lib.stride_tricks.sliding_window_view
        self.timesteps = steps.timesteps or length
        self.aim, self.scale = aim, steps.target
        seen = steps.inputs(changes(table[:, : steps.features], steps.change, axis=0)).astype("float32")
        self.seen = view(seen, length, axis=0).swapaxes(1, 2)  # (windows, timesteps, features)
        self.raw = view(table, self.timesteps, axis=0).swapaxes(1, 2)

    def between(self, first: int, end: int) -> Part:
        """The windows that lie between two rows, with the rows that they lead to."""
        horizon = self.aim.horizon if self.aim else 0
        starts = np.arange(first, max(first, end - self.timesteps - horizon + 1))
        chosen = slice(starts[0], starts[-1] + 1) if len(starts) else slice(0, 0)
        last = starts + self.timesteps - 1
        if self.aim is None:
            flat = flattened(self.seen[chosen])
            return Part(self.seen[chosen], flat, self.raw[chosen], flat, last)
        assert isinstance(self.scale, Affine), "a number has a scale"
        targets = self.scale(self.aim.values[last][:, None]).astype("float32")
        rows = last + horizon
        return Part(self.seen[chosen], targets, self.raw[chosen], self.aim.level[rows], rows, self.aim.level[last])


def _more_windows(
    spec: Spec, signature: Signature, steps: Preprocessing, columns: Columns, held_out: list[Array]
) -> tuple[Array, int]:
    """Windows of the source under `unlabeled`, and how many were left out of it."""
    window = signature.window
    assert window is not None, "a series has a window"
    numbers = {c.name: numbers_of(spec, c.name, columns, "unlabeled") for c in signature.features}
    if steps.change == "return":
        _check_positive(spec, numbers, "unlabeled")
    table = np.stack(list(numbers.values()), axis=1)
    if len(table) < (steps.timesteps or window.length):
        message = f"the unlabeled series has {len(table)} rows, and one window takes {steps.timesteps}"
        raise data_error(spec, "too-few-rows", message, "unlabeled")
    seen = steps.inputs(changes(table, steps.change, axis=0)).astype("float32")
    kept = windows_without_held_out(seen, window.length, held_out)
    return kept, len(seen) - window.length + 1 - len(kept)


def _check_positive(spec: Spec, numbers: Columns, place: str = "predict") -> None:
    for name, values in numbers.items():
        if (values <= 0).any():
            row = int(np.argmax(values <= 0))
            raise data_error(
                spec,
                "not-positive",
                f"`predict: return` needs values above zero, and `{name}` is {values[row]:g} in row {row + 1}",
                place,
                help=f"write `predict: difference`, or leave `{name}` out of `features`",
            )
