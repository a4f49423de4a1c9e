"""Folds: every sample is tested on once, or a series in several later parts; and how much results differ."""

import json
import signal

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.evaluation.metrics import METRICS
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.folds import summarize
from dlspec.runs.job import load_data
from dlspec.runs.listener import Listener
from dlspec.runs.records.data import Parts
from dlspec.runs.records.metrics import Fold
from dlspec.runs.repeats import Done
from dlspec.training.progress import Stopped
from dlspec.training.values import as_array
from tests.conftest import TINY
from tests.trained import Training

IRIS = """\
dlspec: 1
name: folded
data: {dataset: iris, split: {folds: 3}}
model: [{dense: {units: 4, activation: tanh, name: h}}, output]
pretrain: {method: autoencoder, epochs: 1}
train: {epochs: 2}
"""
SERIES = """\
dlspec: 1
name: walked
data:
  dataset: {mackey_glass: {samples: 300}}
  window: {length: 8, horizon: 2}
  predict: difference
  split: {validation: 0.1, walk_forward: {folds: 3}}
model: [{lstm: 3}, output]
train: {epochs: 1, batch_size: 16}
"""


def folds_of(text, **overrides):
    spec = dlspec.load(text, overrides=overrides)
    return [load_data(spec, fold) for fold in range(spec.data.split.times_trained)]


