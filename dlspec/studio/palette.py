"""What can be put into a spec by a click: layers, blocks of layers, and whole templates."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

BLOCKS: dict[str, tuple[str, str]] = {
    "convolution block": (
        "a convolution, normalized, and half as many pixels (pictures)",
        "- conv2d: {filters: 16, kernel_size: 3, activation: relu}\n- batch_normalization\n- max_pooling2d: 2\n",
    ),
    "residual block": (
        "layers whose input is added to their output, so that many can be stacked (He et al., 2016)",
        "- skip:\n    - conv2d: {filters: 16, kernel_size: 3, padding: same, activation: relu}\n"
        "    - conv2d: {filters: 16, kernel_size: 3, padding: same}\n- activation: relu\n",
    ),
    "two recurrent layers": (
        "an LSTM over the states of another (series, texts)",
        "- lstm: {units: 32, return_sequences: true}\n- lstm: 32\n",
    ),
    "dense with dropout": (
        "a dense layer half of whose units are left out while training, against overfitting",
        "- dense: {units: 64, activation: relu}\n- dropout: 0.5\n",
    ),
}
"""Name -> what it does, and its lines in the list of layers."""


@cache
def palette() -> dict[str, Any]:
    """Layers by family with what each does and how it is written, blocks, and templates by what one has."""
    from dlspec.views.reference.catalogue import categories

    families: dict[str, list[dict[str, str]]] = {}
    for entry in categories()[0].entries():
        written = entry.short_form or entry.name
        if "…" not in written:
            item = {"name": entry.name, "about": entry.summary, "text": f"- {written}\n"}
            families.setdefault(entry.family.replace("_", " "), []).append(item)
    return {
        "layers": [{"family": family, "items": items} for family, items in families.items()],
        "blocks": [{"name": name, "about": about, "text": text} for name, (about, text) in BLOCKS.items()],
        "templates": templates(),
    }


@cache
def templates() -> list[dict[str, Any]]:
    """The specs that come with dlspec: name, what one has, what it does, its text, and whether it needs files."""
    found: list[dict[str, Any]] = json.loads(files("dlspec.studio").joinpath("templates.json").read_text("utf-8"))
    return found
