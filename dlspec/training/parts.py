"""Parts of a loss, as engines tell them beside the whole."""

from __future__ import annotations

from collections.abc import Sequence
from threading import local
from typing import Any


class PartsOfOutputs:
    """The loss of each output, as `engines` tell them beside the sum; see `LossParts`.

    Args:
        names: what they are called.
        means: a `keras.metrics.Mean` for each, which keeps the loss of a batch that Keras itself trains on.
    """

    def __init__(self, names: Sequence[str], means: Sequence[Any]) -> None:
        self.names = tuple(names)
        self.means = means
        self.tells = False
        self._now = local()

    def keep(self) -> None:
        """Has every loss update what `of_batch` tells."""
        self.tells = True

    @property
    def last(self) -> tuple[Any, ...]:
        """Of the last loss that was computed in this thread."""
        found: tuple[Any, ...] = self._now.parts
        return found

    def computed(self, parts: Sequence[Any]) -> None:
        """Is told of a loss."""
        self._now.parts = tuple(parts)
        if self.tells:
            for mean, part in zip(self.means, parts, strict=True):
                mean.update_state(part)

    def of_batch(self) -> tuple[float, ...]:
        """Of the last batch that Keras itself trained on or measured."""
        return tuple(float(mean.result()) for mean in self.means)
