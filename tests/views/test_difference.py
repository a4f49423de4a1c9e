"""`dlspec diff`: what changed in meaning, and not in how it is written."""

import json
import re

import pytest

import dlspec
from dlspec.language.diagnostics import Severity
from dlspec.views.blocks import MANY, MOST, Block, as_markdown, as_text
from tests.commands import dlspec as command
from tests.commands import dlspec_here, modules_loaded_by
from tests.conftest import ROOT, SPECS, TINY_DIGITS, TINY_SERIES
from tests.spec.test_validate_modules import heavy

HEAD = "dlspec: 1\nname: it\ndata: {dataset: iris}\n"


def of_layers(old, new, more=""):
    """How the layers of two models differ: (how, name, what)."""
    found = dlspec.diff(f"{HEAD}model: {old}\n{more}", f"{HEAD}model: {new}\n{more}")
    assert found.differs == bool(found.layers or found.keys)
    return [(" ".join(layer.how), layer.name, layer.what) for layer in found.layers]


def of_keys(old, new):
    return [(change.key, change.text, change.place) for change in dlspec.diff(old, new).keys]


# --- the same in meaning


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.stem)
def test_a_spec_is_the_same_as_with_every_default_written_out(file, tmp_path):
    resolved = file.with_name(f"{file.stem}_resolved.yaml")  # whose data are beside it, in words alone
    text = dlspec.resolve(file)
    spec = dlspec.load(file)
    other = tmp_path / resolved.name
    other.write_text(text, encoding="utf-8")
    for source in ("table", "series", "images", "text", "audio", "arrays"):
        if getattr(spec.data, source) is not None or "file: data/" in text:
            (tmp_path / "data").symlink_to(file.parent / "data")
            break
    found = dlspec.diff(file, other)
    assert (found.keys, found.layers, found.stages, found.problems) == ([], [], [], [])
    assert found.same
    assert not found.same_text
    assert "the same in meaning: only how it is written differs" in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "dlspec: 1\nmodel: [dense: {units: 8}, output]\nname: it\ndata: {dataset: iris}",
        "# why\ndlspec: 1\nname: it\ndata:\n  dataset: iris\n  scale: standard\nmodel: [dense: 8, output: {}]\n",
        f"{HEAD}variables: {{n: 4}}\nmodel: [dense: $(2 * n), output]\ntrain: {{epochs: 20, optimizer: adam}}",
        f"{HEAD}blocks: {{it: {{layers: [dense: 8]}}}}\nmodel: [it, output]\npretrain: null",
        f"{HEAD}model: [repeat: {{times: 1, layers: [dense: 8]}}, output]\ntrain: {{optimizer: {{adam: 0.001}}}}",
        f"{HEAD}model: [dense: {{units: 8, name: dense_1}}, output]",
        "dlspec: 1\nname: it\nmodel: [dense: 8, output]\ndata: {dataset: iris, target: species, features: {"
        + ", ".join(f"{part}_{size}: numeric" for part in ("sepal", "petal") for size in ("length", "width"))
        + "}}",
    ],
)
def test_how_it_is_written_does_not_matter(text):
    found = dlspec.diff(f"{HEAD}model: [dense: 8, output]\n", text)
    assert found.same, str(found)
    assert not found.same_text


def test_the_same_text_is_the_same(tmp_path):
    found = dlspec.diff(TINY_DIGITS, TINY_DIGITS)
    assert found.same_text
    assert str(found) == "<spec> → <spec>: the same"


# --- keys


def test_keys_are_listed_with_both_values_and_their_place(tmp_path):
    new = TINY_SERIES.replace("epochs: 3", "epochs: 5").replace("seed: 3\n", "").replace("{patience: 5}", "null")
    assert of_keys(TINY_SERIES, new) == [
        ("seed", "3 → 42 (default)", "old line 3"),
        ("train.epochs", "3 → 5", "line 13"),
        ("train.early_stopping", "with its defaults → not set", "line 13"),
    ]


def test_another_method_is_one_key_and_the_settings_that_only_it_has():
    new = TINY_DIGITS.replace("denoising_autoencoder, tied_weights: true", "rbm, momentum: 0.5")
    assert of_keys(TINY_DIGITS, new) == [
        ("pretrain.method", "denoising_autoencoder → rbm", "line 11"),
        ("pretrain.optimizer", "adam (default) → sgd: 0.1 (default)", ""),
        ("pretrain.momentum", "not set → 0.5", "line 11"),
        ("pretrain.tied_weights", "true → not set", "old line 11"),
    ]
    taken = TINY_DIGITS.replace(
        "method: denoising_autoencoder, tied_weights: true, epochs: 2, batch_size: 64", "from: no"
    )
    assert {"pretrain.method", "pretrain.from", "pretrain.tied_weights"} <= {
        key for key, *_ in of_keys(TINY_DIGITS, taken)
    }
    without = TINY_DIGITS.replace("pretrain:", "# pretrain:")
    (change,) = dlspec.diff(without, TINY_DIGITS).keys
    assert change.new["method"] == "denoising_autoencoder"


