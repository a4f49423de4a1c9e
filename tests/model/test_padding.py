"""Padding samples further changes no answer: as predicted, as trained, and once saved."""

import numpy as np
import pytest

import dlspec
from dlspec.api import validate
from dlspec.model.layers import LAYERS
from dlspec.model.layers.base import Merging
from dlspec.model.layers.operations import Operating
from dlspec.model.saved import load_model

HEAD = (
    "masking: {name: there}",
    "dense: {units: 6, name: other}",
    "dense: {units: 6, name: masked, from: there}",
)
"""Layers whose biases make padding something else than 0."""
MERGES = ("add", "average", "maximum", "minimum", "multiply", "subtract")
REDUCTIONS = ("sum", "mean", "max", "min", "var", "logsumexp")
EACH = ("square", "exp", "abs", "sin", "cos", "clip: {x_min: -0.2, x_max: 0.3}", "power: 2")
FEW = "slice: {axis: 1, start: 0, stop: 6, name: few, from: input}"
"""A matrix of each sample that padding does not touch."""

CASES = {
    **{each.partition(":")[0]: [each, "mean: 1"] for each in EACH},
    **{each: ["abs", "clip: {x_min: 0.001, x_max: 99}", each, "var: 1"] for each in ("log", "sqrt", "power: -0.5")},
    **{name: [f"{name}: 1"] for name in REDUCTIONS},
    **{f"{name} kept": [f"{name}: {{axis: 1, keepdims: true}}", "flatten"] for name in REDUCTIONS},
    **{f"{name} of features": [f"{name}: {{axis: -1, keepdims: true}}", "lstm: 3"] for name in REDUCTIONS},
    **{f"{name} of one of two": ["stack: {axis: 2, from: [masked, other]}", f"{name}: 2", "mean: 1"]
       for name in REDUCTIONS},
    "mean of all": ["mean: {axis: [1, 2], keepdims: true}", "flatten"],
    "mean in another type": ["mean: {axis: 1, dtype: bfloat16}"],
    "max in another type": ["max: {axis: 1, dtype: float16}"],
    **{f"{merge} two": [f"{merge}: {{from: [masked, other]}}", "lstm: 3"] for merge in MERGES},
    **{f"{merge} one masked": [f"{merge}: {{from: [input, masked]}}", "mean: 1"] for merge in MERGES},
    **{f"{merge} operation": ["sin: {name: e}", f"{merge}: {{from: [e, other]}}", "max: 1"] for merge in MERGES},
    **{f"{merge} stretched": ["slice: {axis: 1, stop: 1, name: first}", f"{merge}: {{from: [masked, first]}}",
                              "sum: 1"] for merge in MERGES},
    **{f"{merge} vector": ["mean: {axis: 1, name: row}", f"{merge}: {{from: [masked, row]}}", "max: 1"]
       for merge in MERGES},
    **{f"{merge} pictures": ["time_distributed: {layer: {reshape: [6, 1]}, name: e}",
                             "time_distributed: {layer: {reshape: [6, 1]}, from: other, name: s}",
                             f"{merge}: {{from: [e, s]}}", "mean: 1", "flatten"] for merge in MERGES},
    "concatenate two": ["concatenate: {from: [masked, other]}", "lstm: 3"],
    "concatenate one masked": ["concatenate: {from: [masked, input]}", "mean: 1"],
    "concatenate in time": ["concatenate: {axis: 1, from: [masked, few]}", "mean: 1"],
    "concatenate pictures": ["expand_dims: {axis: -1, name: e}", "concatenate: {axis: 2, from: [e, e]}", "mean: 1",
                             "flatten"],
    "stack": ["stack: {axis: -1, from: [masked, input]}", "mean: 1", "flatten"],
    "stack in front": ["stack: {axis: 1, from: [masked, other]}", "mean: [1, 2]"],
    "dot": ["dot: {axes: 2, from: [masked, other]}", "sum: {axis: [1, 2], keepdims: true}", "flatten"],
    "dot cosine": ["dot: {axes: [2, 1], normalize: true, from: [masked, few]}", "exp", "mean: 1"],
    **{f"distance {metric}": [f"distance: {{metric: {metric}, from: [masked, other]}}", "lstm: 3"]
       for metric in ("euclidean", "squared_euclidean", "manhattan", "cosine")},
    "distance one masked": ["distance: {from: [masked, input]}", "mean: 1"],
    "matmul": ["matmul: {from: [masked, few]}", "logsumexp: 1"],
    "einsum": ["einsum: {subscripts: 'btc,btd->btcd', from: [masked, input]}", "sum: 1", "flatten"],
    "einsum pairs": ["einsum: {subscripts: 'btc,bsc->bts', from: [masked, other]}",
                     "sum: {axis: [1, 2], keepdims: true}", "flatten"],
    "slice of time": ["slice: {axis: 1, start: 1, stop: 8, step: 3}", "mean: 1"],
    "slice of features": ["slice: {axis: -1, start: 1}", "lstm: 3"],
    "split": ["split: {axis: 2, into: [a, b, c]}", "multiply: {from: [a, b]}", "mean: 1"],
    "roll": ["roll: {axis: -1, shift: 1}", "mean: 1"],
    "expand_dims": ["expand_dims: 2", "exp", "mean: [1, 2]"],
    "expand_dims in front": ["expand_dims: 1", "exp", "max: [1, 2]"],
    "squeeze": ["expand_dims: -1", "exp", "squeeze: -1", "mean: 1"],
    "layer_scale": ["layer_scale: {initializer: {constant: 0.7}}", "mean: 1"],
    "position_embedding": ["position_embedding: {length: 20}", "exp", "mean: 1"],
    "sines": ["position_embedding: sine", "sin", "mean: 1"],
    "learned": ["learned: {shape: [2, 6], name: tokens}", "concatenate: {axis: 1, from: [tokens, masked]}", "mean: 1"],
    "skip": ["skip: [dense: 6, sin, square]", "lstm: 3"],
    "shared": ["dense: {units: 6, name: d}", "exp", "shared: {layers: d}", "mean: 1"],
    "attention pooling": ["dense: 1", "squeeze: -1", "softmax", "expand_dims: {axis: -1, name: w}",
                          "multiply: {from: [masked, w]}", "sum: 1"],
    "softmax along time": ["dense: 1", "softmax: {axis: 1, name: w}", "multiply: {from: [masked, w]}", "sum: 1"],
    "softmax of features": ["softmax", "mean: 1"],
    # layers of Keras above an operation, which hands no mask on while values run
    "attention": ["sin", "attention", "mean: 1"],
    "attention of two": ["sin: {name: e}", "attention: {from: [few, e]}", "mean: 1"],
    "additive_attention": ["sin", "additive_attention", "mean: 1"],
    "multi_head_attention": ["sin", "multi_head_attention: {num_heads: 2, key_dim: 3}", "mean: 1"],
    "group_query_attention": ["sin", "group_query_attention: {head_dim: 2, num_query_heads: 2, "
                              "num_key_value_heads: 1}", "mean: 1"],
    "lstm in another type": ["exp", "lstm: {units: 3, dtype: mixed_bfloat16}"],
    "state": ["lstm: {units: 5, name: r, return_sequences: true}", "gru: {units: 3, from: other, name: g}",
              "lstm: {units: 5, state_from: r, from: masked}", "concatenate: {from: [g, lstm_1]}"],
    "bidirectional": ["exp", "bidirectional: {lstm: {units: 3, return_sequences: true}}", "cos", "max: 1"],
    "time_distributed": ["exp", "time_distributed: {dense: 4}", "exp", "min: 1"],
    "batch_normalization": ["square", "batch_normalization", "mean: 1"],
    "layer_normalization": ["square", "layer_normalization", "mean: 1"],
    "rms_normalization": ["square", "rms_normalization", "mean: 1"],
    "global_average_pooling1d": ["exp", "global_average_pooling1d"],
}  # fmt: skip
"""Layers above `HEAD`."""


