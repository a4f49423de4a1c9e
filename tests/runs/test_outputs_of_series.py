"""Several outputs of the windows of one series: each has the truth and the scale of a network that has it alone."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.runs.job import load_data
from tests.commands import dlspec_here
from tests.trained import StopAfter, Training, same


def levels(rows=420, seed=0):
    """A wave with noise, which way it went, and two more columns."""
    random = np.random.default_rng(seed)
    t = np.arange(rows)
    level = 10 + 3 * np.sin(t / 7) + 0.6 * np.sin(t / 2.3) + random.normal(0, 0.1, rows)
    turn = np.where(np.diff(level, prepend=level[0]) > 0, "up", "down")
    other = np.cos(t / 9) + random.normal(0, 0.1, rows) + 4
    pool = np.repeat(["a", "b"], rows // 2)
    return pd.DataFrame({"level": level.round(3), "turn": turn, "other": other.round(3), "pool": pool})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    table = levels()
    table.to_csv(folder / "s.csv", index=False)
    table.loc[[50, 51, 200], "level"] = np.nan
    table.loc[[120, 300], "turn"] = None
    table.to_csv(folder / "holes.csv", index=False)
    return folder


SPEC = """\
dlspec: 1
name: levels
data: {series: %s, features: [level, other], window: {%s}, %s}
model: {layers: [%s], %s}
train: {epochs: 12, optimizer: {adam: 0.02}}
"""
OUTPUTS = {
    "outputs: {next: {target: level}, turn: {target: turn, weight: 0.5}}": ["level", "turn"],
    "outputs: {turn: turn, both: {target: [level, other]}}": ["turn", "[level, other]"],
    "outputs: {a: level, b: other}": ["level", "other"],
}
NEXT, BOTH, TWO = OUTPUTS


@pytest.mark.parametrize(
    ("file", "window", "more", "outputs"),
    [
        ("s.csv", "length: 8, horizon: 1", "predict: difference", NEXT),
        ("s.csv", "length: 8, horizon: 3, stride: 2", "group: pool", BOTH),
        ("s.csv", "length: 8, steps: 3", "predict: return", TWO),
        ("s.csv", "length: 8, target: each", "limit: 9", NEXT),
        ("holes.csv", "length: 5, horizon: 2", "missing: drop", NEXT),
        ("holes.csv", "length: 5, horizon: 2", "missing: previous", NEXT),
    ],
)
def test_each_output_has_the_data_of_a_network_of_one(home, file, window, more, outputs):
    layer = "gru: {units: 3, return_sequences: true}" if "each" in window else "gru: 3"
    text = SPEC % (home / file, window, more, layer, outputs)
    data = load_data(dlspec.load(text))
    assert len(data.outputs) == 2
    for (name, own), target in zip(data.outputs.items(), OUTPUTS[outputs], strict=True):
        words = np.array(own.signature.target.classes or [""])
        if target == "turn":
            rows = own.test.rows if "each" not in window else own.test.rows[:, None] - np.arange(8)[::-1]
            assert (words[own.test.truth] == data.columns["turn"][rows]).all()
        if "drop" in more:  # rows that lack another answer are not there, and the parts are others
            assert (data.evened["left_out"], len(data.columns["turn"])) == (5, 415)
            continue
        if target == "turn" and "predict" in more:  # changes are of numbers, and no class is predicted alone by them
            continue
        alone = SPEC.replace("{layers: [%s], %s}", "[%s, output]") % (
            home / file, window, f"{more}, target: {target}", layer,
        )  # fmt: skip
        one = load_data(dlspec.load(alone))
        for part in ("train", "validation", "test"):
            ours, theirs = getattr(own, part), getattr(one, part)
            both = np.isin(theirs.rows, ours.rows)
            assert both.all() or (both.mean() > 0.8 and file == "holes.csv"), "what lacks one answer is left out of all"
            for key in ("truth", "rows", "last"):
                np.testing.assert_array_equal(getattr(ours, key), getattr(theirs, key)[both], f"{name} {key}")
            for key in ("targets", "inputs"):
                np.testing.assert_allclose(getattr(ours, key), getattr(theirs, key)[both], atol=1e-6)
        if own.naive_error is not None:
            np.testing.assert_allclose(own.naive_error, one.naive_error)


@pytest.fixture(scope="module")
def run(home):
    (home / "spec.yaml").write_text(SPEC % ("s.csv", "length: 12, horizon: 1", "predict: difference", "gru: 12", NEXT))
    return dlspec.run(home / "spec.yaml", out=home / "run")


def test_each_output_is_judged_by_its_own_baselines(run):
    following, turn = run.outputs.values()
    assert [*following.metrics.test] == ["mae", "rmse", "mase"]
    assert [*following.metrics.baselines] == ["persistence", "linear"]
    assert [*turn.metrics.baselines] == ["majority", "persistence", "linear"]
    assert turn.metrics.test["accuracy"] > turn.metrics.baselines["persistence"]["accuracy"]
    table, rows = turn.predictions, levels()
    np.testing.assert_array_equal(table["truth"], rows["turn"][table["row"]])
    np.testing.assert_array_equal(table["persistence"], rows["turn"][table["row"] - 1])
    assert all(own.metrics.saved_model.same for own in run.outputs.values())
    page = run.report.read_text()
    assert "Forecasts against truth" in page
    assert "What was said when" in page


def test_forecasts_of_new_rows_are_judged_as_those_of_the_run(run, home):
    rows = levels()
    rows.iloc[300:].to_csv(home / "new.csv", index=False)
    found = dlspec.evaluate(run, home / "new.csv").each_output
    for (name, own), value in zip(run.outputs.items(), ("network", "p(up)"), strict=True):
        new, known = found[name].predictions.set_index("row"), own.predictions.set_index("row")
        new = new.loc[known.index - 300]
        np.testing.assert_allclose(new[value], known[value], atol=1e-5)
        np.testing.assert_array_equal(new["truth"], known["truth"])
        np.testing.assert_array_equal(new["persistence"], known["persistence"])
    done = dlspec_here("predict", str(run.folder), "new.csv", "-o", "predicted.csv", cwd=home)
    assert done.returncode == 0, done.stderr
    assert {"level+1", "turn+1", "turn=up"} <= {*pd.read_csv(home / "predicted.csv")}


def test_stopped_and_continued_is_the_same_to_the_last_bit(home, one_step_at_a_time):
    text = (SPEC % (home / "s.csv", "length: 12, horizon: 1", "stride: 1", "gru: 3", NEXT)).replace(", stride: 1", "")
    weights, _ = Training(text, **{"train.epochs": 2}).run()
    stopped = Training(text, **{"train.epochs": 2})
    assert stopped.run(StopAfter(11)) == (None, None)
    again, _ = Training(text, **{"train.epochs": 2}).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