def test_settings_of_one_layer_count_where_they_are_written():
    """`epochs: 10` of a layer is the default of the method, and not what the other layers have."""
    per_layer = [TINY_DIGITS.replace("epochs: 2,", f"epochs: 2, per_layer: {{h1: {{{own}}}}},") for own in
                 ("epochs: 10", "batch_size: 32")]  # fmt: skip
    assert [(key, text) for key, text, _ in of_keys(*per_layer)] == [
        ("pretrain.per_layer.h1.batch_size", "not set → 32"),
        ("pretrain.per_layer.h1.epochs", "10 → not set"),
    ]


def test_another_name_is_shown_with_its_arguments_and_a_long_list_by_what_is_new():
    old = f"{HEAD}model: [output]\n"
    assert of_keys(old, f"{old}train: {{optimizer: {{sgd: {{learning_rate: 0.1, momentum: 0.9}}}}}}") == [
        ("train.optimizer", "adam (default) → sgd: {learning_rate: 0.1, momentum: 0.9}", "line 5")
    ]
    names = ("open, high, low, close, volume", "volume, open, high, low", "close, open, high, low, volume")
    sections = (f"data: {{dataset: goog, window: 5, features: [{each}]}}" for each in names)
    first, *others = (f"dlspec: 1\nname: it\n{data}\nmodel: [flatten, output]\n" for data in sections)
    assert [of_keys(first, other)[0][1] for other in others] == ["without [close]", "in another order"]


def test_callbacks_are_compared_one_by_one():
    old, new = (
        f"{HEAD}model: [output]\ntrain: {{callbacks: [terminate_on_nan, {{reduce_lr_on_plateau: {{patience: {n}}}}}]}}"
        for n in (3, 4)
    )
    assert [(key, text) for key, text, _ in of_keys(old, new)] == [
        ("train.callbacks.1.reduce_lr_on_plateau.patience", "3 → 4")
    ]


# --- layers


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[dense: 8, output]",
            "[dense: 9, output]",
            [("changed", "dense_1", "units: 8 → 9"), ("follows", "output", "")],
        ),
        (
            "[dense: 8, output]",
            "[dense: 8, dropout: 0.1, output]",
            [("added", "dropout_1", "dropout: 0.1")],
        ),
        ("[dense: 8, dense: 8, output]", "[dense: 8, output]", [("removed", "dense_2", "dense: 8")]),
        (
            "[dense: {units: 8, name: h}, output]",
            "[dense: {units: 8, name: hidden}, output]",
            [("renamed", "h → hidden", "")],
        ),
        (
            "[dropout: 0.1, dense: 8, dense: 7, output]",
            "[dense: 8, dense: 7, dropout: 0.1, output]",
            [("moved", "dropout_1", "now behind dense_2")],
        ),
        (
            "[dense: {units: 8, name: a}, dense: {units: 8, name: b}, output]",
            "[dense: {units: 8, name: b}, dense: {units: 7, name: a}, output]",
            [("follows", "b", ""), ("changed moved", "a", "units: 8 → 7; now behind b"), ("follows", "output", "")],
        ),
        (
            "[dense: {units: 8, name: a}, dense: {units: 8, name: b}, {dense: {units: 3, from: a}}, output]",
            "[dense: {units: 8, name: a}, dense: {units: 8, name: b}, {dense: {units: 3, from: b}}, output]",
            [("follows", "b", ""), ("takes other input", "dense_1", "input: a → b")],
        ),
        (
            "[{dense: {units: 8, name: a}}, output]",
            "[{activation: {activation: relu, name: a}}, output]",
            [("changed", "a", "layer: dense: 8 → activation: relu"), ("follows", "output", "")],
        ),
    ],
)
def test_layers_are_found_again(old, new, expected):
    assert of_layers(old, new) == expected


def test_numbers_of_layers_without_a_name_are_no_names():
    """`dense_1` is `dense_2` where a layer was put in below it, which changes nothing in it."""
    found = of_layers("[dense: 8, dense: 6, output]", "[dense: 9, dense: 8, dense: 6, output]")
    assert found == [("added", "dense_1", "dense: 9"), ("follows", "dense_2", "")]
    sizes = dlspec.diff(f"{HEAD}model: [dense: 8, output]", f"{HEAD}model: [dense: 9, dense: 8, output]").layers[1]
    assert (sizes.old_parameters, sizes.new_parameters, sizes.old_name) == (40, 80, "dense_1")


