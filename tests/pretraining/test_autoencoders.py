"""Autoencoders of all kinds by hand calculation, and what they learn."""

import numpy as np
import pytest

from dlspec.pretraining.autoencoder import Autoencoder
from dlspec.pretraining.contractive_autoencoder import ContractiveAutoencoder
from dlspec.pretraining.denoising_autoencoder import CORRUPTIONS, DenoisingAutoencoder
from dlspec.pretraining.sparse_autoencoder import SparseAutoencoder
from dlspec.training.values import as_array
from tests.pretraining.places import place_of, sigmoid, stage_model, train

DENSE = {"dense": {"units": 3, "activation": "sigmoid"}}
X = np.random.default_rng(0).uniform(size=(4, 5)).astype("float32")
NONE = np.zeros((4, 1), "float32")


def test_tied_weights_decode_by_the_transposed_kernel():
    model, (built,) = stage_model(Autoencoder(tied_weights=True), DENSE, shape=(5,), inside=True)
    w, b = (as_array(v) for v in built.weights)
    c = np.linspace(-1, 1, 5).astype("float32")
    model.decoder.layers[-1].visible_bias.assign(c)
    h = sigmoid(X @ w + b)
    z = sigmoid(h @ w.T + c)
    assert as_array(model.reconstruct(X)) == pytest.approx(z, abs=1e-6)
    cross_entropy = -(X * np.log(z) + (1 - X) * np.log(1 - z))
    assert float(model.test_on_batch(X, NONE)) == pytest.approx(cross_entropy.sum(axis=1).mean(), rel=1e-4)
    (unfolded,) = model.decoder_weights()
    assert np.array_equal(unfolded[0], w.T)
    assert np.array_equal(unfolded[1], c)


def test_untied_weights_have_a_decoder_of_their_own_that_starts_as_the_layer_does():
    start = {"dense": {"units": 3, "activation": "tanh", "kernel_initializer": {"random_uniform": {"maxval": 0.0}}}}
    model, (built,) = stage_model(Autoencoder(), start, shape=(5,))
    w, b = (as_array(v) for v in built.weights)
    ((decode, c),) = model.decoder_weights()
    assert not np.array_equal(decode, w.T)
    assert decode.max() <= 0
    z = np.tanh(X @ w + b) @ decode + c
    assert as_array(model.reconstruct(X)) == pytest.approx(z, abs=1e-6)
    assert float(model.test_on_batch(X, NONE)) == pytest.approx(((z - X) ** 2).sum(axis=1).mean(), rel=1e-4)


@pytest.mark.parametrize(("loss", "of_mean"), [("squared_error", "mse"), ("cross_entropy", "binary_crossentropy")])
def test_errors_are_summed_over_the_values_or_their_mean(loss, of_mean):
    values = []
    for name in (loss, of_mean):
        import keras

        keras.utils.set_random_seed(0)
        model, _ = stage_model(Autoencoder(loss=name), DENSE, shape=(5,), inside=True)
        values.append(float(model.test_on_batch(X, NONE)))
    assert values[0] == pytest.approx(5 * values[1], rel=1e-5)


