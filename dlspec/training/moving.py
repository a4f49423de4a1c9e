"""Masks that are moved as layers move pictures at random while training."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from threading import local
from typing import Any

NOTHING_BETWEEN = {"interpolation": "nearest", "fill_mode": "constant", "fill_value": 0.0}
"""Settings of layers by which a mask is moved: 0 is what comes in from outside."""


class Moves:
    """The layers of a network that move pixels, and what they have drawn for the batch that was led forward last.

    Each layer says what it draws when it is called; a layer of the same kind, which takes the nearest pixel and fills
    in nothing from outside, moves the mask by that. Both stand in the same step, of a function that is traced too.

    Args:
        network: a Keras model.
        names: of its layers that move pixels, in the order in which a picture goes through them.
    """

    def __init__(self, network: Any, names: Sequence[str]) -> None:
        self.layers = [network.get_layer(name) for name in names]
        self.twins = [_twin(layer) for layer in self.layers]
        self._local = local()  # several devices lead a network forward, each in a thread
        for place, layer in enumerate(self.layers):
            self._listen(place, layer)

    def _listen(self, place: int, layer: Any) -> None:
        draw = type(layer).get_random_transformation

        def drawn(data: Any, training: bool = True, seed: Any = None) -> Any:
            found = draw(layer, data, training=training, seed=seed)
            if training:
                self._drawn[place] = found
            return found

        layer.get_random_transformation = drawn

    @property
    def _drawn(self) -> dict[int, Any]:
        if not hasattr(self._local, "drawn"):
            self._local.drawn = {}
        found: dict[int, Any] = self._local.drawn
        return found

    def moved(self, y: Any, weights: Any) -> tuple[Any, Any]:
        """Targets of the batch that was led forward last, moved as its pictures were; -1 for what came in from outside.

        Args:
            y: classes at each pixel, (batch, height, width), or numbers of them, (batch, height, width, units).
            weights: of samples, (batch,), or of pixels, (batch, height, width), which move too; None: all alike.
        """
        return self.moved_as(self.drawn(), y, weights)

    def drawn(self) -> dict[int, Any]:
        """What the layers have drawn for the batch that was led forward last, by their places; which is forgotten."""
        found = dict(self._drawn)
        self._drawn.clear()
        return found

    def moved_as(self, drawn: dict[int, Any], y: Any, weights: Any, among: Collection[str] | None = None) -> Any:
        """The same by what `drawn` gave.

        Args:
            among: names of the layers that lead to these targets; None: all do.
        """
        kept = {place for place, layer in enumerate(self.layers) if among is None or layer.name in among}
        drawn = {place: found for place, found in drawn.items() if place in kept}
        if not drawn:
            return y, weights
        of_pixels = weights is not None and len(weights.shape) > 1
        return self._through(y, drawn, 1), self._through(weights, drawn, 0) if of_pixels else weights

    def _through(self, values: Any, drawn: dict[int, Any], above: int) -> Any:
        """Values moved by each layer; what comes in from outside is `-above`."""
        from keras import ops

        found, plain = ops.cast(values, "float32") + above, len(values.shape) == 3
        found = ops.expand_dims(found, -1) if plain else found
        for place, twin in enumerate(self.twins):
            if drawn.get(place) is not None:
                found = twin.transform_images(found, _of_one_channel(drawn[place]), training=True)
        found = ops.squeeze(found, -1) if plain else found
        return ops.cast(found - above, values.dtype)


def _twin(layer: Any) -> Any:
    """A layer of the same kind that moves the numbers of classes."""
    given = layer.get_config()
    settings = {key: value for key, value in NOTHING_BETWEEN.items() if key in given}
    if "seed" in given:  # it draws nothing, and a seed of its own would be drawn
        settings["seed"] = 0
    return type(layer).from_config({**given, **settings, "name": f"{layer.name}_of_mask", "dtype": "float32"})


def _of_one_channel(drawn: Any) -> Any:
    """What was drawn, without what is said of each channel of a picture."""
    if isinstance(drawn, dict) and "batch_masks" in drawn:
        return {**drawn, "batch_masks": drawn["batch_masks"][..., :1]}
    return drawn
