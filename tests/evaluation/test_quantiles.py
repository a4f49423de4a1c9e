"""Quantiles are judged by pinball loss, beside quantiles of simple guesses."""

import numpy as np
import pytest

from dlspec.data.preparation import Part
from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.baselines.linear import left_out_errors, ridge
from dlspec.evaluation.fitted_quantiles import FittedBand, FittedQuantiles, FittedSteps, as_quantiles
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.verdict import losses
from tests.trained import Training

LEVELS = (0.1, 0.5, 0.9)
RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=50)
FOUND = np.sort(RANDOM.normal(size=(50, 3)), axis=1)
WEIGHTS = RANDOM.integers(1, 4, 50).astype("float64")

TABLE = """\
dlspec: 1
data: {dataset: diabetes}
model: [output: {quantiles: [0.1, 0.5, 0.9]}]
train: {epochs: 1}
"""
SERIES = """\
dlspec: 1
data:
  dataset: {mackey_glass: {samples: 260}}
  window: {length: 8, horizon: 2, steps: 3}
  predict: level
model: [gru: 4, output: {quantiles: [0.1, 0.5, 0.9]}]
train: {epochs: 1}
"""
SINGLE = SERIES.replace(", steps: 3", "")


def judged(name, weights=None):
    return METRICS.read(name).judge(TRUTH, FOUND, LEVELS, weights)


def test_metrics_are_those_of_their_definition():
    off = TRUTH[:, None] - FOUND
    loss = np.where(off >= 0, np.array(LEVELS) * off, (np.array(LEVELS) - 1) * off)
    inside = (FOUND[:, 0] <= TRUTH) & (FOUND[:, 2] >= TRUTH)
    assert judged("pinball") == pytest.approx(loss.mean())
    assert judged("coverage") == pytest.approx(inside.mean())
    assert judged("width") == pytest.approx((FOUND[:, 2] - FOUND[:, 0]).mean())
    from sklearn.metrics import mean_pinball_loss

    of_each = [mean_pinball_loss(TRUTH, FOUND[:, i], alpha=level) for i, level in enumerate(LEVELS)]
    assert judged("pinball") == pytest.approx(np.mean(of_each))


@pytest.mark.parametrize("name", ["pinball", "coverage", "width"])
def test_a_sample_of_weight_two_is_as_good_as_two(name):
    times = WEIGHTS.astype(int)
    metric = METRICS.read(name)
    assert judged(name, WEIGHTS) == pytest.approx(
        metric.judge(np.repeat(TRUTH, times), np.repeat(FOUND, times, axis=0), LEVELS)
    )


def test_the_heading_says_what_should_be_covered():
    assert METRICS["coverage"].heading("USD", LEVELS) == "Coverage of 80%"
    assert METRICS["coverage"].heading("USD", (0.025, 0.5, 0.975)) == "Coverage of 95%"
    assert METRICS["pinball"].heading("USD", LEVELS) == "Pinball loss (USD)"


def test_losses_of_several_numbers_are_means_at_one_scale():
    truth, found, by = RANDOM.normal(size=(20, 2)), np.sort(RANDOM.normal(size=(20, 2, 3)), axis=-1), np.array([1, 4.0])
    metric = METRICS.read("pinball")
    whole = [metric.judge(truth[:, i] / by[i], found[:, i] / by[i], LEVELS) for i in range(2)]
    assert losses("quantiles", truth, found, by, LEVELS).mean() == pytest.approx(np.mean(whole))


def test_the_training_part_has_quantiles():
    data = Training(TABLE).data
    fitted = BASELINES.read("quantiles").fit(data)
    assert isinstance(fitted, FittedQuantiles)
    found = fitted.guess(data.test)
    assert found.shape == (len(data.test), 3)
    np.testing.assert_allclose(found[0], np.quantile(np.asarray(data.train.truth), LEVELS))
    assert (found == found[0]).all()


@pytest.mark.parametrize("text", [SERIES, SINGLE])
def test_persistence_knows_how_far_values_move(text):
    data = Training(text).data
    fitted = BASELINES.read("persistence").fit(data)
    assert isinstance(fitted, FittedSteps)
    train, test = data.train, data.test
    moved = np.quantile(np.asarray(train.truth) - np.asarray(train.last), LEVELS, axis=0)
    np.testing.assert_allclose(fitted.guess(test), np.asarray(test.last)[..., None] + np.moveaxis(moved, 0, -1))


