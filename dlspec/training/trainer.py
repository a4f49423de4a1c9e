"""Runs a plan on a network.

The order of samples is a function of seed, stage and epoch, and a `Checkpoint` holds everything else that
training depends on: weights, optimizer, random generators, early stopping, callbacks. So a run that was stopped goes
on as if it had not been.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.data.arrays import Mapped, Samples, blocks, is_read_later, reshaped
from dlspec.data.preparation import Part, Prepared, generator
from dlspec.language.diagnostics.errors import DataError, TrainingError
from dlspec.language.fields import count_seconds
from dlspec.model.weights import LayerWeights
from dlspec.runtime.backend import devices_of
from dlspec.training.callback_runner import Callbacks
from dlspec.training.callbacks.base import Callback
from dlspec.training.early_stopping import EarlyStopping, StageStopping
from dlspec.training.engines.base import Engine, Pace
from dlspec.training.engines.choice import compiled_stages, make_engine
from dlspec.training.errors import check_progress, not_finite, out_of_memory_in_words, watched
from dlspec.training.layer_outputs import LayerOutputs
from dlspec.training.nan_cause import find_cause
from dlspec.training.plan import Plan, Stage, StageTask, code_of
from dlspec.training.progress import Checkpoint, HistoryRow, Observer, Progress, StageListener, Stopped
from dlspec.training.section import TrainingSettings, TrainSpec
from dlspec.training.signals import stop_requests
from dlspec.training.values import EVALUATION_BATCH, all_finite, as_array, seed_everything

Array = np.ndarray
CHECKPOINT_SECONDS = 10.0
"""How much training may be lost when the machine dies."""
SAVING = 20
"""Times as long as it takes to save that training goes on, at least, before the next time."""
COMPARED = 1000
"""Samples that the error before the first step, and further measures of a stage, are taken from at most."""


@dataclass(frozen=True)
class _StageData:
    """What a stage is trained on, and what it is measured on between epochs."""

    x: Samples
    y: Samples | None
    weights: Samples | None
    held_out: Samples
    held_out_y: Samples | None

    def __len__(self) -> int:
        return len(self.x)


class Trainer:
    """Trains a network by a plan.

    Args:
        network: as `build_network` gives it; trained in place.
        save: is given a checkpoint now and then, and when training is stopped.
        folder: callbacks write into it, and features of a stage that are too many for the memory.
        observer: is called once, between pretraining and fine-tuning.
        taken: weights of layers of another run, which the plan's `taken` start with.
        compiled: names of the stages that are compiled by XLA; None: as the rule says.
        last: gives back the checkpoint that was saved last, to find out why training failed.

    Raises by `run`:
        Stopped: the user asked for it.
        TrainingError: the loss is no finite number, a stage diverges, or memory ran out.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        plan: Plan,
        data: Prepared,
        network: Any,
        *,
        listener: StageListener,
        save: Callable[[Checkpoint], None],
        observer: Observer | None = None,
        folder: Path = Path(),
        taken: LayerWeights | None = None,
        compiled: Sequence[str] | None = None,
        last: Callable[[], Checkpoint | None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.data = data
        self.network = network
        self.listener = listener
        self.save = save
        self.observer = observer
        self.folder = folder
        self.taken = taken or LayerWeights()
        self.compiled = compiled_stages(settings.runtime, plan, data) if compiled is None else compiled
        self.last = last
        self.progress = Progress()
        self.stage_models: list[Any] = []
        self.best_weights: list[Array] = []
        self._programs: list[tuple[Stage, Any]] = []  # what the stage before compiled
        every = settings.train.checkpoint_every
        self._every = count_seconds(every) if every else None
        self._next_save = 0.0
        self._resumed: Checkpoint | None = None
        self._callbacks: Callbacks | None = None
        self._stop_requested: Callable[[], int] = lambda: 0

    def run(self, checkpoint: Checkpoint | None = None) -> list[HistoryRow]:
        """All stages that are not done yet. Returns a row for every epoch of every stage."""
        if checkpoint:
            self.progress, self.best_weights = checkpoint.progress, checkpoint.best_weights
            self._resumed = checkpoint
        else:
            for name in self.plan.taken:
                take_weights(self.network.get_layer(name), self.taken.layers[name])
        with stop_requests() as self._stop_requested:
            for index, stage in enumerate(self.plan.stages):
                with out_of_memory_in_words(self.settings, self.plan, stage, self.data, lambda: bool(self._callbacks)):
                    if stage.kind == "pretrain":
                        self._pretrain(index, stage)
                    else:
                        self._fine_tune(index, stage)
        return self.progress.history

    def _pretrain(self, index: int, stage: Stage) -> None:
        method, place, target = stage.method, stage.place, self.data.signature.target
        assert method is not None, "a pretraining stage has a method"
        assert place is not None, "a pretraining stage has a place"
        inputs = self.data.train.inputs if method.needs_labels else self.data.pretraining_inputs
        steps = math.ceil(len(inputs) / stage.batch_size) * stage.epochs
        seed_everything(self.settings.seed, stage.name)
        encoder = [self.network.get_layer(name) for name in stage.encoder]
        with devices_of(self.settings.runtime):
            model = method.build(encoder, place, StageTask(steps, target, self.settings.train.loss))
        self.stage_models.append(model)
        if index < self.progress.stage:
            return
        self._begin(model)
        features = LayerOutputs(self.folder)
        try:
            x, held_out = (self._below(stage, features, part) for part in (inputs, self.data.validation.inputs))
            y = weights = held_out_y = None
            if method.needs_labels:
                y, held_out_y = (self._targets(part) for part in (self.data.train, self.data.validation))
                weights = sample_weights(self.settings.train, self.data)
            self._train(index, stage, model, _StageData(x, y, weights, held_out, held_out_y), method.early_stopping)
        finally:
            features.close()

    def _below(self, stage: Stage, features: LayerOutputs, inputs: Samples) -> Samples:
        """What the layer of a stage sees of the inputs."""
        import keras

        assert stage.layer is not None, "a pretraining stage has a layer"
        assert stage.place is not None, "a pretraining stage has a place"
        shape = tuple(size or 1 for size in stage.place.known_shape[1:])
        if stage.place.at_input and math.prod(shape) == math.prod(inputs.shape[1:]):
            return reshaped(inputs, shape)
        return features.compute(
            keras.Model(self.network.inputs, self.network.get_layer(stage.layer.name).input), inputs
        )

    def _targets(self, part: Part) -> Samples:
        """What the network is to put out, as the loss compares it."""
        loss, target = self.settings.train.loss, self.data.signature.target
        assert loss is not None, "the default loss was filled in"
        if target.kind == "input":
            return reshaped(part.targets, self.network.output_shape[1:])
        if not is_read_later(part.targets):
            return loss.encode(part.targets, target.units)
        encoded = loss.encode(part.targets[:1], target.units)
        return Mapped(part.targets, lambda some: loss.encode(some, target.units), encoded.shape[1:], encoded.dtype)

    def _fine_tune(self, index: int, stage: Stage) -> None:
        seed_everything(self.settings.seed, stage.name)
        for name in self.plan.frozen:
            layer = self.plan.graph[name].layer
            self.network.get_layer(name).trainable = layer.trainable and name not in stage.frozen
        last = index == len(self.plan.stages) - 1
        if index < self.progress.stage and not last:
            return
        settings, train, held_out = self.settings.train, self.data.train, self.data.validation
        loss, target = settings.loss, self.data.signature.target
        assert loss is not None, "the default loss was filled in"
        lowest = min(float(block.min()) for block in blocks(train.targets)) if loss.positive else 0.0
        if lowest < 0:
            raise DataError.of(
                "not-positive",
                f"`{loss.type_name}` is for targets of zero and more, and `{target.name}` is {lowest:g}",
                help="write `loss: mse` under `train`, or `scale: min_max` under `data`",
            )
        steps = math.ceil(len(train) / stage.batch_size)
        with devices_of(self.settings.runtime):
            optimizer = settings.clipped_optimizer.over(steps * settings.epochs, settings.schedule)
            self.network.compile(optimizer=optimizer, loss=loss.build())
        self._begin(self.network)
        if index < self.progress.stage:  # stopped after training, before the results were written
            return
        before = sum(other.epochs for other in self.plan.stages[:index] if other.kind == "fine_tune")
        if not self.progress.begun and not before:
            self._after_pretraining()
        elif not self.progress.begun:  # a schedule goes on where frozen layers thaw
            optimizer._iterations.assign(steps * before)
        samples = _StageData(
            train.inputs,
            self._targets(train),
            sample_weights(self.settings.train, self.data),
            held_out.inputs,
            self._targets(held_out),
        )
        evaluation_batch = stage.batch_size if loss.of_batch else EVALUATION_BATCH
        self._train(
            index, stage, self.network, samples, settings.early_stopping, settings.callbacks or (), evaluation_batch
        )

    def _after_pretraining(self) -> None:
        """Lets the decoder of a deep autoencoder start from what the stages have learned, and shows the network."""
        if not self.plan.pretraining and not self.plan.taken:
            return
        self._start_decoder()
        if self.observer:
            self.observer.after_pretraining(self.plan, self.network, self.stage_models, self.pretrained())

    def pretrained(self) -> LayerWeights:
        """The layers as pretraining left them, and their decoders."""
        found = LayerWeights()
        for stage, model in zip(self.plan.pretraining, self.stage_models, strict=True):
            for name in stage.encoder:
                found.layers[name] = [as_array(weight) for weight in self.network.get_layer(name).weights]
            assert stage.layer is not None, "a pretraining stage has a layer"
            if hasattr(model, "decoder_weights"):
                found.decoders[stage.layer.name] = model.decoder_weights()
        for name in self.plan.taken:
            found.layers[name] = [as_array(weight) for weight in self.network.get_layer(name).weights]
            if name in self.taken.decoders:
                found.decoders[name] = self.taken.decoders[name]
        return found

    def _start_decoder(self) -> None:
        """Of an unrolled network: the decoder of each stage where it has one, else the transposed weights of the
        encoder's layer (Hinton and Salakhutdinov, 2006)."""
        decoders, graph = self.pretrained().decoders, self.plan.graph
        for layer in graph.hidden:
            code = code_of(graph, layer)
            mirrored = [x.name for x in graph.layers if x.mirrors in code and x.layer.has_weights]
            weights = decoders.get(layer.name)
            if weights is None:
                weights = [transposed(self.network.get_layer(layer.name))] * len(mirrored[:1])
            for name, values in zip(mirrored, weights, strict=False):
                take_weights(self.network.get_layer(name), values)

    def _train(
        self,
        index: int,
        stage: Stage,
        model: Any,
        samples: _StageData,
        stopping: EarlyStopping | StageStopping | None,
        kinds: Sequence[Callback] = (),
        evaluation_batch: int = EVALUATION_BATCH,
    ) -> None:
        """One stage, from where `progress` stands to its end."""
        steps = math.ceil(len(samples) / stage.batch_size)
        compiled = stage.name in self.compiled
        engine = make_engine(
            model,
            samples.x,
            samples.y,
            samples.weights,
            stage.batch_size,
            compiled=compiled,
            one_at_a_time=bool(kinds),  # callbacks are told of every step
        )
        before = self._programs.pop() if self._programs else None
        if before and stage.kind == "pretrain" and stage.is_built_as(before[0]):
            engine.take_over(before[1])
        self.listener.stage_begins(stage, len(samples), steps)
        if not self.progress.begun:
            self.progress.begun = True
            self._save(model)
        with Callbacks(kinds, model, self.folder, stage.epochs, steps) as self._callbacks:
            self._callbacks.restore(self.progress.callbacks)
            reason = self._epochs(stage, model, engine, samples, stopping, evaluation_batch)
            self._callbacks.before_end()
            model.optimizer.finalize_variable_values(model.trainable_variables)  # averaged weights, with `use_ema`
        self._callbacks = None
        engine.close()
        if engine.program is not None:
            self._programs.append((stage, engine.program))
        if stopping and stopping.restore_best_weights and self.best_weights:
            for variable, value in zip(model.weights, self.best_weights, strict=True):
                variable.assign(value)
        self.best_weights = []
        self.progress = Progress(stage=index + 1, history=self.progress.history)
        self._save(model)
        self.listener.stage_ends(stage, reason)

    def _epochs(
        self,
        stage: Stage,
        model: Any,
        engine: Engine,
        samples: _StageData,
        stopping: EarlyStopping | StageStopping | None,
        evaluation_batch: int,
    ) -> str:
        """All epochs of a stage that are not done yet. Returns why there are no more."""
        progress, count, callbacks = self.progress, len(samples), self._callbacks
        assert callbacks is not None, "they were made just before"
        steps = math.ceil(count / stage.batch_size)
        pace = Pace(1 if callbacks.kinds else None)
        if stage.kind == "pretrain" and progress.first_loss is None:
            progress.first_loss = self._untrained_loss(model, samples)
        while progress.epoch < stage.epochs:
            if _waited_enough(stopping, progress):
                return f"stopped early, epoch {progress.best_epoch} was the best"
            epoch = progress.epoch + 1
            callbacks.call.on_epoch_begin(progress.epoch)
            order = self._order(stage, samples.x, epoch)
            while progress.step < steps:
                if stopped_by := self._stop_requested():
                    self._save(model)
                    raise Stopped(terminated=stopped_by == signal.SIGTERM)
                loss = self._some_steps(stage, engine, pace, order, epoch)
                if not math.isfinite(loss):
                    failure = partial(self._failure, stage, model, engine, epoch, loss)
                    return callbacks.end_at_nan(epoch, loss, failure)
                if time.monotonic() > self._next_save:
                    self._save(model)
            val_loss = None
            began = time.perf_counter()
            if len(samples.held_out):
                callbacks.call.on_test_begin()
                val_loss = engine.loss(samples.held_out, samples.held_out_y, evaluation_batch)
                if not math.isfinite(val_loss):
                    failure = partial(self._failure, stage, model, engine, epoch, val_loss)
                    return callbacks.end_at_nan(epoch, val_loss, failure)
            seconds = progress.seconds + time.perf_counter() - began
            measures = self._measure(model, samples) if stage.kind == "pretrain" else {}
            row = HistoryRow(stage.name, epoch, progress.loss_sum / count, val_loss, round(seconds, 4), measures)
            if stopping:  # here, since `swap_ema_weights` takes the weights that were measured out again
                self._remember_best(stopping, stage, row, model)
            if val_loss is not None:
                callbacks.call.on_test_end({"loss": val_loss})
            losses = {"loss": row.loss} if val_loss is None else {"loss": row.loss, "val_loss": val_loss}
            callbacks.call.on_epoch_end(progress.epoch, losses)
            progress.history.append(row)
            progress.epoch, progress.step = epoch, 0
            progress.loss_sum = progress.seconds = 0.0
            self.listener.epoch_ends(stage, row)
            check_progress(stage, progress)
        return "all epochs"

    def _order(self, stage: Stage, x: Samples, epoch: int) -> Array:
        """The sample at each place of an epoch, which is counted from 1."""
        random = generator(self.settings.seed, f"{stage.name}/{epoch}")
        return x.order(random) if is_read_later(x) else random.permutation(len(x))

    def _failure(self, stage: Stage, model: Any, engine: Engine, epoch: int, loss: float) -> TrainingError:
        """What to say of a loss that is no number: where it began, as far as the last checkpoint lets it be seen."""
        cause, last = None, self.last()
        if last is not None and last.progress.stage == self.progress.stage and last.progress.begun:
            self.listener.note(f"the loss became {loss}; looking for where that began")
            self.progress, variables = last.progress, self._state(model)
            for variable, value in zip(variables, last.variables, strict=True):
                variable.assign(value)
            cause = find_cause(
                model,
                engine,
                variables,
                lambda done: self._order(stage, engine.data[0], done + 1),
                (last.progress.epoch, last.progress.step),
                epoch - 1,
            )
        scheduled = stage.kind == "fine_tune" and self.settings.train.schedule is not None
        rate = None if scheduled else float(as_array(model.optimizer.learning_rate))
        return not_finite(stage, epoch, loss, cause, rate)

    def _some_steps(self, stage: Stage, engine: Engine, pace: Pace, order: Array, epoch: int) -> float:
        """A run of steps within an epoch. Returns the loss of the last one, or the first that is no finite number."""
        progress, callbacks = self.progress, self._callbacks
        assert callbacks is not None, "they are made before training"
        first, last = progress.step, min(progress.step + pace.steps, math.ceil(len(order) / stage.batch_size))
        began = time.perf_counter()
        callbacks.call.on_train_batch_begin(first)
        losses = engine.run(order, first, last)
        seconds = time.perf_counter() - began
        pace.took(last - first, seconds)
        progress.seconds += seconds
        loss = math.nan
        for step, loss in enumerate(map(float, losses), start=first + 1):
            progress.step = step
            progress.loss_sum += loss * min(stage.batch_size, len(order) - (step - 1) * stage.batch_size)
            if not math.isfinite(loss):
                return loss
            callbacks.call.on_train_batch_end(step - 1, {"loss": loss})
            self.listener.step_ends(stage, epoch, step, loss)
        return loss

    @staticmethod
    def _untrained_loss(model: Any, samples: _StageData) -> float:
        """The loss of a stage before its first step, from some of the samples."""
        from keras import ops

        x = ops.convert_to_tensor(samples.x[:COMPARED])
        y = None if samples.y is None else ops.convert_to_tensor(samples.y[:COMPARED])
        return float(as_array(model.objective(x, y, model.forward(x, None))))

    @staticmethod
    def _measure(model: Any, samples: _StageData) -> dict[str, float]:
        """What a method measures besides the loss, from as many held-out samples as samples trained on."""
        held_out = samples.held_out[:COMPARED]
        return dict(model.measures(held_out, samples.x[: len(held_out) or COMPARED]))

    def _remember_best(
        self, stopping: EarlyStopping | StageStopping, stage: Stage, row: HistoryRow, model: Any
    ) -> None:
        progress, value = self.progress, watched(stage, row, stopping.monitor)
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
            self.best_weights = [as_array(weight) for weight in model.weights]

    def _state(self, model: Any) -> list[Any]:
        """Every variable that training changes: layers, decoders, random generators, optimizer."""
        found = [*self.network.variables]
        for stage_model in self.stage_models:
            found += stage_model.variables
        if self.progress.begun:
            found += model.optimizer.variables
        return list({id(variable): variable for variable in found}.values())

    def _save(self, model: Any) -> None:
        """Saves all that training needs to go on, unless weights are no numbers any more."""
        began = time.monotonic()
        if all_finite(model.trainable_variables):
            values = [as_array(variable) for variable in self._state(model)]
            counted = self._callbacks.state() if self._callbacks else []
            now = replace(self.progress, history=[*self.progress.history], callbacks=counted)
            self.save(Checkpoint(now, values, [*self.best_weights]))
        ended = time.monotonic()
        self._next_save = ended + (self._every or max(CHECKPOINT_SECONDS, SAVING * (ended - began)))

    def _begin(self, model: Any) -> None:
        """Brings a compiled model to where the checkpoint left it, when there is one.

        A checkpoint that was written between two stages lacks the variables of the next stage's model, which
        come last and stay as they were drawn.
        """
        with devices_of(self.settings.runtime):
            model.optimizer.build(model.trainable_variables)
        if self._resumed is None:
            return
        variables, values = self._state(model), self._resumed.variables
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


def sample_weights(train: TrainSpec, data: Prepared) -> Samples | None:
    """How much each sample of the training part counts, by its class; None: all alike.

    `balanced` gives every class the same sum (King and Zeng, 2001).
    """
    wanted, truth, classes = train.class_weight, data.train.truth, data.signature.target.classes
    if wanted is None:
        return None
    if wanted == "balanced":
        counts = data.train.class_counts(len(classes))
        of_class = len(truth) / (len(classes) * np.maximum(counts, 1))
    else:
        of_class = np.array([wanted.get(label, 1.0) for label in classes])
    weights = of_class.astype("float32")
    return Mapped(truth, weights.__getitem__, (), "float32") if is_read_later(truth) else weights[truth]


def take_weights(layer: Any, weights: Sequence[Array]) -> None:
    """Gives a layer its weights, as far as their shapes are the same."""
    for variable, value in zip(layer.weights, weights, strict=False):
        if tuple(variable.shape) == value.shape:
            variable.assign(value)


def transposed(layer: Any) -> list[Array]:
    """The weights of the mirror of a layer: of a dense one its transposed kernel, of a convolution its kernel."""
    if not hasattr(layer, "kernel"):
        return []
    kernel = as_array(layer.kernel)
    return [kernel.T.copy() if kernel.ndim == 2 else kernel]


def _better(stopping: EarlyStopping | StageStopping, value: float, than: float) -> bool:
    highest = getattr(stopping, "mode", "min") == "max"
    return value > than + stopping.min_delta if highest else value < than - stopping.min_delta


def _waited_enough(stopping: EarlyStopping | StageStopping | None, progress: Progress) -> bool:
    """Whether there has been no progress for long enough; an epoch that is the best so far is progress."""
    just_improved = progress.epoch == progress.best_epoch
    return bool(stopping and not just_improved and progress.wait >= max(1, stopping.patience))
