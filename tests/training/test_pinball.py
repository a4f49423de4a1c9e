"""Training by pinball loss: the loss is that of its definition in every engine, and a run that was stopped goes on."""

import numpy as np
import pytest

from dlspec.training.pinball_loss import Pinball
from dlspec.training.values import as_array
from tests.trained import StopAfter, Training, same, trained

LEVELS = (0.1, 0.5, 0.9)
SPEC = """\
dlspec: 1
name: quantiles
seed: 3
data: {dataset: diabetes, split: {test: 0.2, validation: 0.2}}
model:
  - dense: {units: 8, activation: tanh, name: seen}
  - output: {quantiles: [0.1, 0.5, 0.9]}
train: {epochs: 3, batch_size: 37}
"""
COUNT, BATCH = 43, 8  # the last batch of an epoch is smaller


def by_hand(truth, found, levels):
    """The mean over quantiles and numbers, of each sample."""
    total = np.zeros(len(truth))
    for place, level in enumerate(levels):
        error = truth - found[..., place]
        total += np.where(error >= 0, level * error, (level - 1) * error).mean(axis=1)
    return total / len(levels)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_the_loss_is_that_of_its_definition(reduction):
    random = np.random.default_rng(0)
    truth, weights = random.normal(size=(9, 2)), random.uniform(0.2, 2, 9)
    found = np.sort(random.normal(size=(9, 2, 3)), axis=-1)
    each = by_hand(truth, found, LEVELS)
    divided = {"sum_over_batch_size": 9, "sum": 1, "mean_with_sample_weight": weights.sum()}[reduction]
    loss = Pinball(LEVELS, reduction=reduction)
    given = truth.astype("float32"), found.astype("float32")
    assert float(loss(*given, sample_weight=weights)) == pytest.approx((each * weights).sum() / divided, rel=1e-5)


def test_it_is_smallest_at_the_quantile():
    truth = np.random.default_rng(1).gamma(2, size=(4001, 1)).astype("float32")
    tried = np.linspace(0, 6, 301)
    for level in (0.1, 0.5, 0.8):
        loss = Pinball([level])
        losses = [float(loss(truth, np.full((len(truth), 1, 1), value, "float32"))) for value in tried]
        assert tried[np.argmin(losses)] == pytest.approx(np.quantile(truth, level), abs=0.04)


def ours():
    import keras

    from dlspec.model.quantiles import ascending

    keras.utils.set_random_seed(5)
    given = keras.Input((6,))
    values = keras.layers.Dense(6)(keras.layers.Dense(5, activation="tanh")(given))
    model = keras.Model(given, ascending(values, 3))
    model.compile(keras.optimizers.Adam(0.01), Pinball(LEVELS))
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.everyday("True-compiled")
@pytest.mark.parametrize("way", ["step by step", "runs", "compiled"])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_engine_makes_the_weights_of_fit(way, weighted):
    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.choice import make_engine

    random = np.random.default_rng(2)
    x, y = random.normal(size=(COUNT, 6)).astype("float32"), random.normal(size=(COUNT, 2)).astype("float32")
    weights = random.uniform(0.2, 2, COUNT).astype("float32") if weighted else None
    wanted, model = ours(), ours()
    wanted.fit(x, y, BATCH, shuffle=False, verbose=0, sample_weight=weights)
    if way == "step by step":
        engine = StepByStep(model, x, y, weights, BATCH)
    else:
        engine = make_engine(model, x, y, weights, BATCH, compiled=way == "compiled")
    engine.run(np.arange(COUNT), 0, -(-COUNT // BATCH))
    for one, other in zip(wanted.weights, model.weights, strict=True):
        np.testing.assert_allclose(as_array(other), as_array(one), atol=2e-5)
    each = by_hand(y, as_array(model(x)), LEVELS)
    own = np.ones(COUNT) if weights is None else weights / weights.mean()
    assert engine.loss(x, y, 16, weights=own.astype("float32")) == pytest.approx((each * own).mean(), rel=1e-4)


def test_the_held_out_loss_is_of_scaled_values():
    training, _, history = trained(SPEC)
    part = training.data.validation
    each = by_hand(np.asarray(part.targets), as_array(training.network(part.inputs)), LEVELS)
    assert history[-1].val_loss == pytest.approx(each.mean(), rel=1e-4)
    assert history[-1].loss < history[0].loss


@pytest.mark.parametrize("xla", ["off", pytest.param("on", marks=pytest.mark.slow)])
@pytest.mark.parametrize("steps", [pytest.param(1, marks=pytest.mark.slow), 12])
def test_stopped_and_continued_is_the_same_to_the_last_bit(one_step_at_a_time, steps, xla):
    _, weights, history = trained(SPEC, **{"runtime.xla": xla})
    stopped = Training(SPEC, **{"runtime.xla": xla})
    assert stopped.run(StopAfter(steps)) == (None, None)
    again, rows = Training(SPEC, **{"runtime.xla": xla}).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
    assert [(row.loss, row.val_loss) for row in rows] == [(row.loss, row.val_loss) for row in history]


def test_supervised_pretraining_learns_quantiles_too():
    text = SPEC.replace("train:", "pretrain: {method: supervised, epochs: 4}\ntrain:")
    _, history = Training(text).run()
    stage = [row for row in history if not row.stage.startswith("fine_tune")]
    assert len(stage) == 4
    assert stage[-1].loss < stage[0].loss
