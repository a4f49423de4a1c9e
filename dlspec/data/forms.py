"""What a number is given by: one value, its quantiles or a mixture of normal distributions; and their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

Form = Literal["value", "quantiles", "mixture"]
"""What a number is given by."""

INTERVAL = (0.1, 0.9)
"""The shares that are to lie below the two ends of the central interval of a mixture."""


def of_quantiles(name: str, levels: Sequence[float]) -> list[str]:
    """What the quantiles of a number are called, ascending: `price q0.1`; the median has the name of the number."""
    return [name if level == 0.5 else f"{name} q{level!r}" for level in levels] or [name]


def told_of_mixture(name: str) -> list[str]:
    """What is told of a number that is given by a mixture: its mean, which has the name of the number, both ends of its
    central interval, `price q0.1` and `price q0.9`, and its likeliest value, `price mode`."""
    return [name, *(f"{name} q{level!r}" for level in INTERVAL), f"{name} mode"]


def of_mixture(name: str, components: int) -> list[str]:
    """What the weights, the means and the deviations of a mixture are called: `price weight 1`."""
    return [f"{name} {what} {place}" for what in ("weight", "mean", "deviation") for place in range(1, components + 1)]


class _Given(Protocol):
    @property
    def levels(self) -> tuple[float, ...]: ...

    @property
    def mixture(self) -> int: ...


class GivenBy:
    """Base of what has `levels`, those of quantiles, and `mixture`, the components of one."""

    @property
    def form(self: _Given) -> Form:
        """What a number is given by."""
        return "quantiles" if self.levels else "mixture" if self.mixture else "value"

    @property
    def covered(self: _Given) -> tuple[float, ...]:
        """The shares that are to lie below what is put out, between the first and the last of which truth is covered:
        those of quantiles, or of the interval of a mixture."""
        return INTERVAL if self.mixture else self.levels

    @property
    def values_each(self: _Given) -> int:
        """How many values, along the last axis, give one number; 0: there is no such axis."""
        return len(self.levels) or 3 * self.mixture

    def names_of(self: _Given, name: str) -> list[str]:
        """What the values are called that give a number."""
        return of_mixture(name, self.mixture) if self.mixture else of_quantiles(name, self.levels)

    def told_of(self: _Given, name: str) -> list[str]:
        """What the columns are called that are told of a number, ascending where they are quantiles."""
        return told_of_mixture(name) if self.mixture else of_quantiles(name, self.levels)
