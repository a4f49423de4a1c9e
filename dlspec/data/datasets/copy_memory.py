"""Bits are shown, then nothing for a while, and then all of them are to be said."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import NonNegativeInt, SampleCount, Timesteps


@DATASETS.register
class CopyMemory(Dataset):
    """The copy task: a sequence begins with random bits, goes on with `delay` blank timesteps, and ends with a mark, at
    which all bits are to be said (Hochreiter and Schmidhuber, 1997; with bits as in Graves et al., 2014).

    A timestep holds the bit, -1 or 1, and the mark; where nothing is shown both are 0. Each bit is a label of its own,
    and to guess has a log loss of ln 2, 0.693: only a network that remembers for `delay` timesteps does better.
    """

    generated = True
    examples: ClassVar = ["copy_memory", {"copy_memory": {"bits": 4, "delay": 50, "samples": 2000}}]

    bits: Timesteps = Field(20, description="how many bits are to be remembered")
    delay: NonNegativeInt = Field(20, description="blank timesteps between the last bit and the mark")
    samples: SampleCount = Field(10_000, description="how many sequences")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"bit_{place}" for place in range(1, self.bits + 1))

    def describe(self) -> Description:
        labels = tuple(Column(name, "class", classes=("0", "1")) for name in self.names)
        return Description(
            "samples",
            (Column("sequence", shape=(self.bits + self.delay + 1, 2)), *labels),
            target=self.names,
            about=f"{self.samples:,} sequences of {self.bits} random bits, {self.delay} blank timesteps and a mark, at "
            "which the bits are to be said (Hochreiter and Schmidhuber, 1997).",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        bits = np.random.default_rng(seed).integers(0, 2, (self.samples, self.bits))
        sequences = np.zeros((self.samples, self.bits + self.delay + 1, 2), "float32")
        sequences[:, : self.bits, 0] = 2 * bits - 1
        sequences[:, -1, 1] = 1
        words = bits.astype(str).astype(object)
        return {"sequence": sequences, **dict(zip(self.names, words.T, strict=True))}
