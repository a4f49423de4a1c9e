"""What operations compute, what they refuse, and the parts that `split` names."""

import numpy as np
import pytest
from pydantic import ValidationError

import dlspec
from dlspec.api import validate
from dlspec.language.shapes import ShapeError
from dlspec.model.layers import LAYERS

HEAD = "dlspec: 1\ndata: {dataset: goog, window: {length: 8}}\nmodel:\n"


def spec_of(*lines):
    return HEAD + "".join(f"  - {line}\n" for line in lines)


def computed(written, *arrays):
    import keras

    layer = LAYERS.read(written)
    inputs = [keras.Input(array.shape[1:]) for array in arrays]
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer.connect(layer.build("it"), inputs))
    return np.asarray(model([*arrays] if len(arrays) > 1 else arrays[0]))


A = np.random.default_rng(0).uniform(0.5, 2, (4, 5, 6)).astype("float32")
B = np.random.default_rng(1).uniform(0.5, 2, (4, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("square", A**2),
        ("exp", np.exp(A)),
        ("log", np.log(A)),
        ("sqrt", np.sqrt(A)),
        ("abs", np.abs(A)),
        ("sin", np.sin(A)),
        ("cos", np.cos(A)),
        ({"clip": {"x_min": 0.8, "x_max": 1.5}}, A.clip(0.8, 1.5)),
        ({"power": 1.5}, A**1.5),
        ({"sum": [1, -1]}, None),
        ({"sum": 1}, A.sum(1)),
        ({"mean": {"axis": -1, "keepdims": True}}, A.mean(-1, keepdims=True)),
        ({"max": 1}, A.max(1)),
        ({"min": 2}, A.min(2)),
        ({"var": 1}, A.var(1)),
        ({"logsumexp": 1}, np.log(np.exp(A).sum(1))),
        ({"slice": {"axis": 1, "start": 1, "stop": 5, "step": 2}}, A[:, 1:5:2]),
        ({"slice": {"axis": -1, "start": -2}}, A[..., -2:]),
        ({"expand_dims": -1}, A[..., None]),
        ({"roll": {"shift": -2, "axis": 1}}, np.roll(A, -2, 1)),
        ({"einsum": "btc->bct"}, A.transpose(0, 2, 1)),
    ],
    ids=str,
)
def test_an_operation_on_one_input_is_that_of_numpy(written, expected):
    if expected is None:
        with pytest.raises(ShapeError, match="leaves none"):
            LAYERS.read(written).infer((None, 5, 6))
        return
    np.testing.assert_allclose(computed(written, A), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("written", "arrays", "expected"),
    [
        ({"stack": {"axis": 2, "from": ["a", "b"]}}, (A, A + 1), np.stack([A, A + 1], 2)),
        ({"matmul": {"from": ["a", "b"]}}, (A, B), A @ B),
        ({"einsum": {"subscripts": "btc,bcd->btd", "from": ["a", "b"]}}, (A, B), A @ B),
        ({"squeeze": -1}, (A[..., None],), A),
    ],
    ids=str,
)
def test_an_operation_on_several_inputs_is_that_of_numpy(written, arrays, expected):
    np.testing.assert_allclose(computed(written, *arrays), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "written",
    [
        *({name: {"axis": 0}} for name in ("sum", "mean", "max", "min", "var", "logsumexp", "expand_dims", "squeeze")),
        {"sum": {"axis": [1, 0]}},
        {"slice": {"axis": 0}},
        {"stack": {"axis": 0, "from": ["a", "b"]}},
        {"roll": {"axis": 0, "shift": 1}},
        {"split": {"axis": 0, "into": ["a", "b"]}},
        {"einsum": "btc->tbc"},
        {"einsum": {"subscripts": "btc,cd->btd", "from": ["a", "b"]}},
    ],
    ids=str,
)
def test_samples_stay_apart(written):
    with pytest.raises(ValidationError, match="batch") as caught:
        LAYERS.read(written)
    (error,) = caught.value.errors()
    assert error["type"] == "wrong-value"
    assert error["ctx"]["help"]


