"""How the values of a column lie: kept of the training part, and compared with those of other data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlspec.data.arrays import some_of

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.arrays import Samples
    from dlspec.data.features.base import Raw

    Array = np.ndarray

QUANTILES = 201
"""Of more numbers, so many are kept, from the smallest to the largest, each standing for as many."""
MOST_WORDS = 200
"""Words of a column whose shares are kept, the most frequent ones; the others count together."""
MOST_COLUMNS = 500
"""Of more columns, nothing is kept."""
MOST_VALUES = 10**7
"""Values of samples that are looked at."""
OTHERS = ""
"""Stands for all words that are not kept."""


def measured(raw: Raw, name: str, values: Samples, form: str | None = None) -> Array:
    """What is compared of a column, (samples,): numbers as they are, of words these, of texts how many words they have,
    of times seconds since the beginning of 1970, of arrays the mean of each. What is missing is left out.

    Args:
        form: how times are written.
    """
    import numpy as np

    from dlspec.data.features.text import split_words
    from dlspec.data.preparation import DATE_FORMS, to_numbers, to_seconds, to_words

    if values.ndim > 1:
        some = values[some_of(values, MOST_VALUES)]
        return np.asarray(some.reshape(len(some), -1).mean(axis=1, dtype="float64"))
    if raw == "number":
        numbers = to_numbers(name, values[:], holes=True).astype("float64")
        return numbers[np.isfinite(numbers)]
    if raw == "time":
        seconds = to_seconds(name, values[:], holes=True, forms=(form,) if form else DATE_FORMS)
        return seconds[np.isfinite(seconds)]
    words = to_words(name, values[:], holes=True)
    words = words[words != ""]
    if raw == "text":
        return np.array([len(split_words(text)) for text in words], "float64")
    return words


def quantiles_of(values: Array) -> list[float]:
    """Of numbers, values that lie as they do, the smallest and the largest among them; all, where there are few."""
    import numpy as np

    if len(values) <= QUANTILES:
        return [float(value) for value in np.sort(values)]
    return [float(value) for value in np.quantile(values, np.linspace(0, 1, QUANTILES), method="inverted_cdf")]


def shares_of(words: Sequence[str] | Array) -> dict[str, float]:
    """The share of each of the most frequent words, and of all others together."""
    counts = Counter(map(str, words))
    found = {word: count / len(words) for word, count in counts.most_common(MOST_WORDS)}
    rest = 1 - sum(found.values())
    return {**found, OTHERS: rest} if len(counts) > len(found) else found


def kolmogorov_smirnov(known: Sequence[float], count: int, values: Array) -> tuple[float, float]:
    """How far numbers lie from others, and the probability of a distance as large by chance: the largest difference of
    the shares of both that are below any value (two-sample test: Kolmogorov, 1933; Smirnov, 1939).

    Args:
        known: what `quantiles_of` gave of the others. What it leaves open is taken off the difference.
        count: how many these were.
    """
    from scipy.stats import ks_2samp, kstwo

    apart = float(ks_2samp(known, values).statistic)
    if count > len(known):
        apart = max(0.0, apart - 1 / (len(known) - 1))
    size = count * len(values) / (count + len(values))
    return apart, float(kstwo.sf(apart, max(1, round(size))))


def chi_squared(shares: Mapping[str, float], count: int, words: Sequence[str] | Array) -> tuple[float, float]:
    """How far the shares of words are from others: half the sum of the differences, and the probability of a difference
    as large by chance (Pearson, 1900).

    Words that the others lack count together; of words that are expected less than five times too.

    Args:
        shares, count: of how many words each share is.
    """
    import numpy as np
    from scipy.stats import chi2_contingency

    known = [word for word in shares if word != OTHERS]
    counts = Counter(map(str, words))
    own = np.array([*(counts[word] for word in known), 0], "float64")
    own[-1] = len(words) - own.sum()
    before = np.array([*(shares[word] for word in known), 0.0]) * count
    before[-1] = count - before.sum()
    apart = float(np.abs(own / len(words) - before / count).sum() / 2)
    table = np.stack([np.round(before), own])
    rare = (table.sum(axis=0) * min(count, len(words)) / (count + len(words))) < 5
    if rare.any():
        table = np.hstack([table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return apart, 1.0
    return apart, float(chi2_contingency(table, correction=False).pvalue)
