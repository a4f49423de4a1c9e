"""Runs a plan on a network.

The order of samples is a function of seed, stage and epoch, and a `Checkpoint` holds everything else that
training depends on: weights, optimizer, random generators, early stopping, callbacks. So a run that was stopped goes
on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from dlspec.data.arrays import Samples, blocks, chosen, is_read_later, reshaped
from dlspec.data.preparation import Part, Prepared, generator
from dlspec.data.signature import Target
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.quantities import count_seconds
from dlspec.model.layers.imaging import moves_pixels
from dlspec.model.weights import LayerWeights
from dlspec.runtime.backend import devices_of
from dlspec.training.callbacks.base import Callback
from dlspec.training.early_stopping import EarlyStopping, StageStopping
from dlspec.training.engines.choice import compiled_stages
from dlspec.training.errors import backend_errors_in_words
from dlspec.training.fitted_output import fit_output, network_below
from dlspec.training.layer_outputs import LayerOutputs
from dlspec.training.losses import Loss
from dlspec.training.masked import counted_of, keep_mask, masked
from dlspec.training.moving import Moves
from dlspec.training.outputs import Head
from dlspec.training.plan import Plan, Stage, StageTask, code_of
from dlspec.training.progress import Checkpoint, HistoryRow, Hooks
from dlspec.training.section import TrainingSettings
from dlspec.training.several import OutputTargets, loss_of_outputs
from dlspec.training.signals import stop_requests
from dlspec.training.stage_data import StageData, encoded_targets, part_weights, sample_weights
from dlspec.training.stage_run import StageRun
from dlspec.training.state import TrainingState
from dlspec.training.teaching import Answers, beside, learn_from_teacher
from dlspec.training.values import EVALUATION_BATCH, as_array, seed_everything

Array = np.ndarray
NEAR = 1e-6
"""So far outside of [0, 1] a number may lie by rounding."""


class Trainer:
    """Trains a network by a plan.

    Args:
        network: as `build_network` gives it; trained in place.
        taken: weights of layers of another run, which the plan's `taken` start with.
        compiled: names of the stages that are compiled by XLA; None: as the rule says.
        answers: of the teacher, of each output by its name, of the only one by none; empty: there is no teacher.

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
        hooks: Hooks,
        *,
        taken: LayerWeights | None = None,
        compiled: Sequence[str] | None = None,
        answers: Mapping[str, Answers] | None = None,
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.data = data
        self.network = network
        self.hooks = hooks
        self.taken = taken or LayerWeights()
        self.answers = answers or {}
        self.compiled = compiled_stages(settings.runtime, plan, data) if compiled is None else compiled
        self.state = self._state(None)
        self._compiled_before: tuple[Stage, Any] | None = None
        self._stop_requested: Callable[[], int] = lambda: 0

    def _state(self, checkpoint: Checkpoint | None) -> TrainingState:
        every = self.settings.train.checkpoint_every
        return TrainingState(self.network, self.hooks.save, count_seconds(every) if every else None, checkpoint)

    def run(self, checkpoint: Checkpoint | None = None) -> list[HistoryRow]:
        """All stages that are not done yet. Returns a row for every epoch of every stage."""
        self.state = self._state(checkpoint)
        for name in self.plan.taken if checkpoint is None else ():
            take_weights(self.network.get_layer(name), self.taken.layers[name])
        with stop_requests(self.hooks.listener.wants_stop) as self._stop_requested:
            for index, stage in enumerate(self.plan.stages):
                with backend_errors_in_words(self.settings, self.plan, stage, self.data, self._has_begun):
                    if stage.kind == "pretrain":
                        self._pretrain(index, stage)
                    else:
                        self._fine_tune(index, stage)
        return self.state.progress.history

    def _has_begun(self) -> bool:
        """Whether a stage is being trained."""
        return self.state.callbacks is not None

    def _pretrain(self, index: int, stage: Stage) -> None:
        method, place, target = stage.method, stage.place, self.data.signature.target
        assert method is not None, "a pretraining stage has a method"
        assert place is not None, "a pretraining stage has a place"
        inputs = self.data.train.inputs if method.needs_labels else self.data.pretraining_inputs
        steps = math.ceil(len(inputs) / stage.batch_size) * stage.epochs
        seed_everything(self.settings.seed, stage.name)
        signature = self.data.signature
        task = StageTask(steps, target, self.settings.train.loss, signature.widths if signature.types else ())
        encoder = method.encoder(self.network, stage.encoder, stage.below or "")
        with devices_of(self.settings.runtime):
            model = method.build(encoder, place, task)
        self.state.stage_models.append(model)
        if index < self.state.progress.stage:
            return
        self._begin(model)
        features = LayerOutputs(self.hooks.folder)
        try:
            x, held_out = (self._below(stage, features, part) for part in (inputs, self.data.validation.inputs))
            y = weights = held_out_y = of_held_out = None
            if method.needs_labels:
                y, held_out_y = (self._targets(part) for part in (self.data.train, self.data.validation))
                weights = sample_weights(self.settings.train, self.data)
                of_held_out = part_weights(self.data.validation)
            samples = StageData(x, y, weights, held_out, held_out_y, held_out_weights=of_held_out)
            self._train(index, stage, model, samples, method.early_stopping)
        finally:
            features.close()

    def _below(self, stage: Stage, features: LayerOutputs, inputs: Samples) -> Samples:
        """What the layer of a stage sees of the inputs."""
        import keras

        if stage.below is not None:
            return inputs
        assert stage.layer is not None, "a pretraining stage has a layer"
        assert stage.place is not None, "a pretraining stage has a place"
        shape = tuple(size or 1 for size in stage.place.known_shape[1:])
        if stage.place.at_input and math.prod(shape) == math.prod(inputs.shape[1:]):
            return reshaped(inputs, shape)
        return features.compute(
            keras.Model(self.network.inputs, self.network.get_layer(stage.layer.name).input), inputs
        )

    def _targets(self, part: Part) -> Samples:
        return encoded_targets(part, self.settings.train.loss, self.data.signature.target, self.network)

    def _fine_tune(self, index: int, stage: Stage) -> None:
        seed_everything(self.settings.seed, stage.name)
        for name in self.plan.frozen:
            self.network.get_layer(name).trainable = self.plan.graph[name].may_learn and name not in stage.frozen
        last = index == len(self.plan.stages) - 1
        if index < self.state.progress.stage and not last:
            return
        from dlspec.training.divergence import add_divergence, plain_loss

        settings, train, held_out = self.settings.train, self.data.train, self.data.validation
        target, losses = self.data.signature.target, self._losses()
        for name, own in (self.data.outputs or {"": self.data}).items():
            check_targets(losses[name], own.signature.target, own.train)
        several = self._of_outputs() if self.data.outputs else None
        network = self._trained_part()
        steps = math.ceil(len(train) / stage.batch_size)
        before = sum(other.epochs for other in self.plan.stages[:index] if other.kind == "fine_tune")
        with devices_of(self.settings.runtime):
            # a schedule goes on where frozen layers thaw
            optimizer = settings.clipped_optimizer.over(steps * settings.epochs, settings.schedule, steps * before)
            plain_loss(network)
            if several is not None:
                network.compile(optimizer=optimizer)
                loss_of_outputs(network, several)
            else:
                network.compile(optimizer=optimizer, loss=losses[""].build_for(target))
                if target.places:
                    keep_mask(network, target, losses[""], self._moves())
            if self.answers and several is None:
                assert settings.teacher is not None, "the spec names a teacher"
                y = np.asarray(self._targets(train))
                learn_from_teacher(network, losses[""], settings.teacher, y, target)
            reduction = next(iter(losses.values())).reduction
            add_divergence(network, reduction, "reconstruction" if target.kind == "input" else "error")
        self._begin(network)
        if index < self.state.progress.stage:  # stopped after training, before the results were written
            self._fit_output()
            return
        if not self.state.progress.begun and not before:
            self._after_pretraining()
        own = self.data if several else masked(self.network, self.data)
        weights, of_held_out = sample_weights(settings, own), part_weights(held_out)
        places = held_out_places = None
        if target.places and several is None:
            places, held_out_places = (counted_of(self.network, part, target) for part in (train, held_out))
        elif any(loss.divides_by_weights for loss in losses.values()) and not is_read_later(train.inputs):
            places, held_out_places = weights, of_held_out
        samples = StageData(
            train.inputs,
            self._stage_targets("train", several),
            weights,
            held_out.inputs,
            self._stage_targets("validation", several),
            places,
            held_out_places,
            of_held_out,
        )
        if target.fitted and losses[""].of_batch:
            samples = self._mixed_held_out(samples)
        of_batch = any(loss.of_batch for loss in losses.values())
        evaluation_batch = stage.batch_size if of_batch else EVALUATION_BATCH
        self._train(index, stage, network, samples, settings.early_stopping, settings.callbacks or (), evaluation_batch)
        if last:
            self._fit_output()

    def _trained_part(self) -> Any:
        """What fine-tuning trains: the network, or, where `output` is fitted after training, all below it."""
        if not self.data.signature.target.fitted:
            return self.network
        return network_below(self.network, self.plan.graph.outputs[0])

    def _fit_output(self) -> None:
        """Computes the weights of `output`, where they are not trained."""
        if self.data.signature.target.fitted:
            fit_output(self.network, self.plan.graph.outputs[0], self._losses()[""], self.data)

    def _mixed_held_out(self, samples: StageData) -> StageData:
        """The same with held-out samples in an order that the seed draws once: a batch of them then has samples of many
        classes, also where the data are in order of classes."""
        order = generator(self.settings.seed, "validation").permutation(len(samples.held_out))
        held_out_y = None if samples.held_out_y is None else chosen(samples.held_out_y, order)
        return replace(samples, held_out=chosen(samples.held_out, order), held_out_y=held_out_y)

    def _stage_targets(self, part: Literal["train", "validation"], several: OutputTargets | None) -> Samples:
        """What the network is to put out for a part: of several outputs side by side, the teacher's answers behind."""
        if several is not None:
            return several.of(self.data, part)
        targets = self._targets(getattr(self.data, part))
        return beside(np.asarray(targets), getattr(self.answers[""], part)) if self.answers else targets

    def _losses(self) -> dict[str, Loss]:
        """The loss of each of several outputs by its name; of the only one by none."""
        heads = self.settings.heads if self.data.outputs else (Head("", self.settings.train.loss, 1.0),)
        losses = {head.name: head.loss for head in heads}
        assert None not in losses.values(), "the default losses were filled in"
        return {name: loss for name, loss in losses.items() if loss is not None}

    def _moves(self) -> Moves | None:
        """What moves masks with their pictures; None: nothing moves pictures."""
        graph = self.plan.graph
        names = [each.name for each in graph.layers if each.name in graph.reached and moves_pixels(each.layer)]
        return Moves(self.network, names) if names else None

    def _of_outputs(self) -> OutputTargets:
        """What several outputs are to put out, and the layers that move the masks of each."""
        graph, moves = self.plan.graph, None
        moving = {each.name for each in graph.layers if moves_pixels(each.layer)}
        below = {
            name: moving & {*graph.needed_by([name])}
            for name, own in self.data.outputs.items()
            if own.signature.target.places and own.signature.window is None
        }
        if any(below.values()):
            moves = self._moves()
        teacher = self.settings.train.teacher
        return OutputTargets(self.network, self.data, self.settings.heads, moves, below, teacher, self.answers)

    def _after_pretraining(self) -> None:
        """Lets the decoder of a deep autoencoder start from what the stages have learned, and shows the network."""
        if not self.plan.pretraining and not self.plan.taken:
            return
        self._start_decoder()
        if self.hooks.observer:
            self.hooks.observer.after_pretraining(self.plan, self.network, self.state.stage_models, self.pretrained())

    def pretrained(self) -> LayerWeights:
        """The layers as pretraining left them, and their decoders."""
        found = LayerWeights()
        for stage, model in zip(self.plan.pretraining, self.state.stage_models, strict=True):
            for name in stage.encoder:
                weights = [as_array(weight) for weight in self.network.get_layer(name).weights]
                if weights or stage.layer is not None:
                    found.layers[name] = weights
            if stage.layer is None:
                for name in stage.encoder:
                    found.decoders.pop(name, None)
                continue
            found.decoders.pop(stage.layer.name, None)  # of a stage before, whose code was another one
            if hasattr(model, "decoder_weights"):
                found.decoders[stage.layer.name] = model.decoder_weights()
        trained = {*found.layers}
        for name in self.plan.taken:
            found.layers[name] = [as_array(weight) for weight in self.network.get_layer(name).weights]
            if name in self.taken.decoders and name not in trained:
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

    def _begin(self, model: Any) -> None:
        """A compiled model at its first step, or where the checkpoint left it."""
        with devices_of(self.settings.runtime):
            model.optimizer.build(model.trainable_variables)
        self.state.bring_back(model)

    def _train(
        self,
        index: int,
        stage: Stage,
        model: Any,
        samples: StageData,
        stopping: EarlyStopping | StageStopping | None,
        kinds: Sequence[Callback] = (),
        evaluation_batch: int = EVALUATION_BATCH,
    ) -> None:
        """One stage, from where it stands to its end."""
        run = StageRun(
            self.settings,
            self.state,
            self.hooks,
            self._stop_requested,
            stage,
            model,
            samples,
            stopping,
            kinds,
            evaluation_batch,
        )
        before, self._compiled_before = self._compiled_before, None
        reason, program = run.run(compiled=stage.name in self.compiled, before=before)
        if program is not None:
            self._compiled_before = (stage, program)
        self.state.end_stage(index, model)
        self.hooks.listener.stage_ends(stage, reason)


def check_targets(loss: Loss, target: Target, train: Part) -> None:
    """Raises DataError where a loss is not for the targets that the training part has."""
    if loss.of_shares and target.kind == "number":
        ends = [(float(block.min()), float(block.max())) for block in blocks(train.targets)]
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        if low < -NEAR or high > 1 + NEAR:
            message = f"`{loss.type_name}` is of numbers between 0 and 1, and `{target.name}` reaches from {low:g} to "
            help = "write `scale: min_max` under `data`, or `loss: mse` under `train`"
            raise DataError.of("not-a-share", f"{message}{high:g}", help=help)
    lowest = min(float(block.min()) for block in blocks(train.targets)) if loss.positive else 0.0
    if lowest < 0:
        raise DataError.of(
            "not-positive",
            f"`{loss.type_name}` is for targets of zero and more, and `{target.name}` is {lowest:g}",
            help="write `loss: mse` under `train`, or `scale: min_max` under `data`",
        )


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
