"""How large a first network is, and how long it is trained, from how many samples there are."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

STEPS = 4000
"""About so many steps of training a small network takes; fewer than some epochs are none the less done."""
FEWEST_EPOCHS, MOST_EPOCHS = 40, 1000
LEAST_ROWS, FEW_ROWS = 20, 300
"""Of fewer samples, a single test part says little: each of them is tested on in its turn."""


@dataclass(frozen=True)
class Sizes:
    """What depends on the number of samples.

    Args:
        units: of the first hidden layer; the second has half of them.
        weight_decay: how much weights are pulled towards zero, which few samples need; None: not at all.
        folds: how many times it is trained, each time tested on another part; None: once.
    """

    units: int
    batch: int
    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float | None = None
    folds: int | None = None

    @classmethod
    def of(cls, rows: int) -> Sizes:
        """
        Args:
            rows: samples, or timesteps.
        """
        units = 8 if rows < 150 else 16 if rows < 1000 else 32 if rows < 5000 else 64
        batch = 16 if rows < 1000 else 32 if rows < 5000 else 128 if rows < 100_000 else 512
        steps_of_epoch = max(1, round(0.7 * rows / batch))
        epochs = _round(min(MOST_EPOCHS, max(FEWEST_EPOCHS, ceil(STEPS / steps_of_epoch))))
        patience = max(10, epochs // 10)
        return cls(
            units,
            batch,
            epochs,
            patience,
            learning_rate=0.003 if rows < 5000 else 0.001,
            weight_decay=1.0 if rows < FEW_ROWS else 0.3 if rows < 1000 else None,
            folds=5 if LEAST_ROWS <= rows < FEW_ROWS else None,
        )


def _round(count: int) -> int:
    """To one digit, or two that are simple: 40, 150, 700."""
    size = 10 ** (len(str(count)) - 1)
    return max(size, round(2 * count / size) * size // 2)
