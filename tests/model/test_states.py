"""Recurrent layers that begin with the last state of another one, against Keras written by hand."""

import zipfile

import numpy as np
import pytest

import dlspec
from dlspec.api import validate
from dlspec.model.causality import looks_ahead
from dlspec.model.saved import load_model


def near(first, second, tolerance):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


SPEC = """\
dlspec: 1
data: {dataset: sine, window: {length: 8}}
model:
  - masking: {mask_value: 0.5}
  - KIND: {units: 4, name: reader, return_sequences: RETURN}
  - dense: {units: 3, name: other, from: input}
  - KIND: {units: 4, name: writer, state_from: reader}
  - output
runtime: {precision: PRECISION}
"""
KINDS = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN"}


def by_hand(kind, weights):
    """The same network in Keras, with these weights."""
    import keras

    layer = getattr(keras.layers, KINDS[kind])
    given = keras.Input((8, 1))
    _, *states = layer(4, return_state=True)(keras.layers.Masking(0.5)(given))
    written = layer(4)(keras.layers.Dense(3)(given), initial_state=states)
    model = keras.Model(given, keras.layers.Dense(1)(written))
    by_size = {tuple(w.shape for w in layer.weights): layer for layer in model.layers if layer.weights}
    assert len(by_size) == 4
    for values in weights:
        by_size[tuple(v.shape for v in values)].set_weights(values)
    return model


@pytest.mark.everyday("lstm-true", "gru-false", "simple_rnn-true")
@pytest.mark.parametrize("every", ["true", "false"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_begins_with_the_last_state_of_another(kind, every, tmp_path):
    spec = SPEC.replace("KIND", kind).replace("RETURN", every).replace("PRECISION", "float32")
    network = dlspec.build(spec)
    expected = by_hand(kind, [layer.get_weights() for layer in network.layers if layer.weights])
    x = np.random.default_rng(0).normal(size=(5, 8, 1)).astype("float32")
    x[1, 5:] = x[2, 3:] = 0.5
    near(network(x), expected(x), 1e-6)
    assert dlspec.graph(spec).parameters == network.count_params() == expected.count_params()
    plain = dlspec.graph(spec.replace(", state_from: reader", ""))
    assert plain["writer"].flops == dlspec.graph(spec)["writer"].flops
    network.save(tmp_path / "network.keras")
    with zipfile.ZipFile(tmp_path / "network.keras") as file:
        assert b"dlspec" not in file.read("config.json")
    near(load_model(tmp_path / "network.keras")(x), network(x), 1e-6)


def test_the_state_reaches_what_comes_out_and_learns():
    import keras

    spec = SPEC.replace("KIND", "gru").replace("RETURN", "true").replace("PRECISION", "mixed_float16")
    network = dlspec.build(spec)
    assert network.get_layer("writer").compute_dtype == "float16"
    reader = network.get_layer("reader")
    before, x = reader.get_weights(), np.random.default_rng(0).normal(size=(5, 8, 1))
    network.compile(keras.optimizers.SGD(0.5), "mse")
    network.fit(x, np.ones((5, 1)), verbose=0)
    assert max(np.abs(a - b).max() for a, b in zip(before, reader.get_weights(), strict=True)) > 1e-4


@pytest.mark.everyday("lstm")
@pytest.mark.parametrize("kind", KINDS)
def test_engines_agree(kind):
    """The compiled loops, and Keras's own steps."""
    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.choice import make_engine

    text = SPEC.replace("KIND", kind).replace("RETURN", "false").replace("PRECISION", "float32")
    text = text.replace("  - masking: {mask_value: 0.5}\n", "")
    x = np.random.default_rng(0).normal(size=(64, 8, 1)).astype("float32")
    y, found = x.sum(axis=(1, 2))[:, None], []
    for make in (lambda *given: make_engine(*given, None, 16, compiled=True), lambda *g: StepByStep(*g, None, 16)):
        network = dlspec.build(text)
        network.compile("sgd", "mse")
        engine = make(network, x, y)
        engine.run(np.arange(64), 0, 4)
        engine.close()
        found.append(network.get_weights())
    near(*found, 1e-5)


LOOKING = """\
dlspec: 1
data: {dataset: sine, window: {length: 8, target: each}}
model:
  - lstm: {units: 4, name: reader, return_sequences: true}
  - lstm: {units: 4, state_from: reader, return_sequences: true}
  - output
"""


def test_a_last_state_has_seen_every_timestep():
    (problem,) = [problem for problem in validate(LOOKING) if problem.code == "sees-the-answer"]
    assert "`lstm_1`" in problem.message
    assert "state_from: reader" in problem.help
    plain = LOOKING.replace("state_from: reader, ", "")
    assert looks_ahead(dlspec.graph(plain)) is None


BLOCKS = """\
dlspec: 1
data: {dataset: sine, window: {length: 8}}
blocks:
  pair:
    - gru: {units: 3, name: e, return_sequences: true}
    - gru: {units: 3, name: d, state_from: e, return_sequences: true}
model:
  - pair
  - repeat: {each: {how: [relu, tanh]}, layers: [pair, {dense: {units: 3, activation: $how}}]}
  - gru: {units: 3, state_from: pair.2.d}
  - output
"""


def test_names_in_blocks_and_copies_are_those_of_the_copy():
    graph = dlspec.graph(BLOCKS)
    assert [layer.inputs for layer in graph.layers if layer.state_source] == [
        ("e_1", "e_1"), ("e_2", "e_2"), ("e_3", "e_3"), (graph.layers[-3].name, "d_2"),
    ]  # fmt: skip


def test_pretraining_of_the_layer_whose_state_is_taken():
    text = SPEC.replace("KIND", "lstm").replace("RETURN", "true").replace("PRECISION", "float32")
    text = text.replace("  - masking: {mask_value: 0.5}\n", "")
    (problem,) = validate(text + "pretrain: {method: autoencoder, epochs: 1}\n")
    assert (problem.code, problem.span.line) == ("cannot-pretrain", 6)
    assert not validate(text + "pretrain: {method: autoencoder, epochs: 1, layers: [reader, other]}\n")
