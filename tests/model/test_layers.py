"""Shapes, parameters and building of every layer type against Keras itself."""

import numpy as np
import pytest
from pydantic import ValidationError

import dlspec
from dlspec.language.shapes import ShapeError
from dlspec.model.build import in_use
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.core import Output

EXAMPLES = [
    (example.written, example.shapes)
    for name in LAYERS
    if issubclass(LAYERS[name], LayerSpec) and name != "output"
    for example in LAYERS[name].examples
]


@pytest.mark.parametrize(("written", "shapes"), EXAMPLES, ids=str)
def test_an_example_works_when_built_and_after_being_saved(written, shapes, tmp_path):
    import keras

    layer = LAYERS.read(written)
    inputs = [keras.Input(shape[1:], dtype=layer.input_dtype) for shape in shapes]
    built = layer.build("it")
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer.connect(built, inputs))
    values = [some_values(layer, shape) for shape in shapes]
    out = np.asarray(model(values if len(values) > 1 else values[0]))
    assert out.shape == tuple(size or known for size, known in zip(layer.infer(*shapes), out.shape, strict=True))
    if not type(built).__module__.startswith("keras."):  # which is not what is saved
        model = in_use(model)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert [type(each) for each in again.layers] == [type(each) for each in model.layers]
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in model.weights]


def some_values(layer, shape):
    """A batch of two that the layer takes."""
    random = np.random.default_rng(0)
    sizes = (2, *(size or 7 for size in shape[1:]))
    if layer.input_dtype == "string":
        return np.full(sizes, "a b", dtype=object)
    if layer.input_dtype.startswith("int"):
        return random.integers(0, 2, sizes).astype(layer.input_dtype)
    return random.random(sizes).astype("float32")


@pytest.mark.parametrize(
    ("written", "shape", "flops"),
    [
        ({"dense": 3}, (None, 8), 3 * (2 * 8 + 1)),
        ({"dense": {"units": 3, "use_bias": False, "activation": "relu"}}, (None, 8), 3 * (2 * 8 + 1)),
        # four gates of 2 (3 + 4) 4 operations and 4 biases, four more operations a unit and gate, six timesteps
        ({"lstm": 4}, (None, 6, 3), 6 * (4 * (2 * (3 + 4) * 4 + 4) + 4 * 4 * 4)),
        ({"conv2d": {"filters": 4, "kernel_size": 3}}, (None, 8, 8, 2), 6 * 6 * 4 * (2 * 9 * 2 + 1)),
        ({"max_pooling2d": 2}, (None, 8, 8, 2), 4 * 4 * 2 * 4),
        ("flatten", (None, 8, 8), 0),
        # 4 x 5 places of 3 channels, each read between four others: four multiply-adds
        ({"resizing": {"height": 4, "width": 5}}, (None, 8, 9, 3), 4 * 5 * 3 * 4 * 2),
        # nine multiply-adds, and the value is cut off
        ({"random_gaussian_blur": {"kernel_size": 3}}, (None, 8, 9, 3), 8 * 9 * 3 * (2 * 9 + 1)),
        # (100 - 16) // 8 + 1 frames of 16 // 2 + 1 frequencies: two parts of 16 multiply-adds each, two squares, their
        # sum, a root and a logarithm
        ({"stft_spectrogram": {"frame_length": 16}}, (None, 100, 1), 11 * 9 * (2 * 2 * 16 + 5)),
        # the lstm above, in both directions
        ({"bidirectional": {"lstm": 4}}, (None, 6, 3), 2 * 6 * (4 * (2 * (3 + 4) * 4 + 4) + 4 * 4 * 4)),
        # a cell on another one: three gates of 3 + 4 numbers and two biases, then one of 4 + 2 and one
        (
            {"rnn": {"stacked_rnn_cells": [{"gru_cell": 4}, {"simple_rnn_cell": 2}]}},
            (None, 6, 3),
            6 * (3 * (2 * (3 + 4) * 4 + 2 * 4 + 4 * 4) + (2 * (4 + 2) * 2 + 2 + 4 * 2)),
        ),
        ({"time_distributed": {"dense": 4}}, (None, 6, 3), 6 * 4 * (2 * 3 + 1)),
        # sum, difference, square, sum, quotient; then scale and center
        ("layer_normalization", (None, 4, 8), 4 * 8 * (5 + 2)),
        # for each of 6 x 6 pairs a product of 4 features, its softmax, and a multiply-add for 4 features
        ("attention", (None, 6, 4), 6 * 6 * (2 * 4 + 1 + 2 * 4)),
        # four matrices of 8 x 8 and their biases, queries scaled, then as above for each of two heads
        (
            {"multi_head_attention": {"num_heads": 2, "key_dim": 4}},
            (None, 6, 8),
            4 * 6 * 8 * (2 * 8 + 1) + 6 * 2 * 4 + 2 * 6 * 6 * (2 * 4 + 1 + 2 * 4),
        ),
    ],
    ids=str,
)
def test_flops_by_hand(written, shape, flops):
    assert LAYERS.read(written).flops(shape) == flops


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ({"lstm": 4}, (None, 8)),
        ({"conv2d": {"filters": 2, "kernel_size": 9}}, (None, 8, 8, 1)),
        ({"conv2d": {"filters": 4, "kernel_size": 3, "groups": 2}}, (None, 8, 8, 3)),
        ({"max_pooling1d": 9}, (None, 8, 1)),
        ({"reshape": [5, 2]}, (None, 12)),
        ({"reshape": [5, -1]}, (None, 12)),
        ({"repeat_vector": 3}, (None, 4, 4)),
        ({"time_distributed": {"dense": 3}}, (None, 4)),
        ({"time_distributed": {"conv1d": {"filters": 2, "kernel_size": 3}}}, (None, 5, 4)),
        ({"layer_normalization": {"axis": 0}}, (None, 5, 4)),
        ({"layer_normalization": {"axis": [1, -2]}}, (None, 5, 4)),
        ({"rms_normalization": {"axis": 1}}, (None, 5, 4)),
        ({"group_normalization": 3}, (None, 5, 4)),
        ("attention", (None, 4)),
        ({"multi_head_attention": {"num_heads": 2, "key_dim": 4, "attention_axes": 2}}, (None, 5, 4)),
        ({"multi_head_attention": {"num_heads": 2, "key_dim": 4, "use_causal_mask": True}}, (None, 5, 6, 4)),
    ],
    ids=str,
)
def test_a_shape_that_does_not_fit_is_refused(written, shape):
    with pytest.raises(ShapeError):
        LAYERS.read(written).infer(shape)


