"""Public functions take what one would guess: a file, a text or a spec; a folder or a run."""

import inspect
import re

import pytest

import dlspec

FUNCTIONS = {name: value for name in dlspec.__all__ if inspect.isfunction(value := getattr(dlspec, name))}
OF_A_SPEC = [
    name for name, function in FUNCTIONS.items() if next(iter(inspect.signature(function).parameters), "") == "spec"
]
OF_A_RUN = ["resume", "replay", "report", "predict", "evaluate", "export", "serve", "filters"]
TEXT = """\
dlspec: 1
name: blocks
variables: {width: 6}
data: {dataset: {spirals: {samples: 60}}}
blocks: {two: {layers: [dense: {units: $(width), activation: tanh}, dense: 5]}}
model: [two, output]
pretrain: {method: autoencoder, epochs: 1}
train: {epochs: 2}
"""


def plainly(value):
    """Something that can be compared: Keras models by what they are made of."""
    if hasattr(value, "get_config"):
        return value.get_config(), [weights.tolist() for weights in value.get_weights()]
    return dlspec.resolve(value) if isinstance(value, dlspec.Spec) else value


def test_there_are_functions_of_specs():
    assert {
        "load",
        "validate",
        "graph",
        "draw",
        "resolve",
        "explain",
        "columns",
        "plan",
        "build",
        "run",
        "rehearse",
    } == {*OF_A_SPEC}


@pytest.mark.parametrize("name", [name for name in OF_A_SPEC if name not in ("run", "rehearse")])
def test_a_file_a_text_and_a_spec_are_the_same(name, tmp_path):
    (tmp_path / "base.yaml").write_text(TEXT, encoding="utf-8")
    path = tmp_path / "spec.yaml"
    path.write_text("dlspec: 1\nextends: base.yaml\nname: extended\n", encoding="utf-8")
    function = FUNCTIONS[name]
    for overrides in (None, {"variables.width": 7, "train.epochs": 1}):
        of_a_file, *others = (
            plainly(function(which, overrides=overrides)) for which in (path, str(path), dlspec.load(path))
        )
        assert others == [of_a_file, of_a_file]
        assert type(plainly(function(TEXT, overrides=overrides))) is type(of_a_file)


def test_overrides_of_a_loaded_spec_reach_what_is_made_of_it(tmp_path):
    spec = dlspec.load(TEXT)
    wider = dlspec.graph(TEXT.replace("width: 6", "width: 7"))
    assert dlspec.graph(spec, {"variables.width": 7}).parameters == wider.parameters
    assert dlspec.plan(spec, {"train.epochs": 9}).stages[-1].epochs == 9
    assert re.search(r"^  epochs: 9\b", dlspec.resolve(spec, overrides={"train.epochs": 9}), re.MULTILINE)
    run = dlspec.run(spec, {"train.epochs": 1}, out=tmp_path / "run")
    assert [row["stage"] for row in run.history].count("fine_tune") == 1
    narrow = dlspec.load(spec, {"variables.width": 2})
    assert dlspec.graph(narrow, {"train.epochs": 1}).parameters == dlspec.graph(narrow).parameters < wider.parameters
    with pytest.raises(dlspec.SpecError):
        dlspec.graph(spec, {"train.epoch": 9})


@pytest.mark.parametrize("name", OF_A_SPEC)
def test_every_function_of_a_spec_takes_overrides(name):
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    assert "overrides" in parameters
    assert parameters["spec"].annotation == "Spec | str | Path"


@pytest.mark.parametrize("name", OF_A_RUN)
def test_every_function_of_a_run_takes_its_folder_too(name):
    assert inspect.signature(FUNCTIONS[name]).parameters["run"].annotation == "Run | str | Path"


def test_nothing_public_takes_what_was_typed():
    assert [name for name, function in FUNCTIONS.items() if "command" in inspect.signature(function).parameters] == []


@pytest.mark.parametrize(
    "name",
    ["Listener", "Stopped", "Graph", "Plan", "Run", "RunComparison", "RunSummary", "Replay", "Spec", "Diagnostic"],
)
def test_what_is_taken_given_or_raised_has_a_public_name(name):
    assert inspect.isclass(getattr(dlspec, name))


def test_there_is_one_way_to_open_a_run(tmp_path):
    assert not hasattr(dlspec.Run, "open")
    with pytest.raises(dlspec.DataError):
        dlspec.open_run(tmp_path)
