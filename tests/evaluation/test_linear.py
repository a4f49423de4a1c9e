"""The linear baseline is as good as a linear model can be, so that beating it means something."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import dlspec
from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.baselines.linear import STRENGTHS, ridge
from dlspec.runs.job import load_data


@pytest.mark.parametrize(("samples", "features", "noise"), [(60, 5, 1.0), (30, 25, 3.0), (20, 40, 1.0), (50, 4, 0.0)])
def test_the_strength_is_that_which_errs_least_on_what_is_left_out(samples, features, noise):
    random = np.random.default_rng(samples)
    inputs = random.normal(size=(samples, features)) * np.linspace(0.1, 3, features)
    targets = inputs[:, :2] @ random.normal(size=(2, 2)) + noise * random.normal(size=(samples, 2))

    def fitted(strength, kept):
        return Ridge(alpha=max(strength, 1e-12), solver="svd").fit(inputs[kept], targets[kept])

    def left_out(strength):
        rows = np.arange(samples)
        guess = [fitted(strength, rows != row).predict(inputs[[row]])[0] for row in rows]
        return float(((np.array(guess) - targets) ** 2).mean())

    errors = {strength: left_out(strength) for strength in STRENGTHS}
    slopes, level = ridge(inputs, targets)
    candidates = [
        fitted(strength, slice(None)) for strength in STRENGTHS if errors[strength] <= min(errors.values()) * 1.001
    ]
    assert any(
        np.allclose(slopes, model.coef_.T, atol=1e-5) and np.allclose(level, model.intercept_, atol=1e-5)
        for model in candidates
    )


@pytest.mark.parametrize(("horizon", "most"), [(1, 6e-4), (6, 0.114)])
def test_lags_of_a_smooth_series_are_told_apart(horizon, most):
    """Root mean squared error in standard deviations; with the strengths from 1e-3 on it was 0.178 six steps ahead."""
    data = load_data(
        dlspec.load(
            "dlspec: 1\ndata: {dataset: {mackey_glass: {samples: 5000}}, "
            f"window: {{length: 20, horizon: {horizon}}}}}\nmodel: [flatten, output]\n"
        )
    )
    guess = BASELINES["linear"]().guess(data)
    assert np.sqrt(((guess - data.test.truth) ** 2).mean()) / data.train.truth.std() <= most


def test_a_column_that_says_nothing_changes_nothing():
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(40, 3)), random.normal(size=(40, 1))
    more = np.hstack([inputs, np.ones((40, 1)), inputs[:, :1]])
    (slopes, level), (wide, same) = ridge(inputs, targets), ridge(more, targets)
    assert more @ wide + same == pytest.approx(inputs @ slopes + level, abs=0.2)
    assert np.isfinite(wide).all()
