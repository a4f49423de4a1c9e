"""Connectionist temporal classification: the loss is that of its definition and of TensorFlow, with its gradient, in
every engine, and a run that was stopped goes on."""

from itertools import groupby, product

import numpy as np
import pytest

from dlspec.model.alignment import NEVER
from dlspec.training.ctc_loss import CTC
from dlspec.training.losses import LOSSES
from dlspec.training.values import as_array
from tests.trained import StopAfter, Training, same, trained

SPEC = """\
dlspec: 1
name: strips
seed: 3
data:
  dataset: {digit_strips: {digits: 2, samples: 120}}
  target: {number: {sequence: characters}}
  scale: min_max
model:
  - permute: [2, 1]
  - conv1d: {filters: 8, kernel_size: 3, padding: same, activation: relu}
  - lstm: {units: 6, return_sequences: true}
  - output
train: {loss: ctc, epochs: 3, batch_size: 37}
"""
COUNT, BATCH = 43, 8  # the last batch of an epoch is smaller


def collapsed(path):
    """What a way says: classes that follow themselves once, and no blanks."""
    return tuple(item for item, _ in groupby(path) if item)


def by_all_ways(logits, text):
    """Minus the logarithm of the sum over all ways to say a text."""
    shares = np.exp(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)))
    steps, classes = shares.shape
    ways = (way for way in product(range(classes), repeat=steps) if collapsed(way) == tuple(text))
    return -np.log(sum(np.prod(shares[range(steps), way]) for way in ways))


def forward(logits, text):
    """The same by the forward algorithm, in float64 (Graves et al., 2006, equations 6 to 8)."""
    shares = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    states = [0, *[each for item in text for each in (item, 0)]]
    alpha = np.full(len(states), -np.inf)
    alpha[0] = 0.0
    for now in shares:
        before = alpha
        alpha = np.full(len(states), -np.inf)
        for place, state in enumerate(states):
            ways = [before[place]]
            if place > 0:
                ways.append(before[place - 1])
            if place > 1 and state and state != states[place - 2]:
                ways.append(before[place - 2])
            alpha[place] = np.logaddexp.reduce(ways) + now[state]
    # nothing may be said before the first timestep but by the first state
    return -np.logaddexp.reduce(alpha[-2:]) if len(states) > 1 else -alpha[-1]


def texts(random, count, most, classes):
    found = [random.integers(1, classes, random.integers(0, most + 1)).tolist() for _ in range(count)]
    return found, np.array([text + [0] * (most - len(text)) for text in found])


def test_it_is_minus_the_logarithm_of_the_sum_over_all_ways():
    random = np.random.default_rng(0)
    for steps, classes in [(1, 2), (4, 3), (5, 4)]:
        logits = random.normal(size=(6, steps, classes)) * 2
        found, padded = texts(random, 6, min(2, steps), classes)
        found[0], padded[0] = [], 0  # blanks alone
        if steps > 3:
            found[1], padded[1] = [1, 1], [1, 1]  # with a blank between
        losses = as_array(CTC(reduction=None)(padded, logits.astype("float32")))
        for own, text, loss in zip(logits, found, losses, strict=True):
            if len(text) + (text == [text[0]] * 2 if text else 0) <= steps:
                assert loss == pytest.approx(by_all_ways(own, text), rel=1e-5, abs=1e-6)
                assert loss == pytest.approx(forward(own, text), rel=1e-5, abs=1e-6)


def test_its_gradient_is_that_of_finite_differences():
    import tensorflow as tf

    random = np.random.default_rng(1)
    logits, (found, padded) = random.normal(size=(4, 7, 5)), texts(random, 4, 3, 5)
    with tf.GradientTape() as tape:
        given = tf.constant(logits.astype("float32"))
        tape.watch(given)
        loss = CTC(reduction="sum")(padded, given)
    gradient, small = tape.gradient(loss, given).numpy(), 1e-5
    for sample, text in enumerate(found):
        for place in np.ndindex(7, 5):
            more, less = logits[sample].copy(), logits[sample].copy()
            more[place] += small
            less[place] -= small
            slope = (forward(more, text) - forward(less, text)) / (2 * small)
            assert gradient[sample][place] == pytest.approx(slope, abs=2e-5)


@pytest.mark.parametrize("compiled", [False, True])
def test_values_and_gradients_are_those_of_tensorflow_also_of_masked_timesteps(compiled):
    """Where the last timesteps say the blank for certain, they are those of shorter samples."""
    import tensorflow as tf

    random = np.random.default_rng(2)
    lengths = random.integers(12, 31, 9)
    logits, (found, padded) = random.normal(size=(9, 30, 12)).astype("float32") * 3, texts(random, 9, 6, 12)
    there = np.arange(30) < lengths[:, None]
    blank = np.where(np.arange(12) == 0, 0.0, NEVER).astype("float32")

    def ours(given):
        return CTC(reduction=None)(padded, tf.where(there[..., None], given, blank))

    def theirs(given):
        return tf.nn.ctc_loss(
            padded.astype("int32"), given, [len(text) for text in found], lengths.astype("int32"),
            logits_time_major=False, blank_index=0,
        )  # fmt: skip

    results = []
    for loss in (ours, theirs):

        def both(given, loss=loss):
            with tf.GradientTape() as tape:
                tape.watch(given)
                values = loss(given)
            return values, tape.gradient(values, given)

        results.append(tf.function(both, jit_compile=compiled, autograph=False)(tf.constant(logits)))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], atol=2e-5)


