"""Numbers of rows that an embedding looks up, which no sample changes."""

import math

from keras import ops


def first_values(x, value, covered=0):
    """Whole numbers, all the same, in the shape of the batch and so many axes behind it."""
    part = x[(..., *[0] * (len(x.shape) - covered - 1))]
    return ops.zeros_like(part, dtype="int32") if value == 0 else ops.ones_like(part, dtype="int32")


def one_row(x):
    """The first row, for all samples: (1, ..., 1)."""
    zero = ops.min(first_values(x, 0), axis=0, keepdims=True)
    return ops.reshape(zero, (1,) * (len(x.shape) - 1))


def rows_of_sample(x, shape):
    """A row for each place of a shape, the same ones for every sample: (batch, *shape)."""
    if not shape:
        return first_values(x, 0)
    ones = ops.repeat(ops.expand_dims(first_values(x, 1), 1), math.prod(shape), axis=1)
    numbers = ops.cumsum(ones, axis=1) - 1
    return numbers if len(shape) == 1 else ops.reshape(numbers, (-1, *shape))


def timestep_numbers(x):
    """The numbers of the timesteps: (1, timesteps)."""
    return ops.cumsum(ops.max(first_values(x, 1, covered=1), axis=0, keepdims=True), axis=1) - 1


def sines(numbers, channels):
    """Sine and cosine by turns, of waves that are longer from channel to channel (Vaswani et al., 2017)."""
    waves = (channels + 1) // 2
    steps = ops.expand_dims(ops.cast(numbers, "float32"), -1)
    wave = ops.cumsum(ops.repeat(ops.ones_like(steps), waves, axis=-1), axis=-1) - 1.0
    angles = steps * ops.exp(wave * (-2 * math.log(10_000) / channels))
    pairs = ops.reshape(ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1), (1, -1, 2 * waves))
    return pairs[..., :channels] if channels % 2 else pairs
