"""Runs weight updates, many in one call of the backend.

Between two steps of a small network Python takes longer than the step, so on TensorFlow a run of steps is one function
over data that stay where the device is. Where `compiling` says so it is compiled by XLA as a whole; what is random in
its steps is drawn before, since XLA draws many times slower on a processor. Every other backend takes Keras's own way,
a batch at a time. The order of samples comes from the caller.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from dlspec.arrays import ALIGNMENT, aligned, is_read_later
from dlspec.arrays import Samples as Arrays
from dlspec.backend import on_gpu
from dlspec.compiling import way_of
from dlspec.estimates import count_of
from dlspec.plans import Plan, Samples
from dlspec.preparation import Prepared
from dlspec.spec import Spec
from dlspec.training.masks import Masks
from dlspec.training.reading import Reader, batches
from dlspec.training.recurrent import hasten
from dlspec.training.values import EVALUATION_BATCH

Array = np.ndarray

ON_DEVICE = 2 * 2**30
"""Bytes of samples that are kept on the device; more are handed over run by run."""
LONGEST_RUN = 1024
"""Steps of a compiled run at most."""
AHEAD = 2**26
"""Bytes that are drawn at random, or handed over, for a compiled run at most."""
AT_A_TIME = 0.2
"""Seconds that a run of steps takes, so that Ctrl-C is answered."""


class Engine(ABC):
    """Trains a compiled Keras model on samples.

    Args:
        model: a network, or a stage model (see `pretraining._stage_model`).
        x, y, weights: inputs, and targets and sample weights where there are any.
    """

    def __init__(self, model: Any, x: Arrays, y: Arrays | None, weights: Arrays | None, batch_size: int) -> None:
        self.model = model
        self.data = [values for values in (x, y, weights) if values is not None]
        self.has_targets, self.has_weights = y is not None, weights is not None
        self.batch_size = batch_size
        self._reader = Reader(self.data, batch_size) if any(map(is_read_later, self.data)) else None

    def _samples(self, order: Array, first: int, last: int) -> list[Array]:
        """What the steps from `first` to before `last` of an epoch need, of each array."""
        if self._reader is not None:
            return self._reader.take(order, first, last)
        rows = order[first * self.batch_size : last * self.batch_size]
        return [values[rows] for values in self.data]

    @abstractmethod
    def run(self, order: Array, first: int, last: int) -> Array:
        """Makes the steps from `first` to before `last` of an epoch.

        Args:
            order: the sample at each place of the epoch.

        Returns:
            The loss of each step.
        """

    @abstractmethod
    def loss(self, x: Array, y: Array | None, batch_size: int = EVALUATION_BATCH) -> float:
        """The mean loss over samples, in the mode of use."""

    @abstractmethod
    def close(self) -> None:
        """Leaves the layers as they were before."""


def compiled_stages(spec: Spec, plan: Plan, data: Prepared) -> list[str]:
    """Names of the stages that are compiled by XLA here; the rule is about processors, and other backends have their
    own."""
    import keras

    if keras.backend.backend() != "tensorflow" or (spec.runtime.xla == "auto" and on_gpu()):
        return []
    samples = Samples(len(data.train), len(data.pretraining_inputs))
    return [stage.name for stage in plan.stages if way_of(spec, plan, stage, count_of(stage, samples)).compiled]


def make_engine(
    model: Any,
    x: Arrays,
    y: Arrays | None,
    weights: Arrays | None,
    batch_size: int,
    *,
    compiled: bool,
    longest: int = LONGEST_RUN,
) -> Engine:
    """The engine of the backend.

    Args:
        compiled: whether runs are compiled by XLA, where the backend is TensorFlow.
        longest: steps that a run has at most.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return StepByStep(model, x, y, weights, batch_size)
    return TensorFlowEngine(model, x, y, weights, batch_size, compiled, longest)


class Pace:
    """How many steps a run has: as many as fit into a short time."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.steps = 1
        self._runs = 0

    def took(self, steps: int, seconds: float) -> None:
        """Learns from a run; the first one traces and compiles, and says nothing."""
        self._runs += 1
        if self._runs > 1 and steps == self.steps:
            fitting = int(steps * AT_A_TIME / max(seconds, 1e-6))
            self.steps = max(1, min(fitting, 4 * steps, self.most or fitting))


class StepByStep(Engine):
    """Keras's own way, on every backend."""

    def run(self, order: Array, first: int, last: int) -> Array:
        losses = []
        for step in range(first, last):
            x, *more = self._samples(order, step, step + 1)
            y = more[0] if self.has_targets else np.zeros((len(x), 1), "float32")
            losses.append(self.model.train_on_batch(x, y, sample_weight=more[-1] if self.has_weights else None))
        return np.array(losses, "float32")

    def loss(self, x: Array, y: Array | None, batch_size: int = EVALUATION_BATCH) -> float:
        total = 0.0
        for batch, *more in batches([x] if y is None else [x, y], batch_size):
            targets = more[0] if more else np.zeros((len(batch), 1), "float32")
            total += float(self.model.test_on_batch(batch, targets)) * len(batch)
        return total / len(x)

    def close(self) -> None:
        return  # they were not changed


