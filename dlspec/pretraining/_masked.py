"""A network below a linear layer that fills in what was hidden, on the Keras side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from dlspec.language.shapes import Shape
from dlspec.pretraining._stage_model import StageModel, summed

PATTERNS = 512
"""Held-out samples are hidden in so many ways, which stay the same."""


class MaskedModel(StageModel):
    """A network that sees samples with a part hidden, and a linear layer that gives back what that was.

    Args:
        encoder: the network below its output, as one layer.
        parts: which part of a sample each of its places belongs to; it is laid over the last axes of a sample.
        hidden: how many parts of a sample are hidden.
        shape, code_shape: of what the network takes and gives, batch first.
    """

    def __init__(self, encoder: list[Any], parts: np.ndarray, hidden: int, shape: Shape, code_shape: Shape) -> None:
        super().__init__(encoder)
        self.parts = parts
        self.count = int(parts.max()) + 1
        self.hidden = hidden
        self.sample_shape = tuple(size or 1 for size in shape[1:])
        by_places = len(shape) > 2 and tuple(code_shape[1:-1]) == tuple(shape[1:-1])
        self.head = [
            *([] if by_places else [keras.layers.Flatten()]),
            keras.layers.Dense(shape[-1] if by_places else math.prod(self.sample_shape), name="filled_in"),
        ]
        self.code_shape = code_shape
        self.seed_generator = keras.random.SeedGenerator()
        random = np.random.default_rng(0)
        self.patterns = np.stack([self._pattern(random.permutation(self.count)) for _ in range(PATTERNS)])

    def build(self, input_shape: Any) -> None:
        shape = self.code_shape
        for layer in self.head:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        plain = self.parts.ndim == 2 and self.parts.shape[-1] > 1  # a picture without channels
        channels = (1,) if plain else self.sample_shape[-1:]
        self.token = self.add_weight(shape=channels, initializer="zeros", name="hidden_value")
        self.built = True

    def _pattern(self, order: np.ndarray) -> np.ndarray:
        return (order < self.hidden).astype("float32")

    def compiled_parts(self) -> list[Any]:
        return [*self.encoder, *self.head]

    def draw(self, x: Any) -> tuple[Any, ...]:
        """1 for the parts of each sample that are hidden, (batch, parts)."""
        noise = keras.random.uniform((ops.shape(x)[0], self.count), seed=self.seed_generator)
        ranks = ops.argsort(ops.argsort(noise, axis=1), axis=1)
        return (ops.cast(ranks < self.hidden, "float32"),)

    def fill_in(self, x: Any, hidden: Any, training: bool = False) -> tuple[Any, Any]:
        """What comes back of samples of which parts are hidden, and 1 for each value that is.

        Args:
            hidden: 1 for the parts that are, (batch, parts).
        """
        x = ops.cast(x, "float32")
        values = ops.take(hidden, ops.convert_to_tensor(self.parts.reshape(-1), "int32"), axis=1)
        values = ops.reshape(values, (-1, *self.parts.shape)) * ops.ones_like(x)
        code = self.encode(x * (1 - values) + self.token * values, training=training)
        for layer in self.head:
            code = layer(code)
        return ops.reshape(code, (-1, *self.sample_shape)), values

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> dict[str, Any]:
        if drawn is None:
            hidden = ops.take(ops.convert_to_tensor(self.patterns), ops.arange(ops.shape(x)[0]) % PATTERNS, axis=0)
        else:
            (hidden,) = drawn
        filled, values = self.fill_in(x, hidden, training=drawn is not None)
        return {"filled": filled, "hidden": values}

    def objective(self, x: Any, y: Any, found: Mapping[str, Any], sample_weight: Any = None) -> Any:
        hidden = found["hidden"]
        errors = ops.square(ops.cast(x, "float32") - found["filled"]) * hidden
        return ops.mean(summed(errors) / summed(hidden))

    def shows(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Samples, which of their values were hidden, and what comes back: `original`, `hidden`, `filled`.

        Of a table each column is hidden alone, one after the other, and `filled` has what comes back of each.
        """
        x = np.asarray(samples, "float32")
        if self.parts.ndim > 1:
            found = self.forward(x, None)
            filled, hidden = (ops.convert_to_numpy(found[key]) for key in ("filled", "hidden"))
            return {"original": x, "hidden": hidden, "filled": filled}
        back = np.empty_like(x)
        for part in range(self.count):
            alone = np.zeros((len(x), self.count), "float32")
            alone[:, part] = 1
            filled, _ = self.fill_in(x, ops.convert_to_tensor(alone))
            own = self.parts == part
            back[:, own] = ops.convert_to_numpy(filled)[:, own]
        return {"original": x, "hidden": np.ones_like(x), "filled": back}
