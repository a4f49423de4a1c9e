"""What stands beside predictions: intervals, sets of labels, and the columns that moved them."""

import io
import re

import keras
import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.datasets import DATASETS
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs import reasons
from dlspec.runs.conformal import Intervals, quantile
from dlspec.runs.reasons import Reasons, signed
from tests.commands import dlspec_here

SPEC = """\
dlspec: 1
name: guests
data:
  table: guests.csv
  target: {target}
  features: {{age: numeric, fare: numeric, sex: category, remark: text}}
  missing: mean
model: [{layers}output]
train: {{epochs: {epochs}, batch_size: 32, optimizer: {{adam: 0.02}}}}
"""


def guests(rows, seed=1):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"age": random.normal(40, 9, rows), "fare": random.gamma(2, 10, rows)})
    table["sex"] = random.choice(["male", "female"], rows)
    table["remark"] = random.choice(["good stay", "bad room", ""], rows)
    table["price"] = 2 * table["age"] + 3 * table["fare"] + 5 * (table["sex"] == "male") + random.normal(0, 4, rows)
    table["state"] = np.where(table["age"] + random.normal(0, 6, rows) > 42, "ill", "w|ell")
    return table


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guests")
    guests(900).to_csv(folder / "guests.csv", index=False)

    def run(target, layers, epochs):
        (folder / f"{target}.yaml").write_text(SPEC.format(target=target, layers=layers, epochs=epochs), "utf-8")
        return dlspec.run(folder / f"{target}.yaml", out=folder / target)

    return {"price": run("price", "", 15), "state": run("state", "dense: 6, ", 8)}


def printed(run, file, **asked):
    out, notes = io.BytesIO(), []
    dlspec.predict(run, file, out, note=notes.append, **asked)
    return pd.read_csv(io.BytesIO(out.getvalue()), keep_default_na=False), notes


def refused(run, **asked):
    with pytest.raises(DataError) as error:
        run.predictor_with(asked.get("intervals"), asked.get("explain"))
    return error.value.diagnostics[0]


def explained(run, rows):
    """What `Reasons` says of rows, with the predictions."""
    predictor = run.predictor
    found = Reasons.of(run.data, run.model, run.spec.seed, 3, lambda text: None)
    given = predictor.taken(rows)
    outputs = np.asarray(predictor.predict(rows).iloc[:, -1:])
    return found, given, outputs


# --- intervals


def test_a_quantile_has_the_correction_for_few_samples():
    scores = np.array([3.0, 1, 2, 9, 5, 4, 8, 7, 6])
    assert [quantile(scores, level) for level in (0.9, 0.7, 0.5, 0.05)] == [9, 7, 5, 1]


@pytest.mark.parametrize(("count", "level", "needed", "highest"), [(8, 0.9, 9, "0.888"), (1, 0.95, 19, "0.5")])
def test_too_few_samples_are_refused_with_the_level_that_is_possible(count, level, needed, highest):
    with pytest.raises(DataError) as error:
        quantile(np.arange(count), level)
    problem = error.value.diagnostics[0]
    assert problem.code == "no-intervals"
    assert f"take {needed} samples" in problem.message
    assert f"{highest} at most" in problem.help
    quantile(np.arange(count), float(highest))
    quantile(np.arange(needed), level)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_new_rows_lie_in_their_intervals_as_often_as_said(trained, level):
    new = guests(4000, seed=2)
    numbers = trained["price"].predict(new, intervals=level)
    inside = new["price"].between(numbers["price low"], numbers["price high"]).mean()
    sets = trained["state"].predict(new, intervals=level)["state set"]
    labels = new["state"].str.replace("|", "\\|")
    among = np.mean([label in re.split(r"(?<!\\)\|", found) for label, found in zip(labels, sets, strict=True)])
    count = len(trained["price"].predictions)
    spread = 4 * np.sqrt(level * (1 - level) / count)  # of the coverage, over test parts of this size
    assert abs(inside - level) < spread
    assert among > level - spread


