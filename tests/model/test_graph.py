import pytest

import dlspec
from dlspec.api import validate
from tests.conftest import SPECS, TINY

HEAD = "dlspec: 1\ndata: {dataset: %s}\nmodel:\n"
SERIES, IMAGE, TABLE = "goog, window: {length: 9}", "digits", "iris"


def graph_of(data: str, *layers: str):
    return dlspec.graph(dlspec.load(HEAD % data + "".join(f"  - {layer}\n" for layer in layers)))


def mismatch(data: str, *layers: str):
    text = HEAD % data + "".join(f"  - {layer}\n" for layer in layers)
    (problem,) = validate(text)
    assert problem.code == "shape-mismatch"
    return problem


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_specs_are_without_mistakes(path):
    assert validate(path) == []
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", TINY)
def test_the_graph_counts_what_keras_counts(name):
    spec = dlspec.load(TINY[name])
    graph, model = dlspec.graph(spec), dlspec.build(spec)
    assert graph.parameters == model.count_params()
    assert graph.output_shape == tuple(model.output.shape)
    for layer in graph.layers:
        assert layer.output_shape == tuple(model.get_layer(layer.name).output.shape)


def test_layers_without_a_name_are_numbered_by_type():
    graph = graph_of(IMAGE, "flatten", "dense: 4", "dense: {units: 4, name: dense_2}", "dense: 4", "output")
    assert [layer.name for layer in graph.layers] == ["flatten_1", "dense_1", "dense_2", "dense_3", "output"]


@pytest.mark.parametrize(
    ("data", "units", "activation"),
    [(SERIES, 1, "linear"), ("diabetes", 1, "linear"), ("spirals", 1, "sigmoid"), ("iris", 3, "softmax")],
)
def test_output_takes_what_the_target_needs(data, units, activation):
    layers = ("lstm: 4", "output") if data is SERIES else ("dense: 4", "output")
    output = graph_of(data, *layers).layers[-1]
    assert (output.layer.units, output.layer.activation) == (units, activation)


def test_the_layer_that_dropped_the_time_axis_is_named():
    problem = mismatch(SERIES, "lstm: 64", "dropout: 0.2", "lstm: 32", "output")
    assert problem.span.line == 6
    assert [(label.span.line, label.text) for label in problem.labels] == [
        (4, "returns only its last output: (batch, 64)")
    ]


def test_the_layer_that_kept_the_time_axis_is_named():
    problem = mismatch(SERIES, "lstm: {units: 8, return_sequences: true}", "output")
    assert problem.help == "write `lstm: 8` on line 4"


def test_a_flatten_in_the_way_is_to_be_removed():
    assert mismatch(SERIES, "flatten", "lstm: 8", "output").help == "remove `flatten` on line 4"


def test_data_with_an_axis_too_few_are_reshaped():
    problem = mismatch(IMAGE, "conv2d: {filters: 2, kernel_size: 3}", "flatten", "output")
    assert problem.help == "put `reshape: [8, 8, 1]` above `conv2d`"
    assert problem.notes == ("the data give (batch, 8, 8)",)


def test_data_with_an_axis_too_many_are_flattened():
    assert mismatch(IMAGE, "output").help == "put `flatten` above `output`"


def test_an_overlarge_kernel_is_blamed_on_itself():
    problem = mismatch(SERIES, "conv1d: {filters: 2, kernel_size: 10}", "flatten", "output")
    assert "larger than its input (batch, 9, 6)" in problem.message


@pytest.mark.parametrize(
    ("layers", "codes"),
    [
        ("{dense: {units: 3, name: h}}, {dense: {units: 3, name: h}}, lstm: 4", ["repeated-name", "shape-mismatch"]),
        ("{dropout: {rate: 0, name: d}}, {dropout: {rate: 0, name: d}}, {embedding: {input_dim: 3, output_dim: 2}}",
         ["repeated-name", "wrong-input-type", "shape-mismatch"]),
        ("{dense: {units: 3, name: input}}, {dense: {units: 3, name: input}}",
         ["wrong-value", "repeated-name", "wrong-value"]),
    ],
)  # fmt: skip
def test_layers_of_the_same_name_do_not_make_a_circle(layers, codes):
    text = f"dlspec: 1\ndata: {{dataset: iris}}\nmodel: [{layers}, output]\n"
    assert [problem.code for problem in dlspec.validate(text)] == codes


def test_numbers_of_repeated_names_step_over_names_that_are_given():
    graph = graph_of(
        TABLE, "dense: {units: 3, name: h_1}", "repeat: {times: 2, layers: [{dense: {units: 3, name: h}}]}", "output"
    )
    assert [layer.name for layer in graph.layers] == ["h_1", "h_2", "h_3", "output"]
