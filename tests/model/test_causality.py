"""What the graph says of time against what Keras does when later timesteps are changed."""

import numpy as np
import pytest

import dlspec
from dlspec.model.causality import looks_ahead
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.core import Output
from dlspec.model.layers.sight import Sight
from tests.model.test_layers import some_values

EXAMPLES = [
    (example.written, example.shapes)
    for name in LAYERS
    if issubclass(LAYERS[name], LayerSpec) and name != "output"
    for example in LAYERS[name].examples
    if all(len(shape) > 1 for shape in example.shapes) and LAYERS[name].input_dtype != "string"
]
MORE = [
    ({"conv1d": {"filters": 2, "kernel_size": 3, "padding": "causal"}}, [(None, 8, 3)]),
    ({"conv1d": {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}}, [(None, 9, 3)]),
    ({"conv1d": {"filters": 2, "kernel_size": 4, "padding": "same"}}, [(None, 8, 3)]),
    ({"conv1d": {"filters": 2, "kernel_size": 4}}, [(None, 8, 3)]),
    ({"conv2d": {"filters": 2, "kernel_size": [1, 3], "padding": "same"}}, [(None, 6, 5, 3)]),
    ({"conv2d_transpose": {"filters": 2, "kernel_size": [1, 3], "strides": [1, 2]}}, [(None, 6, 5, 3)]),
    ({"up_sampling2d": {"size": [1, 2], "interpolation": "bilinear"}}, [(None, 6, 5, 3)]),
    ({"max_pooling1d": {"pool_size": 3, "strides": 1, "padding": "same"}}, [(None, 8, 3)]),
    ({"average_pooling1d": {"pool_size": 4, "strides": 1, "padding": "same"}}, [(None, 8, 3)]),
    ({"multi_head_attention": {"num_heads": 2, "key_dim": 3, "use_causal_mask": True}}, [(None, 6, 4)]),
    ({"multi_head_attention": {"num_heads": 2, "key_dim": 3}}, [(None, 6, 4)]),
    ({"lstm": {"units": 3, "return_sequences": True, "go_backwards": True}}, [(None, 6, 3)]),
    ({"lstm": {"units": 3, "return_sequences": True}}, [(None, 6, 3)]),
    ({"conv_lstm1d": {"filters": 2, "kernel_size": 2, "return_sequences": True}}, [(None, 4, 5, 2)]),
    ({"reshape": [6, 2, 2]}, [(None, 6, 4)]),
    ({"layer_normalization": {"axis": [1, 2]}}, [(None, 6, 4)]),
    ({"concatenate": {"axis": 1, "from": ["a", "b"]}}, [(None, 4, 3), (None, 4, 3)]),
]


def earlier_outputs_that_change(layer, shapes):
    """Of a change behind timestep t of all inputs, for each t, the first output timestep along `axis` that changes."""
    import keras

    inputs = [keras.Input(shape[1:], dtype=layer.input_dtype) for shape in shapes]
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer.connect(layer.build("it"), inputs))
    values = [some_values(layer, shape) for shape in shapes]

    def out(given):
        return np.asarray(model(given if len(given) > 1 else given[0], training=False), "float64")

    before, timesteps = out(values), min(given.shape[1] for given in values)
    found = {}
    for t in range(timesteps - 1):
        changed = [given.copy() for given in values]
        for given in changed:
            given[:, t + 1 :] = 1 - given[:, t + 1 :]
        found[t] = np.abs(out(changed) - before) > 1e-6
    return found


def changes_at(found, axis, t, last):
    """Whether an output of a timestep up to `last` changes where inputs behind `t` do."""
    changed = np.moveaxis(found[t], axis, 0)
    return bool(changed[: max(0, last + 1)].any())


@pytest.mark.parametrize(("written", "shapes"), EXAMPLES + MORE, ids=str)
def test_a_timestep_sees_no_later_one_than_the_graph_says(written, shapes):
    layer = LAYERS.read(written)
    sight = layer.sight([Sight() for _ in shapes], shapes)
    if sight is None:
        return
    found = earlier_outputs_that_change(layer, shapes)
    for t in found:
        assert not changes_at(found, sight.axis, t, t - sight.ahead), f"{written} sees further than {sight}"


SURELY = [
    ({"bidirectional": {"lstm": {"units": 3, "return_sequences": True}}}, [(None, 6, 3)]),
    ({"conv1d": {"filters": 2, "kernel_size": 3, "padding": "same"}}, [(None, 8, 3)]),
    ({"conv1d": {"filters": 2, "kernel_size": 4, "padding": "same"}}, [(None, 8, 3)]),
    ({"depthwise_conv1d": {"kernel_size": 5, "padding": "same"}}, [(None, 8, 3)]),
    ({"max_pooling1d": {"pool_size": 3, "strides": 1, "padding": "same"}}, [(None, 8, 3)]),
    ("attention", [(None, 6, 4)]),
    ({"multi_head_attention": {"num_heads": 2, "key_dim": 3}}, [(None, 6, 4)]),
    ({"gru": {"units": 3, "return_sequences": True, "go_backwards": True}}, [(None, 6, 3)]),
    ({"group_normalization": 2}, [(None, 6, 4)]),
    ({"layer_normalization": {"axis": [1, 2]}}, [(None, 6, 4)]),
    ({"softmax": {"axis": [1]}}, [(None, 6, 4)]),
    ({"max": {"axis": 1, "keepdims": True}}, [(None, 6, 4)]),
    ({"roll": {"axis": 1, "shift": -1}}, [(None, 6, 4)]),
    ({"slice": {"axis": 1, "start": 2}}, [(None, 6, 4)]),
]


