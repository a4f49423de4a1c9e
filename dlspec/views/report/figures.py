"""The figures of a report, each a function from numbers to SVG text."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dlspec.evaluation.metrics import show_number
from dlspec.language.diagnostics.text import visible

if TYPE_CHECKING:
    from dlspec.runs.records.data import Parts
    from dlspec.training.progress import HistoryRow

Array = np.ndarray

NETWORK, TRUTH, QUIET = "#2563eb", "#1f2937", "#9ca3af"
BASELINES = ("#d97706", "#7c3aed", "#0d9488", "#be185d")
LONG = 36
"""Characters of the names of classes, from which on they are written at an angle."""
CLASSES = (
    "#2563eb",
    "#ea580c",
    "#16a34a",
    "#9333ea",
    "#ca8a04",
    "#0891b2",
    "#dc2626",
    "#4b5563",
    "#db2777",
    "#65a30d",
)
PARTS = {"training": "#64748b", "validation": "#f59e0b", "test": "#10b981"}
PLANE = LinearSegmentedColormap.from_list("plane", ["#93c5fd", "#f8fafc", "#fdba74"])

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: it can be searched and copied
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#94a3b8",
    "axes.labelcolor": "#475569",
    "axes.titlesize": 10.5,
    "axes.titlecolor": "#334155",
    "axes.titlelocation": "left",
    "xtick.color": "#64748b",
    "ytick.color": "#64748b",
    "axes.grid": True,
    "grid.color": "#e2e8f0",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "text.parse_math": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "date.converter": "concise",
    "figure.constrained_layout.use": True,
    "image.composite_image": False,
}


def to_svg(figure: Figure, name: str) -> str:
    """The figure as an `<svg>` element; `name` keeps its inner ids apart from those of other figures."""
    text = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # text stays text, which is shown in a font of the reader that has the letters
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :].replace("<svg ", '<svg role="img" ', 1)


def logarithmic(axis: Any) -> None:
    """Powers of ten on the vertical axis, with plain numbers beside it."""
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(lambda value, _: "")


def styled(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Array]:
    """An empty figure in the style of the report, sizes in inches, and its axes, (rows, columns)."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def in_style(function: Any) -> Any:
    """Draws with the style of the report, and names out of files without control characters."""

    def drawn(*arguments: Any, **keywords: Any) -> Any:
        with mpl.rc_context(STYLE):
            return function(*map(_shown, arguments), **{key: _shown(value) for key, value in keywords.items()})

    drawn.__doc__, drawn.__name__ = function.__doc__, function.__name__
    return drawn


LONGEST = 40
"""Characters of a name in a figure; of longer ones the middle is left out."""


def _shown(value: Any) -> Any:
    """A label, or the labels among what a figure is drawn from, as they can be shown."""
    if isinstance(value, str):
        return visible(value)
    if type(value) in (list, tuple):
        return type(value)(map(_short, value))
    if isinstance(value, dict):
        return {_short(key): _shown(own) for key, own in value.items()}
    return value


def _short(value: Any) -> Any:
    shown = _shown(value)
    if not isinstance(shown, str) or len(shown) <= LONGEST:
        return shown
    return f"{shown[: LONGEST // 2]}…{shown[1 - LONGEST // 2 :]}"


def baseline_color(index: int) -> str:
    return BASELINES[index % len(BASELINES)]


def thin(count: int, most: int = 3000) -> slice:
    """Every so many points that a line of `count` points stays small."""
    return slice(None, None, max(1, math.ceil(count / most)))


