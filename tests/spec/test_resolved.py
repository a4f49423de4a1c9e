"""What `show --resolved` writes runs again: it is fine, and gives the same network and the same text."""

import re

import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.spec.meanings import MEANINGS
from dlspec.views.resolved import write_resolved
from tests.conftest import ROOT, TINY

SHARED = ROOT.parent / "shared"
SPECS = [
    *sorted((ROOT / "specs").rglob("*.yaml")),
    *sorted((ROOT / "examples").rglob("*.yaml")),
    *sorted((SHARED / "models").glob("*.yaml")),
    *sorted((SHARED / "cases").rglob("*.yaml")),
]


def network(spec):
    graph = dlspec.graph(spec)
    layers = [(each.name, each.inputs, each.output_shape, each.parameters, each.flops) for each in graph.layers]
    return layers, graph.outputs, graph.parameters


TEXTS = {
    **TINY,
    **{f"meaning {each.words.split(',')[0]}": f"dlspec: 1\n{each.spec}" for each in MEANINGS if each.spec},
    **{
        f"docs {path.name} {number}": block
        for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
        for number, block in enumerate(re.findall(r"```yaml\n(dlspec: 1\n.*?)```", path.read_text("utf-8"), re.DOTALL))
    },
}


def values(text):
    """Without the words about origins, and the name, which is that of the file."""
    return [line.split("  #")[0].rstrip() for line in text.splitlines() if not line.startswith("name:")]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_resolved_spec_is_the_same_spec(path, monkeypatch):
    monkeypatch.chdir(path.parent)  # what the paths of a text are relative to
    try:
        spec = dlspec.load(path)
    except SpecError:
        assert SHARED in path.parents, "a spec of the project is fine"
        pytest.skip("it is wrong")
    text = write_resolved(spec)
    again = dlspec.load(text)
    assert network(again) == network(spec)
    assert values(write_resolved(again)) == values(text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_resolved_text_is_the_same_spec(text):
    spec = dlspec.load(text)
    again = dlspec.load(write_resolved(spec))
    assert network(again) == network(spec)
    assert values(write_resolved(again)) == values(write_resolved(spec))


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.slow if SHARED in path.parents else ()) for path in SPECS],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_the_parameters_are_those_that_keras_builds(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    try:
        spec = dlspec.load(path)
        model = dlspec.build(spec)
    except SpecError:
        assert SHARED in path.parents, "a spec of the project is fine"
        pytest.skip("it is wrong")
    except DataError:
        pytest.skip("its data are not there")
    assert dlspec.graph(spec).parameters == model.count_params()


BLOCKS = """\
dlspec: 1
data: {dataset: iris}
blocks:
  two: [{dense: {units: 8, name: h}}, {dense: {units: 4, name: k}}, {concatenate: {from: [h, k]}}]
  other: [{dense: {units: 5, name: h}}, {skip: {name: end, layers: [{dense: {units: 5, name: in}}]}}]
  around: {parameters: {n: 3, tag: x}, layers: [two, {dense: {units: $n, name: $tag}}, {add: {from: [$tag, $tag]}}]}
  tower: [{dense: 6}, {dense: {units: 6, name: low}}, {dense: {units: 6, name: high}}, {shared: low}, {shared: [high]}]
model: LAYERS
"""


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ("[two, two, output]", ["h_1", "k_1", "h_2", "k_2"]),
        ("[two, output]", ["h", "k"]),
        ("[two, other, output]", ["h_1", "k", "h_2", "in", "end"]),
        (
            "[{dense: {units: 3, name: h}}, two, other, {dense: {units: 2, from: h}}, output]",
            ["h", "h_1", "k", "h_2", "in", "end"],
        ),
        ("[{dense: {units: 3, name: h_1}}, two, two, output]", ["h_1", "h_2", "k_1", "h_3", "k_2"]),
        ("[around, {around: {tag: y}}, two, output]", ["h_1", "k_1", "x", "h_2", "k_2", "y", "h_3", "k_3"]),
        ("[{repeat: {times: 2, layers: [two]}}, output]", ["h_1", "k_1", "h_2", "k_2"]),
        ("[two, {repeat: {times: 2, layers: [two]}}, output]", ["h_1", "k_1", "h_2", "k_2", "h_3", "k_3"]),
        ("[{two: {name: left}}, {two: {name: right, from: left}}, {add: {from: [left, right]}}, output]", None),
        ("[tower, tower, output]", ["low_1", "high_1", "low_2", "high_2"]),
        ("[{branches: {paths: [[two], [two], [other]]}}, output]", None),
    ],
)
def test_names_are_local_to_the_use_of_a_block(layers, names):
    text = re.sub(
        r"(?m)^  \w+: .*\n", lambda line: line[0] if uses(line[0].split(":")[0].strip(), layers) else "", BLOCKS
    )
    spec = dlspec.load(text.replace("LAYERS", layers))
    assert not [problem for problem in dlspec.validate(text.replace("LAYERS", layers)) if problem.is_error]
    graph = dlspec.graph(spec)
    if names is not None:
        assert [each.name for each in graph.layers if each.layer.name and each.shares is None] == names
    again = dlspec.load(write_resolved(spec))
    assert network(again) == network(spec)


def uses(block, layers):
    """Whether a block is used, also by another one."""
    return block in layers or (block == "two" and "around" in layers)


