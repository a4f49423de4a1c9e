"""What is ejected: a spec with its defaults, its data, and the plan of its training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.preparation import Prepared
from dlspec.data.signature import Target
from dlspec.ejection.python import Code, quoted
from dlspec.ejection.script import HERE, Script
from dlspec.language.yaml import Document
from dlspec.model.graph import Graph
from dlspec.spec.spec import Spec
from dlspec.training.plan import Plan


@dataclass(frozen=True)
class Subject:
    """What a script is written of.

    Args:
        spec: with the defaults that follow from its data.
        folds: the data of each fold; one where there are no folds.
        folder: where the script will stand, for the paths of files.
        document: the spec as a person wrote it, for lines and the docstring; None: that of `spec`.
        fold: whose data are looked at; None: that of the network which a run keeps.
    """

    spec: Spec
    folds: tuple[Prepared, ...]
    plan: Plan
    folder: Path
    document: Document | None = None
    fold: int | None = None

    @property
    def data(self) -> Prepared:
        """Those of the fold."""
        return self.folds[self.spec.data.split.shown_fold if self.fold is None else self.fold]

    @property
    def graph(self) -> Graph:
        return self.plan.graph

    @property
    def target(self) -> Target:
        return self.data.signature.target

    @property
    def is_series(self) -> bool:
        return self.data.signature.window is not None

    @property
    def is_typed(self) -> bool:
        """Whether the saved model has an input for each column."""
        return bool(self.data.preprocessing.columns)

    @property
    def written(self) -> Document:
        """The spec as a person wrote it."""
        return self.document or self.spec.document

    def line(self, *path: str | int) -> str:
        """`line 14` of the spec, where it says something at `path`; empty where it does not."""
        document = self.written
        if not document.is_written(*path):
            return ""
        span = document.key_span(*path)
        if span.file != document.file:
            return f"line {span.line} of {Path(span.file).name}" if span.in_file else ""
        return f"line {span.line}"

    @cached_property
    def fits_float32(self) -> bool:
        """Whether float32 holds all raw values, so that Keras's `predict`, which makes it of numbers, may take them."""
        if self.is_typed:
            return False
        parts = (self.data.train, self.data.validation, self.data.test)
        raw = [block for part in parts for block in blocks(part.raw)]
        return all(
            np.array_equal(values, values.astype("float32").astype(values.dtype), equal_nan=True) for values in raw
        )

    def sample_shape(self, script: Script, shape: Sequence[int]) -> tuple[Any, ...]:
        """The shape of a sample as source: of a window by its constant."""
        window = self.data.signature.window
        if window is None or len(shape) != 2 or shape[0] - window.length not in (0, 1):
            return tuple(shape)
        length = script.constant("window", window.length, "data", self.line("data", "window", "length"))
        return (Code(f"{length} + 1") if shape[0] > window.length else length, shape[1])

    def path(self, file: str | Path) -> Code:
        """A file of the data as source: `HERE / "data/motion.csv"`.

        Args:
            file: from the folder of the spec on.
        """
        absolute = (self.spec.document.folder / file).resolve()
        try:
            relative = Path(os.path.relpath(absolute, self.folder.resolve())).as_posix()
        except ValueError:  # on another drive
            return Code(f"Path({quoted(absolute.as_posix())})")
        return Code(f"{HERE} / {quoted(relative)}")
