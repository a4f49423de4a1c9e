"""Values at prediction that cannot be read, or lie far outside those of training: counted and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlspec.data.preparation.problems import ValueProblem
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.records.data import FeatureRecord

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

FAR = 1.0
"""So many times the width of the training range outside it."""
MOST_UNREAD = 0.5
"""Where a larger share of rows cannot be read, the file is another one than was meant."""
SHOWN = 3


@dataclass
class OddValues:
    """What was odd in the rows so far.

    Args:
        unread: row of the file, from 0 on -> what is wrong with it.
        far: column -> how many of its values lie far outside, and the one that lies farthest.
    """

    unread: dict[int, str] = field(default_factory=dict)
    far: dict[str, tuple[int, float]] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    def readable(self, first: int | Array, count: int, read: Mapping[str, Callable[[Array], object]]) -> Array:
        """Which of some rows can be read, (rows,) bool; what is wrong with the others is kept.

        Args:
            first: the row of the file that the first one is, counted from 0, or those of all.
            read: column -> reads its values in some of the rows, given by place; raises DataError with the first row
                that is wrong, as `row`.

        Raises:
            DataError: most of them cannot be read, or what is wrong is not a single row.
        """
        import numpy as np

        good, rows = np.ones(count, bool), first + np.arange(count)
        problems: list[DataError] = []
        for reading in read.values():
            while good.any():
                try:
                    reading(np.flatnonzero(good))
                except DataError as error:
                    place = int(np.argmax(rows == error.row)) if isinstance(error, ValueProblem) else -1
                    if place < 0 or not good[place]:
                        raise
                    good[place] = False
                    self.unread[int(rows[place])] = error.diagnostics[0].message
                    problems.append(error)
                    if len(problems) > max(1, MOST_UNREAD * count):
                        raise problems[0] from None
                else:
                    break
        return good

    def look(self, feature: FeatureRecord, values: Array) -> None:
        """Counts numbers that lie far outside the range of the training data."""
        import numpy as np

        if feature.min is None or feature.max is None or values.dtype.kind not in "fiu":
            return
        width = feature.max - feature.min
        low, high = feature.min - FAR * width, feature.max + FAR * width
        far = (values < low) | (values > high)
        if not far.any():
            return
        off = np.where(far, np.maximum(low - values, values - high), -np.inf)
        count, worst = self.far.get(feature.name, (0, feature.min))
        mine = float(values[int(np.argmax(off))])
        before = max(low - worst, worst - high)
        self.far[feature.name] = (count + int(far.sum()), mine if off.max() > before else worst)
        self.ranges[feature.name] = (feature.min, feature.max)

    def notes(self, rows: int) -> list[str]:
        """What was odd, in sentences.

        Args:
            rows: how many there were.
        """
        found = []
        if self.unread:
            shown = "; ".join(list(self.unread.values())[:SHOWN])
            more = f"; and {len(self.unread) - SHOWN:,} more" if len(self.unread) > SHOWN else ""
            unread = "a row" if len(self.unread) == 1 else f"{len(self.unread):,} rows"
            verb = "has" if len(self.unread) == 1 else "have"
            found.append(f"{unread} of {rows:,} cannot be read and {verb} no prediction: {shown}{more}")
        for name, (count, worst) in self.far.items():
            low, high = self.ranges[name]
            values = "a value" if count == 1 else f"{count:,} values"
            verb = "lies" if count == 1 else "lie"
            found.append(
                f"{values} of `{name}` {verb} far outside the training data, which had {low:g} to {high:g}: {worst:g}"
            )
        return found
