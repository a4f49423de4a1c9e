"""Checkpoints in a run folder: the last one, and the one before in case that is damaged."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.language.diagnostics.errors import DataError

if TYPE_CHECKING:
    from dlspec.training.progress import Checkpoint

LATEST, BEFORE = "checkpoints/latest.npz", "checkpoints/before.npz"


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """At no moment is there none that is whole."""
    latest, coming = folder / LATEST, (folder / LATEST).with_name("coming.npz")
    latest.parent.mkdir(exist_ok=True)
    checkpoint.save(coming)
    if latest.is_file():
        os.replace(latest, folder / BEFORE)
    os.replace(coming, latest)


def load_checkpoint(folder: Path, note: Callable[[str], None]) -> Checkpoint | None:
    """The last checkpoint that is whole; None where there was none yet.

    Args:
        note: is told of one that is damaged.

    Raises:
        DataError: all are damaged.
    """
    from dlspec.training.progress import Checkpoint

    there = [folder / name for name in (LATEST, BEFORE) if (folder / name).is_file()]
    for path in there:
        try:
            found = Checkpoint.load(path)
        except DataError as error:
            if path == there[-1]:
                raise
            note(f"{error.diagnostics[0].message}; the checkpoint before is used")
            continue
        return found
    return None
