"""How strongly a code follows its input: the squared norm of the Jacobian, on the Keras side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from dlspec.pretraining._stage_model import summed

STEP = 1e-2
"""Of differences: large enough for the digits of float32, small enough for the bends of an activation."""


def norm_of_dense(model: Any, x: Any, code: Any, drawn: tuple[Any, ...]) -> Any:
    """Of dense units: sum_j s'(a_j)^2 sum_i W_ij^2, the mean over the samples."""
    layer, *others = model.encoder
    weights = ops.sum(ops.square(layer.kernel), axis=0)  # (units,)
    return ops.mean(summed(ops.square(_slopes(layer, others, x, code)) * weights))


def _slopes(layer: Any, others: list[Any], x: Any, code: Any) -> Any:
    """s'(a), (batch, ..., units): in closed form for the sigmoid and tanh, otherwise from a difference."""
    if not others and layer.activation is keras.activations.sigmoid:
        return code * (1 - code)
    if not others and layer.activation is keras.activations.tanh:
        return 1 - ops.square(code)
    drive = ops.matmul(x, layer.kernel)
    if layer.use_bias:
        drive = drive + layer.bias

    def bend(a: Any) -> Any:
        h = layer.activation(a)
        for other in others:
            h = other(h)
        return h

    return (bend(drive + STEP) - bend(drive - STEP)) / (2 * STEP)


def estimated_norm() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Of any code: computes the estimate from a direction, and draws that direction."""

    def draw(x: Any, seed: Any) -> tuple[Any, ...]:
        return (keras.random.normal(ops.shape(x), seed=seed),)

    def compute(model: Any, x: Any, code: Any, drawn: tuple[Any, ...]) -> Any:
        if not drawn:  # in use, along all ones: nothing is random
            drawn = (ops.ones_like(x),)
        (direction,) = drawn
        moved = model.encode(x + STEP * direction) - model.encode(x - STEP * direction)
        return ops.mean(summed(ops.square(moved))) / (2 * STEP) ** 2

    return compute, draw
