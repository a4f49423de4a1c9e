"""Bugs that were found and mended, each named after what is true now."""

import json

import numpy as np
import pytest

import dlspec
from dlspec.api import validate
from dlspec.data.features import Affine
from dlspec.runs import resume
from dlspec.training.progress import Stopped
from dlspec.training.values import predict
from tests.conftest import TINY
from tests.test_training import Training, same

SPIRALS = "data: {dataset: {spirals: {samples: 60}}}\ntrain: {epochs: 1}\n"


def run(text: str, folder, **overrides):
    return dlspec.run(dlspec.load("dlspec: 1\n" + text, overrides=overrides), out=folder)


def codes(text: str) -> list[str]:
    return [problem.code for problem in validate("dlspec: 1\n" + text)]


def test_a_run_that_was_stopped_after_training_is_not_trained_again(tiny_run, tmp_path, monkeypatch):
    import dlspec.runs.run

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dlspec.runs.running, "_write_results", stopped)
        with pytest.raises(Stopped):
            dlspec.run(dlspec.load(TINY["series"]), out=tmp_path / "run")
    started = json.loads((tmp_path / "run" / "environment.json").read_text())
    resumed = resume(tmp_path / "run", listener=None, command="again")
    whole = tiny_run("series")
    assert resumed.metrics == whole.metrics
    assert [row["epoch"] for row in resumed.history] == [row["epoch"] for row in whole.history]
    assert resumed.environment["started"] == started["started"]
    assert resumed.environment["resumed"][0]["command"] == "again"


