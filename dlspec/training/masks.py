"""Dropout whose masks are drawn before the step, since XLA draws many times slower on a processor."""

from __future__ import annotations

from functools import partial
from typing import Any


class Masks:
    """The dropout layers of a network; they take masks that were drawn for them while the network is led forward here.

    Drawn by the layers' own generators, so that masks are those that Keras would draw.
    """

    def __init__(self, network: Any) -> None:
        import keras

        self.network = network
        self.layers = [layer for layer in network.layers if type(layer) is keras.layers.Dropout and layer.rate > 0]
        self._given: tuple[Any, ...] | None = None
        for place, layer in enumerate(self.layers):
            layer.call = partial(self._drop, place, layer)

    def draw(self, x: Any) -> tuple[Any, ...]:
        """What each layer multiplies its input by, for a batch."""
        import keras
        from keras import ops

        count = ops.shape(x)[0]
        return tuple(
            keras.random.dropout(
                ops.ones((count, *layer.input.shape[1:]), layer.compute_dtype), layer.rate, seed=layer.seed_generator
            )
            for layer in self.layers
        )

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> Any:
        """What the network puts out; `drawn` is None in use, when nothing is dropped."""
        self._given = drawn
        try:
            return self.network(x, training=drawn is not None)
        finally:
            self._given = None

    def _drop(self, place: int, layer: Any, inputs: Any, training: bool = False) -> Any:
        if training and self._given is not None:
            return inputs * self._given[place]
        return type(layer).call(layer, inputs, training=training)
