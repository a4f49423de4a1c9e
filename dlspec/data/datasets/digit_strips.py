"""Strips of handwritten digits."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description, Loaded
from dlspec.language.fields import SampleCount
from dlspec.runtime.packages import require

TRAINED, WATCHED = 1_097, 200
"""Of the 1,797 digits, those of the strips of the training part and of the validation part; the others are of the test
part."""
SIZE = 8
OVERLAP, GAP = 2, 6
"""Between two digits: so many columns may they share, and so many empty ones may there be."""


@DATASETS.register
class DigitStrips(Dataset):
    """Strips of one to `digits` handwritten digits of 8 x 8 pixels side by side, the number that they make, as text,
    `number`, and how many they are, `count` (Alpaydin and Kaynak, 1998). Neighbours stand up to 6 columns apart, or up
    to 2 columns in each other, and the number begins anywhere in the strip, so that nothing but the picture says where
    a digit stands.

    A tenth of the strips is a validation part and a quarter a test part that come with the data: each of other digits,
    so that no picture stands in two parts.
    Shipped inside scikit-learn.
    """

    generated = True
    examples: ClassVar = ["digit_strips", {"digit_strips": {"digits": 3, "samples": 400}}]

    digits: Annotated[int, Strict(), Field(ge=1, le=20)] = Field(5, description="digits of a strip, at most")
    samples: SampleCount = 4000

    @property
    def width(self) -> int:
        """Columns of a strip: those of as many digits and gaps as there may be, up to a multiple of four."""
        return -(-(self.digits * SIZE + (self.digits - 1) * GAP // 2) // 4) * 4

    def describe(self) -> Description:
        return Description(
            "samples",
            (
                Column("strip", shape=(SIZE, self.width)),
                Column("number", "text"),
                Column("count", "class", classes=tuple(str(count + 1) for count in range(self.digits))),
            ),
            target="count",
            about=f"{self.samples:,} strips of up to {self.digits} handwritten digits of 8 x 8 pixels (Alpaydin and "
            "Kaynak, 1998; shipped with scikit-learn, CC BY 4.0).",
            rows=self.samples,
            test_rows=self.samples // 4,
            validation_rows=self.samples // 10,
            features=("strip",),
        )

    def known_texts(self, name: str) -> tuple[tuple[str, ...], int] | None:
        return (tuple("0123456789"), self.digits) if name == "number" else None

    def load(self, seed: int) -> Columns:
        require("sklearn", what="`dataset: digit_strips`")
        import numpy as np
        from sklearn.datasets import load_digits

        digits, random = load_digits(), np.random.default_rng(seed)
        parts = np.split(random.permutation(len(digits.target)), [TRAINED, TRAINED + WATCHED])
        described = self.describe()
        held_out = (described.validation_rows, described.test_rows)
        counts = (self.samples - sum(held_out), *held_out)
        drawn_from = [part for part, count in zip(parts, counts, strict=True) for _ in range(count)]
        strips, numbers = np.zeros((self.samples, SIZE, self.width)), np.empty(self.samples, object)
        for row, there in enumerate(drawn_from):
            chosen = random.choice(there, random.integers(1, self.digits + 1))
            gaps = random.integers(-OVERLAP, GAP + 1, len(chosen) - 1)
            while gaps.sum() > self.width - SIZE * len(chosen):
                gaps = random.integers(-OVERLAP, GAP + 1, len(chosen) - 1)
            first = random.integers(0, self.width - SIZE * len(chosen) - gaps.sum() + 1)
            for digit, gap in zip(chosen, [*gaps, 0], strict=True):
                place = strips[row, :, first : first + SIZE]
                np.maximum(place, digits.images[digit], out=place)
                first += SIZE + gap
            numbers[row] = "".join(str(each) for each in digits.target[chosen])
        how_many = np.array([str(len(number)) for number in numbers], object)
        return {"strip": strips, "number": numbers, "count": how_many}

    def load_parts(self, seed: int) -> Loaded:
        described = self.describe()
        return Loaded(self.load(seed), described.validation_rows, described.test_rows)