def test_many_layers_that_differ_are_compared_place_by_place():
    old, new = (f"[repeat: {{times: 600, layers: [dense: {n}]}}, output]" for n in (4, 5))
    found = of_layers(old, new)
    assert [how for how, _, _ in found] == ["changed"] * 600 + ["follows"]


def test_of_layers_that_only_follow_a_terminal_shows_some():
    model = f"[dense: 8, {', '.join(['dropout: 0.1'] * 30)}, output]"
    found = dlspec.diff(f"{HEAD}model: {model}\n", f"{HEAD}model: {model.replace('8', '9')}\n")
    assert "… and 23 more" in str(found)
    assert found.as_markdown().count("| follows |") == 31
    assert "<details><summary>layers: 32 rows</summary>" in found.as_markdown()


# --- what it comes to


def test_totals_have_difference_percent_and_budget():
    old, new = (f"{HEAD}model: [dense: {n}, output]\nbudget: {{parameters: 100}}\n" for n in (8, 16))
    found = dlspec.diff(old, new)
    total = {total.name: total for total in found.totals}["parameters"]
    assert (total.old, total.new, total.difference, total.percent) == (67, 131, 64, 95.52)
    assert total.change == "+64 (+95.5%), over the budget of 100"
    assert [(one.how, one.problem.code) for one in found.problems] == [("new", "over-budget")]
    assert not found.same
    assert {x.name for x in found.totals if x.differs} == {
        "parameters", "FLOPs of a sample", "saved weights", "memory of training"
    }  # fmt: skip


def test_stages_come_and_go_and_are_known_by_their_layers():
    assert dlspec.diff(TINY_DIGITS, TINY_DIGITS.replace("name: h1", "name: first")).stages == []
    fewer = dlspec.diff(
        TINY_DIGITS, TINY_DIGITS.replace("  epochs", "").replace("pretrain: {", "pretrain: {layers: [h1], ")
    )
    assert [(stage.how, stage.name, stage.epochs) for stage in fewer.stages] == [("dropped", "pretrain:h2", 2)]
    (steps,) = [total for total in fewer.totals if total.name == "steps of pretraining"]
    assert steps.new == steps.old / 2 > 0
    frozen = dlspec.diff(TINY_DIGITS, TINY_DIGITS.replace("pretrain: {", "pretrain: {then: freeze, thaw_after: 1, "))
    assert [(stage.how, stage.name) for stage in frozen.stages] == [("added", "fine_tune:frozen")]


def test_what_is_not_known_is_said(tmp_path):
    text = "dlspec: 1\nname: it\ndata: {table: gone.csv, target: a, features: [b]}\nmodel: [dense: 3, output]\n"
    found = dlspec.diff(text, text.replace("3", "4"))
    assert "steps of training are not known before all data are read" in found.notes
    assert [(x.name, x.old, x.show(x.new)) for x in found.totals if x.name == "parameters"] == []


# --- mistakes


