"""What `extends`, overrides, variables and blocks make of a spec."""

import numpy as np
import pytest

import dlspec
from dlspec.language.yaml import read_file, read_text
from dlspec.spec.composition import compose
from dlspec.spec.composition.arithmetic import ArithmeticProblem, calculate
from tests.conftest import SPIRALS

HEAD = "dlspec: 1\ndata: {dataset: digits}\n"


def composed(text, overrides=None):
    source = compose(read_text(text), overrides)
    assert not source.problems, [p.message for p in source.problems]
    return source.root.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("64 / 2", 32),
        ("7 / 2", 3.5),
        ("7 // 2", 3),
        ("-7 % 3", 2),
        ("width * 1e-1", 0.8),
        ("1 - - 1", 2),
        (".5 + 2.", 2.5),
    ],
)
def test_arithmetic_is_that_of_school(text, value):
    got = calculate(text, {"width": 8}.__getitem__)
    assert got == pytest.approx(value)
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "1)",
        "2 3",
        "1 / 0",
        "5 % 0",
        "10 ** 400",
        "9 ** 9 ** 9",
        "(-8) ** 0.5",
        "a.b",
        "'x'",
        "1" * 300,
    ],
)
def test_what_is_no_arithmetic_is_said(text):
    with pytest.raises(ArithmeticProblem):
        calculate(text, {}.__getitem__)


def test_variables_keep_their_type_and_may_stand_in_text():
    values = composed(
        "variables: {width: 8, act: relu, sizes: [3, 5], on: true}\n"
        "a: $width\nb: $act\nc: $sizes\nd: $(width / 2)\nf: net_$act-$width\ng: costs $$5 or 5$\nh: $on\n"
        "i: is $on\n"
    )
    assert values == {
        "a": 8, "b": "relu", "c": [3, 5], "d": 4, "f": "net_relu-8", "g": "costs $5 or 5$", "h": True, "i": "is true",
    }  # fmt: skip


def test_a_variable_may_use_another_one_and_the_command_line_changes_it():
    text = "variables: {width: 8, twice: $(width * 2)}\nunits: $twice\n"
    assert composed(text)["units"] == 16
    assert composed(text, {"variables.width": 5})["units"] == 10


def test_a_block_has_parameters_defaults_and_names_of_its_own():
    values = composed(
        "variables: {width: 4}\n"
        "blocks:\n"
        "  tower:\n    parameters: {units: $width, act: relu}\n"
        "    layers: [{dense: {units: $units, activation: $act}}, flatten]\n"
        "  two: [tower, {tower: {units: $(width * 2), act: tanh}}]\n"
        "model: [tower, {tower: {units: 9}}, two, {repeat: {times: 2, layers: [{skip: [tower]}]}}]\n"
    )
    first = [{"dense": {"units": 4, "activation": "relu"}}, "flatten"]
    assert values["model"][:4] == [*first, {"dense": {"units": 9, "activation": "relu"}}, "flatten"]
    assert values["model"][4:8] == [*first, {"dense": {"units": 8, "activation": "tanh"}}, "flatten"]
    assert values["model"][8] == {"repeat": {"times": 2, "layers": [{"skip": first}]}}
    assert "blocks" not in values
    assert "variables" not in values


def test_a_block_of_one_parameter_takes_it_directly_and_passes_on_input_and_name():
    values = composed(
        "blocks: {pair: {parameters: {n: ~}, layers: [{dense: $n}, {dropout: 0.5}, {bidirectional: {lstm: $n}}]}}\n"
        "model: [{pair: 3}, {pair: {n: 4, from: x, name: y}}]\n"
    )
    assert values["model"][0] == {"dense": 3}
    assert values["model"][3] == {"dense": {"units": 4, "from": "x"}}
    assert values["model"][5] == {"bidirectional": {"layer": {"lstm": 4}, "name": "y"}}


def test_a_mistake_in_a_block_names_the_line_in_it_and_the_lines_that_use_it():
    text = (
        HEAD
        + "variables: {size: 9}\n"
        + "blocks:\n"
        + "  conv:\n"
        + "    layers:\n"
        + "      - conv2d: {filters: 4, kernel_size: $size}\n"
        + "  both: [conv]\n"
        + "model: [{reshape: [8, 8, 1]}, both, flatten, output]\n"
    )
    (problem,) = dlspec.validate(text)
    assert (problem.code, problem.span.line) == ("shape-mismatch", 7)
    assert [label.span.line for label in problem.span.trail] == [8, 9]
    (problem,) = dlspec.validate(text.replace("size: 9", "size: none"))
    assert [label.text for label in problem.span.trail] == ["used here", "used here", '`$size` is "none"']


