"""The Keras loss of texts that are read off timesteps."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from dlspec.model.alignment import BLANK

NO_WAY = -1e30
"""The logarithm of the probability of what cannot be; a finite one, so that differences are numbers."""


class CTC(keras.losses.Loss):
    """Classes of items from 1 on and 0 behind the last, (batch, items), and logits, (batch, timesteps, classes), of
    which the first is the blank -> (batch,): minus the logarithm of the probability of each text.

    The probability is the sum over all ways to say the text, by the forward algorithm, and its gradient follows from
    how probable each state is at each timestep, by the backward algorithm (Graves et al., 2006, section 4), both on
    logarithms. Values and gradients are those of `keras.losses.CTC`, which calls TensorFlow's: that one complains on
    the terminal about batches of other sizes.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels, shares = ops.cast(y_true, "int32"), ops.log_softmax(ops.cast(y_pred, "float32"), axis=-1)
        # a blank before, between and behind the items: (batch, states), states = 2 * items + 1
        blanks = ops.full_like(labels, BLANK)
        states = ops.reshape(ops.stack([blanks, labels], axis=-1), (-1, 2 * labels.shape[1]))
        states = ops.concatenate([states, blanks[:, :1]], axis=1)
        said = ops.einsum("btc,bsc->tbs", shares, ops.one_hot(states, shares.shape[-1], dtype="float32"))
        count = 2 * ops.sum(ops.cast(ops.not_equal(labels, BLANK), "int32"), axis=1, keepdims=True)
        log_share, occupied = _forward_backward(ops.stop_gradient(said), states, count)
        log_share, occupied = ops.stop_gradient(log_share), ops.stop_gradient(occupied)
        # the gradient of the logarithm is how probable each state is; what is added here is zero
        return -log_share - ops.sum(occupied * (said - ops.stop_gradient(said)), axis=(0, 2))


def _forward_backward(said: Any, states: Any, ends: Any) -> tuple[Any, Any]:
    """The logarithm of the probability of texts, (batch,), and how probable each state is at each timestep if the text
    is said, (timesteps, batch, states).

    Args:
        said: the logarithm of the probability of the class of each state, (timesteps, batch, states).
        states: classes, (batch, states).
        ends: the last state of each text, a blank, (batch, 1).
    """
    count = states.shape[1]
    place = ops.arange(count)
    other = ops.not_equal(states[:, 2:], states[:, :-2])
    over = ops.where(ops.logical_and(ops.not_equal(states[:, 2:], BLANK), other), 0.0, NO_WAY)  # over a blank
    from_below = ops.pad(over, [[0, 0], [2, 0]], constant_values=NO_WAY)
    from_above = ops.pad(over, [[0, 0], [0, 2]], constant_values=NO_WAY)

    def shifted(values: Any, by: int) -> Any:
        pads = [[0, 0], [max(by, 0), max(-by, 0)]]
        wide = ops.pad(values, pads, constant_values=NO_WAY)
        return wide[:, :count] if by > 0 else wide[:, -count:]

    def together(stay: Any, one: Any, two: Any) -> Any:
        return ops.maximum(ops.logsumexp(ops.stack([stay, one, two], axis=-1), axis=-1), NO_WAY)

    def forward(alpha: Any, now: Any) -> tuple[Any, Any]:
        after = together(alpha, shifted(alpha, 1), shifted(alpha, 2) + from_below)
        after = ops.maximum(after + now, NO_WAY)
        return after, after

    def backward(beta: Any, now: Any) -> tuple[Any, Any]:
        ahead = ops.maximum(beta + now, NO_WAY)
        return together(ahead, shifted(ahead, -1), shifted(ahead, -2) + from_above), beta

    last = ops.logical_and(place <= ends, place >= ends - 1)
    before = ops.zeros_like(said[0]) + ops.where(place == 0, 0.0, NO_WAY)
    behind = ops.zeros_like(said[0]) + ops.where(last, 0.0, NO_WAY)
    _, alphas = ops.scan(forward, before, said)
    _, betas = ops.scan(backward, behind, ops.flip(said, axis=0))
    log_share = ops.logsumexp(alphas[-1] + behind, axis=-1)
    return log_share, ops.softmax(alphas + ops.flip(betas, axis=0), axis=-1)  # which add up to 1 at each timestep