@pytest.mark.parametrize(
    "text",
    [
        "name: 주식\n" + SPIRALS + "model: [{dense: 3}, output]\n",
        "name: raw\n" + SPIRALS + "model: [{dense: {units: 3, name: raw}}, {dense: {units: 3, name: exp}}, output]\n",
        SPIRALS + "model: [{dense: 3}, {dense: 1}, {activation: sigmoid}]\n",
        SPIRALS.replace("60}}", "60}}, limit: 1") + "model: [{dense: 3}, output]\n",
    ],
    ids=["korean-name", "names-of-our-own-parts", "output-is-an-activation", "one-training-sample"],
)
def test_what_validate_accepts_runs(text, tmp_path):
    assert run(text, tmp_path / "run").finished


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("data: {dataset: digits}\nmodel: [{conv2d: {filters: 4, kernel_size: 3, groups: 5}}, flatten, output]\n",
         ["shape-mismatch", "wrong-value"]),
        (SPIRALS + "model: [{dense: {units: 3, name: 층}}, output]\n", "wrong-value"),
        (SPIRALS + "model: [{dense: {units: 3, name: input}}, output]\n", "wrong-value"),
        (SPIRALS + "model: [{gaussian_noise: 2}, output]\n", "out-of-range"),
        (SPIRALS + "model: [{dense: {units: 3, bias_initializer: orthogonal}}, output]\n", "wrong-value"),
        ("data: {dataset: spirals}\nmodel: [output]\ntrain: {optimizer: {adam: {clipnorm: 1, clipvalue: 1}}}\n",
         "wrong-value"),
        ("data: {dataset: digits, target: image}\nmodel: [flatten, output]\n", "wrong-value"),
        ("data: {dataset: goog, target: date, window: {length: 3}}\nmodel: [{lstm: 3}, output]\n", "wrong-value"),
        ("data: {dataset: digits}\nmodel: [flatten, {dense: 10}, {dropout: 0.2}]\n",
         ["dropout-at-output", "output-mismatch"]),
        ("data: {dataset: digits}\nmodel: [flatten, {dense: {units: 10, activation: sigmoid}}]\n", "output-mismatch"),
        (SPIRALS + "model: [{dense: {units: 1, activation: softmax}}]\n", "one-unit-softmax"),
        (SPIRALS + "model: [{dense: {units: 3, trainable: false}}, output]\npretrain: {method: autoencoder}\n",
         "cannot-pretrain"),
        ("data: {series: \"a\\0b\", target: x, window: {length: 3}}\nmodel: [{lstm: 3}, output]\n", "data-unreadable"),
        ("seed: 0x" + "f" * 5000 + "\n" + SPIRALS + "model: [output]\n", "wrong-type"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_by_validate(text, code):
    assert codes(text) == ([code] if isinstance(code, str) else code)


def test_a_wrong_column_does_not_hide_shapes():
    text = "data: {dataset: goog, features: [opne], window: {length: 9}}\nmodel: [{lstm: 3}, {lstm: 3}, output]\n"
    assert codes(text) == ["unknown-column", "shape-mismatch"]


def test_a_broken_layer_keeps_its_name_and_its_number():
    text = (
        SPIRALS + "model: [{dense: {unitz: 3, name: h1}}, {dense: {unitz: 3}}, {dense: 4}, output]\n"
        "pretrain: {method: autoencoder, layers: [h1, dense_2]}\n"
    )
    assert codes(text) == ["unknown-key", "unknown-key"]


def test_every_class_has_a_label_when_there_are_as_many_labels():
    for seed in range(5):
        data = Training(TINY["digits"], **{"data.labels": 10, "seed": seed}).data
        assert sorted(data.train.truth) == list(range(10))


def test_small_changes_of_a_large_level_are_not_lost_in_the_saved_model():
    import keras

    from dlspec.model.build import with_preprocessing

    training = Training(TINY["series"], lambda columns: columns["x"].__iadd__(1e6))
    inputs = keras.Input((8, 1))
    network = keras.Model(inputs, inputs[:, -1, :], name="last_change_network")
    model = with_preprocessing(network, training.data)
    test, steps = training.data.test, training.data.preprocessing
    change = np.diff(test.raw[:, :, 0], axis=1)[:, -1:]
    expected = test.last + steps.target.back(Affine(steps.inputs.scale, steps.inputs.offset)(change))[:, 0]
    predicted = predict(model, test.raw)[:, 0]
    assert abs(predicted - expected).max() < 1e-6


def test_a_report_is_drawn_the_same_without_the_data_file(tmp_path):
    rows = "".join(f"{i},{np.sin(i / 5):.4f}\n" for i in range(120))
    (tmp_path / "wave.csv").write_text(",t,y\n" + "".join(f"{i},{row}\n" for i, row in enumerate(rows.split())))
    (tmp_path / "wave.yaml").write_text(
        "dlspec: 1\ndata: {series: wave.csv, time: t, target: y, window: {length: 5}}\n"
        "model: [{lstm: 3}, output]\ntrain: {epochs: 1}\n"
    )
    finished = dlspec.run(tmp_path / "wave.yaml", out=tmp_path / "run")
    assert finished.data["raw_columns"] == ["y"], "the index that pandas writes is no feature"
    before = finished.report.read_text()
    assert str(tmp_path) not in before
    (tmp_path / "wave.csv").unlink()
    dlspec.report(finished.folder)
    assert finished.report.read_text() == before


def test_forecasts_over_several_timesteps_do_not_make_the_verdict_surer_than_it_is():
    """Two equally good forecasters whose errors overlap: hardly one verdict in ten may name a winner."""
    from dlspec.evaluation.evaluate import interval_of_mean

    random = np.random.default_rng(0)
    surer = 0
    for _ in range(100):
        shocks = random.normal(size=(2, 170))
        gain = np.convolve(shocks[0] - shocks[1], np.ones(10), "valid")[:150] / 10
        low, high = interval_of_mean(gain, 20, resamples=300)
        surer += low > 0 or high < 0
    assert surer <= 20


def test_an_alias_and_its_anchor_are_overridden_apart():
    text = "dlspec: 1\n" + SPIRALS + "model: [{dense: &d {units: 8}}, {dense: *d}, output]\n"
    spec = dlspec.load(text, overrides={"model.1.dense.units": 4})
    assert [layer.units for layer in spec.model.layers[:2]] == [8, 4]


def test_numbers_of_numpy_and_paths_override_as_they_are():
    spec = dlspec.load("dlspec: 1\n" + SPIRALS + "model: [output]\n", overrides={"train.epochs": np.int64(3)})
    assert spec.train.epochs == 3


def test_building_draws_by_the_seed():
    spec = dlspec.load(TINY["spirals"])
    assert same(dlspec.build(spec).get_weights(), dlspec.build(spec).get_weights())


def test_freeze_keeps_everything_that_pretraining_trained():
    text = TINY["digits"].replace("- dropout: 0.1", "- batch_normalization: {name: bn}")
    plan = dlspec.plan(dlspec.load(text, overrides={"pretrain.then": "freeze"}))
    assert plan.frozen == ("h1", "bn", "h2")


@pytest.mark.parametrize(("value", "code"), [("abc", "not-a-number"), (None, "missing-value")])
def test_predict_refuses_rows_that_it_cannot_read(tiny_run, value, code):
    with pytest.raises(dlspec.DataError) as caught:
        tiny_run("series").predict({"x": [1.0] * 5 + [value] + [1.0] * 5})
    assert caught.value.diagnostics[0].code == code


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    rows = "".join(f"2024-{1 + i // 28:02d}-{1 + i % 28:02d};{i},5;Bern\n" for i in range(100))
    (tmp_path / "excel.csv").write_text("date;temp;city\n" + rows)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {series: excel.csv, target: temp, window: {length: 3}}\nmodel: [{lstm: 3}, output]\n"
    )
    spec = dlspec.load(tmp_path / "s.yaml")
    assert spec.data.features == ["temp"], "text is no feature"
    assert Training(str(tmp_path / "s.yaml")).data.train.raw[0, 0, 0] == 0.5