def test_a_spec_extends_another_one(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.yaml").write_text(
        HEAD + "extends: deeper.yaml\ntrain: {epochs: 3, optimizer: {sgd: 0.1}}\n", encoding="utf-8"
    )
    (tmp_path / "more" / "deeper.yaml").write_text(
        "seed: 5\nmodel: [flatten, {dense: 3}, output]\ntrain: {batch_size: 7, epochs: 1}\n", encoding="utf-8"
    )
    top = tmp_path / "top.yaml"
    top.write_text("extends: more/base.yaml\ntrain: {optimizer: {adam: 0.5}}\nmodel: [flatten, output]\n")
    source = compose(read_file(top))
    assert source.root.plain() == {
        "seed": 5,
        "model": ["flatten", "output"],
        "train": {"batch_size": 7, "epochs": 3, "optimizer": {"adam": 0.5}},
        "dlspec": 1,
        "data": {"dataset": "digits"},
    }
    assert dlspec.load(top).train.epochs == 3
    assert source.root.deepest(("train", "epochs")).origin == "extends more/base.yaml"
    assert source.root.deepest(("seed",)).origin == "extends deeper.yaml"
    assert source.root.deepest(("train", "optimizer")).origin == "you"


def codes(path):
    return [(problem.code, problem.span and problem.span.line) for problem in dlspec.validate(path)]


@pytest.mark.parametrize(
    ("base", "top", "value"),
    [
        # another method: what it has not falls away, also for single layers
        ("pretrain: {method: rbm, gibbs_steps: 5, epochs: 3, layers: [h]}", "pretrain: {method: autoencoder}",
         {"pretrain": {"method": "autoencoder", "epochs": 3, "layers": ["h"]}}),
        ("pretrain: {method: denoising_autoencoder, corruption: {masking: 0.3}, loss: mse}",
         "pretrain: {method: sparse_autoencoder, penalty: l1}",
         {"pretrain": {"method": "sparse_autoencoder", "loss": "mse", "penalty": "l1"}}),
        ("pretrain: {method: rbm, per_layer: {h: {gibbs_steps: 5, epochs: 3}}}", "pretrain: {method: autoencoder}",
         {"pretrain": {"method": "autoencoder", "per_layer": {"h": {"epochs": 3}}}}),
        ("pretrain: {method: rbm, gibbs_steps: 5}", "pretrain: {method: rbm, epochs: 2}",
         {"pretrain": {"method": "rbm", "gibbs_steps": 5, "epochs": 2}}),
        ("pretrain: {method: rbm, gibbs_steps: 5}", "pretrain: {method: rbn}",  # which is told
         {"pretrain": {"method": "rbn", "gibbs_steps": 5}}),
        # another optimizer, loss, schedule
        ("train: {optimizer: {sgd: {momentum: 0.9}}}", "train: {optimizer: {adam: {beta_1: 0.8}}}",
         {"train": {"optimizer": {"adam": {"beta_1": 0.8}}}}),
        ("train: {optimizer: {sgd: {momentum: 0.9}}}", "train: {optimizer: {sgd: {nesterov: true}}}",
         {"train": {"optimizer": {"sgd": {"momentum": 0.9, "nesterov": True}}}}),
        ("train: {loss: {huber: {delta: 2.0}}}", "train: {loss: mse}", {"train": {"loss": "mse"}}),
        # null takes a key back
        ("train: {epochs: 5, schedule: cosine_decay}", "train: {schedule: null}", {"train": {"epochs": 5}}),
        ("pretrain: {method: rbm}\ntrain: {epochs: 5}", "pretrain: null", {"train": {"epochs": 5}}),
        ("data: {dataset: iris, features: {a: numeric, b: category}}", "data: {features: {b: }}",
         {"data": {"dataset": "iris", "features": {"a": "numeric"}}}),
        ("seed: 5", "seed: ", {}),
        ("blocks: {b: {parameters: {n: 8}, layers: [dense: $n]}}\nmodel: [b: 4]",
         "blocks: {b: {parameters: {n: }}}", {"model": [{"dense": 4}]}),
    ],
)  # fmt: skip
def test_a_spec_switches_what_the_other_one_names(tmp_path, base, top, value):
    (tmp_path / "base.yaml").write_text(f"{base}\n")
    (tmp_path / "top.yaml").write_text(f"extends: base.yaml\n{top}\n")
    assert compose(read_file(tmp_path / "top.yaml")).root.plain() == value


