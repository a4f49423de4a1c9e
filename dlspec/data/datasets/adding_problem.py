"""Two marked numbers far apart in a sequence are to be added."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import SampleCount


@DATASETS.register
class AddingProblem(Dataset):
    """Sequences of random numbers of which two are marked, one in each half; the target is the sum of the two
    (Hochreiter and Schmidhuber, 1997, with marks of 0 and 1 as in Le et al., 2015).

    A timestep holds the number, uniform between 0 and 1, and the mark. Always to say 1 has a mean squared error of
    1/6. A fresh sequence each time is a set with many `samples` and `epochs: 1`.
    """

    generated = True
    examples: ClassVar = ["adding_problem", {"adding_problem": {"timesteps": 50, "samples": 2000}}]

    timesteps: Annotated[int, Strict(), Field(ge=2)] = Field(30, description="length of each sequence")
    samples: SampleCount = Field(10_000, description="how many sequences")

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("sequence", shape=(self.timesteps, 2)), Column("sum")),
            target="sum",
            about=f"{self.samples:,} sequences of {self.timesteps} numbers, two of which are marked and to be added "
            "(Hochreiter and Schmidhuber, 1997).",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        half = self.timesteps // 2
        sequences = np.zeros((self.samples, self.timesteps, 2), "float32")
        sequences[:, :, 0] = random.uniform(size=(self.samples, self.timesteps))
        rows = np.arange(self.samples)
        first = random.integers(0, half, self.samples)
        second = random.integers(half, self.timesteps, self.samples)
        sequences[rows, first, 1] = sequences[rows, second, 1] = 1
        sums = sequences[rows, first, 0].astype("float64") + sequences[rows, second, 0]
        return {"sequence": sequences, "sum": sums}
