"""`repeat: {each: …}`, `from: {all: …}`, and layers that the command line names."""

import keras
import numpy as np
import pytest

import dlspec

HEAD = "dlspec: 1\ndata: {dataset: digits}\n"
GATED = """\
dlspec: 1
data: {dataset: {mackey_glass: {samples: 200}}, window: {length: 8}}
variables: {width: 3}
blocks:
  gated:
    parameters: {dilation: }
    layers:
      - conv1d: {filters: $width, kernel_size: 2, padding: causal, dilation_rate: $dilation}
      - conv1d: {filters: $width, kernel_size: 1, name: skipped}
model:
  - repeat: {each: {dilation: [1, 2, 4]}, layers: [{gated: $dilation}]}
  - add: {from: {all: skipped}}
  - flatten
  - output
train: {epochs: 1}
"""


def layers(model, *before, **overrides):
    """Name -> what stands for it and what it takes."""
    text = HEAD + "".join(before) + f"model:\n  - flatten\n{model}\n  - output\n"
    graph = dlspec.graph(dlspec.load(text), overrides)
    return {layer.name: (layer.text, layer.inputs) for layer in graph.layers}


def problems(model, **overrides):
    text = f"{HEAD}model:\n  - flatten\n{model}\n  - output\n"
    return [(found.code, found.message) for found in dlspec.validate(text, overrides)]


def test_every_copy_has_values_of_its_own():
    found = layers("  - repeat: {each: {units: [9, 7], kind: [relu, tanh]}, layers: [dense: {units: $units, "
                   "activation: $kind}, dropout: $(units / 10)]}")  # fmt: skip
    assert [text for text, _ in found.values()] == [
        "flatten",
        "dense: {units: 9, activation: relu}",
        "dropout: 0.9",
        "dense: {units: 7, activation: tanh}",
        "dropout: 0.7",
        "output",
    ]


@pytest.mark.slow
def test_a_network_of_copies_is_trained_and_runs_again(tmp_path):
    run = dlspec.run(GATED, out=tmp_path / "run")
    dilations = [layer.layer.dilation_rate for layer in run.graph.layers if layer.name.startswith("conv1d")]
    assert dilations == [(1,), (2,), (4,)]
    assert run.graph["add_1"].inputs == ("skipped_1", "skipped_2", "skipped_3")
    again = dlspec.run(run.folder / "resolved.yaml", out=tmp_path / "again")
    assert all(map(np.array_equal, run.model.get_weights(), again.model.get_weights()))
    assert again.graph.parameters == run.graph.parameters
    part = dlspec.export(run, layers="..gated.2.skipped", out=tmp_path / "part.keras")
    assert keras.models.load_model(part).output.shape == (None, 8, 3)


def test_copies_are_taken_together_also_where_they_are_counted():
    found = layers("  - dense: {units: 8, name: first}\n  - repeat: {times: 3, layers: [dense: {units: 8, name: h}]}\n"
                   "  - add: {from: [first, {all: h}]}")  # fmt: skip
    assert found["add_1"][1] == ("first", "h_1", "h_2", "h_3")
    once = layers(
        "  - repeat: {each: {n: [5]}, layers: [dense: {units: $n, name: h}]}\n  - dense: {units: 2, from: {all: h}}"
    )
    assert once["dense_1"][1] == ("h",)


def test_all_means_the_copies_of_the_repeat_just_above():
    inner = "repeat: {each: {n: [3, 4]}, layers: [{dense: {units: $n, name: h}}]}"
    found = layers(f"  - repeat: {{times: 2, layers: [{inner}, {{concatenate: {{from: {{all: h}}}}}}]}}\n"
                   f"  - {inner}\n  - concatenate: {{from: {{all: h}}, name: last}}")  # fmt: skip
    taken = [inputs for text, inputs in found.values() if text.startswith("concatenate")]
    assert taken == [("h_1", "h_2"), ("h_3", "h_4"), ("h_5", "h_6")]


def test_copies_may_begin_elsewhere_and_stand_in_other_lists():
    found = layers("  - dense: {units: 4, name: a}\n  - dense: {units: 5, name: b}\n"
                   "  - repeat: {each: {n: [6, 7]}, from: a, layers: [dense: $n]}\n"
                   "  - branches: [[repeat: {each: {n: [2, 3]}, layers: [dense: $n]}], []]")  # fmt: skip
    assert [inputs for text, inputs in found.values() if text in ("dense: 6", "dense: 7")] == [("a",), ("dense_1",)]
    assert found["dense_3"] == ("dense: 2", ("dense_2",))


