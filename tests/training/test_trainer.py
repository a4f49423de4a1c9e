"""Training: the same every time, the same after a stop, and only on what it may see."""

import numpy as np
import pytest

import dlspec
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.model.build import build_network
from dlspec.runs.listener import Listener
from dlspec.training.progress import Checkpoint, Hooks
from dlspec.training.trainer import Trainer
from dlspec.training.values import as_array, seed_everything
from tests.conftest import TINY_DIGITS, TINY_SERIES, TINY_SPIRALS
from tests.trained import StopAfter, Training, same, trained

OF_DENSE_LAYERS = TINY_SERIES.replace(
    "  - lstm: {units: 6, return_sequences: true}\n  - dropout: 0.2\n  - lstm: 4\n",
    "  - flatten\n  - dense: {units: 6, activation: tanh}\n  - dropout: 0.2\n  - dense: {units: 4, activation: tanh}\n",
)
"""A series, where recurrent layers make no difference and take ten times as long."""


@pytest.mark.everyday("digits")
@pytest.mark.parametrize(("text", "other"), [(TINY_SERIES, None), (TINY_DIGITS, 99)], ids=["series", "digits"])
def test_the_same_spec_gives_the_same_weights_bit_for_bit(text, other):
    _, first, history = trained(text)
    second, again = Training(text).run()
    assert same(first, second)
    assert [row.loss for row in history] == [row.loss for row in again]
    if other:
        assert not same(first, Training(text, seed=other).run()[0])


@pytest.mark.everyday("after_17_steps")
@pytest.mark.usefixtures("one_step_at_a_time")
@pytest.mark.parametrize(
    "steps",
    [1, pytest.param(8, marks=pytest.mark.slow), pytest.param(16, marks=pytest.mark.slow), 17, 48],
    ids=lambda n: f"after_{n}_steps",
)
def test_a_stopped_training_goes_on_to_the_same_weights(steps, tmp_path):
    _, whole, history = trained(TINY_SERIES)
    training = Training(TINY_SERIES)
    stopped, _ = training.run(StopAfter(steps))
    assert stopped is None, "the steps were more than the training has"
    training.saved[-1].save(tmp_path / "checkpoint.npz")
    resumed, again = training.run(checkpoint=Checkpoint.load(tmp_path / "checkpoint.npz"))
    assert same(whole, resumed)
    assert [(r.stage, r.epoch, r.loss, r.val_loss) for r in history] == [
        (r.stage, r.epoch, r.loss, r.val_loss) for r in again
    ]


@pytest.mark.everyday("plain")
@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
def test_how_many_steps_are_run_at_a_time_changes_nothing(monkeypatch, compiled):
    xla = {"runtime.xla": "on" if compiled else "off"}
    whole, history = Training(TINY_DIGITS, **xla).run()
    monkeypatch.setattr("dlspec.training.engines.base.AT_A_TIME", 0.0)
    again, rows = Training(TINY_DIGITS, **xla).run()
    assert same(whole, again)
    assert [row.loss for row in history] == [row.loss for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("xla", ["off", "on"])
def test_samples_that_are_handed_over_run_by_run_train_alike(monkeypatch, xla):
    settings = {"train.epochs": 1, "runtime.xla": xla}
    from_tensors, _ = Training(TINY_DIGITS, **settings).run()
    monkeypatch.setattr("dlspec.training.engines.tensorflow.ON_DEVICE", 0)
    streamed, _ = Training(TINY_DIGITS, **settings).run()
    assert same(from_tensors, streamed)
    plain, _ = Training(TINY_DIGITS, **{**settings, "runtime.xla": "off"}).run()
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(plain, streamed, strict=True))


def test_steps_are_those_of_keras(monkeypatch):
    """The engine and `train_on_batch` make the same weights of the same batches."""
    from dlspec.training.engines import base as engine

    plain, _ = Training(TINY_SPIRALS).run()
    monkeypatch.setattr("dlspec.training.stage_run.make_engine", lambda *given, **_: engine.StepByStep(*given))
    again, _ = Training(TINY_SPIRALS).run()
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(plain, again, strict=True))


