"""The linear baseline is as good as a linear model can be, so that beating it means something."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import dlspec
from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.baselines.linear import PENALTIES, STRENGTHS, best_penalty, ridge
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
    slopes, level, strength = ridge(inputs, targets)
    assert errors[strength] <= min(errors.values()) * 1.001
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
    guess = BASELINES["linear"]().fit(data).guess(data.test)
    assert np.sqrt(((guess - data.test.truth) ** 2).mean()) / data.train.truth.std() <= most


def test_a_column_that_says_nothing_changes_nothing():
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(40, 3)), random.normal(size=(40, 1))
    more = np.hstack([inputs, np.ones((40, 1)), inputs[:, :1]])
    (slopes, level, _), (wide, same, _) = ridge(inputs, targets), ridge(more, targets)
    assert more @ wide + same == pytest.approx(inputs @ slopes + level, abs=0.2)
    assert np.isfinite(wide).all()


@pytest.mark.parametrize(("tells", "least", "most"), [(0.0, PENALTIES[0], 1e-3), (4.0, 1e-2, PENALTIES[-1])])
def test_the_penalty_of_classes_is_as_strong_as_their_inputs_are_weak(tells, least, most):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(300, 30))
    labels = (inputs[:, 0] * tells + random.normal(size=300) > 0).astype(int)
    for in_order in (True, False):
        assert least <= best_penalty(inputs, labels, in_order=in_order) <= most


def test_a_baseline_that_finds_nothing_says_so(tmp_path):
    random = np.random.default_rng(1)
    for name, target in (("number", random.normal(size=200)), ("class", random.choice(["a", "b"], 200))):
        frame = pd.DataFrame(random.normal(size=(200, 4)), columns=list("pqrs")).assign(y=target)
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        spec = dlspec.load(f"dlspec: 1\ndata: {{table: {tmp_path}/{name}.csv, target: y}}\nmodel: [output]\n")
        found = BASELINES["linear"]().fit(load_data(spec))
        assert any("the strongest penalty" in note for note in found.notes), name
        frame["y"] = np.where(frame["p"] > 0, "a", "b") if name == "class" else frame["p"] * 3
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        assert BASELINES["linear"]().fit(load_data(spec)).notes == ()
