"""`dlspec layers`, and the pages of the reference, which are written from the same data."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from dlspec.cli import cli
from dlspec.language.yaml import read_text
from dlspec.model.layers import LAYERS
from dlspec.spec.reading import read_spec
from dlspec.views.reference.catalogue import categories, keys_of, sections
from dlspec.views.reference.class_homes import FILE, homes_text
from dlspec.views.reference.pages import COMMAND, pages
from tests.commands import modules_loaded_by
from tests.conftest import ROOT

NAMES = [(category.plural, entry.name) for category in categories() for entry in category.entries()]


def layers(*arguments: str, width: int = 80):
    return CliRunner().invoke(cli, ["layers", *arguments], env={"COLUMNS": str(width)})


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("arguments", [["layers"], ["layers", "lstm"], ["schema"]], ids=" ".join)
def test_telling_what_there_is_loads_no_framework(arguments):
    loaded = modules_loaded_by(*arguments)
    assert "dlspec" in loaded
    assert not loaded & {"numpy", "pandas", "matplotlib", "keras", "tensorflow", "sklearn"}


@pytest.mark.parametrize(
    ("name", "said"),
    [("data", "how values are scaled"), ("window", "horizon"), ("train.early_stopping", "epochs to wait"),
     ("blocks", "to be used like a layer"), ("variables", "variables: {width: 16}")],
)  # fmt: skip
def test_a_section_of_the_spec_is_explained_too(name, said):
    done = layers(name, width=140)
    assert done.exit_code == 0
    assert said in done.output


def test_without_a_name_every_layer_stands_in_the_table():
    done = layers()
    assert done.exit_code == 0
    shown = {line.split()[0] for line in done.output.splitlines() if line and line[0] != " "}
    assert set(LAYERS) <= shown
    assert max(map(len, done.output.splitlines())) <= 80


def test_a_layer_is_explained_with_shapes_arguments_an_example_and_what_it_costs():
    done = layers("conv1d", width=200)
    for line in (
        "Slides filters along a sequence.",
        "Input shape: (batch, timesteps, channels)",
        "  - conv1d: {filters: 4, kernel_size: 3}",
        "(batch, 9, 2) becomes (batch, 7, 4): 28 parameters,",  # 3 x 2 x 4 weights and 4 biases
    ):
        assert line in done.output
    rows = [words(line) for line in done.output.splitlines()]
    assert any(row.startswith("groups whole number, 1 or more 1 ") for row in rows)
    assert any(row.startswith("filters whole number, 1 or more required ") for row in rows)


def test_brackets_are_printed_and_not_taken_for_styles():
    assert "kernel_size: [3, 5]" in layers("conv2d").output
    assert "[[{dense: 8}], [{dense: 4}, {dense: 8}]]" in layers("branches").output


@pytest.mark.parametrize(("kind", "name"), NAMES[::7], ids=str)
def test_whatever_a_spec_can_name_fits_into_eighty_columns(kind, name):
    done = layers(name, "--kind", kind)
    assert done.exit_code == 0
    assert done.output.startswith(name)
    assert max(map(len, done.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dens"], "there is no name `dens`; did you mean the layer `dense`?"),
        (["xavier_uniform"], "did you mean the initializer `glorot_uniform`?"),
        (["lambda"], "there is no layer `lambda`: a spec holds no code; write a plugin"),
        (["swish"], "there is no activation `swish`: write `silu`, the same function"),
        (["adma", "--kind", "optimizers"], "there is no optimizer `adma`; did you mean the optimizer `adam`?"),
        (["--kind", "optimisers"], "there is no kind `optimisers`; did you mean `optimizers`?"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_what_to_write(arguments, said):
    done = layers(*arguments)
    assert done.exit_code == 2
    assert said in words(done.output)


@pytest.mark.parametrize("category", categories(), ids=lambda category: category.plural)
def test_each_argument_says_what_it_takes_and_what_it_means(category):
    for entry in category.entries():
        assert entry.summary, f"{entry.name}: an activation needs its formula in `argument_texts.py`"
        for argument in entry.arguments:
            assert argument.type, f"{entry.name}.{argument.name} takes nothing that `field_forms.py` knows"
            where = f"`{entry.name}.{argument.name}`"
            assert argument.description, f"{where} needs a description in its field or in `argument_texts.py`"


def test_each_key_of_a_section_says_what_it_means():
    for path, model in sections():
        for key in keys_of(model):
            assert key.description, f"`{path}.{key.name}` needs a description"


def test_examples_can_be_pasted_from_eighty_columns():
    for entry in categories()[0].entries():
        for written in entry.examples:
            assert max(map(len, entry.as_yaml(written).splitlines())) <= 78
            text = f"dlspec: 1\ndata: {{dataset: iris}}\n{entry.as_yaml(written)}\n"
            assert read_spec(read_text(text))[1] == []


def test_the_pages_of_the_reference_are_what_the_code_says():
    folder = ROOT / "docs" / "reference"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    stale = [name for name, text in pages().items() if written.pop(name, None) != text]
    assert not stale, f"write them anew: {COMMAND}"


def test_the_list_of_where_classes_stand_is_current():
    assert FILE.read_text(encoding="utf-8") == homes_text(), f"write it anew: {COMMAND}"


def test_a_class_that_is_not_listed_is_found_all_the_same():
    """Someone who adds a class need not write the list first."""
    program = (
        "from dlspec.language.homes import HOMES\n"
        "HOMES['optimizer'] = {}\n"
        "from dlspec.training.optimizers.base import OPTIMIZERS\n"
        "assert 'ftrl' not in OPTIMIZERS\n"
        "assert OPTIMIZERS.read({'ftrl': 0.5}).learning_rate == 0.5\n"
        "assert OPTIMIZERS['sgd'].type_name == 'sgd'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_links_of_the_reference_lead_to_a_heading():
    found = pages()
    for name, text in found.items():
        for file, heading in re.findall(r"\]\(([\w./]*)#(\w+)\)", text):
            page = found.get(file or name) or (ROOT / "docs" / "reference" / file).read_text(encoding="utf-8")
            assert re.search(rf"^#+ {heading}$", page, re.MULTILINE | re.IGNORECASE), f"{name}: {file}#{heading}"