def rows_of(data):
    return [part.rows for part in (data.train, data.validation, data.test)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return dlspec.run(IRIS, out=tmp_path_factory.mktemp("folds") / "run")


# --- which rows


@pytest.mark.parametrize("by", ["stratified", "random", "order"])
@pytest.mark.parametrize("count", [2, 5])
def test_every_row_is_tested_on_once(by, count):
    found = folds_of(IRIS, **{"data.split": {"folds": count, "by": by}})
    assert len(found) == count
    tested = np.concatenate([data.test.rows for data in found])
    assert sorted(tested) == list(range(150))
    for data in found:
        assert sorted(np.concatenate(rows_of(data))) == list(range(150))
        assert len(data.test) == 150 / count
        assert len(data.validation) == pytest.approx(0.15 * 150, abs=1)
        if by == "stratified":
            assert set(np.bincount(data.test.truth)) == {50 // count}
        if by == "order":
            assert np.array_equal(data.test.rows, np.arange(data.test.rows[0], data.test.rows[0] + 150 // count))


def test_groups_stay_in_one_fold(tmp_path):
    random = np.random.default_rng(1)
    patient = random.integers(0, 23, 200)
    frame = pd.DataFrame({"patient": patient, "age": random.normal(size=200), "ill": random.choice(["a", "b"], 200)})
    frame.to_csv(tmp_path / "visits.csv", index=False)
    text = (
        f"dlspec: 1\ndata: {{table: {tmp_path}/visits.csv, target: ill, split: {{folds: 4, group: patient}}}}\n"
        "model: [output]\n"
    )
    found = folds_of(text)
    assert sorted(np.concatenate([data.test.rows for data in found])) == list(range(200))
    for data in found:
        patients = [set(patient[rows]) for rows in rows_of(data)]
        assert sum(map(len, patients)) == len(set(patient))
        assert len(data.test) == pytest.approx(50, abs=4)


def test_what_is_fitted_is_fitted_to_the_training_part_of_each_fold():
    for data in folds_of(IRIS):
        values = np.stack([data.columns[column.name] for column in data.signature.features], axis=1)[data.train.rows]
        assert data.preprocessing.inputs.scale == pytest.approx(1 / values.std(axis=0))


def test_each_test_of_a_walk_forward_is_later_than_its_training_and_than_the_test_before():
    found = folds_of(SERIES)
    edges = [0]
    for data in found:
        train, validation, test = rows_of(data)
        assert train.max() == validation.min() - 2  # two steps ahead of the last row before
        assert validation.max() == test.min() - 2
        assert train.min() - 10 == 0
        edges.append(test.max() + 1)
        assert len(test) == 50 - 1  # a sixth of 300 rows
    assert edges[1:] == [200, 250, 300]
    assert dlspec.load(SERIES).data.split.test == 0.1667
    own = folds_of(SERIES, **{"data.split": {"validation": 0, "test": 20, "walk_forward": {"folds": 4}}})
    assert [data.test.rows.max() for data in own] == [239, 259, 279, 299]


def test_a_walk_forward_through_groups_cuts_all_of_them_at_the_same_times(tmp_path):
    days = np.tile(np.arange(100), 2)
    frame = pd.DataFrame({"time": days, "name": np.repeat(["a", "b"], 100), "x": np.sin(days)})
    frame.to_csv(tmp_path / "two.csv", index=False)
    text = (
        f"dlspec: 1\ndata:\n  series: {tmp_path}/two.csv\n  group: name\n  target: x\n  window: {{length: 3}}\n"
        "  split: {test: 0.1, walk_forward: {folds: 3}}\nmodel: [{lstm: 2}, output]\n"
    )
    for first, data in zip((70, 80, 90), folds_of(text), strict=True):
        assert set(days[data.test.rows]) == set(range(first, first + 10))
        assert days[data.validation.rows].max() == first - 1


# --- what comes of it


def test_results_have_means_and_spreads_of_the_network_and_the_baselines(run):
    folds = run.metrics.folds
    assert [name for name, _ in folds.of_all()] == ["network", *run.metrics.baselines]
    for (_, scores), own in zip(folds.of_all(), run.metrics.scores().values(), strict=True):
        for metric in ("accuracy", "log_loss"):
            values = scores[metric].values
            assert len(values) == 3
            assert values[0] == own[metric], "the first fold is the run itself"
            assert scores[metric].mean == pytest.approx(np.mean(values))
            assert scores[metric].sd == pytest.approx(np.std(values, ddof=1))
    assert folds.parts[0] == run.data.parts
    assert len(set(folds.test["log_loss"].values)) == 3
    assert run.metrics.notes[0] == "Scores, figures and the saved network are of the first of 3 folds."
    page = run.report.read_text(encoding="utf-8")
    assert "Over 3 folds" in page
    assert SHOWN.format(mean=folds.test["accuracy"].mean, sd=folds.test["accuracy"].sd) in page


SHOWN = "{mean:.1%} ±&nbsp;{sd:.1%}"


def test_a_fold_beside_the_run_is_trained_as_it_would_be_alone(run, tmp_path):
    """The second fold, as a run of its own: its rows are named by a column."""
    data = folds_of(IRIS)[1]
    frame = pd.DataFrame({column.name: data.columns[column.name] for column in data.signature.features})
    frame["species"] = np.array(data.signature.target.classes)[load_truth(data)]
    frame["part"] = "train"
    frame.loc[data.validation.rows, "part"] = "val"
    frame.loc[data.test.rows, "part"] = "test"
    frame.to_csv(tmp_path / "iris.csv", index=False)
    text = IRIS.replace(
        "dataset: iris, split: {folds: 3}", f"table: {tmp_path}/iris.csv, target: species, split: {{column: part}}"
    )
    alone = dlspec.run(text, out=tmp_path / "run")
    assert alone.metrics.test["log_loss"] == run.metrics.folds.test["log_loss"].values[1]


def load_truth(data):
    truth = np.empty(150, int)
    for part in (data.train, data.validation, data.test):
        truth[part.rows] = part.truth
    return truth


@pytest.mark.slow
def test_the_network_of_the_last_fold_of_a_walk_forward_is_kept(tmp_path):
    run = dlspec.run(SERIES, out=tmp_path / "run")
    folds = run.metrics.folds
    assert folds.test["rmse"].values[-1] == run.metrics.test["rmse"]
    assert [parts.train for parts in folds.parts] == sorted(parts.train for parts in folds.parts)
    assert run.predictions["row"].max() == 299
    assert "of the last of 3 folds" in run.metrics.notes[0]


@pytest.mark.slow
def test_folds_that_were_done_are_not_done_again(run, tmp_path):
    class StopAtLast(Listener):
        def goes_on(self, text):
            if text.startswith("fold 3 of 3"):
                signal.raise_signal(signal.SIGINT)

    class Count(Listener):
        noted = ()

        def note(self, text):
            self.noted = (*self.noted, text)

    with pytest.raises(Stopped):
        dlspec.run(IRIS, out=tmp_path / "run", listener=StopAtLast())
    done = json.loads((tmp_path / "run/checkpoints/folds.json").read_text())
    assert [entry["fold"] for entry in done] == [0, 1]
    losses = {path.name: np.load(path) for path in (tmp_path / "run/checkpoints").glob("folds-*.npz")}
    assert set(losses) == {"folds-0.npz", "folds-1.npz"}
    assert len(losses["folds-1.npz"]["loss:linear"]) == len(losses["folds-1.npz"]["rows"]) == 50
    (tmp_path / "run/checkpoints/folds-1.npz").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"folds-1\.npz"):
        dlspec.resume(tmp_path / "run")
    (tmp_path / "run/checkpoints/folds-1.npz").unlink()  # what is not whole is trained again
    counted = Count()
    resumed = dlspec.resume(tmp_path / "run", listener=counted)
    assert [text for text in counted.noted if text.startswith("fold")] == ["fold 2 of 3", "fold 3 of 3"]
    assert resumed.metrics.folds == run.metrics.folds


@pytest.mark.slow
def test_no_value_of_a_later_part_reaches_an_earlier_training(tmp_path):
    """What the last fold alone is tested on is changed, and the folds before it come out the same."""
    series = pd.DataFrame({"time": np.arange(200), "x": np.sin(np.arange(200) / 4).round(5)})
    text = SERIES.replace("dataset: {mackey_glass: {samples: 300}}", "series: x.csv\n  target: x")
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")

    def run_with(values, name):
        values.to_csv(tmp_path / "x.csv", index=False)
        return dlspec.run(tmp_path / "spec.yaml", out=tmp_path / name)

    first = run_with(series, "first")
    series.loc[series.index >= 167, "x"] *= -3
    second = run_with(series, "second")
    values = [found.metrics.folds.test["rmse"].values for found in (first, second)]
    assert values[0][:2] == values[1][:2]
    assert values[0][2] != values[1][2]
    weights = [[as_array(weight) for weight in found.model.weights] for found in (first, second)]
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


PARTS = Parts(train=3, validation=1, test=1)


@pytest.mark.parametrize(
    ("own", "linear", "count", "outcome", "begins"),
    [
        (
            (1.0, 1.1, 1.2),
            (3.0, 3.1, 2.9),
            600,
            "better",
            "the network beats `linear`, the best simple guess: RMSE 1.100",
        ),
        (
            (3.0, 3.1, 2.9),
            (1.0, 1.1, 1.2),
            600,
            "worse",
            "the network does worse than `linear`, a simple guess: RMSE 3",
        ),
        ((1.0, 2.0, 3.0), (2.0, 2.5, 2.4), 60, "level", "the network does not beat `linear`: RMSE 2.000 (sd 1.000)"),
        ((1.0, 1.1, 1.2), (3.0, 3.1, 2.9), 2, "too_few", "there is too little to tell whether the network beats"),
    ],
)
def test_the_verdict_over_folds(own, linear, count, outcome, begins):
    random, done = np.random.default_rng(0), []
    for i, scores in enumerate(zip(own, linear, (9.0, 9.0, 9.0), strict=True)):
        network, *baselines = ({"rmse": score} for score in scores)
        entry = Fold(fold=i, parts=PARTS, test=network, baselines=dict(zip(("linear", "mean"), baselines, strict=True)))
        losses = [(score * random.normal(size=count)) ** 2 for score in scores]
        rows = np.arange(count) + i * count
        done.append(Done(entry, dict(zip(("network", "linear", "mean"), losses, strict=True)), rows))
    found = summarize(done, Training(TINY["table"]).data, "rmse")
    assert found.verdict.outcome == outcome
    assert found.sentence.startswith(f"Over 3 folds {begins}")
    assert "of them" in found.sentence
    assert found.verdict.against == "linear"
    if outcome == "level":
        ends = "against 2.300 (sd 0.2646), better in 2 of them, a difference that could be due to chance."
        assert found.sentence.endswith(ends)
    if outcome == "too_few":
        assert found.sentence.endswith("on what is worth 6 samples.")


def test_a_score_that_cannot_be_computed_counts_in_no_mean():
    done = [
        Done(Fold(fold=0, parts=PARTS, test={"r2": value}, baselines={}), {"network": np.ones(9)}, np.arange(9))
        for value in (0.5, None, 0.7)
    ]
    found = summarize(done, Training(TINY["table"]).data, "r2")
    assert found.sentence == "Over 3 folds: R² 0.6000 (sd 0.1414)."
    assert found.verdict.outcome == "alone"
    assert found.test["r2"].mean == 0.6
    assert found.test["r2"].sd == pytest.approx(0.1414, abs=1e-4)
    assert found.test["r2"].values == (0.5, None, 0.7)


def test_plan_says_how_often_it_is_trained(tmp_path):
    (tmp_path / "spec.yaml").write_text(SERIES, encoding="utf-8")
    done = CliRunner().invoke(cli, ["plan", str(tmp_path / "spec.yaml")])
    assert "all of this 3 times, once for each fold" in done.output


@pytest.mark.parametrize(
    ("split", "codes"),
    [
        ({"folds": 3}, ["only-for-samples"]),
        ({"group": "x"}, ["only-for-samples"]),
        ({"column": "x"}, ["only-for-samples"]),
        ({"walk_forward": {"folds": 1}}, ["out-of-range"]),
        ({"walk_forward": 3}, ["wrong-type"]),
        ({"walk_forward": {"folds": 4}, "test": 0.25}, ["split-too-large"]),
        ({"walk_forward": {"folds": 4}, "folds": 3}, ["wrong-split", "only-for-samples"]),
        ({"walk_forward": {"folds": 20}}, []),
    ],
)
def test_wrong_uses_in_a_series(split, codes):
    found = dlspec.validate(SERIES, {"data.split": split})
    assert sorted(problem.code for problem in found) == sorted(codes)


def test_each_test_of_a_walk_forward_holds_a_forecast():
    (found,) = dlspec.validate(SERIES, {"data.window": {"length": 8, "horizon": 60}})
    assert found.code == "too-few-rows"
    assert found.message == "the validation part has about 30 of 300 rows, and forecasts go 60 timesteps ahead"


def test_folds_need_data_without_a_test_part():
    text = "dlspec: 1\ndata: {dataset: mnist, split: {folds: 3}}\nmodel: [flatten, output]\n"
    assert [problem.code for problem in dlspec.validate(text)] == ["wrong-split"]


@pytest.mark.parametrize(
    ("metric", "mean", "sd", "shown"),
    [
        ("rmse", 1.3512, 0.0687, "1.351 ± 0.069"),
        ("rmse", 22351900.0, 4321.0, "22,351,900 ± 4,321"),
        ("rmse", 0.00001234, 0.000001, "1.234e-05 ± 1.000e-06"),
        ("accuracy", 0.8223, 0.0421, "82.2% ± 4.2%"),
        ("rmse", 2.0, None, "2.000"),
    ],
)
def test_a_mean_stands_beside_its_deviation_to_the_same_digit(metric, mean, sd, shown):
    assert METRICS[metric].show_spread(mean, sd) == shown


def test_layers_of_another_run_have_seen_what_other_folds_are_tested_on(run):
    taken = IRIS.replace("method: autoencoder, epochs: 1", f"from: {run.folder}, layers: [h]")
    assert [problem.code for problem in dlspec.validate(taken)] == ["seen-test-part"]
    assert [problem.help for problem in dlspec.validate(taken)] == ["test without folds"]
