"""A layer learns to give back its own input through its code."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from dlspec.fields import Flag
from dlspec.layers.base import LayerSpec, Shape
from dlspec.layers.core import Dense
from dlspec.pretraining.base import PRETRAINING, PretrainingMethod, Refusal


@PRETRAINING.register
class Autoencoder(PretrainingMethod):
    """Trains encoder and decoder to reconstruct the layer's input (Bengio et al., 2007).

    For a dense layer: code h = s(W x + b), reconstruction z = s'(W' h + b'), where W' is the transpose of W
    with `tied_weights`. The error is cross-entropy with s' the sigmoid where the input lies in [0, 1], and
    otherwise the mean squared error with s' linear. A recurrent layer is a sequence autoencoder: a decoder of
    its kind unrolls the last state into the whole input sequence, last timestep first (Srivastava et al., 2015).
    """

    examples: ClassVar = [{"method": "autoencoder", "epochs": 5, "tied_weights": True}]

    loss: Literal["binary_crossentropy", "mse"] | None = None
    tied_weights: Flag = False

    def refuses(self, layer: LayerSpec, input_shape: Shape | None) -> Refusal | None:
        if self.tied_weights and not isinstance(layer, Dense):
            return Refusal(f"`tied_weights` needs dense layers, and `{layer.type_name}` is none", "tied_weights")
        known = input_shape is not None and None not in input_shape[1:]
        if known and layer.mirror(input_shape or ()) is None:
            return Refusal(f"`{layer.type_name}` has no mirror yet to decode its code with")
        return None

    def corruption_layer(self) -> Any:
        """The Keras layer that spoils the input while training, or None."""
        return None

    def build(self, encoder: list[Any], layer: LayerSpec, input_shape: Shape, unit_interval: bool) -> Any:
        from dlspec.pretraining._keras_models import ReconstructingModel

        decoder = layer.mirror(input_shape)
        assert decoder is not None, "the plan holds only layers that have a mirror"
        loss = self.loss or ("binary_crossentropy" if unit_interval else "mse")
        model = ReconstructingModel(
            encoder,
            [part.build(f"decoder_{i}_{part.type_name}") for i, part in enumerate(decoder)],
            corruption=self.corruption_layer(),
            tied_to=encoder[0] if self.tied_weights else None,
            output_activation="sigmoid" if loss == "binary_crossentropy" else "linear",
            sequence=len(input_shape) == 3 and len(decoder) == 3,
        )
        model.compile(optimizer=self.optimizer.build(), loss=loss)
        return model
