"""What stands under `train` does what it says: losses, optimizers, schedules, clipping, class weights, callbacks."""

import math
from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError, TrainingError
from dlspec.model.build import build_network
from dlspec.runs.listener import Listener
from dlspec.training.losses import LOSSES
from dlspec.training.optimizers import OPTIMIZERS
from dlspec.training.progress import Checkpoint, Hooks, Stopped
from dlspec.training.stage_data import sample_weights
from dlspec.training.trainer import Trainer
from dlspec.training.values import as_array, seed_everything
from tests.conftest import TINY_SPIRALS, TINY_TABLE
from tests.trained import StopAfter, Training, same

TINY_IRIS = """\
dlspec: 1
name: tiny_iris
data: {dataset: iris}
model:
  - dense: {units: 5, activation: tanh}
  - output
train: {epochs: 2, batch_size: 16, optimizer: {sgd: 0.1}}
"""


class Rates(Listener):
    """Writes down the learning rate that every step was made with."""

    def __init__(self, training) -> None:
        self.training, self.rates = training, []

    def step_ends(self, stage, epoch, step, loss):
        self.rates.append(float(as_array(self.training.network.optimizer.learning_rate)))


pytestmark = pytest.mark.usefixtures("one_step_at_a_time")


class Watched(Training):
    """A training whose network can be looked at, and whose callbacks write into a folder."""

    def run(self, listener=None, checkpoint=None, folder=None):
        seed_everything(self.spec.seed, "network")
        self.network = build_network(self.graph)
        before = [as_array(weight) for weight in self.network.weights]
        hooks = Hooks(listener or Listener(), self.saved.append, folder=folder or Path())
        trainer = Trainer(self.spec.training, self.plan, self.data, self.network, hooks)
        self.before = before
        try:
            history = trainer.run(checkpoint)
        except Stopped:
            return None, None
        return [as_array(weight) for weight in self.network.weights], history


def rates_of(schedule, **overrides):
    """The learning rate after each step; 84 samples, batches of 16: six steps in an epoch."""
    training = Watched(TINY_SPIRALS, **{"train.optimizer": {"sgd": 0.5}, "train.schedule": schedule, **overrides})
    listener = Rates(training)
    training.run(listener)
    return listener.rates


def codes(text, **overrides):
    return [(d.code, d.help) for d in dlspec.validate(text, overrides=overrides)]


# --- losses and optimizers

TRIED_ELSEWHERE = ("squared_error", "cross_entropy", "ctc")
"""Of inputs that are given back, in `test_sampling`, and of texts that are read, in `test_ctc_loss`."""
OF_FORM = {"quantiles": {"quantiles": [0.1, 0.5, 0.9]}, "mixture": {"mixture": 2}}


@pytest.mark.everyday("mse", "poisson", "binary_crossentropy", "categorical_crossentropy")
@pytest.mark.parametrize("name", sorted(name for name in LOSSES if name not in TRIED_ELSEWHERE))
def test_every_loss_trains_what_it_is_for(name):
    for written in LOSSES[name].examples:
        loss = LOSSES.read(written)
        for sort in loss.of:
            text = {"number": TINY_TABLE, "binary": TINY_SPIRALS, "class": TINY_IRIS}[sort]
            overrides = {"train.loss": written, "train.epochs": 1, "data.scale": loss.scales[0]}
            if loss.of_form != "value":
                overrides["model.1"] = {"output": OF_FORM[loss.of_form]}
            if name == "poisson":
                overrides["model.1"] = {"output": {"activation": "softplus"}}
            if loss.fitted == "distance":
                overrides["model.1"] = {"dense": {"units": 1, "activation": "softplus"}}  # which is never negative
                overrides["train.loss"] = {"contrastive": {"margin": loss.margin, "same": "second"}}
            weights, history = Training(text, **overrides).run()
            assert all(np.isfinite(weight).all() for weight in weights)
            assert math.isfinite(history[0].loss)


SHARE = {"train.loss": "binary_crossentropy", "model.1": {"output": {"activation": "sigmoid"}}}


def test_a_number_between_0_and_1_may_be_compared_as_a_probability():
    trained = Training(TINY_TABLE, **SHARE, **{"data.scale": "min_max", "train.optimizer": {"sgd": 1e-12}})
    targets = np.asarray(trained.data.train.targets)
    _, history = trained.run()
    given = np.clip(trained.network.predict(trained.data.train.inputs, verbose=0), 1e-7, 1 - 1e-7)
    wanted = -(targets * np.log(given) + (1 - targets) * np.log(1 - given)).mean()
    assert history[-1].loss == pytest.approx(wanted, rel=1e-4)
    with pytest.raises(DataError, match="is of numbers between 0 and 1") as caught:
        Training(TINY_TABLE, **SHARE, **{"data.scale": "none"}).run()
    assert caught.value.diagnostics[0].code == "not-a-share"