@pytest.mark.parametrize(
    ("written", "shapes", "said"),
    [
        ({"sum": -3}, [(None, 5, 6)], "names the batch"),
        ({"sum": 3}, [(None, 5, 6)], "does not have"),
        ({"sum": [1, -2]}, [(None, 5, 6)], "twice"),
        ({"slice": {"axis": 1, "stop": 6}}, [(None, 5, 6)], "lies outside"),
        ({"slice": {"axis": 1, "start": 4, "stop": 2}}, [(None, 5, 6)], "takes nothing"),
        ({"slice": {"axis": 1, "start": 1}}, [(None, None, 6)], "needs the size"),
        ({"stack": {"axis": 1, "from": ["a", "b"]}}, [(None, 5), (None, 6)], "one shape"),
        ({"squeeze": 1}, [(None, 5, 6)], "is 5"),
        ({"squeeze": 1}, [(None, 1)], "leaves none"),
        ({"matmul": {"from": ["a", "b"]}}, [(None, 5), (None, 5)], "as many axes"),
        ({"matmul": {"from": ["a", "b"]}}, [(None, 5, 6), (None, 5, 6)], "last axis of one"),
        ({"matmul": {"from": ["a", "b"]}}, [(None, 2, 5, 6), (None, 3, 6, 5)], "in front of the last two"),
        ({"einsum": "btc->bct"}, [(None, 5)], "does not fit"),
        ({"einsum": {"subscripts": "btc,bsc->bts"}}, [(None, 5, 6), (None, 5, 7)], "is 6 in one input and 7"),
        ({"einsum": {"subscripts": "btc,bsc->bts"}}, [(None, 5, 6)], "2 inputs"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(written, shapes, said):
    with pytest.raises(ShapeError, match=said):
        LAYERS.read(written).infer(*shapes)


@pytest.mark.parametrize("subscripts", ["btc,bsc", "b t->bt", "...c->...", "btt->bt", "btc->bcd", "btc->b", "btc-> bt"])
def test_an_equation_is_read_before_there_are_shapes(subscripts):
    with pytest.raises(ValidationError) as caught:
        LAYERS.read({"einsum": subscripts})
    assert [error["type"] for error in caught.value.errors()] == ["wrong-value"]


def test_bounds_in_the_wrong_order_are_a_mistake():
    with pytest.raises(ValidationError, match="smaller than"):
        LAYERS.read({"clip": {"x_min": 1, "x_max": 1}})


@pytest.mark.parametrize(
    ("written", "flops"),
    [
        ("exp", 30),
        ({"clip": {"x_min": 0, "x_max": 1}}, 60),
        ({"mean": 1}, 30 + 6),
        ({"var": 1}, 4 * 30 + 2 * 6),  # difference, square, two sums; two quotients
        ({"slice": {"axis": 1, "stop": 2}}, 0),
        ({"einsum": "btc->bt"}, 30),
    ],
    ids=str,
)
def test_flops_by_hand(written, flops):
    assert LAYERS.read(written).counts((None, 5, 6))[1] == flops


def test_flops_of_products_by_hand():
    shapes = [(None, 5, 6), (None, 6, 3)]
    assert LAYERS.read("matmul").counts(*shapes)[1] == 5 * 3 * 2 * 6
    assert LAYERS.read({"einsum": "btc,bcd->btd"}).counts(*shapes)[1] == 5 * 3 * 2 * 6


def test_an_operation_stands_not_inside_another_layer():
    with pytest.raises(ValidationError, match="holds a layer of Keras"):
        LAYERS.read({"time_distributed": "exp"})


def test_operations_find_the_layer_by_its_name_also_where_keras_counts_otherwise():
    text = spec_of("exp", "exp", "sum: 1", "output")
    for _ in range(3):
        model = dlspec.build(text)
        graph = dlspec.graph(text)
        for layer in graph.layers:
            assert layer.output_shape == tuple(model.get_layer(layer.name).output.shape)


# --- split


def test_split_names_its_parts_and_what_follows_takes_the_last():
    graph = dlspec.graph(
        spec_of(
            "split: {axis: 1, into: [past, now]}",
            "lstm: {units: 4, name: a}",
            "lstm: {units: 4, name: b, from: past}",
            "add: {from: [a, b]}",
            "output",
        )
    )
    assert [(layer.name, layer.inputs) for layer in graph.layers[:4]] == [
        ("past", ("input",)), ("now", ("input",)), ("a", ("now",)), ("b", ("past",)),
    ]  # fmt: skip
    assert graph["past"].output_shape == graph["now"].output_shape == (None, 4, 6)
    assert graph["now"].text == "slice: {axis: 1, start: 4}"


@pytest.mark.parametrize(
    ("lines", "code", "said", "help"),
    [
        (["split: {axis: 1, into: [a, b, c]}"], "shape-mismatch", "into 3 equal parts", "slice"),
        (["split: {axis: 4, into: [a, b]}"], "shape-mismatch", "does not have", None),
        (["split: {axis: 1, into: [a, a]}"], "wrong-value", "two parts are named `a`", "name of its own"),
        (["split: {axis: 1, into: [a, input]}"], "wrong-value", "is the name of the network's input", "another"),
        (["dense: {units: 6, name: a}", "split: {axis: 1, into: [a, b]}", "concatenate: {from: [a, b]}"],
         "repeated-name", "two layers are named `a`", "name of its own"),
    ],
    ids=str,
)  # fmt: skip
def test_a_split_that_cannot_be_is_one_mistake(lines, code, said, help):
    problems = [p for p in validate(spec_of(*lines, "flatten", "output")) if p.code not in ("unused-layer",)]
    assert [problem.code for problem in problems] == [code]
    assert said in problems[0].message
    assert help is None or help in problems[0].help


def test_parts_are_numbered_in_repeats_and_local_to_blocks():
    text = """dlspec: 1
data: {dataset: goog, window: {length: 8}}
blocks:
  gated:
    layers:
      - dense: 12
      - split: {axis: -1, into: [value, gate]}
      - activation: sigmoid
      - multiply: {from: [value, gate]}
model:
  - gated
  - repeat: {times: 2, layers: [gated]}
  - mean: 1
  - output
"""
    graph = dlspec.graph(text)
    parts = [layer.name for layer in graph.layers if layer.layer.type_name == "slice"]
    assert len(set(parts)) == 6
    products = [layer for layer in graph.layers if layer.layer.type_name == "multiply"]
    assert all({graph[name].inputs for name in layer.inputs} for layer in products)
    for layer in products:
        assert len({graph[name].inputs for name in layer.inputs}) == 1, "both parts are of one split"


def test_parts_in_copies_have_addresses_and_are_taken_together():
    text = """dlspec: 1
data: {dataset: goog, window: {length: 8}}
blocks:
  turned: {layers: [{split: {axis: -1, into: [left, right]}}, {concatenate: {from: [right, left]}}]}
model:
  - repeat: {times: 2, layers: [turned]}
  - stack: {axis: 1, from: {all: left}, name: lefts}
  - mean: [1, 2]
  - subtract: {from: [turned.1.left, turned.2.right], name: both}
  - mean: 1
  - concatenate: {from: [mean_1, mean_2]}
  - output
"""
    assert [problem.code for problem in validate(text)] == ["unused-layer"]  # the second copy as a whole
    graph = dlspec.graph(text)
    assert graph["lefts"].inputs == ("left_1", "left_2")
    assert graph["both"].inputs == ("left_1", "right_2")


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("clip: [0, 1]", "write `clip: {x_min: 0, x_max: 1}`"),
        ("roll: [1, 2]", "write `roll: {shift: 1, axis: 2}`"),
        ("expand_dims: [1, 2]", "write one layer in each entry: `- expand_dims: 1` and `- expand_dims: 2`"),
        ("slice: [1, 2]", "write `slice: {axis: 1, start: 2}`"),
    ],
)
def test_numbers_in_a_row_are_told_their_keys(line, help):
    (problem,) = validate(spec_of(line, "flatten", "output"))
    assert problem.code == "wrong-type"
    assert problem.help == help


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("transpose: [2, 1]", "permute"),
        ("pad: 1", "zero_padding1d"),
        ("tensordot: 1", "dot"),
        ("concat: {from: [a, b]}", "concatenate"),
        ("reduce_mean: 1", "mean"),
        ("pow: 2", "power"),
        ("chunk: 2", "split"),
        ("std: 1", "sqrt"),
    ],
)
def test_operations_by_other_names_are_told_the_word(line, help):
    problem = validate(spec_of(line, "flatten", "output"))[0]
    assert problem.code == "unknown-layer"
    assert help in (problem.help or "") + problem.message