def test_intervals_stand_beside_numbers_and_say_what_they_are_worth(trained, tmp_path):
    guests(20, seed=3).rename(columns={"state": "price low"}).to_csv(tmp_path / "new.csv", index=False)
    table, notes = printed(trained["price"], tmp_path / "new.csv", intervals=0.9)
    assert list(table)[-3:] == ["predicted price", "predicted price low", "price high"]
    count = len(trained["price"].predictions)
    assert [note for note in notes if f"0.9 of the intervals contain the truth, by {count} samples" in note]
    middle = (table["predicted price low"] + table["price high"]) / 2
    np.testing.assert_allclose(middle, table["predicted price"], rtol=1e-6)


def test_a_set_has_the_likeliest_label_and_a_sign_between_labels(trained, tmp_path):
    guests(200, seed=3).to_csv(tmp_path / "new.csv", index=False)
    table, _ = printed(trained["state"], tmp_path / "new.csv", intervals=0.95)
    assert {"ill", "w\\|ell", "ill|w\\|ell"} == {*table["state set"]}
    for label, among in zip(table["predicted state"], table["state set"], strict=True):
        assert label.replace("|", "\\|") in among


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_of_a_series_the_errors_of_the_level_count(tiny_run):
    run = tiny_run("series")
    name = f"{run.data.target.name}+2"
    values = DATASETS["mackey_glass"](samples=60).load(1)
    found = run.predict(pd.DataFrame(values), intervals=0.8)
    assert list(found) == [name, f"{name} low", f"{name} high"]
    errors = (run.predictions["truth"] - run.predictions["network"]).abs()
    np.testing.assert_allclose((found[f"{name} high"] - found[name]).iloc[0], quantile(errors, 0.8), rtol=1e-5)
    note = Intervals.of(run.data, run.predictions, 0.8).notes()[0]
    assert "of a series that is never strictly so" in note


def test_pictures_have_sets(tiny_run):
    run = tiny_run("digits")
    with pytest.warns(UserWarning, match="of the sets contain the truth"):
        found = run.predict(np.zeros((2, 8, 8)), intervals=0.9)
    assert str(found.iloc[0, 0]) in found.iloc[0, 1].split("|")


@pytest.mark.parametrize("level", [0.0, 1.0, 90])
def test_a_level_lies_between_nothing_and_all(trained, level):
    assert refused(trained["price"], intervals=level).code == "no-intervals"


# --- reasons


def test_effects_of_a_linear_network_are_its_coefficients(trained):
    run = trained["price"]
    rows = guests(7, seed=5)
    found, given, outputs = explained(run, rows)
    effects, base = found.effects(given.values, outputs)
    names = list(found.background)
    changed = rows.assign(age=rows["age"] + 1)
    slope = run.predict(changed)["price"] - run.predict(rows)["price"]
    expected = slope * (rows["age"] - found.background["age"].mean())
    np.testing.assert_allclose(effects[:, names.index("age"), 0], expected, atol=2e-3)
    np.testing.assert_allclose(effects.sum(axis=1) + base, outputs, rtol=1e-6)
    training_mean = next(feature.mean for feature in run.data.features if feature.name == "age")
    assert abs(found.background["age"].mean() - training_mean) < 0.5


def test_effects_are_together_the_prediction_less_that_of_the_background(tiny_run):
    run = tiny_run("table")
    rows = pd.DataFrame(DATASETS["diabetes"]().load(1)).head(30)
    found, given, outputs = explained(run, rows)
    effects, base = found.effects(given.values, outputs)
    assert effects.shape == (30, 10, 1)
    background = run.predict(pd.DataFrame(found.background)).iloc[:, 0]
    np.testing.assert_allclose(base, background.mean(), rtol=1e-4)
    np.testing.assert_allclose(effects.sum(axis=1) + base, outputs, rtol=1e-5)


def test_reasons_name_the_columns_that_decide_and_do_not_depend_on_blocks(trained, tmp_path, monkeypatch):
    guests(60, seed=6).assign(why="?").to_csv(tmp_path / "new.csv", index=False)
    table, notes = printed(trained["state"], tmp_path / "new.csv", explain=2)
    why = table["predicted why"]
    assert all(re.fullmatch(r"\S+ [+-][\d.e-]+; \S+ [+-][\d.e-]+", text) for text in why)
    assert np.mean([text.startswith("age ") for text in why]) > 0.6
    assert [note for note in notes if "each column by itself" in note]
    assert [note for note in notes if note.startswith("`remark`: compared with an empty text")]
    monkeypatch.setattr("dlspec.runs.predict.BLOCK", 7)
    monkeypatch.setattr(reasons, "AT_ONCE", 300)
    again, _ = printed(trained["state"], tmp_path / "new.csv", explain=2)
    assert list(again["predicted why"].str.split().str[0]) == list(why.str.split().str[0])
    strengths = [table["predicted why"].str.extract(r"^\S+ ([^;]+)")[0].astype(float) for table in (table, again)]
    np.testing.assert_allclose(*strengths, atol=2e-3)


