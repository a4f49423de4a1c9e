"""The model that is saved is the model that was measured, and each run looks."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlspec
from dlspec.data.features import Affine
from dlspec.data.features.category import Category
from dlspec.data.features.numeric import FittedNumber, Numeric
from dlspec.data.features.text import Text
from dlspec.data.features.time import Time
from dlspec.language.diagnostics.errors import DataError, SavedModelError
from dlspec.training.values import predict

NETWORK = "model:\n  - dense: {units: 8, activation: tanh}\n  - output\ntrain: {epochs: 3, optimizer: {adam: 0.01}}\n"


def run_of(folder, data, model=NETWORK, **more):
    spec = folder / "spec.yaml"
    spec.write_text(f"dlspec: 1\ndata: {data}\n{model}")
    return dlspec.run(spec, out=folder / "run", **more)


def coordinates(rows=400):
    """Numbers of which float32 takes what tells: coordinates in meters, milliseconds since 1970, a small whole one."""
    random = np.random.default_rng(0)
    near = random.uniform(0, 1, (rows, 3))
    return pd.DataFrame(
        {
            "north": 4_160_000 + near[:, 0],
            "stamp": (1_700_000_000_000 + 500 * near[:, 1]).astype("int64"),
            "floor": (6 * near[:, 2]).astype(int),
            "z": 1e7 + np.sin(6 * near[:, 0]) + near[:, 1] + (6 * near[:, 2]).astype(int),
        }
    )


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("surveyed")
    coordinates().to_csv(folder / "points.csv", index=False)
    return run_of(folder, "{table: points.csv, target: z}")


def test_large_numbers_with_a_small_scale_are_predicted_as_they_were_measured(surveyed):
    found = surveyed.metrics.saved_model
    assert found.same
    assert found.rows == 60
    assert found.difference < 1e-6
    rows = coordinates()
    again = surveyed.predict(rows)["z"].to_numpy()[surveyed.predictions["row"]]
    assert np.abs(again - surveyed.predictions["network"]).max() < 1e-4


def test_channels_come_back_in_units_of_their_own(tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 5, 3)) * [1, 100, 0.01] + [0, 1e4, 7]
    np.savez(tmp_path / "a.npz", x=x)
    network = "model:\n  - flatten\n  - dense: 15\n  - output\ntrain: {epochs: 60, optimizer: {adam: 0.01}}\n"
    run = run_of(tmp_path, "{arrays: a.npz, target: input, scale_by: channel}", network)
    assert run.metrics.saved_model.same
    again = run.model.predict(x, verbose=0)
    assert again.shape == x.shape
    assert (np.abs(again - x).mean((0, 1)) < 0.5 * x.std((0, 1))).all()  # of each channel, also of the smallest


def test_every_way_to_call_the_saved_model_gives_the_same(surveyed):
    import keras
    import tensorflow as tf

    model = keras.models.load_model(surveyed.folder / "model.keras")
    assert {name: x.dtype for name, x in model.input.items()} == {
        "north": "float64",
        "stamp": "int64",
        "floor": "float64",
    }
    rows = coordinates().iloc[surveyed.predictions["row"]]
    given = {name: rows[name].to_numpy(x.dtype)[:, None] for name, x in model.input.items()}
    expected = surveyed.predictions["network"].to_numpy()
    of_dataset = model.predict(tf.data.Dataset.from_tensor_slices(given).batch(16), verbose=0)
    tensors = {name: tf.constant(values) for name, values in given.items()}
    for found in (model(tensors), model.predict_on_batch(tensors), of_dataset):
        assert np.abs(np.asarray(found)[:, 0] - expected).max() < 1e-4


def test_what_float32_would_take_is_said_before_and_after(surveyed):
    (said,) = (note for note in surveyed.metrics.notes if "float32" in note)
    assert "`north` is large beside its scale" in said
    text = (surveyed.folder / "model.txt").read_text(encoding="utf-8")
    assert "Of `north` this loses" in " ".join(text.split())


def test_the_code_in_model_txt_runs_and_predicts_the_first_row(surveyed, monkeypatch):
    monkeypatch.chdir(surveyed.folder)
    lines = re.findall(r"^    (.*)$", (surveyed.folder / "model.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert sum(line.startswith("predicted = ") for line in lines) == 2
    first = surveyed.predictions["network"][0]
    for end in (len(lines) - 1, len(lines)):
        names = {}
        exec("\n".join(lines[:end]), names)
        assert float(names["predicted"][0, 0]) == pytest.approx(first, abs=1e-4)


def test_a_whole_number_that_is_none_is_refused(surveyed):
    rows = coordinates().head(3).astype({"stamp": "float64"})
    rows.loc[1, "stamp"] += 0.5
    with pytest.raises(DataError, match="column `stamp` is not whole in row 2"):
        surveyed.predict(rows)


@pytest.mark.everyday("return")
@pytest.mark.parametrize("change", ["level", "difference", "return"])
def test_a_series_of_large_levels(tmp_path, change):
    random = np.random.default_rng(1)
    level = 101_324_900 + np.cumsum(random.normal(0, 0.3, 300))
    pd.DataFrame({"pressure": level}).to_csv(tmp_path / "air.csv", index=False)
    data = f"{{series: air.csv, target: pressure, window: {{length: 6}}, predict: {change}}}"
    found = run_of(tmp_path, data, "model:\n  - flatten\n  - output\ntrain: {epochs: 2}\n").metrics.saved_model
    assert found.same
    assert found.rows == 45


def test_images_are_not_changed_at_random_in_use(tmp_path):
    model = (
        "model:\n  - reshape: [8, 8, 1]\n  - random_flip\n"
        "  - random_translation: {height_factor: 0.3, width_factor: 0.3}\n"
        "  - random_crop: {height: 6, width: 6}\n  - flatten\n  - output\ntrain: {epochs: 1}\n"
    )
    run = run_of(tmp_path, "{dataset: digits, limit: 200}", model)
    pictures = np.random.default_rng(0).uniform(0, 16, (20, 8, 8)).astype("float32")
    expected = predict(run.model, pictures)
    assert np.array(run.model(pictures)) == pytest.approx(expected, abs=1e-6)
    assert not [layer for layer in run.model.layers[-1].layers if type(layer).__name__.startswith("Random")]


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(2)
    rows = pd.DataFrame({"size": random.normal(0, 1, 80), "city": random.choice(["Ulm", "Bonn"], 80)})
    rows["price"] = 2 * rows["size"] + (rows["city"] == "Ulm")
    rows.to_csv(tmp_path / "homes.csv", index=False)
    return tmp_path


def test_a_column_that_the_saved_model_encodes_otherwise_ends_the_run(table, monkeypatch):
    right = FittedNumber.connect
    monkeypatch.setattr(
        FittedNumber,
        "connect",
        lambda self, raw: right(replace(self, affine=Affine(self.affine.scale * 1.01, self.affine.offset)), raw),
    )
    with pytest.raises(SavedModelError, match="the column `size` is encoded in another way"):
        run_of(table, "{table: homes.csv, target: price}")
    kept = dlspec.open_run(table / "run")
    assert kept.finished
    assert not kept.metrics.saved_model.same
    assert kept.metrics.saved_model.difference > 1e-4


def test_other_weights_in_the_saved_model_end_the_run(table, monkeypatch):
    import dlspec.model.build as build

    right = build.with_preprocessing

    def wrong(network, data):
        import keras

        twin = keras.models.clone_model(network)
        twin.set_weights([weight * 1.02 for weight in network.get_weights()])
        return right(twin, data)

    monkeypatch.setattr(build, "with_preprocessing", wrong)
    with pytest.raises(SavedModelError, match="the layer `dense_1` computes something else"):
        run_of(table, "{table: homes.csv, target: price, split: {folds: 2}}")


def test_a_model_that_refuses_the_rows_of_the_test_part_ends_the_run(table, monkeypatch):
    def refuse(*_):
        raise DataError.of("missing-value", "column `city` lacks a value in row 1")

    monkeypatch.setattr("dlspec.runs.row_predictor.RowPredictor.raw_columns", refuse)
    with pytest.raises(SavedModelError, match="it refuses these rows: column `city` lacks a value"):
        run_of(table, "{table: homes.csv, target: price}")
    assert not (table / "run" / "model.txt").exists()


def test_each_fold_is_looked_at(table):
    run = run_of(table, "{table: homes.csv, target: price, split: {folds: 3}}")
    looked = [found for found in run.metrics.folds.saved_models if found is not None]
    assert len(looked) == 2
    assert all(found.same and found.rows for found in looked)


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


def saved(fitted, values):
    """What the saved model makes of raw values."""
    import keras

    x = keras.Input((1,), dtype=fitted.dtype)
    given = np.asarray(values, object if fitted.dtype == "string" else fitted.dtype)[:, None]
    return predict(keras.Model(x, fitted.connect(x)), given)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-1e12, 1e12),
    st.floats(1e-3, 1e3),
    st.sampled_from(["standard", "min_max", "robust", "none"]),
    st.sampled_from(["error", "mean", "median", -1.5]),
    st.booleans(),
)
def test_numbers_are_encoded_alike_in_training_and_in_the_saved_model(middle, spread, scale, missing, indicator):
    values = middle + spread * np.random.default_rng(0).normal(size=40)
    if missing != "error":
        values[::7] = np.nan
    fitted = Numeric(indicator=indicator).fit("x", values, scale, missing)
    expected = fitted.encode(values)
    assert np.abs(saved(fitted, values) - expected).max() <= 1e-6 * max(1.0, np.abs(expected).max())


@settings(max_examples=25, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=20), st.lists(WORDS, min_size=1, max_size=8), st.booleans())
def test_words_are_encoded_alike(words, others, codes):
    words, others = np.array(words, object), np.array(others, object)
    fitted = Category(codes=codes).fit("x", words, "none", "error")
    if not any(fitted.vocabulary):  # of a column without a word `run` says so
        return
    values = np.concatenate([words, others])
    assert (saved(fitted, values) == fitted.encode(values)).all()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(-(6 * 10**16), 2 * 10**17), min_size=2, max_size=30))
def test_times_are_encoded_alike(microseconds):
    seconds = np.array(microseconds) / 1e6
    parts = ["year", "month", "day", "day_of_year", "weekday", "hour"]
    fitted = Time(parts=parts).fit("x", seconds, "standard", "error")
    values = np.array([*seconds, np.nan])
    assert np.abs(saved(fitted, values) - fitted.encode(values)).max() < 1e-6


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["Good", "bad,", "día", "über", "x1", "!"]), max_size=6), min_size=2, max_size=9),
    st.sampled_from(["count", "binary", "tf_idf"]),
)
def test_texts_are_encoded_alike(texts, weights):
    values = np.array([" ".join(words) for words in texts], object)
    if not any(word.strip("!") for words in texts for word in words):
        return
    fitted = Text(weights=weights).fit("x", values, "none", "error")
    assert np.abs(saved(fitted, values) - fitted.encode(values)).max() < 1e-5


@pytest.mark.everyday(1)
@pytest.mark.parametrize("split", ["random", "order"])
def test_rows_that_are_not_in_memory_are_looked_at(tmp_path, monkeypatch, split):
    """Of some of them, whose number is estimated and then another."""
    from dlspec.data.preparation import streaming

    monkeypatch.setattr(streaming, "SAMPLE", 60)
    monkeypatch.setattr(streaming, "ROWS_AT_A_TIME", 97)
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"size": random.normal(1e7, 1, 900), "city": random.choice(["Ulm", "Bonn"], 900)})
    rows["y"] = rows["size"] - 1e7 + (rows["city"] == "Ulm")
    rows["note"] = ["x" * 200] * 200 + [""] * 700
    rows.to_csv(tmp_path / "rows.csv", index=False)
    data = f"{{table: rows.csv, target: y, features: [size, city], cache: none, split: {{by: {split}}}}}"
    run = run_of(tmp_path, data)
    assert run.metrics.saved_model.same
    assert run.metrics.saved_model.rows > 1
