"""Figures of classes and numbers at each place: masks, frames, and strips along time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.patches import Patch

from dlspec.evaluation.metrics import show_number
from dlspec.views.report import figures, stage_figures
from dlspec.views.report.figures import CLASSES, NETWORK, TRUTH, Array, baseline_color, in_style, styled, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

WRONG, UNCOUNTED = "#dc2626", "#e2e8f0"


def place_figures(run: Run) -> list[Shown]:
    """Some samples with truth and guesses, and how wrong the network is on each."""
    target, names = run.data.target, ["network", *run.metrics.baselines]
    pictures = {name.removeprefix("places:"): own for name, own in run.pictures.items() if name.startswith("places:")}
    shown = [_of_classes(run, pictures) if target.kind == "class" else _of_numbers(run, pictures)]
    errors = {name: run.predictions[name].to_numpy() for name in names}
    what = "share of places that are wrong" if target.kind == "class" else "mean squared error of a sample"
    shown.append(Shown(stage_figures.error_counts(errors, what), "How far off", f"Of each sample of {run.judged_on}."))
    return shown


def _of_classes(run: Run, pictures: Mapping[str, Array]) -> Shown:
    target = run.data.target
    truth, network = pictures["truth"], pictures["network"]
    if run.data.window is not None:
        along = np.arange(truth.size)
        names = [name for name in ("truth", "network", "persistence") if name in pictures]
        return Shown(
            figures.strips(along, {name: pictures[name].ravel() for name in names}, target.classes),
            "What was said when",
            f"The first windows of {run.judged_on}, one after the other, a color for each class. Where the strips "
            "differ, it was wrong.",
        )
    if truth.ndim == 2:
        return Shown(
            sequences(truth, network, target.classes),
            "Truth, guess, and where they differ",
            f"Some samples of {run.judged_on}, a line each, from the first place to the last, a color for each class.",
        )
    truth, network = (values[..., 0] if values.ndim == 4 else values for values in (truth, network))
    seen = pictures.get("seen")
    return Shown(
        masks(seen[:, -1] if seen is not None and _are_frames(seen) else seen, truth, network, target.classes),
        "Truth, guess, and where they differ",
        f"Some samples of {run.judged_on}, a color for each class. What is red was wrong."
        + (" What has no color does not count." if (truth < 0).any() else ""),
    )


def _of_numbers(run: Run, pictures: Mapping[str, Array]) -> Shown:
    truth, network = pictures["truth"], pictures["network"]
    if truth.ndim == 2:
        guesses = {name: pictures[name] for name in ("network", *run.metrics.baselines)}
        if run.data.window is not None:
            guesses = {name: values.reshape(1, -1) for name, values in guesses.items()}
            truth = truth.reshape(1, -1)
        return Shown(
            lines({"truth": truth[:4], **{name: values[:4] for name, values in guesses.items()}}),
            "Truth and guess",
            f"The first windows of {run.judged_on}, one after the other."
            if run.data.window is not None
            else f"Some samples of {run.judged_on}, from the first place to the last.",
        )
    rows = {**_seen_rows(pictures, truth), "truth": truth, "network": network}
    first = "what is seen, " if "seen" in pictures else ""
    return Shown(
        frames(rows),
        "Truth and guess",
        f"Some samples of {run.judged_on}, a column each: {first}what is true, what the network says, and how far off "
        "it is at each place, red where it is far; below, its RMSE.",
    )


def _seen_rows(pictures: Mapping[str, Array], truth: Array) -> dict[str, Array]:
    """A row of pictures of what is seen, or one for each of its last frames."""
    if "seen" not in pictures:
        return {}
    seen = _as_bright(pictures["seen"], truth)
    if not _are_frames(seen):
        return {"seen": seen}
    count = seen.shape[1]
    names = [f"{count - place} before" for place in range(1, count)] + ["seen last"]
    return {name: seen[:, place] for place, name in enumerate(names)}


def _are_frames(seen: Array) -> bool:
    """Whether each sample is several pictures, (samples, frames, height, width), perhaps with channels."""
    return seen.ndim - (seen.shape[-1] in (1, 3)) == 4


def _as_bright(seen: Array, truth: Array) -> Array:
    """Pictures whose smallest and largest values are those of others."""
    shares = (seen - seen.min()) / max(float(seen.max() - seen.min()), 1e-12)
    return np.asarray(shares * (truth.max() - truth.min()) + truth.min())


def _colors(classes: Sequence[str]) -> list[str]:
    return [CLASSES[i % len(CLASSES)] for i in range(len(classes))]


def _legend(axis: object, classes: Sequence[str]) -> None:
    named = classes[:10]
    patches = [Patch(color=color, label=name) for color, name in zip(_colors(named), named, strict=True)]
    axis.legend(handles=patches, ncols=min(5, len(named)), loc="lower left", bbox_to_anchor=(0, 1))  # type: ignore[attr-defined]


@in_style
def masks(seen: Array | None, truth: Array, network: Array, classes: Sequence[str]) -> str:
    """Pictures in columns: what is seen, the class at each pixel, what is guessed, and what is wrong of it.

    Args:
        seen: (samples, height, width), or with a channel, or three.
        truth, network: numbers of classes, (samples, height, width); -1 where a pixel does not count.
    """
    palette = np.array([to_rgb(color) for color in [*_colors(classes), UNCOUNTED]])
    rows: dict[str, Array] = {}
    if seen is not None:
        shares = (seen - seen.min()) / max(float(seen.max() - seen.min()), 1e-12)
        shares = shares if shares.ndim == 4 else shares[..., None]
        rows["seen"] = np.repeat(shares, 3, axis=-1) if shares.shape[-1] == 1 else shares
    wrong = (truth != network) & (truth >= 0)
    rows |= {"truth": palette[truth], "network": palette[np.where(truth < 0, -1, network)]}
    rows["differences"] = np.where(wrong[..., None], to_rgb(WRONG), 0.55 + 0.45 * rows["truth"])
    figure, axes = styled(10, 1.2 * len(rows) + 0.5)
    axis = axes[0, 0]
    axis.set_axis_off()
    _tiles(axis, rows)
    for column, own in enumerate(wrong):
        count = max(1, int((truth[column] >= 0).sum()))
        axis.text(column, len(rows) - 0.42, f"{own.sum() / count:.1%} wrong", ha="center", va="top", fontsize=8.5)
    axis.set_xlim(-0.5, len(truth) - 0.5)
    axis.set_ylim(len(rows) - 0.3, -0.5)
    _legend(axis, classes)
    return to_svg(figure, "masks")


@in_style
def frames(rows: Mapping[str, Array]) -> str:
    """Pictures of numbers in columns, a row for each name, and how far `network` is from `truth`.

    Args:
        rows: (samples, height, width), or with a channel, or three; all on the scale of `truth`.
    """
    truth, network = rows["truth"], rows["network"]
    low, wide = float(truth.min()), max(float(truth.max() - truth.min()), 1e-12)
    off = np.abs(network - truth)
    off = off.mean(axis=-1) if off.ndim == 4 else off
    shown = {name: _colored((values - low) / wide, "magma") for name, values in rows.items()}
    shown["difference"] = _colored(off / wide, "Reds")
    figure, axes = styled(10, 1.2 * len(shown) + 0.3)
    axis = axes[0, 0]
    axis.set_axis_off()
    _tiles(axis, shown)
    for column, own in enumerate((network - truth) ** 2):
        axis.text(column, len(shown) - 0.42, show_number(float(own.mean()) ** 0.5), ha="center", va="top", fontsize=8.5)
    axis.set_xlim(-0.5, len(truth) - 0.5)
    axis.set_ylim(len(shown) - 0.3, -0.5)
    return to_svg(figure, "frames")


def _colored(shares: Array, name: str) -> Array:
    """Values from 0 to 1 as colors, (samples, height, width, 3); three channels are colors already."""
    shares = np.clip(shares, 0, 1)
    if shares.ndim == 4 and shares.shape[-1] == 3:
        return shares
    plain = shares[..., 0] if shares.ndim == 4 else shares
    return np.asarray(colormaps[name](plain)[..., :3])


def _tiles(axis: Any, rows: Mapping[str, Array]) -> None:
    """Draws rows of pictures, each (samples, height, width, 3), with their names on the left."""
    for row, (name, pictures) in enumerate(rows.items()):
        for column, picture in enumerate(pictures):
            height, width = (0.94 * size / max(picture.shape[:2]) / 2 for size in picture.shape[:2])
            place = (column - width, column + width, row + height, row - height)
            axis.imshow(picture, interpolation="nearest", extent=place)
        axis.text(-0.6, row, name, ha="right", va="center", color=TRUTH)


@in_style
def sequences(truth: Array, network: Array, classes: Sequence[str]) -> str:
    """Sequences of classes, a line each: what is true, what is guessed, and what is wrong of it.

    Args:
        truth, network: numbers of classes, (samples, timesteps); -1 where a place does not count.
    """
    figure, axes = styled(10, 0.12 * len(truth) + 1.2, 1, 3, sharey=True)
    palette = ListedColormap([UNCOUNTED, *_colors(classes)])
    wrong = (truth != network) & (truth >= 0)
    panels = {"truth": truth, "network": np.where(truth < 0, -1, network)}
    for axis, (name, values) in zip(axes.flat, panels.items(), strict=False):
        axis.imshow(values, cmap=palette, vmin=-1.5, vmax=len(classes) - 0.5, aspect="auto", interpolation="nearest")
        axis.set_xlabel(name)
    axes[0, 2].imshow(wrong, cmap=ListedColormap(["#f8fafc", WRONG]), vmin=0, vmax=1, aspect="auto",
                      interpolation="nearest")  # fmt: skip
    axes[0, 2].set_xlabel(f"differences: {wrong.sum() / max(1, (truth >= 0).sum()):.1%} of places")
    for axis in axes.flat:
        axis.grid(visible=False)
        axis.set_yticks([])
    _legend(axes[0, 0], classes)
    return to_svg(figure, "sequences")


@in_style
def lines(rows: Mapping[str, Array]) -> str:
    """Sequences of numbers and what is guessed of them, a panel each: name -> (samples, places)."""
    count = len(rows["truth"])
    figure, axes = styled(10, 2.4, 1, count, sharey=True)
    for place, axis in enumerate(axes.flat):
        for i, (name, values) in enumerate(rows.items()):
            color = {"truth": TRUTH, "network": NETWORK}.get(name) or baseline_color(i - 2)
            quiet = name not in ("truth", "network")
            error = f" ({show_number(float(np.nanmean((values - rows['truth']) ** 2) ** 0.5))})" if i else ""
            axis.plot(values[place], color=color, lw=1 if quiet else 1.5, ls=(0, (4, 2)) if quiet else "-",
                      label=f"{name}{error}")  # fmt: skip
        axis.set_xlabel("place")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    return to_svg(figure, "place-lines")
