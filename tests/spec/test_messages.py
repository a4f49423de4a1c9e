"""One mistake gives one message, and its help says what to type."""

import pytest

import dlspec

HEAD = "dlspec: 1\ndata: {dataset: digits}\n"
FINE = f"{HEAD}model: [flatten, output]\n"
SERIES = "dlspec: 1\ndata: {dataset: goog, window: {length: 9}}\nmodel: [lstm: 3, output]\n"


@pytest.mark.parametrize(
    ("text", "line", "help"),
    [
        # form
        (f"{FINE}train:\n  optimizer: adam: 0.001\n", 5, "write `optimizer: {adam: 0.001}`"),
        (
            f"{HEAD}model:\n  - flatten\n  - dense: units: 16, activation: relu\n  - output\n",
            5,
            "write `dense: {units: 16, activation: relu}`",
        ),
        (f"{FINE}train:\n  batch_size: 8\n  epochs:5\n", 6, "write `epochs: 5`"),
        (f"{FINE}train:\n  epochs:5\n  batch_size: 8\n", 5, "write `epochs: 5`"),
        (f"{FINE}train: {{epochs:5}}\n", 4, "a space is missing behind `:`: write `epochs: 5`"),
        (f"{HEAD}model:\n  - flatten\n  -output\n", 5, "write `- output`"),
        (
            f"{HEAD}model:\n  - flatten\n   - dense: 8\n  - output\n",
            5,
            "align its `-` with those of the other entries, or write `:` at the end of the line above",
        ),
        # names
        ("extend: base.yaml\n", 1, "did you mean `extends`?"),
        (f"{FINE}variable: {{w: 8}}\n", 4, "did you mean `variables`?"),
        (f"{HEAD}layers: [flatten, output]\n", 3, "did you mean `model`?"),
        (f"{HEAD}model:\n  - flatten,\n  - output\n", 4, "write `flatten`"),
        (f"{HEAD}model: [flatten, fc: 10, output]\n", 3, "did you mean `dense`?"),
        (f"{HEAD}model: [flatten, dense: {{neurons: 10}}, output]\n", 3, "write `units: 10`"),
        (f"{FINE}train: {{loss: cross_entropy}}\n", 4, "leave `loss` out: it is what the target needs"),
        (f"{FINE}train: {{optimizer: {{adam: {{lr: 0.1}}}}}}\n", 4, "write `learning_rate: 0.1`"),
        (
            f"{HEAD}model:\n  - flatten: {{name: a}}\n  - dense: {{units: 3, name: b}}\n"
            "  - concatenate: {form: [a, b]}\n  - output\n",
            6,
            "did you mean `from`?",
        ),
        (
            f"{HEAD}blocks:\n  b: {{parameters: {{f: }}, layers: [dense: $f, dense: $f]}}\n"
            "model: [flatten, b, output]\n",
            5,
            "write `b: {f: …}`",
        ),
        (f"{HEAD}model: [flatten, dense: 9, gelu, output]\n", 3, "write `activation: gelu`"),
        (f"{FINE}budget: {{size: 100kb}}\n", 4, "write `100 KB`"),
        (f"{HEAD}variables: {{w: 8}}\nmodel: [flatten, dense: w, dropout: $(1 / w), output]\n", 4, "write `$w`"),
        (f"{HEAD}variables: {{w: 8}}\nmodel: [flatten, dense: $w * 2, output]\n", 4,
         "write arithmetic as `$(w * 2)`"),
        # a value in place of keys, a mapping in place of a list
        (f"{HEAD}model:\n  - flatten\n  - skip:\n    dense: 64\n  - output\n", 6,
         "write `- dense` below `skip`, further to the right"),
        (f"{HEAD}model:\n  dense: {{units: 16}}\n  output:\n", 4,
         "put `- ` before each layer, as in `- dense: {units: 16}`"),
        (f"{HEAD}model:\n", 3, "write `- output` below it, and layers above that"),
        ("dlspec: 1\ndata: digits\nmodel: [flatten, output]\n", 2, "write `{dataset: digits}`"),
        ("dlspec: 1\ndata: ill.csv\nmodel: [flatten, output]\n", 2, "write `{table: ill.csv}`"),
        (SERIES.replace("{length: 9}", "9"), 2, "write `{length: 9}`"),
        (f"{FINE}train: {{early_stopping: 7}}\n", 4, "write `{patience: 7}`"),
        (f"{FINE}budget: 1000\n", 4, "write `{parameters: 1000}`"),
        ("date,close\n2024-01-01,3\n", 1, "begin with `dlspec: 1`"),
        # data
        (SERIES.replace("9", "4000"), 2, "write a smaller `length`, or a larger share under `split`"),
    ],
)  # fmt: skip
def test_one_mistake_gives_one_message_that_says_what_to_type(text, line, help):
    (problem,) = dlspec.validate(text)
    assert (problem.span.line, problem.help) == (line, help)


