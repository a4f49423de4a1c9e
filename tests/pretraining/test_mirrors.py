"""Mirrors: whatever has one leads back to its input, in a network and by its own account of shapes."""

import keras
import numpy as np
import pytest

import dlspec
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.base import Example

EXAMPLES = [
    (name, example)
    for name, kind in LAYERS.load_all().items()
    if issubclass(kind, LayerSpec)
    for example in kind.examples
    if isinstance(example, Example) and len(example.shapes) == 1
]
MIRRORED = [
    (example.written, example.shape)
    for _, example in EXAMPLES
    if LAYERS.read(example.written).mirror(example.shape) is not None
]
"""Ways to write layers that have a mirror, and what they take."""


@pytest.mark.parametrize(("written", "shape"), MIRRORED, ids=str)
def test_a_mirror_leads_back_to_the_shape_of_the_input(written, shape):
    layer = LAYERS.read(written)
    inputs = keras.Input(shape[1:])
    x, expected = layer.connect(layer.build("there"), [inputs]), layer.infer(shape)
    for i, part in enumerate(layer.mirror(shape)):
        expected = part.infer(expected)
        x = part.connect(part.build(f"back_{i}"), [x])
        assert tuple(x.shape) == expected
    assert tuple(x.shape) == shape


def test_layers_of_every_family_have_one():
    names = {next(iter(w)) if isinstance(w, dict) else w for w, _ in MIRRORED}
    assert names >= {
        "dense", "conv1d", "conv2d", "conv3d", "separable_conv2d", "depthwise_conv2d", "conv2d_transpose",
        "max_pooling1d", "max_pooling2d", "max_pooling3d", "average_pooling2d", "lstm", "gru", "simple_rnn", "rnn",
        "bidirectional", "time_distributed", "flatten", "reshape", "permute", "activation", "dropout",
        "batch_normalization", "zero_padding2d", "cropping2d", "up_sampling2d",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["embedding", "multi_head_attention", "global_max_pooling2d", "conv_lstm1d"])
def test_a_layer_without_a_mirror_is_named_before_training(name):
    written = {
        "embedding": "- embedding: {input_dim: 20, output_dim: 4}\n  - flatten",
        "multi_head_attention": "- multi_head_attention: {num_heads: 2, key_dim: 4, from: [input, input]}\n  - flatten",
        "global_max_pooling2d": "- reshape: [8, 8, 1]\n  - conv2d: {filters: 2, kernel_size: 3}\n"
        "  - global_max_pooling2d",
        "conv_lstm1d": "- reshape: [8, 8, 1]\n  - conv_lstm1d: {filters: 2, kernel_size: 3}\n  - flatten",
    }[name]
    then = "unroll" if "pooling" in name else "fine_tune"
    text = f"dlspec: 1\ndata: {{dataset: digits, scale: none, target: input}}\nmodel:\n  {written}\n  - dense: 4\n"
    text += f"  - output\npretrain: {{method: autoencoder, then: {then}}}\n"
    problems = [p for p in dlspec.validate(text) if p.code in ("cannot-pretrain", "cannot-unroll")]
    assert problems
    assert name in problems[0].message


UNROLLED = {
    "dense": "  - flatten\n  - dense: {units: 12, activation: sigmoid}\n  - dropout: 0.1\n  - dense: 3\n",
    "with_output": "  - flatten\n  - dense: {units: 12, activation: relu}\n  - dense: 3\n  - output\n",
    "pictures": "  - reshape: [8, 8, 1]\n  - conv2d: {filters: 4, kernel_size: 3, padding: same}\n"
    "  - batch_normalization\n  - activation: relu\n  - max_pooling2d: 2\n  - flatten\n  - dense: 5\n",
}


@pytest.mark.parametrize("name", UNROLLED)
@pytest.mark.parametrize("scale", ["min_max", "standard"])
def test_an_unrolled_network_gives_back_its_input(name, scale):
    spec = dlspec.load(
        f"dlspec: 1\ndata: {{dataset: digits, scale: {scale}}}\nmodel:\n{UNROLLED[name]}"
        "pretrain: {method: autoencoder, then: unroll}\n"
    )
    graph = dlspec.graph(spec)
    assert spec.data.target == "input"
    assert graph.output_shape == (None, 8, 8)
    model = dlspec.build(spec)
    assert model.output_shape == (None, 8, 8)
    assert model.count_params() == graph.parameters
    back = np.asarray(model(np.random.default_rng(0).uniform(size=(20, 8, 8)).astype("float32")))
    if scale == "min_max":
        assert back.min() > 0
        assert back.max() < 1
    else:
        assert back.min() < 0
    hidden = [layer.name for layer in graph.hidden]
    assert hidden == [stage.layer.name for stage in dlspec.plan(spec).pretraining]
    bent = [layer.layer.activation for layer in graph.layers if layer.mirrors and layer.layer.has_weights]
    made = {"dense": "sigmoid", "with_output": "relu", "pictures": "relu"}[name]
    assert bent == [made, "sigmoid" if scale == "min_max" else "linear"]


def test_unrolling_needs_a_chain():
    text = (
        "dlspec: 1\ndata: {dataset: digits}\nmodel:\n  - flatten\n  - skip: [dense: 64]\n  - dense: 4\n"
        "pretrain: {method: autoencoder, then: unroll}\n"
    )
    (problem,) = (p for p in dlspec.validate(text) if p.is_error)
    assert problem.code == "cannot-unroll"
    assert "takes 2 inputs" in problem.message