def test_what_is_known_of_an_output_is_known_without_the_input():
    assert LAYERS.read({"lstm": 4}).infer(None) == (None, 4)
    assert LAYERS.read({"lstm": {"units": 4, "return_sequences": True}}).infer(None) == (None, None, 4)
    assert LAYERS.read("flatten").infer(None) == (None, None)
    assert LAYERS.read({"dense": 4}).infer(None) is None


def test_output_counts_like_the_dense_layer_that_it_becomes():
    output = Output(units=10, activation="softmax")
    dense = LAYERS.read({"dense": {"units": 10, "activation": "softmax"}})
    assert output.parameters((None, 32)) == dense.parameters((None, 32))
    assert output.flops((None, 32)) == dense.flops((None, 32))


@pytest.mark.parametrize(
    ("written", "code", "place"),
    [
        ({"bidirectional": {"lstm": {"units": 0}}}, "out-of-range", ("bidirectional", "lstm", "units")),
        (
            {"bidirectional": {"layer": {"lstm": {"units": 0}}}},
            "out-of-range",
            ("bidirectional", "layer", "lstm", "units"),
        ),
        ({"bidirectional": {"lstm": {"unitz": 4}}}, "unknown-key", ("bidirectional", "lstm", "unitz")),
        ({"bidirectional": {"lsmt": 4}}, "unknown-layer", ("bidirectional", "lsmt")),
        ({"bidirectional": {"layr": {"lstm": 4}}}, "unknown-key", ("bidirectional", "layr")),
        ({"bidirectional": {"lstm": 4, "merge_mode": "sum"}}, "unknown-key", ("bidirectional", "lstm")),
        (
            {"time_distributed": {"time_distributed": {"dense": 0}}},
            "out-of-range",
            ("time_distributed",) * 2 + ("dense",),
        ),
        ({"rnn": {"gru_cell": {"units": 0}}}, "out-of-range", ("rnn", "gru_cell", "units")),
        ({"rnn": {"gru": 4}}, "unknown-cell", ("rnn", "gru")),
        (
            {"rnn": {"stacked_rnn_cells": [{"gru_cell": 4}, {"gru_cell": 0}]}},
            "out-of-range",
            ("rnn", "stacked_rnn_cells"),
        ),
    ],
    ids=str,
)
def test_a_mistake_in_a_layer_inside_another_stands_at_the_inner_key(written, code, place):
    with pytest.raises(ValidationError) as caught:
        LAYERS.read(written)
    (error,) = caught.value.errors()
    assert error["type"] == code
    assert error["loc"][: len(place)] == place


@pytest.mark.parametrize(
    "written",
    [
        {"bidirectional": {"dense": 4}},
        {"bidirectional": {"lstm": {"units": 4, "go_backwards": True}}},
        {"bidirectional": {"layer": {"lstm": 4}, "backward_layer": {"lstm": 4}}},
        {"time_distributed": "output"},
        {"time_distributed": {"attention": {"use_scale": True}}},
        {"time_distributed": {"lstm": {"units": 4, "activity_regularizer": {"l2": 0.1}}}},
        {"spectral_normalization": {"lstm": 4}},
        {"lstm": {"units": 4, "use_cudnn": True}},
        {"group_query_attention": {"head_dim": 4, "num_query_heads": 3, "num_key_value_heads": 2}},
        {"batch_normalization": {"renorm_clipping": {"rmax": 3.0}}},
        {"einsum_dense": {"equation": "abc,cd->abd", "output_shape": [None, 6], "bias_axes": "b"}},
    ],
    ids=str,
)
def test_arguments_that_do_not_go_together_are_one_mistake(written):
    with pytest.raises(ValidationError) as caught:
        LAYERS.read(written)
    (error,) = caught.value.errors()
    assert error["type"] == "wrong-value"


def test_a_layer_inside_another_stays_frozen():
    built = LAYERS.read({"bidirectional": {"lstm": {"units": 4, "trainable": False}}}).build("it")
    built.build((None, 6, 3))
    assert not built.trainable_weights


def test_a_size_that_is_null_is_that_of_the_input():
    """Also for the layers behind it, to which Keras would tell nothing."""
    layers = "{dense: 6}, {einsum_dense: {equation: 'abc,bd->adc', output_shape: [4, null]}}, {dense: 3}, flatten"
    data = "{dataset: {adding_problem: {samples: 60, timesteps: 5}}}"
    spec = dlspec.load(f"dlspec: 1\ndata: {data}\nmodel: [{layers}, output]\n")
    graph, network = dlspec.graph(spec), dlspec.build(spec)
    assert graph["einsum_dense_1"].output_shape == (None, 4, 6)
    assert network.count_params() == sum(layer.parameters for layer in graph.layers)
