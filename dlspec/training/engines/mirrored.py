"""Steps on several devices, each of which has a copy of the network and takes a part of every batch."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from dlspec.training.engines.tensorflow import TensorFlowEngine
from dlspec.training.masked import mask_network


class MirroredEngine(TensorFlowEngine):
    """The steps that one device would make, up to rounding.

    What is random is drawn for the whole batch before it is parted, where a layer lets it be, and gradients are added
    up before they are clipped. Batch normalization sees the part of a device, as it does in Keras; with
    `synchronized: true` it sees the batch. A model that was built for several devices says which (`devices_of`).
    """

    draws_before: ClassVar = True

    def __init__(self, model: Any, *arguments: Any) -> None:
        super().__init__(model, *arguments)
        self.strategy = model.distribute_strategy
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        optimizer._all_reduce_sum_gradients = lambda pairs: pairs  # they were, before they were clipped
        self._changed.append((optimizer, "_all_reduce_sum_gradients"))
        several = len(getattr(model, "outputs", None) or ()) > 1  # whose places weigh what they do in any batch
        self._mask = None if several else mask_network(model)

    def _step(self, batch: list[Any], drawn: tuple[Any, ...]) -> Any:
        count, parts = tf.shape(batch[0])[0], self.strategy.num_replicas_in_sync
        of_each = [_part([*batch, *drawn], count, i, parts) for i in range(parts)]

        def step_of_one() -> Any:
            context = tf.distribute.get_replica_context()
            values, rows = of_each[int(tf.get_static_value(context.replica_id_in_sync_group))]
            share = self._share(context, values[0], rows, count)
            # Keras divides every loss by the number of devices
            loss, gradients = self._gradients(values[: len(batch)], tuple(values[len(batch) :]), share * parts)
            pairs = list(zip(gradients, self.model.trainable_weights, strict=True))
            used = [(gradient, weight) for gradient, weight in pairs if gradient is not None]
            whole = context.all_reduce(tf.distribute.ReduceOp.SUM, [gradient for gradient, _ in used])
            self.model.optimizer.apply_gradients(zip(whole, [weight for _, weight in used], strict=True))
            return tf.cast(loss, tf.float32)

        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, self.strategy.run(step_of_one), axis=None)

    def _share(self, context: Any, inputs: Any, rows: Any, count: Any) -> Any:
        """The share of a device in what the loss of a batch is the mean of: samples, or places that are not masked.

        Args:
            rows: samples of the device, of `count` in all.
        """
        if self._mask is None:
            return tf.cast(rows, tf.float32) / tf.cast(count, tf.float32)
        own = tf.reduce_sum(tf.cast(self._mask(inputs, training=False), tf.float32))
        own *= tf.cast(rows > 0, tf.float32)
        return own / tf.maximum(context.all_reduce(tf.distribute.ReduceOp.SUM, own), 1.0)


def _part(values: list[Any], count: Any, place: int, parts: int) -> tuple[list[Any], Any]:
    """The rows of a batch that a device takes, and how many they are; of none one row."""
    first, last = count * place // parts, count * (place + 1) // parts
    begin = tf.minimum(first, count - 1)
    end = tf.maximum(last, begin + 1)
    return [some[begin:end] for some in values], last - first
