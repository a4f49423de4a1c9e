"""Published networks as specs, and a little data of the right shapes for each (`made_up`)."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.networks.made_up import make

SPECS = {file.stem: file for file in Path(__file__).parent.glob("*.yaml")}
SMALLER = {
    **{name: {"data.arrays": "data/img32.npz"} for name in (
        "convnexttiny", "densenet121", "efficientnetb0", "mobilenetv2", "mobilenetv3small", "resnet50", "vgg16",
    )},
    "alexnet": {"data.arrays": "data/img67.npz"},
    "inceptionv3": {"data.arrays": "data/img75.npz"},
    "squeezenet": {"data.arrays": "data/img67.npz"},
    "xception": {"data.arrays": "data/img75.npz"},
    "vit": {"variables.width": "32"},
}  # fmt: skip
"""Overrides by which a large network is trained: on the smallest pictures that it takes."""


def laid_out(folder: Path) -> Path:
    """All specs and their data in a folder; returns it."""
    for file in SPECS.values():
        shutil.copy(file, folder)
    make(folder / "data")
    return folder
