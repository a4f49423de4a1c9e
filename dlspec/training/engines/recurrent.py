"""Loops over time that take less of it, for Keras's recurrent layers on TensorFlow without a GPU.

Keras's cells multiply the inputs by their weights at every timestep. Here that is one product for all timesteps before
the loop, and the gradients of the weights are one product each behind the loop, so that a timestep holds the product
with the state alone, forward and backward, as in the kernels for GPUs (Appleyard, Kocisky and Blunsom, 2016). Weights
and results are the same up to rounding, and the layer stays the standard one when it is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from dlspec.runtime.backend import on_gpu

Loop = Callable[..., tuple[Any, Any, list[Any]]]
"""As `inner_loop` of a Keras layer."""
Cell = Callable[[Any, Any, Any, list[Any]], tuple[Any, list[Any]]]
"""What drives each timestep, recurrent weights, their bias and the first states -> all outputs, and the last states."""


def hasten(model: Any) -> list[Any]:
    """Gives the recurrent layers of a model faster loops, `inner_loop`, where their settings allow it; returns these
    layers."""
    import keras

    if on_gpu():  # where cuDNN has its own
        return []
    changed = []
    cells = {keras.layers.LSTM: _lstm, keras.layers.GRU: _gru, keras.layers.SimpleRNN: _simple}
    for layer in model._flatten_layers():
        cell = cells.get(type(layer))
        if cell is not None and _is_usual(layer):
            layer.inner_loop = partial(_inner_loop, layer, cell, type(layer).inner_loop)
            changed.append(layer)
    return changed


def _is_usual(layer: Any) -> bool:
    """Whether the loops here compute what the layer does."""
    gates = getattr(layer, "recurrent_activation", None)
    usual = layer.activation.__name__ == "tanh" and (gates is None or gates.__name__ == "sigmoid")
    plain = not layer.dropout and not layer.recurrent_dropout and not layer.unroll and not layer.stateful
    return usual and plain and getattr(layer, "reset_after", True) and layer.compute_dtype == "float32"


def _inner_loop(
    layer: Any, cell: Cell, keras_loop: Loop, sequences: Any, initial_state: Any, mask: Any, training: bool = False
) -> tuple[Any, Any, list[Any]]:
    """What `inner_loop` of a Keras layer gives: the last output, all outputs, and the last states."""
    import tensorflow as tf

    if mask is not None:
        return keras_loop(layer, sequences, initial_state, mask, training)
    kernel, recurrent = (tf.convert_to_tensor(v) for v in (layer.cell.kernel, layer.cell.recurrent_kernel))
    bias = tf.convert_to_tensor(layer.cell.bias) if layer.use_bias else None
    steps, batch, features = sequences.shape[1], tf.shape(sequences)[0], sequences.shape[2]
    steps = tf.shape(sequences)[1] if steps is None else steps
    in_time = tf.transpose(sequences, (1, 0, 2))
    if layer.go_backwards:
        in_time = tf.reverse(in_time, (0,))
    product = tf.matmul(tf.reshape(in_time, (steps * batch, features)), kernel)
    if bias is not None:
        product += bias if bias.shape.rank == 1 else bias[0]
    driven = tf.reshape(product, (steps, batch, kernel.shape[1]))
    states = list(initial_state) if isinstance(initial_state, Sequence) else [initial_state]
    inner_bias = bias[1] if bias is not None and bias.shape.rank == 2 else None
    outputs, last = cell(driven, recurrent, inner_bias, [tf.cast(state, "float32") for state in states])
    if not layer.return_sequences:
        return last[0], last[0][:, None], last
    return last[0], tf.transpose(outputs, (1, 0, 2)), last


def _loop(
    steps: Any,
    body: Callable[[Any, list[Any]], tuple[list[Any], list[Any]]],
    states: list[Any],
    kept: list[Any],
    *,
    backwards: bool = False,
) -> tuple[list[Any], list[Any]]:
    """Timesteps one after the other.

    Args:
        body: place and states -> states, and what is kept of the timestep.
        kept: the shape of each of these.

    Returns:
        The last states, and what was kept, (timesteps, ...).
    """
    import tensorflow as tf

    arrays = [tf.TensorArray("float32", size=steps, element_shape=shape) for shape in kept]

    def step(i: Any, states: list[Any], arrays: list[Any]) -> Any:
        t = steps - 1 - i if backwards else i
        found, values = body(t, states)
        return i + 1, found, [array.write(t, value) for array, value in zip(arrays, values, strict=True)]

    bounds = {"maximum_iterations": steps, "parallel_iterations": 1}
    _, states, arrays = tf.while_loop(lambda i, *_: i < steps, step, (tf.constant(0), states, arrays), **bounds)
    return states, [array.stack() for array in arrays]


def _before(first: Any, values: Any) -> Any:
    """What stood one timestep earlier, (timesteps, ...)."""
    import tensorflow as tf

    return tf.concat([first[None], values[:-1]], axis=0)


def _flat(values: Any) -> Any:
    """Timesteps and samples in one axis."""
    import tensorflow as tf

    return tf.reshape(values, (-1, values.shape[-1]))


def _lstm(driven: Any, recurrent: Any, _: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997; with forget gates of Gers et al., 2000)."""
    import tensorflow as tf

    units = recurrent.shape[0]

    @tf.custom_gradient
    def run(driven: Any, recurrent: Any, h0: Any, c0: Any) -> Any:
        steps = driven.shape[0] or tf.shape(driven)[0]

        def forward(t: Any, states: list[Any]) -> Any:
            h, c = states
            z = driven[t] + tf.matmul(h, recurrent)
            i, f, g, o = tf.split(z, 4, axis=1)
            i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
            c = f * c + i * g
            h = o * tf.tanh(c)
            return [h, c], [h, c, tf.concat([i, f, g, o], axis=1)]

        size = driven.shape[1]
        (h, c), (hs, cs, gates) = _loop(steps, forward, [h0, c0], [(size, units), (size, units), (size, 4 * units)])

        def gradient(d_hs: Any, d_h: Any, d_c: Any) -> Any:
            earlier = _before(c0, cs)

            def backward(t: Any, states: list[Any]) -> Any:
                d_h, d_c = states
                d_h = d_h + d_hs[t]
                i, f, g, o = tf.split(gates[t], 4, axis=1)
                bent = tf.tanh(cs[t])
                d_c = d_c + d_h * o * (1 - bent * bent)
                d_z = tf.concat(
                    [d_c * g * i * (1 - i), d_c * earlier[t] * f * (1 - f), d_c * i * (1 - g * g),
                     d_h * bent * o * (1 - o)], axis=1,
                )  # fmt: skip
                return [tf.matmul(d_z, recurrent, transpose_b=True), d_c * f], [d_z]

            (d_h0, d_c0), (d_z,) = _loop(steps, backward, [d_h, d_c], [(size, 4 * units)], backwards=True)
            d_recurrent = tf.matmul(_flat(_before(h0, hs)), _flat(d_z), transpose_a=True)
            return d_z, d_recurrent, d_h0, d_c0

        return (hs, h, c), gradient

    hs, h, c = run(driven, recurrent, *states)
    return hs, [h, c]


