"""Rules of meaning at their edges: what is a mistake here, and what looks like one and is none.

`test_explanations` shows the plain case of every code.
"""

import numpy as np
import pytest

import dlspec

IRIS = "dlspec: 1\ndata: {dataset: iris}\n"
DIGITS = "dlspec: 1\ndata: {dataset: digits}\n"
GOOG = "dlspec: 1\ndata: {dataset: goog, window: {length: 20}}\n"
SPIRALS = "dlspec: 1\ndata: {dataset: spirals}\n"
DIABETES = "dlspec: 1\ndata: {dataset: diabetes}\n"
TWO_INPUTS = (
    "  inputs:\n    a: {features: [petal_length, petal_width]}\n    b: {features: [sepal_length, sepal_width]}\n"
)


def codes(text):
    return [problem.code for problem in dlspec.validate(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a layer that is used only by a layer that nothing uses is not used either
        (
            f"{IRIS}model:\n  - dense: {{units: 4, name: a}}\n  - dense: {{units: 4, name: b}}\n"
            "  - dense: {units: 4, name: c, from: b}\n  - dense: {units: 4, name: d, from: a}\n  - output\n",
            ["unused-layer", "unused-layer"],
        ),
        (f"{IRIS}model:\n{TWO_INPUTS}  layers:\n    - output: {{from: a}}\n", ["unused-input"]),
        (f"{IRIS}model:\n  inputs:\n    a: {{features: [petal_length]}}\n  layers: [output]\n", []),
        # settings of the fast kernel: inside a wrapper too, and not where the device is a CPU
        (f"{GOOG}model:\n  - bidirectional: {{lstm: {{units: 4, activation: relu}}}}\n  - output\n", ["slow-on-gpu"]),
        (f"{GOOG}model:\n  - gru: {{units: 4, reset_after: false, use_bias: false}}\n  - output\n",
         ["slow-on-gpu"] * 2),
        (f"{GOOG}model:\n  - lstm: {{units: 4, unroll: true}}\n  - output\nruntime: {{device: cpu}}\n", []),
        (f"{GOOG}model:\n  - simple_rnn: {{units: 4, activation: relu}}\n  - output\n", []),
        # a frozen layer is fine as long as something learns
        (f"{IRIS}model:\n  - dense: {{units: 4, trainable: false}}\n  - output\n", []),
        (f"{IRIS}model:\n  - dense: {{units: 4, trainable: false}}\n  - output: {{trainable: false}}\n",
         ["nothing-to-train"]),
        # noise below the output belongs there
        (f"{IRIS}model:\n  - dense: 4\n  - gaussian_noise: 0.1\n  - output\n", []),
        (f"{IRIS}model:\n  - output\n  - gaussian_noise: 0.1\n", ["output-not-last", "dropout-at-output"]),
        # an activation behind a linear layer is how it is meant
        (f"{IRIS}model:\n  - dense: {{units: 4, activation: linear}}\n  - relu\n  - output\n", []),
        (f"{IRIS}model:\n  - dense: {{units: 4, activation: tanh}}\n  - relu\n  - output\n", ["two-activations"]),
        (f"{IRIS}model:\n  - dense: 4\n  - batch_normalization\n  - relu\n  - output\n", []),
        # softmax between layers: attention by hand multiplies with it
        (f"{IRIS}model:\n  - dense: {{units: 4, activation: softmax}}\n  - output\n", ["hidden-softmax"]),
        (
            f"{IRIS}model:\n  - dense: {{units: 4, name: h}}\n  - dense: {{units: 4, activation: softmax, name: g}}\n"
            "  - multiply: {from: [h, g]}\n  - output\n",
            [],
        ),
        # learning rates
        (f"{IRIS}model: [output]\ntrain: {{optimizer: {{sgd: 1.0}}}}\n", []),
        (f"{IRIS}model: [output]\ntrain: {{optimizer: {{sgd: 11}}}}\n", ["large-learning-rate"]),
        (f"{IRIS}model: [dense: 3, output]\npretrain: {{method: autoencoder, optimizer: {{adam: 0.5}}}}\n",
         ["large-learning-rate"]),
        # what an activation at the output can reach
        (f"{DIABETES}model:\n  - dense: {{units: 1, activation: tanh}}\n", ["bounded-output"]),
        (f"{DIABETES}model:\n  - dense: {{units: 1, activation: relu}}\n", ["bounded-output"]),
        (f"{DIABETES}model:\n  - dense: {{units: 1, activation: elu}}\n", []),
        (f"{DIABETES}model:\n  - dense: 1\n", []),
        (f"{SPIRALS}model:\n  - dense: {{units: 1, activation: sigmoid}}\n", []),
        (f"{SPIRALS}model:\n  - dense: 1\n", ["output-mismatch"]),
        # reconstruction by cross-entropy: hidden sigmoids lie in [0, 1] whatever the data are
        (
            "dlspec: 1\ndata: {dataset: digits, scale: min_max}\nmodel:\n  - flatten\n  - dense: {units: 9, "
            "activation: sigmoid}\n  - dense: 4\n  - output\n"
            "pretrain: {method: autoencoder, loss: binary_crossentropy}\n",
            [],
        ),
        (
            "dlspec: 1\ndata: {dataset: digits, scale: min_max}\nmodel:\n  - flatten\n  - dense: {units: 9, "
            "activation: tanh}\n  - dense: 4\n  - output\npretrain: {method: autoencoder, loss: binary_crossentropy}\n",
            ["not-in-unit-interval"],
        ),
        # frozen on top of random weights
        (
            f"{IRIS}model:\n  - dense: {{units: 4, name: a}}\n  - dense: {{units: 3, name: b}}\n  - output\n"
            "pretrain: {method: autoencoder, layers: [b], then: fine_tune}\n",
            [],
        ),
        (
            f"{IRIS}model:\n  - dense: {{units: 4, name: a}}\n  - dense: {{units: 3, name: b}}\n  - output\n"
            "pretrain: {method: autoencoder, layers: [a], then: freeze}\n",
            [],
        ),
        # words and whole numbers
        (f"{IRIS}model:\n  - embedding: {{input_dim: 9, output_dim: 2}}\n  - flatten\n  - output\n",
         ["wrong-input-type"]),
        (
            "dlspec: 1\ndata: {dataset: iris, scale: none}\nmodel:\n  - dropout: 0.1\n"
            "  - embedding: {input_dim: 9, output_dim: 2}\n  - flatten\n  - output\n",
            [],
        ),
        (
            "dlspec: 1\ndata: {dataset: iris, scale: none}\nmodel:\n  - dense: 4\n"
            "  - embedding: {input_dim: 9, output_dim: 2}\n  - flatten\n  - output\n",
            ["wrong-input-type"],
        ),
        (
            f"{IRIS}model:\n  - discretization: [-1, 0, 1]\n  - embedding: {{input_dim: 4, output_dim: 2}}\n"
            "  - flatten\n  - output\n",
            [],
        ),
        (f"{IRIS}model:\n  - string_lookup: {{vocabulary: [a, b]}}\n  - output\n", ["wrong-input-type"]),
    ],
)  # fmt: skip
def test_what_is_a_mistake_and_what_only_looks_like_one(text, expected):
    assert codes(text) == expected


