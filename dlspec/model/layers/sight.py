"""How far along time a layer looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

NEVER = -(10**9)
"""Timesteps ahead of what depends on no timestep at all."""


class Sight(NamedTuple):
    """What comes out of a layer, along time: at each timestep it depends on the input up to some timestep alone.

    Args:
        axis: the axis of time, counted with the batch as 0.
        ahead: how many timesteps behind its own the last one lies that it depends on; below zero, before it.
    """

    axis: int = 1
    ahead: int = 0

    def moved(self, steps: int) -> Sight:
        """The same, so many timesteps further ahead."""
        return self._replace(ahead=self.ahead + steps)


def together(seen: Sequence[Sight]) -> Sight | None:
    """What values depend on that are made of several at the same timestep; None where time lies in other axes."""
    axes = {each.axis for each in seen}
    return Sight(axes.pop(), max(each.ahead for each in seen)) if len(axes) == 1 else None
