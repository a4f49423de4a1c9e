"""The figures of a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.views.report.figures import CLASSES, QUIET, in_style, logarithmic, styled, to_svg

if TYPE_CHECKING:
    from dlspec.training.progress import HistoryRow

Ends = tuple[float, float] | None


@in_style
def dots(
    values: Mapping[str, float], ends: Sequence[Ends], guesses: Sequence[float | None], title: str, percent: bool
) -> str:
    """A dot for each run with its interval, and a line where its best simple guess is."""
    figure, axes = styled(4.8, 0.8 + 0.42 * len(values))
    axis = axes[0, 0]
    for place, ((_, value), own, guess) in enumerate(zip(values.items(), ends, guesses, strict=True)):
        color = CLASSES[place % len(CLASSES)]
        if own is not None:
            axis.plot(own, [place, place], color=color, lw=2, alpha=0.5, solid_capstyle="round")
        axis.plot(value, place, "o", color=color, ms=7, mew=0)
        if guess is not None:
            axis.vlines(guess, place - 0.32, place + 0.32, color=QUIET, lw=2.2)
    _rows(axis, list(values), title)
    if percent:
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    return to_svg(figure, "dots")


@in_style
def gains(found: Mapping[str, tuple[float, Ends]], title: str, percent: bool) -> str:
    """What each run gains over the first, with its interval; right of zero it is better."""
    figure, axes = styled(4.8, 0.8 + 0.42 * len(found))
    axis = axes[0, 0]
    axis.axvline(0, color=QUIET, lw=1.4)
    for place, (mean, own) in enumerate(found.values(), 1):
        color = CLASSES[place % len(CLASSES)]
        if own is not None:
            axis.plot(own, [place - 1] * 2, color=color, lw=2, alpha=0.5, solid_capstyle="round")
        axis.plot(mean, place - 1, "o", color=color, ms=7, mew=0)
    _rows(axis, list(found), title)
    if percent:
        axis.xaxis.set_major_formatter(lambda value, _: f"{100 * value:+.0f}")
    return to_svg(figure, "gains")


def _rows(axis: Any, names: Sequence[str], title: str) -> None:
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlabel(title)
    axis.grid(axis="y", visible=False)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)


@in_style
def curves(runs: Mapping[str, Mapping[str, Sequence[HistoryRow]]]) -> str:
    """Losses by epoch, a panel a stage and a color a run: on what is trained on dashed, on what is held out whole."""
    stages = list(dict.fromkeys(stage for own in runs.values() for stage in own))
    columns = min(3, len(stages))
    rows = math.ceil(len(stages) / columns)
    figure, axes = styled(10, 3.1 * rows, rows, columns)
    for axis in axes.flat[len(stages) :]:
        axis.set_visible(False)
    for axis, stage in zip(axes.flat, stages, strict=False):
        seen: list[float] = []
        for place, (name, own) in enumerate(runs.items()):
            history, color = own.get(stage, ()), CLASSES[place % len(CLASSES)]
            if not history:
                continue
            epochs = [row.epoch for row in history]
            held_out = np.array([math.nan if row.val_loss is None else row.val_loss for row in history])
            loss, few = np.array([row.loss for row in history]), "o" if len(epochs) < 3 else ""
            known = not np.isnan(held_out).all()
            axis.plot(epochs, loss, color=color, lw=1.2, ls="--" if known else "-", marker=few, ms=3,
                      alpha=0.75 if known else 1, label=None if known else name)  # fmt: skip
            if known:
                axis.plot(epochs, held_out, color=color, lw=1.8, marker=few, ms=3, label=name)
            seen += [*loss, *held_out[~np.isnan(held_out)]]
        if min(seen) > 0 and max(seen) / min(seen) > 30:
            logarithmic(axis)
            stage += " (logarithmic)"
        axis.set_title(stage)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend(loc="best", fontsize=8.5)
    axes[0, 0].set_ylabel("loss")
    return to_svg(figure, "curves")