def test_an_output_that_no_input_leads_to_is_an_error():
    start = f"{IRIS}model:\n{TWO_INPUTS}  layers:\n"
    assert codes(f"{start}    - dense: 3\n    - output\n") == ["missing-key"]
    assert "unknown-layer-name" in codes(f"{start}    - dense: {{units: 3, from: x}}\n    - output\n")


OUTPUTS = (
    f"{IRIS}model:\n  layers:\n    - dense: {{units: 4, name: h}}\n"
    "  outputs:\n    kind: {target: species}\n    width: {target: petal_width}\n"
)


def test_a_network_of_several_outputs_has_a_loss_and_metrics_for_each():
    assert codes(OUTPUTS) == []
    spec = dlspec.load(OUTPUTS)
    assert [dlspec.graph(spec)[name].output_shape for name in ("kind", "width")] == [(None, 3), (None, 1)]
    assert [head.loss.type_name for head in spec.model.heads] == ["sparse_categorical_crossentropy", "mse"]
    assert codes(f"{OUTPUTS}evaluate: {{metrics: [accuracy, mae], baselines: [mean, majority]}}\n") == []


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ("train: {loss: mse}", "several-outputs", "has a loss of its own"),
        ("train: {class_weight: balanced}", "several-outputs", "`class_weight` is of the classes of one output"),
        ("pretrain: {method: supervised}", "several-outputs", "`supervised` trains towards one output"),
        ("evaluate: {metrics: [mase]}", "metric-mismatch", "`mase` is for a series"),
        ("evaluate: {baselines: [persistence]}", "baseline-mismatch", "`persistence` is for"),
        ("evaluate: {require: {accuracy: 0.9}}", "unknown-metric", "`accuracy` is of one of several outputs"),
        ("evaluate: {require: {knd.accuracy: 0.9}}", "unknown-metric", "no output `knd`"),
        ("evaluate: {require: {kind.mae: 0.9}}", "metric-mismatch", "`mae` is not computed"),
        ("evaluate: {require: {width.mae: {at_least: 1}}}", "wrong-value", "`mae` is an error"),
    ],
)
def test_what_several_outputs_cannot_be(more, code, message):
    found = dlspec.validate(f"{OUTPUTS}{more}\n")
    assert [problem.code for problem in found if problem.is_error] == [code] * len(found)
    assert any(message in problem.message for problem in found)


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        ("kind: {target: specis}, width: petal_width", "unknown-column"),
        ("kind: {target: species, loss: mse}, width: petal_width", "loss-mismatch"),
        ("kind: species, width: {target: petal_width, loss: pinball}", "loss-mismatch"),
        ("kind: {target: species, weight: 0}, width: petal_width", "out-of-range"),
        ("kind: {target: species, from: nowhere}, width: petal_width", "unknown-layer-name"),
        ("kind: {target: [species, petal_width]}, width: petal_length", "wrong-value"),
        ("kind: {target: species, class_weight: {setos: 2}}, width: petal_width", "unknown-class"),
        ("kind: species, width: {target: petal_width, class_weight: balanced}", "class-weight-mismatch"),
        ("kind: {target: species, quantiles: [0.1, 0.5]}, width: petal_width", "output-mismatch"),
        ("kind: species, width: {target: petal_width, quantiles: [0.1, 0.5], loss: mse}", "loss-mismatch"),
        ("kind: species, width: {target: petal_width, quantiles: [0.1, 0.5], mixture: 2}", "wrong-value"),
    ],
)
def test_what_is_wrong_with_one_of_several_outputs_is_said_there(outputs, code):
    text = f"{IRIS}model:\n  layers: [dense: 4]\n  outputs: {{{outputs}}}\n"
    (found,) = [problem for problem in dlspec.validate(text) if problem.is_error]
    assert (found.code, found.span.line) == (code, 5)


