"""The Keras layer of `sampling`; in a saved model the mean stands in its place."""

from __future__ import annotations

from threading import local
from typing import Any

import keras
from keras import ops


class SamplingLayer(keras.layers.Layer):
    """Gives mean + exp(log_var / 2) * noise in training, and the mean in use.

    Args:
        kl: what the divergence is multiplied by in the loss.
    """

    def __init__(self, kl: float, **more: Any) -> None:
        super().__init__(**more)
        self.kl = kl
        self.adds_loss = True
        """Whether it adds the mean divergence to the losses of the network itself; the trainer does so with weights."""
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator()
        self.tells_parts = False
        """Whether Keras sees the metrics, which hold the parts of a batch's loss: its own steps tell the loss alone."""
        self.error_of_batch = keras.metrics.Mean(name="error_of_batch")
        self.divergence_of_batch = keras.metrics.Mean(name="divergence_of_batch")
        self._now = local()  # several devices lead the network forward, each in a thread

    @property
    def metrics(self) -> list[Any]:
        return super().metrics if self.tells_parts else []

    def draw(self, count: Any) -> Any:
        """Standard normal noise for so many samples."""
        shape = (count, *self.output.shape[1:])
        return keras.random.normal(shape, dtype=self.compute_dtype, seed=self.seed_generator)

    def take(self, noise: Any) -> None:
        """Makes the next call use this noise; None: it draws its own."""
        self._now.noise = noise

    @property
    def divergences(self) -> Any:
        """Of each sample of the last call in this thread, (batch,) float32."""
        return self._now.divergences

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        mean, log_var = inputs
        self._now.divergences = divergences(mean, log_var, mask[0] if isinstance(mask, list | tuple) else mask)
        if self.adds_loss:
            self.add_loss(self.kl * ops.mean(self.divergences))
        if not training:
            return mean
        noise = getattr(self._now, "noise", None)
        if noise is None:
            noise = keras.random.normal(ops.shape(mean), dtype=self.compute_dtype, seed=self.seed_generator)
        return mean + ops.exp(log_var / 2) * noise

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask[0] if isinstance(previous_mask, list | tuple) else previous_mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(one or other for one, other in zip(*input_shape, strict=True))


def divergences(mean: Any, log_var: Any, mask: Any = None) -> Any:
    """The Kullback-Leibler divergence of normal distributions from the standard one, summed over each sample, (batch,).

    Args:
        mask: the timesteps that count, (batch, timesteps); None: all.
    """
    each = divergence(ops.cast(mean, "float32"), ops.cast(log_var, "float32"))
    if mask is not None:
        counts = ops.cast(mask, "float32")
        each = each * ops.reshape(counts, (*ops.shape(counts), *(1 for _ in range(len(each.shape) - len(mask.shape)))))
    return ops.sum(ops.reshape(each, (ops.shape(each)[0], -1)), axis=1)


def divergence(mean: Any, log_var: Any) -> Any:
    """The same of each unit: (mean^2 + variance - 1 - log_var) / 2."""
    return 0.5 * (ops.square(mean) + ops.exp(log_var) - 1.0 - log_var)