class TensorFlowEngine(Engine):
    """A run of steps as one TensorFlow function.

    Args:
        compiled: whether the run is compiled by XLA. Its length is fixed then, and a shorter one ends before.
        longest: steps of a compiled run at most.
    """

    def __init__(
        self,
        model: Any,
        x: Arrays,
        y: Arrays | None,
        weights: Arrays | None,
        batch_size: int,
        compiled: bool,
        longest: int,
    ) -> None:
        import tensorflow as tf

        super().__init__(model, x, y, weights, batch_size)
        self.compiled = compiled
        self._changed = [(layer, "inner_loop") for layer in hasten(model)] if compiled else []
        if hasattr(model, "draw"):  # a stage model
            self._draw, self._forward = model.draw, model.forward
        elif compiled:
            masks = Masks(model)
            self._draw, self._forward = masks.draw, masks.forward
            self._changed += [(layer, "call") for layer in masks.layers]
        else:
            self._draw, self._forward = lambda x: (), lambda x, drawn: model(x, training=drawn is not None)
        on_device = self._reader is None and sum(values.nbytes for values in self.data) <= ON_DEVICE
        self._tensors = [_as_tensor(values) for values in self.data] if on_device else None
        self._random = self._drawn_of_a_step() if compiled else []
        self._length = self._length_of_runs(longest) if compiled else 0
        self._loop = tf.function(self._run, autograph=False, reduce_retracing=True)
        self._steps = tf.function(self._make_steps, jit_compile=True, autograph=False) if compiled else self._make_steps
        self._rest = tf.function(self._one, autograph=False, reduce_retracing=True)
        self._judge = tf.function(self._judge_batch, autograph=False, reduce_retracing=True)

    def run(self, order: Array, first: int, last: int) -> Array:
        import tensorflow as tf

        size = self.batch_size
        whole = min(last, len(order) // size)
        losses = [np.empty(0, "float32")]
        length = self._length or max(1, whole - first)
        for start in range(first, whole, length):
            end = min(whole, start + length)
            if self._tensors is not None:
                tensors, rows = self._tensors, order[start * size : end * size]
            else:
                samples = self._samples(order, start, end)
                tensors = [tf.constant(self._filled_up(values)) for values in samples]
                rows = np.arange((end - start) * size)
            rows = self._filled_up(rows.astype("int32"))
            losses.append(self._loop(tensors, tf.constant(rows), tf.constant(end - start)).numpy()[: end - start])
        if whole < last:  # the last batch of an epoch is smaller
            rest = self._rest([tf.constant(values) for values in self._samples(order, max(first, whole), last)])
            losses.append(np.reshape(rest.numpy(), 1))
        return np.concatenate(losses)

    def loss(self, x: Array, y: Array | None, batch_size: int = EVALUATION_BATCH) -> float:
        import tensorflow as tf

        total = 0.0
        for some in batches([x] if y is None else [x, y], batch_size):
            total += float(self._judge([tf.constant(values) for values in some])) * len(some[0])
        return total / len(x)

    def close(self) -> None:
        for layer, name in self._changed:
            delattr(layer, name)
        self._changed = []

    def _drawn_of_a_step(self) -> list[Any]:
        """Shapes and types of what a step draws at random."""
        import tensorflow as tf

        batch = tf.TensorSpec((self.batch_size, *self.data[0].shape[1:]), self.data[0].dtype)
        return list(tf.function(self._draw, autograph=False).get_concrete_function(batch).structured_outputs)

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
        import tensorflow as tf

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
        import tensorflow as tf

        losses = tf.TensorArray(tf.float32, size=self._length or count, element_shape=())

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
        """One weight update, as Keras makes it."""
        import tensorflow as tf

        x, y, weights = self._split(batch)
        model, optimizer = self.model, self.model.optimizer
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, self._forward(x, drawn), weights, training=True)
            scaled = optimizer.scale_loss(loss)
        variables = model.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
        return tf.cast(loss, tf.float32)

    def _judge_batch(self, batch: list[Any]) -> Any:
        x, y, _ = self._split([*batch, None] if self.has_weights else batch)
        return self.model.compute_loss(x, y, self._forward(x, None), None, training=False)

    def _split(self, batch: list[Any]) -> tuple[Any, Any, Any]:
        x, *more = batch
        return x, more[0] if self.has_targets else None, more[-1] if self.has_weights else None


def _as_tensor(values: Arrays) -> Any:
    """An array as a tensor: the same memory, as long as it may be on a processor."""
    import tensorflow as tf

    values = np.ascontiguousarray(values)
    if on_gpu() or values.dtype not in ("float32", "int32", "int64") or not values.size:
        return tf.constant(values)
    if values.ctypes.data % ALIGNMENT or not values.flags.writeable:
        copy = aligned(values.shape, values.dtype)
        copy[...] = values
        values = copy
    return tf.experimental.dlpack.from_dlpack(values.__dlpack__())