def test_persistence_of_returns_stays_above_zero():
    goog = "dataset: goog\n  target: close\n  features: [close]"
    text = SINGLE.replace("dataset: {mackey_glass: {samples: 260}}", goog).replace("predict: level", "predict: return")
    data = Training(text).data
    train, test = data.train, data.test
    found = BASELINES.read("persistence").fit(data).guess(test)
    moved = np.quantile(np.log(np.asarray(train.truth) / np.asarray(train.last)), LEVELS)
    np.testing.assert_allclose(found, np.asarray(test.last)[:, None] * np.exp(moved))
    line = BASELINES.read("linear").fit(data)
    assert isinstance(line, FittedBand)
    assert (np.diff(line.guess(test), axis=1) > 0).all()


def test_errors_of_samples_left_out_are_those_of_lines_fitted_without_them():
    inputs, targets = RANDOM.normal(size=(25, 4)), RANDOM.normal(size=(25, 2))
    line = ridge(inputs, targets)
    slopes, _, strength = line
    found = left_out_errors(inputs, targets, line)
    for place in (0, 7, 24):
        kept = np.arange(25) != place
        some, of = inputs[kept], targets[kept]
        middle = some.mean(axis=0)
        centered = some - middle
        own = np.linalg.solve(centered.T @ centered + strength * np.eye(4), centered.T @ (of - of.mean(axis=0)))
        wanted = targets[place] - (inputs[place] - middle) @ own - of.mean(axis=0)
        np.testing.assert_allclose(found[place], wanted, rtol=1e-8)
    assert np.abs(found).mean() > np.abs(targets - inputs @ slopes - line[1]).mean()


def test_a_line_has_the_same_band_everywhere():
    data = Training(TABLE).data
    fitted = BASELINES.read("linear").fit(data)
    assert isinstance(fitted, FittedBand)
    found = fitted.guess(data.train)
    np.testing.assert_allclose(np.diff(found, axis=1) - np.diff(found[:1], axis=1), 0, atol=1e-9)
    below = (np.asarray(data.train.truth)[:, None] <= found).mean(axis=0)
    np.testing.assert_allclose(below, LEVELS, atol=0.03)


def test_what_was_kept_is_what_was_fitted():
    data = Training(SERIES).data
    for name in ("quantiles", "persistence", "linear"):
        fitted = BASELINES.read(name).fit(data)
        again = type(fitted).restored(fitted.arrays())
        np.testing.assert_array_equal(again.guess(data.test), fitted.guess(data.test))
        spoiled = {key: -own if key in ("values", "offsets") else own for key, own in fitted.arrays().items()}
        with pytest.raises(ValueError, match="ascend"):
            type(fitted).restored(spoiled)


def test_a_guess_of_numbers_alone_is_each_quantile():
    guess = np.arange(4.0)
    np.testing.assert_array_equal(as_quantiles(guess, guess, LEVELS), np.repeat(guess[:, None], 3, axis=1))
    assert as_quantiles(FOUND, TRUTH, LEVELS) is FOUND
    assert as_quantiles(guess, guess, ()) is guess


def test_weighted_samples_count_in_the_quantiles(tmp_path):
    x = RANDOM.normal(size=300)
    rows = np.column_stack([x, x + RANDOM.normal(size=300), 1 + (x > 0) * 4])
    np.savetxt(tmp_path / "rows.csv", rows, "%.6f", ",", header="x,y,w", comments="")
    text = TABLE.replace("dataset: diabetes", f"table: {tmp_path / 'rows.csv'}, target: y, features: [x], weight: w")
    data = Training(text).data
    found = BASELINES.read("quantiles").fit(data).guess(Part(*[data.test.inputs] * 5))
    times = np.asarray(data.train.weights).astype(int)
    repeated = np.repeat(np.asarray(data.train.truth), times)
    np.testing.assert_allclose(found[0], np.quantile(repeated, LEVELS, method="inverted_cdf"))