def test_mistakes_are_told_apart_from_differences(tmp_path, write_spec):
    old = write_spec(f"{HEAD}model: [dense: 8, output]\n", "old.yaml")
    new = write_spec(f"{HEAD}model: [dense: 8, dropuot: 0.1, output]\ntrain: {{epochs: 3}}\n", "new.yaml")
    found = dlspec.diff(old, new)
    assert [(one.how, one.problem.code) for one in found.problems] == [("new", "unknown-layer")]
    assert [change.key for change in found.keys] == ["train.epochs"]
    assert (found.layers, found.totals, found.same) == ([], [], False)
    assert "layers that have errors are not compared, nor what the networks cost" in found.notes
    assert [one.how for one in dlspec.diff(new, new).problems] == ["still"]
    done = dlspec_here("diff", "old.yaml", "new.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "new.yaml:4:19: error[unknown-layer]" in done.stderr
    assert "dropuot" not in done.stdout
    assert dlspec_here("diff", "new.yaml", "old.yaml", cwd=tmp_path).returncode == 1
    marked = dlspec_here("diff", "old.yaml", "new.yaml", "--format", "markdown", cwd=tmp_path).stdout
    assert "| new | error&#91;unknown-layer&#93; |" in marked


def test_a_section_that_cannot_be_read_is_left_out_and_named():
    found = dlspec.diff(f"{HEAD}model: [output]\n", "dlspec: 1\nname: it\ndata: {dataset: iris}\n")
    assert found.left_out == ["model"]
    assert "not compared, because of errors: `model`" in found.notes


def test_warnings_come_and_go():
    hot = f"{HEAD}model: [dense: 8, output]\ntrain: {{optimizer: {{sgd: 50}}}}\n"
    found = dlspec.diff(hot, hot.replace("50", "0.1"))
    assert [(one.how, one.problem.severity) for one in found.problems] == [("gone", Severity.WARNING)]


# --- how it is shown


def test_exit_codes(tmp_path, write_spec):
    write_spec(f"{HEAD}model: [output]\n", "a.yaml")
    write_spec(f"# other words\n{HEAD}model: [output]\n", "b.yaml")
    write_spec(f"{HEAD}model: [output]\nseed: 7\n", "c.yaml")
    for words, code in ((["a.yaml", "b.yaml"], 0), (["a.yaml", "c.yaml"], 0), (["a.yaml", "no.yaml"], 3), ([], 2)):
        assert dlspec_here("diff", *words, cwd=tmp_path).returncode == code, words
    assert dlspec_here("diff", "a.yaml", "b.yaml", "--exit-code", cwd=tmp_path).returncode == 0
    assert dlspec_here("diff", "a.yaml", "c.yaml", "--exit-code", cwd=tmp_path).returncode == 4
    assert dlspec_here("diff", "a.yaml", "c.yaml", "--exit-code", "-s", "seed=1", cwd=tmp_path).returncode == 0


def test_json_has_the_keys_that_are_documented():
    found = dlspec.diff(TINY_DIGITS, TINY_DIGITS.replace("12", "13").replace("epochs: 3", "epochs: 4"))
    read = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert list(read) == [
        "old", "new", "same", "same_text", "keys", "layers", "totals", "stages", "problems", "left_out", "notes"
    ]  # fmt: skip
    assert read["keys"] == [{"key": "train.epochs", "old": 3, "new": 4, "old_place": "line 12", "new_place": "line 12"}]
    assert read["layers"][0]["arguments"][0] | {"place": None} == {
        "key": "units", "old": 12, "new": 13, "old_place": "line 7", "new_place": "line 7", "place": None
    }  # fmt: skip
    documented = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    for key in {*read, *read["keys"][0], *read["totals"][0], "problems"}:
        assert f"`{key}`" in documented, key


EVIL = ("a|b", "<img src=x>", "`x`", "a\nb", "\\|", "@team", "**b**", "[a](b)", "``` |", "\u202ex", "$x$", "#1")


@pytest.mark.parametrize("text", EVIL)
def test_nothing_in_a_cell_is_markdown(text):
    block = Block("t", ("a", "b"), [(text, text)], quoted=(0,))
    *_, row = as_markdown(text, [text], [block], [text]).splitlines()[:-2]
    cells = re.fullmatch(r"\| (.*) \| (.*) \|", row)
    for quoted, cell in zip((True, False), cells.groups(), strict=True):
        assert "|" not in cell
        inert = re.sub(r"^`[^`]+`$", "", cell) if quoted else cell
        assert not re.search(r"[`*@\[\]$]|<(?!/?code>)|#(?!\d+;)|\n", inert), cell


def test_columns_with_signs_of_markdown_in_their_names(tmp_path):
    rows = "".join(f"{i},{i % 7},{'uv'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"a|b,<img>,kind\n{rows}", encoding="utf-8")
    text = 'dlspec: 1\nname: it\ndata: {table: t.csv, target: kind, features: ["a|b"]}\nmodel: [output]\n'
    for name, features in (("old", '["a|b"]'), ("new", '["a|b", "<img>"]')):
        (tmp_path / f"{name}.yaml").write_text(text.replace('["a|b"]', features), encoding="utf-8")
    found = dlspec.diff(tmp_path / "old.yaml", tmp_path / "new.yaml")
    assert (
        "| `data.features` | <code>&#91;a&#124;b&#93; → &#91;a&#124;b, &#60;img&#62;&#93;</code> |"
        in found.as_markdown()
    )
    assert "[a|b] → [a|b, <img>]" in str(found)
    assert [(x.old, x.new) for x in found.totals if x.name == "features"] == [(1, 2)]


def test_very_many_rows_are_counted():
    block = Block("t", ("a", "b"), [(str(i), "x") for i in range(MOST + 5)])
    assert "… and 5 more" in as_text([], [block], [])
    assert f"<details><summary>t: {MOST + 5} rows" in as_markdown("t", [], [block], [])
    assert MOST > MANY


def test_it_loads_no_library_for_arrays(tmp_path):
    assert (
        heavy(modules_loaded_by("diff", ROOT / "specs" / "lstm_stock.yaml", ROOT / "specs" / "digits_dbn.yaml"))
        == set()
    )
    done = command("diff", "specs/lstm_stock.yaml", "specs/digits_dbn.yaml", cwd=ROOT)
    assert done.returncode == 0
    assert "digits_dbn" in done.stdout
