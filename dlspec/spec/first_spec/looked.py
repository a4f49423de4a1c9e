"""What the values of columns are like, from some rows: which count rows, say the same, and depend on others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dlspec.data.sources.formats.dialect import MISSING, Settled, to_float

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

LEVELS = 20
"""A column of so many different values at most may be one of groups."""
EVEN = 1.15
"""The levels of an experiment occur equally often, up to this factor."""
MOST_COLUMNS = 60
"""Of more columns it is not asked which depend on others."""
FEWEST_OF_CUT = 10
"""So many rows on either side of a limit are no accident."""
WIDEST_LIMIT = 0.05
"""A limit that was chosen lies between numbers that are close, as a share of their range; groups that differ, further
apart."""
LENGTHS = 4
"""So many different numbers of words are in two columns at once by no accident."""
LEAST_WORDS = 3
"""Texts have so many different words on average, or they are names."""
NAMES = re.compile(r"name|url|link|path|file|address|email|phone|date|time|이름|주소|성명")
"""What columns are called whose texts are not read word by word."""
ENCODED = 12
"""Levels of a column of words that are looked at; the rest are taken together."""


@dataclass(frozen=True)
class Looked:
    """The values of a column as they are written in some rows; an empty one is missing.

    Args:
        signs: how its numbers are written.
    """

    name: str
    values: tuple[str, ...]
    is_number: bool
    signs: Settled

    @cached_property
    def given(self) -> list[str]:
        return [value.strip() for value in self.values if not MISSING.fullmatch(value)]

    @cached_property
    def numbers(self) -> list[float | None]:
        return [None if MISSING.fullmatch(value) else to_float(value, self.signs) for value in self.values]

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(self.given)

    @cached_property
    def is_whole(self) -> bool:
        return self.is_number and all(number is None or float(number).is_integer() for number in self.numbers)

    @property
    def distinct(self) -> float:
        """The share of its values that are different."""
        return len(self.counts) / max(1, len(self.given))

    @property
    def is_constant(self) -> bool:
        """Whether it has no two values; `1` and `01` are one number."""
        return len({*self.numbers} - {None} if self.is_number else self.counts) < 2

    @property
    def is_even(self) -> bool:
        """Whether it has few levels, which occur equally often, as those of a designed experiment do."""
        found = self.counts.values()
        return 2 <= len(found) <= LEVELS and max(found) <= EVEN * min(found) and len(self.given) >= 2 * len(found)


def counts_rows(looked: Looked, rows: Sequence[int]) -> bool:
    """Whether a column counts the rows, from any number up or down, or counts them anew for each of several series.

    Args:
        rows: the places of the rows that were looked at.
    """
    numbers = looked.numbers
    if not looked.is_whole or len(numbers) < 3 or None in numbers:
        return False
    first = numbers[0]
    assert first is not None
    if first - rows[0] not in (0, 1):
        return False
    return all(number == first + row - rows[0] for number, row in zip(numbers, rows, strict=True))


def says_the_same(one: Looked, other: Looked) -> bool:
    """Whether each value of one column stands beside the same value of the other, which comes again."""
    if one.is_constant or len(one.counts) != len(other.counts) or one.distinct > 0.5:
        return one.values == other.values and not one.is_constant
    return len(set(zip(one.values, other.values, strict=True))) == len(one.counts) + ("" in one.values)


def is_cut_of(two: Looked, other: Looked) -> bool:
    """Whether two classes say on which side of a limit the numbers of another column lie, and nothing else."""
    if len(two.counts) != 2 or min(two.counts.values()) < FEWEST_OF_CUT:
        return False
    if not other.is_number or len(other.counts) <= LEVELS:
        return False
    sides: dict[str, list[float]] = {}
    for value, number in zip(two.values, other.numbers, strict=True):
        if number is not None and value.strip() in two.counts:
            sides.setdefault(value.strip(), []).append(number)
    if len(sides) != 2 or min(len({*numbers}) for numbers in sides.values()) < FEWEST_OF_CUT:
        return False  # as many of them are different: zero, and more than that, is no limit that was chosen
    low, high = sorted(sides.values(), key=min)
    return 0 < min(high) - max(low) <= WIDEST_LIMIT * (max(high) - min(low))


class Dependence(NamedTuple):
    """How a column depends on the others.

    Args:
        said: how much of it they say: R² of ridge regression, each row left out in its turn (Allen, 1974).
        direct: the share of them that it depends on beside all others, as its partial correlations say.
    """

    said: float = 0.0
    direct: float = 0.0


def dependence(columns: Sequence[Looked]) -> dict[str, Dependence]:
    """How each column depends on the others; empty where there are too few or too many of them."""
    import numpy as np

    if not 2 <= len(columns) <= MOST_COLUMNS:
        return {}
    encoded = [_encoded(column) for column in columns]
    rows = len(columns[0].values)
    direct = _direct(encoded)
    found = {}
    for place, column in enumerate(columns):
        target = encoded[place]
        others = np.concatenate([*encoded[:place], *encoded[place + 1 :], np.ones((rows, 1))], axis=1)
        inverse = np.linalg.solve(others.T @ others + np.eye(others.shape[1]), others.T)
        leverage = np.clip(np.einsum("ij,ji->i", others, inverse), 0, 0.99)[:, None]
        left = ((target - others @ (inverse @ target)) / (1 - leverage)) ** 2
        whole = (target**2).sum()
        said = max(0.0, float(1 - left.sum() / whole)) if whole else 0.0
        found[column.name] = Dependence(said, direct[place])
    return found


def _direct(encoded: Sequence[Array]) -> list[float]:
    """For each column the mean over the others of how certain it is that the two depend on each other directly.

    Certain, 1, is a partial correlation of four standard errors.

    Args:
        encoded: (rows, values) of each column.
    """
    import numpy as np

    values = np.concatenate(encoded, axis=1)
    rows = len(values)
    ends = np.cumsum([0, *(each.shape[1] for each in encoded)])
    spread = np.sqrt(np.maximum((values**2).mean(axis=0), 1e-9))
    correlation = (values / spread).T @ (values / spread) / rows
    precision = np.linalg.inv(correlation + 0.05 * np.eye(len(correlation)))
    scale = np.sqrt(np.diag(precision))
    partial = np.abs(precision / scale / scale[:, None])
    pairs = range(len(encoded))
    certain = [
        [partial[ends[i] : ends[i + 1], ends[j] : ends[j + 1]].max(initial=0) for j in pairs if j != i] for i in pairs
    ]
    return [float(np.minimum(1, np.array(each) * rows**0.5 / 4).mean()) for each in certain]


def _encoded(column: Looked) -> Array:
    """(rows, 1) of numbers with mean 0 and deviation 1, or (rows, levels) of words, each with mean 0."""
    import numpy as np

    if not column.is_number:
        levels = [level for level, _ in column.counts.most_common(ENCODED)]
        found = np.array([[value.strip() == level for level in levels] for value in column.values], "float64")
        return found.reshape(len(column.values), -1) - (found.mean(axis=0) if levels else 0)
    numbers = np.array([np.nan if number is None else number for number in column.numbers], "float64")
    known = numbers[np.isfinite(numbers)]
    if not known.size or known.std() == 0:
        return np.zeros((len(numbers), 1))
    return np.where(np.isfinite(numbers), (numbers - known.mean()) / known.std(), 0.0)[:, None]


def words_of_texts(name: str, texts: Sequence[str]) -> int:
    """How many words of a column of text come in several texts; 0: it holds no text to be read, but names and the like.

    Args:
        texts: some values.
    """
    found = [set(re.findall(r"\w+", text.lower())) for text in texts if text.strip()]
    if not found or sum(map(len, found)) < LEAST_WORDS * len(found) or NAMES.search(name.lower()):
        return 0
    counts = Counter(word for words in found for word in words)
    again = sum(1 for count in counts.values() if count > 1)
    told = sum(count for count in counts.values() if count > 1)
    return again if told > 0.5 * sum(counts.values()) else 0


def tagged_texts(columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Columns that have a tag for each word of another -> that other: as many words in every row, and fewer different
    ones.

    Args:
        columns: of words and texts, some values of each.
    """
    words = {name: [text.split() for text in texts] for name, texts in columns.items()}
    counts = {name: tuple(map(len, each)) for name, each in words.items()}
    sorts = {name: len({word for row in each for word in row}) for name, each in words.items()}
    return {
        name: other
        for name in columns
        for other in columns
        if name != other
        and counts[name] == counts[other]
        and len({*counts[name]}) >= LENGTHS
        and 2 * sorts[name] <= sorts[other]
    }


def usual_length(texts: Sequence[str]) -> int:
    """Words that 19 of 20 texts have at most."""
    lengths = sorted(len(text.split()) for text in texts)
    return max(1, lengths[min(len(lengths) - 1, round(0.95 * len(lengths)))]) if lengths else 1


def looked_at(
    names: Sequence[str], rows: Sequence[Sequence[str]], numeric: Mapping[str, bool], signs: Settled
) -> dict[str, Looked]:
    """The columns of some rows by name.

    Args:
        numeric: which columns hold numbers; others of `names` are left out.
    """
    return {
        name: Looked(name, tuple(row[place] for row in rows), numeric[name], signs)
        for place, name in enumerate(names)
        if name in numeric
    }
