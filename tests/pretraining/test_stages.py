"""Stages one after the other: what they may see, settings of single layers, ending early, diverging, what follows."""

import keras
import numpy as np
import pytest

import dlspec
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.runs.listener import Listener
from dlspec.spec.planning import without_pretraining
from dlspec.training.values import as_array, predict
from tests.conftest import TINY_DIGITS, TINY_SERIES
from tests.trained import StopAfter, Training, same

DIGITS = TINY_DIGITS.replace("tied_weights: true, ", "")
METHODS = {
    "autoencoder": {"method": "autoencoder"},
    "denoising": {"method": "denoising_autoencoder", "corruption": {"salt_and_pepper": 0.2}},
    "sparse": {"method": "sparse_autoencoder", "sparsity_target": 0.1},
    "contractive": {"method": "contractive_autoencoder"},
    "rbm": {"method": "rbm", "momentum": {"start": 0.5, "end": 0.9}},
    "persistent": {"method": "rbm", "persistent": True, "gibbs_steps": 2},
    "supervised": {"method": "supervised"},
}


def digits(method, change=None, **overrides):
    """Two layers of digits, pretrained by a method."""
    settings = {"epochs": 2, "batch_size": 64, **method}
    return Training(DIGITS, change, **{"pretrain": settings, "train.epochs": 1, **overrides})


_TRAINED = {}


def trained_digits(method):
    """The same, trained to its end once: the training, its weights and its history."""
    key = str(method)
    if key not in _TRAINED:
        training = digits(method)
        _TRAINED[key] = (training, *training.run())
    return _TRAINED[key]


class Watching(Listener):
    """Keeps the rows of every epoch, and why stages ended."""

    def __init__(self):
        self.rows, self.reasons = [], {}

    def epoch_ends(self, stage, row):
        self.rows.append(row)

    def stage_ends(self, stage, reason):
        self.reasons[stage.name] = reason


@pytest.mark.everyday("rbm", "contractive", "supervised")
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_trains_every_layer_and_lowers_its_loss(method):
    _, history = digits({**method, "epochs": 6}).run()
    for name in ("pretrain:h1", "pretrain:h2"):
        losses = [row.loss for row in history if row.stage == name]
        assert len(losses) == 6
        assert losses[-1] < losses[0]
    assert all(row.val_loss is not None for row in history)


MEASURES = {
    "denoising": {"objective"},
    "sparse": {"objective", "sparsity"},
    "contractive": {"objective", "jacobian_norm"},
    "rbm": {"free_energy_gap", "free_energy_gap_se", "pseudo_likelihood"},
    "supervised": set(),
}


@pytest.mark.everyday(2)
@pytest.mark.parametrize("name", MEASURES)
def test_the_history_has_what_a_method_measures(name):
    *_, history = trained_digits(METHODS[name])
    for row in history:
        wanted = MEASURES[name] if row.stage.startswith("pretrain") else set()
        assert set(row.measures) == wanted
        assert np.isfinite(list(row.measures.values())).all()


@pytest.mark.everyday(1)
@pytest.mark.usefixtures("one_step_at_a_time")
@pytest.mark.parametrize("late", [pytest.param(False, marks=pytest.mark.slow), True], ids=["early", "late"])
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_goes_on_where_it_was_stopped(method, late):
    _, whole, history = trained_digits(method)
    training = digits(method)
    assert training.run(StopAfter(5 if late and method["method"] == "supervised" else 27 if late else 2))[0] is None
    resumed, again = training.run(checkpoint=training.saved[-1])
    assert same(whole, resumed)
    assert [(r.loss, dict(r.measures)) for r in history] == [(r.loss, dict(r.measures)) for r in again]


