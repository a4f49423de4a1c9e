"""Runs weight updates: what every engine does, and Keras's own way, which is that of every backend.

The order of samples comes from the caller. An engine is chosen by its `EngineKind`, which is in `ENGINES`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dlspec.data.arrays import Samples as Arrays
from dlspec.data.arrays import is_read_later
from dlspec.language.registry import Kind, Registry
from dlspec.training.batches import BatchReader, batches
from dlspec.training.values import EVALUATION_BATCH

if TYPE_CHECKING:
    from dlspec.training.divergence import LossParts

Array = np.ndarray

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
        self.parts: LossParts | None = getattr(model, "loss_parts", None)
        self.parts_of_steps: Array = np.empty((0, 0))
        self.parts_held_out: Array = np.empty(0)
        self._reader = BatchReader(self.data, batch_size) if any(map(is_read_later, self.data)) else None

    def samples(self, order: Array, first: int, last: int) -> list[Array]:
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
            The loss of each step; `parts_of_steps` are the parts that it has, (steps, parts), where there are `parts`.
        """

    @abstractmethod
    def loss(
        self,
        x: Array,
        y: Array | None,
        batch_size: int = EVALUATION_BATCH,
        places: Array | None = None,
        weights: Array | None = None,
    ) -> float:
        """The mean loss over samples, or over their places, in the mode of use; `parts_held_out` are its parts then,
        (parts,), where there are `parts`.

        Args:
            places: how many of each sample count, (samples,); None: all samples have as many.
            weights: how much each sample counts, 1 in the mean, (samples,); None: all alike.
        """

    @property
    def steps_of_an_epoch(self) -> int:
        return math.ceil(len(self.data[0]) / self.batch_size)

    def gradients(self, order: Array, step: int) -> list[tuple[Any, Array]]:
        """Each weight and its gradient at a step that is not made, where the engine can tell."""
        return []

    @property
    def program(self) -> Any:
        """What was compiled, for a model that is built alike; None where nothing was."""
        return None

    def take_over(self, program: Any) -> bool:
        """Uses what was compiled for a model that is built alike, if that can be."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Leaves the layers as they were before."""


@dataclass(frozen=True)
class TrainingTask:
    """What an engine is asked to train.

    Args:
        model: compiled, a network or a stage model.
        x, y, weights: inputs, and targets and sample weights where there are any.
        compiled: whether runs of steps are compiled by XLA, where the backend is TensorFlow.
        one_at_a_time: whether runs are of a single step.
        backend: of Keras: `tensorflow`, `jax` or `torch`.
    """

    model: Any
    x: Arrays
    y: Arrays | None
    weights: Arrays | None
    batch_size: int
    compiled: bool
    one_at_a_time: bool
    backend: str


class EngineKind(Kind):
    """Base of the engines as they are chosen: when one can train, and how it is made.

    Of those that fit, the one with the largest `preference` trains. What an engine needs is loaded in `make`, so that
    one backend does not load another.
    """

    preference: ClassVar[int] = 0

    @abstractmethod
    def fits(self, task: TrainingTask) -> bool:
        """Whether it can train this."""

    @abstractmethod
    def make(self, task: TrainingTask) -> Engine:
        """The engine, ready to run steps."""


ENGINES: Registry[EngineKind] = Registry("engine", "dlspec.training.engines.choice")


def mean_of_batches(losses: Sequence[float] | Array, count: int, batch_size: int, places: Array | None) -> float:
    """The mean over samples, or over places, of the means of batches.

    Args:
        count: samples of all batches; all but the last have `batch_size`.
        places: as of `Engine.loss`.
    """
    first = np.arange(0, count, batch_size)
    shares = np.minimum(batch_size, count - first) if places is None else np.add.reduceat(places, first)
    return float((np.asarray(losses, "float64") * shares).sum() / max(1, shares.sum()))


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
        losses: list[float] = []
        parts: list[tuple[float, ...]] = []
        for step in range(first, last):
            x, *more = self.samples(order, step, step + 1)
            y = more[0] if self.has_targets else np.zeros((len(x), 1), "float32")
            losses.append(self._told(self.model.train_on_batch, x, y, more[-1] if self.has_weights else None, parts))
        self.parts_of_steps = np.array(parts)
        return np.array(losses, "float32")

    def loss(
        self,
        x: Array,
        y: Array | None,
        batch_size: int = EVALUATION_BATCH,
        places: Array | None = None,
        weights: Array | None = None,
    ) -> float:
        losses: list[float] = []
        parts: list[tuple[float, ...]] = []
        for batch, *more in batches([values for values in (x, y, weights) if values is not None], batch_size):
            targets = np.zeros((len(batch), 1), "float32") if y is None else more[0]
            own = None if weights is None else more[-1]
            losses.append(float(self._told(self.model.test_on_batch, batch, targets, own, parts)))
        self.parts_held_out = np.array(
            [mean_of_batches(values, len(x), batch_size, places) for values in zip(*parts, strict=True)]
        )
        return mean_of_batches(losses, len(x), batch_size, places)

    def _told(self, method: Any, x: Any, y: Any, weights: Any, parts: list[tuple[float, ...]]) -> Any:
        """The loss of a batch, by a method of Keras; the parts that it has are put behind the others."""
        if self.parts is None:
            return method(x, y, sample_weight=weights)
        self.parts.keep()
        loss = method(x, y, sample_weight=weights, return_dict=True)["loss"]
        parts.append(self.parts.of_batch())
        return loss

    def close(self) -> None:
        return  # they were not changed
