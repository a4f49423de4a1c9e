"""Autoencoders: encoder, decoder, what spoils the input, and what the code pays for; on the Keras side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from dlspec.pretraining._stage_model import DecodingModel, summed, values_of

ERRORS = {"squared_error": "linear", "mse": "linear", "cross_entropy": "sigmoid", "binary_crossentropy": "sigmoid"}
"""Reconstruction error -> the activation that the decoder ends in for it."""
MEASURED = 500
"""Samples that the objective is taken from after an epoch, as many as in the logs of pylearn2."""


@dataclass(frozen=True)
class Penalty:
    """What the code pays for, besides the reconstruction error.

    Args:
        name: of its column in the history.
        weight: what it is multiplied by.
        compute: model, input and code, (batch, ...), and what was drawn for it -> the penalty, as the mean over the
            samples. In use, nothing is drawn.
        draw: input and generator -> what it takes at random.
    """

    name: str
    weight: float
    compute: Callable[[ReconstructingModel, Any, Any, tuple[Any, ...]], Any]
    draw: Callable[[Any, Any], tuple[Any, ...]] | None = None


class ReconstructingModel(DecodingModel):
    """Encoder, then decoder, trained to give back the input.

    Args:
        decoder: a Keras model from the code back to the input, linear at its end.
        error: `squared_error` or `cross_entropy`, summed over the values of a sample; `mse` or
            `binary_crossentropy`, their mean.
        activation: what the decoder ends in.
        corruption: layer that spoils the input while training.
    """

    def __init__(
        self,
        encoder: list[Any],
        decoder: Any,
        *,
        error: str,
        activation: str | None = None,
        corruption: Any = None,
        penalty: Penalty | None = None,
    ) -> None:
        super().__init__(encoder)
        self.decoder = decoder
        self.error = error
        self.activation = activation or ERRORS[error]
        self.corruption = corruption
        self.penalty = penalty
        self.seed_generator = keras.random.SeedGenerator()

    def compiled_parts(self) -> list[Any]:
        return [*self.encoder, *self.decoder.layers]

    def draw(self, x: Any) -> tuple[Any, ...]:
        spoilt = x if self.corruption is None else self.corruption(x, training=True)
        draw = self.penalty.draw if self.penalty else None
        return (spoilt, *(draw(x, self.seed_generator) if draw else ()))

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> dict[str, Any]:
        seen, *more = drawn if drawn is not None else (x,)
        code = self.encode(seen, training=drawn is not None)
        found = {"raw": self.decoder(code)}
        if self.penalty is not None:
            found["penalty"] = self.penalty.compute(self, x, code, tuple(more))
        return found

    def objective(self, x: Any, y: Any, found: Mapping[str, Any], sample_weight: Any = None) -> Any:
        error = ops.mean(self._errors(x, found["raw"]))
        return error if self.penalty is None else error + self.penalty.weight * found["penalty"]

    def measures(self, held_out: np.ndarray, trained: np.ndarray) -> dict[str, float]:
        """`objective`: what training makes small, with all that it spoils and draws, after the epoch and for the first
        samples trained on; the `loss` is the mean while weights were changing. Then what the code pays, by its name."""
        x = ops.convert_to_tensor(trained[:MEASURED])
        found = self.forward(x, self.draw(x))
        measured = {"objective": self.objective(x, None, found)}
        if self.penalty is not None:
            measured[self.penalty.name] = found["penalty"]
        return {name: float(ops.convert_to_numpy(value)) for name, value in measured.items()}

    def decode(self, code: Any) -> Any:
        return keras.activations.get(self.activation)(self.decoder(code))

    def decoder_weights(self) -> list[list[np.ndarray]]:
        layers = [layer for layer in self.decoder.layers if layer.weights]
        return [layer.unfolded() if isinstance(layer, Tied) else values_of(layer) for layer in layers]

    def _errors(self, x: Any, raw: Any) -> Any:
        """The reconstruction error of each sample, (batch,)."""
        if self.error in ("squared_error", "mse"):
            errors = ops.square(x - keras.activations.get(self.activation)(raw))
        elif self.activation == "sigmoid":
            errors = ops.binary_crossentropy(x, raw, from_logits=True)
        else:
            errors = ops.binary_crossentropy(x, keras.activations.get(self.activation)(raw))
        total = summed(errors)
        if self.error in ("squared_error", "cross_entropy"):
            return total
        return total / float(np.prod(x.shape[1:]))


class Tied(keras.layers.Layer):
    """Base of the decoder layers whose kernel is that of an encoder's layer; the bias is their own."""

    def __init__(self, other: Any) -> None:
        super().__init__()
        self.other = other

    def unfolded(self) -> list[np.ndarray]:
        """Kernel and bias of a layer that does the same with weights of its own."""
        return [self._kernel(), np.array(ops.convert_to_numpy(self.visible_bias))]

    def _add_bias(self, size: int) -> None:
        self.visible_bias = self.add_weight(shape=(size,), initializer="zeros", name="visible_bias")

    def _kernel(self) -> np.ndarray:
        return np.array(ops.convert_to_numpy(self.other.kernel))


class TiedDense(Tied):
    """Multiplies by the transposed kernel of a dense layer."""

    def build(self, input_shape: Any) -> None:
        self._add_bias(self.other.kernel.shape[0])

    def call(self, inputs: Any) -> Any:
        return ops.matmul(inputs, ops.transpose(self.other.kernel)) + self.visible_bias

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.other.kernel.shape[0])

    def _kernel(self) -> np.ndarray:
        return super()._kernel().T.copy()


class TiedConvolution(Tied):
    """Writes the filters of a convolution where that read them.

    Args:
        like: the transposed convolution that it stands for.
    """

    def __init__(self, other: Any, like: Any) -> None:
        super().__init__(other)
        self.like = like.get_config()
        self.shape_after = like.compute_output_shape

    def build(self, input_shape: Any) -> None:
        self._add_bias(self.other.kernel.shape[-2])

    def call(self, inputs: Any) -> Any:
        settings = {key: self.like[key] for key in ("strides", "padding", "data_format", "dilation_rate")}
        x = ops.conv_transpose(inputs, self.other.kernel, output_padding=self.like["output_padding"], **settings)
        if self.like["data_format"] == "channels_first":
            return x + ops.reshape(self.visible_bias, (1, -1, *(1 for _ in self.like["kernel_size"])))
        return x + self.visible_bias

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.shape_after(input_shape)


class MaskingNoise(keras.layers.Layer):
    """Sets values to zero with probability `rate` while training; unlike dropout, the rest stays as it is."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training:
            return inputs
        kept = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator) >= self.rate
        return inputs * ops.cast(kept, inputs.dtype)


class SaltAndPepperNoise(MaskingNoise):
    """Sets values to the batch's lowest or highest with probability `rate` while training."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training:
            return inputs
        draw = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator)
        extreme = ops.where(draw < self.rate / 2, ops.min(inputs), ops.max(inputs))
        return ops.where(draw < self.rate, extreme, inputs)