@pytest.mark.everyday("rbm", "denoising", "supervised")
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_no_method_sees_validation_or_test_samples(method):
    """Every value of both parts is changed, and pretraining gives the same weights, bit for bit."""

    def pretrained(training):
        at_end = next(c for c in training.saved if c.progress.stage == 2 and not c.progress.epoch)
        return at_end.variables

    untouched, *_ = trained_digits(method)
    held_out = np.concatenate([untouched.data.validation.rows, untouched.data.test.rows])

    def spoil(columns):
        columns["image"] = columns["image"].copy()
        columns["image"][held_out] = 16 - columns["image"][held_out]

    spoilt = digits(method, spoil)
    spoilt.run()
    assert same(pretrained(untouched), pretrained(spoilt))


def test_only_a_supervised_stage_is_trained_on_the_labelled_samples_alone():
    class Count(Listener):
        def __init__(self):
            self.samples = {}

        def stage_begins(self, stage, samples, steps):
            self.samples[stage.name] = samples

    for name, without_labels in (("supervised", 0), ("rbm", 1199)):
        counted, training = Count(), digits(METHODS[name])
        training.run(counted)
        assert counted.samples == {
            "pretrain:h1": 60 + without_labels,
            "pretrain:h2": 60 + without_labels,
            "fine_tune": 60,
        }


# --- settings of single layers


def test_a_layer_may_have_settings_of_its_own():
    method = {
        "method": "denoising_autoencoder",
        "per_layer": {"h2": {"epochs": 4, "corruption": {"gaussian": 0.1}, "optimizer": {"sgd": 0.01}}},
    }
    training = digits(method)
    first, second = training.plan.pretraining
    assert (first.epochs, second.epochs) == (2, 4)
    assert first.method.corruption.type_name == "masking"
    assert second.method.corruption.type_name == "gaussian"
    assert second.method.optimizer.type_name == "sgd"
    _, history = training.run()
    assert [row.stage for row in history] == ["pretrain:h1"] * 2 + ["pretrain:h2"] * 4 + ["fine_tune"]


@pytest.mark.parametrize(
    ("per_layer", "code", "at"),
    [
        ("{h3: {epochs: 2}}", "unknown-layer-name", "h3"),
        ("{h1: {then: freeze}}", "unknown-key", "then"),
        ("{h1: {epohcs: 2}}", "unknown-key", "epohcs"),
        ("{h1: {epochs: 0}}", "out-of-range", "0"),
        ("{h1: {gibbs_steps: 2}}", "unknown-key", "gibbs_steps"),
        ("{h1: 5}", "wrong-type", "5"),
        ("{h2: {corruption: {masking: 2}}}", "out-of-range", "2"),
    ],
)
def test_a_mistake_in_the_settings_of_a_layer_is_found_on_its_place(per_layer, code, at):
    text = DIGITS.replace("epochs: 2, batch_size: 64}", f"per_layer: {per_layer}}}")
    (problem,) = dlspec.validate(text)
    assert problem.code == code
    line = text.splitlines()[problem.span.line - 1]
    assert line[problem.span.column - 1 : problem.span.end_column - 1] == at


def test_settings_of_layers_survive_being_written_out():
    spec = dlspec.load(DIGITS.replace("epochs: 2, batch_size: 64}", "per_layer: {h2: {epochs: 7, optimizer: adamw}}}"))
    again = dlspec.load(dlspec.resolve(spec))
    assert again.pretrain == spec.pretrain
    assert again.pretrain.of_layer("h2").epochs == 7
    assert again.pretrain.of_layer("h1").epochs == 10


# --- ending early, and diverging


