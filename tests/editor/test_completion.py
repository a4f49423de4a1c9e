"""What is offered at the cursor, whatever is typed so far."""

import random
import time

import pytest

import dlspec
from dlspec.editor.completion import COLUMNS, COMMON, FILES, complete
from dlspec.editor.cursor import find_cursor
from dlspec.editor.forms import schema
from dlspec.language.diagnostics import Edit, Span, apply_edits
from dlspec.model.layers import LAYERS
from tests.conftest import ROOT, SPECS

IRIS = "dlspec: 1\ndata: {dataset: iris}\n"


def at_bar(text):
    """The text without its `|`, and the line and column where that stood."""
    before, _, behind = text.partition("|")
    return before + behind, before.count("\n") + 1, len(before) - before.rfind("\n")


def offered(text, **where):
    return [one.text for one in complete(*at_bar(text), **{"folder": ROOT / "specs", **where})]


@pytest.mark.parametrize(
    ("text", "path", "word"),
    [
        ("|", (), ""),
        ("data:\n  tab|", ("data",), "tab"),
        ("data: {dataset: iris, ta|", ("data",), "ta"),
        ("data: {dataset: {sine: {|", ("data", "dataset", "sine"), ""),
        ("model:\n- flatten\n- de|", ("model", 1), "de"),
        ("model:\n  - dense:\n      |", ("model", 0, "dense"), ""),
        ("model: [flatten, dense: {units: 3, act|", ("model", 1, "dense"), "act"),
        ("model:\n  layers:\n    - add: {from: [a, b|", ("model", "layers", 0, "add", "from", 1), "b"),
        ("data: {table: 'a, b.csv',\n  target: |", ("data", "target"), ""),
        (
            "model:\n  - repeat:\n      times: 3\n      layers:\n        - de|",
            ("model", 0, "repeat", "layers", 0),
            "de",
        ),
        ("train:\n  epochs: 5 # {\n  opti|", ("train",), "opti"),
        ('name: "a: {b"\ntr|', (), "tr"),
        ("\ufeff데이터: 1\n모|", (), "모"),
    ],
)
def test_where_the_cursor_is(text, path, word):
    cursor = find_cursor(*at_bar(text))
    assert (cursor.path, cursor.word) == (path, word)
    assert not cursor.nowhere


@pytest.mark.parametrize(
    "text", ["# da|", "train: {} # |", "description: >\n  some |", "description: |-\n  some ".replace("|-", ">-") + "|"]
)
def test_in_remarks_and_texts_nothing_is_offered(text):
    assert offered(text) == []


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("|", ["dlspec: 1", "data: ", "model: "]),
        ("dlspec: 1\ndata: {|}", ["dataset: ", "table: "]),
        (IRIS + "model:\n  - den|", ["dense: "]),
        (IRIS + "model: [conv2|]", ["conv2d: {filters: 32, kernel_size: 3}"]),
        (IRIS + "model:\n  |", ["layers: ", "inputs: ", "outputs: ", "- dense: "]),
        (IRIS + "model:\n  - dense: {units: 8, act|", ["activation: ", "activity_regularizer: "]),
        (IRIS + "model:\n  - dense: {units: 8, activation: tan|", ["tanh", "tanh_shrink"]),
        (IRIS + "model:\n  - dense: {units: 8, use_bias: |}", ["true", "false"]),
        (IRIS + "model: [output]\ntrain:\n  epochs: |", ["20"]),
        (IRIS + "model: [output]\ntrain: {optimizer: {ada|}}", ["adadelta: ", "adafactor: "]),
        (IRIS + "model: [output]\nevaluate: {metrics: [f1|]}", ["f1_score"]),
        (IRIS.replace("iris}", "iris, target: |}") + "model: [output]", ["sepal_length", "sepal_width"]),
        ("dlspec: 1\ndata:\n  table: data/visits.csv\n  target: |\nmodel: [output]", ["patient", "age"]),
        ("dlspec: 1\ndata: {table: data/vis|", ["data/visits.csv"]),
        ("extends: spiral|", ["spiral_mlp.yaml"]),
        (IRIS + "model:\n  - dense: {units: 3, name: a}\n  - dense: {units: 4, name: b}\n  - add: {from: [|]}",
         ["b", "a", "input"]),
        (IRIS + "model: [dense: {units: 3, name: h}, output]\npretrain: {method: rbm, layers: [|]}", ["output", "h"]),
        (IRIS + "variables: {width: 8}\nmodel: [dense: $w|, output]", ["$width"]),
        (IRIS + "blocks: {wide: {parameters: {units: }, layers: [dense: $units]}}\nmodel: [wid|", ["wide: {units: }"]),
        (IRIS + "model: [output]\ntrain: {class_weight: {|}}", ["setosa: ", "versicolor: ", "virginica: "]),
    ],
)  # fmt: skip
def test_what_is_offered_first(text, first):
    assert offered(text)[: len(first)] == first


