"""Mixtures are judged by their likelihood, beside normal distributions around simple guesses."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import norm

from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.baselines.linear import left_out_errors, ridge
from dlspec.evaluation.fitted_mixtures import FittedGaussian, FittedGaussianLine, FittedGaussianSteps
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.mixtures import cumulative, deviation_of, log_density, mean_of, modes_of, quantiles_of, told
from dlspec.evaluation.scores import Scorer
from dlspec.evaluation.verdict import losses
from tests.trained import Training

RANDOM = np.random.default_rng(0)
TABLE = """\
dlspec: 1
data: {dataset: diabetes}
model: [output: {mixture: 3}]
train: {epochs: 1}
"""
SERIES = """\
dlspec: 1
data:
  dataset: {mackey_glass: {samples: 260}}
  window: {length: 8, horizon: 2, steps: 3}
  predict: level
model: [gru: 4, output: {mixture: 2}]
train: {epochs: 1}
"""
SINGLE = SERIES.replace(", steps: 3", "")


def mixtures(count, components, narrowest=0.02):
    weights = RANDOM.dirichlet(np.ones(components), count)
    deviations = np.exp(RANDOM.uniform(np.log(narrowest), np.log(2), (count, components)))
    return np.concatenate([weights, RANDOM.normal(size=(count, components)), deviations], axis=-1)


def density(values, mixture):
    """By scipy, at each of many values."""
    weights, means, deviations = np.split(mixture, 3)
    return (weights * norm.pdf(np.asarray(values)[:, None], means, deviations)).sum(axis=-1)


@pytest.mark.parametrize("components", [1, 2, 5, 30])
def test_density_and_share_below_are_those_of_scipy(components):
    found, values = mixtures(20, components), RANDOM.normal(size=20)
    for mixture, value, log, below in zip(
        found, values, log_density(values, found), cumulative(values, found), strict=True
    ):
        weights, means, deviations = np.split(mixture, 3)
        assert log == pytest.approx(logsumexp(norm.logpdf(value, means, deviations), b=weights))
        assert below == pytest.approx((weights * norm.cdf(value, means, deviations)).sum())


@pytest.mark.parametrize("components", [1, 2, 5, 30])
def test_mean_and_deviation_are_those_of_drawn_values(components):
    (mixture,) = mixtures(1, components)
    weights, means, deviations = np.split(mixture, 3)
    which = RANDOM.choice(components, 200_000, p=weights)
    drawn = RANDOM.normal(means[which], deviations[which])
    assert mean_of(mixture) == pytest.approx(drawn.mean(), abs=0.02)
    assert deviation_of(mixture) == pytest.approx(drawn.std(), rel=0.02)


@pytest.mark.parametrize("components", [1, 2, 5, 30])
def test_quantiles_are_the_roots_of_the_cumulative_distribution(components):
    found, levels = mixtures(30, components), (0.001, 0.1, 0.5, 0.9, 0.999)
    for mixture, own in zip(found, quantiles_of(found, levels), strict=True):
        weights, means, deviations = np.split(mixture, 3)
        for level, value in zip(levels, own, strict=True):
            wanted = brentq(
                lambda x, p=level, w=weights, m=means, d=deviations: (w * norm.cdf(x, m, d)).sum() - p,
                -30,
                30,
                xtol=1e-12,
            )
            assert value == pytest.approx(wanted, abs=1e-9)


def test_quantiles_between_two_branches_lie_in_the_gap():
    found = quantiles_of(np.array([0.5, 0.5, -3.0, 5.0, 0.01, 0.01]), (0.1, 0.5, 0.9))
    assert found[0] == pytest.approx(norm.ppf(0.2, -3, 0.01))
    assert -2.95 < found[1] < 4.95
    assert found[2] == pytest.approx(norm.ppf(0.8, 5, 0.01))


@pytest.mark.parametrize("components", [1, 2, 5, 12])
@pytest.mark.parametrize("narrowest", [0.001, 0.05, 0.5])
def test_the_likeliest_value_is_that_of_a_fine_grid(components, narrowest):
    found = mixtures(40, components, narrowest)
    for mixture, mode in zip(found, modes_of(found), strict=True):
        _, means, deviations = np.split(mixture, 3)
        near = [mean + deviation * np.linspace(-5, 5, 4001) for mean, deviation in zip(means, deviations, strict=True)]
        grid = np.sort(np.concatenate([np.linspace(-8, 8, 20_001), *near]))
        heights = density(grid, mixture)
        best = heights.max()
        assert density([mode], mixture)[0] >= best * (1 - 1e-9)
        assert density([mode], mixture)[0] <= best * 1.001
        others = grid[heights >= best * 0.999]
        assert others.min() - 0.01 <= mode <= others.max() + 0.01


def test_the_likeliest_value_may_be_at_no_mean_of_a_component():
    """Two wide components close together are highest between them, and a light narrow one beats a heavy wide one."""
    between = np.array([0.5, 0.5, -0.8, 0.8, 1.0, 1.0])
    assert modes_of(between) == pytest.approx(0.0, abs=1e-6)
    narrow = np.array([0.9, 0.1, 0.0, 4.0, 2.0, 0.02])
    assert modes_of(narrow) == pytest.approx(4.0, abs=1e-3)


def test_far_values_and_components_without_weight_are_numbers():
    found = np.array([[0.0, 1.0, 1e9, 0.0, 1e-3, 1.0]] * 3)
    values = np.array([0.0, 1e6, -1e12])
    assert log_density(values, found) == pytest.approx(norm.logpdf(values))
    assert told(found)[0] == pytest.approx([0.0, norm.ppf(0.1), norm.ppf(0.9), 0.0], abs=1e-7)


def test_metrics_are_those_of_their_definition_and_of_the_mean():
    data = Training(TABLE).data
    count = len(data.test)
    found, truth = mixtures(count, 3) * 50, np.asarray(data.test.truth)
    found[:, :3] /= found[:, :3].sum(axis=1, keepdims=True)
    metrics = [METRICS.read(name) for name in ("log_likelihood", "coverage", "width", "mae", "rmse")]
    scorer = Scorer(metrics, data, data.test)
    own = scorer.scores(found)
    means, ends = mean_of(found), quantiles_of(found, (0.1, 0.9))
    assert own["log_likelihood"] == pytest.approx(log_density(truth, found).mean())
    assert own["coverage"] == pytest.approx(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())
    assert own["width"] == pytest.approx((ends[:, 1] - ends[:, 0]).mean())
    assert own["mae"] == pytest.approx(np.abs(truth - means).mean())
    assert own["rmse"] == pytest.approx(((truth - means) ** 2).mean() ** 0.5)
    some = scorer.scores(found, np.arange(5))
    assert some["log_likelihood"] == pytest.approx(log_density(truth[:5], found[:5]).mean())
    assert losses("mixture", truth, found).mean() == pytest.approx(-own["log_likelihood"])


def test_other_units_move_all_likelihoods_by_one_constant():
    """What is gained over another guess is the same in meters and in kilometers."""
    truth, found, other = RANDOM.normal(size=50), mixtures(50, 3), mixtures(50, 1)

    def scaled(mixture):
        return np.concatenate(
            [part * by for part, by in zip(np.split(mixture, 3, axis=-1), (1, 1000, 1000), strict=True)], axis=-1
        )

    before, after = log_density(truth, found), log_density(1000 * truth, scaled(found))
    assert after - before == pytest.approx(-np.log(1000))
    gain = losses("mixture", truth, other) - losses("mixture", truth, found)
    assert losses("mixture", 1000 * truth, scaled(other)) - losses(
        "mixture", 1000 * truth, scaled(found)
    ) == pytest.approx(gain)


def test_headings_say_what_should_be_covered_and_the_unit_of_likelihood():
    assert METRICS["coverage"].heading("USD", (0.1, 0.9)) == "Coverage of 80%"
    assert METRICS["log_likelihood"].heading("USD") == "Log likelihood (nats)"
    assert METRICS["log_likelihood"].heading(None) == "Log likelihood (nats)"


def test_the_training_part_is_one_normal_distribution():
    data = Training(TABLE).data
    fitted = BASELINES.read("gaussian").fit(data)
    assert isinstance(fitted, FittedGaussian)
    found, train = fitted.guess(data.test), np.asarray(data.train.truth)
    assert found.shape == (len(data.test), 3)
    assert found[0] == pytest.approx([1, train.mean(), train.std()])
    assert (found == found[0]).all()


@pytest.mark.parametrize("text", [SERIES, SINGLE])
def test_persistence_knows_how_far_values_move(text):
    data = Training(text).data
    fitted = BASELINES.read("persistence").fit(data)
    assert isinstance(fitted, FittedGaussianSteps)
    train, test = data.train, data.test
    moved = ((np.asarray(train.truth) - np.asarray(train.last)) ** 2).mean(axis=0) ** 0.5
    found = fitted.guess(test)
    np.testing.assert_allclose(found[..., 1], np.asarray(test.last))
    np.testing.assert_allclose(found[..., 2], np.broadcast_to(moved, found.shape[:-1]))


@pytest.mark.parametrize("predict", ["level", "difference"])
@pytest.mark.parametrize("text", [SERIES, SINGLE])
def test_a_line_has_the_deviation_of_samples_left_out(text, predict):
    data = Training(text.replace("predict: level", f"predict: {predict}")).data
    fitted = BASELINES.read("linear").fit(data)
    assert isinstance(fitted, FittedGaussianLine)
    inputs = np.asarray(data.train.inputs, "float64").reshape(len(data.train), -1)
    targets = np.asarray(data.train.targets, "float64")
    errors = left_out_errors(inputs, targets, ridge(inputs, targets)) / data.preprocessing.target.scale
    found = fitted.guess(data.train).reshape(len(data.train), -1, 3)
    np.testing.assert_allclose(found[..., 2], np.broadcast_to((errors**2).mean(axis=0) ** 0.5, found.shape[:-1]))
    truth = np.asarray(data.train.truth).reshape(found.shape[:-1])
    assert (np.abs(truth - found[..., 1]) <= np.abs(errors) * 1.0001 + 1e-9).all()  # by which the line saw them


def test_what_was_kept_is_what_was_fitted():
    data = Training(SERIES).data
    for name in ("gaussian", "persistence", "linear"):
        fitted = BASELINES.read(name).fit(data)
        again = type(fitted).restored(fitted.arrays())
        np.testing.assert_array_equal(again.guess(data.test), fitted.guess(data.test))
        spoiled = {key: -own if key == "deviations" else own for key, own in fitted.arrays().items()}
        with pytest.raises(ValueError, match="above zero"):
            type(fitted).restored(spoiled)


def test_weighted_samples_count_in_the_baselines(tmp_path):
    x = RANDOM.normal(size=300)
    rows = np.column_stack([x, x + RANDOM.normal(size=300), 1 + (x > 0) * 4])
    np.savetxt(tmp_path / "rows.csv", rows, "%.6f", ",", header="x,y,w", comments="")
    text = TABLE.replace("dataset: diabetes", f"table: {tmp_path / 'rows.csv'}, target: y, features: [x], weight: w")
    data = Training(text).data
    found = BASELINES.read("gaussian").fit(data).guess(data.test)
    repeated = np.repeat(np.asarray(data.train.truth), np.asarray(data.train.weights).astype(int))
    assert found[0] == pytest.approx([1, repeated.mean(), repeated.std()])


def test_a_constant_target_has_the_deviation_that_a_network_can_have(tmp_path):
    rows = np.column_stack([RANDOM.normal(size=90), np.full(90, 7.0)])
    np.savetxt(tmp_path / "rows.csv", rows, "%.6f", ",", header="x,y", comments="")
    text = TABLE.replace("dataset: diabetes", f"table: {tmp_path / 'rows.csv'}, target: y, features: [x]")
    data = Training(text).data
    for name in ("gaussian", "linear"):
        assert BASELINES.read(name).fit(data).guess(data.test)[:, 2] == pytest.approx(0.001)
