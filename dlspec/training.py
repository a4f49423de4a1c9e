"""Runs a Plan on a network. The only module that sets seeds and changes weights.

The order of samples is a function of seed, stage and epoch, and a `Checkpoint` holds everything else that
training depends on: weights, optimizer, random generators, early stopping, callbacks. So a run that was stopped goes
on as if it had not been.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dlspec.diagnostics import DataError, TrainingError
from dlspec.files import written_whole
from dlspec.parts.base import Callback
from dlspec.plans import Plan, Stage
from dlspec.preparation import Prepared, generator
from dlspec.spec import EarlyStopping, Spec

Array = np.ndarray
EVALUATION_BATCH = 512
CHECKPOINT_SECONDS = 10.0
"""How much training may be lost when the machine dies."""


class Listener:
    """Is told what happens while training; every method does nothing unless overridden."""

    def begins(self, spec: Spec, plan: Plan, data: Prepared) -> None:
        """The data are ready; the backend is loaded next, which takes seconds."""

    def ready(self, device: str) -> None:
        """The backend is loaded; `device` says in words what it runs on."""

    def stage_begins(self, stage: Stage, samples: int, steps: int) -> None:
        """A stage begins: `steps` weight updates in an epoch over `samples` samples."""

    def step_ends(self, stage: Stage, epoch: int, step: int, loss: float) -> None:
        """A weight update is done; epochs and steps count from 1."""

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        """An epoch is done."""

    def stage_ends(self, stage: Stage, reason: str) -> None:
        """A stage is done, and why: `all epochs` or `stopped early, …`."""

    def note(self, text: str) -> None:
        """Something worth a line."""


@dataclass(frozen=True)
class HistoryRow:
    """One epoch: mean loss over the samples trained on, and over the held-out ones; None without any."""

    stage: str
    epoch: int
    loss: float
    val_loss: float | None
    seconds: float


@dataclass
class Progress:
    """Where training stands: `epoch` and `step` count what is done in stage number `stage`.

    `loss_sum` adds up the loss of every sample of the epoch so far, `seconds` its time. `best` and `wait` are those of
    early stopping; `callbacks` holds the numbers that each callback counts.
    """

    stage: int = 0
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    best: float = math.inf
    best_epoch: int = 0
    wait: int = 0
    callbacks: list[dict[str, Any]] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)


@dataclass
class Checkpoint:
    """Everything that training needs to go on: progress and the values of all variables."""

    progress: Progress
    variables: list[Array]
    best_weights: list[Array]

    def save(self, path: Path) -> None:
        """Writes one file, whole or not at all; without pickles."""
        progress = json.dumps(asdict(self.progress)).encode()
        arrays = {f"variable_{i}": v for i, v in enumerate(self.variables)}
        arrays |= {f"best_{i}": v for i, v in enumerate(self.best_weights)}
        with written_whole(path) as draft, draft.open("wb") as file:
            np.savez(file, progress=np.frombuffer(progress, "uint8"), **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        with np.load(path, allow_pickle=False) as file:
            values = json.loads(file["progress"].tobytes())
            values["history"] = [HistoryRow(**row) for row in values["history"]]
            counts = {kind: sum(name.startswith(kind) for name in file.files) for kind in ("variable_", "best_")}
            return cls(
                Progress(**values),
                [file[f"variable_{i}"] for i in range(counts["variable_"])],
                [file[f"best_{i}"] for i in range(counts["best_"])],
            )


class Stopped(Exception):
    """Training was stopped by the user; a checkpoint was saved before.

    Args:
        folder: the run folder that can go on.
    """

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__("stopped by the user")
        self.folder = folder


class Observer(Protocol):
    """Looks at the network between stages, for the report."""

    def after_pretraining(self, plan: Plan, network: Any, stage_models: list[Any]) -> None: ...


def seed_everything(seed: int, purpose: str) -> None:
    """Sets Python's, numpy's and Keras's random numbers to a value made of seed and purpose."""
    import keras

    keras.utils.set_random_seed(int(generator(seed, purpose).integers(2**31)))


