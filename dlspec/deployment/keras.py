"""Keras's own format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from dlspec.deployment.base import EXPORT_TARGETS, ExportTarget
from dlspec.runtime.files import written_whole


@EXPORT_TARGETS.register
class Keras(ExportTarget):
    """A Keras model in one file, which `keras.models.load_model` opens without dlspec."""

    suffixes: ClassVar = (".keras",)
    examples: ClassVar = ["keras"]

    def write(self, model: Any, path: Path) -> None:
        with written_whole(path) as draft:
            model.save(draft)
