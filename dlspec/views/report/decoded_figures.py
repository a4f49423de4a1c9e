"""Figures of pictures that a variational autoencoder makes of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlspec.views.report.figures import Array, gray, in_style, picture_rows, styled, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

GAP = 0.08
"""Of the place of a picture, what is left free."""
A_ROW = 10
"""Pictures beside each other."""


def decoded_figures(run: Run) -> list[Shown]:
    """What comes out for codes that no sample has."""
    pictures = run.pictures
    if "decoded:plane" in pictures:
        figure = plane(pictures["decoded:plane"], pictures["decoded:values"])
        caption = (
            "What the network makes of two numbers: each picture is decoded from the code at its place. The steps are "
            "quantiles of the standard normal distribution, by which codes are drawn, so that each picture is as "
            "probable as any other."
        )
        return [Shown(figure, "The plane of the code", caption, wide=False)]
    if "decoded:drawn" in pictures:
        drawn = pictures["decoded:drawn"]
        rows = {" " * i: drawn[i * A_ROW : (i + 1) * A_ROW] for i in range(len(drawn) // A_ROW)}
        caption = "Pictures decoded from codes that were drawn from the standard normal distribution, without a sample."
        return [Shown(picture_rows(rows), "Drawn from the code", caption)]
    return []


@in_style
def plane(pictures: Array, values: Array) -> str:
    """Pictures, (rows, columns, height, width), in the plane of a code, the first row at the bottom."""
    figure, axes = styled(7.4, 7.2)
    axis = axes[0, 0]
    dark, light = float(pictures.max()), float(pictures.min())
    count = len(values)
    for row in range(count):
        for column in range(count):
            shown = gray(pictures[row, column], light, dark)
            height, width = ((1 - GAP) * size / max(shown.shape[:2]) / 2 for size in shown.shape[:2])
            axis.imshow(
                shown, interpolation="nearest", extent=(column - width, column + width, row - height, row + height)
            )
    names = [f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−") for value in np.asarray(values, "float64")]
    axis.set_xticks(range(count), names, fontsize=7.5)
    axis.set_yticks(range(count), names, fontsize=7.5)
    axis.set_xlim(-0.6, count - 0.4)
    axis.set_ylim(-0.6, count - 0.4)
    axis.set_aspect("equal")
    axis.grid(visible=False)
    axis.set_xlabel("first number of the code")
    axis.set_ylabel("second number of the code")
    return to_svg(figure, "decoded")
