"""Autoencoders by hand calculation, and what they learn."""

import numpy as np
import pytest

from dlspec.layers import LAYERS
from dlspec.pretraining.autoencoder import Autoencoder
from dlspec.pretraining.denoising_autoencoder import CORRUPTIONS
from dlspec.training import as_array


def encoder_of(written, shape):
    import keras

    inputs = keras.Input(shape)
    layer = LAYERS.read(written)
    built = layer.build("code")
    built(inputs)
    return layer, built


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_tied_weights_decode_by_the_transposed_kernel():
    layer, built = encoder_of({"dense": {"units": 3, "activation": "sigmoid"}}, (5,))
    model = Autoencoder(tied_weights=True).build([built], layer, (None, 5), True)
    model.build((None, 5))
    x = np.random.default_rng(0).uniform(size=(4, 5)).astype("float32")
    w, b = (as_array(v) for v in built.weights)
    c = np.linspace(-1, 1, 5).astype("float32")
    model.visible_bias.assign(c)
    h = sigmoid(x @ w + b)
    assert as_array(model(x)) == pytest.approx(sigmoid(h @ w.T + c), abs=1e-6)
    z = sigmoid(h @ w.T + c)
    cross_entropy = -(x * np.log(z) + (1 - x) * np.log(1 - z)).mean()
    assert float(model.test_on_batch(x, x)) == pytest.approx(cross_entropy, rel=1e-4)


def test_untied_weights_have_a_decoder_of_their_own():
    layer, built = encoder_of({"dense": {"units": 3, "activation": "tanh"}}, (5,))
    model = Autoencoder().build([built], layer, (None, 5), False)
    model.build((None, 5))
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    w, b = (as_array(v) for v in built.weights)
    decode, c = (as_array(v) for v in model.decoder[0].weights)
    z = np.tanh(x @ w + b) @ decode + c
    assert as_array(model(x)) == pytest.approx(z, abs=1e-6)
    assert float(model.test_on_batch(x, x)) == pytest.approx(((z - x) ** 2).mean(), rel=1e-4)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("name", ["lstm", "gru", "simple_rnn"])
def test_a_sequence_is_decoded_from_the_last_state_alone(name, sequences):
    layer, built = encoder_of({name: {"units": 4, "return_sequences": sequences}}, (6, 2))
    model = Autoencoder().build([built], layer, (None, 6, 2), False)
    model.build((None, 6, 2))
    x = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    assert as_array(model.encode(x)).shape == (3, 4)
    assert as_array(model(x)).shape == (3, 6, 2)


def test_an_autoencoder_learns_what_lies_on_a_line():
    """Data of one dimension in five: one code unit is enough, and a tied linear one finds it (as PCA does)."""
    layer, built = encoder_of({"dense": 1}, (5,))
    method = Autoencoder(tied_weights=True, optimizer={"adam": 0.02})
    model = method.build([built], layer, (None, 5), False)
    model.build((None, 5))
    random = np.random.default_rng(0)
    direction = np.array([[0.1, 0.5, -0.3, 0.7, 0.4]]) / np.linalg.norm([0.1, 0.5, -0.3, 0.7, 0.4])
    x = (random.normal(size=(256, 1)) @ direction).astype("float32")
    first = float(model.test_on_batch(x, x))
    for _ in range(400):
        model.train_on_batch(x, x)
    assert float(model.test_on_batch(x, x)) < 0.01 * first
    kernel = as_array(built.kernel)[:, 0]
    assert abs(kernel @ direction[0]) / np.linalg.norm(kernel) == pytest.approx(1, abs=0.01)


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
