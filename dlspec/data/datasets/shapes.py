"""Shapes in the plane that no straight line separates."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import NonNegativeNumber, SampleCount

if TYPE_CHECKING:
    import numpy as np


class Shape(Dataset):
    """Base of the sets of points in the plane, half of them in either class."""

    generated = True
    of: ClassVar[str]
    """What a point belongs to."""
    classes: ClassVar[tuple[str, str]]
    about: ClassVar[str]

    samples: SampleCount = 1000
    noise: NonNegativeNumber = 0.1

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("x"), Column("y"), Column(self.of, "class", classes=self.classes)),
            target=self.of,
            about=f"{self.samples:,} generated points: {self.about}.",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        label = np.arange(self.samples) % 2
        points = self.points(random, label)
        points = points + random.normal(0, self.noise, points.shape) if self.noise else points
        return {"x": points[:, 0], "y": points[:, 1], self.of: np.array(self.classes)[label]}

    @abstractmethod
    def points(self, random: np.random.Generator, label: np.ndarray) -> np.ndarray:
        """Points without noise, (samples, 2), of classes that are 0 or 1, (samples,)."""


@DATASETS.register
class Moons(Shape):
    """Two half moons that reach into each other. `noise` is the standard deviation of what is added to both
    coordinates, the moons having the radius 1."""

    examples: ClassVar = ["moons", {"moons": {"samples": 500, "noise": 0.2}}]

    of, classes, about = "moon", ("upper", "lower"), "two half moons that reach into each other"

    def points(self, random: np.random.Generator, label: np.ndarray) -> np.ndarray:
        import numpy as np

        angle = random.uniform(0, np.pi, len(label))
        x, y = np.cos(angle), np.sin(angle)
        return np.where(label[:, None] == 0, np.stack([x, y], axis=1), np.stack([1 - x, 0.5 - y], axis=1))


@DATASETS.register
class Circles(Shape):
    """A circle inside another one. `factor` is the radius of the inner one, that of the outer one being 1; `noise` the
    standard deviation of what is added to both coordinates."""

    examples: ClassVar = ["circles", {"circles": {"samples": 500, "factor": 0.3}}]

    of, classes, about = "circle", ("outer", "inner"), "a circle inside another one"

    factor: NonNegativeNumber = 0.5

    def points(self, random: np.random.Generator, label: np.ndarray) -> np.ndarray:
        import numpy as np

        angle = random.uniform(0, 2 * np.pi, len(label))
        radius = np.where(label == 0, 1.0, self.factor)
        return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


@DATASETS.register
class Xor(Shape):
    """Exclusive or: a point belongs to one class where exactly one of its coordinates is above zero, and no single
    line separates them (Minsky and Papert, 1969). Coordinates reach from -1 to 1, before `noise` is added."""

    examples: ClassVar = ["xor", {"xor": {"samples": 400, "noise": 0.0}}]

    of, classes, about = "exclusive_or", ("false", "true"), "the four quadrants, those opposite each other in one class"

    noise: NonNegativeNumber = 0.05

    def points(self, random: np.random.Generator, label: np.ndarray) -> np.ndarray:
        import numpy as np

        x, y = random.uniform(0.02, 1, (2, len(label)))
        right = random.integers(0, 2, len(label)) == 1
        above = right ^ (label == 1)
        return np.stack([np.where(right, x, -x), np.where(above, y, -y)], axis=1)
