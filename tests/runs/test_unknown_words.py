"""Words at prediction mean what the type means, and what is not known is counted."""

import json

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError

ROWS = 80


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spelt")
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "smoker": random.choice(["True", "False"], ROWS),
            "floor": random.integers(1, 5, ROWS),
            "zip": random.choice(["01234", "89073", "10115"], ROWS),
            "rate": [f"{number}%" for number in random.integers(1, 20, ROWS)],
        }
    )
    rows["y"] = (rows["smoker"] == "True") * 3.0 + rows["floor"]
    rows.to_csv(folder / "rows.csv", index=False)
    (folder / "spec.yaml").write_text(
        "dlspec: 1\ndata: {table: rows.csv, target: y, features: {smoker: boolean, floor: category, zip: category, "
        "rate: numeric}}\nmodel: [output]\ntrain: {epochs: 2}\n"
    )
    return dlspec.run(folder / "spec.yaml", out=folder / "run")


def given(**changed):
    rows = {"smoker": ["True", "False", "True"], "floor": [1, 2, 3], "zip": ["01234"] * 3, "rate": ["1%", "2%", "3%"]}
    return pd.DataFrame({**rows, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"smoker": [True, False, True]},
        {"smoker": [1, 0, 1]},
        {"smoker": [1.0, 0.0, 1.0]},
        {"smoker": ["yes", "No", "TRUE"]},
        {"floor": [1.0, 2.0, 3.0]},
        {"floor": ["1.0", "2.0", "3."]},
        {"floor": ["01", "02", "003"]},
    ],
)
def test_spellings_of_a_word_are_that_word(run, changed):
    expected = run.predict(given())["y"]
    assert run.predict(given(**changed))["y"].tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_every_format_spells_alike(run, tmp_path, name):
    rows = given(smoker=[True, False, True], floor=[1.0, 2.0, 3.0])
    write = {"csv": rows.to_csv, "jsonl": rows.to_json, "parquet": rows.to_parquet}[name.split(".")[1]]
    write(tmp_path / name, **({"orient": "records", "lines": True} if "json" in name else {"index": False}))
    out = tmp_path / f"out.{name.split('.')[1]}"
    notes = []
    assert dlspec.predict(run, tmp_path / name, out, note=notes.append) == 3
    read = {"csv": pd.read_csv, "jsonl": lambda file: pd.read_json(file, lines=True), "parquet": pd.read_parquet}
    assert np.allclose(read[name.split(".")[1]](out)["y"], run.predict(given())["y"], atol=1e-6)
    assert notes == []


def test_a_leading_zero_of_a_code_belongs_to_it(run):
    with pytest.warns(UserWarning, match="1 of 3 words in `zip` were not in the training data"):
        run.predict(given(zip=["01234", "89073", "1234"]))


def test_words_that_are_not_known_are_counted_and_none_that_is_known_is_an_error(run, tmp_path):
    given(zip=["01234", "Rome", "Oslo"]).to_csv(tmp_path / "new.csv", index=False)
    notes = []
    dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.csv", note=notes.append)
    assert notes == ["2 of 3 words in `zip` were not in the training data and count as none: `Rome` and `Oslo`"]
    with pytest.raises(DataError, match="the training data have none of the words of `zip`"):
        run.predict(given(zip=["Rome", "Oslo", "Kiel"]))
    given(zip=["Rome", "Oslo", "Kiel"]).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="the training data have none of the words of `zip`"):
        dlspec.predict(run, tmp_path / "new.csv", tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()


def test_another_unit_at_prediction_is_refused(run, tmp_path):
    given(rate=[0.01, 0.02, 0.03]).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match=r"`rate` of `.*` has no unit beside its numbers, and had `%` in training"):
        dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.csv")


def test_the_saved_model_takes_every_spelling_of_true(run):
    import tensorflow as tf

    def asked(word):
        columns = {"smoker": word, "floor": "1", "zip": "01234"}
        rows = {name: tf.constant([[text]]) for name, text in columns.items()}
        return float(run.model({**rows, "rate": tf.constant([[1.0]], "float64")})[0, 0])

    assert {asked(word) for word in ("True", "true", "YES", "1")} == {asked("True")}
    assert asked("False") != asked("True")


def test_data_json_says_what_is_known_and_what_is_missing(run):
    features = {found["name"]: found for found in json.loads((run.folder / "data.json").read_text())["features"]}
    assert features["floor"]["known"] == ["1", "2", "3", "4"]
    assert features["zip"]["known"] == ["01234", "10115", "89073"]
    assert features["floor"]["missing"] == features["floor"]["unknown"] == 0
