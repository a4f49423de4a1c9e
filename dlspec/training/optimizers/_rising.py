"""Stochastic gradient descent whose momentum rises; imported when training begins, since it loads Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class RisingSGD(keras.optimizers.SGD):
    """Keras's SGD with a momentum that rises in a straight line.

    Args:
        first: the momentum of the first step.
        last: the one that is reached.
        rising: in how many steps.
        done: steps of them that were taken before.
    """

    def __init__(self, first: float, last: float, rising: int, done: int = 0, **arguments: Any) -> None:
        super().__init__(**{**arguments, "momentum": max(first, last)})
        self.first = first
        self.last = last
        self.rising = max(1, rising)
        self.done = done

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        share = ops.minimum(ops.cast(self.iterations + self.done, dtype) / self.rising, 1.0)
        momentum = self.first + (self.last - self.first) * share
        move = ops.cast(gradient, dtype) * ops.cast(learning_rate, dtype)
        kept = self.momentums[self._get_variable_index(variable)]
        self.assign(kept, kept * momentum - move)
        self.assign_add(variable, kept * momentum - move if self.nesterov else kept)
