"""Layers one after the other -> the list of `structures/`, in which what repeats is given once; see `rows`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from dlspec.model.unfolding.rows import DEFAULT_INPUTS, Plain, expanded

LONGEST = 200
"""Layers that repeat together, at most."""
PARTS = re.compile(r"(\d+|(?<=\d)[a-z](?=_))")
"""What may count on in a name: numbers, and a letter behind one, as in `block2b_conv`."""

Steps = tuple[tuple[int, ...], int]
"""By how much each part of a name that may count on does so, and the kind."""


def folded_rows(layers: Sequence[Plain]) -> list[Any]:
    """The shortest list that stands for these layers."""
    steps = lru_cache(maxsize=None)(lambda i, period: _steps(layers[i], layers[i + period]))
    best: list[tuple[int, int, int]] = [(0, 0, 0)] * (len(layers) + 1)
    for i in reversed(range(len(layers))):
        best[i] = (1 + best[i + 1][0], 1, 1)
        for period in range(1, min(LONGEST, (len(layers) - i) // 2) + 1):
            for times in range(2, _times(len(layers), i, period, steps) + 1):
                best[i] = min(best[i], (1 + period + best[i + period * times][0], period, times))
    listed: list[Any] = []
    i = 0
    while i < len(layers):
        _, period, times = best[i]
        if times == 1:
            listed.append(_row(layers[i], None))
        else:
            rows = [_row(layers[j], steps(j, period)) for j in range(i, i + period)]
            listed.append({"times": times, "layers": rows})
        i += period * times
    assert [*expanded(listed)] == [*layers], "the list stands for the same layers"
    return listed


def _times(count: int, i: int, period: int, steps: Any) -> int:
    """How often the layers from a place on come one after the other."""
    if any(steps(j, period) is None for j in range(i, i + period)):
        return 1
    times = 2
    while i + (times + 1) * period <= count and all(
        steps(j + (times - 1) * period, period) == steps(j, period) for j in range(i, i + period)
    ):
        times += 1
    return times


def _steps(one: Plain, other: Plain) -> Steps | None:
    """What counts on from a layer to another; None: they are not the same layer otherwise."""
    if (one.inputs, one.word) != (other.inputs, other.word):
        return None
    before, after = (PARTS.split("/".join(layer.place)) for layer in (one, other))
    if before[::2] != after[::2]:
        return None
    found = []
    for a, b in zip(before[1::2], after[1::2], strict=True):
        numbers = a.isdigit() and b.isdigit()
        if a.isdigit() != b.isdigit() or (numbers and (a, b) != (str(int(a)), str(int(b))) and a != b):
            return None
        found.append(int(b) - int(a) if numbers else ord(b) - ord(a))
    return tuple(found), other.kind - one.kind


def _row(layer: Plain, steps: Steps | None) -> list[Any]:
    name, kind = "/".join(layer.place), layer.kind
    row: list[Any] = [name, kind]
    if steps is not None:
        parts = PARTS.split(name)
        for i, step in enumerate(steps[0]):
            if step:
                parts[2 * i + 1] = f"{{{parts[2 * i + 1]}{f'+{step}' if step != 1 else ''}}}"
        row = ["".join(parts), [kind, steps[1]] if steps[1] else kind]
    if layer.inputs != DEFAULT_INPUTS or layer.word:
        row.append([*layer.inputs])
    return [*row, layer.word] if layer.word else row
