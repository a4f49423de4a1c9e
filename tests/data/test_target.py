"""Several targets, and several timesteps of a series: what is put out, each in its own unit and by its name."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.scores import Scorer
from dlspec.evaluation.verdict import judge
from dlspec.runs.job import load_data
from tests.conftest import problems_of

NUMBERS = """\
dlspec: 1
name: bodies
data: {table: bodies.csv, target: [height, weight], features: [age, sex]}
model: [{dense: {units: 16, activation: relu}}, output]
train: {epochs: 60, batch_size: 16, optimizer: {adam: 0.02}}
evaluate: {baselines: [mean, linear]}
"""
STEPS = """\
dlspec: 1
name: waves
data:
  series: waves.csv
  target: %s
  features: [a, b]
  window: {length: 12, horizon: 2, steps: %d}
  predict: %s
model: [flatten, {dense: 16}, output]
train: {epochs: 25, batch_size: 16, optimizer: {adam: 0.01}}
evaluate: {metrics: [mae, rmse, mase], baselines: [persistence, linear]}
"""


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    age, sex = random.uniform(20, 80, 300), random.choice(["f", "m"], 300)
    height = 1.6 + 0.12 * (sex == "m") - age / 1000 + random.normal(0, 0.01, 300)
    weight = 50_000 + 15_000 * (sex == "m") + 100 * age + random.normal(0, 500, 300)
    table = pd.DataFrame({"age": age, "sex": sex, "height": height, "weight": weight})
    table.to_csv(tmp_path / "bodies.csv", index=False)
    t = np.arange(300)
    a, b = 10 + np.sin(t / 5), 1000 + 100 * np.cos(t / 5)
    pd.DataFrame({"a": a + random.normal(0, 0.01, 300), "b": b + random.normal(0, 1, 300)}).to_csv(
        tmp_path / "waves.csv", index=False
    )
    return tmp_path


def run_of(folder, text, name="run", **overrides):
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    return dlspec.run(dlspec.load(folder / "s.yaml", overrides=overrides), out=folder / name)


def test_two_numbers_of_different_units_are_both_learned(folder):
    run = run_of(folder, NUMBERS)
    assert dlspec.graph(run.spec)["output"].output_shape == (None, 2)
    of = run.metrics.by_target
    assert of["height"]["network"]["rmse"] < 0.03
    assert of["weight"]["network"]["rmse"] < 1500
    assert of["weight"]["mean"]["rmse"] > 5000
    table = run.predictions
    assert list(table.columns[:5]) == ["row", "truth:height", "network:height", "mean:height", "linear:height"]
    frame = pd.read_csv(folder / "bodies.csv").iloc[table["row"]]
    np.testing.assert_allclose(table["truth:weight"], frame["weight"])
    predicted = run.predict(frame)
    assert list(predicted.columns) == ["height", "weight"]
    np.testing.assert_allclose(predicted["weight"], table["network:weight"], rtol=1e-4)
    rmse = ((table["network:weight"] - table["truth:weight"]) ** 2).mean() ** 0.5
    assert of["weight"]["network"]["rmse"] == pytest.approx(rmse)
    assert "of a deviation" in run.metrics.verdict.sentence
    assert run.spec.data.target == ["height", "weight"]
    again = dlspec.run(run.folder / "resolved.yaml", out=folder / "again")
    assert again.metrics.test == run.metrics.test
    page = run.report.read_text(encoding="utf-8")
    assert "The error of each value" in page
    dlspec.predict(run, folder / "bodies.csv", folder / "predicted.csv")
    assert list(pd.read_csv(folder / "predicted.csv").columns[-2:]) == ["predicted height", "predicted weight"]


def test_the_mean_of_a_metric_is_over_targets_in_deviations(folder):
    (folder / "s.yaml").write_text(NUMBERS, encoding="utf-8")
    data = load_data(dlspec.load(folder / "s.yaml"))
    truth = np.asarray(data.test.truth)
    spread = np.asarray(data.train.truth).std(axis=0)
    guess = truth + np.array([0.5, -1.5]) * spread
    scores = Scorer([METRICS["mae"](), METRICS["rmse"](), METRICS["r2"]()], data, data.test).scores(guess)
    assert scores["mae"] == pytest.approx(1.0)
    assert scores["rmse"] == pytest.approx(1.0)
    each = 1 - (np.array([0.5, 1.5]) * spread) ** 2 / truth.var(axis=0)
    assert scores["r2"] == pytest.approx(each.mean())
    sentence = judge(data, guess, {"mean": truth + 2 * spread}).sentence
    assert "RMSE 1.000 of a deviation against 2.000 of a deviation" in sentence, "as the table says"


@pytest.mark.everyday("difference")
@pytest.mark.parametrize("change", ["level", "difference", "return"])
def test_several_timesteps_of_several_columns(folder, change):
    run = run_of(folder, STEPS % ("[a, b]", 3, change))
    names = ["a+2", "a+3", "a+4", "b+2", "b+3", "b+4"]
    assert list(run.metrics.by_target) == names
    table, waves = run.predictions, pd.read_csv(folder / "waves.csv")
    made_at = table["row"] - 2
    for name in names:
        column, step = name.split("+")
        np.testing.assert_allclose(table[f"truth:{name}"], waves[column][made_at + int(step)])
        np.testing.assert_allclose(table[f"persistence:{name}"], waves[column][made_at])
        assert run.metrics.by_target[name]["network"]["rmse"] < run.metrics.by_target[name]["persistence"]["rmse"]
    predicted = run.predict(waves)
    assert list(predicted.columns) == names
    np.testing.assert_allclose(predicted.loc[made_at, "b+4"], table["network:b+4"], rtol=1e-4)
    assert table["row"].min() - 2 == 254, "the last timestep before the test part is known"


def test_several_timesteps_of_one_column_keep_its_unit(folder):
    run = run_of(folder, STEPS % ("a", 3, "level"))
    of = run.metrics.by_target
    assert run.metrics.test["mae"] == pytest.approx(np.mean([of[f"a+{i}"]["network"]["mae"] for i in (2, 3, 4)]))
    waves = pd.read_csv(folder / "waves.csv")["a"].to_numpy()
    data = load_data(run.spec)
    train = waves[: data.ends[0]]
    naive = abs(np.diff(train)).mean()  # one step ahead, however far the forecast
    np.testing.assert_allclose(data.naive_error, [naive] * 3)
    assert of["a+3"]["network"]["mase"] == pytest.approx(of["a+3"]["network"]["mae"] / naive)


@pytest.mark.slow
def test_the_saved_model_needs_keras_alone(folder):
    run = run_of(folder, STEPS % ("[a, b]", 2, "return"))
    code = (
        "import json, sys, keras, numpy as np, pandas as pd\n"
        f"rows = pd.read_csv({str(folder / 'waves.csv')!r}).to_numpy()[-13:]\n"
        f"model = keras.models.load_model({str(run.folder / 'model.keras')!r})\n"
        "print(json.dumps(model.predict(rows[None], verbose=0)[0].tolist()))\n"
        "assert not any(name.startswith('dlspec') for name in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    last = run.predict(pd.read_csv(folder / "waves.csv")).iloc[-1]
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), last.to_numpy(), rtol=1e-5)


def test_a_number_is_a_class_and_two_numbers_are_numbers(folder):
    random = np.random.default_rng(0)
    digits = random.integers(0, 5, 300)
    frame = pd.DataFrame({"x": digits + random.normal(0, 0.05, 300), "digit": digits, "half": digits % 2})
    frame.to_csv(folder / "digits.csv", index=False)
    text = (
        "dlspec: 1\nname: digits\ndata: {table: digits.csv, target: {digit: category}, features: x}\n"
        "model: [{dense: 16}, output]\ntrain: {epochs: 60, batch_size: 16, optimizer: {adam: 0.02}}\n"
    )
    run = run_of(folder, text)
    assert dlspec.graph(run.spec)["output"].output_shape == (None, 5)
    assert run.metrics.test["accuracy"] > 0.9
    again = dlspec.run(run.folder / "resolved.yaml", out=folder / "again")
    assert again.metrics.test == run.metrics.test
    numbers = run_of(folder, text.replace("{digit: category}", "{half: numeric}"), "numbers", **{"train.epochs": 1})
    assert set(numbers.metrics.test) == {"mae", "rmse", "r2"}


def test_one_target_in_a_list_is_that_target(folder):
    alone, listed = (run_of(folder, NUMBERS, name, **{"data.target": given, "train.epochs": 2})
                     for name, given in (("alone", "height"), ("listed", ["height"])))  # fmt: skip
    assert alone.metrics == listed.metrics
    assert "by_target" not in alone.metrics


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{table: bodies.csv, target: [height, sex]}", "`sex` holds labels, and several targets are numbers"),
        ("{table: bodies.csv, target: [height, height]}", "`height` is listed twice"),
        ("{table: bodies.csv, target: [height, wight]}", "the data have no column `wight`"),
        ("{table: bodies.csv, target: {sex: numeric}}", "`sex` holds labels, and `numeric` takes numbers"),
        ("{table: bodies.csv, target: {sex: klass}}", "`target` takes columns with a type"),
        ("{table: bodies.csv, target: [height, 3]}", "`target` is a column, or a list of columns, got"),
        (
            "{table: bodies.csv, target: [height, weight], features: [age, weight]}",
            "`weight` is the target, so the network would see its own answer",
        ),
        ("{table: bodies.csv, target: height, window: {length: 3, steps: 2}}", "`window` is for a series"),
        (
            "{series: waves.csv, target: input, window: {length: 3, steps: 2}}",
            "`steps` is of what is predicted, and a network that gives back its input predicts nothing",
        ),
    ],
)
def test_wrong_targets_are_named(folder, data, message):
    found = [problem.message for problem in problems_of(f"data: {data}\nmodel: [output]\n", folder) if problem.is_error]
    assert any(said.startswith(message) for said in found), found


@pytest.mark.parametrize(
    ("written", "meant"), [("nxt", "next"), ("numerc", "numeric"), ("Tags", "tags"), ("klass", "category")]
)
def test_a_misspelt_type_of_a_target_is_told_the_nearest(written, meant, folder):
    data = f"{{table: bodies.csv, target: {{sex: {written}}}}}"
    helps = [problem.help for problem in problems_of(f"data: {data}\nmodel: [output]\n", folder)]
    assert f"write `target: {{sex: {meant}}}`, or the columns alone" in helps


def test_units_of_the_output_are_checked(folder):
    text = NUMBERS.replace("output]", "dense: 3]")
    (problem,) = [p for p in problems_of(text, folder) if p.is_error]
    assert problem.message == "the network ends in (batch, 3), and `height, weight` (2 numbers) needs (batch, 2)"


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        (["-1", "1"], ("-1", "1")),
        (["0.0", "1.0"], ("0", "1")),
        (["0", "1", "1.0"], ("0", "1")),
        (["+1", "-1."], ("-1", "1")),
        (["0.5", "1"], ()),
        (["1", "1.0"], ()),
        (["1", "2", "3"], ()),
    ],
)
def test_two_whole_numbers_are_two_classes_however_they_are_written(tmp_path, written, classes):
    random = np.random.default_rng(0)
    words = random.permutation(np.resize(np.array(written, object), 90))
    pd.DataFrame({"x": random.normal(size=90), "y": words}).to_csv(tmp_path / "t.csv", index=False)
    data = load_data(dlspec.load(f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: y}}\nmodel: [output]\n"))
    target = data.signature.target
    assert target.kind == ("class" if classes else "number")
    assert target.classes == classes
    if classes:
        rows = data.train.rows
        assert [classes[i] for i in data.train.truth] == [f"{float(word):.0f}" for word in words[rows]]