def test_values_of_a_block_are_seen_in_its_copies():
    block = "blocks: {b: {parameters: {base: }, layers: [repeat: {each: {k: [1, 2]}, layers: [dense: $(base * k)]}]}}\n"
    assert [text for text, _ in layers("  - b: 5\n  - b: 7", block).values()] == [
        "flatten", "dense: 5", "dense: 10", "dense: 7", "dense: 14", "output",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("repeat", "code", "words"),
    [
        ("{each: {n: [1, 2], m: [1]}, layers: [dense: $n]}", "wrong-value", "`m` has 1, and `n` 2 of the values"),
        (
            "{each: {n: 3}, layers: [dense: $n]}",
            "wrong-type",
            "`n` is a list of values here, one for each copy, got `3`",
        ),
        ("{each: {n: []}, layers: [dense: $n]}", "wrong-type", "got an empty list"),
        ("{each: 3, layers: [dense: 3]}", "wrong-type", "`each` is a mapping of names and lists, got `3`"),
        ("{each: {n: [1]}, times: 2, layers: [dense: $n]}", "wrong-value", "`times` and `each` exclude each other"),
        ("{each: {n: [1]}, layer: [dense: $n]}", "unknown-key", "`repeat` has no key `layer`"),
        ("{each: {n: [1]}}", "missing-key", "`repeat` needs a list of `layers`"),
        ("{layers: [dense: 2]}", "missing-key", "`repeat` needs `times`, or `each`"),
        ("{each: {n: [4, -1]}, layers: [dense: $n]}", "out-of-range", "`units` must be at least 1, got `-1`"),
        ("{each: {n: [4, 5]}, layers: [dense: 3]}", "unused-variable", "no layer of the `repeat` uses `n`"),
        ("{each: {n: [4]}, layers: [dense: $m]}", "unknown-variable", "there is no parameter or variable `m`"),
    ],
)
def test_a_mistake_is_one_message(repeat, code, words):
    ((found, message),) = problems(f"  - repeat: {repeat}")
    assert (found, words in message) == (code, True), message


def test_a_name_that_no_copy_has_is_named():
    ((code, message),) = problems(
        "  - repeat: {times: 2, layers: [dense: {units: 3, name: h}]}\n  - add: {from: {all: g}}"
    )
    assert (code, message) == ("unknown-layer-name", "no copy of a `repeat` above has a layer named `g`")


def test_copies_that_multiply_end_soon():
    text = "[dense: 1]"
    for _ in range(8):
        text = f"[{{repeat: {{each: {{n: [{', '.join(map(str, range(50)))}]}}, layers: {text}}}}}]"
    assert "expands-too-far" in [code for code, _ in problems(f"  - skip: {text}")]


def test_the_command_line_names_a_layer():
    model = "  - dense: {units: 4, name: h1}\n  - skip: [{dense: {units: 4, name: inner}}]"
    found = layers(model, **{"model.h1.units": 6, "model.inner.units": 6, "model.inner.activation": "relu"})
    assert found["h1"][0] == "dense: 6"
    assert found["inner"][0] == "dense: {units: 6, activation: relu}"
    ((code, message),) = problems(model, **{"model.h2.units": 6})
    assert (code, message.startswith("`model.h2.units` leads nowhere")) == ("unknown-path", True)


@pytest.mark.parametrize("name", ["layers", "inputs", "outputs"])
def test_a_layer_is_not_called_like_a_key_of_the_model(name):
    ((code, message),) = problems(f"  - dense: {{units: 4, name: {name}}}")
    assert (code, message) == ("wrong-value", f"`{name}` is a key of `model`, by which a layer cannot be called")


def nested(at_top=""):
    """Blocks in a block that is used twice."""
    return f"""\
dlspec: 1
data: {{dataset: digits}}
blocks:
  inner:
    parameters: {{units: 4}}
    layers: [dense: {{units: $units, name: h, kernel_regularizer: {{l2: 0.1}}}}, dense: 5]
  outer: [inner, inner: 6]
model:
  layers:
    - flatten
    - repeat: {{times: 2, layers: [outer]}}
{at_top}    - output
"""


def test_a_copy_is_taken_by_its_address():
    text = GATED.replace("from: {all: skipped}", "from: [gated.1.skipped, gated.3.skipped]")
    assert dlspec.graph(dlspec.load(text)).layers[6].inputs == ("skipped_1", "skipped_3")
    text = nested("    - dense: {units: 3, from: outer.1.inner.2.h, name: last}\n")
    graph = dlspec.graph(dlspec.load(text))
    assert graph[graph["last"].inputs[0]].output_shape == (None, 6)
    (problem,) = dlspec.validate(nested("    - dense: {units: 3, from: outer.1.inner.7.h}\n"))
    assert problem.code == "unknown-layer-name"
    assert problem.help == "did you mean `outer.1.inner.2.h`?"


def test_the_command_line_names_a_copy():
    spec = dlspec.load(nested())
    overrides = {"model.outer.2.inner.1.h.units": 9, "model.outer.1.inner.2.h.kernel_regularizer.l2": 0.5}
    found = [layer.layer for layer in dlspec.graph(spec, overrides).layers if layer.name.startswith("h")]
    assert [layer.units for layer in found] == [4, 6, 9, 6]
    assert [layer.kernel_regularizer.l2 for layer in found] == [0.1, 0.5, 0.1, 0.1]
    (problem,) = dlspec.validate(nested(), {"model.outer.3.inner.1.h.units": 9})
    assert (problem.code, problem.help) == ("unknown-path", "did you mean `outer.2.inner.1.h`?")
    (problem,) = dlspec.validate(nested(), {"model.nothing.units": 9})
    assert problem.code == "unknown-path"


def test_a_copy_is_pretrained_by_its_address():
    pretrain = "pretrain: {method: autoencoder, layers: [h_1, inner.2.h], per_layer: {inner.2.h: {epochs: 3}}}\n"
    text = nested().replace("[outer]", "[inner]") + pretrain
    spec = dlspec.load(text)
    method = spec.pretrain
    assert (method.layers, [*method.per_layer]) == (["h_1", "h_2"], ["h_2"])
    problems = dlspec.validate(text.replace("[h_1, inner.2.h]", "[h_1, inner.3.h]"))
    assert ("unknown-layer-name", "did you mean `inner.2.h`?") in [(found.code, found.help) for found in problems]
