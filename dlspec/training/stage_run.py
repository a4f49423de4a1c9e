"""One stage of training, from where it stands to its end."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.preparation import generator
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.training.callback_runner import Callbacks
from dlspec.training.callbacks.base import Callback
from dlspec.training.early_stopping import EarlyStopping, StageStopping
from dlspec.training.engines.base import Engine, Pace
from dlspec.training.engines.choice import make_engine
from dlspec.training.errors import check_progress, not_finite, watched
from dlspec.training.nan_cause import find_cause
from dlspec.training.plan import Stage
from dlspec.training.progress import HistoryRow, Hooks, Progress, Stopped
from dlspec.training.section import TrainingSettings
from dlspec.training.stage_data import StageData
from dlspec.training.state import TrainingState
from dlspec.training.values import EVALUATION_BATCH, as_array

Array = np.ndarray
COMPARED = 1000
"""Samples that the error before the first step, and further measures of a stage, are taken from at most."""


@dataclass(frozen=True)
class StageRun:
    """A stage that is trained.

    Args:
        model: what is trained, compiled.
        stopping: when it ends before its last epoch.
        kinds: the callbacks that are told of it.
        stop_requested: gives back the signal by which the user asked for an end; 0: none did.
        evaluation_batch: samples of the held-out part that are measured together.
    """

    settings: TrainingSettings
    state: TrainingState
    hooks: Hooks
    stop_requested: Callable[[], int]
    stage: Stage
    model: Any
    samples: StageData
    stopping: EarlyStopping | StageStopping | None
    kinds: Sequence[Callback] = ()
    evaluation_batch: int = EVALUATION_BATCH

    @property
    def steps(self) -> int:
        """Weight updates of an epoch."""
        return math.ceil(len(self.samples) / self.stage.batch_size)

    def run(self, *, compiled: bool, before: tuple[Stage, Any] | None) -> tuple[str, Any]:
        """Trains to the end of the stage. Returns why it ended, and what was compiled, for the next one; None: nothing.

        Args:
            compiled: whether it is compiled by XLA.
            before: the stage before, and what it compiled.

        Raises:
            Stopped: the user asked for it.
            TrainingError: the loss is no finite number, or the stage diverges.
        """
        stage, model, samples, state = self.stage, self.model, self.samples, self.state
        engine = make_engine(
            model,
            samples.x,
            samples.y,
            samples.weights,
            stage.batch_size,
            compiled=compiled,
            one_at_a_time=bool(self.kinds),  # callbacks are told of every step
        )
        if before and stage.kind == "pretrain" and stage.is_built_as(before[0]):
            engine.take_over(before[1])
        self.hooks.listener.stage_begins(stage, len(samples), self.steps)
        if self.hooks.painter is not None:
            self.hooks.painter.stage_begins(stage, state.stage_models)
        if not state.progress.begun:
            state.progress.begun = True
            state.save(model)
        with Callbacks(self.kinds, model, self.hooks.folder, stage.epochs, self.steps) as callbacks:
            state.callbacks = callbacks
            callbacks.restore(state.progress.callbacks)
            reason = self._epochs(engine, callbacks)
            callbacks.before_end()
            model.optimizer.finalize_variable_values(model.trainable_variables)  # averaged weights, with `use_ema`
        state.callbacks = None
        engine.close()
        if self.stopping and self.stopping.restore_best_weights and state.best_weights:
            for variable, value in zip(model.weights, state.best_weights, strict=True):
                variable.assign(value)
        return reason, engine.program

    def _epochs(self, engine: Engine, callbacks: Callbacks) -> str:
        """All epochs that are not done yet. Returns why there are no more."""
        stage, model, samples, stopping = self.stage, self.model, self.samples, self.stopping
        progress = self.state.progress
        pace = Pace(1 if callbacks.kinds else None)
        if stage.kind == "pretrain" and progress.first_loss is None:
            progress.first_loss = _untrained_loss(model, samples)
        while progress.epoch < stage.epochs:
            if _waited_enough(stopping, progress):
                return f"stopped early, epoch {progress.best_epoch} was the best"
            epoch = progress.epoch + 1
            callbacks.call.on_epoch_begin(progress.epoch)
            order = self._order(epoch)
            while progress.step < self.steps:
                if stopped_by := self.stop_requested():
                    self.state.save(model)
                    raise Stopped(terminated=stopped_by == signal.SIGTERM)
                loss = self._some_steps(engine, callbacks, pace, order, epoch)
                if not math.isfinite(loss):
                    failure = partial(self._failure, engine, epoch, loss)
                    return callbacks.end_at_nan(epoch, loss, failure)
                if self.state.is_due:
                    self.state.save(model)
            val_loss = None
            began = time.perf_counter()
            if len(samples.held_out):
                callbacks.call.on_test_begin()
                val_loss = engine.loss(
                    samples.held_out,
                    samples.held_out_y,
                    self.evaluation_batch,
                    samples.held_out_places,
                    samples.held_out_weights,
                )
                if not math.isfinite(val_loss):
                    failure = partial(self._failure, engine, epoch, val_loss)
                    return callbacks.end_at_nan(epoch, val_loss, failure)
            seconds = progress.seconds + time.perf_counter() - began
            measures = _measures(model, samples) if stage.kind == "pretrain" else self._parts(engine)
            mean = progress.loss_sum / samples.all_counting
            row = HistoryRow(stage.name, epoch, mean, val_loss, round(seconds, 4), measures)
            if stopping:  # here, since `swap_ema_weights` takes the weights that were measured out again
                self._remember_best(stopping, row)
            if val_loss is not None:
                callbacks.call.on_test_end({"loss": val_loss})
            losses = {"loss": row.loss} if val_loss is None else {"loss": row.loss, "val_loss": val_loss}
            callbacks.call.on_epoch_end(progress.epoch, losses)
            progress.history.append(row)
            progress.epoch, progress.step = epoch, 0
            progress.loss_sum = progress.seconds = 0.0
            progress.parts = {}
            self.hooks.listener.epoch_ends(stage, row)
            check_progress(stage, progress)
            if self.hooks.painter is not None:
                self.hooks.painter.epoch_ends(stage, epoch)
        return "all epochs"

    def _parts(self, engine: Engine) -> dict[str, float]:
        """The parts that the loss of an epoch has, of the samples trained on and of those held out."""
        if engine.parts is None:
            return {}
        found = {name: value / self.samples.all_counting for name, value in self.state.progress.parts.items()}
        if len(self.samples.held_out):
            names = (f"val_{name}" for name in engine.parts.names)
            found |= dict(zip(names, map(float, engine.parts_held_out), strict=True))
        return found

    def _order(self, epoch: int) -> Array:
        """The sample at each place of an epoch, which is counted from 1."""
        x, random = self.samples.x, generator(self.settings.seed, f"{self.stage.name}/{epoch}")
        return x.order(random) if is_read_later(x) else random.permutation(len(x))

    def _failure(self, engine: Engine, epoch: int, loss: float) -> TrainingError:
        """What to say of a loss that is no number: where it began, as far as the last checkpoint lets it be seen."""
        state, model, last = self.state, self.model, self.hooks.last()
        cause = None
        if last is not None and last.progress.stage == state.progress.stage and last.progress.begun:
            self.hooks.listener.note(f"the loss became {loss}; looking for where that began")
            state.progress, variables = last.progress, state.variables(model)
            for variable, value in zip(variables, last.variables, strict=True):
                variable.assign(value)
            cause = find_cause(
                model,
                engine,
                variables,
                lambda done: self._order(done + 1),
                (last.progress.epoch, last.progress.step),
                epoch - 1,
            )
        scheduled = self.stage.kind == "fine_tune" and self.settings.train.schedule is not None
        rate = None if scheduled else float(as_array(model.optimizer.learning_rate))
        return not_finite(self.stage, epoch, loss, cause, rate)

    def _some_steps(self, engine: Engine, callbacks: Callbacks, pace: Pace, order: Array, epoch: int) -> float:
        """A run of steps within an epoch. Returns the loss of the last one, or the first that is no finite number."""
        progress, stage = self.state.progress, self.stage
        first, last = progress.step, min(progress.step + pace.steps, self.steps)
        began = time.perf_counter()
        callbacks.call.on_train_batch_begin(first)
        losses = engine.run(order, first, last)
        seconds = time.perf_counter() - began
        pace.took(last - first, seconds)
        progress.seconds += seconds
        loss = math.nan
        for step, loss in enumerate(map(float, losses), start=first + 1):
            progress.step = step
            batch = order[(step - 1) * stage.batch_size : step * stage.batch_size]
            counting = self.samples.counting(batch)
            progress.loss_sum += loss * counting
            if engine.parts is not None:
                for name, value in zip(engine.parts.names, engine.parts_of_steps[step - 1 - first], strict=True):
                    progress.parts[name] = progress.parts.get(name, 0.0) + float(value) * counting
            if not math.isfinite(loss):
                return loss
            callbacks.call.on_train_batch_end(step - 1, {"loss": loss})
            self.hooks.listener.step_ends(stage, epoch, step, loss)
        return loss

    def _remember_best(self, stopping: EarlyStopping | StageStopping, row: HistoryRow) -> None:
        progress, stage = self.state.progress, self.stage
        value = watched(stage, row, stopping.monitor)
        if row.epoch <= stopping.start_from_epoch:
            return
        progress.wait += 1
        better = learns = not progress.best_epoch or _better(stopping, value, progress.best)
        if stopping.monitor == "free_energy_gap":  # it grows while there is still much to learn
            before = [r for r in progress.history if r.stage == stage.name and r.epoch < row.epoch]
            lowest = min((watched(stage, other, "val_loss") for other in before), default=math.inf)
            learns = better or watched(stage, row, "val_loss") < lowest - stopping.min_delta
        if not learns:
            return
        progress.best, progress.best_epoch = value if better else progress.best, row.epoch
        baseline = getattr(stopping, "baseline", None)
        if baseline is None or _better(stopping, value, baseline):
            progress.wait = 0
        if stopping.restore_best_weights:
            self.state.best_weights = [as_array(weight) for weight in self.model.weights]


def _untrained_loss(model: Any, samples: StageData) -> float:
    """The loss of a stage before its first step, from some of the samples."""
    from keras import ops

    x = ops.convert_to_tensor(samples.x[:COMPARED])
    y = None if samples.y is None else ops.convert_to_tensor(samples.y[:COMPARED])
    return float(as_array(model.objective(x, y, model.forward(x, None))))


def _measures(model: Any, samples: StageData) -> dict[str, float]:
    """What a method measures besides the loss, from as many held-out samples as samples trained on.

    Moving averages of what layers see stay as training left them.
    """
    held_out, averages = samples.held_out[:COMPARED], model.non_trainable_weights
    before = [as_array(average) for average in averages]
    found = dict(model.measures(held_out, samples.x[: len(held_out) or COMPARED]))
    for average, value in zip(averages, before, strict=True):
        average.assign(value)
    return found


def _better(stopping: EarlyStopping | StageStopping, value: float, than: float) -> bool:
    highest = getattr(stopping, "mode", "min") == "max"
    return value > than + stopping.min_delta if highest else value < than - stopping.min_delta


def _waited_enough(stopping: EarlyStopping | StageStopping | None, progress: Progress) -> bool:
    """Whether there has been no progress for long enough; an epoch that is the best so far is progress."""
    just_improved = progress.epoch == progress.best_epoch
    return bool(stopping and not just_improved and progress.wait >= max(1, stopping.patience))