def _gru(driven: Any, recurrent: Any, bias: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """Gated recurrent unit (Cho et al., 2014), the reset gate behind the product."""
    import tensorflow as tf

    units = recurrent.shape[0]

    @tf.custom_gradient
    def run(driven: Any, recurrent: Any, bias: Any, h0: Any) -> Any:
        steps, size = driven.shape[0] or tf.shape(driven)[0], driven.shape[1]

        def forward(t: Any, states: list[Any]) -> Any:
            (h,) = states
            x_z, x_r, x_g = tf.split(driven[t], 3, axis=1)
            h_z, h_r, h_g = tf.split(tf.matmul(h, recurrent) + bias, 3, axis=1)
            z, r = tf.sigmoid(x_z + h_z), tf.sigmoid(x_r + h_r)
            g = tf.tanh(x_g + r * h_g)
            h = z * h + (1 - z) * g
            return [h], [h, tf.concat([z, r, g, h_g], axis=1)]

        (h,), (hs, gates) = _loop(steps, forward, [h0], [(size, units), (size, 4 * units)])

        def gradient(d_hs: Any, d_h: Any) -> Any:
            earlier = _before(h0, hs)

            def backward(t: Any, states: list[Any]) -> Any:
                d_h = states[0] + d_hs[t]
                z, r, g, h_g = tf.split(gates[t], 4, axis=1)
                d_g = d_h * (1 - z) * (1 - g * g)
                d_z = d_h * (earlier[t] - g) * z * (1 - z)
                d_r = d_g * h_g * r * (1 - r)
                inner = tf.concat([d_z, d_r, d_g * r], axis=1)
                return [d_h * z + tf.matmul(inner, recurrent, transpose_b=True)], [
                    tf.concat([d_z, d_r, d_g], axis=1), inner,
                ]  # fmt: skip

            (d_h0,), (d_driven, inner) = _loop(
                steps, backward, [d_h], [(size, 3 * units), (size, 3 * units)], backwards=True
            )
            d_recurrent = tf.matmul(_flat(earlier), _flat(inner), transpose_a=True)
            return d_driven, d_recurrent, tf.reduce_sum(_flat(inner), axis=0), d_h0

        return (hs, h), gradient

    hs, h = run(driven, recurrent, tf.zeros((3 * units,)) if bias is None else bias, *states)
    return hs, [h]


def _simple(driven: Any, recurrent: Any, _: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """The state bent after each timestep (Elman, 1990)."""
    import tensorflow as tf

    units = recurrent.shape[0]

    @tf.custom_gradient
    def run(driven: Any, recurrent: Any, h0: Any) -> Any:
        steps, size = driven.shape[0] or tf.shape(driven)[0], driven.shape[1]

        def forward(t: Any, states: list[Any]) -> Any:
            h = tf.tanh(driven[t] + tf.matmul(states[0], recurrent))
            return [h], [h]

        (h,), (hs,) = _loop(steps, forward, [h0], [(size, units)])

        def gradient(d_hs: Any, d_h: Any) -> Any:
            def backward(t: Any, states: list[Any]) -> Any:
                d_z = (states[0] + d_hs[t]) * (1 - hs[t] * hs[t])
                return [tf.matmul(d_z, recurrent, transpose_b=True)], [d_z]

            (d_h0,), (d_z,) = _loop(steps, backward, [d_h], [(size, units)], backwards=True)
            return d_z, tf.matmul(_flat(_before(h0, hs)), _flat(d_z), transpose_a=True), d_h0

        return (hs, h), gradient

    hs, h = run(driven, recurrent, *states)
    return hs, [h]
