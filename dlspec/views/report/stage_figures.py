"""Figures of pretraining, and of networks that give back their input: functions from numbers to SVG text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.metrics import show_number
from dlspec.views.report.figures import (
    APART,
    CLASSES,
    NETWORK,
    QUIET,
    TRUTH,
    Array,
    baseline_color,
    gray,
    in_style,
    logarithmic,
    styled,
    to_svg,
)

if TYPE_CHECKING:
    from dlspec.runs.records.metrics import Compared

WITHOUT = "#94a3b8"
HIDDEN = (0.85, 0.88, 0.93)
"""The color of what was hidden from the network."""
MOST_COLUMNS = 30
"""Columns that are drawn as bars, those that are told best."""


@in_style
def activations(layers: Mapping[str, tuple[Array, Array, Array]]) -> str:
    """A histogram for each layer.

    Args:
        layers: name -> counts, edges between them, and (units, dead units, mean).
    """
    columns = min(4, len(layers))
    rows = math.ceil(len(layers) / columns)
    figure, axes = styled(10, 2.2 * rows, rows, columns)
    for axis in axes.flat[len(layers) :]:
        axis.set_visible(False)
    for axis, (name, (counts, edges, units)) in zip(axes.flat, layers.items(), strict=False):
        axis.stairs(counts / max(1, counts.sum()), edges, fill=True, color=NETWORK, alpha=0.75)
        axis.axvline(units[2], color=TRUTH, lw=1.2, ls="--")
        axis.set_title(f"{name}: mean {units[2]:.3g}" + (f", {int(units[1])} dead" if units[1] else ""))
        axis.set_xlabel("activation")
    axes[0, 0].set_ylabel("share")
    return to_svg(figure, "activations")


@in_style
def with_and_without(found: Compared, metric: str, title: str, percent: bool) -> str:
    """Scores of every seed with and without pretraining, and the losses of their fine-tuning."""
    figure, axes = styled(10, 3.0, 1, 2, width_ratios=[1, 1.4])
    axis = axes[0, 0]
    colors = {"with": NETWORK, "without": WITHOUT}
    for place, (spreads, color) in enumerate(zip((found.with_, found.without), colors.values(), strict=True)):
        values = np.array(spreads[metric].values, "float64")
        mean = float(values.mean())
        axis.plot(np.full(len(values), place) + np.linspace(-0.12, 0.12, len(values)), values, "o", color=color, ms=6,
                  alpha=0.75, mew=0)  # fmt: skip
        axis.hlines(mean, place - 0.25, place + 0.25, color=TRUTH, lw=1.6)
        shown = f"{mean:.1%}" if percent else show_number(mean)
        axis.annotate(shown, (place + 0.27, mean), (3, 0), textcoords="offset points", va="center", color=TRUTH)
    axis.set_xticks([0, 1], ["with pretraining", "without"])
    axis.set_xlim(-0.5, 1.75)
    axis.grid(axis="x", visible=False)
    axis.set_title(title)
    if percent:
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis = axes[0, 1]
    named = set()
    for arm in found.arms:
        label = f"{arm.arm} pretraining" if arm.arm not in named else None
        axis.plot(range(1, len(arm.loss) + 1), arm.loss, color=colors[arm.arm], lw=1.4, alpha=0.85, label=label)
        named.add(arm.arm)
    losses = np.array([loss for arm in found.arms for loss in arm.loss if loss is not None])
    if len(losses) and losses.min() > 0 and losses.max() / losses.min() > 30:
        logarithmic(axis)
    axis.set_xlabel("epoch of fine-tuning")
    axis.set_title("loss on the samples trained on")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(loc="upper right")
    return to_svg(figure, "compare")


@in_style
def error_counts(errors: Mapping[str, Array], what: str = "squared error of a sample") -> str:
    """How often which error comes, for the network and each baseline.

    Args:
        what: the error is.
    """
    figure, axes = styled(10, 2.8)
    axis = axes[0, 0]
    high = max(float(np.quantile(values, 0.995)) for values in errors.values())
    bins = np.linspace(0, high or 1.0, 60)
    for i, (name, values) in enumerate(errors.items()):
        color = NETWORK if name == "network" else baseline_color(i - 1)
        label = f"{name} (mean {show_number(values.mean())})"
        counts, edges = np.histogram(np.minimum(values, high), bins)
        axis.stairs(counts, edges, color=color, lw=1.6, label=label, fill=name == "network", alpha=0.7)
    axis.set_xlabel(what)
    axis.set_ylabel("samples")
    axis.legend(loc="upper right")
    return to_svg(figure, "errors")


@in_style
def lines_given_back(rows: Mapping[str, Array]) -> str:
    """Sequences and what is given back of them, a panel each: name -> (samples, timesteps)."""
    count = min(4, len(rows["input"]))
    figure, axes = styled(10, 2.2, 1, count, sharey=True)
    for place, axis in enumerate(axes.flat):
        for i, (name, values) in enumerate(rows.items()):
            color = {"input": TRUTH, "network": NETWORK}.get(name) or baseline_color(i - 2)
            quiet = name not in ("input", "network")
            axis.plot(values[place], color=color, lw=1 if quiet else 1.5, ls=(0, (4, 2)) if quiet else "-", label=name)
        axis.set_xlabel("timestep")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    return to_svg(figure, "lines")


@in_style
def values_given_back(truth: Array, network: Array, features: Sequence[str]) -> str:
    """Every value of some samples against what comes back, a color for each feature."""
    figure, axes = styled(5.0, 4.4)
    axis = axes[0, 0]
    low, high = min(truth.min(), network.min()), max(truth.max(), network.max())
    axis.plot([low, high], [low, high], color=QUIET, lw=1)
    for i, name in enumerate(features):
        label = name if len(features) <= len(CLASSES) else None
        axis.scatter(truth[:, i], network[:, i], s=14, color=CLASSES[i % len(CLASSES)], alpha=0.7, lw=0, label=label)
    axis.set_xlabel("input")
    axis.set_ylabel("network")
    if len(features) <= len(CLASSES):
        axis.legend(fontsize=8)
    return to_svg(figure, "values")


@in_style
def code_plane(points: Array, classes: Array | None) -> str:
    """Samples in the plane of a code of two numbers."""
    figure, axes = styled(5.6, 4.8)
    axis = axes[0, 0]
    if classes is None:
        axis.scatter(points[:, 0], points[:, 1], s=7, color=NETWORK, alpha=0.5, lw=0)
    else:
        for i, name in enumerate(np.unique(classes)):
            chosen = classes == name
            axis.scatter(points[chosen, 0], points[chosen, 1], s=7, color=CLASSES[i % len(CLASSES)], alpha=0.6, lw=0)
            middle = np.median(points[chosen], axis=0)
            axis.annotate(str(name), middle, color=TRUTH, ha="center", va="center", fontsize=9, fontweight="bold",
                          bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75})  # fmt: skip
    axis.set_xlabel("first number")
    axis.set_ylabel("second number")
    return to_svg(figure, "code")


@in_style
def pictures_filled_in(rows: Mapping[str, Array]) -> str:
    """Pictures in rows, name -> (samples, height, width) or with channels behind; what is NaN is hidden, and drawn in
    a color of its own."""
    first = rows["original"]
    dark, light = float(first.max()), float(first.min())
    count = len(first)
    figure, axes = styled(10, 0.95 * len(rows) + 0.25)
    axis = axes[0, 0]
    axis.set_axis_off()
    for row, (name, pictures) in enumerate(rows.items()):
        for column, picture in enumerate(pictures):
            hidden = np.isnan(picture).reshape(*picture.shape[:2], -1).any(axis=-1)
            shown = gray(np.nan_to_num(picture), light, dark)
            shown[hidden] = HIDDEN
            height, width = (APART * size / max(shown.shape[:2]) / 2 for size in shown.shape[:2])
            place = (column - width, column + width, row + height, row - height)
            axis.imshow(shown, interpolation="nearest", extent=place)
        axis.text(-0.6, row, name, ha="right", va="center", color=TRUTH)
    axis.set_xlim(-0.5, count - 0.5)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    return to_svg(figure, "filled")


@in_style
def sequences_filled_in(original: Array, hidden: Array, filled: Array) -> str:
    """Sequences, a panel each, (samples, timesteps): gray stretches were hidden, and a line shows what came back."""
    count = min(4, len(original))
    figure, axes = styled(10, 2.2, 1, count, sharey=True)
    places = np.linspace(0, len(original) - 1, count).astype(int)
    for axis, place in zip(axes.flat, places, strict=True):
        gone = hidden[place] > 0
        for start, end in _stretches(gone):
            axis.axvspan(start - 0.5, end + 0.5, color=HIDDEN, lw=0)
        axis.plot(original[place], color=TRUTH, lw=1.2, label="input")
        axis.plot(np.where(gone, filled[place], np.nan), color=NETWORK, lw=1.8, marker=".", ms=3, label="filled in")
        axis.set_xlabel("timestep")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    return to_svg(figure, "filled")


@in_style
def sequences_foretold(truth: Array, told: Array) -> str:
    """Sequences, a panel each, (samples, timesteps), and each timestep as it was told from those before it."""
    count = min(4, len(truth))
    figure, axes = styled(10, 2.2, 1, count, sharey=True)
    for axis, place in zip(axes.flat, np.linspace(0, len(truth) - 1, count).astype(int), strict=True):
        axis.plot(np.arange(1, truth.shape[1] + 1), truth[place], color=TRUTH, lw=1.2, label="input")
        axis.plot(np.arange(1, truth.shape[1] + 1), told[place], color=NETWORK, lw=1.5, label="told")
        axis.set_xlabel("timestep")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    return to_svg(figure, "foretold")


def _stretches(gone: Array) -> list[tuple[int, int]]:
    """First and last place of each stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]]).astype(int)))
    return [(int(start), int(end) - 1) for start, end in edges.reshape(-1, 2)]


@in_style
def explained_columns(original: Array, filled: Array, names: Sequence[str]) -> str:
    """Of each column, the share of its variance that comes back, as bars: (samples, columns)."""
    shares: dict[str, list[float]] = {}
    for i, name in enumerate(names):
        spread = float(((original[:, i] - original[:, i].mean()) ** 2).sum())
        if spread:
            shares.setdefault(name, []).append(1 - float(((original[:, i] - filled[:, i]) ** 2).sum()) / spread)
    means = sorted(((float(np.mean(values)), name) for name, values in shares.items()))[-MOST_COLUMNS:]
    figure, axes = styled(7, 0.6 + 0.27 * max(1, len(means)))
    axis = axes[0, 0]
    axis.barh([name for _, name in means], [max(share, 0.0) for share, _ in means], color=NETWORK, height=0.62)
    for place, (share, _) in enumerate(means):
        axis.text(max(share, 0.0) + 0.01, place, f"{share:.0%}", va="center", fontsize=8.5, color=TRUTH)
    axis.set_xlim(0, 1.12)
    axis.set_xlabel("share of the variance that comes back")
    return to_svg(figure, "columns")
