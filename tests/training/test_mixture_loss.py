"""Training by likelihood: the loss is that of scipy in every engine, and a run that was stopped goes on."""

import numpy as np
import pytest
from scipy.stats import norm

from dlspec.training.mixture_loss import NegativeLogLikelihood
from dlspec.training.values import as_array
from tests.trained import StopAfter, Training, same, trained

SPEC = """\
dlspec: 1
name: mixtures
seed: 3
data: {dataset: diabetes, split: {test: 0.2, validation: 0.2}}
model:
  - dense: {units: 8, activation: tanh, name: seen}
  - output: {mixture: 3}
train: {epochs: 3, batch_size: 37}
"""
COUNT, BATCH = 43, 8  # the last batch of an epoch is smaller


def by_scipy(truth, found):
    """Minus the logarithm of the density of each sample, the mean over numbers."""
    weights, means, deviations = np.split(found.astype("float64"), 3, axis=-1)
    density = (weights * norm.pdf(truth[..., None], means, deviations)).sum(axis=-1)
    return -np.log(density).mean(axis=-1)


def mixtures(random, *shape, components=3):
    weights = random.dirichlet(np.ones(components), shape)
    means, deviations = random.normal(size=(*shape, components)), random.uniform(0.1, 2, (*shape, components))
    return np.concatenate([weights, means, deviations], axis=-1).astype("float32")


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_the_loss_is_that_of_its_definition(reduction):
    random = np.random.default_rng(0)
    truth, weights = random.normal(size=(9, 2)).astype("float32"), random.uniform(0.2, 2, 9)
    found = mixtures(random, 9, 2)
    each = by_scipy(truth, found)
    divided = {"sum_over_batch_size": 9, "sum": 1, "mean_with_sample_weight": weights.sum()}[reduction]
    loss = NegativeLogLikelihood(reduction=reduction)
    assert float(loss(truth, found, sample_weight=weights)) == pytest.approx((each * weights).sum() / divided, rel=1e-5)


@pytest.mark.parametrize("truth", [0.0, 40.0, -1e4, 1e8, 1e20, -3e38])
@pytest.mark.parametrize("weight", [0.0, 1e-38, 0.5, 1.0])
@pytest.mark.parametrize("deviation", [1e-3, 1.0, 1e6])
def test_far_values_have_a_loss_and_a_gradient_that_are_numbers(truth, weight, deviation):
    import tensorflow as tf

    found = tf.constant([[[weight, 1 - weight, 0.0, 2.0, deviation, 0.5]]], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(found)
        loss = NegativeLogLikelihood()(tf.constant([[truth]], tf.float32), found)
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, found).numpy()).all()


def network():
    """As dlspec builds it; the same layers in plain Keras are those of `by_hand`."""
    import keras

    from dlspec.model.mixtures import mixture_parameters

    keras.utils.set_random_seed(5)
    given = keras.Input((6,))
    values = keras.layers.Dense(18)(keras.layers.Dense(5, activation="tanh")(given))
    model = keras.Model(given, mixture_parameters(values, 3))
    model.compile(keras.optimizers.Adam(0.01), NegativeLogLikelihood())
    model.optimizer.build(model.trainable_variables)
    return model


def by_hand():
    """A plain Keras model with a loss of its own: the outputs are logits, means and what softplus takes."""
    import keras
    import tensorflow as tf

    def loss(truth, values):
        logits, means, raw = tf.split(tf.reshape(values, (-1, 2, 9)), 3, axis=-1)
        deviations = tf.nn.softplus(raw) + 1e-3
        logs = -0.5 * ((truth[..., None] - means) / deviations) ** 2 - tf.math.log(deviations) - 0.5 * np.log(2 * np.pi)
        return -tf.reduce_mean(tf.reduce_logsumexp(tf.nn.log_softmax(logits) + logs, axis=-1), axis=-1)

    keras.utils.set_random_seed(5)
    given = keras.Input((6,))
    model = keras.Model(given, keras.layers.Dense(18)(keras.layers.Dense(5, activation="tanh")(given)))
    model.compile(keras.optimizers.Adam(0.01), loss)
    return model