def test_what_refers_to_a_name_finds_that_of_its_own_block():
    spec = dlspec.load(BLOCKS.replace("LAYERS", "[two, two, other, other, around, tower, output]"))
    graph = dlspec.graph(spec)
    merges = [each.inputs for each in graph.layers if each.type_name == "concatenate"]
    assert merges == [("h_1", "k_1"), ("h_2", "k_2"), ("h_5", "k_3")]
    assert [each.shares for each in graph.layers if each.shares] == ["low", "high"]


def test_from_outside_a_name_is_that_of_the_last_use():
    blocks = BLOCKS.split("  other:")[0]
    spec = dlspec.load(f"{blocks}model: [two, two, {{dense: {{units: 2, from: h}}}}, output]\n")
    assert dlspec.graph(spec)["dense_1"].inputs == ("h_2",)


@pytest.mark.slow
def test_a_network_of_blocks_is_trained_and_reported(tmp_path):
    text = "dlspec: 1\ndata: {dataset: iris}\nblocks:\n  a: [{dense: {units: 8, name: h}}, {dense: 4}]\n"
    text += (
        "model: [a, a, output]\npretrain: {method: autoencoder, layers: [h_1, h_2], epochs: 1}\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(dlspec.load(text), out=tmp_path / "run")
    assert run.report.is_file()
    assert {"h_1", "h_2"} <= {layer.name for layer in run.graph.layers}
    again = dlspec.run(run.folder / "resolved.yaml", out=tmp_path / "again")
    assert again.metrics.test == run.metrics.test


# --- dead ends


def test_layers_that_nothing_reaches_count_nothing(tmp_path):
    text = """\
dlspec: 1
data: {dataset: digits}
model:
  - flatten
  - dense: {units: 64, name: a}
  - dense: {units: 3200, name: dead, from: a}
  - dense: {units: 3200, name: deader}
  - dense: {units: 500, from: a}
  - output
budget: {parameters: 42000}
"""
    problems = dlspec.validate(text)
    assert [problem.code for problem in problems] == ["unused-layer", "unused-layer"]
    graph = dlspec.graph(dlspec.load(text))
    model = dlspec.build(dlspec.load(text))
    assert graph.parameters == model.count_params()
    whole = dlspec.graph(
        dlspec.load(
            text.replace("  - dense: {units: 3200, name: dead, from: a}\n", "").replace(
                "  - dense: {units: 3200, name: deader}\n", ""
            )
        )
    )
    assert (graph.flops, graph.activations) == (whole.flops, whole.activations)
    pretrained = text + "pretrain: {method: autoencoder, layers: [a, dead]}\n"
    (problem,) = [each for each in dlspec.validate(pretrained) if each.is_error]
    assert problem.message == "nothing uses what `dead` puts out"
    stages = [stage.name for stage in dlspec.plan(dlspec.load(text + "pretrain: {method: autoencoder}\n")).stages]
    assert not any("dead" in name for name in stages)


def test_weights_that_another_layer_shares_are_counted():
    layers = "[{dense: {units: 4, name: a}}, {shared: {layers: a, from: input}}, output]"
    spec = dlspec.load(f"dlspec: 1\ndata: {{dataset: iris}}\nmodel: {layers}\n")
    assert dlspec.graph(spec).parameters == dlspec.build(spec).count_params()


def test_a_dollar_sign_is_no_variable_when_it_is_read_again(tmp_path):
    (tmp_path / "d.csv").write_text("$x,a $(b),5$,y\n" + "".join(f"{i},{i % 3},{i % 5},{i % 2}\n" for i in range(40)))
    data = f"{{table: {tmp_path}/d.csv, target: y}}"
    spec = dlspec.load(f"dlspec: 1\ndescription: costs $$x or $$(y) and 5$\ndata: {data}\nmodel: [output]\n")
    again = dlspec.load(write_resolved(spec))
    assert again.description == spec.description == "costs $x or $(y) and 5$"
    assert [*again.data.features] == [*spec.data.features] == ["$x", "a $(b)", "5$"]
    assert values(write_resolved(again)) == values(write_resolved(spec))


def test_what_is_null_where_a_layer_has_something_by_default_stays_so_in_a_run(tmp_path):
    from dlspec.runs.resolved import portable, resolved_text

    text = """\
dlspec: 1
data: {dataset: digits, scale: none}
model:
  - reshape: [8, 8, 1]
  - branches:
    - - resizing: {height: 32, width: 32}
      - application: {mobilenet: {weights: null, alpha: 0.25, pooling: avg}}
    - - time_distributed: {layer: {normalization: {axis: null, mean: 8.0, variance: 20.0}}}
      - flatten
    - - flatten
      - reshape: [64, 1]
      - stft_spectrogram: {window: null, scaling: null, frame_length: 8, frame_step: 4}
      - flatten
  - output
"""
    spec = dlspec.load(text)
    again = dlspec.load(resolved_text(spec, portable(spec, tmp_path)))
    before, after = ([item for item, _ in each.model.items()] for each in (spec, again))
    assert before == after
    assert network(again) == network(spec)
    nulls = {key for item in after for key, value in item.arguments().items() if value is None}
    assert {"weights", "window", "scaling"} <= nulls
    (told,) = (line for line in write_resolved(spec).splitlines() if "weights: null" in line)
    assert told.endswith("# line 7")
    assert re.search("alpha: 0.25 +# line 7\n", write_resolved(spec))
    assert re.search("minimalistic: false +# default\n", write_resolved(spec))
