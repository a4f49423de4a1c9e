"""`dlspec show` and `dlspec explain`: drawings, every default with its origin, and plain sentences."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.data.datasets import DATASETS
from dlspec.language.fields import PositiveInt, SpecModel
from dlspec.language.section import Section
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.base import Group
from dlspec.model.layers.combining import Skip
from dlspec.pretraining import PRETRAINING
from dlspec.pretraining.autoencoder import Autoencoder
from dlspec.pretraining.denoising_autoencoder import CORRUPTIONS
from dlspec.spec.spec import Spec
from dlspec.training.early_stopping import EarlyStopping, StageStopping
from dlspec.training.losses import LOSSES
from dlspec.training.optimizers import OPTIMIZERS
from dlspec.training.schedules.base import SCHEDULES
from dlspec.views.drawing import draw_mermaid, draw_svg, draw_text
from dlspec.views.drawing.layout import lay_out
from dlspec.views.prose import LANGUAGES, english, korean, tell
from dlspec.views.prose.korean_kinds import KINDS, OF_PRETRAINING
from tests.conftest import ROOT, SPECS, TINY

BRANCHED = """\
dlspec: 1
variables: {width: 8}
data: {dataset: digits, split: {test: 0.2}}
model:
  - flatten
  - dense: {units: $width, name: a}
  - skip: [{dense: 8}, {dense: 8}]
  - branches: [[{dense: 3}], [{dense: 4}, {dense: 4}], []]
  - dense: {units: 4, name: c, from: a}
  - concatenate: {from: [c, concatenate_1]}
  - output