@pytest.mark.parametrize(
    ("overrides", "value"),
    [
        ({"pretrain.method": "autoencoder"}, {"pretrain": {"method": "autoencoder", "epochs": 3}}),
        ({"pretrain": None}, {}),
        ({"train.optimizer.adam.beta_1": 0.8}, {"train": {"optimizer": {"adam": {"beta_1": 0.8}}}}),
        ({"train.optimizer.adam": 0.01}, {"train": {"optimizer": {"adam": 0.01}}}),
        ({"train.optimizer.sgd.momentum": 0.5}, {"train": {"optimizer": {"sgd": {"momentum": 0.5}}}}),
        ({"train.optimizer.sgd.momentum": None}, {"train": {"optimizer": {"sgd": {}}}}),
    ],
)
def test_an_override_switches_what_the_spec_names(overrides, value):
    text = "pretrain: {method: rbm, gibbs_steps: 5, epochs: 3}\ntrain: {optimizer: {sgd: {momentum: 0.9}}}\n"
    got = composed(text, overrides)
    assert {key: got[key] for key in value} == value
    assert ("pretrain" in got) == (overrides != {"pretrain": None})


@pytest.mark.parametrize(
    ("extends", "code"),
    [
        ("../base.yaml", "outside-folder"),
        ("/etc/passwd", "outside-folder"),
        ("sub/../../base.yaml", "outside-folder"),
        ("link.yaml", "outside-folder"),
        ("top.yaml", "extends-cycle"),
        ("circle.yaml", "extends-cycle"),
        ("none.yaml", "file-not-found"),
        ("[none.yaml, 3]", "file-not-found"),
        (".", "file-unreadable"),
    ],
)
def test_extends_stays_in_the_folder_and_ends(tmp_path, extends, code):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "base.yaml").write_text(HEAD)
    (folder / "link.yaml").symlink_to(tmp_path / "base.yaml")
    (folder / "circle.yaml").write_text("extends: top.yaml\n")
    top = folder / "top.yaml"
    top.write_text(HEAD + f"extends: {extends}\nmodel: [flatten, output]\n")
    assert (code, 3 if code != "extends-cycle" or extends == "top.yaml" else 1) in codes(top)


def test_a_long_row_of_extends_ends(tmp_path):
    for i in range(60):
        (tmp_path / f"{i}.yaml").write_text(f"extends: {i + 1}.yaml\n")
    (tmp_path / "60.yaml").write_text(HEAD + "model: [flatten, output]\n")
    assert "expands-too-far" in [code for code, _ in codes(tmp_path / "0.yaml")]


def test_a_mistake_in_a_base_is_shown_there(tmp_path):
    (tmp_path / "base.yaml").write_text(HEAD + "train: {epochs: none}\n")
    top = tmp_path / "top.yaml"
    top.write_text("extends: base.yaml\nmodel: [flatten, output]\n")
    (problem,) = dlspec.validate(top)
    assert (problem.code, problem.span.file, problem.span.line) == ("wrong-type", str(tmp_path / "base.yaml"), 3)


def test_blocks_that_multiply_end_soon():
    blocks = "".join(f"  b{i}: [b{i + 1}, b{i + 1}, b{i + 1}, b{i + 1}]\n" for i in range(30))
    found = dlspec.validate(HEAD + f"blocks:\n{blocks}  b30: [flatten]\nmodel: [b0, output]\n")
    assert "expands-too-far" in [problem.code for problem in found]


def test_variables_that_multiply_end_soon():
    lists = "".join(f"  v{i}: [$v{i + 1}, $v{i + 1}, $v{i + 1}, $v{i + 1}]\n" for i in range(30))
    found = dlspec.validate(HEAD + f"variables:\n{lists}  v30: 1\nmodel: [flatten, output]\ndescription: $v0\n")
    assert "expands-too-far" in [problem.code for problem in found]


@pytest.mark.parametrize("text", ["variables: {a: 3}\n", "blocks: {b: {layers: [{dense: 8}, b]}}\n", "variables: {}\n"])
def test_a_warning_does_not_hide_that_sections_are_missing(text):
    errors = [problem.message for problem in dlspec.validate(text) if problem.is_error]
    assert [message.split("`")[1] for message in errors] == ["dlspec", "data", "model"]


def test_shared_layers_that_do_not_exist_at_the_end_of_the_network_are_one_mistake():
    text = "dlspec: 1\ndata: {dataset: iris}\nmodel: [{dense: 3}, {shared: {layers: tower, from: left}}]\n"
    assert [problem.code for problem in dlspec.validate(text)] == ["unknown-layer-name"] * 2


def test_another_source_replaces_that_of_the_base(tmp_path):
    base = "dlspec: 1\ndata: {dataset: goog, window: {length: 30}}\nmodel: [lstm: 3, output]\n"
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "top.yaml").write_text("extends: base.yaml\ndata: {series: prices.csv}\n")
    spec = compose(read_file(tmp_path / "top.yaml")).root.plain()
    assert spec["data"] == {"series": "prices.csv", "window": {"length": 30}}
    assert (
        dlspec.load(tmp_path / "base.yaml", {"data.dataset": "mackey_glass"}).data.dataset.type_name == "mackey_glass"
    )
    overridden = compose(read_file(tmp_path / "base.yaml"), {"data.series": "prices.csv"}).root.plain()
    assert overridden["data"] == {"window": {"length": 30}, "series": "prices.csv"}