def test_a_loss_is_said_once():
    text = f"{IRIS}model: {{layers: [dense: 4], outputs: {{width: {{target: petal_width, loss: mae}}}}}}\n"
    assert dlspec.load(text).train.loss.type_name == "mae"
    assert codes(f"{text}train: {{loss: mse}}\n") == ["wrong-value"]
    assert codes(f"{text}train: {{loss: mae}}\n") == [], "as a spec has it that is written out"
    text = f"{IRIS}model: {{layers: [dense: 4], outputs: {{kind: {{target: species, class_weight: balanced}}}}}}\n"
    assert dlspec.load(text).train.class_weight == "balanced"
    assert codes(f"{text}train: {{class_weight: {{setosa: 2}}}}\n") == ["wrong-value"]


@pytest.mark.parametrize(
    ("data", "layers"),
    [
        ("{dataset: diabetes}", "[{dense: 8}, {dense: {units: 1, activation: softmax}}]"),
        ("{dataset: diabetes}", "[{dense: {units: 1, activation: softmax}}, {dense: 8}, output]"),
        ("{dataset: iris}", "[{dense: {units: 1, activation: sparsemax}}, output]"),
        ("{dataset: spirals}", "[{dense: 8}, {dense: {units: 1, activation: softmax}}]"),
    ],
)
def test_a_softmax_over_one_unit_is_an_error_wherever_it_stands(data, layers):
    (problem,) = dlspec.validate(f"dlspec: 1\ndata: {data}\nmodel: {layers}\n")
    assert problem.code == "one-unit-softmax"
    assert problem.is_error
    assert "is always 1" in problem.message