class Trainer:
    """Trains a network by a plan.

    Args:
        network: as `build_network` gives it; trained in place.
        save: is given a checkpoint now and then, and when training is stopped.
        folder: callbacks write into it.
        observer: is called once, between pretraining and fine-tuning.

    Raises by `run`:
        Stopped: the user asked for it.
        TrainingError: the loss is no finite number, or memory ran out.
    """

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        data: Prepared,
        network: Any,
        *,
        listener: Listener,
        save: Callable[[Checkpoint], None],
        observer: Observer | None = None,
        folder: Path = Path(),
    ) -> None:
        self.spec = spec
        self.plan = plan
        self.data = data
        self.network = network
        self.listener = listener
        self.save = save
        self.observer = observer
        self.folder = folder
        self.progress = Progress()
        self.stage_models: list[Any] = []
        self.best_weights: list[Array] = []
        self._saved_at = time.monotonic()
        self._resumed: Checkpoint | None = None
        self._callbacks: _Callbacks | None = None

    def run(self, checkpoint: Checkpoint | None = None) -> list[HistoryRow]:
        """All stages that are not done yet. Returns a row for every epoch of every stage."""
        if checkpoint:
            self.progress, self.best_weights = checkpoint.progress, checkpoint.best_weights
            self._resumed = checkpoint
        with _stop_requests() as stop_requested:
            for index, stage in enumerate(self.plan.stages):
                if stage.kind == "pretrain":
                    self._pretrain(index, stage, stop_requested)
                else:
                    self._fine_tune(index, stage, stop_requested)
        return self.progress.history

    def _pretrain(self, index: int, stage: Stage, stop_requested: Callable[[], bool]) -> None:
        import keras

        method, layer = self.spec.pretrain, stage.layer
        assert method is not None, "a pretraining stage has a method"
        assert layer is not None, "a pretraining stage has a layer"
        assert layer.input_shape is not None, "checks refuse a stage without shape"
        seed_everything(self.spec.seed, stage.name)
        encoder = [self.network.get_layer(name) for name in stage.encoder]
        model = method.build(encoder, layer.layer, layer.input_shape, stage.unit_interval)
        model.build((None, *layer.input_shape[1:]))
        self.stage_models.append(model)
        if index < self.progress.stage:
            return
        self._begin(model)
        below = keras.Model(self.network.inputs, self.network.get_layer(layer.name).input)
        inputs = predict(below, self.data.pretraining_inputs)
        held_out = predict(below, self.data.validation.inputs)
        self._train(index, stage, model, (inputs, inputs, None), (held_out, held_out), None, stop_requested)

    def _fine_tune(self, index: int, stage: Stage, stop_requested: Callable[[], bool]) -> None:
        seed_everything(self.spec.seed, stage.name)
        for name in self.plan.frozen:
            self.network.get_layer(name).trainable = False
        settings, train, held_out = self.spec.train, self.data.train, self.data.validation
        loss, target = settings.loss, self.data.signature.target
        assert loss is not None, "the default loss was filled in"
        if loss.positive and (train.targets < 0).any():
            raise DataError.of(
                "not-positive",
                f"`{loss.type_name}` is for targets of zero and more, and `{target.name}` is {train.targets.min():g}",
                help="write `loss: mse` under `train`, or `scale: min_max` under `data`",
            )
        steps = math.ceil(len(train) / stage.batch_size) * stage.epochs
        optimizer = settings.clipped_optimizer.over(steps, settings.schedule)
        self.network.compile(optimizer=optimizer, loss=loss.build())
        self._begin(self.network)
        if index < self.progress.stage:  # stopped after training, before the results were written
            return
        if self.observer and self.stage_models and self.progress.epoch == self.progress.step == 0:
            self.observer.after_pretraining(self.plan, self.network, self.stage_models)
        self._train(
            index,
            stage,
            self.network,
            (train.inputs, loss.encode(train.targets, target.units), sample_weights(self.spec, self.data)),
            (held_out.inputs, loss.encode(held_out.targets, target.units)),
            settings.early_stopping,
            stop_requested,
            settings.callbacks or (),
            stage.batch_size if loss.of_batch else EVALUATION_BATCH,
        )

    def _train(
        self,
        index: int,
        stage: Stage,
        model: Any,
        samples: tuple[Array, Array, Array | None],
        held_out: tuple[Array, Array],
        stopping: EarlyStopping | None,
        stop_requested: Callable[[], bool],
        kinds: Sequence[Callback] = (),
        evaluation_batch: int = EVALUATION_BATCH,
    ) -> None:
        """One stage, from where `progress` stands to its end."""
        steps = math.ceil(len(samples[0]) / stage.batch_size)
        self.listener.stage_begins(stage, len(samples[0]), steps)
        with _Callbacks(kinds, model, self.folder, stage.epochs, steps) as self._callbacks:
            self._callbacks.restore(self.progress.callbacks)
            reason = self._epochs(stage, model, samples, held_out, stopping, stop_requested, evaluation_batch)
            self._callbacks.before_end()
            model.optimizer.finalize_variable_values(model.trainable_variables)  # averaged weights, with `use_ema`
        self._callbacks = None
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
        samples: tuple[Array, Array, Array | None],
        held_out: tuple[Array, Array],
        stopping: EarlyStopping | None,
        stop_requested: Callable[[], bool],
        evaluation_batch: int,
    ) -> str:
        """All epochs of a stage that are not done yet. Returns why there are no more."""
        x, y, weights = samples
        progress, count, callbacks = self.progress, len(x), self._callbacks
        assert callbacks is not None, "they were made just before"
        steps = math.ceil(count / stage.batch_size)
        while progress.epoch < stage.epochs:
            if _waited_enough(stopping, progress):
                return f"stopped early, epoch {progress.best_epoch} was the best"
            epoch = progress.epoch + 1
            callbacks.call.on_epoch_begin(progress.epoch)
            order = generator(self.spec.seed, f"{stage.name}/{epoch}").permutation(count)
            while progress.step < steps:
                if stop_requested():
                    self._save(model)
                    raise Stopped
                began = time.perf_counter()
                rows = order[progress.step * stage.batch_size : (progress.step + 1) * stage.batch_size]
                callbacks.call.on_train_batch_begin(progress.step)
                loss = float(_guarded_step(stage, model, x[rows], y[rows], None if weights is None else weights[rows]))
                progress.step += 1
                progress.loss_sum += loss * len(rows)
                progress.seconds += time.perf_counter() - began
                if not math.isfinite(loss):
                    return callbacks.end_at_nan(_diverged(stage, epoch, loss))
                callbacks.call.on_train_batch_end(progress.step - 1, {"loss": loss})
                self.listener.step_ends(stage, epoch, progress.step, loss)
                if time.monotonic() - self._saved_at > CHECKPOINT_SECONDS:
                    self._save(model)
            val_loss = None
            began = time.perf_counter()
            if len(held_out[0]):
                callbacks.call.on_test_begin()
                val_loss = mean_loss(model, *held_out, evaluation_batch)
                if not math.isfinite(val_loss):
                    return callbacks.end_at_nan(_diverged(stage, epoch, val_loss))
            seconds = progress.seconds + time.perf_counter() - began
            row = HistoryRow(stage.name, epoch, progress.loss_sum / count, val_loss, round(seconds, 4))
            if stopping:  # here, since `swap_ema_weights` takes the weights that were measured out again
                self._remember_best(stopping, row, model)
            if val_loss is not None:
                callbacks.call.on_test_end({"loss": val_loss})
            losses = {"loss": row.loss} if val_loss is None else {"loss": row.loss, "val_loss": val_loss}
            callbacks.call.on_epoch_end(progress.epoch, losses)
            progress.history.append(row)
            progress.epoch, progress.step = epoch, 0
            progress.loss_sum = progress.seconds = 0.0
            self.listener.epoch_ends(stage, row)
        return "all epochs"

    def _remember_best(self, stopping: EarlyStopping, row: HistoryRow, model: Any) -> None:
        progress = self.progress
        watched = row.val_loss if stopping.monitor == "val_loss" else row.loss
        assert watched is not None, "checks refuse to watch a part that is not there"
        if row.epoch <= stopping.start_from_epoch:
            return
        progress.wait += 1
        if progress.best_epoch and not _better(stopping, watched, progress.best):
            return
        progress.best, progress.best_epoch = watched, row.epoch
        if stopping.baseline is None or _better(stopping, watched, stopping.baseline):
            progress.wait = 0
        if stopping.restore_best_weights:
            self.best_weights = [as_array(weight) for weight in model.weights]

    def _state(self, model: Any) -> list[Any]:
        """Every variable that training changes: layers, decoders, random generators, optimizer."""
        found = [*self.network.variables]
        for stage_model in self.stage_models:
            found += stage_model.variables
        if self.progress.epoch or self.progress.step:
            found += model.optimizer.variables
        return list({id(variable): variable for variable in found}.values())

    def _save(self, model: Any) -> None:
        values = [as_array(variable) for variable in self._state(model)]
        counted = self._callbacks.state() if self._callbacks else []
        now = replace(self.progress, history=[*self.progress.history], callbacks=counted)
        self.save(Checkpoint(now, values, [*self.best_weights]))
        self._saved_at = time.monotonic()

    def _begin(self, model: Any) -> None:
        """Brings a compiled model to where the checkpoint left it, when there is one.

        A checkpoint that was written between two stages lacks the variables of the next stage's model, which
        come last and stay as they were drawn.
        """
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


