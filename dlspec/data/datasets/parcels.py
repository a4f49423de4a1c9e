"""Pictures beside columns: parcels whose weight neither tells alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import NonNegativeNumber, SampleCount

if TYPE_CHECKING:
    import numpy as np

SIZE = 16
SHAPES = ("disc", "frame", "triangle")
DENSITIES = {"foam": 0.3, "wood": 0.7, "clay": 1.6}
"""Material -> grams for a square centimetre of the picture."""


@DATASETS.register
class Parcels(Dataset):
    """Generated pictures of 16 x 16 pixels from above, of a disc, a frame or a triangle, with the size of a pixel in
    centimetres and the material beside them.

    What a parcel weighs takes all three: its area in pixels, the size of a pixel and what the material weighs. `noise`
    is the standard deviation of what is added to each pixel, which lies between 0 and 1 without it.
    """

    generated = True
    examples: ClassVar = ["parcels", {"parcels": {"samples": 500, "noise": 0.0}}]

    samples: SampleCount = 2000
    noise: NonNegativeNumber = 0.2

    def describe(self) -> Description:
        return Description(
            "samples",
            (
                Column("picture", shape=(SIZE, SIZE)),
                Column("pixel", unit="cm"),
                Column("material", "class", classes=tuple(sorted(DENSITIES))),
                Column("shape", "class", classes=SHAPES),
                Column("weight", unit="g"),
            ),
            target="weight",
            about=f"{self.samples:,} generated pictures of parcels, with the size of a pixel and the material.",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        kind = random.integers(0, len(SHAPES), self.samples)
        material = random.integers(0, len(DENSITIES), self.samples)
        pixel = random.uniform(0.5, 1.5, self.samples).round(3)
        radius = random.uniform(2, 5, self.samples)
        middle = random.uniform(4.5, SIZE - 5.5, (2, self.samples))
        solid = _drawn(kind, radius, middle)
        pictures = solid + (random.normal(0, self.noise, solid.shape) if self.noise else 0)
        names = np.array([*DENSITIES])
        area = solid.sum(axis=(1, 2)) * pixel**2
        return {
            "picture": pictures.astype("float32"),
            "pixel": pixel,
            "material": names[material],
            "shape": np.array(SHAPES)[kind],
            "weight": (area * np.array([*DENSITIES.values()])[material]).round(2),
        }


def _drawn(kind: np.ndarray, radius: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """How much of each pixel a shape covers, (samples, rows, columns), from 0 to 1.

    Args:
        kind: place in `SHAPES`, (samples,).
        radius, middle: in pixels, (samples,) and (2, samples).
    """
    import numpy as np

    fine = (np.arange(4 * SIZE) + 0.5) / 4 - 0.5  # four steps for each pixel
    y = fine[None, :, None] - middle[0][:, None, None]
    x = fine[None, None, :] - middle[1][:, None, None]
    size, which = radius[:, None, None], kind[:, None, None]
    box = np.maximum(abs(x), abs(y))
    disc, frame = x**2 + y**2 < size**2, (box < size) & (box > size / 2)
    triangle = (y < size) & (y > -size) & (abs(x) < (y + size) / 2)
    covered = np.where(which == 0, disc, np.where(which == 1, frame, triangle))
    return covered.reshape(len(kind), SIZE, 4, SIZE, 4).mean(axis=(2, 4))
