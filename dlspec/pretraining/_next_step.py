"""Layers that read a sequence below a linear layer that tells the next timestep, on the Keras side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from dlspec.language.shapes import Shape
from dlspec.pretraining._stage_model import StageModel, summed


class NextStepModel(StageModel):
    """Layers that see no later timestep, and a linear layer that gives the next one.

    Args:
        encoder: layers one above the other; the last, where it is recurrent, returns every timestep here.
        size: features of a timestep, or how many words there are.
        words: whether timesteps are numbers of words, 0 where a text has ended.
        code_shape: of what comes out, with timesteps, batch first.
    """

    def __init__(self, encoder: list[Any], size: int | None, words: bool, code_shape: Shape) -> None:
        super().__init__(encoder)
        self.words = words
        self.code_shape = code_shape
        self.head = keras.layers.Dense(size or 1, name="next_step")

    def build(self, input_shape: Any) -> None:
        self.head.build(self.code_shape)
        self.built = True

    def compiled_parts(self) -> list[Any]:
        return [*self.encoder, self.head]

    def encode(self, x: Any, training: bool | None = None) -> Any:
        """The code at every timestep."""
        with _every_timestep(self.encoder[-1]):
            return super().encode(x, training)

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> dict[str, Any]:
        code = self.encode(x, training=drawn is not None)
        return {"next": self.head(code[:, :-1])}

    def objective(self, x: Any, y: Any, found: Mapping[str, Any], sample_weight: Any = None) -> Any:
        if not self.words:
            errors = ops.square(ops.cast(x, "float32")[:, 1:] - found["next"])
            return ops.mean(errors)
        surprise, there = self.surprise(x, found["next"])
        return ops.mean(summed(surprise * there) / ops.maximum(summed(there), 1.0))

    def surprise(self, x: Any, logits: Any) -> tuple[Any, Any]:
        """-log p of each word but the first, and 1 where there is a word, (batch, timesteps - 1)."""
        words = ops.cast(x, "int32")[:, 1:]
        surprise = keras.losses.sparse_categorical_crossentropy(words, logits, from_logits=True)
        return surprise, ops.cast(words > 0, "float32")

    def shows(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """What was told of samples: of numbers `truth` and `told`, (samples, timesteps - 1, features); of texts the
        numbers of their `words`, and how surprising each but the first was, `surprise`."""
        told = self.forward(ops.convert_to_tensor(samples), None)["next"]
        if not self.words:
            return {"truth": np.asarray(samples, "float32")[:, 1:], "told": ops.convert_to_numpy(told)}
        surprise, _ = self.surprise(samples, told)
        return {"words": np.asarray(samples).astype("int32"), "surprise": ops.convert_to_numpy(surprise)}


@contextmanager
def _every_timestep(layer: Any) -> Iterator[None]:
    """Lets a recurrent layer return every timestep for a while."""
    kept = getattr(layer, "return_sequences", None)
    if kept is None:
        yield
        return
    layer.return_sequences = True
    try:
        yield
    finally:
        layer.return_sequences = kept
