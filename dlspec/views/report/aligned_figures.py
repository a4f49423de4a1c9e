"""Samples with the text that was read off them, and when each item was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlspec.runs.written_texts import text_of
from dlspec.views.report.figures import CLASSES, QUIET, TRUTH, in_style, styled, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from dlspec.runs import Run

    Array = np.ndarray

RIGHT, WRONG = "#15803d", "#dc2626"
PREFIX = "timesteps:"
MOST_CURVES = 4
"""Features of a sequence that are drawn as curves; more are drawn as a picture."""
LONGEST = 60
"""Characters of a text that are written beside a sample."""


def timestep_figures(run: Run) -> list[Shown]:
    """What was said at each timestep of some samples; nothing where none was kept."""
    pictures, target = run.pictures, run.data.target
    if "timesteps:blank" not in pictures:
        return []
    texts = [
        (_short(text_of(truth, target)), _short(text_of(read, target)))
        for truth, read in zip(pictures["timesteps:truth"], pictures["timesteps:read"], strict=True)
    ]
    seen = pictures.get("timesteps:seen")
    what = "" if seen is None else "Below each sample stands"
    return [
        Shown(
            said_at_timesteps(
                {
                    name.removeprefix("timesteps:"): own
                    for name, own in pictures.items()
                    if name.startswith("timesteps:")
                },
                ["", *target.items],
                texts,
                [truth == read for truth, read in texts],
            ),
            "When each item was said",
            f"Some of {run.judged_on}, first those that are read otherwise than they are. {what or 'It is shown'} how "
            "probable each item is at each timestep of the network; the blank, which is said where nothing new is, is "
            "grey. Nobody told the network where an item stands.",
        )
    ]


@in_style
def said_at_timesteps(
    pictures: Mapping[str, Array], items: Sequence[str], texts: Sequence[tuple[str, str]], right: Sequence[bool]
) -> str:
    """A row for each sample: what was seen, and below it the probabilities along time.

    Args:
        pictures: see `of_timesteps`.
        items: the name of each class.
        texts: what is true, and what was read.
    """
    seen, count = pictures.get("seen"), len(texts)
    tall = [] if seen is None else [1.0]
    heights = [*tall, 0.8] * count
    figure, axes = styled(10, 1.15 * sum(heights), len(heights), 1, gridspec_kw={"height_ratios": heights})
    colors: dict[int, str] = {}
    for row in range(count):
        own = axes[row * (1 + len(tall)) : (row + 1) * (1 + len(tall)), 0]
        if seen is not None:
            _draw_seen(own[0], seen[row])
        blank, shares, classes = (pictures[name][row] for name in ("blank", "shares", "items"))
        _draw_shares(own[-1], blank, shares, classes, items, colors)
        truth, read = texts[row]
        said = f"read {read}" if right[row] else f"read {read}, true {truth}"
        if row < count - 1:
            own[-1].tick_params(labelbottom=False)
        own[0].set_title(said, loc="left", fontsize=10, color=RIGHT if right[row] else WRONG, pad=3)
    axes[-1, 0].set_xlabel("timestep of the network")
    return to_svg(figure, "said_at_timesteps")


def _draw_seen(axis: Axes, values: Array) -> None:
    """A picture, whose columns are time, or a sequence, (timesteps, features)."""
    if values.ndim == 3 and values.shape[-1] in (1, 3):  # a picture with channels
        values = values[..., 0] if values.shape[-1] == 1 else values / max(float(values.max()), 1.0)
    elif values.ndim > 2:
        values = values.reshape(len(values), -1)
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] <= MOST_CURVES):
        axis.plot(values, color=TRUTH, linewidth=0.8)
        axis.set_xlim(0, len(values) - 1)
    else:
        lying = values.T if values.ndim == 2 and len(values) > values.shape[1] else values
        axis.imshow(lying, cmap="gray_r", aspect="auto", interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)


def _draw_shares(
    axis: Axes, blank: Array, shares: Array, classes: Array, items: Sequence[str], colors: dict[int, str]
) -> None:
    edges, loudest = np.arange(len(blank) + 1) - 0.5, shares.max(axis=1)

    def steps(values: Array) -> Array:
        return 100 * np.append(values, values[-1])

    axis.fill_between(edges, steps(blank), step="post", color=QUIET, alpha=0.25, linewidth=0)
    for curve, own in zip(shares.T, classes, strict=True):
        if not own:
            continue
        color = colors.setdefault(int(own), CLASSES[len(colors) % len(CLASSES)])
        axis.fill_between(edges, steps(curve), step="post", color=color, alpha=0.35, linewidth=0)
        axis.step(edges, steps(curve), where="post", color=color, linewidth=1.1)
        for peak in _peaks(np.where(curve == loudest, curve, 0.0), blank):
            axis.annotate(
                items[own], (peak, 100), color=color, ha="center", va="bottom", fontsize=9, annotation_clip=False
            )
    axis.set_xlim(-0.5, len(blank) - 0.5)
    axis.set_ylim(0, 100)
    axis.set_yticks([0, 100], ["0%", "100%"])


def _peaks(curve: Array, blank: Array) -> list[int]:
    """Of each stretch of timesteps at which an item is likelier than the blank, the one where it is likeliest."""
    above = np.flatnonzero(curve > np.maximum(blank, 0.3))
    stretches = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1) if len(above) else []
    return [int(stretch[curve[stretch].argmax()]) for stretch in stretches]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