def test_a_loss_of_vectors_is_that_of_class_numbers():
    """Cross-entropy with labels as vectors of zeros and a one, and with labels as numbers, is the same."""
    first, _ = Training(TINY_IRIS, **{"train.loss": "categorical_crossentropy"}).run()
    second, _ = Training(TINY_IRIS).run()
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(first, second, strict=True))


def test_the_sum_over_a_batch_is_compared_with_the_sum_over_a_batch():
    settings = {"train.optimizer": {"sgd": 1e-12}, "train.epochs": 1, "train.batch_size": 18}
    _, mean = Training(TINY_SPIRALS, **settings).run()
    loss = {"binary_crossentropy": {"reduction": "sum"}}
    _, total = Training(TINY_SPIRALS, **settings, **{"train.loss": loss}).run()
    assert total[0].val_loss == pytest.approx(18 * mean[0].val_loss, rel=1e-4)  # 18 samples: one batch


@pytest.mark.everyday("adam", "sgd", "muon", "schedule_free_adamw")
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_moves_the_weights(name):
    for written in OPTIMIZERS[name].examples:
        training = Watched(TINY_SPIRALS, **{"train.optimizer": written, "train.epochs": 1})
        weights, _ = training.run()
        assert all(np.isfinite(weight).all() for weight in weights)
        assert not same(training.before, weights)


def test_targets_that_are_negative_are_refused_by_a_loss_with_a_logarithm():
    training = Training(
        TINY_TABLE,
        lambda columns: columns.update(progression=columns["progression"] - 200),
        **{"train.loss": "msle", "data.scale": "none"},
    )
    with pytest.raises(DataError) as caught:
        training.run()
    assert caught.value.diagnostics[0].code == "not-positive"


# --- schedules


def test_the_learning_rate_follows_the_schedule():
    rates = rates_of({"exponential_decay": {"decay_rate": 0.5, "decay_steps": 4}})
    assert len(rates) == 18
    assert rates == pytest.approx([0.5 * 0.5 ** (step / 4) for step in range(1, 19)], rel=1e-4)


def test_a_decay_without_steps_takes_the_whole_training():
    rates = rates_of("cosine_decay")
    assert rates == pytest.approx([0.5 * (1 + math.cos(math.pi * step / 18)) / 2 for step in range(1, 19)], abs=1e-6)
    assert rates_of({"polynomial_decay": {"end_learning_rate": 0.1}})[-1] == pytest.approx(0.1)
    assert rates_of({"exponential_decay": 0.1})[-1] == pytest.approx(0.05)
    assert rates_of({"inverse_time_decay": 4.0})[-1] == pytest.approx(0.1)


def test_a_warm_up_is_part_of_the_whole_training():
    rates = rates_of({"cosine_decay": {"warmup_target": 1.0, "warmup_steps": 6, "alpha": 0.2}})
    assert rates[5] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.2)


def test_a_schedule_in_pieces_begins_with_the_optimizers_rate():
    rates = rates_of({"piecewise_constant_decay": {"boundaries": [3, 9], "values": [0.2, 0.1]}})
    assert rates == pytest.approx([0.5] * 3 + [0.2] * 6 + [0.1] * 9)


def test_restarts_come_back_to_a_part_of_the_rate():
    rates = rates_of({"cosine_decay_restarts": {"first_decay_steps": 6, "t_mul": 1.0, "m_mul": 0.5}})
    assert rates[5] == pytest.approx(0.25)
    assert rates[11] == pytest.approx(0.125)


def test_a_schedule_goes_on_after_a_stop():
    settings = {"train.schedule": "cosine_decay", "train.optimizer": {"adam": 0.05}}
    whole, _ = Training(TINY_SPIRALS, **settings).run()
    training = Training(TINY_SPIRALS, **settings)
    training.run(StopAfter(8))
    assert same(whole, training.run(checkpoint=training.saved[-1])[0])


# --- clipping and class weights


