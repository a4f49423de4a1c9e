"""Many weight updates in one call of TensorFlow.

Between two steps of a small network Python takes longer than the step, so a run of steps is one function over data that
stay where the device is. Where `xla_rule` says so it is compiled by XLA as a whole; what is random in its steps is
drawn before, since XLA draws many times slower on a processor.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from dlspec.data.arrays import ALIGNMENT, aligned, is_read_later
from dlspec.data.arrays import Samples as Arrays
from dlspec.runtime.backend import on_gpu
from dlspec.training.batches import batches
from dlspec.training.engines.base import Engine, mean_of_batches
from dlspec.training.engines.masks import Masks
from dlspec.training.engines.recurrent import hasten
from dlspec.training.values import EVALUATION_BATCH

Array = np.ndarray

ON_DEVICE = 2 * 2**30
"""Bytes of samples that are kept on the device; more are handed over run by run."""
LONGEST_RUN = 1024
"""Steps of a compiled run at most."""
AHEAD = 2**26
"""Bytes that are drawn at random, or handed over, for a compiled run at most."""


class Program(NamedTuple):
    """A compiled run of steps.

    Args:
        function: what runs it.
        variables: handles of what it changes, in the order of the model.
        samples: shape and type of each array that it takes them from.
    """

    function: Any
    variables: list[Any]
    samples: list[tuple[tuple[int, ...], Any]]


class TensorFlowEngine(Engine):
    """A run of steps as one TensorFlow function.

    Args:
        compiled: whether the run is compiled by XLA. Its length is fixed then, and a shorter one ends before.
        longest: steps of a compiled run at most.
    """

    draws_before: ClassVar = False
    """Whether masks of dropout are drawn for a whole batch before the step, also where that is not compiled."""

    def __init__(
        self,
        model: Any,
        x: Arrays,
        y: Arrays | None,
        weights: Arrays | None,
        batch_size: int,
        compiled: bool = False,
        longest: int = LONGEST_RUN,
    ) -> None:
        super().__init__(model, x, y, weights, batch_size)
        self.compiled = compiled
        self._changed = [(layer, "inner_loop") for layer in hasten(model)] if compiled else []
        if hasattr(model, "draw"):  # a stage model
            self._draw, self._forward = model.draw, model.forward
        elif compiled or self.draws_before:
            masks = Masks(model)
            self._draw, self._forward = masks.draw, masks.forward
            self._changed += [(layer, "call") for layer in masks.layers]
        else:
            self._draw, self._forward = lambda x: (), lambda x, drawn: model(x, training=drawn is not None)
        on_device = self._reader is None and sum(values.nbytes for values in self.data) <= ON_DEVICE
        self._told_of = () if self.parts is None else (1 + len(self.parts.names),)
        self._tensors = [_as_tensor(values) for values in self.data] if on_device else None
        self._random = self._drawn_of_a_step() if compiled else []
        self._length = self._length_of_runs(longest) if compiled else 0
        self._loop = tf.function(self._run, autograph=False, input_signature=self._form_of_a_run())
        self._steps = tf.function(self._make_steps, jit_compile=True, autograph=False) if compiled else self._make_steps
        self._rest = tf.function(self._one, autograph=False, reduce_retracing=True)
        self._judge = tf.function(self._judge_batch, autograph=False, reduce_retracing=True)
        self._judge_all = tf.function(self._judge_batches, autograph=False)
        self._program: Program | None = None
        self._held_out: Arrays | None = None
        self._held_out_tensors: list[Any] = []

    def run(self, order: Array, first: int, last: int) -> Array:
        size = self.batch_size
        whole = min(last, len(order) // size)
        losses = [np.empty((0, *self._told_of), "float32")]
        length = self._length or max(1, whole - first)
        for start in range(first, whole, length):
            end = min(whole, start + length)
            if self._tensors is not None:
                tensors, rows = self._tensors, order[start * size : end * size]
            else:
                samples = self.samples(order, start, end)
                tensors = [tf.constant(self._filled_up(values)) for values in samples]
                rows = np.arange((end - start) * size)
            given = (tensors, tf.constant(self._filled_up(rows.astype("int32"))), tf.constant(end - start))
            if self.compiled and self._program is None:
                self._program = Program(self._loop.get_concrete_function(*given), *self._held())
            loop = self._program.function if self._program else self._loop
            losses.append(loop(*given).numpy()[: end - start])
        if whole < last:  # the last batch of an epoch is smaller
            rest = self._rest([tf.constant(values) for values in self.samples(order, max(first, whole), last)])
            losses.append(np.reshape(rest.numpy(), (1, *self._told_of)))
        told = np.concatenate(losses)
        if self.parts is None:
            return told
        self.parts_of_steps = told[:, 1:]
        return told[:, 0]

    def loss(
        self,
        x: Arrays,
        y: Arrays | None,
        batch_size: int = EVALUATION_BATCH,
        places: Array | None = None,
        weights: Array | None = None,
    ) -> float:
        arrays = [values for values in (x, y, weights) if values is not None]
        done, losses = 0, list[Any]()
        if not any(map(is_read_later, arrays)) and sum(values.nbytes for values in arrays) <= ON_DEVICE:
            if x is not self._held_out:
                self._held_out, self._held_out_tensors = x, [_as_tensor(values) for values in arrays]
            whole = len(x) // batch_size
            if whole:
                losses += self._judge_all(self._held_out_tensors, tf.constant(whole), batch_size).numpy().tolist()
                done = whole * batch_size
        for some in batches([values[done:] for values in arrays] if done else arrays, batch_size):
            losses.append(self._judge([tf.constant(values) for values in some]).numpy())
        if self.parts is None:
            return mean_of_batches(losses, len(x), batch_size, places)
        loss, *parts = (mean_of_batches(own, len(x), batch_size, places) for own in np.transpose(losses))
        self.parts_held_out = np.array(parts)
        return loss

    def gradients(self, order: np.ndarray, step: int) -> list[tuple[Any, np.ndarray]]:
        batch = [tf.constant(values) for values in self.samples(order, step, step + 1)]
        _, found = self._gradients(batch, self._draw(batch[0]))
        pairs = zip(self.model.trainable_weights, found, strict=True)
        return [(weight, tf.convert_to_tensor(value).numpy()) for weight, value in pairs if value is not None]

    @property
    def program(self) -> Program | None:
        return self._program

    def take_over(self, program: Program) -> bool:
        variables, samples = self._held()
        if samples != program.samples:
            return False
        ours = {id(theirs): variable for theirs, variable in zip(program.variables, variables, strict=True)}
        captured = [ours.get(id(value)) for value in program.function.captured_inputs]
        if any(value is None for value in captured):  # something that is no variable
            return False
        program.function.set_external_captures(captured)
        self._program = Program(program.function, variables, samples)
        return True

    def _held(self) -> tuple[list[Any], list[tuple[tuple[int, ...], Any]]]:
        """Everything that a step changes, as functions hold it; and the form of what it sees."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        return [variable.value.handle for variable in variables], [(v.shape, v.dtype) for v in self.data]

    def close(self) -> None:
        for layer, name in self._changed:
            delattr(layer, name)
        self._changed = []

    def _drawn_of_a_step(self) -> list[Any]:
        """Shapes and types of what a step draws at random."""
        batch = tf.TensorSpec((self.batch_size, *self.data[0].shape[1:]), self.data[0].dtype)
        return list(tf.function(self._draw, autograph=False).get_concrete_function(batch).structured_outputs)

    def _form_of_a_run(self) -> list[Any]:
        """Shapes and types of what `_run` is given: the same for a run of any length, so that it is traced once."""
        rows = self._length * self.batch_size or None
        if self._tensors is not None:
            samples = [tf.TensorSpec(values.shape, values.dtype) for values in self._tensors]
        else:
            samples = [tf.TensorSpec((rows, *values.shape[1:]), values.dtype) for values in self.data]
        return [samples, tf.TensorSpec((rows,), tf.int32), tf.TensorSpec((), tf.int32)]

    def _length_of_runs(self, longest: int) -> int:
        """How many steps a compiled run has: so many that what is made ready for all of them is not too much."""
        steps = max(1, len(self.data[0]) // self.batch_size)
        held = sum(math.prod(values.shape) * values.dtype.size for values in self._random)
        if self._tensors is None:
            held += sum(values[:1].nbytes for values in self.data) * self.batch_size
        return max(1, min(steps, longest, AHEAD // max(1, held)))

    def _filled_up(self, values: Array) -> Array:
        """Values of a run, (steps x batch, ...), with some behind them if it is shorter than a compiled one."""
        lacking = self._length * self.batch_size - len(values)
        return np.concatenate([values, np.repeat(values[:1], lacking, axis=0)]) if lacking > 0 else values

    def _run(self, tensors: list[Any], order: Any, count: Any) -> Any:
        return self._steps(tensors, order, count, self._drawn_ahead(tensors, order, count) if self.compiled else None)

    def _drawn_ahead(self, tensors: list[Any], order: Any, count: Any) -> list[Any]:
        """What is random in each step, (steps, ...)."""
        if not self._random:
            return []
        arrays = [tf.TensorArray(v.dtype, size=self._length, element_shape=v.shape) for v in self._random]

        def body(i: Any, arrays: list[Any]) -> Any:
            batch = tf.gather(tensors[0], tf.slice(order, [i * self.batch_size], [self.batch_size]))
            drawn = self._draw(batch)
            return i + 1, [array.write(i, values) for array, values in zip(arrays, drawn, strict=True)]

        _, arrays = tf.while_loop(lambda i, _: i < count, body, (tf.constant(0), arrays), parallel_iterations=1)
        return [array.stack() for array in arrays]

    def _make_steps(self, tensors: list[Any], order: Any, count: Any, ahead: list[Any] | None) -> Any:
        """Steps one after the other, each with its own rows of the order."""
        losses = tf.TensorArray(tf.float32, size=self._length or count, element_shape=self._told_of)

        def body(i: Any, losses: Any) -> Any:
            rows = tf.slice(order, [i * self.batch_size], [self.batch_size])
            batch = [tf.gather(values, rows) for values in tensors]
            drawn = self._draw(batch[0]) if ahead is None else tuple(tf.gather(values, i) for values in ahead)
            return i + 1, losses.write(i, self._step(batch, drawn))

        _, losses = tf.while_loop(lambda i, _: i < count, body, (tf.constant(0), losses), parallel_iterations=1)
        return losses.stack()

    def _one(self, batch: list[Any]) -> Any:
        return self._step(batch, self._draw(batch[0]))

    def _step(self, batch: list[Any], drawn: tuple[Any, ...]) -> Any:
        """One weight update, as Keras makes it. Returns the loss and, where it has parts, these behind it."""
        loss, gradients = self._gradients(batch, drawn)
        self.model.optimizer.apply_gradients(zip(gradients, self.model.trainable_weights, strict=True))
        return tf.cast(loss, tf.float32)

    def _gradients(self, batch: list[Any], drawn: tuple[Any, ...], share: Any = None) -> tuple[Any, list[Any]]:
        """The loss, with its parts where it has some, and its gradient for each weight.

        Args:
            share: what the loss is multiplied by.
        """
        x, y, weights = self._split(batch)
        with tf.GradientTape() as tape:
            loss = self.model.compute_loss(x, y, self._forward(x, drawn), weights, training=True)
            told = self._with_parts(loss)
            if share is not None:
                loss *= tf.cast(share, loss.dtype)
                told *= tf.cast(share, told.dtype)
            scaled = self.model.optimizer.scale_loss(loss)
        return told, tape.gradient(scaled, self.model.trainable_weights)

    def _with_parts(self, loss: Any) -> Any:
        """A loss that was just computed, and its parts where it has some: () or (1 + parts,)."""
        if self.parts is None:
            return loss
        return tf.stack([tf.cast(value, tf.float32) for value in (loss, *self.parts.last)])

    def _judge_batch(self, batch: list[Any]) -> Any:
        x, *more = batch
        y = more.pop(0) if self.has_targets else None
        found = self._forward(x, None)
        return self._with_parts(self.model.compute_loss(x, y, found, more[0] if more else None, training=False))

    def _judge_batches(self, tensors: list[Any], count: Any, size: int) -> Any:
        """The loss of each of the first batches."""
        losses = tf.TensorArray(tf.float32, size=count, element_shape=self._told_of)

        def body(i: Any, losses: Any) -> Any:
            batch = [values[i * size : (i + 1) * size] for values in tensors]
            return i + 1, losses.write(i, tf.cast(self._judge_batch(batch), tf.float32))

        _, losses = tf.while_loop(lambda i, _: i < count, body, (tf.constant(0), losses), parallel_iterations=1)
        return losses.stack()

    def _split(self, batch: list[Any]) -> tuple[Any, Any, Any]:
        x, *more = batch
        return x, more[0] if self.has_targets else None, more[-1] if self.has_weights else None


def _as_tensor(values: Arrays) -> Any:
    """An array as a tensor: the same memory, as long as it may be on a processor."""
    values = np.ascontiguousarray(values)
    if on_gpu() or values.dtype not in ("float32", "int32", "int64") or not values.size:
        return tf.constant(values)
    if values.ctypes.data % ALIGNMENT or not values.flags.writeable:
        copy = aligned(values.shape, values.dtype)
        copy[...] = values
        values = copy
    return tf.experimental.dlpack.from_dlpack(values.__dlpack__())