def test_keys_that_are_there_are_not_offered_again():
    assert "units: " not in offered(IRIS + "model:\n  - dense: {units: 8, |}")


def test_a_layer_below_the_cursor_is_not_offered_to_from():
    text = IRIS + "model:\n  - dense: {units: 3, from: |}\n  - dense: {units: 4, name: later}\n  - output"
    assert offered(text) == ["input"]


def test_what_is_taken_puts_the_word_right():
    text, line, column = at_bar(IRIS + "model:\n  - 😀드|ens: 8\n")
    assert complete(text, line, column) == []
    text, line, column = at_bar(IRIS + "# 😀\nmodel: [flatten, outp|]\n")
    (one,) = [one for one in complete(text, line, column) if one.label == "output"]
    edit = Edit(Span("f", one.line, one.column, one.line, one.end_column), one.text)
    assert apply_edits(text, [edit]).endswith("model: [flatten, output]\n")


def test_what_each_key_does_is_told():
    (epochs,) = complete(*at_bar(IRIS + "model: [output]\ntrain: {epo|}"))
    assert (epochs.label, epochs.sort) == ("epochs", "key")
    assert epochs.detail.startswith("Passes over the training data")
    assert "Default: 20" in epochs.documentation


def test_layers_are_told_in_korean():
    (dense,) = complete(*at_bar(IRIS + "model: [dens|]"), language="ko")
    assert dense.detail.startswith("마지막 축에 행렬을 곱하고")
    assert "Multiplies the last axis" in dense.documentation
    (mean,) = complete(*at_bar(IRIS + "model: [output]\nevaluate: {baselines: [mea|]}"), language="ko")
    assert "축을 따라" not in mean.documentation  # which is the layer of that name


def test_keys_with_names_are_keys_of_the_language():
    """`COLUMNS` and `FILES` name keys, which may be renamed."""
    written = str(schema())
    assert [key for key in (*COLUMNS, *FILES) if f"'{key}'" not in written] == []
    assert [name for name in COMMON if name not in LAYERS] == []


def test_it_is_fast_with_a_hundred_layers():
    layers = "  - dense: {units: 8, activation: relu}\n  - dropout: 0.1\n" * 50
    text, line, column = at_bar(f"{IRIS}model:\n{layers}  - dense: {{units: 8, from: |}}\n  - output\n")
    complete(text, line, column)
    times = []
    for _ in range(5):
        began = time.process_time()
        complete(text, line, column)
        times.append(time.process_time() - began)
    assert min(times) < 0.05


def test_of_no_text_anything_is_raised():
    """Specs cut off anywhere, with signs put in."""
    pick = random.Random(4)
    for path in pick.sample(SPECS, 12):
        text = path.read_text(encoding="utf-8")
        for _ in range(8):
            place = pick.randrange(len(text))
            sign = pick.choice(["", "{", "[", '"', ":", "- ", ", ", "\t", "$", "*", "|", "\n  ", "\x00", "한", "\r"])
            behind = pick.choice(["", text[place:]])
            broken = text[:place] + sign + behind
            line, column = broken.count("\n", 0, place) + 1, pick.randrange(60)
            for one in complete(broken, line, column, file=path):
                assert one.label
                assert one.column <= max(1, column)
            dlspec.explain_at(broken, line, column, file=path, language=pick.choice(["en", "ko"]))
            examined = dlspec.examine(broken, file=path, fixes=False)
            assert examined.draw().svg.endswith("</svg>")
