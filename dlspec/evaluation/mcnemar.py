"""Do two classifiers get other samples right, or could that be chance?"""

from __future__ import annotations

import math
from typing import NamedTuple

FEW = 25
"""With fewer samples of which one classifier is right alone, their binomial distribution is used itself."""


class McNemar(NamedTuple):
    """McNemar's test (1947) of two classifiers on the same samples.

    Args:
        first, second: samples of which that one alone is right.
        p: how often chance alone gives such numbers, if both are right as often (two-sided).
        exact: by the binomial distribution, else by chi squared with the correction of Edwards (1948).
    """

    first: int
    second: int
    p: float
    exact: bool


def mcnemar(first: int, second: int) -> McNemar:
    """
    Args:
        first, second: samples of which that one alone is right.
    """
    count = first + second
    if count < FEW:
        tail = sum(math.comb(count, k) for k in range(min(first, second) + 1)) / 2**count
        return McNemar(first, second, min(1.0, 2 * tail), True)
    squared = max(0, abs(first - second) - 1) ** 2 / count
    return McNemar(first, second, math.erfc(math.sqrt(squared / 2)), False)
