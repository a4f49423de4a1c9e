"""Columns of a table as the network sees them, and as the saved model takes them: raw."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.datasets import Column
from dlspec.data.features import FEATURES, Affine, fit_affine, infer
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data
from tests.conftest import problems_of

ROWS = 240


def make_patients():
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, ROWS).round(1),
            "city": random.choice(["Seoul", "부산", "Daegu"], ROWS, p=[0.6, 0.3, 0.1]),
            "smoker": random.choice(["yes", "no"], ROWS),
            "ward": random.integers(1, 6, ROWS),
            "in/out": random.lognormal(3, 1, ROWS).round(2),
            "remark": [f"patient {i}" for i in range(ROWS)],
            "came": pd.Timestamp("2023-11-30") + pd.to_timedelta(random.integers(0, 9000, ROWS), unit="h"),
        }
    )
    ill = frame["age"] / 20 + (frame["city"] == "Seoul") + (frame["ward"] == 3) > 3.2
    frame["state"] = np.where(ill, "ill", "well")
    frame["stay"] = (frame["age"] / 4 + 3 * (frame["smoker"] == "yes")).round(1)
    frame.loc[random.choice(ROWS, 30, False), "age"] = np.nan
    frame.loc[random.choice(ROWS, 20, False), "city"] = None
    return frame


SPEC = """\
dlspec: 1
name: mixed
data:
  table: patients.csv
  target: state
  missing: median
  features:
    age: {numeric: {indicator: true}}
    city: category
    smoker: boolean
    ward: category
    in/out: {numeric: {scale: robust}}
    came: time
    remark: {text: {words: 5, weights: tf_idf}}
model: [{dense: {units: 8, activation: relu, name: h}}, output]
train: {epochs: 3}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    make_patients().to_csv(folder / "patients.csv", index=False)
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(folder):
    return dlspec.run(folder / "spec.yaml", out=folder / "run")


def data_of(folder, **changes):
    return load_data(dlspec.load(folder / "spec.yaml", overrides={f"data.{k}": v for k, v in changes.items()}))


# --- what the network sees


def test_each_column_is_encoded_by_its_type(folder):
    frame, data = make_patients(), data_of(folder)
    names = [column.name for column in data.preprocessing.columns]
    assert names == ["age", "city", "smoker", "ward", "in/out", "came", "remark"]
    assert data.signature.widths == (2, 4, 1, 5, 1, 7, 5)  # the missing city is a category of its own
    assert data.signature.input_shape == (None, 25)
    rows, seen = data.train.rows, data.train.inputs
    own = frame.iloc[rows].reset_index(drop=True)
    median = np.nanmedian(own["age"])
    age = own["age"].fillna(median)
    assert seen[:, 0] == pytest.approx((age - age.mean()) / age.std(ddof=0), abs=1e-4)
    assert (seen[:, 1] == own["age"].isna()).all()
    cities = ["", "Daegu", "Seoul", "부산"]
    assert (seen[:, 2:6].argmax(axis=1) == [cities.index(city) for city in own["city"].fillna("")]).all()
    assert (seen[:, 2:6].sum(axis=1) == 1).all()
    assert (seen[:, 6] == (own["smoker"] == "yes")).all()
    assert (seen[:, 7:12].argmax(axis=1) == own["ward"] - 1).all()
    low, middle, high = np.quantile(own["in/out"], [0.25, 0.5, 0.75])
    assert seen[:, 12] == pytest.approx((own["in/out"] - middle) / (high - low), abs=1e-4)


def test_the_graph_is_that_of_the_network_that_is_trained(folder):
    spec = dlspec.load(folder / "spec.yaml")
    graph = dlspec.graph(spec)
    # of words in the training part, a missing one among them, and of a date with a clock
    assert graph["h"].parameters == (25 + 1) * 8
    assert graph.parameters == dlspec.build(spec).count_params()


