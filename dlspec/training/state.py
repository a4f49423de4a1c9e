"""All that a training depends on besides its spec and its data, saved now and then and brought back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dlspec.language.diagnostics.errors import DataError
from dlspec.training.callback_runner import Callbacks
from dlspec.training.progress import Checkpoint, Progress
from dlspec.training.values import all_finite, as_array

Array = np.ndarray
CHECKPOINT_SECONDS = 10.0
"""How much training may be lost when the machine dies."""
SAVING = 20
"""Times as long as it takes to save that training goes on, at least, before the next time."""


class TrainingState:
    """Where training stands, and every variable that it changes.

    Args:
        network: that is trained.
        keep: is given each checkpoint.
        every: seconds from one checkpoint to the next; None: as long as it takes to save them tells.
        checkpoint: what training goes on from; None: it begins.
    """

    def __init__(
        self, network: Any, keep: Callable[[Checkpoint], None], every: float | None, checkpoint: Checkpoint | None
    ) -> None:
        self.network = network
        self.progress = checkpoint.progress if checkpoint else Progress()
        self.best_weights: list[Array] = checkpoint.best_weights if checkpoint else []
        self.stage_models: list[Any] = []
        """Of the pretraining stages up to this one."""
        self.callbacks: Callbacks | None = None
        """Those of the stage that is trained."""
        self._keep = keep
        self._every = every
        self._next_save = 0.0
        self._resumed = checkpoint

    @property
    def is_due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return time.monotonic() > self._next_save

    def save(self, model: Any) -> None:
        """Saves all that training needs to go on, unless weights are no numbers any more.

        Args:
            model: that is trained now.
        """
        began = time.monotonic()
        if all_finite(model.trainable_variables):
            values = [as_array(variable) for variable in self.variables(model)]
            counted = self.callbacks.state() if self.callbacks else []
            now = replace(self.progress, history=[*self.progress.history], callbacks=counted)
            self._keep(Checkpoint(now, values, [*self.best_weights]))
        ended = time.monotonic()
        self._next_save = ended + (self._every or max(CHECKPOINT_SECONDS, SAVING * (ended - began)))

    def variables(self, model: Any) -> list[Any]:
        """Every variable that training changes: layers, decoders, random generators, optimizer."""
        found = [*self.network.variables]
        for stage_model in self.stage_models:
            found += stage_model.variables
        if self.progress.begun:
            found += model.optimizer.variables
        return list({id(variable): variable for variable in found}.values())

    def bring_back(self, model: Any) -> None:
        """Brings a compiled model to where the checkpoint left it, when there is one.

        A checkpoint that was written between two stages lacks the variables of the next stage's model, which
        come last and stay as they were drawn.

        Raises:
            DataError: the checkpoint is of another network.
        """
        if self._resumed is None:
            return
        variables, values = self.variables(model), self._resumed.variables
        fits = len(values) <= len(variables) and all(
            tuple(variable.shape) == value.shape for variable, value in zip(variables, values, strict=False)
        )
        if not fits:
            raise DataError.of(
                "checkpoint-mismatch",
                "the checkpoint does not fit the network of this run",
                help="run the spec again from the start",
            )
        for variable, value in zip(variables, values, strict=False):
            variable.assign(value)
        self._resumed = None

    def end_stage(self, index: int, model: Any) -> None:
        """The stage with this number is done."""
        self.best_weights = []
        self.progress = Progress(stage=index + 1, history=self.progress.history)
        self.save(model)
