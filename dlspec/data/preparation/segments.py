"""Which rows of a series follow each other: in one group, in one part, and without a gap in time."""

from __future__ import annotations

from collections.abc import Sequence
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


class Cut(NamedTuple):
    """The rows that a window takes.

    Args:
        seen: by the network.
        ahead: behind them, to the last value that is predicted.
        reaches_back: a forecast of a later part may see rows that lie before that part. They are known when it is
            made, so that the same times are forecast whatever the length of the window. The last row that is seen
            is, at the earliest, the one before the part: nothing that was trained on is later.
    """

    seen: int
    ahead: int = 0
    reaches_back: bool = False

    @property
    def rows(self) -> int:
        """With what is predicted."""
        return self.seen + self.ahead


@dataclass(frozen=True)
class Segments:
    """Rows that follow each other. What windows predict lies wholly inside one stretch.

    Args:
        rows: the row of the data at each place, one group behind the other; None: as they stand.
        edges: places where a stretch begins, and behind them that where the last one ends.
        part: of each stretch: 0 training, 1 validation, 2 test; 3: of none.
        since: of each stretch, the place from where on rows lead up to it without a break.
        breaks: of the edges, those that are there on account of gaps alone.
        usual_step: in time, the median of the training part: a number, or microseconds; None: there are no gaps.
    """

    rows: Array | None
    edges: Array
    part: Array
    since: Array
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
        apart: Sequence[int] = (),
        cut: Array | None = None,
    ) -> Segments:
        """
        Args:
            part: of each row; or where the validation part begins, where the test part, and where that ends.
            groups: the group of each row.
            gap: a step in time of more than so many times the usual one is one.
            usual_step: None: the median of the training part.
            apart: rows where another file begins. Only times can tell that it goes on where the one before ended.
            cut: rows before which others were left out, (rows,) bool.
        """
        rows = None if groups is None else np.argsort(groups, kind="stable")
        if rows is not None and (np.diff(rows) == 1).all():
            rows = None
        if isinstance(part, tuple):
            cuts = np.array(part)
            found = {*(cut for cut in part if 0 < cut < count)}
        else:
            along = part if rows is None else part[rows]
            found = set(_changes(along))
        if groups is not None:
            ordered = groups if rows is None else groups[rows]
            found |= set(_changes(ordered))
        edges = np.array(sorted({0, count, *found}))
        starts = edges[:-1]
        of_stretch = np.searchsorted(cuts, starts, side="right") if isinstance(part, tuple) else along[starts]
        begins = [0] if groups is None else [0, *_changes(ordered)]
        if times is None and len(apart):
            files = np.searchsorted(apart, np.arange(count), side="right")
            begins += _changes(files if rows is None else files[rows])
        gone = np.empty(0, int) if cut is None else np.flatnonzero(cut if rows is None else cut[rows])
        if times is None or gap == "none":
            return cls._broken(rows, edges, of_stretch, begins, gone)
        passed = times.astype("datetime64[us]").astype("int64") if times.dtype.kind == "M" else times.astype(float)
        steps = np.diff(passed if rows is None else passed[rows])
        if usual_step is None:
            trained = [steps[a : b - 1] for a, b, p in zip(starts, edges[1:], of_stretch, strict=True) if p == 0]
            usual_step = float(np.median(np.concatenate(trained))) if sum(map(len, trained)) else None
        far = gone
        if usual_step is not None:
            far = np.union1d(gone, np.flatnonzero(steps > gap * usual_step) + 1)
        return cls._broken(rows, edges, of_stretch, begins, far, usual_step)

    @classmethod
    def _broken(
        cls,
        rows: Array | None,
        edges: Array,
        of_stretch: Array,
        begins: Sequence[int],
        far: Array,
        usual_step: float | None = None,
    ) -> Segments:
        """The stretches between edges, broken at places that are far from the ones before them."""
        breaks = np.setdiff1d(far, edges)
        whole = np.union1d(edges, breaks)
        part_of = of_stretch[np.searchsorted(edges, whole[:-1], side="right") - 1]
        return cls(rows, whole, part_of, _since(whole[:-1], [*begins, *far]), breaks, usual_step)

    def of(self, part: int) -> list[tuple[int, int]]:
        """Where the stretches of a part begin and end."""
        ends = zip(self.edges[:-1].tolist(), self.edges[1:].tolist(), strict=True)
        return [stretch for stretch, own in zip(ends, self.part.tolist(), strict=True) if own == part]

    def starts(self, part: int, cut: Cut, stride: int = 1) -> Array:
        """Where windows begin whose targets lie within the stretches of a part."""
        found = []
        reaches_back = cut.reaches_back and part > 0
        for place in np.flatnonzero(self.part == part):
            first, end = self.edges[place], self.edges[place + 1]
            begins = max(self.since[place], first - cut.seen) if reaches_back else first
            found.append(np.arange(begins, end - cut.rows + 1, stride))
        return np.concatenate(found) if found else np.empty(0, int)

    def gaps(self, cut: Cut, stride: int) -> Gaps | None:
        """What gaps cost; None: there are none."""
        if not len(self.breaks):
            return None
        kept = ~np.isin(self.edges, self.breaks)
        whole_groups = np.setdiff1d(self.since, self.breaks)
        since = _since(self.edges[kept][:-1], whole_groups)
        whole = Segments(self.rows, self.edges[kept], self.part[kept[:-1]], since, np.empty(0, int))
        strides = (stride, 1, 1)
        lost = sum(len(whole.starts(p, cut, s)) - len(self.starts(p, cut, s)) for p, s in enumerate(strides))
        return Gaps(len(self.breaks), max(0, lost))


def _changes(along: Array) -> list[int]:
    """The places at which values are others than at the place before."""
    return (np.flatnonzero(along[1:] != along[:-1]) + 1).tolist()


def _since(starts: Array, begins: Array | Sequence[int]) -> Array:
    """The last of the places where rows begin anew, at or before each start."""
    places = np.unique(np.asarray(begins, int))
    return places[np.searchsorted(places, starts, side="right") - 1]


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