def test_left_out_types_are_inferred(folder):
    spec = dlspec.load(
        SPEC.replace("patients.csv", f"{folder}/patients.csv").split("  features")[0] + "model: [output]\n"
    )
    assert {name: kind.brief() for name, kind in spec.data.features.items()} == {
        "age": "numeric", "city": "category", "smoker": "boolean", "ward": "numeric", "in/out": "numeric",
        "stay": "numeric",
    }  # fmt: skip
    (note,) = dlspec.validate(dlspec.resolve(spec))
    assert note.code == "dates-at-random", "`came` holds dates, and the resolved spec says that rows are drawn"


@pytest.mark.parametrize(
    ("classes", "kind"),
    [(("no", "yes"), "boolean"), (("False", "True"), "boolean"), (("0", "yes"), "category"), (("a", "b"), "category")],
)
def test_two_words_are_true_and_false_where_they_belong_together(classes, kind):
    assert infer(Column("x", "class", classes=classes)).type_name == kind


def test_a_word_that_the_training_part_lacks_is_none_of_the_categories():
    fitted = FEATURES.read("category").fit("x", np.array(["a", "b", "a"], object), "standard", "error")
    assert fitted.encode(np.array(["b", "c"], object)).tolist() == [[0, 1], [0, 0]]


def test_the_rarest_categories_may_be_left_out():
    words = np.array(["a"] * 3 + ["b"] * 2 + ["c"], object)
    fitted = FEATURES.read({"category": {"most": 2}}).fit("x", words, "standard", "error")
    assert fitted.vocabulary == ("a", "b")


def test_a_scale_is_robust_against_what_lies_far_out():
    values = np.array([[1.0], [2], [3], [4], [5]])
    far = np.array([[1.0], [2], [3], [4], [5000]])
    assert fit_affine(values, "robust").scale == fit_affine(far, "robust").scale == 0.5
    assert fit_affine(far, "robust")(far)[2] == 0
    assert isinstance(fit_affine(far, "none"), Affine)


# --- missing values


@pytest.mark.parametrize(("policy", "fill"), [("mean", np.nanmean), ("median", np.nanmedian), (7, lambda values: 7)])
def test_what_stands_in_is_measured_in_the_training_part(folder, policy, fill):
    data = data_of(folder, missing=policy)
    own = make_patients()["age"].iloc[data.train.rows]
    assert data.preprocessing.columns[0].fill == pytest.approx(fill(own))


def test_rows_may_be_left_out(folder):
    frame = make_patients()
    data = data_of(folder, missing="drop")
    whole = frame.dropna().index
    rows = np.concatenate([data.train.rows, data.validation.rows, data.test.rows])
    assert sorted(rows) == sorted(whole)
    assert (data.test.truth == (frame["state"].iloc[data.test.rows] == "well")).all()


def test_a_missing_value_is_an_error_with_its_row_and_the_cure(folder):
    with pytest.raises(DataError) as error:
        data_of(folder, missing="error")
    problem, *others = error.value.diagnostics
    row = int(np.argmax(make_patients()["age"].isna())) + 1
    assert problem.message.endswith(f"row {row}")
    assert "write `missing: median` under `data`" in problem.help
    assert others, "every such column is said at once"
    assert (problem.span.line, problem.span.column) == (8, 10)


def test_a_table_of_which_no_row_is_whole_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("x,z,y\n" + "1,,2\n,1,3\n" * 10, encoding="utf-8")
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: t.csv, target: y, missing: drop}\nmodel: [output]\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match="`missing: drop` leaves no row"):
        load_data(dlspec.load(tmp_path / "s.yaml"))


# --- nothing of the test part reaches training


def test_changed_test_values_leave_the_trained_weights_as_they_are(folder, run, tmp_path):
    frame = make_patients()
    rows = load_data(dlspec.load(folder / "spec.yaml")).test.rows
    changed = frame.copy()
    changed.loc[rows, "age"] = 1000.0 + np.arange(len(rows))
    changed.loc[rows, "city"] = "Atlantis"
    changed.loc[rows, "smoker"] = "no"
    changed.loc[rows, "in/out"] = -5e6
    changed.loc[rows, "came"] = pd.Timestamp("1969-07-20 20:17")
    changed.loc[rows, "remark"] = "one small step"
    changed.to_csv(tmp_path / "patients.csv", index=False)
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    other = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    first, second = (np.load(each.folder / "layers.npz") for each in (run, other))
    assert set(first.files) == set(second.files)
    assert all((first[name] == second[name]).all() for name in first.files)


