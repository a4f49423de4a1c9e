"""Verdicts are right as often as they say; `tests.benchmarks.verdicts` has the whole table."""

import numpy as np
import pytest
from scipy import stats

from dlspec.evaluation.intervals import Dependence, interval_of_mean
from tests.benchmarks.verdicts import cells, measure

DRAWS = 400
CELLS = {cell.name: cell for cell in cells()}


@pytest.mark.everyday(25)
@pytest.mark.parametrize("name", CELLS)
def test_no_winner_is_named_where_there_is_none(name):
    found = measure(CELLS[name], DRAWS)
    assert found.false <= 0.05 + 3.5 * (0.05 * 0.95 / DRAWS) ** 0.5


@pytest.mark.parametrize(
    ("name", "power", "refused"),
    [
        ("rows, n = 48", 0.75, 0.0),
        ("horizon 1, n = 48", 0.7, 0.0),
        ("horizon 12, n = 200", 0.36, 0.1),
        ("errors AR 0.9, n = 1000", 0.75, 0.0),
    ],
)
def test_a_difference_is_found(name, power, refused):
    found = measure(CELLS[name], DRAWS)
    assert found.power >= power
    assert found.refused <= refused


def test_independent_values_have_students_interval():
    values = np.random.default_rng(0).normal(3, 2, 40)
    found = interval_of_mean(values)
    wanted = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(wanted)
    assert found.pieces == 40


def test_the_order_in_which_samples_are_given_does_not_matter():
    random = np.random.default_rng(0)
    values, times = np.cumsum(random.normal(size=300)) * 0.1 + random.normal(size=300), np.arange(300)
    order = random.permutation(300)
    assert interval_of_mean(values, Dependence(times=times)) == pytest.approx(
        interval_of_mean(values[order], Dependence(times=times[order]))
    )


def test_the_rows_of_one_group_are_one_piece():
    random = np.random.default_rng(0)
    of_group = random.normal(size=12)
    once = interval_of_mean(of_group)
    often = interval_of_mean(np.repeat(of_group, 50), Dependence(groups=np.repeat(np.arange(12), 50)))
    assert often == pytest.approx(once._replace(of="groups"))
    assert interval_of_mean(np.repeat(of_group[:9], 50), Dependence(groups=np.repeat(np.arange(9), 50))).low is None


def test_series_that_move_together_are_worth_no_more_than_their_times():
    random = np.random.default_rng(0)
    false = 0
    for _ in range(DRAWS):
        moves = np.repeat(random.normal(size=100)[None], 40, axis=0) + 0.3 * random.normal(size=(40, 100))
        groups, times = np.indices(moves.shape)
        found = interval_of_mean(moves.ravel(), Dependence(groups.ravel(), times.ravel()))
        assert found.low is not None
        assert found.high is not None
        false += found.low > 0 or found.high < 0
    assert false / DRAWS <= 0.09


def test_values_that_are_all_the_same_have_a_width():
    found = interval_of_mean(np.ones(12), least=2 / 14)
    assert found.low is not None
    assert 0 < found.low < 1 < found.high
