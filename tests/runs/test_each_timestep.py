"""`window: {target: each}`: a class or a number at every timestep of a window."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.arrays import is_read_later
from dlspec.runs.job import load_data

FORWARDS = "  - lstm: {units: 5, return_sequences: true}\n"


def series(rows=700):
    """A state that stays for a while, a number that tells it with noise, and another that follows."""
    random = np.random.default_rng(4)
    changes = random.random(rows) < 0.08
    state = np.where(changes, random.integers(0, 3, rows), 0)
    state = pd.Series(np.where(changes | (np.arange(rows) == 0), state, -1)).replace(-1, np.nan).ffill().astype(int)
    x = np.array([0.0, 2.0, -2.0])[state] + random.normal(0, 0.5, rows)
    return pd.DataFrame({"x": x.round(4), "y": (0.5 * x + 0.5 * np.roll(x, 1)).round(4),
                         "state": np.array(["rest", "up", "down"])[state]})  # fmt: skip


def spec_of(folder, window, layers=FORWARDS, target="state", features="[x]", more=""):
    series().to_csv(folder / "s.csv", index=False)
    file = folder / "spec.yaml"
    file.write_text(
        f"dlspec: 1\nseed: 2\ndata:\n  series: s.csv\n  target: {target}\n  features: {features}\n"
        f"  window: {{length: 12, stride: 3, target: each, {window}}}\n{more}"
        f"model:\n{layers}  - output\ntrain: {{epochs: 4, batch_size: 16, optimizer: {{adam: 0.02}}}}\n"
    )
    return file


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A class now, and a number that comes two timesteps later."""
    now, later = (tmp_path_factory.mktemp(name) for name in ("now", "later"))
    both = "  - bidirectional: {lstm: {units: 4, return_sequences: true}}\n"
    return (
        dlspec.run(spec_of(now, "horizon: 0", both), out=now / "run"),
        dlspec.run(spec_of(later, "horizon: 2", target="y", features="[x, y]"), out=later / "run"),
    )


@pytest.mark.parametrize("horizon", [0, 2])
def test_every_timestep_leads_to_the_one_that_lies_the_horizon_behind_it(tmp_path, horizon):
    spec = dlspec.load(spec_of(tmp_path, f"horizon: {horizon}"))
    data, table = load_data(spec), series()
    classes = list(data.signature.target.classes)
    for part in (data.train, data.validation, data.test):
        raw, truth = np.asarray(part.raw), np.asarray(part.truth)
        for window, answers, row in zip(raw, truth, np.asarray(part.rows), strict=True):
            seen = np.arange(row - horizon - 11, row - horizon + 1)
            assert window[:, 0] == pytest.approx(table["x"].to_numpy()[seen])
            assert [classes[answer] for answer in answers] == list(table["state"][seen + horizon])


def test_what_is_predicted_lies_in_one_part_and_each_row_is_judged_once(tmp_path):
    data = load_data(dlspec.load(spec_of(tmp_path, "horizon: 2")))
    led_to = [
        {int(row) - back for row in np.asarray(part.rows) for back in range(12)}
        for part in (data.train, data.validation, data.test)
    ]
    assert not led_to[0] & led_to[1]
    assert not led_to[1] & led_to[2]
    assert len(led_to[2]) == 12 * len(data.test)


def test_a_run_is_whole(runs):
    for run in runs:
        assert run.graph.output_shape == (None, 12, 3 if run.data.target.classes else 1)
        assert run.metrics.saved_model.same
        assert run.data.window.target == "each"
    now, later = runs
    assert "persistence" not in now.metrics.baselines
    assert now.metrics.past_alone is None
    assert later.metrics.past_alone.holds
    assert "What was said when" in now.report.read_text(encoding="utf-8")
    assert "Truth and guess" in later.report.read_text(encoding="utf-8")


def test_windows_that_are_computed_when_asked_for_lead_to_the_same(tmp_path, monkeypatch):
    from dlspec.training.stage_data import sample_weights

    spec = dlspec.load(spec_of(tmp_path, "horizon: 1"), {"train.class_weight": "balanced"})
    kept = load_data(spec)
    monkeypatch.setattr("dlspec.data.preparation.series.KEPT_VALUES", 0)
    computed = load_data(spec)
    assert is_read_later(computed.train.truth)
    weights = sample_weights(spec.train, computed)
    assert weights.shape == kept.train.truth.shape
    assert np.array_equal(weights[:], sample_weights(spec.train, kept))
    assert np.array_equal(computed.train.targets[:], kept.train.targets)


def test_persistence_is_the_value_at_the_timestep_itself(runs):
    run, y = runs[1], series()["y"].to_numpy()
    rows = (run.predictions["row"].to_numpy()[:, None] - np.arange(12)).ravel()
    assert run.metrics.baselines["persistence"]["rmse"] == pytest.approx(((y[rows] - y[rows - 2]) ** 2).mean() ** 0.5)