ACROSS = [
    {"conv2d_transpose": {"filters": 2, "kernel_size": [1, 3], "strides": [1, 2]}},
    {"up_sampling2d": {"size": [1, 2], "interpolation": "bilinear"}},
    {"max_pooling2d": {"pool_size": [1, 2]}},
    {"zero_padding2d": [[0, 0], [1, 1]]},
    {"mean": {"axis": [2, 3], "keepdims": True}},
    {"sum": -1},
    {"slice": {"axis": 2, "start": 2}},
    {"roll": {"axis": -1, "shift": 1}},
    {"expand_dims": -1},
    "square",
]


@pytest.mark.parametrize("written", ACROSS, ids=str)
def test_what_is_done_along_other_axes_is_no_look_ahead(written):
    assert LAYERS.read(written).sight([Sight()], [(None, 6, 5, 3)]) == Sight()


@pytest.mark.parametrize(("written", "shapes"), SURELY, ids=str)
def test_what_the_graph_refuses_does_look_ahead(written, shapes):
    layer = LAYERS.read(written)
    sight = layer.sight([Sight() for _ in shapes], shapes)
    assert sight is None or sight.ahead > 0
    found = earlier_outputs_that_change(layer, shapes)
    assert any(changes_at(found, 1, t, t) for t in found)


def graph_of(layers):
    text = "dlspec: 1\ndata: {dataset: sine, window: {length: 12}}\nmodel:\n" + layers
    return dlspec.graph(dlspec.load(text))


@pytest.mark.parametrize(
    ("layers", "culprit"),
    [
        ("  - lstm: {units: 4, return_sequences: true}\n  - flatten\n  - output\n", "flatten_1"),
        ("  - conv1d: {filters: 4, kernel_size: 3, padding: same}\n  - flatten\n  - output\n", "flatten_1"),
        ("  - bidirectional: {lstm: 4}\n  - output\n", "bidirectional_1"),
        ("  - lstm: 4\n  - output\n", "lstm_1"),
    ],
)
def test_the_layer_that_looks_ahead_is_named(layers, culprit):
    assert looks_ahead(graph_of(layers)).name == culprit


class Unsaid(Output):
    """Says nothing of time, as a layer of a plugin may."""

    of_each_place = False


def test_a_layer_that_says_nothing_is_taken_to_look_ahead():
    assert Unsaid(units=3).sight([Sight()], [(None, 6, 3)]) is None


# --- where one input alone has timesteps

FED = """\
dlspec: 1
data:
  dataset: {sums: {digits: 2, samples: 60}}
  features: {question: {text: {tokens: characters, length: 5}}}
  target: {answer: {sequence: characters, feed_back: shifted}}
model:
  inputs: {sum: question, shifted: answer}
  layers:
    - embedding: {output_dim: 6, from: sum, mask_zero: true}
    - lstm: {units: 6, name: reader, return_sequences: true}
    - mean: {axis: 1, name: code}
    - embedding: {output_dim: 6, from: shifted, name: e, mask_zero: true}
"""
SEES = {
    "lstm: {units: 6, return_sequences: true, state_from: reader, from: e}": False,
    "attention: {from: [e, reader]}": False,
    "attention: {from: [e, e]}": True,
    "attention: {from: [e, e], use_causal_mask: true}": False,
    "multi_head_attention: {from: [e, reader], num_heads: 2, key_dim: 3}": False,
    "attention: {from: [reader, e]}; slice: {axis: 1, stop: 4}": True,
    "add: {from: [e, code]}": False,
    "repeat_vector: {n: 4, from: code, name: r}; concatenate: {from: [r, e]}": False,
    "gru: {units: 6, name: g, from: e}; gru: {units: 6, return_sequences: true, from: e, state_from: g}": True,
    "lstm: {units: 6, return_sequences: true, from: e, name: q}; "
    "lstm: {units: 6, return_sequences: true, from: reader, state_from: q}; slice: {axis: 1, stop: 4}": True,
    "mean: {axis: 1, from: e, name: m}; add: {from: [e, m]}": True,
}


@pytest.mark.parametrize(("layers", "sees"), SEES.items(), ids=SEES)
def test_of_what_is_fed_back_a_place_sees_the_past_alone(layers, sees):
    """What the rule says, and what Keras does when later places of that input are changed."""
    from dlspec.api import examine
    from dlspec.model.build import build_network

    text = FED + "".join(f"    - {layer}\n" for layer in [*layers.split("; "), "output"])
    graph = examine(text).graph
    assert (looks_ahead(graph, "shifted") is not None) == sees
    assert ("sees-the-answer" in [problem.code for problem in dlspec.validate(text)]) == sees
    network, random = build_network(graph), np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(random.normal(size=weight.shape) / 2)
    source = random.integers(3, 12, (8, 5))
    source[:4, 3:] = 0
    fed = np.concatenate([np.full((8, 1), 2), random.integers(3, 12, (8, 3))], axis=1)
    before, moved = np.asarray(network([source, fed])), False
    for place in range(3):
        changed = fed.copy()
        changed[:, place + 1 :] = random.integers(3, 12, (8, 3 - place))
        moved |= bool(np.abs(np.asarray(network([source, changed])) - before)[:, : place + 1].max() > 1e-5)
    assert moved == sees
