"""What a column is like, gathered some values at a time, where they are too many to be in memory together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.data.features.scaling import Affine, Scale, fit_affine

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

SAMPLE = 100_000
"""Values that the median and the quartiles are taken from at most."""


class NumberSummary:
    """Count, mean, deviation and range of numbers, and a sample of them; NaN is a missing one.

    Mean and deviation of parts are put together as by Chan, Golub and LeVeque (1979).
    """

    def __init__(self) -> None:
        import numpy as np

        self.count = self.missing = 0
        self.mean = self.squares = 0.0
        self.low, self.high = np.inf, -np.inf
        self._sample: list[Array] = []
        self._every, self._skip = 1, 0

    def add(self, values: Array) -> None:
        """More values, (rows,)."""
        import numpy as np

        lacking = np.isnan(values)
        if lacking.any():
            self.missing += int(lacking.sum())
            values = values[~lacking]
        if not len(values):
            return
        mean, more = float(values.mean()), len(values)
        total = self.count + more
        self.squares += float(np.square(values - mean).sum()) + (mean - self.mean) ** 2 * self.count * more / total
        self.mean += (mean - self.mean) * more / total
        self.count = total
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self._sample.append(values[self._skip :: self._every].copy())
        self._skip = (self._skip - more) % self._every
        if sum(map(len, self._sample)) > SAMPLE:
            self._sample = [np.concatenate(self._sample)[::2]]
            self._every *= 2

    @property
    def sample(self) -> Array:
        """Some of the values, spread evenly."""
        import numpy as np

        return np.concatenate(self._sample) if self._sample else np.zeros(0)

    @property
    def median(self) -> float:
        import numpy as np

        return float(np.median(self.sample)) if self.count else 0.0

    def affine(self, how: Scale, fill: float | None) -> Affine:
        """The scale, as `fit_affine` has it of all values.

        Args:
            fill: what stands in for a missing value; None: none are counted.
        """
        import numpy as np

        low, high, mean = self.low, self.high, self.mean
        squares, count = self.squares, self.count
        if fill is not None and self.missing:
            low, high = min(low, fill), max(high, fill)
            total = count + self.missing
            squares += (fill - mean) ** 2 * count * self.missing / total
            mean, count = mean + (fill - mean) * self.missing / total, total
        if how == "robust":
            filled = round(self.missing * len(self.sample) / max(1, self.count)) if fill is not None else 0
            return fit_affine(np.append(self.sample, np.full(filled, fill or 0.0))[:, None], how)
        spread = (squares / max(1, count)) ** 0.5
        ends = [[low], [high]] if how == "min_max" else [[mean - spread], [mean + spread]]
        return fit_affine(np.array(ends), how)


class WordSummary:
    """The words of a column, each with a number, and how often each stands in the training part."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.counts: dict[int, int] = {}

    def numbered(self, values: Array) -> Array:
        """The number of each word, (rows,) float64; a new word gets the next one."""
        import numpy as np

        words, places = np.unique(values.astype(str), return_inverse=True)
        return np.array([self.numbers.setdefault(str(word), len(self.numbers)) for word in words], "float64")[places]

    def add(self, numbers: Array) -> None:
        """Counts words of the training part, by their numbers."""
        import numpy as np

        for number, count in zip(*np.unique(numbers, return_counts=True), strict=True):
            self.counts[int(number)] = self.counts.get(int(number), 0) + int(count)

    @property
    def words(self) -> Array:
        """All words, in the order of their numbers."""
        import numpy as np

        return np.array(list(self.numbers), object)

    def counted(self) -> tuple[list[str], list[int]]:
        """The words of the training part in alphabetical order, and how often each stands in it."""
        words = sorted(word for word, number in self.numbers.items() if number in self.counts)
        return words, [self.counts[self.numbers[word]] for word in words]
