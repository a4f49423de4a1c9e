"""The schema for editors takes what the language takes, and points at what it does not."""

import json

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator
from pydantic import ValidationError

import dlspec
from dlspec.cli import cli
from dlspec.language.yaml import read_text
from dlspec.pretraining import PRETRAINING
from dlspec.views.reference.catalogue import categories
from tests.conftest import SPECS, TINY
from tests.views.language_client import LanguageClient, find_server

HEAD = "dlspec: 1\ndata: {dataset: iris}\n"

COMPOSED = """\
dlspec: 1
variables: {width: 8, act: relu, top: {learning_rate: 0.01}}
blocks:
  residual:
    parameters: {units: 8, dropout:}
    layers:
      - skip: [{dense: {units: $units, activation: $act}}, tower, {dropout: $dropout}]
  tower: [{repeat: {times: 2, layers: [{dense: $(width)}, layer_normalization]}}]
data: {dataset: digits, scale: min_max, split: {test: 0.2}}
model:
  - flatten
  - dense: $width
  - residual: {dropout: 0.1}
  - branches: {merge: add, paths: [[{dense: $(width * 2)}], [tower, {dense: 16}]]}
  - activation: $act
  - output
train: {optimizer: {adam: $top}, callbacks: terminate_on_nan}
evaluate: {metrics: accuracy, baselines: [majority]}
budget: {size: 5 MB}
"""

GRAPH = """\
dlspec: 1
data: {dataset: iris}
model:
  inputs:
    petals: [petal_length, petal_width]
    sepals: {features: [sepal_length, sepal_width]}
  layers:
    - dense: {units: 4, from: petals, name: a}
    - dense: {units: 4, from: sepals, name: b}
    - concatenate: {from: [a, b]}
    - output
train:
"""

VALID = {
    **{path.stem: path.read_text(encoding="utf-8") for path in SPECS},
    **TINY,
    "composed": COMPOSED,
    "graph": GRAPH,
}

MISTAKES = {
    "model: [{dens: 3}, output]": ("model", 0),
    "model: [flaten, output]": ("model", 0),
    "model: [{lstm: 4, gru: 4}]": ("model", 0),
    "model: [dense]": ("model", 0),
    "model: [conv2d: {filters: 3}]": ("model", 0, "conv2d"),
    "model: [dense: '3']": ("model", 0, "dense"),
    "model: [dense: 0]": ("model", 0, "dense"),
    "model: [dense: {units: 3, activaton: relu}]": ("model", 0, "dense"),
    "model: [dense: {units: yes}]": ("model", 0, "dense", "units"),
    "model: [dense: {units: 3, activation: rleu}]": ("model", 0, "dense", "activation"),
    "model: [dense: {units: 3, kernel_initializer: he_norml}]": ("model", 0, "dense", "kernel_initializer"),
    "model: [dropout: 20%]": ("model", 0, "dropout"),
    "model: [dropout: 1.0]": ("model", 0, "dropout"),
    "model: [bidirectional: {lstmm: 3}]": ("model", 0, "bidirectional"),
    "model: [skip: [{dense: {unit: 3}}]]": ("model", 0, "skip", 0, "dense"),
    "model: [conv2d: {filters: 3, kernel_size: [3, 3, 3]}]": ("model", 0, "conv2d", "kernel_size"),
    "model: []": ("model",),
    "model: {layer: [output]}": ("model",),
    "model: [output]\ntrain: {epochs: 0}": ("train", "epochs"),
    "model: [output]\ntrain: {epoch: 3}": ("train",),
    "model: [output]\ntrain: {optimizer: adma}": ("train", "optimizer"),
    "model: [output]\ntrain: {optimizer: {adam: {lr: 0.1}}}": ("train", "optimizer", "adam"),
    "model: [output]\ntrain: {early_stopping: true}": ("train", "early_stopping"),
    "model: [output]\ntrain: {gradient_clipping: {norm: 1, value: 1}}": ("train", "gradient_clipping"),
    "model: [output]\nevaluate: {metrics: [rmes]}": ("evaluate", "metrics", 0),
    "model: [output]\npretrain: {epochs: 3}": ("pretrain",),
    "model: [output]\npretrain: {method: autoencoder, corruption: {masking: 0.2}}": ("pretrain",),
    "model: [output]\npretrain: [{method: rbm}, {method: autoencoder, corruption: {masking: 0.2}}]": ("pretrain", 1),
    "model: [output]\npretrain: []": ("pretrain",),
    "model: [output]\nbudget: {size: 5}": ("budget", "size"),
    "model: [output]\nmodle: []": (),
    "blocks: {dense: [flatten]}\nmodel: [output]": ("blocks",),
    "blocks: {b: [{dense: {unit: 3}}]}\nmodel: [b, output]": ("blocks", "b", 0, "dense"),
    "blocks: {b: [flatten]}\nmodel: [b, {dense: {unit: 3}}]": ("model", 1, "dense"),
}

