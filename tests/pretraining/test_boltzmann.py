"""Restricted Boltzmann machines: free energies by counting states, gradients by the rule, and what is learned."""

import itertools

import numpy as np
import pytest

from dlspec.pretraining.rbm import RBM
from dlspec.training.values import as_array
from tests.pretraining.places import place_of, sigmoid, stage_model, train

BINARY = np.random.default_rng(0).integers(0, 2, (6, 4)).astype("float32")
W = np.random.default_rng(1).normal(0, 1, (4, 3)).astype("float32")
B, C = np.array([0.3, -0.2, 0.1], "float32"), np.array([0.5, -0.5, 0.2, 0.0], "float32")


def machine(hidden="sigmoid", visible="bernoulli", use_bias=True, **settings):
    """A machine of four visible and three hidden units with the weights above, as its stage model."""
    settings.setdefault("optimizer", {"sgd": 0.1})
    written = {"dense": {"units": 3, "activation": hidden, "use_bias": use_bias}}
    model, (layer,) = stage_model(RBM(**settings), written, shape=(4,), inside=visible == "bernoulli")
    layer.set_weights([W, B] if use_bias else [W])
    model.visible_bias.assign(C)
    return model, layer


def test_the_free_energy_sums_the_hidden_units_out():
    model, _ = machine()
    for v, free in zip(BINARY, as_array(model.free_energy(BINARY)), strict=True):
        states = [np.array(h) for h in itertools.product((0, 1), repeat=3)]
        energies = [-(C @ v) - (B @ h) - v @ W @ h for h in states]
        assert free == pytest.approx(-np.log(np.exp(-np.array(energies)).sum()), rel=1e-5)


def test_the_free_energy_of_other_units():
    v = np.random.default_rng(2).normal(size=(5, 4)).astype("float32")
    x = v @ W + B
    apart = 0.5 * ((v - C) ** 2).sum(axis=1)
    softplus = np.log1p(np.exp(x)).sum(axis=1)
    for hidden, visible, expected in (
        ("sigmoid", "gaussian", apart - softplus),
        ("linear", "gaussian", apart - 0.5 * (x**2).sum(axis=1)),
        ("relu", "gaussian", apart - 0.5 * (x.clip(0) ** 2).sum(axis=1)),
        ("linear", "bernoulli", -(v @ C) - 0.5 * (x**2).sum(axis=1)),
    ):
        model, _ = machine(hidden, visible)
        assert as_array(model.free_energy(v)) == pytest.approx(expected, rel=1e-4), (hidden, visible)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("hidden", ["sigmoid", "linear", "relu"])
def test_a_step_is_that_of_contrastive_divergence(hidden, visible, use_bias):
    """CD-1: dW = v0 h(v0) - v1 h(v1), and likewise for the biases, from the same draw."""
    import tensorflow as tf

    data = tf.constant(BINARY)
    model, _ = machine(hidden, visible, use_bias, weight_decay=0.01)
    b = B if use_bias else 0 * B
    (noise,) = model.draw(data)
    found = model.forward(data, (noise,))
    x, u = BINARY @ W + b, as_array(noise)
    h = {"sigmoid": (u < sigmoid(x)) * 1.0, "linear": x + u, "relu": (x + np.sqrt(sigmoid(x)) * u).clip(0)}[hidden]
    v1 = h @ W.T + C if visible == "gaussian" else sigmoid(h @ W.T + C)
    assert as_array(found["negative"]) == pytest.approx(v1, abs=1e-5)

    with tf.GradientTape() as tape:
        loss = model.objective(data, None, model.forward(data, (noise,)))
    gradients = [as_array(g) for g in tape.gradient(loss, [w.value for w in model.trainable_weights])]
    mean = {"sigmoid": sigmoid, "linear": lambda a: a, "relu": lambda a: a.clip(0)}[hidden]
    positive, negative = mean(x), mean(v1 @ W + b)
    by_name = {w.path.split("/")[-1]: g for w, g in zip(model.trainable_weights, gradients, strict=True)}
    kernel = -(BINARY.T @ positive - v1.T @ negative) / 6 + 0.01 * W
    assert by_name["kernel"] == pytest.approx(kernel, abs=1e-4)
    assert by_name["visible_bias"] == pytest.approx(-(BINARY - v1).mean(axis=0), abs=1e-4)
    if use_bias:
        assert by_name["bias"] == pytest.approx(-(positive - negative).mean(axis=0), abs=1e-4)
    error = ((BINARY - v1) ** 2).sum(axis=1).mean()
    assert float(loss) == pytest.approx(error, rel=1e-4), "what is shown is the reconstruction error"