def test_what_a_base_has_for_others_to_use_is_not_unused(tmp_path):
    base = f"{HEAD}variables: {{w: 4}}\nblocks: {{b: [{{dense: $w}}]}}\nmodel: [flatten, b, output]\n"
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    (tmp_path / "top.yaml").write_text("extends: base.yaml\nmodel: [flatten, output]\n", encoding="utf-8")
    assert dlspec.validate(tmp_path / "top.yaml") == []


def test_the_data_file_given_as_a_spec_is_told_from_one(tmp_path):
    (tmp_path / "prices.csv").write_text("date,close\n2024-01-01,3\n", encoding="utf-8")
    with pytest.raises(dlspec.DataError, match="holds data and is no spec") as raised:
        dlspec.validate(tmp_path / "prices.csv")
    assert "dlspec init" in str(raised.value)


def test_a_window_of_a_table_means_a_series_and_nothing_follows_from_it(tmp_path):
    rows = "".join(f"2021-{1 + day // 28:02d}-{1 + day % 28:02d},{day % 7}\n" for day in range(300))
    (tmp_path / "sales.csv").write_text("day,sold\n" + rows)
    path = tmp_path / "s.yaml"
    text = (
        "dlspec: 1\ndata: {KIND: sales.csv, time: day, target: sold, window: {length: 14}}\nmodel: [lstm: 8, output]\n"
    )
    path.write_text(text.replace("KIND", "table").replace("time: day, ", ""))
    (problem,) = dlspec.validate(path)
    assert (problem.code, problem.help) == (
        "only-for-series",
        "write `series: sales.csv` in place of `table`, or remove `window`",
    )
    path.write_text(text.replace("KIND", "series"))
    assert dlspec.validate(path) == []


def test_a_text_that_is_to_be_read_in_order_has_a_length(tmp_path):
    rows = "".join(f"{'good film' if i % 2 else 'a bad film'},{'yes' if i % 2 else 'no'}\n" for i in range(80))
    (tmp_path / "r.csv").write_text("said,liked\n" + rows)
    path = tmp_path / "s.yaml"
    text = (
        "dlspec: 1\ndata: {table: r.csv, target: liked, features: FEATURES}\nmodel: [embedding: 8, lstm: 4, output]\n"
    )
    path.write_text(text.replace("FEATURES", "{said: text}"))
    problem, *others = dlspec.validate(path)
    assert problem.code == "wrong-input-type"
    assert "`features: {said: {text: {length: 50}}}`" in problem.help
    assert not [other for other in others if other.code != "shape-mismatch"]
    path.write_text(text.replace("FEATURES", "{said: {text: {length: 50}}}"))
    assert dlspec.validate(path) == []


def test_a_base_is_looked_for_beside_the_spec(tmp_path, monkeypatch):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "base.yaml").write_text(FINE)
    (tmp_path / "specs" / "top.yaml").write_text("extends: base\nseed: 3\n")
    monkeypatch.chdir(tmp_path)
    (problem,) = dlspec.validate("specs/top.yaml")
    assert problem.help == "did you mean `base.yaml`?"


@pytest.mark.parametrize(
    ("layer", "cure"),
    [
        ("{dense: 8, name: h}", "write `dense: {units: 8, name: h}`"),
        ("{dense: 8, activation: relu, name: h}", "write `dense: {units: 8, activation: relu, name: h}`"),
        ("{dense: {units: 4}, name: q}", "write `dense: {units: 4, name: q}`"),
        ("{dropout: 0.2, dense: 4}", "write one layer in each entry"),
        ("{dense: 8, foo: 3}", "`dense` has no `foo`; leave it out"),
    ],
)
def test_arguments_beside_a_layer_are_put_below_it(layer, cure):
    text = f"dlspec: 1\ndata: {{dataset: iris}}\nmodel: [{layer}, output]\n"
    (problem,) = dlspec.validate(text)
    assert problem.help == cure
    if cure.startswith("write `"):
        assert dlspec.validate(text.replace(f"[{layer}", f"[{{{cure[7:-1]}}}")) == []
