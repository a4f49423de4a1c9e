"""What the layers below a stage make of the samples: computed once, before the stage begins."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.model.states import output_of
from dlspec.training.values import predict

Array = np.ndarray

IN_MEMORY = 2 * 2**30
"""Bytes of features that are kept in memory; more go to a file beside the run, which is read from there."""
BLOCK = 4096
"""Samples that are computed at a time at most."""
VALUES = 2**24
"""Values of a layer that are computed at a time at most, about."""


class LayerOutputs:
    """Computes and keeps the input of a stage.

    Args:
        folder: where a file may lie while the stage is trained.
        limit: bytes that are kept in memory.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder = folder
        self.limit = IN_MEMORY if limit is None else limit
        self._files: list[Any] = []

    def compute(self, below: Any, inputs: Array) -> Array:
        """What a Keras model puts out for all inputs: in memory, or mapped from a file where that is too much."""
        if not len(inputs):
            return predict(below, inputs)
        size = self._block(below)
        first = predict(below, inputs[:size], size)
        features = self._room((len(inputs), *first.shape[1:]), first.dtype)
        features[: len(first)] = first
        for start in range(size, len(inputs), size):
            features[start : start + size] = predict(below, inputs[start : start + size], size)
        return features

    @staticmethod
    def _block(below: Any) -> int:
        """How many samples are computed at a time: fewer where each is large on its way."""
        widest = max(int(np.prod([size or 1 for size in output_of(layer).shape[1:]])) for layer in below.layers)
        return max(1, min(BLOCK, VALUES // widest))

    def close(self) -> None:
        """Removes the files."""
        for file in self._files:
            file.close()
        self._files = []

    def _room(self, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        if int(np.prod(shape)) * dtype.itemsize <= self.limit:
            return np.empty(shape, dtype)
        file = tempfile.NamedTemporaryFile(dir=self.folder, prefix=".features-")  # noqa: SIM115, closed by `close`
        self._files.append(file)
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here, and would kill the process later
            os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)) * dtype.itemsize)
        return np.memmap(file.name, dtype, "w+", shape=shape)