def test_k_steps_of_sampling_need_as_many_draws():
    model, _ = machine(gibbs_steps=3)
    drawn = model.draw(BINARY)
    assert len(drawn) == 3
    v = BINARY
    for noise in drawn:
        h = (as_array(noise) < sigmoid(v @ W + B)) * 1.0
        v = sigmoid(h @ W.T + C)
    assert as_array(model.forward(BINARY, drawn)["negative"]) == pytest.approx(v, abs=1e-5)


def test_persistent_chains_go_on_from_batch_to_batch():
    model, _ = machine(persistent=True, batch_size=5)
    assert as_array(model.states).shape == (5, 3)
    for _ in range(2):
        before, drawn = as_array(model.states), model.draw(BINARY)
        v = (as_array(drawn[1]) < sigmoid(before @ W.T + C)) * 1.0
        h = (as_array(drawn[0]) < sigmoid(v @ W + B)) * 1.0
        found = model.forward(BINARY, drawn)
        assert np.array_equal(as_array(found["negative"]), v)
        assert np.array_equal(as_array(model.states), h)


def test_momentum_rises_and_weights_move_by_it():
    """Of the machine's optimizer: dw = m dw - rate g, with m from 0.5 to 0.9 over the steps."""
    import keras

    model, _ = machine(momentum={"start": 0.5, "end": 0.9, "over": 0.5})
    model.optimizer.build([variable := keras.Variable(np.zeros(1, "float32"), name="w")])
    move, at = 0.0, []
    for step in range(60):
        model.optimizer.apply([np.ones(1, "float32")])
        m = 0.5 + 0.4 * min(1, step / 50)
        move = m * move - 0.1
        at.append((as_array(variable)[0], move))
    assert np.diff([0.0, *(value for value, _ in at)]) == pytest.approx([expected for _, expected in at], rel=1e-4)


def test_the_pseudo_likelihood_is_that_of_a_flipped_unit():
    model, _ = machine()
    measures = model.measures(BINARY, BINARY)
    total = 0.0
    for turn in range(8):  # every one of four units twice
        v, unit = BINARY[turn % 6], turn % 4
        states = {bit: np.where(np.arange(4) == unit, bit, v) for bit in (0.0, 1.0)}
        energy = {bit: -(C @ s) - np.log1p(np.exp(s @ W + B)).sum() for bit, s in states.items()}
        total += -np.log(1 + np.exp(energy[v[unit]] - energy[1 - v[unit]]))
    assert measures["pseudo_likelihood"] == pytest.approx(4 * total / 8, rel=1e-4)
    assert measures["free_energy_gap"] == pytest.approx(0, abs=1e-6)
    energies = as_array(model.free_energy(BINARY))
    assert measures["free_energy_gap_se"] == pytest.approx((2 * energies.var(ddof=1) / 6) ** 0.5, rel=1e-4)


def test_few_samples_tell_of_every_unit():
    """200 rows of 784 units, of which the first 300 hardly ever change: each has to be asked, not the first 200."""
    random = np.random.default_rng(0)
    often = np.where(np.arange(784) < 300, 0.001, 0.5)  # the edge of a picture, and its middle
    rows = (random.random((200, 784)) < often).astype("float32")
    model, (layer,) = stage_model(RBM(), {"dense": {"units": 3, "activation": "sigmoid"}}, shape=(784,), inside=True)
    layer.set_weights([np.zeros((784, 3)), np.zeros(3)])
    model.visible_bias.assign(np.log(often / (1 - often)))
    wanted = (rows.mean(axis=0) * np.log(often) + (1 - rows.mean(axis=0)) * np.log(1 - often)).sum()
    assert model.measures(rows, rows)["pseudo_likelihood"] == pytest.approx(wanted, rel=0.02)


