"""`layer_scale`, `position_embedding` and `learned`: what they compute, hold and refuse."""

import numpy as np
import pytest
from pydantic import ValidationError

import dlspec
from dlspec.api import validate
from dlspec.model.layers import LAYERS

HEAD = "dlspec: 1\ndata: {dataset: goog, window: {length: 8}}\nmodel:\n"


def spec_of(*lines):
    return HEAD + "".join(f"  - {line}\n" for line in lines)


def samples():
    return np.random.default_rng(0).normal(size=(3, 8, 6)).astype("float32")


def output_of(model, name):
    import keras

    return keras.Model(model.input, model.get_layer(name).output)


NETWORKS = {
    "layer_scale": spec_of("skip: [dense: 6, layer_scale: {initializer: {constant: 0.1}}]", "mean: 1", "output"),
    "layer_scale_of_rows": spec_of("flatten", "dense: 5", "layer_scale", "output"),
    "position_embedding": spec_of("position_embedding: {length: 10, name: there}", "lstm: 4", "output"),
    "sine": spec_of("dense: 5", "position_embedding: sine", "lstm: 4", "output"),
    "learned": spec_of(
        "learned: {shape: [1, 6], name: token}", "concatenate: {axis: 1, from: [token, input]}", "lstm: 4", "output"
    ),
    "masked": spec_of("masking", "position_embedding", "layer_scale", "mean: 1", "output"),
}


@pytest.mark.parametrize("text", NETWORKS.values(), ids=NETWORKS)
def test_the_graph_is_that_of_keras_and_opens_without_dlspec(text, tmp_path):
    import keras

    graph, model = dlspec.graph(text), dlspec.build(text)
    assert graph.parameters == model.count_params()
    for layer in graph.layers:
        assert layer.output_shape == tuple(model.get_layer(layer.name).output.shape), layer.name
        assert layer.layer.has_weights == bool(model.get_layer(layer.name).weights)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(samples(), verbose=0), model.predict(samples(), verbose=0))
    from dlspec.model.saved import load_model

    load_model(tmp_path / "m.keras")


def test_layer_scale_multiplies_each_channel():
    model = dlspec.build(spec_of("layer_scale: {name: scaled}", "mean: 1", "output"))
    factors = model.get_layer("layer_scale_1")
    np.testing.assert_allclose(np.asarray(factors.get_weights()[0]), np.full((1, 6), 1e-6))
    own = np.arange(6, dtype="float32")[None]
    factors.set_weights([own])
    np.testing.assert_allclose(output_of(model, "scaled")(samples()), samples() * own, rtol=1e-6)


