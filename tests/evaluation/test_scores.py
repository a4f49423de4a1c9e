"""Metrics of each class and series, the scale of MASE, and figures that can be told apart."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

import dlspec
from dlspec.evaluation.evaluate import evaluate
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.scores import Scorer
from dlspec.evaluation.verdict import judge
from dlspec.runs.job import load_data, new_network, plan_of
from tests.conftest import TINY
from tests.trained import Training

SHOPS = """\
dlspec: 1
data: {series: FOLDER/shops.csv, group: shop, time: day, target: sold, window: {length: 4, horizon: 3}}
model: [flatten, output]
train: {epochs: 1}
"""


@pytest.fixture
def shops(tmp_path):
    """Two shops that sell by ones and by thousands, one that always sold the same, and one that is new."""
    random, days = np.random.default_rng(0), pd.date_range("2026-01-01", periods=120)
    sold = {
        "kiosk": random.normal(0, 1, 120).cumsum() + 50,
        "market": random.normal(0, 1000, 120).cumsum() + 50_000,
        "closed": np.where(np.arange(120) < 100, 7.0, 9.0),
        "new": np.where(np.arange(120) < 90, np.nan, random.normal(0, 1, 120).cumsum() + 10),
    }
    frames = [pd.DataFrame({"day": days, "shop": name, "sold": values}) for name, values in sold.items()]
    frame = pd.concat(frames).dropna().sort_values("day", kind="stable")
    frame.to_csv(tmp_path / "shops.csv", index=False)
    return load_data(dlspec.load(SHOPS.replace("FOLDER", str(tmp_path)))), frame.reset_index(drop=True)


def test_mase_is_of_each_series_and_of_one_step(shops):
    data, frame = shops
    truth = np.asarray(data.test.truth)
    guess = truth + np.where(data.groups[data.test.rows] == "market", 500.0, 0.5)
    scorer = Scorer([METRICS["mase"](), METRICS["mae"]()], data, data.test)
    of = scorer.by_series({"network": guess})
    trained = frame[frame["day"] < data.times[data.validation.rows].min()]
    changes = {name: own["sold"].diff().abs() for name, own in trained.groupby("shop")}
    of_all = pd.concat(changes.values()).mean()
    for name, error, scale in (
        ("kiosk", 0.5, changes["kiosk"].mean()),
        ("market", 500.0, changes["market"].mean()),
        ("closed", 0.5, of_all),
        ("new", 0.5, of_all),
    ):
        assert of[name]["scores"]["network"]["mae"] == pytest.approx(error)
        assert of[name]["scores"]["network"]["mase"] == pytest.approx(error / scale, rel=0.1), name
    counts = {name: own["samples"] for name, own in of.items()}
    assert sum(counts.values()) == len(data.test)
    mean = sum(counts[name] * own["scores"]["network"]["mase"] for name, own in of.items()) / len(data.test)
    assert scorer.scores(guess)["mase"] == pytest.approx(mean)
    assert scorer.without_own_scale == ["closed", "new"]


def test_metrics_by_class_are_those_of_scikit_learn():
    data = Training(TINY["digits"]).data
    shares = np.random.default_rng(0).dirichlet(np.ones(10), len(data.test))
    of = Scorer([METRICS["accuracy"]()], data, data.test).by_class({"network": shares, "other": shares[:, ::-1]})
    truth, classes = np.asarray(data.test.truth), data.signature.target.classes
    for who, guess in (("network", shares.argmax(axis=1)), ("other", shares[:, ::-1].argmax(axis=1))):
        wanted = reference.precision_recall_fscore_support(truth, guess, labels=range(10), zero_division=np.nan)
        for place, name in enumerate(classes):
            found = of[name]["scores"][who]
            assert of[name]["samples"] == wanted[3][place]
            assert [found["precision"], found["recall"]] == pytest.approx(
                [wanted[0][place], wanted[1][place]], nan_ok=True
            )
            if wanted[3][place]:
                assert found["f1_score"] == pytest.approx(np.nan_to_num(wanted[2][place]))


def test_a_run_keeps_them(tmp_path, tiny_run):
    run = tiny_run("digits")
    assert set(run.metrics.by_class) == set(run.data.target.classes)
    one = run.metrics.by_class["3"]
    table = run.predictions
    there = table["truth"].astype(str) == "3"
    assert one.samples == there.sum()
    wanted = (table["network"].astype(str)[there] == "3").mean()
    assert one.scores["network"]["recall"] == pytest.approx(wanted)
    assert list(one.scores) == ["network", *run.metrics.baselines]
    low, high = run.metrics.test_intervals["accuracy"]
    assert low < run.metrics.test["accuracy"] < high
    page = run.report.read_text(encoding="utf-8")
    assert "95% confidence interval" in page
    assert f"{low:.1%}".removesuffix("%") in page


@pytest.mark.parametrize("name", TINY)
def test_what_is_asked_for_has_an_interval(name):
    training = Training(TINY[name])
    network = new_network(training.spec, plan_of(training.spec, training.data), training.data)
    found = evaluate(training.spec.evaluate, network, training.data)
    assert set(found.intervals) == set(found.test)
    for metric, ends in found.intervals.items():
        assert ends is None or ends[0] <= found.test[metric] <= ends[1]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((10.306, 10.314), ["10.306", "10.314"]),
        ((10.31, 10.42), ["10.31", "10.42"]),
        ((0.5, 0.5), ["0.5000", "0.5000"]),
        ((12345.2, 12345.4), ["12,345.2", "12,345.4"]),
        ((1.0, 1.0 + 1e-15), ["1.000", "1.000"]),
        ((2.0, None, 2.00001), ["2.00000", "none", "2.00001"]),
    ],
)
def test_figures_that_differ_can_be_told_apart(values, shown):
    assert METRICS["mae"].show_all(values) == shown


def test_percentages_that_differ_can_be_told_apart():
    assert METRICS["accuracy"].show_all([0.9, 0.9001, 0.95]) == ["90.00%", "90.01%", "95.00%"]
    assert METRICS["true_positives"].show_all([3.0, 4.0]) == ["3", "4"]


def test_the_verdict_shows_how_figures_differ():
    data = Training(TINY["table"]).data
    truth = np.asarray(data.test.truth)
    off = np.where(np.arange(len(truth)) % 2, 1.0, -1.0)
    verdict = judge(data, truth + 10.306 * off, {"mean": truth + 10.308 * off})
    assert "RMSE 10.306" in verdict.sentence
    assert "10.308" in verdict.sentence


def test_the_verdict_of_what_is_the_same():
    data = Training(TINY["table"]).data
    guess = np.asarray(data.test.truth) + 1
    verdict = judge(data, guess, {"mean": guess})
    assert verdict.outcome == "level"
    assert verdict.sentence.endswith("which is the same.")
