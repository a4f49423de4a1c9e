"""What becomes of masks: the analysis of the graph against Keras, and padding that must change nothing."""

import warnings

import numpy as np
import pytest

import dlspec
from dlspec.api import validate
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.base import MaskError
from dlspec.model.layers.masking import mask_of
from dlspec.model.masks import masks_of

EXAMPLES = [
    (example.written, example.shapes)
    for name in LAYERS
    if issubclass(LAYERS[name], LayerSpec) and name != "output"
    for example in LAYERS[name].examples
]


def masked_input(keras, shape, covered, dtype):
    """An input whose first axes behind the batch have a mask, and the input of that mask."""
    mask = keras.Input(shape[1 : covered + 1], dtype="bool")
    x = keras.Input(shape[1:], dtype=dtype)
    x._keras_mask = mask
    return x, mask


@pytest.mark.parametrize("covered", [1, 2])
@pytest.mark.parametrize(("written", "shapes"), EXAMPLES, ids=str)
def test_a_mask_comes_out_where_the_graph_says_so(written, shapes, covered):
    import keras

    layer = LAYERS.read(written)
    if any(len(shape) <= covered + 1 for shape in shapes) or layer.input_dtype == "string":
        pytest.skip("no axis left for a mask")
    inputs = [masked_input(keras, shape, covered, layer.input_dtype)[0] for shape in shapes]
    try:
        said = layer.masked_axes([covered] * len(shapes), shapes)
    except MaskError:
        with pytest.raises(dlspec.DataError, match="mask"):
            layer.connect(layer.build("it"), inputs)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says that a layer drops the mask
        output = layer.connect(layer.build("it"), inputs)
    mask = mask_of(output)
    assert (0 if mask is None else len(mask.shape) - 1) == said, f"{written} of {shapes}"
    if mask is not None and layer.type_name != "time_distributed":
        assert tuple(mask.shape[1:]) == tuple(output.shape[1 : said + 1])


def spec_of(layers, length=9):
    lines = ["masking: {name: masked}", *layers, "output"]
    return f"dlspec: 1\ndata: {{dataset: goog, window: {{length: {length}}}}}\nmodel:\n" + "".join(
        f"  - {line}\n" for line in lines
    )


def samples(length):
    """Sequences of 9, 6, and 1 timesteps, filled up with zeros to a length."""
    values = np.random.default_rng(3).normal(size=(4, 9, 6)).astype("float32")
    values[1, 6:] = values[2, 1:] = 0
    return np.concatenate([values, np.zeros((4, length - 9, 6), "float32")], axis=1)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "var", "logsumexp"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_masked_timesteps_are_left_out_and_a_sample_of_them_alone_gives_zero(name, keepdims):
    import keras

    spec = spec_of([f"{name}: {{axis: 1, keepdims: {str(keepdims).lower()}, name: it}}", "flatten"])
    network = dlspec.build(spec)
    values = samples(9)
    values[3] = 0
    found = np.asarray(keras.Model(network.input, network.get_layer("it").output)(values)).reshape(4, 6)
    plain = getattr(keras.ops, name)
    for row, length in enumerate((9, 6, 1)):
        np.testing.assert_allclose(found[row], plain(values[row, :length], axis=0), rtol=1e-4, atol=1e-5)
    assert (found[3] == 0).all()


@pytest.mark.parametrize(
    "layers",
    [["abs", "log", "mean: 1"], ["abs", "sqrt", "sum: 1"], ["abs", "power: -0.5", "var: 1"], ["logsumexp: 1"]],
    ids=str,
)
def test_what_is_masked_leaves_gradients_finite(layers):
    import tensorflow as tf

    network = dlspec.build(spec_of(["dense: 6", *layers]))  # its bias is 0, so that padding comes out as 0
    values = samples(9)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(values) ** 2)
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_weights])
    assert all(np.isfinite(np.asarray(gradient)).all() for gradient in gradients)


@pytest.mark.parametrize(
    ("layers", "line", "said"),
    [
        (["roll: {axis: 1, shift: 1}", "lstm: 4"], 5, "padding would come in"),
        (["matmul: {from: [masked, input]}", "flatten"], None, None),
        (["permute: [2, 1]", "identity: {name: turned}", "matmul: {from: [turned, masked]}", "flatten"], 7, "adds up"),
        (["einsum: {subscripts: 'btc->bc'}"], 5, "adds up along `t`"),
        (["einsum: {subscripts: 'btc->bct'}", "flatten"], 5, "puts an axis that has a mask behind"),
        (["slice: {axis: 1, start: -3}", "lstm: 4"], 5, "counts from the end"),
        (["exp", "skip: [dense: 6]", "roll: {axis: -2, shift: 1}", "lstm: 4"], 7, "padding would come in"),
    ],
    ids=str,
)
def test_what_cannot_take_a_mask_is_found_without_keras(layers, line, said):
    problems = [problem for problem in validate(spec_of(layers)) if problem.code == "masked-axis"]
    if said is None:
        assert not problems
        return
    (problem,) = problems
    assert said in problem.message
    assert problem.span.line == line
    assert problem.help
    assert [(label.span.line, label.text) for label in problem.labels] == [(4, "makes the mask")]


def test_masks_of_a_graph_name_axes_and_makers():
    graph = dlspec.graph(spec_of(["exp", "expand_dims: 1", "mean: 2", "lstm: 4"]))
    masks = masks_of(graph)
    assert masks.axes("input") == ()
    assert masks.axes("masked") == masks.axes("exp_1") == (1,)
    assert masks.axes("expand_dims_1") == (1, 2)
    assert masks.axes("mean_1") == (1,)
    assert "lstm_1" not in masks
    assert masks.makers["mean_1"] == "masked"


@pytest.mark.slow
def test_a_network_with_masks_learns(tmp_path):
    text = spec_of(["dense: 8", "skip: [dense: 8, sin]", "mean: 1"]) + "train: {epochs: 4}\nevaluate: {baselines: []}\n"
    run = dlspec.run(text, out=tmp_path / "run")
    losses = [epoch.loss for epoch in run.history]
    assert losses[-1] < losses[0]
    again = dlspec.open_run(run.folder)
    assert again.metrics.test
