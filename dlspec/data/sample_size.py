"""What chance does to scores of few samples."""

from __future__ import annotations

from math import sqrt

from dlspec.data.preparation import Prepared

Z = 1.96
"""So many standard deviations to both sides hold 95% of the normal law."""
WIDEST = 0.2
"""An accuracy that is known within ten points to both sides is worth something."""
FEWEST_ERRORS = 20
"""Samples whose mean error is worth something: chance moves it by less than a third."""


def wilson_interval(right: float, count: float) -> tuple[float, float]:
    """Where a share lies with 95% confidence when `right` of `count` were right (Wilson, 1927); of none, anywhere."""
    if not count:
        return 0.0, 1.0
    share, shrunk = right / count, 1 + Z**2 / count
    middle = (share + Z**2 / (2 * count)) / shrunk
    half = Z / shrunk * sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def error_of_error(count: float) -> float:
    """By which share a root mean squared error of so many samples may be off by chance, with 95% confidence, where
    errors follow the normal law."""
    return Z / sqrt(2 * count)


def apart(data: Prepared, count: int) -> int:
    """How many of so many samples have nothing in common. Windows that lie one timestep apart nearly agree: in what is
    predicted of numbers, in what is seen of classes."""
    window = data.signature.window
    if window is None or data.signature.target.places:  # of windows with a target at each timestep none overlap
        return count
    shared = window.span(window.length) if data.signature.target.kind == "class" else window.reach
    return max(1, count // max(1, shared)) if count else 0


def _are_shares(data: Prepared) -> bool:
    """Whether a sample is right or wrong as a whole."""
    target = data.signature.target
    return target.kind in ("class", "labels") and not target.places


def judges_little(data: Prepared, count: int) -> bool:
    """Whether so many samples are too few, whatever is measured on them."""
    few = apart(data, count)
    if _are_shares(data):
        low, high = wilson_interval(few, few)
        return high - low > WIDEST
    return few < FEWEST_ERRORS


def worth_of(data: Prepared, count: int) -> str:
    """What scores of too few samples are worth, in words that go on from how many there are."""
    few = apart(data, count)
    alike = f", which overlap and are worth {few}" if few < count else ""
    if _are_shares(data):
        low, _ = wilson_interval(few, few)
        return f"{alike}: even if all were right, the accuracy could be {low:.0%}"
    return f"{alike}: by chance alone their error is off by up to {error_of_error(few):.0%}"
