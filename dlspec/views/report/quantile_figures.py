"""Figures of quantiles: the band that they are, and how much of what is true lies below each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.runs.records.predictions import values_in
from dlspec.views.report.figures import NETWORK, QUIET, TRUTH, Array, in_style, styled, thin, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

    from dlspec.runs import Run

OUTSIDE = "#dc2626"
CLOSE_UP = 60
"""Samples that are drawn closer."""
MOST_VALUES = 8
"""Of several numbers, those that are drawn."""
MOST_NAMED = 3
"""Of the pairs of quantiles, those that a legend names."""
MOST_SAID = 11
"""Of the quantiles, with so many the share below each is written beside its dot."""
FANS = 4
"""Forecasts over several timesteps that are drawn."""


def band_figure(run: Run, table: pd.DataFrame, places: Array | None, label: str) -> Shown:
    """The band of one number: over time, over the only feature, or from the smallest prediction to the largest.

    Args:
        table: of the samples that are drawn.
        places: of a series, the time of each.
    """
    levels, truth = run.data.target.levels, table["truth"].to_numpy()
    found, colors = values_in(table, run.data), f"{_of_band(run)} Red is what lies outside."
    if places is not None:
        return Shown(
            band_over_time(places, truth, found, levels, label, run.judged_on), "The band over the truth", colors
        )
    if "across:x" in run.pictures:
        grid, own = run.pictures["across:grid"], run.pictures["across:quantiles"]
        points = run.pictures["across:x"], truth
        name = run.data.features[0].name
        drawn = band_across(grid, own, levels, points, _outside(truth, found), (name, label))
        return Shown(drawn, f"The band over {name}", colors)
    order = np.argsort(found[:, levels.index(0.5)], kind="stable")
    return Shown(
        band_in_order({label: (truth[order], found[order])}, levels),
        "The band over the truth",
        f"From the smallest median to the largest. {colors}",
    )


def bands_of_several(run: Run) -> list[Shown]:
    """The bands of several numbers; of a series several steps ahead, as fans."""
    target, table = run.data.target, run.predictions
    found = values_in(table, run.data)
    truth = table[[f"truth:{value}" for value in target.values]].to_numpy()
    shown = []
    if target.steps and "series:last" in run.pictures and "group" not in table:
        column = next(target.columns())[0]
        own = [place for place, (name, _) in enumerate(target.columns()) if name == column]
        if len(own) > 1:
            steps = np.array([target.steps[place] for place in own])
            fans_of = truth[:, own], found[:, own], run.pictures["series:last"][:, own[0]]
            shown.append(
                Shown(
                    fans(table["row"].to_numpy(), steps, *fans_of, target.levels, column),
                    "Forecasts as fans",
                    f"Some forecasts of `{column}`, {steps[0]} to {steps[-1]} timesteps ahead, beside what came.",
                )
            )
    panels = {}
    for place, value in enumerate(target.values[:MOST_VALUES]):
        order = np.argsort(found[:, place, target.levels.index(0.5)], kind="stable")
        panels[value] = truth[order, place], found[order, place]
    few = "" if len(target.values) <= MOST_VALUES else f" The first {MOST_VALUES} of {len(target.values)}."
    shown.append(
        Shown(
            band_in_order(panels, target.levels),
            "The band of each value",
            f"From the smallest median to the largest. {_of_band(run)} Red is what lies outside.{few}",
        )
    )
    return shown


def calibration_figure(run: Run) -> Shown:
    """How much of what is true lies below each quantile."""
    shares, ends = run.pictures["calibration:shares"], run.pictures["calibration:ends"]
    return Shown(
        calibration(np.array(run.data.target.levels), shares, ends),
        "Does each quantile hold what it promises?",
        f"The share of what is true on {run.judged_on} that lies below each quantile, and where it lies with 95% "
        "confidence. On the line it is the share that was asked for.",
        wide=False,
    )


def _of_band(run: Run) -> str:
    """What the band is to cover, and what it does."""
    levels, metrics = run.data.target.levels, run.metrics
    said = f"Between the quantiles {levels[0]!r} and {levels[-1]!r} {100 * (levels[-1] - levels[0]):.4g}% should lie"
    covered, ends = metrics.test.get("coverage"), metrics.test_intervals.get("coverage")
    if covered is None:
        return f"{said}."
    return f"{said}, and {covered:.1%} does{f' ({ends[0]:.1%} to {ends[1]:.1%})' if ends else ''}."


def _outside(truth: Array, found: Array) -> Array:
    return np.asarray((truth < found[:, 0]) | (truth > found[:, -1]))


def _draw_band(axis: Any, x: Array, found: Array, levels: Sequence[float]) -> None:
    """Fills between the first and the last quantile, the second and the last but one, and so on; the median is a
    line."""
    for place in range(len(levels) // 2):
        other = len(levels) - 1 - place
        label = f"{levels[place]:.4g} to {levels[other]:.4g}" if place < MOST_NAMED else None
        axis.fill_between(
            x,
            found[:, place],
            found[:, other],
            color=NETWORK,
            alpha=0.2 if len(levels) < 8 else 0.04,
            lw=0,
            label=label,
        )
    axis.plot(x, found[:, list(levels).index(0.5)], color=NETWORK, lw=1.6, label="median")


def _draw_truth(axis: Any, x: Array, truth: Array, outside: Array, size: float) -> None:
    for which, color in ((~outside, TRUTH), (outside, OUTSIDE)):
        axis.scatter(x[which], truth[which], s=size, color=color, lw=0, alpha=0.75, zorder=3)


@in_style
def band_over_time(times: Array, truth: Array, found: Array, levels: tuple[float, ...], label: str, whole: str) -> str:
    """The band along all forecasts, and along the last of many closer.

    Args:
        found: (samples, quantiles).
        whole: what all of them are, in words.
    """
    order = np.argsort(times, kind="stable")
    times, truth, found = times[order], truth[order], found[order]
    views = [(thin(len(truth)), whole)]
    if len(truth) > 1.5 * CLOSE_UP:
        views.append((slice(len(truth) - CLOSE_UP, None), f"the last {CLOSE_UP} forecasts, closer"))
    figure, axes = styled(10, 2.9 * len(views), len(views), 1)
    for axis, (part, title) in zip(axes[:, 0], views, strict=True):
        own, few = truth[part], len(truth[part]) <= 1.5 * CLOSE_UP
        _draw_band(axis, times[part], found[part], levels)
        axis.plot(times[part], own, color=TRUTH, lw=1, label="truth", alpha=0.8)
        _draw_truth(axis, times[part], own, _outside(own, found[part]), 14 if few else 5)
        axis.set_title(title)
        axis.set_ylabel(label)
        axis.margins(x=0.01)
    axes[0, 0].legend(ncols=2 + min(MOST_NAMED, len(levels) // 2), loc="lower right", bbox_to_anchor=(1, 1))
    return to_svg(figure, "band")


@in_style
def band_across(
    grid: Array,
    found: Array,
    levels: tuple[float, ...],
    points: tuple[Array, Array],
    outside: Array,
    labels: tuple[str, str],
) -> str:
    """The band over a feature, and the samples of the test part.

    Args:
        found: at each place of the grid, (places, quantiles).
        points: feature and truth of samples.
        outside: which of them lie outside of the band.
    """
    figure, axes = styled(10, 4.4)
    axis = axes[0, 0]
    _draw_band(axis, grid, found, levels)
    step = thin(len(outside))
    _draw_truth(axis, points[0][step], points[1][step], outside[step], 13)
    axis.set_xlabel(labels[0])
    axis.set_ylabel(labels[1])
    axis.margins(x=0.01)
    axis.legend(ncols=1 + min(MOST_NAMED, len(levels) // 2), loc="lower right", bbox_to_anchor=(1, 1))
    return to_svg(figure, "across")


@in_style
def band_in_order(panels: dict[str, tuple[Array, Array]], levels: tuple[float, ...]) -> str:
    """A panel for each number: truth, (samples,), and quantiles, (samples, quantiles), by the place of the sample."""
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = styled(10, (3.4 if rows == 1 else 2.6) * rows, rows, columns)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    for axis, (name, (truth, found)) in zip(axes.flat, panels.items(), strict=False):
        step = thin(len(truth), 1000)
        x = np.arange(len(truth))[step]
        _draw_band(axis, x, found[step], levels)
        _draw_truth(axis, x, truth[step], _outside(truth, found)[step], 9)
        axis.set_title(name)
        axis.margins(x=0.01)
    axes[0, 0].legend(loc="upper left", fontsize=8)
    return to_svg(figure, "bands")


@in_style
def fans(
    rows: Array, steps: Array, truth: Array, found: Array, last: Array, levels: tuple[float, ...], label: str
) -> str:
    """Some forecasts over several timesteps, each with what came before and after.

    Args:
        rows: of the first timestep that each sample predicts.
        steps: how far ahead each timestep lies.
        truth, found: (samples, steps), (samples, steps, quantiles).
        last: the value that was known last, (samples,).
    """
    chosen = np.linspace(0, len(rows) - 1, min(FANS, len(rows)) + 2).astype(int)[1:-1]
    figure, axes = styled(10, 2.8, 1, len(chosen), sharey=True)
    before = 2 * len(steps)
    for axis, place in zip(axes.flat, chosen, strict=False):
        own = (rows <= rows[place] - steps[0]) & (rows > rows[place] - steps[0] - before)
        past = np.argsort(rows[own], kind="stable")
        known = np.append(rows[own][past] - rows[place] + steps[0], 0)
        axis.plot(known, np.append(truth[own, 0][past], last[place]), color=QUIET, lw=1.4)
        start = np.repeat(last[place], len(levels))[None]
        _draw_band(axis, np.append(0, steps), np.concatenate([start, found[place]]), levels)
        axis.plot(steps, truth[place], color=TRUTH, lw=1.2, marker="o", ms=3, label="truth")
        axis.set_title(f"from row {rows[place] - steps[0]}")
        axis.set_xlabel("timesteps ahead")
    axes[0, 0].set_ylabel(label)
    axes[0, 0].legend(loc="upper left", fontsize=8)
    return to_svg(figure, "fans")


@in_style
def calibration(levels: Array, shares: Array, ends: Array) -> str:
    """The share that lies below each quantile against the one that was asked for.

    Args:
        ends: of each share, (quantiles, 2), NaN where they are not known.
    """
    figure, axes = styled(4.6, 4.2)
    axis = axes[0, 0]
    axis.plot([0, 1], [0, 1], color=QUIET, lw=1)
    axis.vlines(levels, ends[:, 0], ends[:, 1], color=NETWORK, lw=2, alpha=0.5)
    axis.plot(levels, shares, "o", color=NETWORK, ms=6)
    for level, share in zip(levels, shares, strict=True) if len(levels) <= MOST_SAID else ():
        axis.annotate(f"{share:.1%}", (level, share), (8, -4), textcoords="offset points", color=TRUTH, fontsize=8.5)
    axis.set_xlim(0, 1.08)
    axis.set_ylim(0, 1)
    axis.set_xlabel("asked for")
    axis.set_ylabel("lies below")
    for each in (axis.xaxis, axis.yaxis):
        each.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.set_xticks(np.arange(0, 1.01, 0.25))
    return to_svg(figure, "calibration")