def test_rows_that_cannot_be_read_have_no_reason(trained, tmp_path):
    rows = guests(5, seed=7).astype({"age": object})
    rows.loc[2, "age"] = "old"
    rows.to_csv(tmp_path / "new.csv", index=False)
    table, _ = printed(trained["price"], tmp_path / "new.csv", explain=9, intervals=0.9)
    assert [text == "" for text in table["why"]] == [False, False, True, False, False]
    assert table["price low"][2] == ""
    assert table["why"][0].count(";") == 3
    states, _ = printed(trained["state"], tmp_path / "new.csv", intervals=0.9)
    assert states.loc[2, ["predicted state", "state set"]].tolist() == ["", ""]
    assert re.search(r"sex=(fe)?male [+-]", table["why"][0])


def test_what_cannot_be_drawn_is_left_out_and_named(trained):
    run = trained["price"]
    features = tuple(replace_holes(feature) for feature in run.data.features)
    data = run.data.model_copy(update={"features": features})
    found = Reasons.of(data, run.model, 1, 3, lambda text: None)
    assert "remark" not in found.background
    assert [note for note in found.notes() if note.startswith("`remark`: not in `why`")]
    rows = guests(4, seed=8)
    predictor = run.predictor
    outputs = np.asarray(predictor.predict(rows))
    effects, base = found.effects(predictor.taken(rows).values, outputs)
    np.testing.assert_allclose(effects.sum(axis=1) + base, outputs, rtol=1e-6)


def replace_holes(feature):
    return feature.model_copy(update={"holes": False}) if feature.raw == "text" else feature


@pytest.mark.parametrize(("name", "what"), [("series", "a series"), ("digits", "no columns with names")])
def test_series_and_pictures_have_no_reasons(tiny_run, name, what):
    problem = refused(tiny_run(name), explain=3)
    assert problem.code == "no-reasons"
    assert what in problem.message


def test_too_many_columns_and_runs_that_do_not_say_how_values_lie_have_no_reasons(tiny_run):
    run = tiny_run("spirals")
    old = run.data.model_copy(
        update={"features": [f.model_copy(update={"quantiles": None}) for f in run.data.features]}
    )
    wide = run.data.model_copy(update={"features": run.data.features[:1] * 201})
    model = keras.Sequential([keras.Input((201,)), keras.layers.Dense(1)])
    for data, network, words in ((old, run.model, "does not say how"), (wide, model, "201 columns")):
        with pytest.raises(DataError, match=words):
            Reasons.of(data, network, 1, 3, lambda text: None)


def test_signs_and_three_digits():
    assert [signed(x) for x in (0.0, 0.21, -0.0812345, 12345.6, 3e-7)] == [
        "+0",
        "+0.210",
        "-0.0812",
        "+12346",
        "+3.00e-07",
    ]


# --- the command


def test_the_command_takes_both_with_and_without_a_number(trained, tmp_path):
    guests(3, seed=9).to_csv(tmp_path / "new.csv", index=False)
    folder = trained["price"].folder
    asked = {"bare": ["--intervals", "--explain"], "full": ["--intervals", "0.9", "--explain", "3"]}
    for name, options in asked.items():
        done = dlspec_here("predict", folder, "new.csv", *options, "--out", f"{name}.csv", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "0.9 of the intervals contain the truth" in done.stderr
    bare, full = ((tmp_path / f"{name}.csv").read_text() for name in asked)
    assert bare == full
    assert "price low,price high,why" in bare
    wrong = dlspec_here("predict", folder, "new.csv", "--intervals", "0.999", "--out", "wrong.csv", cwd=tmp_path)
    assert wrong.returncode != 0
    assert "take 999 samples" in wrong.stderr
    assert not (tmp_path / "wrong.csv").exists()
