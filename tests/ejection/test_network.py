"""`build_network`: blocks are functions, repeats loops, variables constants, and the network is the same."""

import numpy as np
import pytest

import dlspec
from dlspec.ejection.network import write_network
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.model.build import build_network
from dlspec.runs.job import load_data, plan_of
from dlspec.spec.defaults import fill_in
from tests.ejection.scripts import loaded

DIGITS = "data: {dataset: digits, scale: min_max, limit: 100}"
IRIS = "data: {dataset: iris}"
GOOG = "data: {dataset: goog, window: {length: 8}}"


def build(text, folder):
    """The script of a spec, which gives the same as dlspec's network, and its text."""
    (folder / "spec.yaml").write_text(f"dlspec: 1\nname: tried\n{text}\n", encoding="utf-8")
    spec = dlspec.load(folder / "spec.yaml")
    data = load_data(spec)
    subject = Subject(fill_in(spec, data.signature), (data,), plan_of(spec, data), folder)
    script = Script("tried")
    write_network(script, subject)
    module = loaded(script, folder)
    ours, theirs = build_network(subject.graph, "tried", one_input=True), module.build_network()
    assert [weight.shape for weight in theirs.weights] == [weight.shape for weight in ours.weights]
    assert [weight.trainable for weight in theirs.weights] == [weight.trainable for weight in ours.weights]
    theirs.set_weights(ours.get_weights())
    x = np.asarray(data.train.inputs[:20])
    np.testing.assert_array_equal(*(np.asarray(model(x, training=False)) for model in (ours, theirs)))
    return (folder / "tried.py").read_text(encoding="utf-8"), theirs


