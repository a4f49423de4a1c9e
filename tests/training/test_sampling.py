"""A network with `sampling` is the variational autoencoder that one writes by hand."""

from functools import cache

import numpy as np
import pytest

import dlspec
from dlspec.training.values import as_array
from tests.trained import StopAfter, Training, same

COUNT, VALUES, CODE, BATCH = 43, 6, 2, 8  # the last batch of an epoch is smaller
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(COUNT, VALUES)).astype("float32")
WEIGHTS = RANDOM.uniform(0.2, 2, COUNT).astype("float32")
HELD_OUT = RANDOM.uniform(size=(20, VALUES)).astype("float32")
KL = 0.7

SPEC = """\
dlspec: 1
name: vae
seed: 3
data: {dataset: digits, scale: min_max, target: input, split: {test: 0.3, validation: 0.2}}
model:
  - flatten
  - dense: {units: 24, activation: relu, name: seen}
  - dense: {units: 2, name: mean}
  - dense: {units: 2, name: log_var, from: seen}
  - sampling: {from: [mean, log_var], name: code}
  - dense: {units: 24, activation: relu}
  - output
train: {epochs: 3, batch_size: 50}
"""


def normal_density(x, mean, variance):
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def test_the_divergence_is_the_integral_of_its_definition():
    from dlspec.model.sampling_layer import divergences

    mean, log_var = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(5, 3)) - 1
    x = np.linspace(-12, 12, 40_001)
    own, prior = normal_density(x, mean[..., None], np.exp(log_var)[..., None]), normal_density(x, 0, 1)
    integral = np.trapezoid(own * (np.log(own + 1e-300) - np.log(prior)), x, axis=-1)
    assert as_array(divergences(mean, log_var)) == pytest.approx(integral.sum(axis=1), rel=1e-4)


def test_masked_timesteps_have_no_divergence():
    from dlspec.model.sampling_layer import divergences

    mean, log_var = RANDOM.normal(size=(2, 4, 3)), RANDOM.normal(size=(2, 4, 3))
    mask = np.array([[True, True, False, False], [True] * 4])
    found = as_array(divergences(mean, log_var, mask))
    assert found[0] == pytest.approx(as_array(divergences(mean[:1, :2], log_var[:1, :2]))[0], rel=1e-5)
    assert found[1] == pytest.approx(as_array(divergences(mean[1:], log_var[1:]))[0], rel=1e-5)


def test_it_draws_in_training_and_gives_the_mean_in_use():
    from dlspec.model.sampling_layer import SamplingLayer

    layer = SamplingLayer(1.0)
    mean = np.tile(np.array([[0.5, -1.0]], "float32"), (20_000, 1))
    log_var = np.tile(np.log(np.array([[0.25, 4.0]], "float32")), (20_000, 1))
    assert np.array_equal(as_array(layer([mean, log_var])), mean)
    drawn = as_array(layer([mean, log_var], training=True))
    assert drawn.mean(axis=0) == pytest.approx([0.5, -1.0], abs=0.05)
    assert drawn.std(axis=0) == pytest.approx([0.5, 2.0], rel=0.03)


def ours(reduction="sum_over_batch_size", loss="squared_error"):
    """A network of dlspec's parts, compiled."""
    import keras

    from dlspec.model.layers import LAYERS
    from dlspec.training.divergence import add_divergence
    from dlspec.training.losses import LOSSES

    keras.utils.set_random_seed(5)
    given = keras.Input((VALUES,))
    seen = keras.layers.Dense(5, activation="tanh", kernel_regularizer="l2")(given)
    mean, log_var = keras.layers.Dense(CODE)(seen), keras.layers.Dense(CODE)(seen)
    sampling = LAYERS.read({"sampling": {"kl": KL, "from": ["mean", "log_var"]}})
    code = sampling.connect(sampling.build("code"), [mean, log_var])
    model = keras.Model(given, keras.layers.Dense(VALUES, activation="sigmoid")(code))
    model.compile(keras.optimizers.Adam(0.01), LOSSES.read({loss: {"reduction": reduction}}).build())
    model.optimizer.build(model.trainable_variables)
    add_divergence(model, reduction, "reconstruction")
    return model