def test_it_learns_the_distribution_of_its_input():
    """Two patterns, each as often: the free energy of both becomes much lower than that of all others."""
    patterns = np.array([[1, 1, 0, 0, 1, 0], [0, 0, 1, 1, 0, 1]], "float32")
    x = np.repeat(patterns, 50, axis=0)
    written = {"dense": {"units": 4, "activation": "sigmoid"}}
    method = RBM(momentum=0.5, gibbs_steps=2)
    model, _ = stage_model(method, written, shape=(6,), inside=True)
    losses = train(model, x, 600)
    assert losses[-1] < 0.2 * losses[0]
    every = np.array(list(itertools.product((0, 1), repeat=6)), "float32")
    shares = np.exp(-as_array(model.free_energy(every)))
    shares /= shares.sum()
    likely = {tuple(v) for v in every[np.argsort(-shares)[:2]]}
    assert likely == {tuple(p) for p in patterns}
    assert np.sort(shares)[-2:].sum() > 0.7


@pytest.mark.slow
def test_gibbs_sampling_visits_what_it_has_learned():
    patterns = np.array([[1, 1, 0, 0, 1, 0], [0, 0, 1, 1, 0, 1]], "float32")
    model, _ = stage_model(RBM(), {"dense": {"units": 4, "activation": "sigmoid"}}, shape=(6,), inside=True)
    train(model, np.repeat(patterns, 50, axis=0), 600)
    v, shown = model.gibbs(np.full((40, 6), 0.5, "float32"), 20)
    assert set(np.unique(as_array(v))) <= {0.0, 1.0}
    near = np.minimum(*(abs(as_array(shown) - p).sum(axis=1) for p in patterns))
    assert np.median(near) < 1


@pytest.mark.parametrize(
    ("written", "hidden"),
    [
        ([{"dense": {"units": 3, "activation": "sigmoid"}}], "sigmoid"),
        ([{"dense": 3}], "linear"),
        ([{"dense": 3}, "relu"], "relu"),
        ([{"dense": 3}, {"activation": "sigmoid"}], "sigmoid"),
    ],
    ids=str,
)
def test_hidden_units_are_known_by_the_activation(written, hidden):
    place, _ = place_of(*written, shape=(5,), inside=True)
    assert RBM().hidden(place) == hidden
    assert RBM().refuses(place) is None


@pytest.mark.parametrize(
    ("written", "shape", "word"),
    [
        ([{"dense": {"units": 3, "activation": "tanh"}}], (5,), "tanh"),
        ([{"dense": 3}, "batch_normalization"], (5,), "batch_normalization"),
        ([{"dense": {"units": 3, "activation": "sigmoid"}}], (4, 5), "flatten"),
        ([{"conv1d": {"filters": 3, "kernel_size": 2}}], (6, 2), "dense layers"),
    ],
    ids=str,
)
def test_what_is_no_machine_is_refused(written, shape, word):
    place, _ = place_of(*written, shape=shape, inside=True)
    assert word in RBM().refuses(place).message


def test_units_that_see_the_data_may_be_said_and_others_follow():
    place, _ = place_of({"dense": {"units": 3, "activation": "sigmoid"}}, shape=(5,), inside=True, at_input=False)
    assert RBM(visible="gaussian").visible_of(place) == "bernoulli"
    place, _ = place_of({"dense": {"units": 3, "activation": "sigmoid"}}, shape=(5,), inside=True)
    assert RBM(visible="gaussian").visible_of(place) == "gaussian"
    place, _ = place_of({"dense": {"units": 3, "activation": "sigmoid"}}, shape=(5,))
    assert RBM(visible="bernoulli").refuses(place).key == "visible"