@pytest.mark.everyday("88")
@pytest.mark.parametrize("steps", [3, pytest.param(30, marks=pytest.mark.slow), 88])
def test_corruption_and_dropout_go_on_where_they_stopped(steps):
    _, whole, _ = trained(TINY_DIGITS)
    training = Training(TINY_DIGITS)
    training.run(StopAfter(steps))
    resumed, _ = training.run(checkpoint=training.saved[-1])
    assert same(whole, resumed)


def test_neither_pretraining_nor_training_sees_the_test_part():
    whole, weights, _ = trained(OF_DENSE_LAYERS)
    last = whole.data.train.rows[-1]

    def spoil(columns):
        columns["x"][whole.data.validation.rows[-1] + 1 :] = 3.3

    assert last < whole.data.validation.rows[0]
    assert same(weights, Training(OF_DENSE_LAYERS, spoil).run()[0])


def test_pretraining_weights_do_not_depend_on_the_validation_part():
    def pretrained(training):
        at_end = next(c for c in training.saved if c.progress.stage == 2 and not c.progress.epoch)
        return at_end.variables

    whole, *_ = trained(OF_DENSE_LAYERS)
    rows = whole.data.validation.rows

    def spoil(columns):
        columns["x"][rows[0] :] = 1.7

    spoilt = Training(OF_DENSE_LAYERS, spoil, **{"train.epochs": 1})
    spoilt.run()
    assert same(pretrained(whole), pretrained(spoilt))


def test_pretraining_trains_the_final_models_own_layers():
    training = Training(TINY_DIGITS)
    seed_everything(training.spec.seed, "network")
    network = build_network(training.graph)
    trainer = Trainer(training.spec.training, training.plan, training.data, network, Hooks(Listener()))
    before = as_array(network.get_layer("h1").kernel)
    trainer.run()
    assert trainer.state.stage_models[0].encoder[0] is network.get_layer("h1")
    assert trainer.state.stage_models[1].encoder[0] is network.get_layer("h2")
    assert not np.array_equal(before, as_array(network.get_layer("h1").kernel))


def test_freeze_leaves_pretrained_layers_as_they_are():
    training = Training(TINY_DIGITS, **{"pretrain.then": "freeze"})
    weights, _ = training.run()
    at_end_of_pretraining = next(c for c in training.saved if c.progress.stage == 2 and not c.progress.epoch)
    assert np.array_equal(weights[0], at_end_of_pretraining.variables[0])
    _, tuned, _ = trained(TINY_DIGITS)
    assert not np.array_equal(weights[0], tuned[0])


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    """With a learning rate of next to nothing it equals the loss of the untrained network."""
    training = Training(TINY_SPIRALS, **{"train.optimizer": {"sgd": 1e-12}, "train.epochs": 1})
    seed_everything(training.spec.seed, "network")
    network = build_network(training.graph)
    p = as_array(network(training.data.train.inputs))
    y = training.data.train.targets
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    _, history = training.run()
    assert history[0].loss == pytest.approx(expected, rel=1e-4)


def test_early_stopping_waits_and_goes_back_to_the_best_weights():
    training = Training(
        TINY_SPIRALS,
        **{"train.epochs": 40, "train.optimizer": {"sgd": 3.0}, "train.early_stopping": {"patience": 3}},
    )
    weights, history = training.run()
    values = [row.val_loss for row in history]
    best = int(np.argmin(values))
    assert len(history) < 40
    assert len(history) == best + 1 + 3
    shorter = Training(TINY_SPIRALS, **{"train.epochs": best + 1, "train.optimizer": {"sgd": 3.0}})
    assert same(weights, shorter.run()[0])


def test_a_loss_that_is_no_number_ends_training_and_names_the_cure():
    training = Training(OF_DENSE_LAYERS, **{"train.optimizer": {"sgd": 1e30}, "train.early_stopping": None})
    with pytest.raises(TrainingError) as caught:
        training.run()
    (problem,) = caught.value.diagnostics
    assert problem.code == "loss-not-finite"
    assert "learning_rate" in problem.help


def test_a_checkpoint_of_another_network_is_refused():
    other = Training(TINY_SPIRALS)
    other.run(StopAfter(3))
    with pytest.raises(dlspec.DataError) as caught:
        Training(TINY_DIGITS).run(checkpoint=other.saved[-1])
    assert caught.value.diagnostics[0].code == "checkpoint-mismatch"