EXTENDING = {
    "extends: base.yaml\ntrain: {optimizer: {adam: {epsilon: 0.1}}}": True,
    "extends: base.yaml\ndata: {window: {horizon: 2}}\npretrain: {epochs: 3}": True,
    "extends: base.yaml\nmodel: [their_block, output]": True,
    "extends: base.yaml\nmodel: [dense: {activation: relu}]": False,
    "extends: base.yaml\ntrain: {schedule: {cosine_decay_restarts: {t_mul: 2}}}": True,
    "extends: base.yaml\ntrain: {epochs: many}": False,
}


@pytest.fixture(scope="module")
def schema():
    found = dlspec.schema()
    Draft7Validator.check_schema(found)
    return found


def places(schema, text: str) -> set[tuple]:
    """Where the schema finds mistakes, those inside alternatives included."""
    found, waiting = set(), list(Draft7Validator(schema).iter_errors(read_text(text, "spec.yaml").root.plain()))
    while waiting:
        error = waiting.pop()
        found.add(tuple(error.absolute_path))
        waiting += error.context
    return found


@pytest.mark.parametrize("name", VALID)
def test_a_valid_spec_passes(schema, name):
    assert places(schema, VALID[name]) == set()
    assert [d for d in dlspec.validate(VALID[name]) if d.code in ("unknown-key", "wrong-type", "missing-key")] == []


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_found_where_it_stands(schema, text):
    found, place = places(schema, HEAD + text + "\n"), MISTAKES[text]
    assert place in found
    assert all(each[: len(place)] == place[: len(each)] for each in found), "elsewhere nothing is wrong"
    assert any(d.is_error for d in dlspec.validate(HEAD + text + "\n"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dlspec: 2\ndata: {dataset: iris}\nmodel: [output]\n", ("dlspec",)),
        ("dlspec: 1\nmodel: [output]\n", ()),
        ("dlspec: 1\ndata: {scale: standard}\nmodel: [output]\n", ("data",)),
        ("dlspec: 1\ndata: {dataset: goog, series: p.csv}\nmodel: [output]\n", ("data",)),
        ("dlspec: 1\ndata: {dataset: goog, window: {horizon: 1}}\nmodel: [output]\n", ("data", "window")),
        ("dlspec: 1\ndata: {dataset: iriss}\nmodel: [output]\n", ("data", "dataset")),
    ],
)
def test_a_mistake_in_the_other_required_sections_is_found(schema, text, place):
    assert place in places(schema, text)
    assert any(d.is_error for d in dlspec.validate(text))


@pytest.mark.parametrize("text", EXTENDING)
def test_a_spec_that_extends_another_may_leave_out_what_that_has(schema, text):
    assert (places(schema, text + "\n") == set()) == EXTENDING[text]


def test_a_name_that_is_no_layer_passes_only_where_there_are_blocks(schema):
    assert places(schema, HEAD + "blocks: {tower: [flatten]}\nmodel: [tower, output]\n") == set()
    assert places(schema, HEAD + "model: [tower, output]\n") == {("model", 0)}


VALUES = [
    1, 0, -1, 2, 3, 0.5, 1.5, -0.5, True, False, None, "x", "relu", "auto", "64", [], [1], [1, 2], [1, 2, 3],
    [0.1, 0.2], ["a"], [[1, 2], [3, 4]], {}, {"no": "sense"}, "sgd", "zeros", "max_norm",
]  # fmt: skip
SAID_ELSEWHERE = {"wrong-value", "unknown-value"}
"""Codes of checks that go beyond the type of one value."""


def arguments_to_try():
    """Every argument that takes something of its own kind, with a way to write what it belongs to."""
    seen = set()
    for category in categories():
        if category.registry is None or category.registry is PRETRAINING:
            continue
        for entry in category.entries():
            example = entry.examples[0]
            given = {} if isinstance(example, str) else entry.kind.unfold(example[entry.name])[0]
            for argument in entry.arguments:
                key = (json.dumps(argument.form), argument.required)
                if key not in seen:
                    seen.add(key)
                    yield category, entry, given, argument


def test_each_argument_takes_the_same_values_as_in_the_language(schema):
    tried = 0
    for category, entry, given, argument in arguments_to_try():
        noun = category.noun.replace(" ", "_")
        validator = Draft7Validator({**schema["definitions"][noun], "definitions": schema["definitions"]})
        for value in VALUES:
            written = {entry.name: {**given, argument.name: value}}
            try:
                category.registry.read(written)
                refused = set()
            except ValidationError as error:
                refused = {line["type"] for line in error.errors() if argument.name in line["loc"]}
                if not refused:
                    continue  # the other arguments do not go with it
            passes = validator.is_valid(written)
            assert passes or refused, written
            assert not passes or refused <= SAID_ELSEWHERE or value == [], written
            tried += 1
    assert tried > 1000


def test_every_example_passes(schema):
    for category in categories():
        noun = category.noun.replace(" ", "_")
        validator = Draft7Validator({**schema["definitions"][noun], "definitions": schema["definitions"]})
        for entry in category.entries():
            for example in entry.examples:
                assert validator.is_valid(example), example