@in_style
def comparison(scores: Mapping[str, float], percent: bool, *, zero: bool = True) -> str:
    """A bar for the network and one for each baseline.

    Args:
        zero: whether zero means something; else there are dots in place of bars.
    """
    names = list(scores)
    figure, axes = styled(4.6, 0.5 + 0.45 * len(names))
    axis = axes[0, 0]
    values = [scores[name] for name in names]
    colors = [NETWORK if name == "network" else "#cbd5e1" for name in names]
    if zero:
        axis.barh(range(len(names)), values, color=colors, height=0.62)
    else:
        axis.scatter(values, range(len(names)), color=colors, s=70, zorder=3)
    for place, value in enumerate(values):
        shown = f"{value:.1%}" if percent else show_number(value)
        axis.annotate(
            shown, (value, place), (5 if zero else 9, 0), textcoords="offset points", va="center", color=TRUTH
        )
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    if zero:
        axis.set_xlim(0, max(values) * 1.25 if max(values) > 0 else 1)
    else:
        room = (max(values) - min(values)) or 1.0
        axis.set_xlim(min(values) - 0.1 * room, max(values) + 0.35 * room)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.locator_params(axis="x", nbins=5)
    if percent:
        axis.set_xticks(np.arange(0, 1.01, 0.25), [f"{share:.0%}" for share in np.arange(0, 1.01, 0.25)])
    axis.grid(axis="y", visible=False)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0, labelcolor=TRUTH)
    return to_svg(figure, "comparison")


@in_style
def folds(scores: Mapping[str, Sequence[float | None]], percent: bool) -> str:
    """A dot for each fold, in a row for the network and one for each baseline, and their means."""
    names = list(scores)
    figure, axes = styled(4.6, 0.6 + 0.45 * len(names))
    axis = axes[0, 0]
    for place, name in enumerate(names):
        values = [value for value in scores[name] if value is not None]
        color = NETWORK if name == "network" else QUIET
        axis.plot(values, [place] * len(values), "o", color=color, alpha=0.6, ms=5, mew=0)
        if values:
            axis.vlines(np.mean(values), place - 0.3, place + 0.3, color=color, lw=2)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    if percent:
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0, labelcolor=TRUTH)
    return to_svg(figure, "folds")


@in_style
def split_line(times: Array, values: Array, ends: Array, label: str) -> str:
    """The whole series, colored by the part of the split."""
    figure, axes = styled(10, 2.9)
    axis = axes[0, 0]
    bounds = [0, int(ends[0]), int(ends[1]), len(values)]
    for (name, color), first, end in zip(PARTS.items(), bounds, bounds[1:], strict=False):
        if end > first:
            part = slice(first, min(end + 1, len(values)))
            step = thin(end - first)
            axis.plot(times[part][step], values[part][step], color=color, lw=1.3)
            axis.axvspan(times[first], times[min(end, len(values) - 1)], color=color, alpha=0.09, lw=0)
            middle = times[first] + (times[min(end, len(values)) - 1] - times[first]) / 2
            axis.text(
                middle,
                1.02,
                name,
                color=color,
                ha="center",
                va="bottom",
                transform=axis.get_xaxis_transform(),
            )
    axis.margins(x=0)
    axis.set_ylabel(label)
    return to_svg(figure, "split")


@in_style
def forecast(times: Array, truth: Array, network: Array, baselines: Mapping[str, Array], label: str, whole: str) -> str:
    """Truth and forecasts over all times, and the last of many closer.

    Args:
        whole: what all of them are, in words.
    """
    close_up = 45
    views = [(thin(len(truth)), whole)]
    if len(truth) > 1.5 * close_up:
        views.append((slice(len(truth) - close_up, None), f"the last {close_up} forecasts, closer"))
    figure, axes = styled(10, 2.9 * len(views), len(views), 1)
    for axis, (part, title) in zip(axes[:, 0], views, strict=True):
        few = len(truth[part]) <= 1.5 * close_up
        axis.plot(times[part], truth[part], color=TRUTH, lw=1.6, label="truth", marker="o" if few else "", ms=3)
        for i, (name, guess) in enumerate(baselines.items()):
            axis.plot(times[part], guess[part], color=baseline_color(i), lw=1, ls=(0, (4, 2)), label=name, alpha=0.85)
        axis.plot(times[part], network[part], color=NETWORK, lw=1.6, label="network")
        axis.set_title(title)
        axis.set_ylabel(label)
        axis.margins(x=0.01)
    axes[0, 0].legend(ncols=2 + len(baselines), loc="lower right", bbox_to_anchor=(1, 1))
    return to_svg(figure, "forecast")


