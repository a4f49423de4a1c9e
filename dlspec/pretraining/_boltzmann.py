"""Restricted Boltzmann machines on the Keras side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from dlspec.pretraining._stage_model import DecodingModel, summed

FEW_STEPS = 20
"""Of Gibbs sampling, which are not worth a trace."""


class BoltzmannMachine(DecodingModel):
    """A restricted Boltzmann machine whose hidden units are a dense layer (Hinton, 2002).

    The energy of visible units v and hidden units h, with x = v W + b, decides how likely they are together. With the
    hidden units summed out, the free energy is

        F(v) = - v c          - sum log(1 + exp(x))    Bernoulli visible and hidden units
        F(v) = |v - c|^2 / 2  - ...                    Gaussian visible units of variance 1
        F(v) = ...            - sum x^2 / 2            Gaussian hidden units of variance 1: a linear code
        F(v) = ...            - sum max(0, x)^2 / 2    rectified hidden units (Nair and Hinton, 2010), about

    and contrastive divergence follows the gradient of F(v0) - F(vk), vk being what k steps of Gibbs sampling make of
    the data v0 (CD-k), or of states that persist from batch to batch (PCD; Tieleman, 2008). It is that of the energies
    E(v0, h(v0)) - E(vk, h(vk)) with the mean hidden units h held fast, which takes less time. In CD the reconstruction
    is the probability of the visible units, which makes less noise than a sample (Hinton, 2010); persistent states are
    sampled throughout.

    Args:
        encoder: the dense layer, and what belongs to its code.
        hidden: `sigmoid`, `linear` or `relu`.
        visible: `bernoulli` or `gaussian`.
        gibbs_steps: k of CD-k.
        particles: states that persist; 0: none, the chains begin at the data.
        weight_decay: of the weights, not of the biases.
    """

    def __init__(
        self,
        encoder: list[Any],
        *,
        hidden: str,
        visible: str,
        gibbs_steps: int = 1,
        particles: int = 0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(encoder)
        self.hidden = hidden
        self.visible = visible
        self.gibbs_steps = gibbs_steps
        self.particles = particles
        self.weight_decay = weight_decay
        self.seed_generator = keras.random.SeedGenerator()

    @property
    def kernel(self) -> Any:
        return self.encoder[0].kernel

    def build(self, input_shape: Any) -> None:
        self.visible_bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="visible_bias")
        if self.particles:
            self.states = self.add_weight(
                shape=(self.particles, self.kernel.shape[-1]), initializer="zeros", trainable=False, name="states"
            )
        self.built = True

    # --- the machine

    def drive(self, v: Any) -> Any:
        """x = v W + b, what drives the hidden units."""
        x = ops.matmul(v, self.kernel)
        return x + self.encoder[0].bias if self.encoder[0].use_bias else x

    def mean_hidden(self, v: Any) -> Any:
        return keras.activations.get(self.hidden)(self.drive(v))

    def sample_hidden(self, v: Any, noise: Any) -> Any:
        """Hidden units for given visible ones; `noise` is uniform, or normal where they are not binary."""
        x = self.drive(v)
        if self.hidden == "sigmoid":
            return ops.cast(noise < ops.sigmoid(x), x.dtype)
        return x + noise if self.hidden == "linear" else ops.relu(x + ops.sqrt(ops.sigmoid(x)) * noise)

    def mean_visible(self, h: Any) -> Any:
        x = ops.matmul(h, ops.transpose(self.kernel)) + self.visible_bias
        return ops.sigmoid(x) if self.visible == "bernoulli" else x

    def sample_visible(self, h: Any, noise: Any) -> Any:
        mean = self.mean_visible(h)
        return ops.cast(noise < mean, mean.dtype) if self.visible == "bernoulli" else mean + noise

    def free_energy(self, v: Any) -> Any:
        """F(v) of each sample, (batch,)."""
        x = self.drive(v)
        if self.hidden == "sigmoid":
            of_hidden = ops.sum(ops.softplus(x), axis=-1)
        else:
            of_hidden = 0.5 * ops.sum(ops.square(x if self.hidden == "linear" else ops.relu(x)), axis=-1)
        return self._of_visible(v) - of_hidden

    def energy(self, v: Any) -> Any:
        """E(v, h(v)) of each sample, (batch,), up to what does not depend on weights; h is held fast."""
        x = self.drive(v)
        h = ops.stop_gradient(keras.activations.get(self.hidden)(x))
        return self._of_visible(v) - ops.sum(h * x, axis=-1)

    def _of_visible(self, v: Any) -> Any:
        if self.visible == "bernoulli":
            return -ops.matmul(v, self.visible_bias)
        return 0.5 * ops.sum(ops.square(v - self.visible_bias), axis=-1)

    # --- a step

    def draw(self, x: Any) -> tuple[Any, ...]:
        rows = self.particles or ops.shape(x)[0]
        drawn = []
        for _ in range(self.gibbs_steps):
            drawn.append(self._noise((rows, self.kernel.shape[-1]), self.hidden == "sigmoid"))
            if self.particles:
                drawn.append(self._noise((rows, self.kernel.shape[0]), self.visible == "bernoulli"))
        return tuple(drawn)

    def forward(self, x: Any, drawn: tuple[Any, ...] | None) -> dict[str, Any]:
        if drawn is None:
            return {"negative": self.mean_visible(self.mean_hidden(x))}
        if not self.particles:
            v = x
            for noise in drawn:
                v = self.mean_visible(self.sample_hidden(v, noise))
            return {"negative": ops.stop_gradient(v), "back": v}
        v, h = x, self.states + 0.0
        for of_hidden, of_visible in zip(drawn[::2], drawn[1::2], strict=True):
            v = self.sample_visible(h, of_visible)
            h = self.sample_hidden(v, of_hidden)
        self.states.assign(ops.stop_gradient(h))
        return {"negative": ops.stop_gradient(v), "back": self.mean_visible(self.mean_hidden(x))}

    def objective(self, x: Any, y: Any, found: Mapping[str, Any], sample_weight: Any = None) -> Any:
        """The squared reconstruction error, whose gradient is that of contrastive divergence.

        The difference of energies says nothing about progress, so what is shown is the error.
        """
        if "back" not in found:
            return ops.mean(summed(ops.square(x - found["negative"])))
        divergence = ops.mean(self.energy(x)) - ops.mean(self.energy(found["negative"]))
        if self.weight_decay:
            divergence = divergence + 0.5 * self.weight_decay * ops.sum(ops.square(self.kernel))
        error = ops.mean(summed(ops.square(x - found["back"])))
        return divergence + ops.stop_gradient(error - divergence)

    def measures(self, held_out: np.ndarray, trained: np.ndarray) -> dict[str, float]:
        """`free_energy_gap`: by how much held-out samples have a higher free energy than those trained on, which grows
        where the machine learns them by heart (Hinton, 2010), and `free_energy_gap_se`, its standard error; and of
        Bernoulli units `pseudo_likelihood`, the mean log probability of a unit given all others, times their number
        (Besag, 1975), of every unit in equally many samples."""
        found: dict[str, float] = {}
        if len(held_out):
            one, other = self._energies(held_out), self._energies(trained)
            found["free_energy_gap"] = float(one.mean() - other.mean())
            if min(len(one), len(other)) > 1:
                error = one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
                found["free_energy_gap_se"] = float(error**0.5)
        if self.visible == "bernoulli":
            v = held_out if len(held_out) else trained
            rows, units = len(v), v.shape[1]
            turns = np.arange(units * -(-rows // units))  # every unit equally often, and every sample about so
            whole = v[turns % rows]
            turned = np.array(whole)
            turned[turns, turns % units] = 1 - turned[turns, turns % units]
            gain = self.free_energy(ops.convert_to_tensor(turned)) - self.free_energy(ops.convert_to_tensor(whole))
            found["pseudo_likelihood"] = units * float(ops.convert_to_numpy(ops.mean(ops.log_sigmoid(gain))))
        return found

    def _energies(self, v: np.ndarray) -> np.ndarray:
        """The free energy of each sample, (samples,) float64."""
        return np.asarray(ops.convert_to_numpy(self.free_energy(ops.convert_to_tensor(v))), "float64")

    def _noise(self, shape: tuple[Any, ...], uniform: bool) -> Any:
        make = keras.random.uniform if uniform else keras.random.normal
        return make(shape, seed=self.seed_generator)

    # --- for what comes after

    def decode(self, code: Any) -> Any:
        return self.mean_visible(code)

    def decoder_weights(self) -> list[list[np.ndarray]]:
        kernel, bias = (np.array(ops.convert_to_numpy(values)) for values in (self.kernel, self.visible_bias))
        return [[kernel.T.copy(), bias]]

    def gibbs(self, v: Any, steps: int) -> tuple[Any, Any]:
        """Visible units after so many steps of Gibbs sampling from given ones, and their probabilities or means."""
        step, v = self._gibbs_step, ops.convert_to_tensor(v)
        if keras.backend.backend() == "tensorflow" and steps > FEW_STEPS:
            import tensorflow as tf

            step = tf.function(step, autograph=False)  # the same numbers, in a tenth of the time
        for _ in range(steps):
            v, h = step(v)
        return v, self.mean_visible(h)

    def _gibbs_step(self, v: Any) -> tuple[Any, Any]:
        """Visible units after one step, and the hidden ones in between."""
        rows = v.shape[0]
        h = self.sample_hidden(v, self._noise((rows, self.kernel.shape[-1]), self.hidden == "sigmoid"))
        noise = self._noise((rows, self.kernel.shape[0]), self.visible == "bernoulli")
        return self.sample_visible(h, noise), h
