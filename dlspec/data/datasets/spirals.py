"""Two spirals wound around each other."""

from __future__ import annotations

from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import NonNegativeNumber, PositiveNumber, SampleCount


@DATASETS.register
class Spirals(Dataset):
    """Two spirals in the plane that no straight line separates (Lang and Witbrock, 1988).

    `turns` is how often each winds around the centre, `noise` the standard deviation of what is added
    to both coordinates, which reach from -1 to 1.
    """

    generated = True
    examples: ClassVar = ["spirals", {"spirals": {"samples": 500, "noise": 0.02, "turns": 2}}]

    samples: SampleCount = 1000
    noise: NonNegativeNumber = 0.03
    turns: PositiveNumber = 1.5

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("x"), Column("y"), Column("spiral", "class", classes=("first", "second"))),
            target="spiral",
            about=f"{self.samples:,} points on two generated spirals of {self.turns:g} turns (after Lang and "
            "Witbrock, 1988).",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        label = np.arange(self.samples) % 2
        distance = np.sqrt(random.uniform(0.005, 1.0, self.samples))  # even density over the disc
        angle = distance * self.turns * 2 * np.pi + label * np.pi
        points = distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        points += random.normal(0, self.noise, points.shape) if self.noise else 0
        names = np.array(["first", "second"])
        return {"x": points[:, 0], "y": points[:, 1], "spiral": names[label]}
