"""What methods that pretrain the whole network show of it: samples with hidden parts filled in, timesteps foretold."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.pictures.filters import is_picture
from dlspec.views.report import figures, stage_figures
from dlspec.views.report.language_figures import surprising_token
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

TITLE = "What pretraining filled in"
ACROSS, TEXTS = 10, 12
"""Pictures side by side, and texts below each other."""
SMALLEST_PICTURE = 6
"""A sample with a shorter side is drawn as lines."""


def shown_by_networks(run: Run) -> list[Shown]:
    """A figure for each stage that pretrained the whole network."""
    found = []
    for stage in run.plan.pretraining:
        own = {
            key.removeprefix(f"shown:{stage.name}:"): values
            for key, values in run.pictures.items()
            if key.startswith(f"shown:{stage.name}:")
        }
        if {"original", "hidden", "filled"} <= own.keys():
            found.append(_filled_in(run, own))
        elif {"truth", "told"} <= own.keys():
            found.append(_told(run, own["truth"], own["told"]))
        elif {"words", "surprise"} <= own.keys():
            found.append(_surprising(run, own["words"], own["surprise"]))
    return found


def _told(run: Run, truth: np.ndarray, told: np.ndarray) -> Shown:
    title = "What pretraining foretold"
    if _are_pictures(run, truth):
        some = slice(0, None, max(1, len(truth) // ACROSS))
        rows = {"truth": truth[some][:ACROSS], "told": told[some][:ACROSS]}
        about = "Held-out pictures without their first row, and each row as the network tells it from those above it"
        return Shown(figures.picture_rows(rows), title, about + _without_labels(run))
    column, label = _channel(run, truth)
    about = f"Held-out samples of `{label}`, and each timestep as the network tells it from those before it"
    lines = stage_figures.sequences_foretold(truth[..., column], told[..., column])
    return Shown(lines, title, about + _without_labels(run))


def _surprising(run: Run, words: np.ndarray, surprise: np.ndarray) -> Shown:
    texts = []
    for own, nats in list(zip(words.tolist(), surprise.tolist(), strict=True))[:TEXTS]:
        first, *others = (word for word in own if word)
        spans = [f"<span>{html.escape(first)}</span>"]
        spans += [surprising_token(word, each) for word, each in zip(others, nats, strict=False)]
        texts.append(f'<p class="text surprise">{" ".join(spans)}</p>')
    about = (
        "Held-out texts: the redder a word, the less probable the network found it behind the words before it; the "
        "pointer on a word shows its probability"
    )
    return Shown("".join(texts), "What surprised the network in pretraining", about + _without_labels(run))


def _are_pictures(run: Run, samples: np.ndarray) -> bool:
    """Whether samples are drawn as pictures, and not as lines of each feature over time."""
    return run.data.window is None and is_picture(samples.shape[1:]) and min(samples.shape[1:3]) >= SMALLEST_PICTURE


def _channel(run: Run, samples: np.ndarray) -> tuple[int, str]:
    """The feature that is drawn, the target where it is one of them, and its name."""
    names = [feature.name for feature in run.data.features]
    column = names.index(run.data.target.name) if run.data.target.name in names else 0
    return column, names[column] if len(names) == samples.shape[-1] else "the first channel"


def _without_labels(run: Run) -> str:
    labels = any(entry.method.needs_labels for entry in run.spec.pretraining)
    return ", before fine-tuning." + ("" if labels else " No label has been used.")


def _filled_in(run: Run, own: dict[str, np.ndarray]) -> Shown:
    original, hidden, filled = own["original"], own["hidden"], own["filled"]
    if original.ndim == 2:
        names = [name for name, width in _columns(run) for _ in range(width)]
        explained = stage_figures.explained_columns(original, filled, names)
        about = (
            "How much of each column the network tells from the others: the share of its variance that comes back on "
            "held-out samples where this column is hidden, before fine-tuning. At 0 it is no better than the mean."
        )
        return Shown(explained, TITLE, about)
    before = _without_labels(run)
    if _are_pictures(run, original):
        some = slice(0, None, max(1, len(original) // ACROSS))
        rows = {"original": original[some], "seen": np.where(hidden > 0, np.nan, original)[some]}
        rows["filled in"] = np.where(hidden > 0, filled, original)[some]
        rows = {name: values[:ACROSS] for name, values in rows.items()}
        about = f"Held-out pictures, what the network was shown of them, and what it put into the gaps{before}"
        return Shown(stage_figures.pictures_filled_in(rows), TITLE, about)
    column, label = _channel(run, original)
    about = f"Held-out samples of `{label}`, in gray what was hidden, and what the network put there{before}"
    lines = (values[..., column] for values in (original, hidden, filled))
    return Shown(stage_figures.sequences_filled_in(*lines), TITLE, about)


def _columns(run: Run) -> list[tuple[str, int]]:
    """Each feature, and how many numbers the network sees of it."""
    signature = run.data.signature(run.spec)
    widths = signature.widths if signature.types else [1] * len(signature.features)
    return [(feature.name, width) for feature, width in zip(signature.features, widths, strict=True)]