@pytest.mark.parametrize("key", ["norm", "value", "global_norm"])
def test_clipping_bounds_the_update(key):
    settings = {"train.optimizer": {"sgd": 1.0}, "train.epochs": 1, "train.batch_size": 200}
    training = Watched(TINY_SPIRALS, **settings, **{"train.gradient_clipping": {key: 0.001}})
    weights, _ = training.run()  # one step
    moves = [after - before for before, after in zip(training.before, weights, strict=True)]
    of_each = [float(np.linalg.norm(move)) for move in moves]
    free = Watched(TINY_SPIRALS, **settings)
    freely, _ = free.run()
    far = [float(np.linalg.norm(after - before)) for before, after in zip(free.before, freely, strict=True)]
    if key == "norm":
        assert max(of_each) == pytest.approx(0.001, rel=1e-3)
    elif key == "value":
        assert max(abs(move).max() for move in moves) == pytest.approx(0.001, rel=1e-3)
    else:
        assert sum(norm**2 for norm in of_each) ** 0.5 == pytest.approx(0.001, rel=1e-3)
    assert max(far) > 0.005


def test_class_weights_weigh_the_loss_as_computed_by_hand():
    settings = {"train.optimizer": {"sgd": 1e-12}, "train.epochs": 1}
    weighted = {"train.class_weight": {"inner": 3.0, "outer": 0.5}}
    labels = Training(TINY_SPIRALS).data.signature.target.classes
    weighted = {"train.class_weight": dict(zip(labels, (3.0, 0.5), strict=True))}
    training = Watched(TINY_SPIRALS, **settings, **weighted)
    _, history = training.run()
    p = as_array(training.network(training.data.train.inputs))[:, 0]
    y = training.data.train.truth
    each = -np.where(y == 1, np.log(p), np.log(1 - p))
    assert history[0].loss == pytest.approx((np.where(y == 1, 0.5, 3.0) * each).mean(), rel=1e-4)
    assert history[0].val_loss == pytest.approx(Watched(TINY_SPIRALS, **settings).run()[1][0].val_loss)


def test_balanced_weights_give_every_class_the_same_sum():
    text = TINY_IRIS.replace("iris}", "iris, labels: 30}")
    training = Training(text, **{"train.class_weight": "balanced"})
    truth = training.data.train.truth
    weights = sample_weights(training.spec.train, training.data)
    sums = [weights[truth == label].sum() for label in range(3)]
    assert sums == pytest.approx([len(truth) / 3] * 3)
    one = Training(TINY_IRIS, **{"train.class_weight": {"setosa": 2.0}})
    weights = sample_weights(one.spec.train, one.data)
    assert sorted(set(weights.tolist())) == [1.0, 2.0]


# --- early stopping


def test_a_baseline_that_is_never_reached_ends_training():
    stopping = {"patience": 3, "baseline": 0.0}
    _, history = Training(TINY_SPIRALS, **{"train.epochs": 30, "train.early_stopping": stopping}).run()
    best = min(row.val_loss for row in history)
    assert len(history) < 30
    assert history[-1].val_loss > best


def test_early_stopping_can_begin_later():
    settings = {"train.epochs": 40, "train.optimizer": {"sgd": 3.0}}
    _, early = Training(TINY_SPIRALS, **settings, **{"train.early_stopping": {"patience": 2}}).run()
    later = {"patience": 2, "start_from_epoch": len(early) + 2}
    _, history = Training(TINY_SPIRALS, **settings, **{"train.early_stopping": later}).run()
    assert len(history) > len(early) + 2


def test_early_stopping_is_that_of_keras():
    """The same epochs and the same best one as Keras's own, from the same losses."""
    import keras

    stopping = {"patience": 2, "min_delta": 0.01, "baseline": 0.62, "start_from_epoch": 2}
    settings = {"train.epochs": 30, "train.optimizer": {"sgd": 2.5}}
    _, free = Training(TINY_SPIRALS, **settings).run()
    reference = keras.callbacks.EarlyStopping(restore_best_weights=True, **stopping)
    network = build_network(Training(TINY_SPIRALS).graph)
    reference.set_model(network)
    network.stop_training = False
    reference.on_train_begin()
    for epoch, row in enumerate(free):
        reference.on_epoch_end(epoch, {"val_loss": row.val_loss})
        if network.stop_training:
            break
    _, history = Training(TINY_SPIRALS, **settings, **{"train.early_stopping": stopping}).run()
    assert len(history) == epoch + 1


def test_a_loss_can_be_watched_for_the_largest_value():
    stopping = {"patience": 1, "mode": "max"}
    _, history = Training(TINY_SPIRALS, **{"train.epochs": 20, "train.early_stopping": stopping}).run()
    assert len(history) < 20


