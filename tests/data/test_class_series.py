"""A class as the target of a series: what it is at the end of a window, or some timesteps later."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.runs.job import load_data

TEXT = """\
dlspec: 1
name: states
data:
  series: states.csv
  target: %s
  features: [a, b]
  window: {length: 8, horizon: %d}
model: [flatten, {dense: {units: 16, activation: relu}}, output]
train: {epochs: 25, batch_size: 16, optimizer: {adam: 0.01}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """States that follow from the phase of a slow wave: a machine that is off, starts, and runs."""
    folder = tmp_path_factory.mktemp("states")
    random = np.random.default_rng(0)
    t = np.arange(600)
    wave = np.sin(t / 9)
    state = np.where(wave < -0.4, "off", np.where(np.cos(t / 9) > 0, "starts", "runs"))
    table = pd.DataFrame({"a": wave, "b": np.cos(t / 9)}) + random.normal(0, 0.05, (600, 2))
    table["state"], table["busy"] = state, (state != "off").astype(int)
    table["who"] = np.repeat(["x", "y"], 300)
    table.to_csv(folder / "states.csv", index=False)
    return folder


def run_of(home, text, name):
    (home / "s.yaml").write_text(text, encoding="utf-8")
    return dlspec.run(dlspec.load(home / "s.yaml"), out=home / name)


@pytest.mark.everyday(1)
@pytest.mark.parametrize("horizon", [0, 3])
def test_words_are_told_and_foretold(home, horizon):
    run = run_of(home, TEXT % ("state", horizon), f"words{horizon}")
    table, states = run.predictions, pd.read_csv(home / "states.csv")
    assert run.data.task == "class_series"
    assert run.graph["output"].output_shape == (None, 3)
    assert list(run.metrics.test) == ["accuracy", "log_loss"]
    np.testing.assert_array_equal(table["truth"], states["state"][table["row"]])
    assert table["row"].max() == 599
    assert run.metrics.test["accuracy"] > 0.8
    baselines = ["majority", "persistence", "linear"] if horizon else ["majority", "linear"]
    assert list(run.metrics.baselines) == baselines
    if horizon:
        np.testing.assert_array_equal(table["persistence"], states["state"][table["row"] - horizon])
    page = run.report.read_text(encoding="utf-8")
    assert "What was said when" in page
    assert "What was taken for what" in page
    predicted = run.predict(states)
    name = f"state+{horizon}" if horizon else "state"
    assert list(predicted.columns) == [name, "state=off", "state=runs", "state=starts"]
    assert predicted.index[0] == 7
    np.testing.assert_array_equal(predicted.loc[table["row"] - horizon, name], table["network"])


def test_zeros_and_ones_are_classes_where_the_spec_says_it(home):
    run = run_of(home, TEXT % ("{busy: category}", 1), "busy")
    assert run.graph["output"].output_shape == (None, 1)
    assert run.metrics.test["accuracy"] > 0.85
    table, states = run.predictions, pd.read_csv(home / "states.csv")
    np.testing.assert_array_equal(table["truth"], states["busy"][table["row"]].astype(str))
    again = dlspec.run(run.folder / "resolved.yaml", out=home / "busy_again")
    assert again.metrics.test == run.metrics.test
    (home / "s.yaml").write_text(TEXT % ("busy", 1), encoding="utf-8")
    assert load_data(dlspec.load(home / "s.yaml")).signature.target.kind == "number"


@pytest.mark.slow
def test_a_class_is_walked_forward_and_explained(home):
    text = (TEXT % ("state", 2)).replace("  target", "  split: {test: 0.15, walk_forward: {folds: 2}}\n  target")
    run = run_of(home, text.replace("epochs: 25", "epochs: 2") + "pretrain: {method: supervised, epochs: 1}\n", "folds")
    assert len(run.metrics.folds.test["accuracy"].values) == 2
    said = dlspec.explain(spec_text(home, TEXT % ("state", 0)))
    assert "what the target is at the last timestep that the network sees" in said


def spec_text(home, text):
    (home / "e.yaml").write_text(text, encoding="utf-8")
    return dlspec.load(home / "e.yaml")


def test_windows_stay_in_their_group_and_weights_of_classes_are_used(home):
    text = (TEXT % ("state", 0)).replace("  target", "  group: who\n  target")
    text = text.replace("train: {", "train: {class_weight: balanced, ")
    run = run_of(home, text, "groups")
    table, states = run.predictions, pd.read_csv(home / "states.csv")
    np.testing.assert_array_equal(table["group"], states["who"][table["row"]])
    assert set(table["group"]) == {"x", "y"}
    assert (table["row"] % 300).min() >= 255 + 7, "windows lie inside the test part of their group"
    data = load_data(dlspec.load(home / "s.yaml"))
    np.testing.assert_allclose(np.asarray(data.train.raw)[0, -1], states[["a", "b"]].to_numpy()[data.train.rows[0]])


def test_what_is_trained_does_not_depend_on_labels_of_the_test_part(home, tmp_path):
    states = pd.read_csv(home / "states.csv")
    weights = []
    for name in ("one", "other"):
        (tmp_path / "s.yaml").write_text(TEXT % ("state", 2), encoding="utf-8")
        states.to_csv(tmp_path / "states.csv", index=False)
        spec = dlspec.load(tmp_path / "s.yaml", overrides={"train.epochs": 2})
        weights.append(dlspec.run(spec, out=tmp_path / name).model.get_weights())
        states.loc[510:, "state"] = states.loc[510:, "state"].to_numpy()[::-1]
        states.loc[510:, ["a", "b"]] += 5
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("horizon: 0", "horizon: 1, steps: 2"), "`steps` is of numbers, and `state` is a class"),
        (("model:", "  predict: return\nmodel:"), "`predict: return` is of numbers, and `state` is a class"),
        (("target: state", "target: a"), "`horizon: 0` asks what is now, and `a` is a number, which is forecast"),
        (("target: state", "target: [state, a]"), "several targets of a series are numbers"),
        (("train:", "evaluate: {baselines: [persistence]}\ntrain:"), "with `horizon: 0` that is the answer"),
        (("train:", "evaluate: {metrics: [mase]}\ntrain:"), "`mase` is for a series, and `state` is a class"),
        (("features: [a, b]", "features: [a, state]"), "`state` holds labels, and features are numbers here"),
    ],
)
def test_what_does_not_fit_a_class_in_time_is_said(home, change, says):
    (home / "bad.yaml").write_text((TEXT % ("state", 0)).replace(*change), encoding="utf-8")
    found = dlspec.validate(home / "bad.yaml")
    assert len(found) == 1, found
    assert says in found[0].message


def test_a_missing_label_is_named_with_its_row(home, tmp_path):
    states = pd.read_csv(home / "states.csv")
    states.loc[41, "state"] = ""
    states.to_csv(tmp_path / "states.csv", index=False)
    (tmp_path / "s.yaml").write_text(TEXT % ("state", 0), encoding="utf-8")
    with pytest.raises(dlspec.DataError, match="`state` lacks a label in row 42"):
        load_data(dlspec.load(tmp_path / "s.yaml"))