def spec_of(layers, length=9):
    head = [*HEAD, *([FEW, "identity: {from: masked}"] if "few" in str(layers) else [])]
    return f"dlspec: 1\ndata: {{dataset: goog, window: {{length: {length}}}}}\nmodel:\n" + "".join(
        f"  - {line}\n" for line in [*head, *layers, "output"]
    )


def samples(length):
    """Sequences of 9, 6, 1 and 8 timesteps, filled up with zeros to a length."""
    values = np.random.default_rng(3).normal(size=(4, 9, 6)).astype("float32")
    values[1, 6:] = values[2, 1:] = values[3, 8:] = 0
    return np.concatenate([values, np.zeros((4, length - 9, 6), "float32")], axis=1)


def weights_for(network):
    """Random ones, biases too, so that padding comes out of every layer as something."""
    rng = np.random.default_rng(0)
    return [
        weight.numpy() if weight.path.endswith("variance") else rng.normal(size=weight.shape).astype("float32") / 2
        for weight in network.weights
    ]


def trained(network, length):
    """The weights after three steps."""
    import keras

    network.compile(optimizer=keras.optimizers.SGD(0.01, clipnorm=1.0), loss="mse")
    targets = np.random.default_rng(1).normal(size=(4, 1))
    network.fit(samples(length), targets, epochs=3, batch_size=4, verbose=0, shuffle=False)
    return network.get_weights()