# --- callbacks


def test_a_plateau_lowers_the_learning_rate():
    callback = {"reduce_lr_on_plateau": {"factor": 0.5, "patience": 1, "min_delta": 10.0, "min_lr": 0.1}}
    training = Watched(
        TINY_SPIRALS, **{"train.optimizer": {"sgd": 0.5}, "train.callbacks": [callback], "train.epochs": 5}
    )
    listener = Rates(training)
    training.run(listener)
    assert listener.rates[::6] == pytest.approx([0.5, 0.5, 0.25, 0.125, 0.1])


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 9, 14, 24])
def test_a_plateau_goes_on_after_a_stop(steps, tmp_path):
    callback = {"reduce_lr_on_plateau": {"factor": 0.5, "patience": 2, "min_delta": 10.0, "cooldown": 1}}
    settings = {"train.callbacks": [callback], "train.epochs": 6, "train.early_stopping": {"patience": 4}}
    whole, history = Training(TINY_SPIRALS, **settings).run()
    training = Training(TINY_SPIRALS, **settings)
    assert training.run(StopAfter(steps))[0] is None
    training.saved[-1].save(tmp_path / "checkpoint.npz")
    resumed, again = training.run(checkpoint=Checkpoint.load(tmp_path / "checkpoint.npz"))
    assert same(whole, resumed)
    assert [row.loss for row in history] == [row.loss for row in again]


def test_a_loss_that_is_no_number_ends_training_quietly_where_asked_and_the_best_weights_come_back():
    settings = {"train.schedule": {"piecewise_constant_decay": {"boundaries": [8], "values": [1e30]}}}
    settings |= {"train.optimizer": {"sgd": 0.01}, "train.epochs": 6}
    with pytest.raises(TrainingError):
        Training(TINY_TABLE, **settings).run()
    with pytest.raises(TrainingError):
        Training(TINY_TABLE, **settings, **{"train.callbacks": [{"terminate_on_nan": {"raise_error": True}}]}).run()
    settings |= {"train.callbacks": "terminate_on_nan", "train.batch_size": 100}
    weights, history = Training(TINY_TABLE, **settings, **{"train.early_stopping": {"patience": 9}}).run()
    assert len(history) < 6
    assert all(np.isfinite(weight).all() for weight in weights)


@pytest.mark.slow
def test_training_ends_with_the_averaged_weights():
    settings = {"train.epochs": 2}
    plain = Watched(TINY_SPIRALS, **settings, **{"train.optimizer": {"sgd": 0.5}})
    weights = []

    class Collect(Listener):
        def step_ends(self, stage, epoch, step, loss):
            weights.append([as_array(weight) for weight in plain.network.weights])

    plain.run(Collect())
    average = weights[0]
    for after in weights[1:]:
        average = [0.8 * a + 0.2 * w for a, w in zip(average, after, strict=True)]
    optimizer = {"sgd": {"learning_rate": 0.5, "use_ema": True, "ema_momentum": 0.8}}
    for callbacks in (None, ["swap_ema_weights"], [{"swap_ema_weights": {"swap_on_epoch": True}}]):
        found, history = Training(
            TINY_SPIRALS, **settings, **{"train.optimizer": optimizer, "train.callbacks": callbacks}
        ).run()
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(average, found, strict=True)), callbacks
    with_average = Watched(TINY_SPIRALS, **settings, **{"train.optimizer": optimizer, "train.callbacks": callbacks})
    _, history = with_average.run()
    p = as_array(with_average.network(with_average.data.validation.inputs))[:, 0]
    y = with_average.data.validation.truth
    expected = -np.where(y == 1, np.log(p), np.log(1 - p)).mean()
    assert history[-1].val_loss == pytest.approx(expected, rel=1e-4)  # measured with the average


@pytest.mark.everyday("True")
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_early_stopping_goes_back_to_the_average_that_was_measured(swap_on_epoch):
    training = Watched(
        TINY_SPIRALS,
        **{
            "train.optimizer": {"sgd": {"learning_rate": 3.0, "use_ema": True, "ema_momentum": 0.9}},
            "train.callbacks": [{"swap_ema_weights": {"swap_on_epoch": swap_on_epoch}}],
            "train.early_stopping": {"patience": 3},
            "train.epochs": 40,
        },
    )
    _, history = training.run()
    p = as_array(training.network(training.data.validation.inputs))[:, 0]
    y = training.data.validation.truth
    found = -np.where(y == 1, np.log(p), np.log(1 - p)).mean()
    assert found == pytest.approx(min(row.val_loss for row in history), rel=1e-3)


