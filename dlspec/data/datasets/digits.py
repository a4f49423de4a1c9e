"""Handwritten digits, as shipped with scikit-learn."""

from __future__ import annotations

from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.runtime.packages import require


@DATASETS.register
class Digits(Dataset):
    """1,797 handwritten digits of 8 x 8 pixels, from 0 to 16 (Alpaydin and Kaynak, 1998).

    Shipped inside scikit-learn.
    """

    examples: ClassVar = ["digits"]

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("image", shape=(8, 8)), Column("digit", "class", classes=tuple("0123456789"))),
            target="digit",
            about="1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak, 1998; shipped with "
            "scikit-learn, CC BY 4.0).",
            rows=1_797,
        )

    def load(self, seed: int) -> Columns:
        require("sklearn", what="`dataset: digits`")
        from sklearn.datasets import load_digits

        digits = load_digits()
        return {"image": digits.images, "digit": digits.target.astype(str)}