@in_style
def residuals(places: Array, truth: Array, network: Array, label: str, place_label: str) -> str:
    """What is left over: truth - forecast, one by one and how often."""
    rest = truth - network
    figure, axes = styled(10, 2.8, 1, 2, width_ratios=[2.4, 1])
    axis = axes[0, 0]
    axis.axhline(0, color=QUIET, lw=1)
    step = thin(len(rest))
    axis.vlines(places[step], 0, rest[step], color=NETWORK, lw=1, alpha=0.75)
    axis.set_title("truth − network, one by one")
    axis.set_ylabel(label)
    axis.set_xlabel(place_label)
    axis = axes[0, 1]
    axis.hist(rest, bins=min(40, max(8, len(rest) // 6)), color=NETWORK, alpha=0.75)
    axis.axvline(0, color=QUIET, lw=1)
    axis.axvline(rest.mean(), color=TRUTH, lw=1.2, ls="--")
    axis.set_title(f"how often (mean {rest.mean():,.3g})")
    axis.set_xlabel(label)
    return to_svg(figure, "residuals")


@in_style
def against_truth(truth: Array, network: Array, title: str, unit: str) -> str:
    """Each forecast against the truth; on the line both are equal."""
    figure, axes = styled(5.0, 4.4)
    axis = axes[0, 0]
    low, high = min(truth.min(), network.min()), max(truth.max(), network.max())
    axis.plot([low, high], [low, high], color=QUIET, lw=1)
    axis.scatter(truth, network, s=12, color=NETWORK, alpha=0.55, lw=0)
    axis.set_xlabel(f"truth{unit}")
    axis.set_ylabel(f"network{unit}")
    axis.set_title(title)
    return to_svg(figure, "against")


@in_style
def loss_curves(stages: Mapping[str, Sequence[HistoryRow]]) -> str:
    """Loss by epoch, a panel a stage: on the samples trained on, and on the held-out ones."""
    columns = len(stages) if len(stages) <= 4 else 3
    rows = math.ceil(len(stages) / columns)
    figure, axes = styled(10, 2.7 * rows, rows, columns)
    for axis in axes.flat[len(stages) :]:
        axis.set_visible(False)
    for axis, (name, history) in zip(axes.flat, stages.items(), strict=False):
        epochs = [row.epoch for row in history]
        loss = np.array([row.loss for row in history], dtype="float64")
        axis.plot(epochs, loss, color=NETWORK, lw=1.7, label="trained on", marker="o" if len(epochs) < 3 else "")
        held_out = [row.val_loss for row in history]
        if any(value is not None for value in held_out):
            values = np.array([math.nan if value is None else value for value in held_out])
            axis.plot(epochs, values, color=PARTS["validation"], lw=1.7, label="held out")
            best = int(np.nanargmin(values))
            axis.plot(epochs[best], values[best], "o", color=PARTS["validation"], ms=5)
            side = "right" if best > 0.8 * len(epochs) else "center"
            place = (epochs[best], values[best])
            text = {"ha": side, "color": "#b45309", "fontsize": 8.5}
            axis.annotate(f"{values[best]:.3g}", place, (0, 7), textcoords="offset points", **text)
        if loss.min() > 0 and loss.max() / loss.min() > 30:
            logarithmic(axis)
            name += " (logarithmic)"
        axis.set_title(name)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylabel("loss")
    axes[0, 0].legend(loc="upper right")
    return to_svg(figure, "loss")


@in_style
def plane(axes_values: Array, probabilities: Array, points: Mapping[str, tuple[Array, Array]], classes: Sequence[str],
          names: Sequence[str]) -> str:  # fmt: skip
    """The plane of two inputs colored by the most probable class, with the samples on it."""
    figure, axes = styled(5.6, 4.6)
    axis = axes[0, 0]
    x, y = axes_values
    if len(classes) == 2:
        edges = (x[0], x[-1], y[0], y[-1])
        axis.imshow(probabilities[:, :, 1], origin="lower", extent=edges, cmap=PLANE, vmin=0, vmax=1,
                    interpolation="bilinear", aspect="auto")  # fmt: skip
        axis.contour(x, y, probabilities[:, :, 1], levels=[0.5], colors=TRUTH, linewidths=1.4)
    else:
        axis.contourf(x, y, probabilities.argmax(axis=2), levels=np.arange(len(classes) + 1) - 0.5,
                      colors=CLASSES, alpha=0.25)  # fmt: skip
    for part, (samples, labels) in points.items():
        for index, label in enumerate(classes):
            chosen = labels == index
            axis.scatter(samples[chosen, 0], samples[chosen, 1], s=11 if part == "train" else 26,
                         color=CLASSES[index % len(CLASSES)], lw=0.7 if part == "test" else 0,
                         edgecolors="white" if part == "test" else "none", alpha=0.55 if part == "train" else 1,
                         label=f"{label}{' (test)' if part == 'test' else ''}")  # fmt: skip
    axis.grid(visible=False)
    axis.set_aspect("equal", adjustable="box")
    axis.set_xlabel(names[0])
    axis.set_ylabel(names[1])
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=min(4, 2 * len(classes)), handletextpad=0.2)
    return to_svg(figure, "plane")


@in_style
def bent_planes(original: tuple[Array, Array], layers: Mapping[str, Mapping[str, Array]], labels: Array) -> str:
    """The samples and a net of straight lines, as the input has them and as each hidden layer moves them."""
    count = 1 + len(layers)
    columns = min(4, count)
    rows = math.ceil(count / columns)
    figure, axes = styled(10, 10 / columns * rows + 0.2, rows, columns)
    for axis in axes.flat:
        axis.set_axis_off()
    colors = np.array(CLASSES)[labels % len(CLASSES)]
    points, lines = original
    step = thin(len(points), 500)
    colors = colors[step]
    views: list[tuple[str, Array, Array, Array | None]] = [("input", points, lines, None)]
    views += [(name, view["points"], view["lines"], view.get("threshold")) for name, view in layers.items()]
    for axis, (name, places, net, threshold) in zip(axes.flat, views, strict=False):
        for line in net:
            axis.plot(line[:, 0], line[:, 1], color="#cbd5e1", lw=0.6, zorder=1)
        axis.scatter(places[step][:, 0], places[step][:, 1], s=7, c=colors, lw=0, alpha=0.8, zorder=2)
        low, high = places.min(axis=0), places.max(axis=0)
        margin = 0.12 * (high - low) + 1e-9
        axis.set_xlim(low[0] - margin[0], high[0] + margin[0])
        axis.set_ylim(low[1] - margin[1], high[1] + margin[1])
        if threshold is not None:
            axis.axvline(float(threshold), color=TRUTH, lw=1.5, ls=(0, (5, 3)))
        axis.set_title(name, fontsize=9.5)
    return to_svg(figure, "bent")


APART = 0.9
"""Of the place of a picture, how much it takes."""


@in_style
def picture_rows(rows: Mapping[str, Array], titles: Sequence[str] = ()) -> str:
    """Pictures in rows: each row (samples, height, width), with its name on the left; black and white are those of the
    first row in all of them."""
    first = next(iter(rows.values()))
    dark, light = float(first.max()), float(first.min())
    count = max(len(pictures) for pictures in rows.values())
    figure, axes = styled(10, 0.95 * len(rows) + 0.25)
    axis = axes[0, 0]  # one for all, since the layout of a hundred takes a second
    axis.set_axis_off()
    for row, (name, pictures) in enumerate(rows.items()):
        for column, picture in enumerate(pictures):
            shown = gray(picture, light, dark)
            height, width = (APART * size / max(shown.shape[:2]) / 2 for size in shown.shape[:2])
            place = (column - width, column + width, row + height, row - height)
            axis.imshow(shown, interpolation="nearest", extent=place)
            if titles and row == 0:
                axis.text(column, -0.55, titles[column], fontsize=8.5, ha="center", va="bottom")
        axis.text(-0.6, row, name, ha="right", va="center", color=TRUTH)
    axis.set_xlim(-0.5, count - 0.5)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    return to_svg(figure, "rows" + "".join(rows))


def gray(picture: Array, light: float, dark: float) -> Array:
    """A picture of one channel in shades of gray, its largest values black; one of three channels in its colors."""
    shares = np.clip((picture - light) / ((dark - light) or 1.0), 0, 1)
    if shares.ndim == 3 and shares.shape[-1] == 3:
        return shares
    plain = 1 - (shares.mean(axis=-1) if shares.ndim == 3 else shares)
    return np.repeat(plain[..., None], 3, axis=-1)


@in_style
def by_value(values: Sequence[str], errors: Mapping[str, Sequence[float]], *, joined: bool) -> str:
    """Errors of the network and of each baseline, of the values that are predicted.

    Args:
        joined: whether a line leads from value to value, as from timestep to timestep.
    """
    figure, axes = styled(10, 2.4)
    axis = axes[0, 0]
    places = np.arange(len(values))
    for i, (who, each) in enumerate(errors.items()):
        color = NETWORK if who == "network" else baseline_color(i - 1)
        line = "-" if joined else ""
        axis.plot(places, each, marker="o", ls=line, markersize=5 if joined else 7, color=color, lw=1.6, label=who)
    axis.set_xticks(places, values, rotation=0 if len("".join(values)) < 80 else 45)
    axis.set_ylim(0, None)
    axis.legend(ncols=len(errors), loc="lower right", bbox_to_anchor=(1, 1))
    return to_svg(figure, "by_value")


@in_style
def several_against_truth(pairs: Mapping[str, tuple[Array, Array]]) -> str:
    """A panel for each value: what is true, and what the network says."""
    columns = min(4, len(pairs))
    rows = -(-len(pairs) // columns)
    figure, axes = styled(10, 2.6 * rows, rows, columns)
    for axis in axes.flat[len(pairs) :]:
        axis.set_axis_off()
    for axis, (name, (truth, network)) in zip(axes.flat, pairs.items(), strict=False):
        some = thin(len(truth), 1000)
        ends = [float(min(truth.min(), network.min())), float(max(truth.max(), network.max()))]
        axis.plot(ends, ends, color=QUIET, linewidth=1)
        axis.plot(truth[some], network[some], ".", markersize=3, color=NETWORK, alpha=0.6)
        axis.set_title(name)
    return to_svg(figure, "several")


@in_style
def strips(rows: Array, said: Mapping[str, Array], classes: Sequence[str]) -> str:
    """A strip for each who says something, of the class (its number) at each row in turn."""
    order = np.argsort(rows, kind="stable")
    named = classes[:10]
    ncols = max(1, min(len(named), 110 // (max(map(len, named)) + 4)))
    figure, axes = styled(10, 0.6 * len(said) + 0.7 + 0.2 * -(-len(named) // ncols), len(said), 1, sharex=True)
    colors = [CLASSES[i % len(CLASSES)] for i in range(len(classes))]
    palette = ListedColormap(colors)
    for axis, (name, codes) in zip(axes.flat, said.items(), strict=True):
        shown = codes[order][None]
        extent = (float(rows.min()), float(rows.max()) + 1, 0.0, 1.0)
        axis.imshow(shown, cmap=palette, vmin=-0.5, vmax=len(classes) - 0.5, aspect="auto", extent=extent)
        axis.set_yticks([0.5], [name])
        axis.grid(visible=False)
    axes.flat[-1].set_xlabel("row")
    patches = [Patch(color=color, label=name) for color, name in zip(colors, named, strict=False)]
    axes.flat[0].legend(handles=patches, ncols=ncols, loc="lower right", bbox_to_anchor=(1, 1))
    return to_svg(figure, "strips")


@in_style
def shares_of_labels(shares: Mapping[str, Sequence[Array]]) -> str:
    """A panel for each label: probabilities of the samples that have it, and of those that have not."""
    columns = min(4, len(shares))
    rows = -(-len(shares) // columns)
    figure, axes = styled(10, 2.2 * rows, rows, columns)
    for axis in axes.flat[len(shares) :]:
        axis.set_axis_off()
    for axis, (name, (there, absent)) in zip(axes.flat, shares.items(), strict=False):
        for values, color, label in ((absent, QUIET, "it is not"), (there, NETWORK, "it is there")):
            counts, edges = np.histogram(values, np.linspace(0, 1, 21))
            axis.stairs(counts / max(1, len(values)), edges, color=color, lw=1.6, fill=True, alpha=0.6, label=label)
        axis.set_title(name)
        axis.set_yticks([])
    axes.flat[0].legend(loc="upper center", fontsize=8)
    return to_svg(figure, "labels")


@in_style
def filters(kernels: Array, name: str) -> str:
    """Weights of each unit as a picture: blue lowers, red raises."""
    shown = kernels[:96]
    columns = min(24, len(shown))
    rows = math.ceil(len(shown) / columns)
    height, width = shown.shape[1:]
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for i, kernel in enumerate(shown):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        sheet[top : top + height, left : left + width] = kernel / (abs(kernel).max() or 1)
    figure, axes = styled(10, 10 * sheet.shape[0] / sheet.shape[1] + 0.1)
    axis = axes[0, 0]
    axis.imshow(sheet, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    axis.set_axis_off()
    return to_svg(figure, f"filters{name}")


@in_style
def sequences(originals: Array, reconstructed: Array) -> str:
    """Sequences and what the autoencoder gives back, a panel each: (samples, timesteps)."""
    count = min(4, len(originals))
    figure, axes = styled(10, 2.1, 1, count, sharey=True)
    for axis, original, back in zip(axes.flat, originals, reconstructed, strict=False):
        axis.plot(original, color=TRUTH, lw=1.2, label="input")
        axis.plot(back, color=NETWORK, lw=1.5, label="reconstruction")
        axis.set_xlabel("timestep")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    return to_svg(figure, "sequences")


def confusion(truth: Array, predicted: Array, classes: Sequence[str]) -> str:
    """How often each class was taken for each: rows are the truth."""
    table = np.array([[int(((truth == t) & (predicted == p)).sum()) for p in classes] for t in classes])
    return confusion_of(table, classes)


@in_style
def confusion_of(table: Array, classes: Sequence[str]) -> str:
    """The same of counts, (classes, classes)."""
    figure, axes = styled(5.0, 4.6 if len(classes) > 3 else 3.0)
    axis = axes[0, 0]
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1.15)
    if len(classes) <= 20:
        for (row, column), number in np.ndenumerate(table):
            if number:
                color = "white" if shares[row, column] > 0.55 else TRUTH
                axis.text(column, row, str(number), ha="center", va="center", color=color, fontsize=9)
        axis.set_xticks(range(len(classes)), classes, rotation=40 if len("".join(classes)) > LONG else 0)
        axis.set_yticks(range(len(classes)), classes)
    axis.set_xlabel("taken for")
    axis.set_ylabel("truth")
    axis.grid(visible=False)
    return to_svg(figure, "confusion")


@in_style
def class_counts(counts: Mapping[str, Parts], what: str = "samples with a label") -> str:
    """Samples, or places, of each class, by part."""
    figure, axes = styled(10, 2.3)
    axis = axes[0, 0]
    bottom = np.zeros(len(counts))
    for part, color in zip(("train", "validation", "test"), PARTS.values(), strict=True):
        values = np.array([count[part] for count in counts.values()])
        axis.bar(list(counts), values, bottom=bottom, color=color, width=0.7, label=part)
        bottom += values
    axis.set_ylabel(what)
    axis.grid(axis="x", visible=False)
    axis.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
    return to_svg(figure, "classes")
