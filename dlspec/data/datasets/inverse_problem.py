"""An inverse problem whose answer is not one value."""

from __future__ import annotations

from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import NonNegativeNumber, SampleCount


@DATASETS.register
class InverseProblem(Dataset):
    """The toy problem of mixture density networks (Bishop, 1994): x = t + 0.3 sin(2 pi t) and evenly distributed noise,
    for t even over 0 to 1; the target is t, of which around x = 0.5 there are three for each x.

    `noise` is how far x may be moved to either side.
    """

    generated = True
    examples: ClassVar = ["inverse_problem", {"inverse_problem": {"samples": 400, "noise": 0.05}}]

    samples: SampleCount = 2000
    noise: NonNegativeNumber = 0.1

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("x"), Column("t")),
            target="t",
            about=f"{self.samples:,} generated points of x = t + 0.3 sin(2 pi t), of which t is to be told by x "
            "(Bishop, 1994).",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        t = random.uniform(0, 1, self.samples)
        x = t + 0.3 * np.sin(2 * np.pi * t) + random.uniform(-self.noise, self.noise, self.samples)
        return {"x": x, "t": t}
