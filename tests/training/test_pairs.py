"""Losses that compare samples: equal to loops over all pairs and triplets in every engine, and the weights of `output`
that are computed after training."""

from dataclasses import replace
from itertools import product

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize, special

from dlspec.data.preparation import generator
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.training.fitted_output import best_factor, class_means, fit_output, logistic, network_below
from dlspec.training.pair_losses import Contrastive, Triplet
from dlspec.training.values import as_array
from tests.trained import StopAfter, Training, same, trained

MININGS, DISTANCES = ("semi_hard", "hard", "all"), ("squared_euclidean", "euclidean")
TRIPLETS = """\
dlspec: 1
name: triplets
seed: 3
data: {dataset: iris, split: {test: 0.2, validation: 0.2}}
model:
  - dense: {units: 8, activation: tanh}
  - dense: {units: 3, name: code}
  - unit_normalization: {name: unit}
  - output
train: {loss: {triplet: {margin: 0.3}}, epochs: 4, batch_size: 25}
"""
PAIRS = """\
dlspec: 1
name: pairs
seed: 3
data: {dataset: {digit_pairs: {samples: 240}}, scale: min_max}
model:
  inputs: {one: left, other: right}
  layers:
    - flatten: {from: one, name: row}
    - dense: {units: 6, name: code}
    - shared: {layers: [row, code], from: other}
    - distance: {from: [code, code_again], name: apart}
    - output
train: {loss: contrastive, epochs: 4, batch_size: 32, optimizer: {adam: 0.01}}
"""
COUNT, BATCH = 43, 8  # the last batch of an epoch is smaller


def contrastive_by_hand(labels, distances, margin, same=1):
    return [d**2 if y == same else max(0.0, margin - d) ** 2 for y, d in zip(labels, distances, strict=True)]


def triplets_by_hand(labels, codes, margin, mining, distance):
    """The mean over the triplets that count, by loops over all of them; 0 where there is none."""

    def apart(a, b):
        squared = float(((codes[a] - codes[b]) ** 2).sum())
        return squared if distance == "squared_euclidean" else squared**0.5

    every, losses = range(len(labels)), []
    for a in every:
        positives = [p for p in every if p != a and labels[p] == labels[a]]
        negatives = [n for n in every if labels[n] != labels[a]]
        if not positives or not negatives:
            continue
        if mining == "hard":
            hardest = max(apart(a, p) for p in positives) - min(apart(a, n) for n in negatives)
            losses.append(max(0.0, margin + hardest))
            continue
        for p in positives:
            if mining == "all":
                losses += [max(0.0, margin + apart(a, p) - apart(a, n)) for n in negatives]
                continue
            beyond = [apart(a, n) for n in negatives if apart(a, n) > apart(a, p)]
            chosen = min(beyond) if beyond else max(apart(a, n) for n in negatives)
            losses.append(max(0.0, margin + apart(a, p) - chosen))
    return float(np.mean(losses)) if losses else 0.0


def semi_hard_as_in_addons(labels, codes, margin):
    """`triplet_semihard_loss` of TensorFlow Addons with squared distances, written out."""
    squared = np.maximum(((codes[:, None] - codes[None]) ** 2).sum(-1), 0)
    adjacency = labels[:, None] == labels[None]
    size = len(labels)
    tiled = np.tile(squared, (size, 1))
    mask = np.tile(~adjacency, (size, 1)) & (tiled > squared.T.reshape(-1, 1))
    final = (mask.sum(1, keepdims=True) > 0).reshape(size, size).T

    def masked(data, mask, least):
        ends = data.max(1, keepdims=True) if least else data.min(1, keepdims=True)
        moved = (data - ends) * mask
        return (moved.min(1, keepdims=True) if least else moved.max(1, keepdims=True)) + ends

    outside = masked(tiled, mask, True).reshape(size, size).T
    inside = np.tile(masked(squared, ~adjacency, False), (1, size))
    positives = adjacency.astype(float) - np.eye(size)
    loss = margin + squared - np.where(final, outside, inside)
    return np.maximum(loss * positives, 0).sum() / positives.sum()


