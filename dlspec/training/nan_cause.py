"""Why a loss became no number: the step, and the layer whose output or gradient was the first to be none.

Training goes on from the last checkpoint once more, in ever shorter runs of steps, until the step is found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dlspec.model.states import without_states
from dlspec.training.engines.base import Engine
from dlspec.training.values import all_finite, as_array

Array = np.ndarray

RUN = 64
"""Steps that are made again between two looks at the weights."""


@dataclass(frozen=True)
class Cause:
    """What was found.

    Args:
        epoch, step: counted from 1.
        what: as the end of a sentence.
    """

    epoch: int
    step: int
    what: str


def find_cause(
    model: Any, engine: Engine, variables: list[Any], order_of: Callable[[int], Array], begin: tuple[int, int], end: int
) -> Cause | None:
    """Looks for the first step that spoils the network.

    Args:
        variables: everything that a step changes, as the last checkpoint left it.
        order_of: epoch, counted from 0 -> the sample at each place.
        begin: epochs and steps that were done at the checkpoint.
        end: epochs that were done when the loss became no number.

    Returns:
        None: this time it did not become one.
    """
    order_of = lru_cache(1)(order_of)
    for epoch, first, last in _runs(begin, end, engine.steps_of_an_epoch):
        before, order = [as_array(variable) for variable in variables], order_of(epoch)
        losses = engine.run(order, first, last)
        if np.isfinite(losses).all() and all_finite(model.trainable_variables):
            continue
        _assign(variables, before)
        for step in range(first, last):
            before = [as_array(variable) for variable in variables]
            (loss,) = engine.run(order, step, step + 1)
            if math.isfinite(loss) and all_finite(model.trainable_variables):
                continue
            _assign(variables, before)
            return Cause(epoch + 1, step + 1, _what(model, engine, order, step, bool(math.isfinite(loss))))
    return None


def _runs(begin: tuple[int, int], end: int, steps: int) -> Iterator[tuple[int, int, int]]:
    """Epoch, and from where to where in it."""
    for epoch in range(begin[0], end + 1):
        start = begin[1] if epoch == begin[0] else 0
        for first in range(start, steps, RUN):
            yield epoch, first, min(first + RUN, steps)


def _assign(variables: list[Any], values: list[Array]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _what(model: Any, engine: Engine, order: Array, step: int, loss_is_finite: bool) -> str:
    x = engine.samples(order, step, step + 1)[0]
    largest = max(float(np.abs(as_array(v)).max(initial=0)) for v in model.trainable_variables)
    weights = f"the largest weight was {largest:.3g} before"
    if not loss_is_finite:
        values = 0.0
        for name, output in _outputs(model, x):
            if not np.isfinite(output).all():
                return f"the output of `{name}` was the first that is no finite number, and {weights}"
            values = float(np.abs(output).max(initial=0))
        return f"all layers put out finite numbers, in the end up to {values:.3g}, of which the loss is none"
    for variable, gradient in reversed(engine.gradients(order, step)):  # they come from the loss
        if not np.isfinite(gradient).all():
            return (
                f"the gradient of `{_layer_of(model, variable)}` was the first that is no finite number, and {weights}"
            )
    return f"the optimizer made weights that are no finite numbers of finite gradients, and {weights}"


def _outputs(model: Any, x: Array) -> Iterator[tuple[str, Array]]:
    """Each layer and what it puts out, in their order; of a stage, those that it trains and its decoder."""
    import keras

    if hasattr(model, "compiled_parts"):
        value = keras.ops.convert_to_tensor(x)
        for layer in model.compiled_parts():
            if isinstance(layer, keras.layers.InputLayer):
                continue
            value = without_states(layer, layer(value))
            yield layer.name, as_array(value)
        return
    layers = [layer for layer in model.layers if len(layer._inbound_nodes) == 1]
    outputs = keras.Model(model.inputs, [layer.output for layer in layers])([x], training=False)
    for layer, values in zip(layers, outputs, strict=True):
        for value in keras.tree.flatten(values):
            yield layer.name, as_array(value)


def _layer_of(model: Any, variable: Any) -> str:
    """The layer that holds a weight; `the decoder` where it belongs to no layer of the network."""
    layers = model.encoder if hasattr(model, "encoder") else model.layers
    return next((layer.name for layer in layers if any(v is variable for v in layer.weights)), "the decoder")