class _Callbacks:
    """The callbacks of a spec, called as Keras's `fit` calls them; `call` is Keras's list of them."""

    def __init__(self, kinds: Sequence[Callback], model: Any, folder: Path, epochs: int, steps: int) -> None:
        import keras

        self.kinds = kinds
        self.built = [kind.build_in(folder) for kind in kinds]
        self.call = keras.callbacks.CallbackList(self.built, model=model, epochs=epochs, steps=steps, verbose=0)

    def __enter__(self) -> _Callbacks:
        self.call.on_train_begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.call.on_train_end()

    def state(self) -> list[dict[str, Any]]:
        """The numbers that each of them counts."""
        return [
            {name: getattr(built, name) for name in kind.state}
            for kind, built in zip(self.kinds, self.built, strict=True)
        ]

    def restore(self, states: list[dict[str, Any]]) -> None:
        for built, state in zip(self.built, states, strict=False):
            for name, value in state.items():
                setattr(built, name, value)

    def before_end(self) -> None:
        for kind, built in zip(self.kinds, self.built, strict=True):
            kind.before_end(built)

    def end_at_nan(self, error: TrainingError) -> str:
        """Why training ends, when a callback wants it to; else raises the error."""
        if not any(kind.ends_at_nan() for kind in self.kinds):
            raise error
        return f"stopped: {error.diagnostics[0].message}"