@pytest.mark.everyday("6")
@pytest.mark.parametrize("steps", [5, 6, 7])
def test_averages_stay_where_they_were_after_a_stop(steps):
    settings = {
        "train.optimizer": {"adam": {"learning_rate": 0.05, "use_ema": True, "gradient_accumulation_steps": 2}},
        "train.callbacks": [{"swap_ema_weights": {"swap_on_epoch": True}}],
    }
    whole, _ = Training(TINY_SPIRALS, **settings).run()
    training = Training(TINY_SPIRALS, **settings)
    training.run(StopAfter(steps))
    assert same(whole, training.run(checkpoint=training.saved[-1])[0])


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"log_dir": "logs/first", "histogram_freq": 1, "write_images": True, "update_freq": "batch"},
        {"update_freq": 4, "write_steps_per_second": True, "write_graph": False, "profile_batch": [2, 3]},
    ],
    ids=str,
)
def test_tensor_board_files_lie_in_the_run_folder(arguments, tmp_path):
    training = Watched(TINY_SPIRALS, **{"train.callbacks": [{"tensor_board": arguments}]})
    weights, _ = training.run(folder=tmp_path)
    logs = tmp_path / arguments.get("log_dir", "logs")
    assert list((logs / "train").glob("events*"))
    assert list((logs / "validation").glob("events*"))
    assert same(weights, Watched(TINY_SPIRALS).run()[0])


def test_tensor_board_counts_on_after_a_stop(tmp_path):
    settings = {"train.callbacks": [{"tensor_board": {"update_freq": "batch"}}]}
    training = Watched(TINY_SPIRALS, **settings)
    training.run(StopAfter(8), folder=tmp_path)
    assert training.saved[-1].progress.callbacks[0]["_global_train_batch"] == 8
    training.run(checkpoint=training.saved[-1], folder=tmp_path)
    assert training.saved[-1].progress.stage == 1


def test_a_run_writes_the_logs_into_its_folder(tmp_path):
    spec = dlspec.load(TINY_SPIRALS, overrides={"train.callbacks": ["tensor_board"], "train.epochs": 1})
    run = dlspec.run(spec, out=tmp_path / "run")
    assert list((run.folder / "logs" / "train").glob("events*"))
    assert "tensor_board" in (run.folder / "resolved.yaml").read_text(encoding="utf-8")
    assert not dlspec.validate(run.folder / "resolved.yaml")


# --- rules


@pytest.mark.parametrize("scale", ["standard", "min_max", "robust", "none"])
def test_a_loss_of_numbers_takes_every_scale(scale):
    assert not dlspec.validate(dlspec.load(TINY_TABLE, overrides={"data.scale": scale, "train.loss": "huber"}))


