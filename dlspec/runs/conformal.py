"""How far predictions may be off: intervals of numbers and sets of classes, by split conformal prediction (Papadopoulos
et al., 2002; Lei et al., 2018); where the network puts out quantiles or a mixture, by its quantiles (Romano et al.,
2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.records.data import DataRecord
from dlspec.runs.records.predictions import ends_in
from dlspec.runs.row_predictor import Taken, free_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

ROUND_OFF = 1e-6
"""Of probabilities: the saved model computes in 32 bits."""
BETWEEN = "|"
"""Stands between the labels of a set."""


@dataclass(frozen=True)
class Intervals:
    """Puts beside each prediction where the truth lies with the probability `level`.

    A truth lies as far from its prediction as one of the test part, or nearer, so often, where both are drawn alike.

    Args:
        samples: of the test part, which gave the distances.
        distances: of each number that is predicted, how far the truth may lie; where quantiles or a mixture are, how
            far outside of the first and the last, negative where these are too wide; of a class, the largest
            1 - p(label) of those in the set.
    """

    data: DataRecord
    level: float
    samples: int
    distances: tuple[float, ...]

    @classmethod
    def of(cls, data: DataRecord, table: pd.DataFrame, level: float) -> Intervals:
        """From the test part of a run, by which nothing was fitted or chosen.

        Args:
            table: truth and prediction of each of its samples; see `Run.predictions`.

        Raises:
            DataError: what is predicted is no number and no class, or the test part is too small for the level.
        """
        if not 0 < level < 1:
            message = f"the level of an interval lies between 0 and 1, and {level:g} does not"
            raise DataError.of("no-intervals", message, help="ask for `0.9`, by which nine of ten contain the truth")
        target = data.target
        if target.kind not in ("number", "class"):
            what = "labels that go together" if target.kind == "labels" else "its own input"
            message = f"the run predicts {what}; intervals are of numbers, and sets of classes"
            raise DataError.of("no-intervals", message, help="leave the intervals out")
        scores = _scores(data, table)
        return cls(data, level, len(table), tuple(quantile(column, level) for column in scores))

    def beside(self, found: pd.DataFrame, given: Taken, outputs: Array) -> pd.DataFrame:
        """The predictions, each with two more columns behind it, or of a class with one."""
        found = found.copy()
        names = [str(name) for name in found.columns]
        if self.data.target.kind == "class":
            found.insert(1, free_name(f"{names[0]} set", names), self._sets(found[names[1:]].to_numpy()))
            return found
        target = self.data.target
        own = 1 if target.form == "value" else len(target.told_of(""))  # columns of a number
        for i, (name, distance) in enumerate(zip(names[::own], self.distances, strict=True)):
            low, high = self._ends(found[name].to_numpy().astype("float64"), distance, outputs, i)
            for place, (side, value) in enumerate([("low", low), ("high", high)]):
                found.insert((own + 2) * i + own + place, free_name(f"{name} {side}", found.columns), value)
        return found

    def _ends(self, values: Array, distance: float, outputs: Array, place: int) -> tuple[Array, Array]:
        """Both ends of the intervals of a number.

        Args:
            values: that are predicted, (samples,).
            place: of the number among those that are predicted.
        """
        import numpy as np

        target = self.data.target
        if target.form == "value":
            return values - distance, values + distance
        if target.mixture:
            from dlspec.evaluation.mixtures import quantiles_of

            first, last = quantiles_of(outputs[:, place], target.covered).T
        else:
            first, last = (outputs[:, place, end].astype("float64") for end in (0, -1))
        middle = (first + last) / 2  # where it is narrowed so far that nothing is left
        return np.minimum(first - distance, middle), np.maximum(last + distance, middle)

    def _sets(self, shares: Array) -> Array:
        """The labels that may be true, the likeliest one always among them; None where nothing is known."""
        import numpy as np

        among = (1 - shares.astype("float64") <= self.distances[0] + ROUND_OFF) | (
            shares == shares.max(axis=1, keepdims=True)
        )
        labels = np.array([label.replace(BETWEEN, "\\" + BETWEEN) for label in self.data.target.classes], object)
        known = np.isfinite(shares).all(axis=1)
        sets = [BETWEEN.join(labels[row]) if there else None for row, there in zip(among, known, strict=True)]
        return np.array(sets, object)

    def notes(self) -> list[str]:
        """What the intervals are worth."""
        target, data = self.data.target, self.data
        what = "sets" if target.kind == "class" else "intervals"
        text = (
            f"{self.level:.6g} of the {what} contain the truth, by {self.samples:,} samples of the test part, where "
            "new rows are like those"
        )
        if target.form != "value":
            which = " and ".join(repr(level) for level in (target.covered[0], target.covered[-1]))
            text += f"; they are the quantiles {which} of the network, moved by one distance for all rows"
        if data.window is not None:
            text += "; of a series that is never strictly so, since what comes later may be otherwise"
        if len(self.distances) > 1:
            text += "; each number has its own, and all of them hold together less often"
        if target.kind == "class":
            text += "; of all rows together, not of each class"
        if data.unknown_labels:
            text += "; rows with a label that training did not have are not counted"
        return [text]


def quantile(scores: Array, level: float) -> float:
    """The smallest score that is not below the ceil((n + 1) * level) smallest of n.

    Raises:
        DataError: there are fewer scores than the level takes.
    """
    import numpy as np

    exact, count = Fraction(str(level)), len(scores)
    needed = ceil(exact / (1 - exact))
    if count < needed:
        message = f"intervals of the level {level:g} take {needed:,} samples, and the test part has {count:,}"
        help = f"ask for {_highest(count)} at most, or run with a larger test part"
        raise DataError.of("no-intervals", message, help=help)
    return float(np.sort(scores)[ceil((count + 1) * exact) - 1])


def _highest(count: int) -> str:
    """The highest level that so many samples allow, rounded down."""
    return f"{floor(1000 * count / (count + 1)) / 1000:g}"


def _scores(data: DataRecord, table: pd.DataFrame) -> Sequence[Array]:
    """How far the network is off on each sample, of each number that it predicts."""
    import numpy as np

    target = data.target
    if target.kind == "class":
        shares = table[[f"p({label})" for label in target.classes]].to_numpy("float64")
        place = {label: i for i, label in enumerate(target.classes)}
        return [1 - shares[np.arange(len(table)), table["truth"].map(place)]]
    ends = [f":{value}" for value in target.values] or [""]
    if target.form != "value":
        found = ends_in(table, data)
        truths = table[[f"truth{end}" for end in ends]].to_numpy("float64")
        return list(np.maximum(found[..., 0] - truths, truths - found[..., -1]).T)
    return [(table[f"truth{end}"] - table[f"network{end}"]).abs().to_numpy("float64") for end in ends]