def test_the_contrastive_loss_is_that_of_its_definition():
    random = np.random.default_rng(0)
    labels, distances = random.integers(0, 2, 20), random.uniform(0, 2, 20)
    weights = random.uniform(0.2, 2, 20)
    for margin, alike in product((0.5, 1.5), (0, 1)):
        each = contrastive_by_hand(labels, distances, margin, alike)
        loss = Contrastive(margin, same=alike)
        given = labels[:, None].astype("float32"), distances[:, None].astype("float32")
        assert float(loss(*given)) == pytest.approx(np.mean(each), rel=1e-5)
        assert float(loss(labels, given[1], weights)) == pytest.approx(np.mean(each * weights), rel=1e-5)


@pytest.mark.parametrize(("mining", "distance"), [*product(MININGS, DISTANCES)])
def test_the_triplet_loss_is_that_of_loops(mining, distance):
    random = np.random.default_rng(1)
    for size, classes, units in product((1, 2, 5, 12), (1, 2, 4), (1, 3)):
        labels = random.integers(0, classes, size)
        codes = random.normal(size=(size, units)).astype("float32")
        loss = Triplet(0.7, mining, distance)
        wanted = triplets_by_hand(labels, codes, 0.7, mining, distance)
        assert float(loss(labels.astype("int32"), codes)) == pytest.approx(wanted, rel=1e-4, abs=1e-6)
        assert float(loss(labels[:, None].astype("float32"), codes)) == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_semi_hard_triplets_are_those_of_addons():
    random = np.random.default_rng(2)
    for _ in range(20):
        labels, codes = random.integers(0, 3, 14), random.normal(size=(14, 4))
        found = float(Triplet(0.5, dtype="float64")(labels, codes))
        assert found == pytest.approx(semi_hard_as_in_addons(labels, codes, 0.5), rel=1e-9)


@pytest.mark.parametrize(("mining", "distance"), [*product(MININGS, DISTANCES)])
def test_gradients_are_finite_differences(mining, distance):
    random = np.random.default_rng(3)
    labels, codes = random.integers(0, 3, 9), random.normal(size=(9, 2))
    loss = Triplet(0.8, mining, distance, dtype="float64")
    at = tf.Variable(codes, dtype="float64")
    with tf.GradientTape() as tape:
        value = loss(labels, at)
    found = np.asarray(tape.gradient(value, at))
    for i, j in product(range(9), range(2)):
        moved = [codes + sign * 1e-6 * (np.arange(18) == 2 * i + j).reshape(9, 2) for sign in (1, -1)]
        slope = (float(loss(labels, moved[0])) - float(loss(labels, moved[1]))) / 2e-6
        assert found[i, j] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize(("mining", "distance"), [*product(MININGS, DISTANCES)])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 1, 2, 3], [0, 0, 0, 0]])
def test_equal_codes_and_batches_without_triplets_have_finite_gradients(mining, distance, labels):
    codes = tf.Variable([[1.0, 1.0]] * 4)
    with tf.GradientTape() as tape:
        value = Triplet(0.2, mining, distance)(np.array(labels), codes)
    there = len(set(labels)) == 2
    assert float(value) == pytest.approx(0.2 if there else 0.0)
    gradient = tape.gradient(value, codes)
    assert np.isfinite(np.asarray(gradient)).all()


def test_codes_in_16_bits_are_compared_in_32():
    random = np.random.default_rng(4)
    labels, codes = random.integers(0, 40, 60) + 3000, random.normal(size=(60, 3)).astype("float16")
    found = Triplet(0.5)(labels, tf.constant(codes))
    wanted = triplets_by_hand(labels, codes.astype("float64"), 0.5, "semi_hard", "squared_euclidean")
    assert found.dtype == "float32"
    assert float(found) == pytest.approx(wanted, rel=1e-4)


def ours(loss):
    keras.utils.set_random_seed(5)
    given = keras.Input((6,))
    codes = keras.layers.Dense(3, use_bias=False)(keras.layers.Dense(5, activation="tanh")(given))
    model = keras.Model(given, codes)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.everyday(2)