def test_every_key_says_what_it_means(schema):
    silent = []

    def look(form, place):
        if not isinstance(form, dict):
            return
        for name, below in form.get("properties", {}).items():
            if isinstance(below, dict) and "description" not in below and "description" not in _meant(below):
                silent.append((*place, name))
            look(below, (*place, name))
        for part in (*form.get("anyOf", ()), form.get("then"), form.get("else")):
            look(part, place)

    def _meant(form):
        return schema["definitions"].get(form.get("$ref", "").removeprefix("#/definitions/"), {})

    for part in ("properties", "then", "else"):
        look(schema if part == "properties" else schema[part], ())
    for name, form in schema["definitions"].items():
        look(form, (name,))
    assert [place for place in silent if place[:1] not in [(key,) for key in schema["properties"]]] == []


def test_the_command_prints_or_writes_it(tmp_path):
    printed = CliRunner().invoke(cli, ["schema"])
    assert json.loads(printed.output)["$schema"] == "http://json-schema.org/draft-07/schema#"
    CliRunner().invoke(cli, ["schema", "-o", str(tmp_path / "s.json")])
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == printed.output


# --- a real language server


@pytest.fixture(scope="module")
def server(tmp_path_factory, schema):
    program = find_server()
    if program is None:
        pytest.skip("no yaml-language-server on the path, nor named by $YAML_LANGUAGE_SERVER (npm has it)")
    folder = tmp_path_factory.mktemp("editor")
    (folder / "dlspec.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    client = LanguageClient(program, folder)
    yield client
    client.close()


FIRST_LINE = "# yaml-language-server: $schema=dlspec.schema.json\n"


@pytest.mark.parametrize("name", VALID)
def test_an_editor_finds_nothing_wrong_with_a_valid_spec(server, name):
    assert server.diagnostics(f"{name}.yaml", FIRST_LINE + VALID[name]) == []


def test_an_editor_shows_mistakes_on_their_lines(server):
    text = (
        "model:\n  - dens: 3\n  - dense: '3'\n  - dropout: 1.5\n  - dense: {units: 3, activation: rleu}\n  - flaten\n"
    )
    assert sorted(server.diagnostics("bad.yaml", FIRST_LINE + HEAD + text)) == [
        (5, "Property dens is not allowed."),
        (6, "needed: its arguments or whole number, 1 or more"),
        (7, "Value is above the exclusive maximum of 1."),
        (8, "needed: name of an activation"),
        (9, "needed: name of a layer"),
    ]


COMPLETIONS = {
    "model:\n  - |\n": {"flatten": "flatten", "dense": "dense:\n    units: "},
    "model:\n  - skip:\n      - |\n": {"lstm": "lstm:\n    units: "},
    "model:\n  - dense:\n      units: 3\n      |\n": {"activation": None, "use_bias": None, "name": None},
    "model:\n  - dense:\n      units: 3\n      activation: |\n": {"relu": "relu", "tanh": "tanh"},
    "model:\n  - dense:\n      units: 3\n      kernel_initializer: |\n": {"he_normal": "he_normal"},
    "model: [output]\ntrain:\n  |\n": {"epochs": None, "early_stopping": None},
    "model: [output]\ntrain:\n  optimizer:\n    |\n": {"adam": None, "sgd": None},
    "model: [output]\nevaluate:\n  metrics: [|]\n": {"accuracy": "accuracy"},
    "model: [output]\npretrain:\n  method: |\n": {"autoencoder": "autoencoder"},
    "|": {"train": None, "pretrain": None, "variables": None, "model": None},
}


@pytest.mark.parametrize("text", COMPLETIONS)
def test_an_editor_completes(server, text):
    offered = {}
    for item in server.completions(f"complete{abs(hash(text))}.yaml", FIRST_LINE + HEAD + text):
        offered.setdefault(item["label"], []).append(item["insertText"])
    for label, inserted in COMPLETIONS[text].items():
        assert label in offered
        assert inserted is None or inserted in offered[label], offered[label]


HOVERS = {
    "model:\n  - l|stm: 3\n": ("Long short-term memory", "Input shape: (batch, timesteps, features)", "  - lstm: 4"),
    "model:\n  - dropout: {r|ate: 0.5}\n": ("Fraction of inputs dropped", "Number, 0 or more, below 1."),
    "model:\n  - dense: {units: 3, use_b|ias: false}\n": ("Whether it adds a bias.", "Default: true."),
    "model:\n  - conv1d: {filters: 3, kernel_size: 3, padd|ing: same}\n": ("* `valid`", "* `causal`"),
    "model: [output]\ntrain: {ep|ochs: 3}\n": ("Passes over the training data.", "Default: 20."),
}


@pytest.mark.parametrize("text", HOVERS)
def test_an_editor_explains(server, text):
    shown = server.hover(f"hover{abs(hash(text))}.yaml", FIRST_LINE + HEAD + text)
    for part in HOVERS[text]:
        assert part in shown