@pytest.mark.everyday("free_energy_gap")
@pytest.mark.parametrize("monitor", ["val_loss", "loss", "free_energy_gap"])
def test_a_stage_ends_early_and_goes_back_to_its_best_weights(monitor):
    stopping = {"patience": 2, "monitor": monitor}
    method = {"method": "rbm", "epochs": 60, "batch_size": 20, "optimizer": {"sgd": 0.5}, "early_stopping": stopping}
    watching = Watching()
    training = digits(method)
    training.run(watching)
    rows = [row for row in watching.rows if row.stage == "pretrain:h1"]
    watched = [[row.measures[monitor] for row in rows]] if "gap" in monitor else []
    watched.append([row.loss if monitor == "loss" else row.val_loss for row in rows])
    best = max(int(np.argmin(values)) for values in watched)  # a gap may grow while the error falls
    assert len(rows) == best + 1 + 2
    assert f"epoch {best + 1}" in watching.reasons["pretrain:h1"]
    shorter = digits({**method, "epochs": best + 1, "early_stopping": None})
    shorter.run()
    ends = [next(c for c in t.saved if c.progress.stage == 1 and not c.progress.epoch) for t in (training, shorter)]
    assert np.array_equal(ends[0].variables[0], ends[1].variables[0])


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ({"method": "autoencoder", "loss": "squared_error", "optimizer": {"sgd": 30.0}}, "loss-not-finite"),
        ({"method": "autoencoder", "loss": "squared_error", "optimizer": {"adam": 30.0}}, "stage-diverged"),
    ],
    ids=["nan", "growing"],
)
def test_a_stage_that_diverges_names_the_layer_and_what_to_lower(method, code):
    training = digits({"epochs": 20, **method}, **{"model.1.dense.activation": "linear"})
    with pytest.raises(TrainingError) as caught:
        training.run()
    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert "pretrain:h1" in problem.message
    assert "dense: 12" in problem.message
    (rate,) = method["optimizer"].values()
    assert f"per_layer: {{h1: {{optimizer: {{{next(iter(method['optimizer']))}: {rate / 10}}}}}}}" in problem.help


def test_a_stage_that_learns_does_not_diverge():
    for rate in (0.5, 2.0):
        digits({"method": "rbm", "epochs": 8, "optimizer": {"sgd": rate}}).run()


# --- what follows


def test_frozen_layers_thaw_when_they_are_told_to():
    method = {"method": "autoencoder", "then": "freeze", "thaw_after": 2}
    training = digits(method, **{"train.epochs": 5, "train.schedule": "cosine_decay"})
    whole, history = training.run()
    tuned = [(row.stage, row.epoch) for row in history if row.stage.startswith("fine_tune")]
    assert tuned == [("fine_tune:frozen", 1), ("fine_tune:frozen", 2), *(("fine_tune", n) for n in (1, 2, 3))]
    at = {c.progress.stage: c.variables[0] for c in training.saved if not c.progress.epoch}
    assert np.array_equal(at[2], at[3]), "frozen"
    assert not np.array_equal(at[3], at[4]), "thawed"
    again = digits(method, **{"train.epochs": 5, "train.schedule": "cosine_decay"})
    middle = next(c for c in training.saved if c.progress.stage == 3 and not c.progress.epoch)
    resumed, _ = again.run(checkpoint=middle)
    assert same(resumed, whole)


def test_where_layers_thaw_the_schedule_goes_on_and_the_averages_of_adam_begin_anew():
    """Its first step moves each weight by the learning rate; with steps counted from before it would be thrice that."""
    train = {"epochs": 4, "batch_size": 2000, "optimizer": {"adam": 0.01}, "schedule": "cosine_decay"}
    training = digits({"method": "autoencoder", "epochs": 1, "then": "freeze", "thaw_after": 3}, train=train)
    after, _ = training.run()
    thawed = next(c for c in training.saved if c.progress.stage == 3 and not c.progress.epoch)
    before = [value for value in thawed.variables if value.dtype == "float32"]  # others are states of generators
    moves = [np.abs(new - old).max() for new, old in zip(after, before, strict=False) if new.dtype == "float32"]
    rate = 0.01 * (1 + np.cos(np.pi * 3 / 4)) / 2
    assert max(moves) == pytest.approx(rate, rel=0.01)


