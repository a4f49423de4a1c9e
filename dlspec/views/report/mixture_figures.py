"""Figures of mixtures: their density as shade, some of them as curves, and where truth lies in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import date2num

from dlspec.evaluation.mixtures import deviation_of, log_density, modes_of, quantiles_of, split
from dlspec.evaluation.mixtures import mean_of as means_of
from dlspec.runs.records.predictions import values_in
from dlspec.views.report.figures import NETWORK, QUIET, TRUTH, Array, in_style, styled, thin, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

    from dlspec.runs import Run

SHADE = LinearSegmentedColormap.from_list("density", ["#ffffff", "#c7d2fe", "#818cf8", "#4338ca", "#1e1b4b"])
LIKELIEST = "#db2777"
BETWEEN = "#ea580c"
HEIGHT = 240
"""Places of the vertical axis at which a density is computed."""
CLOSE_UP = 60
"""Forecasts that are drawn, the last ones."""
MOST_VALUES = 8
"""Of several numbers, those that are drawn."""
MOST_COLUMNS = 400
"""Samples beside each other whose density is drawn."""
EXAMPLES = 6
"""Samples whose density is drawn as a curve."""
BINS = 20
ENDS = (0.02, 0.98)
"""The quantiles that are seen, of nearly all densities."""
COLORS = "The darker, the likelier, by the density of each place as a share of its largest"


def of_one(run: Run, table: pd.DataFrame, places: Array | None, label: str) -> list[Shown]:
    """The density of one number: over time, over the only feature, or from the smallest mean to the largest.

    Args:
        table: of the samples that are drawn.
        places: of a series, the time of each.
    """
    truth, found = table["truth"].to_numpy("float64"), values_in(table, run.data)
    if places is not None:
        order = np.argsort(places, kind="stable")[-CLOSE_UP:]
        drawn = shade(places[order], found[order], (places[order], truth[order]), ("", label), joined=True)
        first = Shown(drawn, "What may come", f"The last {len(order)} forecasts. {COLORS}; dots are the truth.")
    elif "across:x" in run.pictures:
        name = run.data.features[0].name
        grid, own = run.pictures["across:grid"], run.pictures["across:mixtures"]
        drawn = shade(grid, own, (run.pictures["across:x"], truth), (name, label))
        first = Shown(
            drawn,
            f"The density over {name}",
            f"{COLORS}; dots are {run.judged_on}. The mean may lie where nothing is likely, between two branches.",
        )
    else:
        first = Shown(
            in_order({label: (truth, found)}),
            "The density over the truth",
            f"From the smallest mean to the largest. {COLORS}; dots are the truth.",
        )
    return [first, _examples(run, found, truth, label), position_figure(run)]


def of_several(run: Run) -> list[Shown]:
    """The densities of several numbers."""
    target, table = run.data.target, run.predictions
    found, truth = values_in(table, run.data), table[[f"truth:{value}" for value in target.values]].to_numpy("float64")
    panels = {value: (truth[:, place], found[:, place]) for place, value in enumerate(target.values[:MOST_VALUES])}
    few = "" if len(target.values) <= MOST_VALUES else f" The first {MOST_VALUES} of {len(target.values)}."
    said = f"From the smallest mean to the largest. {COLORS}; dots are the truth.{few}"
    return [Shown(in_order(panels), "The density of each value", said), position_figure(run)]


def position_figure(run: Run) -> Shown:
    """Where truth lies in its mixture."""
    return Shown(
        positions(run.pictures["cumulated"].reshape(-1)),
        "Is truth where the mixtures say?",
        f"Of {run.judged_on}, the share of its mixture that lies below each true value. If the mixtures are right it "
        "is even, up to chance (gray): high ends are mixtures too narrow, a high middle those too wide.",
        wide=False,
    )


def _examples(run: Run, found: Array, truth: Array, label: str) -> Shown:
    """Some samples, from that with the narrowest mixture to that with the widest."""
    order = np.argsort(deviation_of(found), kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(EXAMPLES, len(order))).astype(int)]
    return Shown(
        curves(found[chosen], truth[chosen], label),
        "Some mixtures",
        f"Of {run.judged_on}, from narrow to wide. Thin lines are components, the orange tick is the mean, "
        "the pink one the likeliest value, the black one the truth.",
    )


def _reach(found: Array, truth: Array) -> tuple[float, float]:
    """The values between which densities are drawn."""
    lows, highs = quantiles_of(found, ENDS).T
    low, high = min(truth.min(), np.quantile(lows, ENDS[0])), max(truth.max(), np.quantile(highs, ENDS[1]))
    room = 0.04 * (high - low) or 1.0
    return float(low - room), float(high + room)


def _draw_shade(axis: Any, edges: Array, found: Array, reach: tuple[float, float]) -> None:
    """A column of shade for each mixture, by its density as a share of its largest.

    Args:
        edges: between the columns, one more than mixtures.
    """
    sides = np.linspace(*reach, HEIGHT + 1)
    height = (sides[:-1] + sides[1:]) / 2
    logs = log_density(height[:, None], found[None])  # (height, columns)
    shares = np.exp(logs - np.maximum(logs.max(axis=0), log_density(modes_of(found), found)))
    axis.pcolormesh(edges, sides, shares, cmap=SHADE, vmin=0, vmax=1, shading="flat", rasterized=True)
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylim(*reach)


def _edges(places: Array) -> Array:
    """Half way between places that ascend, and as far beyond the first and the last."""
    if len(places) < 2:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middle = (places[:-1] + places[1:]) / 2
    return np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])


@in_style
def shade(
    grid: Array, found: Array, points: tuple[Array, Array], labels: tuple[str, str], *, joined: bool = False
) -> str:
    """The density at each place of a grid, its mean and its likeliest value, and samples.

    Args:
        found: (places, 3 * components).
        points: place and truth of samples.
        joined: whether these follow each other.
    """
    figure, axes = styled(10, 5 if not joined else 4.2)
    axis = axes[0, 0]
    dated = grid.dtype.kind == "M"
    along = date2num(grid) if dated else grid.astype("float64")
    if dated:
        axis.xaxis_date()
    _draw_shade(axis, _edges(along), found, _reach(found, points[1]))
    step = thin(len(points[0]), 1500)
    x = (date2num(points[0]) if dated else points[0])[step]
    axis.plot(x, points[1][step], "-o" if joined else "o", color=TRUTH, ms=3 if joined else 2.2, mew=0, lw=0.8,
              alpha=0.9 if joined else 0.45, label="truth")  # fmt: skip
    axis.plot(along, means_of(found), color=BETWEEN, lw=2, ls=(0, (5, 2)), label="mean")
    likeliest = modes_of(found)
    if not joined:
        low, high = axis.get_ylim()
        jumps = np.flatnonzero(np.abs(np.diff(likeliest)) > 0.1 * (high - low)) + 1
        along, likeliest = np.insert(along, jumps, np.nan), np.insert(likeliest, jumps, np.nan)
    axis.plot(along, likeliest, color=LIKELIEST, lw=1.6, label="likeliest value")
    axis.set_xlabel(labels[0])
    axis.set_ylabel(labels[1])
    axis.grid(visible=False)
    axis.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
    return to_svg(figure, "density")


@in_style
def in_order(panels: dict[str, tuple[Array, Array]]) -> str:
    """A panel for each number: truth, (samples,), and mixtures, (samples, 3 * components), by the place of the sample
    from the smallest mean to the largest."""
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = styled(10, (4 if rows == 1 else 3) * rows, rows, columns)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    for axis, (name, (truth, found)) in zip(axes.flat, panels.items(), strict=False):
        order = np.argsort(means_of(found), kind="stable")[thin(len(truth), MOST_COLUMNS)]
        truth, found = truth[order], found[order]
        _draw_shade(axis, np.arange(len(order) + 1) - 0.5, found, _reach(found, truth))
        axis.plot(np.arange(len(order)), means_of(found), color=BETWEEN, lw=1.8, ls=(0, (5, 2)), label="mean")
        axis.plot(np.arange(len(order)), truth, "o", color=TRUTH, ms=2.2, mew=0, alpha=0.6, label="truth")
        axis.set_title(name)
        axis.grid(visible=False)
    axes[0, 0].legend(loc="upper left", fontsize=8)
    return to_svg(figure, "densities")


@in_style
def curves(found: Array, truth: Array, label: str) -> str:
    """A panel for each of some samples: the density, its components, and ticks at mean, likeliest value and truth."""
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    figure, axes = styled(10, 1.9 * rows + 0.4, rows, columns)
    for axis in axes.flat[len(found) :]:
        axis.set_axis_off()
    means, likeliest = means_of(found), modes_of(found)
    for axis, mixture, true, mean, mode in zip(axes.flat, found, truth, means, likeliest, strict=False):
        weights, centers, deviations = split(mixture)
        own = weights > 0.005
        low = min(true, (centers - 3.2 * deviations)[own].min())
        high = max(true, (centers + 3.2 * deviations)[own].max())
        near = np.concatenate([center + deviation * np.linspace(-4, 4, 81) for center, deviation in
                               zip(centers[own], deviations[own], strict=True)])  # fmt: skip
        x = np.unique(np.clip(np.concatenate([np.linspace(low, high, 300), near]), low, high))
        density = np.exp(log_density(x, mixture[None]))
        for weight, center, deviation in zip(weights[own], centers[own], deviations[own], strict=True):
            one = np.exp(log_density(x, np.array([[1.0, center, deviation]])))
            axis.plot(x, weight * one, color=QUIET, lw=0.8)
        axis.fill_between(x, density, color=NETWORK, alpha=0.18, lw=0)
        axis.plot(x, density, color=NETWORK, lw=1.6)
        top = 1.12 * density.max()
        for place, color, reach in ((mean, BETWEEN, 0.3), (mode, LIKELIEST, 0.3), (true, TRUTH, 0.55)):
            axis.plot([place, place], [0, reach * top], color=color, lw=2)
        axis.set_ylim(0, top)
        axis.set_yticks([])
        axis.grid(visible=False)
    for axis in axes[-1]:
        axis.set_xlabel(label)
    return to_svg(figure, "curves")


@in_style
def positions(shares: Array) -> str:
    """How often truth lies in each twentieth of its mixture, and between which numbers that is by chance.

    Args:
        shares: of the mixture, below each true value.
    """
    from scipy.stats import binom

    figure, axes = styled(4.8, 3.4)
    axis = axes[0, 0]
    count = len(shares)
    low, high = (binom.ppf(level, count, 1 / BINS) for level in (0.025, 0.975))
    axis.axhspan(low, high, color=QUIET, alpha=0.25, lw=0)
    axis.axhline(count / BINS, color=QUIET, lw=1)
    axis.hist(shares, bins=np.linspace(0, 1, BINS + 1), color=NETWORK, alpha=0.75, rwidth=0.92)
    axis.set_xlabel("share of the mixture below the truth")
    axis.set_ylabel("samples")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.set_xlim(0, 1)
    return to_svg(figure, "positions")