def by_hand(reduction, weighted, loss="squared_error"):
    """Losses of all steps of an epoch, their two parts, the gradients of the first, and weights at the end."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(5)
    dense = [keras.layers.Dense(5, activation="tanh"), *(keras.layers.Dense(CODE) for _ in range(2))]
    noise = keras.random.SeedGenerator()  # made in the order of the network's layers
    dense.append(keras.layers.Dense(VALUES, activation="sigmoid"))
    for layer, size in zip(dense, (VALUES, 5, 5, CODE), strict=True):
        layer.build((None, size))
    model = ours(reduction)  # the same start, whatever the order of draws
    for layer, weights in zip(dense, of_layers(model), strict=True):
        layer.set_weights(weights)
    noise.state.assign(next(layer for layer in model.layers if layer.name == "code").seed_generator.state)
    first, to_mean, to_log_var, last = dense
    variables = [weight for layer in dense for weight in layer.trainable_variables]
    adam = keras.optimizers.Adam(0.01)
    adam.build(variables)
    losses, errors, found, gradients = [], [], [], None
    for rows in np.split(np.arange(COUNT), range(BATCH, COUNT, BATCH)):
        x, own = X[rows], WEIGHTS[rows] if weighted else np.ones(len(rows), "float32")
        with tf.GradientTape() as tape:
            seen = first(x)
            mean, log_var = to_mean(seen), to_log_var(seen)
            drawn = mean + tf.sqrt(tf.exp(log_var)) * keras.random.normal((len(rows), CODE), seed=noise)
            output = last(drawn)
            if loss == "squared_error":
                each = tf.reduce_sum((x - output) ** 2, axis=1)
            else:
                each = -tf.reduce_sum(x * tf.math.log(output) + (1 - x) * tf.math.log(1 - output), axis=1)
            variance = tf.exp(log_var)
            kl = -0.5 * tf.reduce_sum(1 + log_var - mean**2 - variance, axis=1)
            divided = {"sum_over_batch_size": len(rows), "sum": 1.0, "mean_with_sample_weight": own.sum()}[reduction]
            error, divergence = (tf.reduce_sum(values * own) / divided for values in (each, kl))
            total = error + KL * divergence + 0.01 * tf.reduce_sum(first.kernel**2)
        step = tape.gradient(total, variables)
        gradients = gradients or [as_array(value) for value in step]
        adam.apply(step, variables)
        losses.append(float(total))
        errors.append(float(error))
        found.append(float(divergence))
    return np.array(losses), np.array([errors, found]).T, gradients, [as_array(weight) for weight in variables]


def of_layers(model):
    """Weights of the dense layers: first, mean, logarithm of the variance, last."""
    import keras

    return [layer.get_weights() for layer in model.layers if isinstance(layer, keras.layers.Dense)]


def engine(way, reduction="sum_over_batch_size", weighted=False, loss="squared_error"):
    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.choice import make_engine

    model, weights = ours(reduction, loss), WEIGHTS if weighted else None
    if way == "step by step":
        return StepByStep(model, X, X, weights, BATCH)
    return make_engine(model, X, X, weights, BATCH, compiled=way == "compiled")


@pytest.mark.everyday(
    "sum_over_batch_size-False-squared_error-runs",
    "sum_over_batch_size-True-cross_entropy-compiled",
    "mean_with_sample_weight-True-squared_error-step by step",
    "mean_with_sample_weight-True-squared_error-runs",
)
@pytest.mark.parametrize("way", ["step by step", "runs", "compiled"])
@pytest.mark.parametrize(
    ("reduction", "weighted", "loss"),
    [
        ("sum_over_batch_size", False, "squared_error"),
        ("sum_over_batch_size", True, "cross_entropy"),
        pytest.param("sum", True, "squared_error", marks=pytest.mark.slow),
        ("mean_with_sample_weight", True, "squared_error"),
    ],
)
def test_an_epoch_is_that_of_a_network_written_by_hand(reduction, weighted, loss, way):
    found = engine(way, reduction, weighted, loss)
    losses, parts, gradients, weights = by_hand(reduction, weighted, loss)
    if way == "runs":
        for (_, own), wanted in zip(found.gradients(np.arange(COUNT), 0), gradients, strict=True):
            np.testing.assert_allclose(own, wanted, rtol=1e-4, atol=1e-5)
        state = next(layer for layer in found.model.layers if layer.name == "code").seed_generator.state
        state.assign(next(layer for layer in ours().layers if layer.name == "code").seed_generator.state)
    np.testing.assert_allclose(found.run(np.arange(COUNT), 0, len(losses)), losses, rtol=2e-4)
    np.testing.assert_allclose(found.parts_of_steps, parts, rtol=2e-4)
    trained = [weight for layer in of_layers(found.model) for weight in layer]
    for own, wanted in zip(trained, weights, strict=True):
        np.testing.assert_allclose(own, wanted, rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("way", ["step by step", "runs", "compiled"])
def test_what_is_held_out_is_judged_by_the_mean(way):
    found = engine(way)
    own = RANDOM.uniform(0.5, 1.5, len(HELD_OUT)).astype("float32")
    dense = dict(enumerate(of_layers(found.model)))
    seen = np.tanh(HELD_OUT @ dense[0][0] + dense[0][1])
    mean, log_var = (seen @ dense[i][0] + dense[i][1] for i in (1, 2))
    output = 1 / (1 + np.exp(-(mean @ dense[3][0] + dense[3][1])))
    error = (((HELD_OUT - output) ** 2).sum(axis=1) * own).mean()
    divergence = (0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1) * own).mean()
    penalty = 0.01 * (dense[0][0] ** 2).sum()
    for size in (8, 64):
        loss = found.loss(HELD_OUT, HELD_OUT, size, weights=own)
        assert loss == pytest.approx(error + KL * divergence + penalty, rel=1e-4)
        assert found.parts_held_out == pytest.approx([error, divergence], rel=1e-4)


def test_a_built_network_adds_the_divergence_under_fit():
    """`dlspec.build` gives the network without the trainer."""
    model = dlspec.build(SPEC.replace("name: code", "kl: 0.5, name: code"))
    model.compile("sgd", dlspec.load(SPEC).train.loss.build())
    x = RANDOM.uniform(size=(20, 8, 8)).astype("float32")
    found = model.evaluate(x, x.reshape(20, 64), batch_size=20, verbose=0)
    layers = {layer.name: layer.get_weights() for layer in model.layers if layer.get_weights()}
    seen = np.maximum(x.reshape(20, 64) @ layers["seen"][0] + layers["seen"][1], 0)
    mean, log_var = (seen @ layers[name][0] + layers[name][1] for name in ("mean", "log_var"))
    divergence = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1).mean()
    given, truth = as_array(model(x)), x.reshape(20, 64)
    error = -(truth * np.log(given) + (1 - truth) * np.log(1 - given)).sum(axis=1).mean()
    assert found == pytest.approx(error + 0.5 * divergence, rel=1e-4)


@cache
def whole(**overrides):
    training = Training(SPEC, **overrides)
    return (training, *training.run())


def test_the_history_has_both_parts_and_their_sum():
    training, _, history = whole()
    assert training.spec.train.loss.type_name == "cross_entropy"
    for row in history:
        measures = row.measures
        assert list(measures) == ["reconstruction", "divergence", "val_reconstruction", "val_divergence"]
        assert measures["reconstruction"] + measures["divergence"] == pytest.approx(row.loss, rel=1e-5)
        assert measures["val_reconstruction"] + measures["val_divergence"] == pytest.approx(row.val_loss, rel=1e-5)
        assert measures["divergence"] > 0
    assert history[-1].measures["reconstruction"] < history[0].measures["reconstruction"]
    network = training.network
    network.loss_parts.layers[0].kl = 0.0  # the held-out part once more, by Keras's own loss
    held_out = training.data.validation.inputs.reshape(-1, 64)
    truth = np.clip(held_out, 0, 1)
    given = np.clip(as_array(network(training.data.validation.inputs)), 1e-7, 1 - 1e-7)
    error = -(truth * np.log(given) + (1 - truth) * np.log(1 - given)).sum(axis=1).mean()
    assert error == pytest.approx(history[-1].measures["val_reconstruction"], rel=1e-4)


def test_a_factor_counts_in_the_loss_and_not_in_the_column():
    text = SPEC.replace("name: code", "kl: 0.25, name: code")
    _, history = Training(text).run()
    for row in history:
        parts = row.measures
        assert parts["reconstruction"] + 0.25 * parts["divergence"] == pytest.approx(row.loss, rel=1e-5)


def test_the_same_seed_gives_the_same_bits():
    _, weights, history = whole()
    again, repeated = Training(SPEC).run()
    assert same(weights, again)
    assert [(row.loss, row.measures) for row in history] == [(row.loss, row.measures) for row in repeated]


@pytest.mark.parametrize("xla", ["off", pytest.param("on", marks=pytest.mark.slow)])
@pytest.mark.parametrize("steps", [*(pytest.param(n, marks=pytest.mark.slow) for n in (1, 25)), 37])
def test_stopped_and_continued_is_the_same_to_the_last_bit(one_step_at_a_time, steps, xla):
    _, weights, history = whole(**{"runtime.xla": xla})
    stopped = Training(SPEC, **{"runtime.xla": xla})
    assert stopped.run(StopAfter(steps)) == (None, None)
    again, rows = Training(SPEC, **{"runtime.xla": xla}).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
    assert [(row.loss, row.val_loss, dict(row.measures)) for row in rows] == [
        (row.loss, row.val_loss, dict(row.measures)) for row in history
    ]


def test_a_thawed_network_counts_the_divergence_once():
    """It is compiled a second time where layers thaw."""
    text = SPEC.replace("train:", "pretrain: {method: autoencoder, epochs: 1, layers: [seen], then: freeze, "
                        "thaw_after: 1}\ntrain:")  # fmt: skip
    _, history = Training(text).run()
    tuned = [row for row in history if row.stage.startswith("fine_tune")]
    assert len({row.stage for row in tuned}) == 2
    for row in tuned:
        assert row.measures["reconstruction"] + row.measures["divergence"] == pytest.approx(row.loss, rel=1e-5)


def test_held_out_samples_count_by_their_weight(tmp_path):
    random = np.random.default_rng(2)
    rows = np.column_stack([random.normal(size=(120, 3)), random.integers(1, 9, 120)])
    np.savetxt(tmp_path / "rows.csv", rows, "%.6f", ",", header="a,b,c,w", comments="")
    table = f"table: {tmp_path / 'rows.csv'}, features: [a, b, c], weight: w"
    text = SPEC.replace("dataset: digits, scale: min_max", table)
    training = Training(text.replace("  - flatten\n", ""))
    _, history = training.run()
    part = training.data.validation
    weights = part.relative_weights
    assert weights.std() > 0.3
    layers = {layer.name: layer.get_weights() for layer in training.network.layers if layer.get_weights()}
    seen = np.maximum(part.inputs @ layers["seen"][0] + layers["seen"][1], 0)
    mean, log_var = (seen @ layers[name][0] + layers[name][1] for name in ("mean", "log_var"))
    divergence = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    error = ((as_array(training.network(part.inputs)) - part.inputs) ** 2).sum(axis=1)
    measures = history[-1].measures
    assert measures["val_divergence"] == pytest.approx((divergence * weights).mean(), rel=1e-4)
    assert measures["val_reconstruction"] == pytest.approx((error * weights).mean(), rel=1e-4)
    assert measures["val_divergence"] != pytest.approx(divergence.mean(), rel=1e-3), "weights matter"


def test_a_code_below_classes_has_a_divergence_too():
    text = SPEC.replace("target: input, ", "")
    training = Training(text)
    assert training.spec.train.loss.type_name == "sparse_categorical_crossentropy"
    _, history = training.run()
    assert list(history[0].measures) == ["error", "divergence", "val_error", "val_divergence"]


def test_xla_compiles_where_the_noise_can_be_drawn_before():
    from dlspec.training.engines.xla_rule import ways

    long = SPEC.replace("epochs: 3", "epochs: 4000")
    found = ways(dlspec.load(long).runtime, dlspec.plan(dlspec.load(long)))["fine_tune"]
    assert found.compiled, found.why