@pytest.mark.parametrize(
    ("text", "settings", "code"),
    [
        (TINY_TABLE, {"train.loss": "poisson"}, "loss-mismatch"),
        (TINY_TABLE, {"train.loss": "binary_crossentropy"}, "loss-mismatch"),
        (TINY_TABLE, {"train.loss": "binary_crossentropy", "data.scale": "min_max"}, "output-mismatch"),
        (TINY_TABLE, {"train.loss": "mape", "data.scale": "min_max"}, "loss-mismatch"),
        (TINY_TABLE, {"train.loss": "poisson", "data.scale": "min_max"}, "output-mismatch"),
        (TINY_TABLE, {"train.loss": "hinge"}, "loss-mismatch"),
        (TINY_IRIS, {"train.loss": "mse"}, "loss-mismatch"),
        (TINY_IRIS, {"train.loss": {"sparse_categorical_crossentropy": {"ignore_class": 3}}}, "out-of-range"),
        (TINY_IRIS, {"train.loss": {"categorical_focal_crossentropy": {"alpha": [1.0, 2.0]}}}, "wrong-value"),
        (TINY_TABLE, {"train.class_weight": "balanced"}, "class-weight-mismatch"),
        (TINY_IRIS, {"train.class_weight": {"setos": 2.0}}, "unknown-class"),
        (TINY_IRIS, {"train.class_weight": {"setosa": 0.0}}, "wrong-value"),
        (TINY_IRIS, {"train.class_weight": "even"}, "wrong-value"),
        (TINY_IRIS, {"train.class_weight": "balanced", "train.loss": "dice"}, "class-weight-mismatch"),
        (TINY_IRIS, {"train.gradient_clipping": {"norm": 1.0, "value": 1.0}}, "wrong-value"),
        (TINY_IRIS, {"train.gradient_clipping": {}}, "wrong-value"),
        (
            TINY_IRIS,
            {"train.gradient_clipping": {"norm": 1.0}, "train.optimizer": {"adam": {"clipvalue": 1.0}}},
            "clipped-twice",
        ),
        (
            TINY_IRIS,
            {"train.schedule": "cosine_decay", "train.callbacks": ["reduce_lr_on_plateau"]},
            "learning-rate-set-twice",
        ),
        (TINY_IRIS, {"train.schedule": {"cosine_decay": {"warmup_steps": 3}}}, "missing-key"),
        (
            TINY_IRIS,
            {"train.schedule": {"piecewise_constant_decay": {"boundaries": [1], "values": [0.1, 0.2]}}},
            "wrong-value",
        ),
        (
            TINY_IRIS,
            {"train.callbacks": ["reduce_lr_on_plateau"], "data.split": {"validation": 0.0}},
            "nothing-to-monitor",
        ),
        (TINY_IRIS, {"train.callbacks": ["swap_ema_weights"]}, "nothing-to-swap"),
        (TINY_IRIS, {"train.callbacks": ["tensor_board", "tensor_board"]}, "repeated-name"),
        (TINY_IRIS, {"train.callbacks": [{"tensor_board": {"log_dir": "../elsewhere"}}]}, "wrong-value"),
        (TINY_IRIS, {"train.callbacks": [{"tensor_board": {"log_dir": "/tmp/elsewhere"}}]}, "wrong-value"),
        (TINY_IRIS, {"train.callbacks": [{"tensor_board": {"log_dir": "model.keras"}}]}, "wrong-value"),
        (TINY_IRIS, {"train.callbacks": [{"tensor_board": {"log_dir": "checkpoints/latest.npz"}}]}, "wrong-value"),
        (
            TINY_IRIS,
            {"train.callbacks": [{"tensor_board": {"embeddings_freq": 1, "embeddings_metadata": {"no": "a.tsv"}}}]},
            "unknown-layer-name",
        ),
        (TINY_IRIS, {"train.callbacks": ["model_checkpoint"]}, "unknown-callback"),
        (TINY_IRIS, {"train.early_stopping": {}, "train.optimizer": {"sgd": {"use_ema": True}}}, "average-not-used"),
        (TINY_IRIS, {"evaluate.metrics": ["accuracy", "accuracy"]}, "repeated-name"),
        (TINY_IRIS, {"evaluate.metrics": ["hinge"]}, "metric-mismatch"),
        (TINY_IRIS, {"evaluate.metrics": ["mase"]}, "metric-mismatch"),
        (
            TINY_IRIS,
            {"model.0": {"conv1d": {"filters": 3, "kernel_size": 1, "kernel_initializer": "identity"}}},
            "part-mismatch",
        ),
        (TINY_IRIS, {"model.0": {"dense": {"units": 3, "kernel_initializer": "stft"}}}, "part-mismatch"),
        (TINY_IRIS, {"model.0": {"dense": {"units": 3, "bias_initializer": "identity"}}}, "wrong-value"),
        (
            TINY_IRIS,
            {"model.0": {"dense": {"units": 3, "bias_regularizer": "orthogonal_regularizer"}}},
            "part-mismatch",
        ),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_found_before_training(text, settings, code):
    found = codes(text, **settings)
    assert code in [each for each, _ in found], found
    assert all(not (help or "").endswith(".") for _, help in found)


def test_a_wrong_setting_of_several_types_is_one_mistake():
    for settings in (
        {"train.callbacks": [{"tensor_board": {"update_freq": "often"}}]},
        {"train.loss": {"dice": {"axis": "all"}}},
        {"train.class_weight": 3},
    ):
        assert len(codes(TINY_IRIS, **settings)) == 1


def test_names_of_elsewhere_are_answered_with_the_right_one():
    assert codes(TINY_IRIS, **{"train.loss": "mean_squared_error"}) == [("unknown-loss", "write `mse`")]
    assert codes(TINY_IRIS, **{"evaluate.metrics": ["f1"]}) == [("unknown-metric", "write `f1_score`")]
    assert codes(TINY_IRIS, **{"train.callbacks": ["tensorboard"]}) == [("unknown-callback", "write `tensor_board`")]
