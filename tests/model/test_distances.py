"""Distances of two inputs: what they are, their gradients where inputs are equal, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial import distance as scipy_distance

import dlspec
from dlspec.language.diagnostics.errors import SpecError
from dlspec.language.shapes import ShapeError
from dlspec.model.layers import LAYERS

METRICS = {
    "euclidean": scipy_distance.euclidean,
    "squared_euclidean": scipy_distance.sqeuclidean,
    "manhattan": scipy_distance.cityblock,
    "cosine": scipy_distance.cosine,
}


def network_of(metric, shape, dtype=None):
    layer = LAYERS.read({"distance": {"metric": metric, "from": ["a", "b"], **({"dtype": dtype} if dtype else {})}})
    inputs = [keras.Input(shape), keras.Input(shape)]
    return keras.Model(inputs, layer.connect(layer.build("apart"), inputs))


@pytest.mark.parametrize("metric", METRICS)
def test_a_distance_is_that_of_scipy(metric):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 7, 5)).astype("float32")
    found = np.asarray(network_of(metric, (5,))([a, b]))
    assert found.shape == (7, 1)
    np.testing.assert_allclose(found[:, 0], [METRICS[metric](x, y) for x, y in zip(a, b, strict=True)], rtol=2e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("metric", METRICS)
def test_equal_inputs_and_zeros_have_a_finite_gradient(metric, dtype):
    network = network_of(metric, (3,), dtype)
    a = tf.constant([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0], [1e-5, 0.0, 0.0]])
    b = tf.constant([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        apart = network([a, b])
        total = tf.reduce_sum(tf.cast(apart, "float32"))
    assert (np.asarray(apart) >= 0).all()
    assert np.asarray(apart)[0, 0] == pytest.approx(0, abs=1e-3)
    for gradient in tape.gradient(total, [a, b]):
        assert np.isfinite(np.asarray(gradient)).all()


def test_a_distance_is_of_each_place():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, 4, 6, 3)).astype("float32")
    found = np.asarray(network_of("euclidean", (6, 3))([a, b]))
    np.testing.assert_allclose(found, np.linalg.norm(a - b, axis=-1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("shapes", [[(None, 4), (None, 5)], [(None, 4), (None, 2, 4)], [(None,), (None,)]])
def test_inputs_have_one_shape(shapes):
    with pytest.raises(ShapeError, match="`distance` needs two inputs"):
        LAYERS.read({"distance": {"from": ["a", "b"]}}).infer(*shapes)


def test_a_layer_is_not_compared_with_itself():
    text = (
        "dlspec: 1\ndata: {dataset: iris}\nmodel: [{dense: {units: 3, name: a}}, {distance: {from: [a, a]}}, output]\n"
    )
    with pytest.raises(SpecError, match="the distance of `a` from itself is always 0"):
        dlspec.load(text)


def test_a_distance_may_stand_in_any_network():
    text = (
        "dlspec: 1\ndata: {dataset: iris}\nmodel:\n  - dense: {units: 4, name: a}\n"
        "  - dense: {units: 4, name: b, from: input}\n  - distance: {metric: manhattan, from: [a, b]}\n  - output\n"
    )
    assert [problem.code for problem in dlspec.validate(text)] == []
    assert dlspec.graph(dlspec.load(text))["distance_1"].output_shape == (None, 1)