@pytest.mark.parametrize("way", ["step by step", "runs", "compiled"])
@pytest.mark.parametrize("mining", MININGS)
def test_every_engine_makes_the_weights_of_fit(way, mining):
    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.choice import make_engine

    random = np.random.default_rng(2)
    x, y = random.normal(size=(COUNT, 6)).astype("float32"), random.integers(0, 3, COUNT).astype("int32")
    wanted, model = ours(Triplet(0.5, mining)), ours(Triplet(0.5, mining))
    wanted.fit(x, y, BATCH, shuffle=False, verbose=0)
    if way == "step by step":
        engine = StepByStep(model, x, y, None, BATCH)
    else:
        engine = make_engine(model, x, y, None, BATCH, compiled=way == "compiled")
    engine.run(np.arange(COUNT), 0, -(-COUNT // BATCH))
    for one, other in zip(wanted.weights, model.weights, strict=True):
        np.testing.assert_allclose(as_array(other), as_array(one), atol=2e-5)
    codes = as_array(model(x))
    batches = [triplets_by_hand(y[i : i + 16], codes[i : i + 16], 0.5, mining, DISTANCES[0]) for i in (0, 16, 32)]
    assert engine.loss(x, y, 16) == pytest.approx(np.average(batches, weights=[16, 16, 11]), rel=1e-4)


# --- training, and the weights of `output`


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def codes_of(training, part, layer):
    network = training.network
    model = keras.Model(network.input, network.get_layer(layer).output)
    return as_array(model(part.inputs)).astype("float64")


def test_the_held_out_loss_is_of_mixed_batches():
    training, _, history = trained(TRIPLETS)
    part = training.data.validation
    order = generator(3, "validation").permutation(len(part))
    codes, truth = codes_of(training, part, "unit")[order], np.asarray(part.truth)[order]
    cuts = [slice(0, 25), slice(25, 50)]
    losses = [triplets_by_hand(truth[cut], codes[cut], 0.3, "semi_hard", DISTANCES[0]) for cut in cuts]
    wanted = np.average(losses, weights=[len(truth[cut]) for cut in cuts])
    assert history[-1].val_loss == pytest.approx(wanted, rel=1e-4)


def test_probabilities_are_those_of_class_means():
    """As by numpy alone, and the factor that fits the validation part as by scipy."""
    training, _, _ = trained(TRIPLETS)
    train, held_out = training.data.train, training.data.validation
    codes, truth = codes_of(training, train, "unit"), np.asarray(train.truth)
    means = np.stack([codes[truth == label].mean(axis=0) for label in range(3)])

    def logits(part):
        return -((codes_of(training, part, "unit")[:, None] - means) ** 2).sum(-1)

    of_held_out, each = logits(held_out), np.arange(len(held_out))
    own = np.eye(3)[np.asarray(held_out.truth)]
    second = np.where(own == 1, -np.inf, of_held_out).argmax(axis=1)  # the likeliest other class
    wanted = (1 - 1 / (len(held_out) + 2)) * own
    wanted[each, second] = 1 / (len(held_out) + 2)

    def log_loss(factor):
        scaled = factor * of_held_out
        return (special.logsumexp(scaled, axis=1) - (wanted * scaled).sum(axis=1)).mean()

    factor = optimize.minimize_scalar(log_loss, bounds=(0.01, 1000), method="bounded", options={"xatol": 1e-6}).x
    found = as_array(training.network(training.data.test.inputs))
    np.testing.assert_allclose(found, softmax(factor * logits(training.data.test)), atol=2e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    nearest = logits(training.data.test).argmax(axis=1)
    np.testing.assert_array_equal(found.argmax(axis=1), nearest)


def test_probabilities_stay_finite_where_all_samples_are_told_rightly():
    """Of so many samples the error that one more would make: the odds against the next class are their number."""
    logits = np.tile([[0.0, -2.0, -50.0]], (30, 1))
    factor = best_factor(logits, np.zeros(30, int), None)
    assert np.exp(2 * factor) == pytest.approx(31, rel=1e-3)


def test_codes_far_from_zero_keep_their_digits():
    """Squared lengths of 10^8 would leave float32 no digit of a distance of 1."""
    training, _, _ = trained(TRIPLETS)
    again = Training(TRIPLETS)
    again.run()
    network, data = again.network, again.data
    dense = network.get_layer("code")
    fixed = keras.Model(network.input, keras.layers.Dense(3, name="output_3", activation="softmax")(dense.output + 1e4))
    fit_output(fixed, "output_3", training.spec.train.loss, data)
    moved = as_array(fixed(data.test.inputs))
    plain = keras.Model(network.input, keras.layers.Dense(3, name="plain", activation="softmax")(dense.output))
    fit_output(plain, "plain", training.spec.train.loss, data)
    np.testing.assert_allclose(moved, as_array(plain(data.test.inputs)), atol=0.05)


@pytest.mark.parametrize(("mining", "distance"), [*product(MININGS, DISTANCES)])
@pytest.mark.parametrize("compiled", [False, True])
def test_codes_that_are_no_numbers_make_the_loss_none(mining, distance, compiled):
    loss = Triplet(0.2, mining, distance)
    codes = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    codes[5, 0] = np.nan  # the only sample of its class
    compare = tf.function(loss, jit_compile=compiled)
    assert np.isnan(float(compare(tf.constant([0, 0, 1, 1, 1, 2]), tf.constant(codes))))


def test_two_classes_have_one_unit():
    text = TRIPLETS.replace("dataset: iris", "dataset: spirals")
    training = Training(text)
    training.run()
    train = training.data.train
    codes, truth = codes_of(training, train, "unit"), np.asarray(train.truth)
    means = [codes[truth == label].mean(axis=0) for label in range(2)]
    of_test = codes_of(training, training.data.test, "unit")
    nearer = ((of_test - means[0]) ** 2).sum(1) - ((of_test - means[1]) ** 2).sum(1)
    found = as_array(training.network(training.data.test.inputs))[:, 0]
    logits = np.log(found / (1 - found))
    factor = logits[0] / nearer[0]
    assert factor > 0
    np.testing.assert_allclose(logits, factor * nearer, rtol=1e-3, atol=1e-4)


def test_the_weights_of_output_are_not_trained():
    training = Training(TRIPLETS)
    training.run()
    output = training.network.get_layer("output")
    assert not output.trainable_weights
    assert training.graph["output"].parameters == 12 == sum(weight.size for weight in map(as_array, output.weights))
    assert not any(weight is output.kernel for weight in network_below(training.network, "output").weights)


def test_the_probability_of_a_pair_is_a_logistic_regression_on_its_distance():
    training, _, history = trained(PAIRS)
    held_out = training.data.validation
    x, y = codes_of(training, held_out, "apart")[:, 0], np.asarray(held_out.truth) == 1
    smooth = np.where(y, (y.sum() + 1) / (y.sum() + 2), 1 / ((~y).sum() + 2))

    def log_loss(at):
        logits = at[0] * x + at[1]
        return (np.logaddexp(0, logits) - smooth * logits).sum()

    wanted = optimize.minimize(log_loss, [0.0, 0.0], tol=1e-10).x
    assert wanted[0] < 0
    output = training.network.get_layer("output")
    np.testing.assert_allclose([as_array(output.kernel)[0, 0], as_array(output.bias)[0]], wanted, rtol=1e-3)
    distances = codes_of(training, held_out, "apart")[:, 0]
    each = contrastive_by_hand(np.asarray(held_out.truth), distances, 1.0)
    assert history[-1].val_loss == pytest.approx(np.mean(each), rel=1e-4)


def test_the_class_of_the_same_may_be_the_first():
    """With `no` for the same, near pairs are `no`."""
    training = Training(PAIRS, **{"train.loss": {"contrastive": {"same": "no"}}})
    training.run()
    assert as_array(training.network.get_layer("output").kernel)[0, 0] > 0


def test_distances_that_say_nothing_leave_all_pairs_alike():
    distances, is_same = np.array([1.0, 2.0, 3.0, 4.0] * 5), np.array([False, False, True, True] * 5)
    slope, offset = logistic(distances, is_same, np.ones(20))  # the farther apart, the likelier the same
    assert slope == 0
    assert offset == pytest.approx(0)
    assert logistic(np.ones(20), is_same, np.ones(20))[0] == 0


def test_far_outliers_among_distances_are_finite():
    distances = np.concatenate([np.linspace(0, 1, 2000), [1e6, 1e9]])
    found = logistic(distances, distances < 0.5, np.ones(2002))
    assert np.isfinite(found).all()
    assert found[0] < 0


def test_a_network_that_ends_in_no_numbers_has_no_output():
    training = Training(TRIPLETS)
    training.run()
    training.network.get_layer("code").bias.assign([np.nan] * 3)
    with pytest.raises(TrainingError, match="what the trained network gives to `output` is no finite number"):
        fit_output(training.network, "output", training.spec.train.loss, training.data)


def test_distances_that_part_the_classes_keep_finite_weights():
    distances = np.concatenate([np.full(30, 0.1), np.full(30, 2.0)])
    slope, offset = logistic(distances, distances < 1, np.ones(60))
    assert np.isfinite([slope, offset]).all()
    assert 1 / (1 + np.exp(-(0.1 * slope + offset))) == pytest.approx(31 / 32, rel=1e-3)


def test_weights_of_pairs_count_as_often_as_they_say():
    random = np.random.default_rng(0)
    x = random.uniform(0, 2, 40)
    y = random.uniform(size=40) < 1 / (1 + np.exp(3 * (x - 1)))
    counts = random.integers(1, 4, 40)
    often = logistic(np.repeat(x, counts), np.repeat(y, counts), np.ones(counts.sum()))

    def log_loss(at):  # as by weights, with the truths of so many pairs
        logits = at[0] * x + at[1]
        many, few = counts[y].sum(), counts[~y].sum()
        smooth = np.where(y, (many + 1) / (many + 2), 1 / (few + 2))
        return (counts * (np.logaddexp(0, logits) - smooth * logits)).sum()

    np.testing.assert_allclose(often, optimize.minimize(log_loss, [0.0, 0.0], tol=1e-10).x, rtol=1e-3)


def test_a_class_without_training_samples_is_never_the_nearest():
    training, _, _ = trained(TRIPLETS)
    train = training.data.train
    codes, truth = codes_of(training, train, "unit"), np.minimum(np.asarray(train.truth), 1)
    means = class_means(codes, replace(train, truth=truth), 3)
    assert (((codes[:, None] - means) ** 2).sum(-1).argmin(axis=1) < 2).all()


def test_sample_weights_count_in_class_means():
    training, _, _ = trained(TRIPLETS)
    train = training.data.train
    counts = np.random.default_rng(0).integers(1, 4, len(train))
    codes = codes_of(training, train, "unit")
    weighted = class_means(codes, replace(train, weights=counts.astype("float64")), 3)
    repeated = np.repeat(codes, counts, axis=0), np.repeat(np.asarray(train.truth), counts)
    wanted = [repeated[0][repeated[1] == label].mean(axis=0) for label in range(3)]
    np.testing.assert_allclose(weighted, wanted, rtol=1e-6)


@pytest.mark.parametrize("text", [TRIPLETS, PAIRS], ids=["triplet", "contrastive"])
def test_early_stopping_leaves_the_output_of_the_best_weights(text):
    training = Training(text, **{"train.early_stopping": {"patience": 1}, "train.optimizer": {"sgd": 3.0}})
    weights, history = training.run()
    best = min(range(len(history)), key=lambda i: history[i].val_loss)
    assert best < len(history) - 1
    fit_output(training.network, "output", training.spec.train.loss, training.data)
    assert same(weights, [as_array(weight) for weight in training.network.weights])


@pytest.mark.parametrize("text", [TRIPLETS, PAIRS], ids=["triplet", "contrastive"])
@pytest.mark.parametrize("xla", ["off", pytest.param("on", marks=pytest.mark.slow)])
@pytest.mark.parametrize("steps", [pytest.param(1, marks=pytest.mark.slow), 9])
def test_stopped_and_continued_is_the_same_to_the_last_bit(one_step_at_a_time, text, steps, xla):
    _, weights, history = trained(text, **{"runtime.xla": xla})
    stopped = Training(text, **{"runtime.xla": xla})
    assert stopped.run(StopAfter(steps)) == (None, None)
    again, rows = Training(text, **{"runtime.xla": xla}).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
    assert [(row.loss, row.val_loss) for row in rows] == [(row.loss, row.val_loss) for row in history]


@pytest.mark.parametrize("text", [TRIPLETS, PAIRS], ids=["triplet", "contrastive"])
def test_stopped_behind_the_last_step_the_output_is_computed_anew(text):
    training, weights, _ = trained(text)
    again, _ = Training(text).run(checkpoint=training.saved[-1])
    assert same(weights, again)


def test_frozen_layers_that_thaw_are_trained_by_triplets():
    text = TRIPLETS.replace(
        "train:", "pretrain: {method: autoencoder, layers: [dense_1], then: freeze, thaw_after: 2, epochs: 1}\ntrain:"
    )
    training = Training(text)
    _, history = training.run()
    assert [row.stage for row in history] == ["pretrain:dense_1", *["fine_tune:frozen"] * 2, *["fine_tune"] * 2]
    assert as_array(training.network.get_layer("output").kernel).any()


def test_without_a_validation_part_the_training_part_fits_the_output():
    for text in (
        TRIPLETS.replace("validation: 0.2", "validation: 0"),
        PAIRS.replace("scale", "split: {validation: 0}, scale"),
    ):
        training = Training(text)
        _, history = training.run()
        assert history[-1].val_loss is None
        assert as_array(training.network.get_layer("output").kernel).any()
