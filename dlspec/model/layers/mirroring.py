"""What decoders are made of besides layers: ways through a sequence that no layer of Keras takes, which a spec cannot
name, and the activation that a mirror ends in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dlspec.language.shapes import Shape
from dlspec.model.layers.activations import Activating, Activation
from dlspec.model.layers.base import LayerSpec


def ending_like(mirror: Sequence[LayerSpec], below: Sequence[LayerSpec], inside: bool) -> Iterator[LayerSpec]:
    """The mirror of a layer, ending in the activation of what it gives back.

    Args:
        below: the layers below the mirrored one, the nearest first; they made its input.
        inside: whether the data lie in [0, 1], so that probabilities are given back where nothing is below.
    """
    makers = (layer for layer in below if not (layer.passes_values or layer.moves_values))
    maker = next(makers, Activation(activation="sigmoid" if inside else "linear"))
    name = getattr(maker, "activation", None)
    bend: LayerSpec | None = Activation(activation=name) if isinstance(name, str) and name != "linear" else None
    if isinstance(maker, Activating) and name is None:
        bend = maker.model_copy(update={"name": None, "from_": None})
    weighted = max((i for i, part in enumerate(mirror) if part.has_weights), default=None)
    for i, part in enumerate(mirror):
        if i != weighted or bend is None:
            yield part
        elif isinstance(bend, Activation) and "activation" in type(part).model_fields:
            yield part.model_copy(update={"activation": bend.activation})
        else:
            yield from (part, bend)


class Taking(LayerSpec):
    """Base of what takes values of a sequence by their timestep."""

    axes = ("timesteps", "features")

    def build(self, name: str | None = None) -> Any:
        import keras

        return keras.layers.Identity(name=name)

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        return self.take(built(inputs[0]))

    def take(self, x: Any) -> Any:
        """What is taken of a tensor (batch, timesteps, features)."""
        raise NotImplementedError

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside


class LastOutput(Taking):
    """What a layer over time ended with.

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, features)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[2])

    def take(self, x: Any) -> Any:
        return x[:, -1, :]


class BothEnds(Taking):
    """What two directions ended with: the first half of the last timestep, and the second half of the first one, or
    the whole of both where they are not side by side.

    Input shape:  (batch, timesteps, features)
    Output shape: (batch, features), or twice as many
    """

    side_by_side: bool = True

    def output_shape(self, input_shape: Shape) -> Shape:
        size = input_shape[2]
        return (input_shape[0], size if self.side_by_side or size is None else 2 * size)

    def take(self, x: Any) -> Any:
        from keras import ops

        half = x.shape[-1] // 2 if self.side_by_side else x.shape[-1]
        return ops.concatenate([x[:, -1, :half], x[:, 0, -half:]], axis=-1)


class Backwards(Taking):
    """A sequence from its end to its beginning.

    Input shape:  (batch, timesteps, features)
    Output shape: same as input
    """

    keeps_shape = True

    def take(self, x: Any) -> Any:
        from keras import ops

        return ops.flip(x, axis=1)