def test_a_decoder_may_end_in_another_activation():
    method = Autoencoder(loss="squared_error", decoder_activation="sigmoid")
    model, _ = stage_model(method, DENSE, shape=(5,), inside=True)
    back = as_array(model.reconstruct(X))
    assert back.min() > 0
    assert float(model.test_on_batch(X, NONE)) == pytest.approx(((back - X) ** 2).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("name", ["lstm", "gru", "simple_rnn"])
def test_a_sequence_is_decoded_from_the_last_state_alone(name, sequences):
    model, _ = stage_model(Autoencoder(), {name: {"units": 4, "return_sequences": sequences}}, shape=(6, 2))
    x = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    code = as_array(model.encode(x))
    back = as_array(model.reconstruct(x))
    assert back.shape == (3, 6, 2)
    if sequences:  # nothing but the last timestep matters to the decoder
        spoilt = code.copy()
        spoilt[:, :-1] = 9.0
        assert np.array_equal(as_array(model.decode(spoilt)), back)


def test_a_sequence_is_decoded_last_timestep_first():
    """One step of a decoder that forgets at once shows which timestep comes out first."""
    for backwards in (False, True):
        written = {"simple_rnn": {"units": 2, "go_backwards": backwards}}
        model, _ = stage_model(Autoencoder(), written, shape=(5, 1))
        decoder = next(layer for layer in model.decoder.layers if "rnn" in layer.name)
        decoder.set_weights([np.zeros((2, 2)), np.eye(2) * 2, np.array([0.1, 0.0])])
        dense = next(layer for layer in model.decoder.layers if "dense" in layer.name)
        dense.set_weights([np.array([[1.0], [0.0]]), np.zeros(1)])
        back = as_array(model.decode(np.ones((1, 2), "float32")))[0, :, 0]
        grows = np.diff(back) > 0
        assert grows.all() if backwards else not grows.any()


@pytest.mark.parametrize("merge", ["concat", "sum"])
@pytest.mark.parametrize("sequences", [True, False])
def test_two_directions_are_decoded_from_where_each_ended(merge, sequences):
    layer = {"layer": {"gru": {"units": 3, "return_sequences": sequences}}, "merge_mode": merge}
    model, _ = stage_model(Autoencoder(), {"bidirectional": layer}, shape=(6, 2))
    x = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    back = as_array(model.reconstruct(x))
    assert back.shape == x.shape
    if sequences and merge == "concat":
        code = as_array(model.encode(x))
        code[:, 1:-1], code[:, -1, 3:], code[:, 0, :3] = 9.0, 9.0, 9.0  # all but both ends
        assert np.array_equal(as_array(model.decode(code)), back)


def test_an_autoencoder_learns_what_lies_on_a_line():
    """Data of one dimension in five: one code unit is enough, and a tied linear one finds it (as PCA does)."""
    method = Autoencoder(tied_weights=True, optimizer={"adam": 0.02})
    model, (built,) = stage_model(method, {"dense": 1}, shape=(5,))
    random = np.random.default_rng(0)
    direction = np.array([[0.1, 0.5, -0.3, 0.7, 0.4]]) / np.linalg.norm([0.1, 0.5, -0.3, 0.7, 0.4])
    x = (random.normal(size=(256, 1)) @ direction).astype("float32")
    losses = train(model, x, 400)
    assert losses[-1] < 0.01 * losses[0]
    kernel = as_array(built.kernel)[:, 0]
    assert abs(kernel @ direction[0]) / np.linalg.norm(kernel) == pytest.approx(1, abs=0.01)


@pytest.mark.everyday("same-1-True", "valid-2-False")
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_convolution_and_its_pooling_learn_to_give_back_pictures(tied, strides, padding):
    written = {"conv2d": {"filters": 6, "kernel_size": 3, "strides": strides, "padding": padding, "activation": "relu"}}
    method = Autoencoder(tied_weights=tied, optimizer={"adam": 0.02})
    model, _ = stage_model(method, written, {"max_pooling2d": 2}, shape=(9, 8, 1))
    random = np.random.default_rng(0)
    x = np.zeros((64, 9, 8, 1), "float32")
    for picture in x:
        picture[random.integers(1, 8), :, 0] = 1  # a line somewhere
    losses = train(model, x, 150)
    assert as_array(model.reconstruct(x)).shape == x.shape
    assert losses[-1] < (0.6 if strides == 1 or padding == "same" else 0.8) * losses[0]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [2, 3, 4])
@pytest.mark.parametrize("shape", [(7, 8, 2), (9, 6, 2)])
def test_a_tied_convolution_writes_where_it_has_read(padding, strides, kernel_size, shape):
    """The decoder is the transposed linear map: sum conv(x) y = sum x back(y) for any x and y."""
    written = {"conv2d": {"filters": 3, "kernel_size": kernel_size, "strides": strides, "padding": padding}}
    model, (built,) = stage_model(Autoencoder(tied_weights=True), written, shape=shape)
    random = np.random.default_rng(0)
    x = random.normal(size=(2, *shape)).astype("float32")
    code = as_array(model.encode(x))
    y = random.normal(size=code.shape).astype("float32")
    back = as_array(model.decode(y))
    assert back.shape == x.shape
    assert (code * y).sum() == pytest.approx((x * back).sum(), rel=1e-4)
    assert np.array_equal(model.decoder_weights()[0][0], as_array(built.kernel))


@pytest.mark.parametrize(
    ("written", "changed"), [({"masking": 0.25}, 0.25), ({"salt_and_pepper": 0.3}, 0.3), ({"gaussian": 0.1}, 1.0)]
)
def test_corruption_spoils_its_share_while_training_and_nothing_otherwise(written, changed):
    layer = CORRUPTIONS.read(written).build()
    x = np.random.default_rng(0).uniform(0.2, 0.8, size=(100, 200)).astype("float32")
    spoilt = as_array(layer(x, training=True))
    assert (spoilt != x).mean() == pytest.approx(changed, abs=0.02)
    assert np.array_equal(as_array(layer(x, training=False)), x)
    if "masking" in written:
        assert set(np.unique(spoilt[spoilt != x])) == {0.0}
    if "salt_and_pepper" in written:
        assert set(np.unique(spoilt[spoilt != x])) == {x.min(), x.max()}
    if "gaussian" in written:
        assert (spoilt - x).std() == pytest.approx(0.1, rel=0.05)


def test_a_denoising_autoencoder_is_compared_with_the_clean_input():
    model, _ = stage_model(DenoisingAutoencoder(corruption={"masking": 0.5}), DENSE, shape=(5,), inside=True)
    spoilt = model.draw(X)[0]
    found = model.forward(X, (spoilt,))
    z = as_array(model.decode(model.encode(as_array(spoilt))))
    error = -(X * np.log(z) + (1 - X) * np.log(1 - z)).sum(axis=1).mean()
    assert float(model.objective(X, None, found)) == pytest.approx(error, rel=1e-4)


