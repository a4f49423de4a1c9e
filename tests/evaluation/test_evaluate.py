import numpy as np
import pytest
from sklearn import metrics as reference

import dlspec
from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.verdict import judge
from tests.conftest import TINY
from tests.trained import Training


def score(name, truth, predicted, naive=None):
    return METRICS[name]().compute(truth, predicted, naive)


def test_metrics_of_numbers_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    truth, predicted = random.normal(size=50), random.normal(size=50)
    assert score("mae", truth, predicted) == pytest.approx(reference.mean_absolute_error(truth, predicted))
    assert score("rmse", truth, predicted) == pytest.approx(reference.root_mean_squared_error(truth, predicted))
    assert score("r2", truth, predicted) == pytest.approx(reference.r2_score(truth, predicted))
    assert score("mase", np.array([1.0, 2.0]), np.array([1.5, 2.5]), 0.25) == 2.0


def test_metrics_of_classes_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 50)
    shares = random.dirichlet(np.ones(3), 50)
    assert score("accuracy", truth, shares) == pytest.approx(reference.accuracy_score(truth, shares.argmax(axis=1)))
    assert score("log_loss", truth, shares) == pytest.approx(reference.log_loss(truth, shares))


def test_persistence_is_the_last_value_before_the_horizon():
    data = Training(TINY["series"]).data
    guess = BASELINES["persistence"]().guess(data)
    assert np.array_equal(guess, data.columns["x"][data.test.rows - 2])
    rows = np.arange(2, 182)
    x = data.columns["x"]
    assert data.naive_error == pytest.approx(abs(x[rows] - x[rows - 2]).mean())


def test_mean_and_majority_know_the_training_part_alone():
    table, digits = Training(TINY["table"]).data, Training(TINY["digits"]).data
    assert set(BASELINES["mean"]().guess(table)) == {table.train.truth.mean()}
    shares = BASELINES["majority"]().guess(digits)
    assert shares[0] == pytest.approx(np.bincount(digits.train.truth, minlength=10) / 60)


@pytest.mark.parametrize("name", ["series", "table", "digits", "spirals"])
def test_the_linear_baseline_is_as_good_as_a_line_can_be(name):
    data = Training(TINY[name]).data
    guess = BASELINES["linear"]().guess(data)
    if data.signature.target.kind == "class":
        assert guess.sum(axis=1) == pytest.approx(1)
        assert (guess.argmax(axis=1) == data.test.truth).mean() > 0.5
    else:
        plain = BASELINES["persistence" if name == "series" else "mean"]().guess(data)
        assert score("rmse", data.test.truth, guess) < score("rmse", data.test.truth, plain)


@pytest.mark.parametrize(
    ("error", "outcome", "word"),
    [(0.1, "better", "beats"), (1.0, "level", "does not beat"), (5.0, "worse", "does worse")],
)
def test_the_verdict_is_honest(error, outcome, word):
    data = Training(TINY["series"]).data
    guess = BASELINES["persistence"]().guess(data)
    random = np.random.default_rng(1)
    own = data.test.truth + error * (guess - data.test.truth) * np.where(random.random(len(guess)) < 0.5, -1, 1)
    verdict = judge(data, own, {"persistence": guess})
    assert verdict.outcome == outcome
    assert word in verdict.sentence
    assert verdict.against == "persistence"


def test_the_best_baseline_is_the_one_to_beat():
    data = Training(TINY["series"]).data
    guesses = {name: BASELINES[name]().guess(data) for name in ("persistence", "linear")}
    assert judge(data, guesses["linear"], guesses).against == "linear"


def test_a_drifting_level_is_explained():
    text = TINY["series"].replace("{mackey_glass: {samples: 260}}", "goog").replace("difference", "level")
    training = Training(text, pretrain=None)
    from dlspec.evaluation.evaluate import _notes

    assert "outside the range of the training part" in _notes(training.data, stops_early=False)[0]


def test_all_figures_are_in_the_targets_own_units(tiny_run):
    run = tiny_run("series")
    table = run.predictions
    rmse = float(((table["truth"] - table["network"]) ** 2).mean() ** 0.5)
    assert run.metrics.test["rmse"] == pytest.approx(rmse, rel=1e-6)
    x = dlspec.load(TINY["series"]).data.dataset.load(3)["x"]
    assert table["truth"].to_numpy() == pytest.approx(x[table["row"]])


def test_both_ways_to_an_interval_agree():
    from dlspec.evaluation.verdict import interval_of_mean

    values = np.random.default_rng(0).normal(3, 2, 5001)
    assert interval_of_mean(values[:5000]) == pytest.approx(interval_of_mean(values), abs=0.01)


def test_forecasts_over_several_timesteps_do_not_make_the_verdict_surer_than_it_is():
    """Two equally good forecasters whose errors overlap: hardly one verdict in ten may name a winner."""
    from dlspec.evaluation.verdict import interval_of_mean

    random = np.random.default_rng(0)
    surer = 0
    for _ in range(100):
        shocks = random.normal(size=(2, 170))
        gain = np.convolve(shocks[0] - shocks[1], np.ones(10), "valid")[:150] / 10
        low, high = interval_of_mean(gain, 20, resamples=300)
        surer += low > 0 or high < 0
    assert surer <= 20