train: {epochs: 3}
"""


@pytest.fixture(scope="module")
def branched():
    return dlspec.graph(dlspec.load(BRANCHED))


# --- drawings


def test_text_shows_where_paths_part_and_meet(branched):
    rails = [line[:8].rstrip() for line in draw_text(branched).splitlines()]
    assert rails == [
        "●", "●", "●",
        "├─╮", "│ ●", "│ ●",
        "├─┤", "│ ●",
        "│ ├─╮", "│ │ ●", "│ ├─┼─╮", "│ │ │ ●", "│ │ │ ●",
        "│ ╰─┼─╯", "│   ●",
        "●   │", "├───╯", "●", "●",
    ]  # fmt: skip


def test_no_two_boxes_lie_on_each_other_and_every_edge_leads_down(branched):
    layout = lay_out(branched)
    places = sorted((layout.row[name], layout.column[name]) for name in layout.row)
    for (row, column), (next_row, next_column) in pairwise(places):
        assert row < next_row or next_column - column >= 1 - 1e-9
    assert len(layout.edges) == sum(len(set(layer.inputs)) for layer in branched.layers)
    for source, target, route in layout.edges:
        assert [row for _, row in route] == list(range(layout.row[source], layout.row[target] + 1))


def test_a_chain_stands_in_one_column():
    layout = lay_out(dlspec.graph(dlspec.load(TINY["series"])))
    assert set(layout.column.values()) == {0}


def test_svg_is_xml_with_every_layer_and_an_arrow_for_every_edge(branched):
    drawing = ElementTree.fromstring(draw_svg(branched, alone=True))
    space = "{http://www.w3.org/2000/svg}"
    names = [text.text for text in drawing.iter(f"{space}text") if text.get("class") == "name"]
    assert names == ["input", *branched.by_name]
    arrows = [path for path in drawing.iter(f"{space}path") if path.get("data-tip") is not None]
    assert len(arrows) == len(lay_out(branched).edges)


def test_mermaid_has_a_node_for_each_layer_and_no_sign_that_it_reads_otherwise(branched):
    lines = draw_mermaid(branched).splitlines()
    assert lines[0] == "flowchart TD"
    assert sum("-->" in line for line in lines) == sum(len(layer.inputs) for layer in branched.layers)
    spec = dlspec.load(
        "dlspec: 1\ndata: {dataset: iris}\nmodel: [{dense: {units: 3, kernel_regularizer: {l2: 0.1}}}, output]\n"
    )
    (node,) = [line for line in draw_mermaid(dlspec.graph(spec)).splitlines() if "dense_1" in line]
    assert re.fullmatch(r'    n1\["[^"<>`]*(<br/>[^"<>`]*)+"\]', node)


# --- every default


@pytest.mark.parametrize("text", [BRANCHED, *TINY.values(), *map(str, SPECS)])
def test_the_resolved_spec_is_the_same_spec(text):
    spec = dlspec.load(text, overrides={"train.batch_size": 7})
    assert dlspec.load(dlspec.resolve(spec)).written() == spec.written()


def test_every_value_says_where_it_came_from(tmp_path):
    (tmp_path / "base.yaml").write_text("data: {dataset: digits}\ntrain: {epochs: 9, batch_size: 5}\n")
    path = tmp_path / "spec.yaml"
    path.write_text(
        "dlspec: 1\nextends: base.yaml\nvariables: {n: 3}\nblocks: {b: [{dense: 64}]}\n"
        "model:\n  - flatten\n  - skip: [b]\n  - dense: $n\n  - output\n"
    )
    lines = dlspec.resolve(dlspec.load(path, overrides={"train.epochs": 2})).splitlines()
    origins = [tuple(re.split(r"\s+# ", line.strip())) for line in lines if "#" in line]
    assert ("dlspec: 1", "line 1") in origins
    assert ("dataset: digits", f"{tmp_path / 'base.yaml'}:1") in origins
    assert ("batch_size: 5", f"{tmp_path / 'base.yaml'}:2") in origins
    assert ("epochs: 2", "--set train.epochs=2") in origins
    assert ("units: 64", "line 4, used here") in origins
    assert ("units: 3", "line 8, $n is 3") in origins
    assert ("target: digit", "from the data") in origins
    assert ("metrics: [accuracy, log_loss]", "from the data") in origins
    assert ("seed: 42", "default") in origins


def test_show_writes_to_a_file_or_says_why_not(tmp_path):
    path = tmp_path / "network.svg"
    done = CliRunner().invoke(cli, ["show", str(SPECS[0]), "--diagram", "svg", "-o", str(path)], standalone_mode=False)
    assert done.return_value == 0
    assert path.read_text(encoding="utf-8").startswith("<svg")
    nowhere = str(tmp_path / "no" / "network.svg")
    done = CliRunner().invoke(cli, ["show", str(SPECS[0]), "-o", nowhere], standalone_mode=False)
    assert done.exception.diagnostics[0].code == "cannot-write"


# --- plain sentences


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_line_that_says_something_is_told(path, language):
    spec = dlspec.load(path)
    sentences = tell(spec, dlspec.graph(spec), language)
    told = {sentence.line for sentence in sentences}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        says = line.split("#")[0].strip()
        if says and not says.endswith(":") and not says.startswith("extends:"):
            assert number in told, line
    assert all("{" not in re.sub(r"`[^`]*`", "", sentence.text) for sentence in sentences)


def keys(section, path=()):
    """Every key of a section and of those within it."""
    for name, field in section.keys().items():
        inner = [kind for kind in SECTIONS if kind.__name__ in re.findall(r"\w+", str(field.annotation))]
        if inner and (*path, name) not in (("model",), ("pretrain", "momentum"), ("data", "time")):
            yield from keys(inner[0], (*path, name))
        else:
            yield ".".join((*path, name))


SECTIONS = [
    model
    for model in (*SpecModel.__subclasses__(), *Section.__subclasses__(), EarlyStopping, StageStopping)
    if model.__module__.endswith((".section", ".spec.spec", ".data.split", ".early_stopping"))
    and model not in (Spec, Section)
]


@pytest.mark.parametrize("words", [english, korean], ids=lambda module: module.__name__)
def test_every_key_of_a_spec_has_a_sentence_and_there_is_none_of_other_keys(words):
    of_all = {key for key in keys(Spec) if key not in ("model", "pretrain")}
    of_kinds = {key for name in PRETRAINING for key in keys(PRETRAINING[name], ("pretrain",))}
    of_kinds |= {f"model.{name}" for name in LAYERS if issubclass(LAYERS[name], Group)}
    assert of_all <= set(words.KEYS)
    assert set(words.KEYS) - of_all - of_kinds == {
        "blocks", "data.feature", "data.formatted_time", "data.next_token", "data.pictures", "data.pictures.classes",
        "data.pictures.ignore", "data.pictures.masks", "data.read", "data.read.beam", "data.read.best_path",
        "data.sequence", "data.tagged_words", "data.targets", "data.typed_target", "data.window.now", "model.input",
        "model.output", "model.output.class_weight", "model.output.loss",
        "model.output.mixture", "model.output.quantiles", "pretrain.method",
        "variables",
        "pretrain.entry",
        "pretrain.network.entry", "pretrain.network.method",
    }  # fmt: skip


def test_korean_has_no_words_for_what_there_is_no_more():
    there = {name for registry in (LAYERS, DATASETS, OPTIMIZERS, SCHEDULES, LOSSES) for name in registry}
    assert set(KINDS) <= there
    assert set(OF_PRETRAINING) <= {*PRETRAINING, *CORRUPTIONS}


class Unheard(LayerSpec):
    """Leaves values as they are, which nobody has translated."""

    keeps_shape = True


class UnheardGroup(Skip):
    """Adds what comes in to what comes out, which nobody has translated."""


class UnheardMethod(Autoencoder):
    """Shakes the input, which nobody has translated."""

    shaking: PositiveInt = 1


def test_what_has_no_korean_is_told_in_english(monkeypatch):
    len(PRETRAINING)  # loads those that there are
    for registry, cls in ((LAYERS, Unheard), (LAYERS, UnheardGroup), (PRETRAINING, UnheardMethod)):
        monkeypatch.setitem(registry._classes, cls.type_name, cls)
    spec = dlspec.load(
        "dlspec: 1\ndata: {dataset: iris}\nmodel:\n  - unheard\n  - unheard_group: [{dense: 4}]\n  - output\n"
        "pretrain:\n  method: unheard_method\n  shaking: 3\n"
    )
    korean_text, english_text = (dlspec.explain(spec, language) for language in ("ko", "en"))
    for text in (korean_text, english_text):
        assert "Leaves values as they are, which nobody has translated." in text
        assert "Adds what comes in to what comes out, which nobody has translated. Here: `dense_1`." in text
        assert "Shakes the input, which nobody has translated." in text
        assert "`shaking` is 3." in text
    assert KINDS["dense"] in korean_text


def test_what_is_laid_several_times_is_told_once():
    text = "dlspec: 1\ndata: {dataset: iris}\nmodel:\n  - repeat: {times: 4, layers: [{dense: 8}]}\n  - output\n"
    spec = dlspec.load(text)
    lines = [sentence.text for sentence in tell(spec, dlspec.graph(spec)) if sentence.line == 4]
    assert len(lines) == 2
    assert "4 times" in lines[0]


def test_a_shared_layer_and_inputs_with_names_are_told():
    spec = dlspec.load(
        "dlspec: 1\ndata: {dataset: iris}\nmodel:\n"
        "  inputs: {a: {features: [sepal_length, sepal_width]}, b: {features: [petal_length, petal_width]}}\n"
        "  layers:\n    - dense: {units: 3, name: left, from: a}\n    - shared: {layers: left, from: b}\n"
        "    - concatenate: {from: [left, left_again]}\n    - output\n"
    )
    text = dlspec.explain(spec)
    assert "The input `a` takes `sepal_length` and `sepal_width`." in text
    assert "It is `left` once more, with the same weights." in text


def test_a_key_that_is_written_short_is_told_with_all_that_it_means():
    data = "{series: tides.csv, time: t, resample: 1 h, target: level, window: {length: 9}}"
    text = f"dlspec: 1\ndata: {data}\nmodel: [output]\n"
    assert "even steps: `every: 1 h, how: mean`" in dlspec.explain(text)


@pytest.mark.parametrize(
    ("beam", "english", "korean"), [(1, "likeliest at each timestep", "시점마다"), (4, "keeps the 4", "4개")]
)
def test_a_text_that_is_read_off_timesteps_is_told(beam, english, korean):
    text = (
        f"dlspec: 1\ndata: {{dataset: digit_strips, target: {{number: {{sequence: characters, beam: {beam}}}}}}}\n"
        "model: [permute: [2, 1], output]\ntrain: {loss: ctc}\n"
    )
    for language, said in (("en", ("read character by character", english)), ("ko", ("글자", korean))):
        told = dlspec.explain(text, language)
        assert all(each in told for each in said)


REPEATED = """\
dlspec: 1
data: {dataset: digits}
model:
  - flatten
  - repeat: {times: 10, layers: [{dense: {units: 8, activation: relu}}, {dropout: 0.1}]}
  - dense: 3
  - output
