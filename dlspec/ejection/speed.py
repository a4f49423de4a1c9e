"""How much faster dlspec trains a network than Keras's `fit` does, measured on some of its steps."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from dlspec.ejection.subject import Subject
from dlspec.training.engines.choice import make_engine
from dlspec.training.engines.xla_rule import way_of

STEPS = 30
"""Weight updates that are timed."""
EPOCHS = 3
"""Times that they are made; the first one compiles, and of the others the fastest counts."""
WORTH_SAYING = 1.2
"""Times as fast."""


def times_as_fast(subject: Subject, network: Any) -> float | None:
    """The time of `fit` divided by that of dlspec's engine, for the same samples; None where nothing can be timed.

    Args:
        network: whose weights may change.
    """
    import keras

    train, stage = subject.spec.train, subject.plan.stages[-1]
    rows = min(len(subject.data.train), STEPS * stage.batch_size)
    x, y = np.asarray(subject.data.train.inputs[:rows]), np.asarray(subject.data.train.targets[:rows])
    if rows < 2 * stage.batch_size or train.loss is None:
        return None
    y = y.reshape(-1, *network.output_shape[1:]) if subject.target.kind == "input" else y
    y = train.loss.encode(y, subject.target.units)
    network.compile(optimizer=train.clipped_optimizer.over(1000, train.schedule), loss=train.loss.build())
    clock = _Clock()
    network.fit(x, y, batch_size=stage.batch_size, epochs=EPOCHS, verbose=0, callbacks=[clock.callback(keras)])
    compiled = way_of(subject.spec.runtime, subject.plan, stage, rows).compiled
    engine = make_engine(network, x, y, None, stage.batch_size, compiled=compiled)
    order, steps = np.arange(rows), -(-rows // stage.batch_size)
    taken = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        np.asarray(engine.run(order, 0, steps))
        taken.append(time.perf_counter() - began)
    engine.close()
    return min(clock.seconds[1:]) / min(taken[1:])


class _Clock:
    """How long each epoch of `fit` takes."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.began = 0.0

    def callback(self, keras: Any) -> Any:
        def begin(epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def end(epoch: int, logs: Any = None) -> None:
            self.seconds.append(time.perf_counter() - self.began)

        return keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
