"""A layer learns to give back its own input through its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import Flag
from dlspec.model.activations import ActivationName
from dlspec.model.layers.base import LayerSpec
from dlspec.model.layers.core import Dense
from dlspec.pretraining.base import PRETRAINING, PretrainingMethod, Refusal
from dlspec.training.plan import StagePlace, StageTask

if TYPE_CHECKING:
    from dlspec.pretraining._reconstruction import Penalty

PROBABILITIES = ("cross_entropy", "binary_crossentropy")
BOUNDED = ("sigmoid", "hard_sigmoid", "softmax", "sparse_sigmoid")
"""Activations that end in [0, 1]."""
ReconstructionError = Literal["squared_error", "cross_entropy", "mse", "binary_crossentropy"]


class Reconstructing(PretrainingMethod):
    """Base of the methods that train a layer and its mirror to give back the layer's input."""

    loss: ReconstructionError | None = Field(
        None,
        description="`squared_error` or `cross_entropy`, summed over the values of a sample, or their means over them, "
        "`mse` and `binary_crossentropy`; by default cross-entropy where the layer's input lies in [0, 1]",
    )
    decoder_activation: ActivationName | None = Field(
        None, description="what the decoder ends in; by default `sigmoid` with cross-entropy, else `linear`"
    )

    def refuses(self, place: StagePlace) -> Refusal | None:
        known = place.input_shape is not None and None not in place.input_shape[1:]
        if not known:
            return None
        for layer, shape in zip(place.code, place.shapes, strict=True):
            if layer.mirror(shape) is None:
                return Refusal(f"`{layer.type_name}` has no mirror to decode its code with")
        if self.error(place) in PROBABILITIES and self.decoder_activation not in (None, *BOUNDED):
            said = f"cross-entropy is of probabilities, and `{self.decoder_activation}` does not end in [0, 1]"
            return Refusal(said, "decoder_activation", "write `decoder_activation: sigmoid`, or `loss: squared_error`")
        return None

    def error(self, place: StagePlace) -> str:
        """The reconstruction error of a stage."""
        return self.loss or ("cross_entropy" if place.inside else "squared_error")

    def corruption_layer(self) -> Any:
        """The Keras layer that spoils the input while training, or None."""
        return None

    def code_penalty(self, place: StagePlace) -> Penalty | None:
        """What the code pays for, or None."""
        return None

    def decoder_layer(self, part: LayerSpec, name: str, encoder: list[Any], place: StagePlace) -> Any:
        """A layer of the decoder."""
        return part.build(name)

    def decoder(self, encoder: list[Any], place: StagePlace) -> Any:
        """A Keras model from the code back to the input."""
        import keras

        code = x = keras.Input(place.code_shape[1:])
        for i, part in enumerate(mirror_of(place)):
            x = part.connect(self.decoder_layer(part, f"decoder_{i}_{part.type_name}", encoder, place), [x])
        return keras.Model(code, x, name="decoder")

    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        from dlspec.pretraining._reconstruction import ReconstructingModel

        model = ReconstructingModel(
            encoder,
            self.decoder(encoder, place),
            error=self.error(place),
            activation=self.decoder_activation,
            corruption=self.corruption_layer(),
            penalty=self.code_penalty(place),
        )
        model.build(place.known_shape)
        model.compile(optimizer=self.optimizer.over(task.steps))
        return model


def mirror_of(place: StagePlace) -> list[LayerSpec]:
    """Layers from a code back to the input of its layer."""
    mirrored: list[LayerSpec] = []
    for layer, shape in zip(place.code, place.shapes, strict=True):
        mirror = layer.mirror(shape)
        assert mirror is not None, "checks refuse a layer without mirror"
        mirrored = [*mirror, *mirrored]
    return mirrored


class Tying(Reconstructing):
    """Base of the methods whose decoder may use the encoder's weights."""

    tied_weights: Flag = False

    def refuses(self, place: StagePlace) -> Refusal | None:
        layer = place.layer
        if not self.tied_weights or isinstance(layer, Dense):
            return super().refuses(place)
        from dlspec.model.layers.convolution import Convolution  # most specs have none

        if not isinstance(layer, Convolution) or layer.groups > 1:
            reason = f"`{layer.type_name}` {'has groups' if isinstance(layer, Convolution) else 'is none'}"
            return Refusal(f"`tied_weights` needs dense layers or convolutions, and {reason}", "tied_weights")
        return super().refuses(place)

    def decoder_layer(self, part: LayerSpec, name: str, encoder: list[Any], place: StagePlace) -> Any:
        own = super().decoder_layer(part, name, encoder, place)
        if not self.tied_weights or not part.has_weights:
            return own
        from dlspec.pretraining._reconstruction import TiedConvolution, TiedDense

        return TiedDense(encoder[0]) if isinstance(place.layer, Dense) else TiedConvolution(encoder[0], own)


@PRETRAINING.register
class Autoencoder(Tying):
    """Trains encoder and decoder to reconstruct the layer's input (Bengio et al., 2007).

    For a dense layer: code h = s(W x + b), reconstruction z = s'(W' h + c), where W' is the transpose of W with
    `tied_weights`. The error is the cross-entropy -sum x log z + (1 - x) log(1 - z) with s' the sigmoid where the input
    lies in [0, 1], and otherwise the squared error sum (x - z)^2 with s' linear; of a sample, summed over its values.
    A convolution, with its pooling, is decoded by transposed convolutions. A recurrent layer is a sequence
    autoencoder: a decoder of its kind unrolls the last state into the whole input sequence, last timestep first
    (Srivastava et al., 2015).
    """

    examples: ClassVar = [{"method": "autoencoder", "epochs": 5, "tied_weights": True}]