@pytest.mark.everyday("True-compiled", "False-by hand")
@pytest.mark.parametrize("way", ["step by step", "runs", "compiled", "by hand"])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_engine_makes_the_weights_of_a_plain_keras_model(way, weighted):
    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.choice import make_engine

    random = np.random.default_rng(2)
    x, y = random.normal(size=(COUNT, 6)).astype("float32"), random.normal(size=(COUNT, 2)).astype("float32")
    weights = random.uniform(0.2, 2, COUNT).astype("float32") if weighted else None
    wanted, model = by_hand(), network()
    wanted.fit(x, y, BATCH, shuffle=False, verbose=0, sample_weight=weights)
    if way == "by hand":
        model.fit(x, y, BATCH, shuffle=False, verbose=0, sample_weight=weights)
    else:
        if way == "step by step":
            engine = StepByStep(model, x, y, weights, BATCH)
        else:
            engine = make_engine(model, x, y, weights, BATCH, compiled=way == "compiled")
        engine.run(np.arange(COUNT), 0, -(-COUNT // BATCH))
        each = by_scipy(y, as_array(model(x)))
        own = np.ones(COUNT) if weights is None else weights / weights.mean()
        assert engine.loss(x, y, 16, weights=own.astype("float32")) == pytest.approx((each * own).mean(), rel=1e-4)
    for one, other in zip(wanted.weights, model.weights, strict=True):
        np.testing.assert_allclose(as_array(other), as_array(one), atol=2e-5)


def test_the_held_out_loss_is_of_scaled_values_and_the_metric_of_their_own_units():
    from dlspec.evaluation.mixtures import log_density

    training, _, history = trained(SPEC)
    part, data = training.data.validation, training.data
    outputs = as_array(training.network(part.inputs))
    each = by_scipy(np.asarray(part.targets), outputs)
    assert history[-1].val_loss == pytest.approx(each.mean(), rel=1e-4)
    assert history[-1].loss < history[0].loss
    likelihood = log_density(np.asarray(part.truth), data.to_units(outputs, part)).mean()
    scale = data.preprocessing.target.scale[0]
    assert likelihood == pytest.approx(-each.mean() + np.log(scale), rel=1e-5)


@pytest.mark.parametrize("xla", ["off", pytest.param("on", marks=pytest.mark.slow)])
@pytest.mark.parametrize("steps", [pytest.param(1, marks=pytest.mark.slow), 12])
def test_stopped_and_continued_is_the_same_to_the_last_bit(one_step_at_a_time, steps, xla):
    _, weights, history = trained(SPEC, **{"runtime.xla": xla})
    stopped = Training(SPEC, **{"runtime.xla": xla})
    assert stopped.run(StopAfter(steps)) == (None, None)
    again, rows = Training(SPEC, **{"runtime.xla": xla}).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
    assert [(row.loss, row.val_loss) for row in rows] == [(row.loss, row.val_loss) for row in history]


@pytest.mark.everyday(1)
@pytest.mark.parametrize("components", [1, 3])
def test_supervised_pretraining_learns_mixtures_too(components):
    text = SPEC.replace("train:", "pretrain: {method: supervised, epochs: 4}\ntrain:")
    _, history = Training(text.replace("mixture: 3", f"mixture: {components}")).run()
    stage = [row for row in history if not row.stage.startswith("fine_tune")]
    assert len(stage) == 4
    assert stage[-1].loss < stage[0].loss


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_learns_without_nan(precision):
    _, history = Training(SPEC, **{"runtime.precision": precision}).run()
    assert all(np.isfinite([row.loss, row.val_loss]).all() for row in history)
    assert history[-1].loss < history[0].loss
