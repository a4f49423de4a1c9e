"""Intervals of absolute figures hold what they are of as often as they say, and keep within the bounds of a score."""

import numpy as np
import pytest

from dlspec.evaluation.intervals import INDEPENDENT, Dependence
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.score_intervals import intervals_of_scores
from tests.benchmarks.verdicts import autoregressive

DRAWS = 200
LOST = 0.05 + 3.5 * (0.05 * 0.95 / DRAWS) ** 0.5
"""Of intervals that miss what they are of, by chance at most."""


def intervals(names, truth, guess, dependence=INDEPENDENT):
    metrics = [METRICS[name]() for name in names]

    def scores(places):
        return {metric.type_name: metric.compute(truth[places], guess[places]) for metric in metrics}

    return intervals_of_scores(scores, len(truth), dependence, {m.type_name: m.bounds for m in metrics})


def missed(draw, names, dependence=INDEPENDENT):
    """Of each metric, the share of intervals without the value that it has on all such data."""
    random = np.random.default_rng(0)
    truth, guess = draw(random, 400_000)
    wanted = {name: METRICS[name]().compute(truth, guess) for name in names}
    lost = dict.fromkeys(names, 0)
    for _ in range(DRAWS):
        for name, ends in intervals(names, *draw(random, None), dependence).items():
            lost[name] += ends is None or not ends[0] <= wanted[name] <= ends[1]
    return {name: count / DRAWS for name, count in lost.items()}


def test_of_scores_that_take_long():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 200)
    share = 1 / (1 + np.exp(-(2 * truth - 1 + random.normal(size=200))))
    places = []

    def scores(chosen):
        places.append(chosen)
        return {"auc": METRICS["auc"]().compute(truth[chosen], np.stack([1 - share, share], axis=1)[chosen])}

    low, high = intervals_of_scores(scores, 200, INDEPENDENT, {"auc": (0, 1)}, slow=True)["auc"]
    assert len(places) == 21
    own = scores(np.arange(200))["auc"]
    error = (own * (1 - own) / 200) ** 0.5  # about, whatever the classes (Hanley and McNeil, 1982)
    assert own - 4 * error < low < own - error < own + error < high < own + 4 * error


@pytest.mark.parametrize("count", [30, 150])
def test_of_numbers(count):
    def draw(random, many):
        truth = random.normal(size=many or count)
        return truth, truth + 0.6 * random.normal(size=many or count)

    names = ["rmse", "mae", "r2", "pearson_correlation", "log_cosh"]
    for name, share in missed(draw, names).items():
        assert share <= LOST + (0.03 if count == 30 else 0.01), name


@pytest.mark.slow
@pytest.mark.parametrize("count", [60, 300])
def test_of_classes(count):
    def draw(random, many):
        truth = random.integers(0, 2, many or count)
        share = 1 / (1 + np.exp(-(1.6 * (2 * truth - 1) + 1.5 * random.normal(size=len(truth)))))
        return truth, np.stack([1 - share, share], axis=1)

    names = ["accuracy", "log_loss", "f1_score", "recall", "balanced_accuracy"]
    for name, share in missed(draw, names).items():
        assert share <= LOST + 0.02, name


def test_along_time_they_are_wider():
    def draw(random, many):
        errors = autoregressive(random, (1, many or 400), 0.8)[0]
        return np.zeros(len(errors)), errors

    assert missed(draw, ["mae"], Dependence(times=np.arange(400)))["mae"] <= LOST + 0.02
    assert missed(draw, ["mae"])["mae"] > 0.2, "as if samples were independent"


def test_groups_count_once():
    of = np.repeat(np.arange(40), 10)

    def draw(random, many):
        shared = random.normal(size=(many or 400) // 10)
        return np.zeros(many or 400), np.repeat(shared, 10) + 0.3 * random.normal(size=many or 400)

    assert missed(draw, ["rmse"], Dependence(groups=of))["rmse"] <= LOST + 0.02
    assert missed(draw, ["rmse"])["rmse"] > 0.2


def test_39_of_40_is_not_97_percent():
    truth = np.zeros(40, int)
    guess = np.tile([0.9, 0.1], (40, 1))
    guess[7] = [0.2, 0.8]
    low, high = intervals(["accuracy"], truth, guess)["accuracy"]
    assert low == pytest.approx(0.871, abs=0.01), "Wilson's interval"
    assert high == pytest.approx(0.996, abs=0.01)
    low, high = intervals(["accuracy"], truth, np.tile([0.9, 0.1], (40, 1)))["accuracy"]
    assert (round(low, 3), high) == (0.912, 1.0), "none of 40 were wrong, which is no certainty"


def test_what_cannot_be_told_has_none():
    random = np.random.default_rng(0)
    truth = random.normal(size=9)
    for few in (1, 2, 9):
        assert intervals(["rmse"], truth[:few], truth[:few] + 1)["rmse"] is None, "too few"
    of_one = Dependence(groups=np.zeros(60, int))
    assert intervals(["rmse"], np.zeros(60), random.normal(size=60), of_one)["rmse"] is None, "one group"
    assert intervals(["r2"], np.ones(50), random.normal(size=50))["r2"] is None, "no such score"
    walk = np.cumsum(random.normal(size=60))
    assert intervals(["mae"], np.zeros(60), walk, Dependence(times=np.arange(60), reach=24))["mae"] is None


def test_the_order_of_blocks_is_that_of_times():
    random = np.random.default_rng(0)
    errors = autoregressive(random, (1, 500), 0.9)[0]
    order = random.permutation(500)
    one = intervals(["rmse"], np.zeros(500), errors, Dependence(times=np.arange(500)))["rmse"]
    other = intervals(["rmse"], np.zeros(500), errors[order], Dependence(times=order))["rmse"]
    assert one == pytest.approx(other)
