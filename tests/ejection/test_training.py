"""`train_network`: with the same weights and order of samples, every epoch has the losses that it has in dlspec."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import dlspec
from dlspec.ejection.network import write_network
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import write_training
from dlspec.model.build import build_network
from dlspec.runs.job import load_data, plan_of
from dlspec.runs.listener import Listener
from dlspec.spec.defaults import fill_in
from dlspec.training.progress import Hooks
from dlspec.training.stage_run import StageRun
from dlspec.training.trainer import Trainer
from tests.ejection.scripts import loaded

IRIS = "data: {dataset: iris}\nmodel: [{dense: {units: 6, activation: tanh, name: h1}}, output]\n"
PRICES = "data: {dataset: goog, predict: return, window: {length: 5}, limit: 200}\nmodel: [gru: 4, output]\n"
SPECS = {
    "classes": IRIS + "train: {epochs: 3, batch_size: 16, optimizer: {adam: 0.01}}",
    "vectors of classes": IRIS + "train: {epochs: 2, loss: categorical_crossentropy, optimizer: {sgd: 0.1}}",
    "weights of classes": IRIS + "train: {epochs: 2, class_weight: {setosa: 3, virginica: 0.5}}",
    "balanced classes": "data: {dataset: {xor: {samples: 90}}}\nmodel: [dense: 4, output]\n"
    "train: {epochs: 2, class_weight: balanced}",
    "balanced vectors": IRIS
    + "train: {epochs: 2, class_weight: balanced, loss: {categorical_crossentropy: {label_smoothing: 0.1}}}",
    "numbers": "data: {dataset: diabetes}\nmodel: [{dense: {units: 5, kernel_regularizer: {l2: 0.1}}}, output]\n"
    "train: {epochs: 3, loss: huber, optimizer: {adamw: {learning_rate: 0.01, weight_decay: 0.1}}}",
    "a series": PRICES + "train: {epochs: 2, gradient_clipping: {global_norm: 0.5}}",
    "a schedule": IRIS
    + "train: {epochs: 4, optimizer: {sgd: 0.5}, schedule: {cosine_decay: {warmup_target: 0.9, warmup_steps: 5}}}",
    "a momentum that rises": IRIS
    + "train: {epochs: 3, optimizer: {sgd: {learning_rate: 0.1, momentum: {start: 0.1, end: 0.9, over: 0.5}}}}",
    "a plateau": IRIS
    + "train: {epochs: 5, optimizer: {sgd: 2.0}, callbacks: {reduce_lr_on_plateau: {patience: 1, factor: 0.2}}}",
    "early stopping": IRIS + "train: {epochs: 8, optimizer: {sgd: 3.0}, early_stopping: {patience: 1}}",
    "an average of weights": IRIS + "train: {epochs: 2, optimizer: {adam: {use_ema: true, ema_momentum: 0.5}}}",
    "a frozen layer": IRIS + "pretrain: {method: autoencoder, epochs: 1, then: freeze}\ntrain: {epochs: 2}",
    "a layer that thaws": IRIS + "pretrain: {method: autoencoder, epochs: 1, then: freeze, thaw_after: 2}\n"
    "train: {epochs: 4, schedule: polynomial_decay}",
    "no validation": IRIS.replace("iris}", "iris, split: {validation: 0}}") + "train: {epochs: 2}",
}


class Recorded:
    """The losses of all epochs of `fit`, which takes the samples in their order."""

    def __init__(self, monkeypatch):
        self.losses = []
        fit = keras.Model.fit

        def in_order(model, *given, **more):
            found = fit(model, *given, **{**more, "shuffle": False, "verbose": 0})
            self.losses += [*zip(found.history["loss"], found.history.get("val_loss") or [None] * 99, strict=False)]
            return found

        monkeypatch.setattr(keras.Model, "fit", in_order)
        monkeypatch.setattr(StageRun, "_order", lambda self, epoch: np.arange(len(self.samples.x)))


def compared(subject, module, monkeypatch):
    """The losses of dlspec and of the script, and the weights that both end with."""
    data, recorded = subject.data, Recorded(monkeypatch)
    plan = subject.plan
    plan = replace(plan, stages=tuple(stage for stage in plan.stages if stage.kind == "fine_tune"))
    ours = build_network(subject.graph, "tried", one_input=True)
    theirs = module.build_network()
    theirs.set_weights(ours.get_weights())
    rows = Trainer(subject.spec.training, plan, data, ours, Hooks(Listener())).run()
    held_out = (np.asarray(data.validation.inputs), np.asarray(data.validation.targets))
    module.train_network(
        theirs, np.asarray(data.train.inputs), np.asarray(data.train.targets), *([held_out] if len(held_out[0]) else [])
    )
    return [(row.loss, row.val_loss) for row in rows], recorded.losses, (ours.get_weights(), theirs.get_weights())


@pytest.mark.everyday("a schedule")
@pytest.mark.parametrize("case", SPECS)
def test_losses_are_those_of_dlspec(case, tmp_path, monkeypatch):
    (tmp_path / "spec.yaml").write_text(f"dlspec: 1\nname: tried\n{SPECS[case]}\n", encoding="utf-8")
    spec = dlspec.load(tmp_path / "spec.yaml")
    data = load_data(spec)
    subject = Subject(fill_in(spec, data.signature), (data,), plan_of(spec, data), tmp_path)
    script = Script("tried")
    write_network(script, subject)
    write_training(script, subject)
    module = loaded(script, tmp_path)
    ours, theirs, weights = compared(subject, module, monkeypatch)
    assert len(ours) == len(theirs) > 1
    for one, other in zip(ours, theirs, strict=True):
        for loss, expected in zip(other, one, strict=True):
            assert loss == (None if expected is None else pytest.approx(expected, rel=1e-4))
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    if case == "early stopping":
        assert len(theirs) < subject.spec.train.epochs
