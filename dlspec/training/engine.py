"""Runs weight updates, many in one call of the backend.

Between two steps of a small network Python takes longer than the step, so on TensorFlow a run of steps is one function
over data that stay where the device is. A step that is dense products alone is compiled by XLA, if it is run often
enough to be worth compiling; what is random in it is drawn before, since XLA draws many times slower on a processor.
Every other backend takes Keras's own way, a batch at a time. The order of samples comes from the caller.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from dlspec.arrays import Samples, is_read_later
from dlspec.training.reading import Reader, batches
from dlspec.training.values import EVALUATION_BATCH

Array = np.ndarray

ON_DEVICE = 2 * 2**30
"""Bytes of samples that are kept on the device; more are handed over run by run."""
AT_A_TIME = 0.2
"""Seconds that a run of steps takes, so that Ctrl-C is answered."""
WORTH_COMPILING = 3e11
"""Floating-point operations of a training from which on a step is compiled, which takes about a second."""
PLAIN_LAYERS = ("InputLayer", "Dense", "Activation", "Flatten", "Reshape", "Identity", "TiedDense")
"""Keras layers of which a compiled step is faster; convolutions, loops over time and random layers are slower."""


class Engine(ABC):
    """Trains a compiled Keras model on samples.

    Args:
        model: a network, or a stage model (see `pretraining._stage_model`).
        x, y, weights: inputs, and targets and sample weights where there are any.
    """

    def __init__(self, model: Any, x: Samples, y: Samples | None, weights: Samples | None, batch_size: int) -> None:
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


def make_engine(
    model: Any, x: Array, y: Array | None, weights: Array | None, batch_size: int, operations: float
) -> Engine:
    """The engine of the backend.

    Args:
        operations: floating-point operations of the whole training, about.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return StepByStep(model, x, y, weights, batch_size)
    return TensorFlowEngine(model, x, y, weights, batch_size, operations > WORTH_COMPILING and _is_plain(model))


def _is_plain(model: Any) -> bool:
    parts = model.compiled_parts() if hasattr(model, "compiled_parts") else model.layers
    return all(type(layer).__name__ in PLAIN_LAYERS for layer in parts)


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


class TensorFlowEngine(Engine):
    """A run of steps as one TensorFlow function.

    Args:
        compiled: whether a step is compiled by XLA.
    """

    def __init__(
        self, model: Any, x: Array, y: Array | None, weights: Array | None, batch_size: int, compiled: bool
    ) -> None:
        import tensorflow as tf

        super().__init__(model, x, y, weights, batch_size)
        self.compiled = compiled
        staged = hasattr(model, "draw")
        self._draw = model.draw if staged else lambda x: ()
        self._forward = model.forward if staged else lambda x, drawn: model(x, training=drawn is not None)
        self._update = tf.function(self._step, jit_compile=True, autograph=False) if compiled else self._step
        self._loop = tf.function(self._run, autograph=False, reduce_retracing=True)
        self._rest = tf.function(self._one, autograph=False, reduce_retracing=True)
        self._judge = tf.function(self._judge_batch, autograph=False, reduce_retracing=True)
        on_device = self._reader is None and sum(values.nbytes for values in self.data) <= ON_DEVICE
        self._tensors = [tf.constant(np.ascontiguousarray(values)) for values in self.data] if on_device else None

    def run(self, order: Array, first: int, last: int) -> Array:
        import tensorflow as tf

        size = self.batch_size
        whole = min(last, len(order) // size)
        losses = [np.empty(0, "float32")]
        if first < whole:
            tensors = self._tensors
            if tensors is not None:
                rows = order[first * size : whole * size]
            else:
                tensors = [tf.constant(values) for values in self._samples(order, first, whole)]
                rows = np.arange((whole - first) * size)
            losses.append(self._loop(tensors, tf.constant(rows, tf.int32), tf.constant(whole - first)).numpy())
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

    def _run(self, tensors: list[Any], order: Any, count: Any) -> Any:
        import tensorflow as tf

        losses = tf.TensorArray(tf.float32, size=count, element_shape=())

        def make_ready(i: Any) -> Any:
            rows = tf.slice(order, [i * self.batch_size], [self.batch_size])
            batch = [tf.gather(values, rows) for values in tensors]
            return batch, self._draw(batch[0])

        def body(i: Any, losses: Any, batch: Any, drawn: Any) -> Any:
            """A step, while the next batch is made ready beside it; none is drawn for behind the last one."""
            following = tf.cond(i + 1 < count, lambda: make_ready(i + 1), lambda: (batch, drawn))
            return i + 1, losses.write(i, self._update(batch, drawn)), *following

        start = (tf.constant(0), losses, *make_ready(tf.constant(0)))
        _, losses, _, _ = tf.while_loop(lambda i, *_: i < count, body, start, parallel_iterations=1)
        return losses.stack()

    def _one(self, batch: list[Any]) -> Any:
        return self._update(batch, self._draw(batch[0]))

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