CASES = {
    "a chain": (
        f"{DIGITS}\nmodel: [flatten, {{dense: {{units: 8, activation: relu}}}}, {{dropout: 0.5}}, output]",
        ["return keras.Sequential(", 'layers.Dense(8, activation="relu")', "layers.Dropout(0.5)"],
    ),
    "a block with parameters": (
        f"""{DIGITS}
variables: {{width: 8}}
blocks:
  step:  # two lines and a bend
    parameters: {{units: , bend: relu, in: 2}}
    layers: [{{dense: {{units: $units, activation: $bend}}}}, {{dense: $(units * in)}}]
model: [flatten, step: $width, step: {{units: $(width // 2), bend: tanh}}, step: {{units: 3, in: 5}}, output]""",
        [
            "WIDTH = 8  # spec line 4",
            'def step(x, units, bend="relu", in_=2):',
            '"""Two lines and a bend (block `step`, line 6 of the spec)."""',
            "layers.Dense(units, activation=bend)(x)",
            "layers.Dense(units * in_)(x)",
            'step(x, units=WIDTH // 2, bend="tanh")',
        ],
    ),
    "operations": (
        f"""{GOOG}
model:
  - split: {{axis: -1, into: [left, right]}}
  - activation: sigmoid
  - multiply: {{from: [left, right]}}
  - abs
  - power: 0.5
  - slice: {{axis: 1, start: 1, stop: 7, step: 2}}
  - roll: {{shift: 1, axis: 1}}
  - einsum: {{subscripts: "btc,bsc->bts", from: [roll_1, roll_1]}}
  - logsumexp: {{axis: -1, keepdims: true}}
  - squeeze: -1
  - output""",
        [
            "right = inputs[..., 3:]",
            "left = inputs[..., :3]",
            "x = ops.power(x, 0.5)",
            "x = x[:, 1:7:2]",
            "ops.roll(x, 1, axis=1)",
            "ops.logsumexp(x, axis=-1, keepdims=True)",
        ],
    ),
    "masks": (
        f"""{GOOG}
model:
  - masking: {{mask_value: 0.0, name: there}}
  - dense: 4
  - exp
  - position_embedding
  - skip: [dense: 4, sin, layer_scale: {{initializer: {{constant: 0.5}}}}]
  - branches: [[mean: 1], [max: 1], [var: {{axis: 1, keepdims: true}}, flatten], [lstm: 3], [logsumexp: 1]]
  - output""",
        ["with_mask_of(ops.exp(ones_where_masked(x)), x)", 'masked_reduction("mean", x, (1,))', "def with_mask_of("],
    ),
    "what is learned": (
        f"""{GOOG}
model:
  - dense: 5
  - position_embedding: sine
  - position_embedding: {{length: 10, name: there}}
  - learned: {{shape: [1, 5], name: token}}
  - concatenate: {{axis: 1, from: [token, there]}}
  - layer_scale: {{name: layer_scale_of_all}}
  - learned: {{shape: [2, 2, 3], from: there, name: more}}
  - flatten: {{name: flat}}
  - mean: {{axis: 1, from: layer_scale_of_all}}
  - concatenate: {{from: [flat, mean_1]}}
  - output""",
        ["position_embedding = sines(timestep_numbers(x), 5)", "10, 5, embeddings_initializer=", "rows_of_sample("],
    ),
    "loops in loops": (
        f"""{DIGITS}
variables: {{depth: 2}}
model:
  - flatten
  - repeat: {{times: $depth, layers: [dense: 6, repeat: {{times: 3, layers: [{{dense: {{units: 6}}}}, relu]}}]}}
  - output""",
        ["DEPTH = 2", "    for _ in range(DEPTH):", "        for _ in range(3):"],
    ),
    "paths in paths, and skips in skips": (
        f"""{DIGITS}
model:
  - flatten
  - dense: 6
  - branches:
      - [dense: 3]
      - [branches: {{merge: add, paths: [[], [dense: 6]]}}, dense: 2]
  - skip: [dense: 5, skip: [dense: 5, skip: [dense: 5, skip: [dense: 5]]]]
  - branches: [[dense: 2], []]
  - output""",
        ["path_2_2", "layers.Concatenate()([path_1, path_2])", "inner"],
    ),
    "several inputs, and a layer for two of them": (
        f"""{IRIS}
model:
  inputs: {{petal: [petal_length, sepal_width], sepal: [sepal_length, petal_width]}}
  layers:
    - dense: {{units: 4, name: seen, from: petal}}
    - shared: {{layers: seen, from: sepal}}
    - concatenate: {{from: [seen, seen_again]}}
    - output""",
        ["seen_layer = layers.Dense(4", "seen_again = seen_layer(sepal)", "inputs[..., 2:4]"],
    ),
    "names that Python and the script have": (
        f"""{DIGITS}
variables: {{class: 4, keras: 5, seed: 6}}
blocks: {{main: {{parameters: {{layers: 3}}, layers: [dense: $layers]}}, lambda: [dense: $class, dense: $keras]}}
model: [flatten, main: 2, lambda, dense: $seed, output]""",
        ["CLASS = 4", "KERAS = 5"],
    ),
    "a reference from far away": (
        f"""{DIGITS}
model:
  - flatten: {{name: pixels}}
  - dense: {{units: 5, name: first}}
  - dense: 4
  - concatenate: {{from: [first, pixels]}}
  - dense: {{units: 3, from: first}}
  - output""",
        ["first = layers.Dense(5", "layers.Concatenate()([first, pixels])", "layers.Dense(3)(first)"],
    ),
    "frozen layers, wrappers, regularizers and sizes": (
        """data: {dataset: {mackey_glass: {samples: 300}}, window: {length: 12}}
model:
  - bidirectional: {lstm: {units: 4, return_sequences: true, kernel_regularizer: {l2: 0.01}}}
  - time_distributed: {dense: {units: 3, trainable: false}}
  - conv1d: {filters: 4, kernel_size: 3, padding: causal, trainable: false}
  - rnn: {cell: {stacked_rnn_cells: [gru_cell: 3, gru_cell: 2]}}
  - output""",
        ["layers.Bidirectional(", "trainable=False", "layers.Conv1D(4, 3"],
    ),
    "a deep autoencoder": (
        """data: {dataset: digits, scale: min_max, target: input, limit: 100}
model: [flatten, {dense: {units: 9, activation: sigmoid}}, {dense: {units: 4, name: code}}]
pretrain: {method: rbm, epochs: 1, then: unroll}""",
        ['name="code_mirror"', "the decoder, which mirrors it"],
    ),
    "a block that is pretrained": (
        f"""{DIGITS}
blocks: {{bend: {{parameters: {{units: 4}}, layers: [{{dense: {{units: $units, activation: sigmoid}}}}]}}}}
model: [flatten, bend: 6, bend, output]
pretrain: {{method: autoencoder, epochs: 1}}""",
        ['name="dense_1"', 'name="dense_2"'],
    ),
    "a loop that is pretrained": (
        f"""{DIGITS}
model: [flatten, repeat: {{times: 3, layers: [{{dense: {{units: 6, activation: sigmoid, name: h}}}}]}}, output]
pretrain: {{method: autoencoder, epochs: 1}}""",
        ['name=f"h_{i + 1}"', "for i in range(3):"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_network_is_the_same_and_reads_as_the_spec_does(case, tmp_path):
    spec, expected = CASES[case]
    text, _ = build(spec, tmp_path)
    for part in expected:
        assert part in text


def test_names_that_are_asked_for_are_there(tmp_path):
    _, network = build(CASES["a loop that is pretrained"][0], tmp_path)
    assert [network.get_layer(f"h_{i}").units for i in (1, 2, 3)] == [6, 6, 6]


def test_a_block_with_layers_for_parameters_is_written_out(tmp_path):
    spec = f"""{DIGITS}
blocks: {{bent: {{parameters: {{start: }}, layers: [{{dense: {{units: 4, kernel_initializer: $start}}}}]}}}}
model: [flatten, bent: {{start: {{random_normal: {{stddev: 0.1}}}}}}, bent: {{start: zeros}}, output]"""
    text, _ = build(spec, tmp_path)
    assert "def bent" not in text
    assert "initializers.RandomNormal(stddev=0.1)" in text
    assert "kernel_initializer=initializers.Zeros()" in text