"""


def test_a_drawing_for_other_pages_says_which_box_is_which_line():
    svg = dlspec.draw(REPEATED, "svg", alone=False)
    assert not re.search(r"<style|\bid=|\bclass=", svg)
    places = re.findall(r'<g data-layer="(\w+)" data-path="([\w.]*)"(?: data-line="(\d+)")?>', svg)
    assert len(places) == 24
    assert places[0] == ("input", "", "")
    assert places[1] == ("flatten_1", "model.layers.0", "4")
    assert [line for name, _, line in places if name in ("dense_11", "output")] == ["6", "7"]
    assert "data-layer" not in dlspec.draw(REPEATED, "svg")


def test_equal_layers_that_follow_each_other_are_drawn_once():
    drawing = dlspec.examine(REPEATED).draw(fold=True)
    assert [(box.name, len(box.layers)) for box in drawing.boxes] == [
        ("input", 1), ("flatten_1", 1), ("dense_1", 10), ("dropout_1", 10), ("dense_11", 1), ("output", 1)
    ]  # fmt: skip
    assert sum(box.parameters for box in drawing.boxes) == dlspec.graph(REPEATED).parameters
    assert "dropout_1 × 10" in drawing.svg
    ElementTree.fromstring(drawing.svg)


def test_layers_that_others_take_from_are_not_folded():
    text = "dlspec: 1\ndata: {dataset: digits}\nmodel:\n  - flatten\n  - dense: 8\n  - dense: {units: 8, name: kept}\n"
    text += "  - dense: 8\n  - dense: 8\n  - add: {from: [kept, dense_3]}\n  - output\n"
    boxes = dlspec.examine(text).draw(fold=True).boxes
    assert [box.name for box in boxes] == ["input", *(layer.name for layer in dlspec.graph(text).layers)]


def test_only_an_svg_is_folded():
    with pytest.raises(ValueError, match="are of `svg`"):
        dlspec.draw(REPEATED, "text", fold=True)


def test_several_outputs_of_data_that_are_not_there_are_told_as_far_as_they_are_known():
    text = (ROOT / "specs" / "intent_and_slots.yaml").read_text(encoding="utf-8")
    told = dlspec.explain(dlspec.load(text.replace("data/requests.csv", "nowhere.csv")))
    assert "The output `wanted` predicts `wanted`." in told
    assert "The loss of" not in told