def test_a_momentum_that_rises_goes_on_where_layers_thaw():
    optimizer = dlspec.load(
        TINY_DIGITS, overrides={"train.optimizer": {"sgd": {"momentum": {"start": 0.0, "end": 0.8}}}}
    ).train.optimizer
    steps = []
    for done in (0, 3):
        variable = keras.Variable([0.0])
        sgd = optimizer.over(4, None, done)
        steps.append([])
        for _ in range(4 - done):
            sgd.apply([np.ones(1, "float32")], [variable])
            steps[-1].append(float(variable[0]))
    velocities = np.diff([0, *steps[0]])
    assert steps[1] == [pytest.approx(-0.01)]
    assert velocities == pytest.approx([-0.01, -0.01 * 1.2, -0.01 * 1.48, -0.01 * 1.888])


@pytest.mark.everyday("rbm", "denoising")
@pytest.mark.parametrize("method", ["rbm", "autoencoder", "denoising"])
def test_the_decoder_of_a_deep_autoencoder_starts_from_the_stages(method):
    """Before fine-tuning, the unrolled network gives back what the stages do one after the other."""
    text = DIGITS.replace("  - output\n", "").replace("  - dropout: 0.1\n", "").replace(", labels: 60", "")
    settings = {"epochs": 2, **METHODS[method], "then": "unroll"}
    training = Training(text, **{"pretrain": settings, "train.epochs": 1})
    seen = {}

    class Look:
        def after_pretraining(self, plan, network, stage_models, pretrained):
            x = training.data.test.inputs[:5]
            lower, upper = stage_models
            code = upper.encode(lower.encode(x.reshape(5, -1)), training=False)
            seen["stages"] = as_array(lower.decode(upper.decode(code)))
            seen["network"] = predict(network, x).reshape(5, -1)

    from dlspec.model.build import build_network
    from dlspec.training.progress import Hooks
    from dlspec.training.trainer import Trainer
    from dlspec.training.values import seed_everything

    seed_everything(3, "network")
    network = build_network(training.graph)
    hooks = Hooks(Listener(), observer=Look())
    Trainer(training.spec.training, training.plan, training.data, network, hooks).run()
    assert seen["network"] == pytest.approx(seen["stages"], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2], ids=["one layer", "two layers"])
def test_a_sequence_autoencoder_can_be_unrolled(layers):
    text = TINY_SERIES.replace("  - output\n", "").replace("epochs: 2, b", "epochs: 2, then: unroll, b")
    if layers == 1:
        text = text.replace("  - lstm: {units: 6, return_sequences: true}\n  - dropout: 0.2\n", "")
    _, history = Training(text).run()
    tuned = [row.loss for row in history if row.stage == "fine_tune"]
    assert tuned[-1] < tuned[0]


def test_the_same_network_can_be_trained_without_its_pretraining():
    training = digits(METHODS["rbm"])
    plan = without_pretraining(training.plan, training.spec)
    assert [stage.name for stage in plan.stages] == ["fine_tune"]
    assert plan.graph is training.graph


def test_the_input_of_a_stage_is_computed_once_and_may_lie_in_a_file(monkeypatch, tmp_path):
    whole, _ = digits(METHODS["denoising"]).run()
    monkeypatch.setattr("dlspec.training.layer_outputs.IN_MEMORY", 1000)
    monkeypatch.setattr("dlspec.training.layer_outputs.BLOCK", 100)
    monkeypatch.setattr("dlspec.training.engines.tensorflow.ON_DEVICE", 1000)
    monkeypatch.chdir(tmp_path)
    spilled, _ = digits(METHODS["denoising"]).run()
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(whole, spilled, strict=True))
    assert not list(tmp_path.iterdir()), "files of features are removed"


def test_freeze_keeps_everything_that_pretraining_trained():
    text = TINY_DIGITS.replace("- dropout: 0.1", "- batch_normalization: {name: bn}")
    plan = dlspec.plan(dlspec.load(text, overrides={"pretrain.then": "freeze"}))
    assert plan.frozen == ("h1", "bn", "h2")
