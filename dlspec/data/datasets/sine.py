"""A wave."""

from __future__ import annotations

from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import NonNegativeNumber, PositiveNumber, SampleCount


@DATASETS.register
class Sine(Dataset):
    """A sine wave of `period` timesteps. `noise` is the standard deviation of what is added to it, the wave reaching
    from -1 to 1; the phase is drawn by the seed."""

    generated = True
    examples: ClassVar = ["sine", {"sine": {"samples": 500, "period": 30, "noise": 0.1}}]

    samples: SampleCount = 1000
    period: PositiveNumber = 25.0
    noise: NonNegativeNumber = 0.0

    def describe(self) -> Description:
        return Description(
            "series",
            (Column("t", "time"), Column("x")),
            time="t",
            target="x",
            about=f"{self.samples:,} values of a generated sine wave of {self.period:g} timesteps.",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        t = np.arange(self.samples)
        values = np.sin(2 * np.pi * t / self.period + random.uniform(0, 2 * np.pi))
        return {"t": t, "x": values + random.normal(0, self.noise, len(t)) if self.noise else values}
