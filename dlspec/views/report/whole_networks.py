"""What methods that pretrain the whole network show of it: samples of which parts were hidden, filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.pictures import is_picture
from dlspec.views.report import stage_figures
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

TITLE = "What pretraining filled in"
ACROSS = 10
"""Pictures side by side."""


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
    return found


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
    before = ", before fine-tuning."
    if not any(entry.method.needs_labels for entry in run.spec.pretraining):
        before += " No label has been used."
    if run.data.window is None and is_picture(original.shape[1:]):
        some = slice(0, None, max(1, len(original) // ACROSS))
        rows = {"original": original[some], "seen": np.where(hidden > 0, np.nan, original)[some]}
        rows["filled in"] = np.where(hidden > 0, filled, original)[some]
        rows = {name: values[:ACROSS] for name, values in rows.items()}
        about = f"Held-out pictures, what the network was shown of them, and what it put into the gaps{before}"
        return Shown(stage_figures.pictures_filled_in(rows), TITLE, about)
    column = 0
    names = [feature.name for feature in run.data.features]
    if run.data.target.name in names:
        column = names.index(run.data.target.name)
    label = names[column] if len(names) == original.shape[-1] else "the first channel"
    about = f"Held-out samples of `{label}`, in gray what was hidden, and what the network put there{before}"
    lines = (values[..., column] for values in (original, hidden, filled))
    return Shown(stage_figures.sequences_filled_in(*lines), TITLE, about)


def _columns(run: Run) -> list[tuple[str, int]]:
    """Each feature, and how many numbers the network sees of it."""
    signature = run.data.signature(run.spec)
    widths = signature.widths if signature.types else [1] * len(signature.features)
    return [(feature.name, width) for feature, width in zip(signature.features, widths, strict=True)]
