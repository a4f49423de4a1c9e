"""Outlines of rectangles that are wider than high or higher than wide."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import SampleCount


@DATASETS.register
class Rectangles(Dataset):
    """Pictures of the outline of one rectangle, white on black; the target says whether it is `wide` or `tall`
    (Larochelle et al., 2007).

    Width and height are drawn until they differ by three pixels at least, and the place at random.
    """

    generated = True
    examples: ClassVar = ["rectangles", {"rectangles": {"samples": 500, "side": 16}}]

    samples: SampleCount = Field(1200, description="how many pictures")
    side: Annotated[int, Strict(), Field(ge=8)] = Field(28, description="pixels along each side of a picture")

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("image", shape=(self.side, self.side)), Column("form", "class", classes=("tall", "wide"))),
            target="form",
            about=f"{self.samples:,} pictures of {self.side} x {self.side} pixels with the outline of a rectangle "
            "(after Larochelle et al., 2007).",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        images = np.zeros((self.samples, self.side, self.side), "uint8")
        forms = []
        for image in images:
            width = height = 0
            while abs(width - height) < 3:
                height, width = random.integers(2, self.side + 1, 2)
            top, left = random.integers(0, self.side - height + 1), random.integers(0, self.side - width + 1)
            bottom, right = top + height - 1, left + width - 1
            image[top : bottom + 1, [left, right]] = image[[top, bottom], left : right + 1] = 1
            forms.append("wide" if width > height else "tall")
        return {"image": images, "form": np.array(forms)}