def test_a_row_is_predicted_by_the_window_that_ends_in_it(runs, tmp_path):
    now, _ = runs
    table = series().head(40)
    table.to_csv(tmp_path / "new.csv", index=False)
    dlspec.predict(now.folder, tmp_path / "new.csv", out=tmp_path / "predicted.csv")
    found = pd.read_csv(tmp_path / "predicted.csv")
    assert found["predicted state"].isna().sum() == 11
    shares = np.asarray(now.model.predict_on_batch(table[["x"]].to_numpy()[None, 20:32]))[0, -1]
    columns = [f"state={label}" for label in now.data.target.classes]
    assert found[columns].to_numpy()[31] == pytest.approx(shares, abs=1e-5)


def test_other_data_are_judged_row_by_row(runs, tmp_path):
    table = series().head(120)
    table.to_csv(tmp_path / "new.csv", index=False)
    evaluated = dlspec.evaluate(runs[0].folder, tmp_path / "new.csv")
    assert evaluated.judged == 10
    assert not any("Not judged" in note for note in evaluated.metrics.notes)


AHEAD = [
    ("  - bidirectional: {lstm: {units: 4, return_sequences: true}}\n", "bidirectional_1", "`lstm` alone"),
    ("  - conv1d: {filters: 4, kernel_size: 3, padding: same}\n", "conv1d_1", "padding: causal"),
    ("  - multi_head_attention: {num_heads: 1, key_dim: 4}\n", "multi_head_attention_1", "use_causal_mask: true"),
    ("  - lstm: {units: 4, return_sequences: true, go_backwards: true}\n", "lstm_1", "go_backwards"),
    ("  - max_pooling1d: {pool_size: 3, strides: 1, padding: same}\n", "max_pooling1d_1", "causal"),
    ("  - group_normalization: 1\n", "group_normalization_1", "layer_normalization"),
    ("  - permute: [2, 1]\n  - dense: 12\n  - permute: [2, 1]\n", "dense_1", "past alone"),
    ("  - flatten\n  - dense: 12\n  - reshape: [12, 1]\n", "flatten_1", "past alone"),
    (FORWARDS + "  - branches: [[], [{conv1d: {filters: 5, kernel_size: 3, padding: same}}]]\n", "conv1d_1", "causal"),
    (
        "  - time_distributed: {dense: 4}\n  - conv1d: {filters: 4, kernel_size: 2, padding: same}\n",
        "conv1d_1",
        "causal",
    ),
]


@pytest.mark.parametrize(("layers", "culprit", "cure"), AHEAD)
def test_a_layer_that_looks_ahead_is_refused_where_the_answer_comes_later(tmp_path, layers, culprit, cure):
    (problem,) = dlspec.validate(spec_of(tmp_path, "horizon: 1", layers))
    assert problem.code == "sees-the-answer"
    assert f"`{culprit}`" in problem.message
    assert cure in problem.help
    assert not dlspec.validate(spec_of(tmp_path, "horizon: 0", layers))


PAST = [
    "  - conv1d: {filters: 4, kernel_size: 3, padding: causal, dilation_rate: 2}\n",
    "  - zero_padding1d: [2, 0]\n  - conv1d: {filters: 4, kernel_size: 3}\n",
    "  - multi_head_attention: {num_heads: 1, key_dim: 4, use_causal_mask: true}\n",
    "  - skip: [{dense: 1}, layer_normalization]\n  - gru: {units: 4, return_sequences: true}\n",
    "  - branches: [[{dense: 3}], [{conv1d: {filters: 2, kernel_size: 2, padding: causal}}]]\n",
    "  - masking\n  - batch_normalization\n  - dropout: 0.1\n  - activation: tanh\n",
]


@pytest.mark.parametrize("layers", PAST)
def test_layers_that_see_the_past_alone_are_fine(tmp_path, layers):
    assert not dlspec.validate(spec_of(tmp_path, "horizon: 1", layers))


WRONG = [
    ("horizon: 0", "y", "[x, y]", "", "sees-the-answer"),
    ("horizon: 1, steps: 2", "y", "[x]", "", "wrong-value"),
    ("horizon: 1", "y", "[x]", "  predict: difference\n", "wrong-value"),
    ("horizon: 1", "[x, y]", "[x]", "", "wrong-value"),
    ("horizon: 1", "input", "[x]", "", "wrong-value"),
]


@pytest.mark.parametrize(("window", "target", "features", "more", "code"), WRONG)
def test_what_goes_not_together_is_one_mistake(tmp_path, window, target, features, more, code):
    problems = dlspec.validate(spec_of(tmp_path, window, FORWARDS, target, features, more))
    assert [problem.code for problem in problems if problem.is_error][:1] == [code]
