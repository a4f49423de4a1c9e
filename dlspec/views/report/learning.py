"""How the network came about: losses of every stage, what pretraining learned, and whether that helped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.metrics import METRICS
from dlspec.views.report import figures, stage_figures
from dlspec.views.report.shown import Shown
from dlspec.views.report.whole_networks import shown_by_networks

if TYPE_CHECKING:
    from dlspec.runs import Run
    from dlspec.training.progress import HistoryRow

STAGE_LOSS = {
    **dict.fromkeys(
        ("autoencoder", "denoising_autoencoder"),
        "In pretraining the loss is the reconstruction error of that layer's own input.",
    ),
    **dict.fromkeys(
        ("sparse_autoencoder", "contractive_autoencoder"),
        "In pretraining the loss is the reconstruction error of that layer's own input, and what its code pays.",
    ),
    "rbm": "In pretraining the loss is the squared error of one step of reconstruction, which contrastive divergence "
    "does not follow exactly.",
    "supervised": "In pretraining the loss is that of a temporary output above the layer.",
    "next_step": "In pretraining the loss is how far the next timestep is off, squared, or -log p of the next word.",
    "masked": "In pretraining the loss is the mean squared error of the values that were hidden, at their scale.",
}
"""Method -> what the loss of its stages is."""


def learning_figures(run: Run) -> list[Shown]:
    """How it came about: losses of every stage, and what pretraining learnt."""
    stages: dict[str, list[HistoryRow]] = {}
    for row in run.history:
        stages.setdefault(row.stage, []).append(row)
    held_out = run.data.parts.validation > 0
    captions = "Mean loss of each epoch on the samples trained on"
    captions += " and on those held out; the dot is the lowest." if held_out else "."
    methods = list(dict.fromkeys(entry.method.type_name for entry in run.spec.pretraining))
    if len(stages) > 1:
        captions += _losses_of_stages(methods)
    if "denoising_autoencoder" in methods and held_out:
        captions += " The samples trained on are spoiled and the held-out ones are not, so those may come out lower."
    if any("divergence" in row.measures for row in run.history):
        captions += " It is how far the output is off and `kl` times the divergence of the code, each of which "
        captions += "`history.csv` has in a column of its own."
    if run.outputs:
        weights = [f"{each.weight:g} times that of {each.name}" for each in run.spec.model.heads]
        captions += f" It is the sum of {', '.join(weights)}."
    shown = [Shown(figures.loss_curves(stages), "Loss", captions)]
    for name, own in run.outputs.items():
        rows = [row for row in own.history if row.stage in stages and row.stage.startswith("fine_tune")]
        shown.append(Shown(figures.loss_curves({rows[0].stage: rows}), f"Loss of {name}", "That of this output alone."))
    compared = [each for name, own in (run.outputs or {"": run}).items() for each in _compared(own, name)]
    return [
        *shown,
        *compared,
        *shown_by_networks(run),
        *_kept(run),
        *_filters(run),
        *_activations(run),
        *_dreams(run),
    ]


def _losses_of_stages(methods: Sequence[str]) -> str:
    """What the loss of stages by these methods is."""
    said: dict[str, list[str]] = {}
    for method in methods:
        if method in STAGE_LOSS:
            said.setdefault(STAGE_LOSS[method], []).append(f"`{method}`")
    if len(said) < 2:
        return "".join(f" {text}" for text in said)
    begin = "In pretraining"
    return "".join(f" {begin} by {' and '.join(names)}{text.removeprefix(begin)}" for text, names in said.items())


def _compared(run: Run, output: str) -> list[Shown]:
    """With and without pretraining.

    Args:
        output: of several, which one it is about.
    """
    if run.metrics.compare is None:
        return []
    found = run.metrics.compare.without_pretraining
    metric = next(iter(found.with_))
    kind = METRICS[metric]
    title = f"{kind.heading(run.data.target.unit)}, {kind.better} is better"
    return [
        Shown(
            stage_figures.with_and_without(found, metric, title, kind.unit == "percent"),
            f"Did pretraining help {output}?".replace(" ?", "?"),
            f"{found.sentence} The same network, seeds and epochs of fine-tuning; a dot is a training, the bar "
            "their mean. On the right the loss of fine-tuning, epoch by epoch.",
        )
    ]


def _kept(run: Run) -> list[Shown]:
    """Samples led up to each code and down again."""
    pictures, shape = run.pictures, run.data.input_shape
    depths = {key.split(":", 2)[2]: value for key, value in pictures.items() if key.startswith("reconstructed:")}
    if depths and run.data.window is not None:
        return [_sequences(run, depths)]
    if not depths or len(shape) < 2:
        return []
    rows = {"original": pictures["originals"].reshape(-1, *shape)}
    rows |= {f"through {name}": values.reshape(-1, *shape) for name, values in depths.items()}
    caption = (
        "Held-out samples, and what comes back when they are led up to a layer's code and down again through "
        "the decoders, before fine-tuning. The deeper, the more is left out."
    )
    return [Shown(figures.picture_rows(rows), "What pretraining kept", caption)]


def _filters(run: Run) -> list[Shown]:
    pictures, shown = run.pictures, []
    pretrained = any(key.startswith("units:") for key in pictures)
    for when, words in (("pretrained", "after pretraining"), ("final", "at the end")):
        if f"filters:{when}" in pictures and not (when == "pretrained" and not pretrained):
            labels = not run.spec.pretraining or any(entry.method.needs_labels for entry in run.spec.pretraining)
            plain = when == "final" or not pretrained or labels
            shown.append(
                Shown(
                    figures.filters(pictures[f"filters:{when}"], when),
                    f"First-layer filters {words}",
                    "What each unit of the first layer looks for: red raises it, blue lowers it."
                    if plain
                    else "Learnt without a single label: red raises a unit, blue lowers it.",
                )
            )
    return shown


def _activations(run: Run) -> list[Shown]:
    """How often the units of each pretrained layer take which value, and how many are dead."""
    pictures = run.pictures
    names = [key.removeprefix("units:") for key in pictures if key.startswith("units:")]
    if not names:
        return []
    layers = {
        name: (pictures[f"activations:{name}"], pictures[f"activation_edges:{name}"], pictures[f"units:{name}"])
        for name in names
    }
    dead = [f"{int(units[1])} of {int(units[0])} in `{name}`" for name, (_, _, units) in layers.items() if units[1]]
    caption = "How often the units of each pretrained layer take which value on held-out samples, before fine-tuning. "
    caption += f"Dead are {', '.join(dead)}: they say the same whatever comes." if dead else "No unit is dead."
    return [Shown(stage_figures.activations(layers), "Activations after pretraining", caption)]


def _dreams(run: Run) -> list[Shown]:
    """What a deep belief net makes up."""
    pictures, shape = run.pictures, run.data.input_shape
    steps = [key.split(":")[1] for key in pictures if key.startswith("dreams:")]
    if not steps or len(shape) < 2 or run.data.window is not None:
        return []
    rows = {_after(int(n)): pictures[f"dreams:{n}"].reshape(-1, *shape) for n in steps}
    return [
        Shown(
            figures.picture_rows(rows),
            "What it dreams",
            "Gibbs sampling in the topmost machine, led down to the input: it begins at held-out samples and walks, by "
            "chance, to others that it takes for likely. Before fine-tuning, which is not about that.",
        )
    ]


def _after(steps: int) -> str:
    return "start" if not steps else f"{steps:,} step{'s' * (steps > 1)}"


def _sequences(run: Run, depths: dict[str, np.ndarray]) -> Shown:
    names = [feature.name for feature in run.data.features]
    target = run.data.target.name
    column = names.index(target) if target in names else 0
    name, values = next(reversed(depths.items()))
    shape = (-1, *run.data.input_shape)
    return Shown(
        figures.sequences(run.pictures["originals"].reshape(shape)[:, :, column], values.reshape(shape)[:, :, column]),
        "What pretraining kept",
        f"Held-out windows of `{names[column]}` as the network sees them, and what the sequence autoencoder gives back "
        f"from one vector, through `{name}`. What has a shape comes back; noise does not.",
    )