@pytest.mark.slow
def test_long_texts_stay_numbers():
    import keras
    import tensorflow as tf

    random = np.random.default_rng(3)
    logits = tf.constant(random.normal(size=(2, 400, 20)).astype("float32") * 8)
    padded = random.integers(1, 20, (2, 150))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = CTC(reduction=None)(padded, logits)
    gradient = tape.gradient(loss, logits).numpy()
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient.sum(axis=-1), 0, atol=1e-3)
    np.testing.assert_allclose(loss, keras.losses.CTC(reduction=None)(padded, logits), rtol=1e-5)


def test_texts_are_encoded_as_keras_has_them_without_items_that_nobody_knows():
    truth = np.array([[2, 4, 1, -1], [1, -1, -1, -1], [3, 0, 3, 1], [0, 1, -1, -1]])  # 0: not told apart, 1: the end
    assert LOSSES.read("ctc").encode(truth, 4).tolist() == [[1, 3, 0, 0], [0] * 4, [2, 2, 0, 0], [0] * 4]


def network():
    import keras

    keras.utils.set_random_seed(5)
    given = keras.Input((9, 4))
    states = keras.layers.Dense(8, activation="tanh")(given)
    return keras.Model(given, keras.layers.Dense(5)(states))


@pytest.mark.everyday("True-compiled")
@pytest.mark.parametrize("way", ["step by step", "runs", "compiled"])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_engine_makes_the_weights_of_fit(way, weighted):
    import keras

    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.choice import make_engine

    random = np.random.default_rng(2)
    x = random.normal(size=(COUNT, 9, 4)).astype("float32")
    found, padded = texts(random, COUNT, 3, 5)
    y = padded.astype("int32")
    weights = random.uniform(0.2, 2, COUNT).astype("float32") if weighted else None
    wanted, model = network(), network()
    wanted.compile(keras.optimizers.Adam(0.01), keras.losses.CTC())
    wanted.fit(x, y, BATCH, shuffle=False, verbose=0, sample_weight=weights)
    model.compile(keras.optimizers.Adam(0.01), CTC())
    model.optimizer.build(model.trainable_variables)
    if way == "step by step":
        engine = StepByStep(model, x, y, weights, BATCH)
    else:
        engine = make_engine(model, x, y, weights, BATCH, compiled=way == "compiled")
    engine.run(np.arange(COUNT), 0, -(-COUNT // BATCH))
    for one, other in zip(wanted.weights, model.weights, strict=True):
        np.testing.assert_allclose(as_array(other), as_array(one), atol=5e-5)
    each = np.array([forward(own.astype("float64"), text) for own, text in zip(as_array(model(x)), found, strict=True)])
    own = np.ones(COUNT) if weights is None else weights / weights.mean()
    assert engine.loss(x, y, 16, weights=own.astype("float32")) == pytest.approx((each * own).mean(), rel=1e-4)


def test_the_held_out_loss_is_the_mean_over_texts():
    training, _, history = trained(SPEC)
    part = training.data.validation
    padded = LOSSES.read("ctc").encode(np.asarray(part.truth), 0)
    logits = as_array(training.network(part.inputs)).astype("float64")
    each = [forward(own, [item for item in text if item]) for own, text in zip(logits, padded.tolist(), strict=True)]
    assert history[-1].val_loss == pytest.approx(np.mean(each), rel=1e-4)
    assert history[-1].loss < history[0].loss


@pytest.mark.parametrize("xla", ["off", pytest.param("on", marks=pytest.mark.slow)])
@pytest.mark.parametrize("steps", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_stopped_and_continued_is_the_same_to_the_last_bit(one_step_at_a_time, steps, xla):
    _, weights, history = trained(SPEC, **{"runtime.xla": xla})
    stopped = Training(SPEC, **{"runtime.xla": xla})
    assert stopped.run(StopAfter(steps)) == (None, None)
    again, rows = Training(SPEC, **{"runtime.xla": xla}).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
    assert [(row.loss, row.val_loss) for row in rows] == [(row.loss, row.val_loss) for row in history]


@pytest.mark.slow
def test_layers_in_16_bits_learn_too():
    _, _, history = trained(SPEC, **{"runtime.precision": "mixed_bfloat16", "train.epochs": 8})
    assert history[-1].loss < history[0].loss
    assert np.isfinite([row.val_loss for row in history]).all()