@pytest.mark.everyday("add stretched", "attention pooling", "lstm in another type")
@pytest.mark.parametrize("layers", CASES.values(), ids=CASES)
def test_more_padding_changes_nothing(layers, tmp_path):
    text = spec_of(layers)
    assert not [problem for problem in validate(text) if problem.code in ("masked-axis", "dropped-mask")]
    network, longer = dlspec.build(text), dlspec.build(spec_of(layers, 14))
    weights = weights_for(network)
    network.set_weights(weights)
    longer.set_weights(weights)
    off = {"rtol": 2e-2, "atol": 2e-2} if "16" in str(layers) else {"rtol": 1e-4, "atol": 1e-4}

    before = network.predict(samples(9), verbose=0)
    assert np.isfinite(before).all()
    assert np.ptp(before) > 1e-3
    np.testing.assert_allclose(longer.predict(samples(14), verbose=0), before, **off)

    longer.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    for one, other in zip(trained(network, 9), trained(longer, 14), strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(other, one, **off)

    again.set_weights(longer.get_weights())
    answers = again.predict(samples(14), verbose=0)
    np.testing.assert_array_equal(answers, longer.predict(samples(14), verbose=0))
    np.testing.assert_allclose(answers, network.predict(samples(9), verbose=0), **off)


def test_every_operation_and_every_layer_that_merges_is_padded():
    padded = {line.partition(":")[0] for layers in CASES.values() for line in layers}
    kinds = {name: LAYERS[name] for name in LAYERS}
    names = {name for name, kind in kinds.items() if issubclass(kind, Operating | Merging)}
    assert names - padded <= {"hashed_crossing", "sampling"}, "which take no sequences, or draw at random in training"


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (["dot: {axes: 1, from: [masked, other]}"], "`dot` adds up along axis 1 of its first input"),
        (["dot: {axes: [2, 2], from: [input, masked]}"], "behind one that has none"),
        (["split: {axis: 1, into: [a, b, c]}"], "`split` cuts axis 1, which has a mask, into equal parts"),
        (["mean: -1"], "`output` brings values along axis 1 together"),
        (["mean: -1", "dense: 4"], "`dense` brings values along axis 1 together"),
        (["mean: -1", "activation: softmax"], "`activation` brings values along axis 1 together"),
        (["mean: -1", "batch_normalization"], "covers all axes but the last"),
        (["layer_normalization: {axis: 1}"], "`layer_normalization` brings values along axis 1 together"),
        (["group_normalization: {groups: 2}"], "`group_normalization` brings values along axis 1 together"),
        (["lstm: {units: 4, return_sequences: true, go_backwards: true}"], "in the other order"),
    ],
    ids=str,
)
def test_layers_of_keras_that_would_take_padding_for_data_are_refused(layers, said):
    layers = layers if layers == ["mean: -1"] else [*layers, "flatten"]
    problems = [problem for problem in validate(spec_of(layers)) if problem.code == "masked-axis"]
    assert len(problems) == 1
    assert said in problems[0].message
    assert problems[0].help


@pytest.mark.parametrize(
    "layer",
    ["conv1d: {filters: 3, kernel_size: 3}", "permute: [2, 1]", "max_pooling1d: 2", "flatten", "reshape: [-1, 3]"],
)
def test_a_layer_that_drops_the_mask_is_a_warning(layer):
    (problem,) = [each for each in validate(spec_of(["exp", layer, "flatten"])) if each.code == "dropped-mask"]
    assert f"`{layer.partition(':')[0]}` drops the mask" in problem.message
    assert [label.text for label in problem.labels] == ["makes the mask"]


@pytest.mark.slow
def test_a_run_on_texts_that_are_filled_up_further_learns_the_same(tmp_path):
    rng = np.random.default_rng(5)
    words = ["good", "fine", "great", "bad", "poor", "sad", "the", "film", "was", "it"]
    rows = [" ".join(rng.choice(words, size=rng.integers(1, 9))) for _ in range(120)]
    labels = ["up" if sum(row.count(word) for word in words[:3]) > 1 else "down" for row in rows]
    lines = [f"{row},{label}\n" for row, label in zip(rows, labels, strict=True)]
    (tmp_path / "texts.csv").write_text("text,label\n" + "".join(lines))
    histories = []
    for length in (10, 17):
        text = f"""dlspec: 1
data: {{table: {tmp_path / "texts.csv"}, target: label, features: {{text: {{text: {{length: {length}}}}}}}}}
model:
  - embedding: {{output_dim: 6, mask_zero: true}}
  - position_embedding: sine
  - skip: [layer_normalization, {{multi_head_attention: {{num_heads: 2, key_dim: 3}}}}, layer_scale]
  - square
  - branches: {{merge: concatenate, paths: [[{{mean: 1}}], [{{max: 1}}], [{{logsumexp: 1}}], [attention, {{var: 1}}]]}}
  - output
train: {{epochs: 3}}
evaluate: {{baselines: []}}
"""
        run = dlspec.run(text, out=tmp_path / str(length))
        histories.append([(epoch.loss, epoch.val_loss) for epoch in run.history])
        assert dlspec.open_run(run.folder).metrics.test
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-4)
    assert histories[0][-1][0] < histories[0][0][0]
