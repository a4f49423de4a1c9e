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
    guess = BASELINES["persistence"]().fit(data).guess(data.test)
    assert np.array_equal(guess, data.columns["x"][data.test.rows - 2])
    assert data.naive_error == pytest.approx(abs(np.diff(data.columns["x"][:182])).mean())


def test_mean_and_majority_know_the_training_part_alone():
    table, digits = Training(TINY["table"]).data, Training(TINY["digits"]).data
    assert set(BASELINES["mean"]().fit(table).guess(table.test)) == {table.train.truth.mean()}
    shares = BASELINES["majority"]().fit(digits).guess(digits.test)
    assert shares[0] == pytest.approx(np.bincount(digits.train.truth, minlength=10) / 60)


@pytest.mark.parametrize("name", ["series", "table", "digits", "spirals"])
def test_the_linear_baseline_is_as_good_as_a_line_can_be(name):
    data = Training(TINY[name]).data
    guess = BASELINES["linear"]().fit(data).guess(data.test)
    if data.signature.target.kind == "class":
        assert guess.sum(axis=1) == pytest.approx(1)
        assert (guess.argmax(axis=1) == data.test.truth).mean() > 0.5
    else:
        plain = BASELINES["persistence" if name == "series" else "mean"]().fit(data).guess(data.test)
        assert score("rmse", data.test.truth, guess) < score("rmse", data.test.truth, plain)


@pytest.mark.parametrize(
    ("error", "outcome", "word"),
    [(0.1, "better", "beats"), (1.0, "level", "does not beat"), (5.0, "worse", "does worse")],
)
def test_the_verdict_is_honest(error, outcome, word):
    data = Training(TINY["series"].replace("samples: 260", "samples: 2600")).data
    guess = BASELINES["persistence"]().fit(data).guess(data.test)
    random = np.random.default_rng(1)
    own = data.test.truth + error * (guess - data.test.truth) * np.where(random.random(len(guess)) < 0.5, -1, 1)
    verdict = judge(data, own, {"persistence": guess})
    assert verdict.outcome == outcome
    assert word in verdict.sentence
    assert verdict.against == "persistence"


def test_a_test_part_that_is_worth_too_little_tells_nothing():
    data = Training(TINY["series"]).data
    guess = BASELINES["persistence"]().fit(data).guess(data.test)
    verdict = judge(data, data.test.truth + 0.1 * (guess - data.test.truth), {"persistence": guess})
    assert verdict.outcome == "too_few"
    assert verdict.gain_interval is None
    assert verdict.pieces < 10 < len(data.test)
    assert verdict.sentence.startswith("Too few to tell whether the network beats `persistence`: RMSE")


def test_the_best_baseline_is_the_one_to_beat():
    data = Training(TINY["series"]).data
    guesses = {
        "persistence": BASELINES["persistence"]().fit(data).guess(data.test),
        "linear": BASELINES["linear"]().fit(data).guess(data.test),
    }
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
