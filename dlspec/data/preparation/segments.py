"""Which rows of a series follow each other: in one group, in one part, and without a gap in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from dlspec.data.preparation.splitting import Given
from dlspec.data.split import Split

Array = np.ndarray


class Gaps(NamedTuple):
    """What gaps in time cost.

    Args:
        number: how many there are.
        windows: how many windows there would be besides, were they none.
    """

    number: int
    windows: int


@dataclass(frozen=True)
class Segments:
    """Rows that follow each other. Windows lie wholly inside one stretch.

    Args:
        rows: the row of the data at each place, one group behind the other; None: as they stand.
        edges: places where a stretch begins, and behind them that where the last one ends.
        part: of each stretch: 0 training, 1 validation, 2 test; 3: of none.
        breaks: of the edges, those that are there on account of gaps alone.
        usual_step: in time, the median of the training part: a number, or microseconds; None: there are no gaps.
    """

    rows: Array | None
    edges: Array
    part: Array
    breaks: Array
    usual_step: float | None = None

    @classmethod
    def find(
        cls,
        part: Array | tuple[int, int, int],
        count: int,
        groups: Array | None,
        times: Array | None,
        gap: float | Literal["none"],
        usual_step: float | None = None,
    ) -> Segments:
        """
        Args:
            part: of each row; or where the validation part begins, where the test part, and where that ends.
            groups: the group of each row.
            gap: a step in time of more than so many times the usual one is one.
            usual_step: None: the median of the training part.
        """
        rows = None if groups is None else np.argsort(groups, kind="stable")
        if rows is not None and (np.diff(rows) == 1).all():
            rows = None
        if isinstance(part, tuple):
            cuts = np.array(part)
            found = {*(cut for cut in part if 0 < cut < count)}
        else:
            along = part if rows is None else part[rows]
            found = set((np.flatnonzero(np.diff(along)) + 1).tolist())
        if groups is not None:
            ordered = groups if rows is None else groups[rows]
            found |= set((np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist())
        edges = np.array(sorted({0, count, *found}))
        starts = edges[:-1]
        of_stretch = np.searchsorted(cuts, starts, side="right") if isinstance(part, tuple) else along[starts]
        if times is None or gap == "none":
            return cls(rows, edges, of_stretch, np.empty(0, int))
        passed = times.astype("datetime64[us]").astype("int64") if times.dtype.kind == "M" else times.astype(float)
        steps = np.diff(passed if rows is None else passed[rows])
        if usual_step is None:
            trained = [steps[a : b - 1] for a, b, p in zip(starts, edges[1:], of_stretch, strict=True) if p == 0]
            usual_step = float(np.median(np.concatenate(trained))) if sum(map(len, trained)) else None
        breaks = np.empty(0, int)
        if usual_step is not None:
            breaks = np.setdiff1d(np.flatnonzero(steps > gap * usual_step) + 1, edges)
        whole = np.union1d(edges, breaks)
        part_of = of_stretch[np.searchsorted(edges, whole[:-1], side="right") - 1]
        return cls(rows, whole, part_of, breaks, usual_step)

    def of(self, part: int) -> list[tuple[int, int]]:
        """Where the stretches of a part begin and end."""
        ends = zip(self.edges[:-1].tolist(), self.edges[1:].tolist(), strict=True)
        return [stretch for stretch, own in zip(ends, self.part.tolist(), strict=True) if own == part]

    def starts(self, part: int, needed: int, stride: int = 1) -> Array:
        """Where windows begin that take so many rows with their target, within the stretches of a part."""
        found = [np.arange(first, end - needed + 1, stride) for first, end in self.of(part) if end - first >= needed]
        return np.concatenate(found) if found else np.empty(0, int)

    def gaps(self, needed: int, stride: int) -> Gaps | None:
        """What gaps cost; None: there are none."""
        if not len(self.breaks):
            return None
        kept = ~np.isin(self.edges, self.breaks)
        whole = Segments(self.rows, self.edges[kept], self.part[kept[:-1]], np.empty(0, int))
        strides = (stride, 1, 1)
        lost = sum(len(whole.starts(p, needed, s)) - len(self.starts(p, needed, s)) for p, s in enumerate(strides))
        return Gaps(len(self.breaks), max(0, lost))


def part_of_rows(
    split: Split, given: Given, count: int, fold: int, groups: Array | None, times: Array | None
) -> Array | tuple[int, int, int]:
    """The part of each row of a series, as `Stretches.find` takes it.

    Several groups are cut at the same times, so that nothing of one is trained on that is later than what another is
    tested on. Without times, each is cut by its rows.
    """
    bounds = split.bounds(count, fold, given.test, given.validation)
    if groups is None:
        return bounds
    free = count - sum(given)
    part = np.full(count, 2, "int8")
    part[free : count - given.test] = 1
    if times is not None:
        in_order = np.sort(times[:free])
        part[:free] = sum((times[:free] >= in_order[max(cut, 0)]).astype("int8") for cut in bounds if cut < free)
        return part
    rows = np.argsort(groups[:free], kind="stable")
    sizes = np.bincount(groups[:free])
    place = np.empty(free, int)
    place[rows] = np.arange(free) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    part[:free] = sum(
        (place >= np.round(cut / free * sizes)[groups[:free]]).astype("int8") for cut in bounds if cut < free
    )
    return part