# --- the saved model takes raw columns

FRESH = """
import json, sys
import numpy as np, pandas as pd, keras
assert "dlspec" not in sys.modules
model = keras.models.load_model(sys.argv[1] + "/model.keras")
frame = pd.read_csv(sys.argv[2])
data = {"age": frame["age"].to_numpy("float32"), "in_out": frame["in/out"].to_numpy("float32")}
data["came"] = pd.to_datetime(frame["came"]).to_numpy("datetime64[s]").astype("int64").astype("float64")
for name in ("city", "smoker", "ward", "remark"):
    data[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str).to_numpy(object)
import tensorflow as tf
data = {
    name: tf.constant(values.reshape(-1, 1) if values.dtype != object else values.reshape(-1, 1).tolist())
    for name, values in data.items()
}
print(json.dumps(np.asarray(model(data))[:, 0].tolist()))
"""


@pytest.mark.parametrize("said", ["", ", features: {kind: {category: {embedding: 3}}, z: numeric}"])
def test_any_word_is_a_category(tmp_path, said):
    """Also those by which Keras says that a word is missing or unknown."""
    random = np.random.default_rng(0)
    words = ["[UNK]", "[[UNK]]", "[missing]", "nan", "None", "a\nb", ""]
    frame = pd.DataFrame({"kind": random.choice(words, 120), "z": random.normal(size=120)})
    frame["y"] = frame["kind"].map(words.index) + frame["z"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    text = (
        f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: y, missing: median{said}}}\nmodel: [dense: 4, output]\n"
    )
    run = dlspec.run(text, {"train.epochs": 2}, out=tmp_path / "run")
    expected = run.predictions["network"].to_numpy()
    found = dlspec.open_run(run.folder).predict(frame)["y"].to_numpy()[run.predictions["row"]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert run.data.features[0].words in (6, 7)


@pytest.mark.slow
def test_the_saved_model_takes_raw_columns_in_a_fresh_process(folder, run):
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(run.folder), str(folder / "patients.csv")],
        capture_output=True,
        text=True,
        check=True,
    )
    fresh = np.array(json.loads(done.stdout))
    table = run.predictions
    rows = table["row"].to_numpy()
    assert fresh[rows] == pytest.approx(table["p(well)"].to_numpy(), abs=1e-5)
    again = run.predict(make_patients())
    assert again["state=well"].to_numpy() == pytest.approx(fresh, abs=1e-5)
    assert list(again["state"]) == list(np.where(fresh >= 0.5, "well", "ill"))


def test_a_number_may_be_predicted_from_words(folder, tmp_path):
    text = SPEC.replace("target: state", "target: stay").replace("patients.csv", f"{folder}/patients.csv")
    run = dlspec.run(text, out=tmp_path / "run")
    table = run.predictions
    predicted = run.predict(make_patients())["stay"].to_numpy()
    assert predicted[table["row"].to_numpy()] == pytest.approx(table["network"].to_numpy(), rel=1e-4)
    assert "category, 3 words" in run.report.read_text(encoding="utf-8")
    again = dlspec.load(run.folder / "resolved.yaml")
    assert again.data.features["in/out"].scale == "robust"


def test_what_is_predicted_from_is_named_where_it_is_wrong(run):
    frame = make_patients()
    with pytest.raises(DataError, match="the rows have no column `city`"):
        run.predict(frame.drop(columns="city"))
    with pytest.raises(DataError, match="the model takes each column by its name"):
        run.predict(np.zeros((3, 7)))
    frame["age"] = frame["age"].astype(object)
    frame.loc[4, "age"] = "old"
    with pytest.raises(DataError, match='column `age` has the text "old" in row 5'):
        run.predict(frame)


