"""Dropout and sampling whose random numbers are drawn before the step, since XLA draws many times slower on a
processor."""

from __future__ import annotations

from functools import partial
from threading import local
from typing import Any


class Masks:
    """The dropout and sampling layers of a network; they take masks and noise that were drawn for them while the
    network is led forward here.

    Drawn by the layers' own generators, so that masks are those that Keras would draw. Layers that are used several
    times, or whose mask has not the shape of one known input, draw themselves.
    """

    def __init__(self, network: Any) -> None:
        import keras

        from dlspec.model.sampling_layer import SamplingLayer

        self.network = network
        dropouts = (layer for layer in network.layers if type(layer) is keras.layers.Dropout and layer.rate > 0)
        self.layers = [layer for layer in dropouts if _has_one_shape(layer)]
        self.samplings = [
            layer
            for layer in network.layers
            if isinstance(layer, SamplingLayer)
            and len(layer._inbound_nodes) == 1
            and None not in layer.output.shape[1:]
        ]
        self._given = local()  # several devices lead it forward, each in a thread
        for place, layer in enumerate(self.layers):
            layer.call = partial(self._drop, place, layer)

    def draw(self, x: Any) -> tuple[Any, ...]:
        """What each dropout multiplies its input by, and the noise of each sampling, for a batch."""
        import keras
        from keras import ops

        count = ops.shape(x)[0]
        masks = [
            keras.random.dropout(
                ops.ones((count, *layer.input.shape[1:]), layer.compute_dtype), layer.rate, seed=layer.seed_generator
            )
            for layer in self.layers
        ]
        return (*masks, *(layer.draw(count) for layer in self.samplings))

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> Any:
        """What the network puts out; `drawn` is None in use, when nothing is dropped."""
        self._given.masks = drawn
        noise = drawn[len(self.layers) :] if drawn is not None else ()
        for layer, values in zip(self.samplings, noise, strict=False):
            layer.take(values)
        try:
            return self.network(x, training=drawn is not None)
        finally:
            self._given.masks = None
            for layer in self.samplings:
                layer.take(None)

    def _drop(self, place: int, layer: Any, inputs: Any, training: bool = False) -> Any:
        given = getattr(self._given, "masks", None)
        if training and given is not None:
            return inputs * given[place]
        return type(layer).call(layer, inputs, training=training)


def _has_one_shape(layer: Any) -> bool:
    """Whether a dropout layer has one input, of a known shape, and a mask of that shape."""
    return layer.noise_shape is None and len(layer._inbound_nodes) == 1 and None not in layer.input.shape[1:]
