"""Weights of single layers by name, as a run leaves them for others to start from. No Keras, no pickles."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.runtime.archives import BROKEN, array_sizes, read_arrays
from dlspec.runtime.files import written_whole
from dlspec.runtime.records import unreadable

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

PRETRAINED, TRAINED, RESOLVED = "pretrained.npz", "layers.npz", "resolved.yaml"
"""In a run folder: layers as pretraining left them, with their decoders, and as training did; and the whole spec."""


@dataclass
class LayerWeights:
    """Weights of layers, each in the order in which Keras lists them.

    Args:
        decoders: layer -> weights of each layer of its decoder that has some.
    """

    layers: dict[str, list[Array]] = field(default_factory=dict)
    decoders: dict[str, list[list[Array]]] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Writes one file, whole or not at all."""
        import numpy as np

        arrays = {f"{name}/{i}": array for name, weights in self.layers.items() for i, array in enumerate(weights)}
        for name, decoder in self.decoders.items():
            for place, weights in enumerate(decoder):
                arrays |= {f"{name}/decoder/{place}/{i}": array for i, array in enumerate(weights)}
        with written_whole(path) as draft, draft.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def fingerprint(self) -> str:
        """sha256 of names and values, decoders left out."""
        digest = hashlib.sha256()
        for name, weights in sorted(self.layers.items()):
            digest.update(name.encode())
            for array in weights:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(array.tobytes())
        return digest.hexdigest()

    @classmethod
    def load(cls, path: Path) -> LayerWeights:
        """Raises DataError when the file cannot be read."""
        found = cls()
        try:
            for key, array in read_arrays(path).items():
                name, *rest = key.split("/")
                if len(rest) == 1:
                    found.layers.setdefault(name, []).append(array)
                else:
                    decoder = found.decoders.setdefault(name, [])
                    if len(decoder) == int(rest[1]):
                        decoder.append([])
                    decoder[-1].append(array)
        except (*BROKEN, IndexError) as error:
            raise unreadable(path, error) from None
        return found


def layer_sizes(path: Path) -> dict[str, int]:
    """How many numbers each layer in a file holds, read off its headers alone.

    Raises:
        DataError: the file cannot be read.
    """
    sizes: dict[str, int] = {}
    try:
        for key, size in array_sizes(path).items():
            name, *rest = key.split("/")
            if len(rest) == 1:
                sizes[name] = sizes.get(name, 0) + size
    except BROKEN as error:
        raise unreadable(path, error) from None
    return sizes