def test_an_encoder_takes_raw_columns_too(run):
    encoder = run.encoder("h")
    assert encoder.output_shape == (None, 8)
    assert (
        set(encoder.input) == {"age", "city", "smoker", "ward", "in_out", "came", "remark"}
        if isinstance(encoder.input, dict)
        else True
    )


def test_several_inputs_share_out_encoded_columns(folder, tmp_path):
    text = SPEC.replace("patients.csv", f"{folder}/patients.csv").split("model:")[0] + (
        "model:\n  inputs: {person: [age, city, smoker, came], stay: [ward, in/out, remark]}\n  layers:\n"
        "    - dense: {units: 4, from: person, name: a}\n    - dense: {units: 3, from: stay, name: b}\n"
        "    - concatenate: {from: [a, b]}\n    - output\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(text, out=tmp_path / "run")
    weights = np.load(run.folder / "layers.npz")
    shapes = {weights[name].shape for name in weights.files}
    assert {(7 + 7, 4), (6 + 5, 3)} <= shapes
    assert len(run.predict(make_patients())) == ROWS


# --- what lies in [0, 1]


@pytest.mark.parametrize(
    ("features", "error"),
    [("{city: category, smoker: boolean}", None), ("{city: category, stay: numeric}", "does not lie in [0, 1]")],
)
def test_cross_entropy_takes_what_lies_in_the_unit_interval(folder, features, error):
    text = (
        f"dlspec: 1\ndata: {{table: {folder}/patients.csv, target: state, missing: median, features: {features}, "
        "split: {by: order}}\nmodel: [dense: {units: 4, activation: sigmoid}, output]\n"
        "pretrain: {method: autoencoder, loss: cross_entropy}\n"
    )
    problems = problems_of(text, folder)
    assert [error in p.message for p in problems] == ([True] if error else [])


def test_a_scale_of_a_column_counts_where_it_differs_from_that_of_the_data(folder):
    text = (
        f"dlspec: 1\ndata: {{table: {folder}/patients.csv, target: state, missing: median, scale: min_max, "
        "features: {age: {numeric: {scale: standard}}, stay: numeric}}\n"
        "model: [dense: {units: 4, activation: sigmoid}, output]\npretrain: {method: rbm, visible: bernoulli}\n"
    )
    assert "cannot-pretrain" in [p.code for p in problems_of(text, folder)]


# --- mistakes


def test_every_wrong_type_is_said_at_once(folder):
    text = (
        f"dlspec: 1\ndata:\n  table: {folder}/patients.csv\n  target: state\n  features:\n    age: numeri\n"
        "    city: {category: {most: 0}}\nmodel: [output]\n"
    )
    assert [p.span.line for p in problems_of(text, folder)] == [6, 7]


def test_missing_is_of_single_samples(tmp_path):
    rows = "".join(f"{i},{i % 7 or ''}\n" for i in range(100))
    (tmp_path / "s.csv").write_text(f"t,x\n{rows}", encoding="utf-8")
    text = "dlspec: 1\ndata: {series: s.csv, target: x, window: {length: 5}%s}\nmodel: [lstm: 2, output]\n"
    (problem,) = problems_of(text % ", missing: median", tmp_path)
    assert (problem.code, problem.span.line) == ("only-for-samples", 2)
    (tmp_path / "s.yaml").write_text(text % "", encoding="utf-8")
    spec = dlspec.load(tmp_path / "s.yaml")
    with pytest.raises(DataError) as error:
        load_data(spec)
    assert "`missing: previous`" in error.value.diagnostics[0].help


def test_a_target_that_is_missing_is_not_filled_in_but_left_out(tmp_path):
    rows = "".join(f"{i},{i % 7 or ''}\n" for i in range(100))
    (tmp_path / "s.csv").write_text(f"t,x\n{rows}", encoding="utf-8")
    (tmp_path / "s.yaml").write_text("dlspec: 1\ndata: {table: s.csv, target: x}\nmodel: [output]\n", encoding="utf-8")
    spec = dlspec.load(tmp_path / "s.yaml")
    with pytest.raises(DataError) as error:
        load_data(spec)
    assert "write `missing: drop` under `data`" in error.value.diagnostics[0].help
    data = load_data(dlspec.load(tmp_path / "s.yaml", overrides={"data.missing": "drop"}))
    assert len(data.train) + len(data.validation) + len(data.test) == 85


def test_a_word_of_the_test_part_fits_no_shape(tmp_path):
    words = ["a", "b"] * 60
    words[-1] = "c"  # in the test part alone
    rows = "".join(f"{word},{i}\n" for i, word in enumerate(words))
    (tmp_path / "t.csv").write_text(f"word,y\n{rows}", encoding="utf-8")
    text = (
        "dlspec: 1\ndata: {table: t.csv, target: y, features: {word: category}, split: {by: order}}\n"
        "model: [reshape: [3, 1], flatten, output]\n"
    )
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(dlspec.SpecError, match="reshape"):
        dlspec.load(tmp_path / "s.yaml")


def test_a_first_spec_takes_words_too(folder, tmp_path):
    text = dlspec.init(str(folder / "patients.csv"), target="state")
    assert "features: [age, city, smoker, ward, in/out, stay]  # left out: remark (text), came (times)" in text


@pytest.mark.parametrize(
    ("features", "message", "help"),
    [
        ("{city: numeric}", "`city` holds labels, and `numeric` takes numbers", "write `city: category`"),
        ("{age: categori}", "there is no feature type `categori`", "did you mean `category`?"),
        ("{age: {numeric: {skale: none}}}", "unknown key `skale`", "did you mean `scale`?"),
        ("{age: {numeric: {missing: mode}}}", "`missing` is `error`, `drop`, `mean`, `median` or a number", None),
        ("{age: image}", "`age` holds numbers, and `image` takes pictures", None),
        ("{age: {image: {missing: drop}}}", "an array has no missing values to fill in", "write `image` alone"),
        ("{remark: time}", "`remark` holds text, and `time` takes times", "write `remark: text`"),
        ("{}", "`features` names no column", None),
        ("[age, 3]", "`features` is a list of columns, or a mapping from columns to types, got", None),
        ("{agee: numeric}", "the data have no column `agee`", "did you mean `age`?"),
        ("{state: category}", "`state` is the target, so the network would see its own answer", None),
    ],
)
def test_a_wrong_type_is_named(folder, features, message, help):
    data = f"data:\n  table: {folder}/patients.csv\n  target: state\n  missing: median\n  features: {features}\n"
    text = f"dlspec: 1\n{data}model: [output]\n"
    (problem,) = (p for p in problems_of(text, folder) if p.is_error)
    assert message in problem.message
    assert problem.span.line == 6
    if help:
        assert problem.help.startswith(help)


def test_a_series_has_no_types_yet_and_words_are_no_input_to_give_back(folder):
    series = (
        f"dlspec: 1\ndata: {{series: {folder}/patients.csv, target: stay, window: {{length: 5}}, "
        "features: {age: numeric}}\nmodel: [lstm: 2, output]\n"
    )
    assert "only-for-samples" in [p.code for p in problems_of(series, folder)]
    back = f"dlspec: 1\ndata: {{table: {folder}/patients.csv, target: input}}\nmodel: [dense: 2, output]\n"
    assert [p.code for p in problems_of(back, folder)] == ["wrong-target"]


def test_pictures_are_of_the_type_image():
    text = "dlspec: 1\ndata: {dataset: digits, features: %s}\nmodel: [flatten, dense: 4, output]\n"
    said = dlspec.load(text % "{image: image}")
    assert dlspec.graph(said).parameters == dlspec.graph(dlspec.load(text % "image")).parameters
    np.testing.assert_array_equal(load_data(said).train.inputs, load_data(dlspec.load(text % "image")).train.inputs)
    (problem,) = dlspec.validate(text % "{image: numeric}")
    assert problem.message == "`image` holds arrays, and `numeric` takes numbers"
    assert problem.help == "write `image: image`, or leave the type out"


# --- bins


@pytest.mark.parametrize(("missing", "indicator"), [("median", False), ("median", True), (0, False)])
def test_bins_hold_as_many_values_each(missing, indicator):
    values = np.concatenate([np.random.default_rng(0).lognormal(size=1000), [np.nan] * 50])
    fitted = FEATURES["numeric"](bins=10, indicator=indicator).fit("x", values, "standard", missing)
    seen = fitted.encode(values)
    assert seen.shape == (1050, fitted.width) == (1050, 10 + indicator)
    assert (seen[:, :10].sum(axis=1) == 1).all()
    np.testing.assert_allclose(seen[:, :10].sum(axis=0), 105, atol=50)  # the 50 that were filled in are equal
    assert seen[:, 10:].sum() == 50 * indicator
    assert fitted.encode(np.array([-1e9, 1e9]))[:, [0, 9]].tolist() == [[1, 0], [0, 1]]


def test_what_is_missing_and_not_filled_in_lies_in_no_bin():
    fitted = FEATURES["numeric"](bins=3).fit("x", np.arange(30.0), "standard", "error")
    assert fitted.encode(np.array([np.nan, 3.0])).tolist() == [[0, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize("values", [np.zeros(40), np.repeat([0.0, 1.0], 20)])
def test_equal_values_lie_in_one_bin(values):
    seen = FEATURES["numeric"](bins=4).fit("x", values, "standard", "error").encode(values)
    assert (seen.sum(axis=1) == 1).all()
    assert len({tuple(row) for row in seen}) == len(np.unique(values))


def test_a_bin_has_no_scale(tmp_path):
    make_patients().to_csv(tmp_path / "p.csv", index=False)
    text = "dlspec: 1\ndata: {table: p.csv, target: state, features: {age: {numeric: {bins: 5, scale: robust}}}}\n"
    (problem,) = problems_of(text + "model: [output]\n", tmp_path)
    assert "has no `scale`" in problem.message


def test_the_saved_model_finds_the_same_bins(tmp_path):
    make_patients().to_csv(tmp_path / "p.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\nname: b\ndata:\n  table: p.csv\n  target: state\n  missing: median\n"
        "  features: {age: {numeric: {bins: 7, indicator: true}}, in/out: {numeric: {bins: 3}}}\n"
        "model: [{dense: 4}, output]\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert run.metrics.saved_model.where is None


@pytest.mark.parametrize(
    ("kind", "values", "message", "help"),
    [
        ("boolean", "abcd", "has 4 different words, and a boolean two", "{boolean: d}"),
        ("{boolean: smokerr}", ["smoker", "none"], "no row of `f` has the word `smokerr`", "did you mean `smoker`?"),
        ("{boolean: x}", ["a", "b"], "no row of `f` has the word `x`", "its words are `a` and `b`"),
    ],
)
def test_words_that_are_neither_true_nor_false_are_refused(tmp_path, kind, values, message, help):
    rows = [f"{values[row % len(values)]},{row}" for row in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["f,y", *rows]) + "\n", encoding="utf-8")
    text = f"dlspec: 1\ndata: {{table: t.csv, target: y, features: {{f: {kind}}}}}\nmodel: [output]\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    (found,) = [each for each in dlspec.validate(tmp_path / "s.yaml") if each.severity.value == "error"]
    assert message in found.message
    assert help in found.help


@pytest.mark.parametrize(
    ("kind", "values"),
    [("boolean", ["Yes", "yes", "no", "NO"]), ("{boolean: smoker}", ["smoker", "was", "never"]), ("boolean", "ab")],
)
def test_spellings_and_all_but_a_word_are_boolean(tmp_path, kind, values):
    rows = [f"{values[row % len(values)]},{row}" for row in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["f,y", *rows]) + "\n", encoding="utf-8")
    text = f"dlspec: 1\ndata: {{table: t.csv, target: y, features: {{f: {kind}}}}}\nmodel: [output]\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert not [each for each in dlspec.validate(tmp_path / "s.yaml") if each.severity.value == "error"]
