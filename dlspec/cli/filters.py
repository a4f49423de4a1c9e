"""What the units of a first layer look for, drawn in a terminal: red raises a unit, blue lowers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    import numpy as np

MOST = 24
"""Filters that are drawn."""
SMALL = 7
"""Pixels on a side up to which each row has a line of its own where there are no colors."""
SHADES = " .:-=+*#%@"
"""From what lowers a unit most to what raises it most, where there are no colors."""


def draw_filters(kernels: np.ndarray, width: int, color: bool) -> Iterator[Text]:
    """Lines of text with filters side by side.

    Args:
        kernels: (units, rows, columns).
        width: columns of the terminal.
    """
    import numpy as np

    shown = kernels[:MOST] / np.maximum(abs(kernels[:MOST]).max(axis=(1, 2), keepdims=True), 1e-12)
    side = shown.shape[2]
    beside = max(1, (width + 1) // (side + 1))
    for first in range(0, len(shown), beside):
        row = shown[first : first + beside]
        apart = not color and side <= SMALL
        if row.shape[1] % 2 and not apart:
            row = np.concatenate([row, np.zeros((len(row), 1, side))], axis=1)
        for top in range(0, row.shape[1], 1 if apart else 2):  # a letter is as high as two pixels
            line = Text()
            for kernel in row:
                for upper, lower in zip(kernel[top], kernel[top if apart else top + 1], strict=True):
                    line.append(*_letter(float(upper), float(lower), color))
                line.append(" ")
            line.rstrip()
            yield line
        yield Text()


def _letter(upper: float, lower: float, color: bool) -> tuple[str, Style]:
    if color:
        return "▀", Style(color=_shade(upper), bgcolor=_shade(lower))
    place = round(((upper + lower) / 2 + 1) / 2 * (len(SHADES) - 1))
    return SHADES[place], Style()


def _shade(value: float) -> Color:
    """White at 0, red above and blue below."""
    rest = round(255 * (1 - min(1.0, abs(value))))
    return Color.from_rgb(255, rest, rest) if value > 0 else Color.from_rgb(rest, rest, 255)
