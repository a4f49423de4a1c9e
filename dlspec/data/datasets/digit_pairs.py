"""Pairs of handwritten digits."""

from __future__ import annotations

from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import SampleCount
from dlspec.runtime.packages import require

WRITTEN = 1_297
"""Of the 1,797 digits, those that pairs are trained on; the test part is of the others."""


@DATASETS.register
class DigitPairs(Dataset):
    """Two handwritten digits of 8 x 8 pixels side by side, and whether they are the same digit, which half of the pairs
    are (Alpaydin and Kaynak, 1998).

    A quarter of the pairs is a test part that comes with the data: of other digits, so that no picture stands in both.
    Shipped inside scikit-learn.
    """

    generated = True
    examples: ClassVar = ["digit_pairs", {"digit_pairs": {"samples": 800}}]

    samples: SampleCount = 4000

    def describe(self) -> Description:
        return Description(
            "samples",
            (
                Column("left", shape=(8, 8)),
                Column("right", shape=(8, 8)),
                Column("same", "class", classes=("no", "yes")),
            ),
            target="same",
            about=f"{self.samples:,} pairs of handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak, 1998; shipped "
            "with scikit-learn, CC BY 4.0).",
            rows=self.samples,
            test_rows=self.samples // 4,
            features=("left", "right"),
        )

    def load(self, seed: int) -> Columns:
        require("sklearn", what="`dataset: digit_pairs`")
        import numpy as np
        from sklearn.datasets import load_digits

        digits, random = load_digits(), np.random.default_rng(seed)
        order, tests = random.permutation(len(digits.target)), self.samples // 4
        parts = [(order[:WRITTEN], self.samples - tests), (order[WRITTEN:], tests)]
        left, right = [], []
        for there, count in parts:
            first = random.choice(there, count)
            second = random.choice(there, count)
            for place in range(0, count, 2):  # every second pair is one of the same digit
                alike = there[(digits.target[there] == digits.target[first[place]]) & (there != first[place])]
                second[place] = random.choice(alike)
            left.append(first)
            right.append(second)
        one, other = np.concatenate(left), np.concatenate(right)
        same = np.where(digits.target[one] == digits.target[other], "yes", "no")
        return {"left": digits.images[one], "right": digits.images[other], "same": same}
