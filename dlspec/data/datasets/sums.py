"""Sums as text."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import SampleCount


@DATASETS.register
class Sums(Dataset):
    """Pairs of whole numbers, `first` and `second`, and their sum, `total`; and the same as text, the `question` `48+7`
    and the `answer` `55` (Zaremba and Sutskever, 2014). No pair comes twice, so that sums of the test part are of pairs
    that were never seen.

    A number has 1 to `digits` digits, each length as often as any other as far as there are so many numbers.
    """

    generated = True
    examples: ClassVar = ["sums", {"sums": {"digits": 1, "samples": 90}}]

    digits: Annotated[int, Strict(), Field(ge=1, le=9)] = Field(3, description="digits of a number, at most")
    samples: SampleCount = Field(20_000, description="how many pairs; at most all that there are")

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return int(min(self.samples, 10 ** (2 * self.digits)))

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("question", "text"), Column("answer", "text"), Column("first"), Column("second"), Column("total")),
            target="total",
            features=("first", "second"),
            about=f"{self.count:,} sums of two numbers of up to {self.digits} digits, as numbers and as text, no pair "
            "twice.",
            rows=self.count,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        pairs = np.empty((0, 2), "int64")
        while len(pairs) < self.count:  # until none is drawn twice
            lengths = random.integers(1, self.digits + 1, (2 * self.count, 2))
            drawn = random.integers(np.where(lengths == 1, 0, 10 ** (lengths - 1)), 10**lengths)
            pairs = np.concatenate([pairs, drawn])
            pairs = pairs[np.sort(np.unique(pairs, axis=0, return_index=True)[1])]
        pairs = pairs[: self.count]
        questions, answers = np.empty(self.count, object), np.empty(self.count, object)
        questions[:] = [f"{one}+{other}" for one, other in pairs.tolist()]
        answers[:] = [str(one + other) for one, other in pairs.tolist()]
        first, second = pairs.T.astype("float64")
        return {"question": questions, "answer": answers, "first": first, "second": second, "total": first + second}
