"""Figures of codes that are compared: their plane, and distances of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap

from dlspec.views.report.figures import CLASSES, NETWORK, QUIET, TRUTH, Array, in_style, styled, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

FINE = 300
"""Places along each axis at which the nearest mean is looked for."""
BINS = 40
MOST_NAMED = 30
"""Classes whose names stand in the plane."""
DIFFERENT = "#ea580c"


def comparing_figures(run: Run) -> list[Shown]:
    """The plane of codes, or distances of pairs; none where samples are not compared."""
    pictures, target = run.pictures, run.data.target
    if "pairs:distances" in pictures:
        return [_of_pairs(run)]
    if "codes:points" not in pictures:
        return []
    units, share = int(pictures["codes:units"]), float(pictures["codes:share"])
    flat = units <= 2
    layer = run.metrics.codes.layer if run.metrics.codes else ""
    drawn = code_plane(
        pictures["codes:points"], pictures["codes:truth"], pictures["codes:means"], pictures["codes:there"],
        target.classes, flat, units,
    )  # fmt: skip
    recall = run.metrics.codes.recall_at_1 if run.metrics.codes else None
    if units == 2:
        what = (
            f"Where the two numbers of `{layer}` put each sample of {run.judged_on}. The color of the ground is that "
            "of the nearest class mean, which is the prediction; a sample on another color is a mistake."
        )
    elif units == 1:
        what = f"Where the number of `{layer}` puts each sample of {run.judged_on}, class by class."
    else:
        what = (
            f"The {units} numbers of `{layer}` for each sample of {run.judged_on}, seen in the plane of their largest "
            f"variance, which holds {share:.0%} of it."
        )
    what += " A cross is the mean of a class in the training part."
    if recall is not None:
        what += f" The nearest other sample is of the same class for {recall:.1%}."
    return [Shown(drawn, "The codes", what, wide=False)]


def _of_pairs(run: Run) -> Shown:
    pictures, target = run.pictures, run.data.target
    threshold = float(pictures["pairs:threshold"])
    layer = run.metrics.distances.layer if run.metrics.distances else "the distance"
    drawn = distances(pictures["pairs:distances"], pictures["pairs:truth"], threshold, target.name, target.classes)
    parts = "" if np.isnan(threshold) else f" At the line, {threshold:.3g}, both classes are as likely."
    return Shown(drawn, "Distances of pairs", f"What `{layer}` gives of each pair of {run.judged_on}.{parts}")


@in_style
def code_plane(
    points: Array, truth: Array, means: Array, there: Array, classes: Sequence[str], flat: bool, units: int
) -> str:
    """Samples in the plane of their codes, in the color of their class.

    Args:
        points: (samples, 2).
        means: of each class, (classes, 2).
        there: the classes that have one.
        flat: whether the plane is all there is, so that the nearest mean is that of the plane.
        units: of a code.
    """
    figure, axes = styled(5.8, 5.5)
    axis = axes[0, 0]
    if units == 1:  # a line, on which samples are strewn by their class
        points = np.stack([points[:, 0], truth + np.random.default_rng(0).uniform(-0.3, 0.3, len(truth))], axis=1)
        means = np.stack([means[:, 0], np.arange(len(means))], axis=1)
    every = np.concatenate([points, means[there]])
    low, high = every.min(axis=0), every.max(axis=0)
    reach = high - low if units == 1 else np.full(2, (high - low).max())  # both numbers at the same scale
    reach, middle = 0.56 * reach + 1e-3, (low + high) / 2
    edges = np.stack([middle - reach, middle + reach], axis=1)
    if flat and units == 2:
        along, up = (np.linspace(first, last, FINE) for first, last in edges.tolist())
        grid = np.stack(np.meshgrid(along, up), axis=-1)
        nearest = there[((grid[:, :, None] - means[there]) ** 2).sum(-1).argmin(axis=2)] % len(CLASSES)
        axis.imshow(
            nearest, origin="lower", extent=(*edges[0], *edges[1]), cmap=ListedColormap(CLASSES), vmin=-0.5,
            vmax=len(CLASSES) - 0.5, alpha=0.16, interpolation="nearest", aspect="auto",
        )  # fmt: skip
    for label in range(len(classes)):
        own = truth == label
        color = CLASSES[label % len(CLASSES)]
        axis.scatter(points[own, 0], points[own, 1], s=20, color=color, alpha=0.85, lw=0.5, edgecolors="white")
    axis.scatter(means[there, 0], means[there, 1], s=46, color=TRUTH, marker="x", lw=1.6, zorder=4)
    for label in there if len(there) <= MOST_NAMED else ():
        axis.annotate(
            str(classes[label]), means[label], (0, 11), textcoords="offset points", color=TRUTH, ha="center",
            va="center", fontsize=10, fontweight="bold", zorder=5,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
        )  # fmt: skip
    axis.set_xlim(*edges[0])
    axis.set_ylim(*edges[1])
    axis.grid(visible=False)
    if units > 1:
        axis.set_aspect("equal", adjustable="box")
    axis.set_xlabel("first number" if flat else "first direction")
    axis.set_ylabel("class" if units == 1 else "second number" if flat else "second direction")
    return to_svg(figure, "codes")


@in_style
def distances(values: Array, truth: Array, threshold: float, name: str, classes: Sequence[str]) -> str:
    """How far apart pairs are, of each class.

    Args:
        values: (pairs,).
        truth: class numbers, (pairs,).
        threshold: the distance at which both classes are as likely; NaN: there is none.
    """
    figure, axes = styled(10, 3.6)
    axis = axes[0, 0]
    bins = np.linspace(0, float(values.max(initial=0)) or 1.0, BINS + 1)
    for label, color in zip((1, 0), (NETWORK, DIFFERENT), strict=True):
        axis.hist(values[truth == label], bins, color=color, alpha=0.65, label=f"{name}: {classes[label]}", lw=0)
    if not np.isnan(threshold):
        axis.axvline(threshold, color=TRUTH, lw=1.4)
    axis.axvline(0, color=QUIET, lw=0.8)
    axis.set_xlabel("distance")
    axis.set_ylabel("pairs")
    axis.margins(x=0.01)
    axis.legend(loc="upper right")
    return to_svg(figure, "pairs")