def test_a_learned_vector_is_added_to_each_timestep():
    model = dlspec.build(spec_of("position_embedding: {length: 10, name: there}", "lstm: 4", "output"))
    (vectors,) = model.get_layer("position_embedding_1").get_weights()
    assert vectors.shape == (10, 6)
    assert 0.005 < vectors.std() < 0.04
    np.testing.assert_allclose(output_of(model, "there")(samples()), samples() + vectors[:8], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("channels", [5, 6])
def test_sines_are_those_of_the_transformer(channels):
    model = dlspec.build(
        spec_of(f"dense: {channels}", "position_embedding: {form: sine, name: there}", "lstm: 4", "output")
    )
    dense = np.asarray(output_of(model, "dense_1")(samples()))
    expected = np.zeros((8, channels))
    for position in range(8):
        for i in range(channels):
            angle = position / 10_000 ** (2 * (i // 2) / channels)
            expected[position, i] = np.cos(angle) if i % 2 else np.sin(angle)
    np.testing.assert_allclose(
        output_of(model, "there")(samples()) - dense, np.broadcast_to(expected, dense.shape), atol=1e-5
    )


@pytest.mark.parametrize("shape", [[4], [2, 3], [2, 3, 4]])
def test_a_learned_constant_is_the_same_for_every_sample(shape):
    model = dlspec.build(spec_of(f"learned: {{shape: {shape}, name: it}}", "flatten", "output"))
    layer = model.get_layer("it")
    values = np.arange(np.prod(shape), dtype="float32").reshape(-1, shape[-1])
    layer.set_weights([values])
    found = np.asarray(output_of(model, "it")(samples()))
    np.testing.assert_array_equal(found, np.broadcast_to(values.reshape(shape), (3, *shape)))


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("position_embedding: {length: 7}", "shape-mismatch", "no vector for each of the 8 timesteps"),
        ("position_embedding: {form: sine, length: 7}", "wrong-value", "`sine` has none"),
        ("position_embedding: cosine", "unknown-value", "`learned` or `sine`"),
        ("layer_scale: {initializer: orthogonaal}", "unknown-initializer", "orthogonaal"),
        ("learned: {shape: []}", "out-of-range", "at least 1"),
        ("learned: 0", "out-of-range", "at least 1"),
    ],
)
def test_what_cannot_be_is_one_mistake(line, code, said):
    (problem,) = validate(spec_of(line, "flatten", "output"))
    assert problem.code == code
    assert said in problem.message
    assert problem.span.line == 4


def test_a_picture_has_no_timesteps():
    text = spec_of("reshape: [8, 6, 1]", "position_embedding", "flatten", "output")
    problems = validate(text)
    assert [problem.code for problem in problems] == ["shape-mismatch"]
    assert "(batch, timesteps, channels)" in problems[0].message


def test_a_constant_stands_not_inside_another_layer():
    with pytest.raises(ValidationError, match="holds a layer of Keras"):
        LAYERS.read({"time_distributed": {"learned": 4}})


def test_they_are_trained_with_the_rest(tmp_path):
    text = spec_of(
        "learned: {shape: [1, 6], name: token}",
        "concatenate: {axis: 1, from: [token, input]}",
        "position_embedding",
        "skip: [dense: 6, layer_scale: {initializer: {constant: 0.1}}]",
        "mean: 1",
        "output",
    )
    run = dlspec.run(text + "train: {epochs: 3}\nevaluate: {baselines: []}\n", out=tmp_path / "run")
    before, after = dlspec.build(text), run.model
    del before
    assert run.history[-1].loss < run.history[0].loss
    network = next(layer for layer in after.layers if hasattr(layer, "layers"))
    for name, start in (("layer_scale_1", 0.1), ("token", 0.0), ("position_embedding_1", 0.0)):
        (values,) = network.get_layer(name).get_weights()
        assert np.abs(values - start).max() > 1e-3, name


@pytest.mark.parametrize("line", ["layer_scale: {name: it, initializer: ones}", "position_embedding: {name: it}"])
def test_what_is_learned_is_shared_under_the_name_of_the_layer(line, tmp_path):
    import keras

    text = spec_of(line, "shared: {layers: it}", "mean: 1", "output")
    assert validate(text) == []
    model = dlspec.build(text)
    (weights,) = [weight for weight in model.trainable_weights if "output" not in weight.path]
    weights.assign(np.random.default_rng(0).normal(size=weights.shape))
    own, x = np.asarray(weights), samples()
    expected = x * own**2 if "scale" in line else x + 2 * own
    np.testing.assert_allclose(output_of(model, "mean_1")(x), expected.mean(1), rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    "lines",
    [
        ("layer_scale: {name: it}", "dense: 5"),
        ("position_embedding: {name: it}", "dense: 5"),
        ("slice: {axis: 1, stop: 4, name: few}", "position_embedding: {name: it}", "identity: {from: input}"),
    ],
    ids=str,
)
def test_what_is_learned_for_another_shape_is_not_shared(lines):
    text = spec_of(*lines, "shared: {layers: it}", "mean: 1", "output")
    if "from: input" in text:
        text = text.replace("- mean: 1", "- concatenate: {axis: 1, from: [it, it_again]}\n  - mean: 1")
    (problem,) = validate(text)
    assert problem.code == "shape-mismatch"


def test_a_layer_that_merges_is_not_shared_with_one_input():
    text = spec_of("dense: 6", "add: {name: it, from: [dense_1, input]}", "shared: {layers: it}", "mean: 1", "output")
    (problem,) = validate(text)
    assert problem.code == "wrong-number-of-inputs"
    assert problem.help