# --- sparse


def test_the_divergence_of_mean_activations_is_paid_for():
    method = SparseAutoencoder(sparsity_target=0.1, sparsity_weight=2.0)
    model, (built,) = stage_model(method, DENSE, shape=(5,), inside=True)
    w, b = (as_array(v) for v in built.weights)
    q, r = sigmoid(X @ w + b).mean(axis=0), 0.1
    divergence = (r * np.log(r / q) + (1 - r) * np.log((1 - r) / (1 - q))).sum()
    found = model.forward(X, None)
    assert float(found["penalty"]) == pytest.approx(divergence, rel=1e-4)
    error = float(model.objective(X, None, {**found, "penalty": 0.0}))
    assert float(model.objective(X, None, found)) == pytest.approx(error + 2 * divergence, rel=1e-4)


@pytest.mark.parametrize(
    "settings", [{"sparsity_target": 0.05}, {"penalty": "l1", "sparsity_weight": 0.5}], ids=["kl", "l1"]
)
def test_a_sparse_code_has_fewer_active_units(settings):
    x = np.random.default_rng(0).uniform(size=(200, 20)).astype("float32")
    means = []
    for method in (Autoencoder(optimizer={"adam": 0.02}), SparseAutoencoder(optimizer={"adam": 0.02}, **settings)):
        model, _ = stage_model(method, {"dense": {"units": 30, "activation": "sigmoid"}}, shape=(20,), inside=True)
        train(model, x, 200)
        means.append(as_array(model.encode(x)).mean())
    assert means[1] < 0.5 * means[0]


def test_the_l1_penalty_is_the_sum_of_absolute_activations():
    method = SparseAutoencoder(penalty="l1", sparsity_weight=0.5)
    model, _ = stage_model(method, {"dense": {"units": 3, "activation": "tanh"}}, shape=(5,))
    code = as_array(model.encode(X))
    assert float(model.forward(X, None)["penalty"]) == pytest.approx(abs(code).sum(axis=1).mean(), rel=1e-5)


def test_mean_activations_are_for_units_between_0_and_1():
    place, _ = place_of({"dense": {"units": 3, "activation": "tanh"}}, shape=(5,))
    assert "tanh" in SparseAutoencoder().refuses(place).message
    assert SparseAutoencoder(penalty="l1").refuses(place) is None


# --- contractive


def jacobian_norm(model, x):
    """The squared norm of the Jacobian of the code, by differentiating, the mean over the samples."""
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        code = model.encode(x)
    jacobian = tape.batch_jacobian(code, x).numpy()
    return (jacobian.reshape(len(x), -1) ** 2).sum(axis=1).mean()


@pytest.mark.parametrize(
    "written",
    [
        [{"dense": {"units": 3, "activation": "sigmoid"}}],
        [{"dense": {"units": 3, "activation": "tanh", "use_bias": False}}],
        [{"dense": {"units": 3, "activation": "softplus"}}],
        [{"dense": 3}, {"activation": "elu"}],
        [{"dense": 3}],
    ],
    ids=str,
)
def test_the_jacobian_of_dense_units_is_exact(written):
    model, _ = stage_model(ContractiveAutoencoder(), *written, shape=(5,))
    assert float(model.forward(X, None)["penalty"]) == pytest.approx(jacobian_norm(model, X), rel=2e-3)


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ([{"conv2d": {"filters": 2, "kernel_size": 3, "activation": "tanh"}}], (5, 5, 1)),
        pytest.param([{"lstm": 4}], (6, 2), marks=pytest.mark.slow),
        ([{"dense": {"units": 4, "activation": "softmax"}}], (5,)),
    ],
    ids=["conv2d", "lstm", "softmax"],
)
def test_the_jacobian_of_other_layers_is_estimated_without_bias(written, shape):
    model, _ = stage_model(ContractiveAutoencoder(), *written, shape=shape)
    x = np.random.default_rng(0).uniform(size=(8, *shape)).astype("float32")
    estimates = [float(model.forward(x, model.draw(x))["penalty"]) for _ in range(300)]
    assert np.mean(estimates) == pytest.approx(jacobian_norm(model, x), rel=0.1)


def test_a_contractive_code_follows_its_input_less():
    x = np.random.default_rng(0).uniform(size=(200, 20)).astype("float32")
    norms = []
    for method in (
        Autoencoder(optimizer={"adam": 0.02}),
        ContractiveAutoencoder(contraction=1.0, optimizer={"adam": 0.02}),
    ):
        model, _ = stage_model(method, {"dense": {"units": 15, "activation": "sigmoid"}}, shape=(20,), inside=True)
        train(model, x, 200)
        norms.append(jacobian_norm(model, x))
    assert norms[1] < 0.5 * norms[0]