@pytest.mark.parametrize(
    "layers",
    [
        "{conv_lstm2d: {filters: 4, kernel_size: 3, return_sequences: true}}, "
        "{conv_lstm2d: {filters: 4, kernel_size: 3}}",
        "{conv2d: {filters: 4, kernel_size: 3}}, {adaptive_average_pooling2d: 2}",
        "{conv1d: {filters: 4, kernel_size: 3}}, {prelu: {}}",
        "{conv2d: {filters: 4, kernel_size: 3}}, {normalization: {axis: 1, mean: 0, variance: 1}}",
        "{conv2d: {filters: 4, kernel_size: 3}}, {squeeze: 1}",
    ],
)
def test_sizes_that_only_the_data_say_are_no_mistake_without_them(layers):
    text = f"dlspec: 1\ndata: {{arrays: nowhere.npz, target: {{y: numeric}}}}\nmodel: [{layers}, output]\n"
    assert [found.code for found in dlspec.validate(text)] == ["data-not-found"]


def test_a_mistake_above_hides_no_size_and_makes_no_other_mistake(tmp_path):
    np.savez(tmp_path / "frames.npz", x=np.zeros((40, 6, 8, 8, 1)), y=np.arange(40) % 2)
    layers = "{dot: 1}, {conv_lstm2d: {filters: 4, kernel_size: 3, return_sequences: true}}, "
    layers += "{conv_lstm2d: {filters: 4, kernel_size: 3}}, flatten, output"
    (tmp_path / "spec.yaml").write_text(f"dlspec: 1\ndata: {{arrays: frames.npz}}\nmodel: [{layers}]\n")
    codes = [found.code for found in dlspec.validate(tmp_path / "spec.yaml") if found.is_error]
    assert len(codes) == 1


@pytest.mark.parametrize(
    "layer",
    [
        "dot: 1", "dot: {axes: 1, from: [a, a, a]}", "matmul", "matmul: {from: [a, a, a]}", "subtract", "add",
        "sampling", "subtract: {from: [a, a, a]}", "stack: 1", "attention: {from: [a, a, a, a]}",
        "dense: {units: 4, from: [a, a]}",
        "discretization: {bin_boundaries: [0], from: [a, a]}",
        "multi_head_attention: {num_heads: 1, key_dim: 2, from: [a, a, a, a]}",
    ],
)  # fmt: skip
def test_too_few_or_too_many_inputs_are_one_mistake(layer):
    text = "dlspec: 1\ndata: {dataset: {mackey_glass: {samples: 200}}, window: {length: 8}}\nmodel:\n  - masking: 0\n"
    text += f"  - dense: {{units: 4, name: a}}\n  - {layer}\n  - flatten\n  - output\n"
    assert sum(found.is_error for found in dlspec.validate(text)) == 1