def sample_weights(spec: Spec, data: Prepared) -> Array | None:
    """How much each sample of the training part counts, by its class; None: all alike.

    `balanced` gives every class the same sum (King and Zeng, 2001).
    """
    wanted, truth, classes = spec.train.class_weight, data.train.truth, data.signature.target.classes
    if wanted is None:
        return None
    if wanted == "balanced":
        counts = np.bincount(truth, minlength=len(classes))
        of_class = len(truth) / (len(classes) * np.maximum(counts, 1))
    else:
        of_class = np.array([wanted.get(label, 1.0) for label in classes])
    return of_class[truth].astype("float32")


def _better(stopping: EarlyStopping, value: float, than: float) -> bool:
    return value > than + stopping.min_delta if stopping.mode == "max" else value < than - stopping.min_delta


def _waited_enough(stopping: EarlyStopping | None, progress: Progress) -> bool:
    """Whether there has been no progress for long enough; an epoch that is the best so far is progress."""
    just_improved = progress.epoch == progress.best_epoch
    return bool(stopping and not just_improved and progress.wait >= max(1, stopping.patience))


def as_array(variable: Any) -> Array:
    """A copy of the value of a Keras variable or tensor."""
    import keras

    return np.array(keras.ops.convert_to_numpy(variable))


def predict(model: Any, inputs: Array, batch_size: int = 512) -> Array:
    """What the model puts out for all inputs, in the mode of use (no dropout, no noise)."""
    if not len(inputs):
        return np.empty((0, *model.output_shape[1:]), "float32")
    batches = (inputs[i : i + batch_size] for i in range(0, len(inputs), batch_size))
    return np.concatenate([np.asarray(model.predict_on_batch(batch)) for batch in batches])


def mean_loss(model: Any, inputs: Array, targets: Array, batch_size: int = EVALUATION_BATCH) -> float:
    """The mean loss over all samples, in the mode of use."""
    total = 0.0
    for i in range(0, len(inputs), batch_size):
        batch = inputs[i : i + batch_size]
        total += float(model.test_on_batch(batch, targets[i : i + batch_size])) * len(batch)
    return total / len(inputs)


def _guarded_step(stage: Stage, model: Any, x: Array, y: Array, weights: Array | None) -> Any:
    """One weight update, with the backend's out-of-memory error put into words. Returns the loss."""
    try:
        return model.train_on_batch(x, y, sample_weight=weights)
    except Exception as error:
        if type(error).__name__ != "ResourceExhaustedError" and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        section = "train" if stage.kind == "fine_tune" else "pretrain"
        raise TrainingError.of(
            "out-of-memory",
            f"memory ran out in `{stage.name}` with a batch of {stage.batch_size}",
            help=f"write a smaller `batch_size` under `{section}`, such as {max(1, stage.batch_size // 2)}",
        ) from error


def _diverged(stage: Stage, epoch: int, loss: float) -> TrainingError:
    section = "train" if stage.kind == "fine_tune" else "pretrain"
    return TrainingError.of(
        "loss-not-finite",
        f"the loss became {loss} in epoch {epoch} of `{stage.name}`",
        help=f"lower `learning_rate` under `{section}`, or add `clipnorm: 1` to the optimizer",
    )


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed. The first one ends training after the step, the second at once."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    requested = False

    def request(number: int, frame: Any) -> None:
        nonlocal requested
        if requested:
            raise KeyboardInterrupt
        requested = True

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, request)
    try:
        yield lambda: requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