def test_a_variable_that_is_wrong_is_not_also_unused():
    text = "dlspec: 1\ndata: {dataset: iris}\nmodel: [output]\nvariables: {a: $nothing, b: $a, c: 3}\n"
    assert [problem.code for problem in dlspec.validate(text)] == [
        "unknown-variable",
        "unused-variable",
        "unused-variable",
    ]


def test_an_alias_and_its_anchor_are_overridden_apart():
    text = "dlspec: 1\n" + SPIRALS + "model: [{dense: &d {units: 8}}, {dense: *d}, output]\n"
    spec = dlspec.load(text, overrides={"model.1.dense.units": 4})
    assert [layer.units for layer in spec.model.layers[:2]] == [8, 4]


def test_numbers_of_numpy_and_paths_override_as_they_are():
    spec = dlspec.load("dlspec: 1\n" + SPIRALS + "model: [output]\n", overrides={"train.epochs": np.int64(3)})
    assert spec.train.epochs == 3


FRAMES = """\
dlspec: 1
data: {dataset: digits}
blocks:
  frame:
    parameters: {filters: , act: relu}
    layers:
      - conv1d: {filters: $filters, kernel_size: 3, padding: same, activation: $act, name: seen}
      - flatten
model: LAYERS
"""


@pytest.mark.parametrize("use", ["{frame: 4}", "{frame: {filters: 4}}", "{layer: {frame: 4}}"])
def test_a_block_within_time_distributed_is_its_layers_one_by_one(use):
    spec = dlspec.load(FRAMES.replace("LAYERS", f"[reshape: [8, 8, 1], time_distributed: {use}, lstm: 5, output]"))
    spelt = dlspec.load(
        "dlspec: 1\ndata: {dataset: digits}\nmodel:\n  - reshape: [8, 8, 1]\n"
        "  - time_distributed:\n      layer: {conv1d: {filters: 4, kernel_size: 3, padding: same, activation: relu}}\n"
        "      name: seen\n"
        "  - time_distributed: flatten\n  - lstm: 5\n  - output\n"
    )
    graph, other = dlspec.graph(spec), dlspec.graph(spelt)
    assert [(each.name, each.output_shape, each.parameters) for each in graph.layers] == [
        (each.name, each.output_shape, each.parameters) for each in other.layers
    ]
    assert graph.parameters == dlspec.build(spec).count_params()


def test_the_one_parameter_that_is_needed_may_be_written_short():
    text = "dlspec: 1\ndata: {dataset: digits}\nblocks:\n  one: {parameters: {units: , act: relu}, "
    text += "layers: [dense: {units: $units, activation: $act}]}\nmodel: [flatten, one: 16, output]\n"
    assert composed(text)["model"][1] == {"dense": {"units": 16, "activation": "relu"}}


def test_a_value_may_stand_before_a_letter():
    text = "dlspec: 1\ndata: {dataset: digits}\nblocks:\n  cell: {parameters: {n: }, "
    text += "layers: [dense: {units: 8, name: $(n)_out}]}\nmodel: [flatten, cell: a, output]\n"
    assert composed(text)["model"][1] == {"dense": {"units": 8, "name": "a_out"}}


def test_the_name_of_a_block_that_ends_in_a_repeat_is_that_of_its_last_layer():
    text = HEAD.replace("iris", "digits") + (
        "blocks:\n  inner: {layers: [{repeat: {times: 2, layers: [{dense: 8}, {dropout: 0.1}]}}]}\n"
        "  outer: {layers: [{dense: 4}, {repeat: {each: {rate: [0.2, 0.3]}, layers: [{dropout: $rate}, inner]}}]}\n"
        "model: [flatten, {inner: {name: first}}, {outer: {name: last}}, {concatenate: {from: [first, last]}}, "
        "output]\n"
    )
    graph = dlspec.graph(dlspec.load(text))
    assert graph["concatenate_1"].inputs == ("first", "last")
    assert [graph["first"].text, graph["last"].text] == ["dropout: 0.1"] * 2
    assert len([layer for layer in graph.layers if layer.text == "dropout: 0.1"]) == 6
    assert graph["concatenate_1"].output_shape == (None, 16)


def test_a_block_by_the_name_of_a_layer_is_one_mistake():
    text = HEAD + (
        "blocks:\n  squeeze: {parameters: {units: , rate: 0.1}, layers: [{dense: $units}, {dropout: $rate}]}\n"
        "  dense: {parameters: {units: }, layers: [{dense: $units}]}\n"
        "model: [flatten, squeeze: 8, squeeze: {units: 4, rate: 0.2}, dense: 3, output]\n"
    )
    assert [problem.code for problem in dlspec.validate(text)] == ["block-hides-layer"] * 2
