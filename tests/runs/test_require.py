"""What a result must reach, several specs at once, and a rehearsal."""

import json

import pytest

import dlspec
from tests.commands import dlspec_here

SPEC = """\
dlspec: 1
name: {name}
data: {{dataset: {{spirals: {{samples: 160}}}}, split: {{test: 0.4}}}}
model: [dense: {{units: {units}, activation: tanh}}, output]
train: {{epochs: 2}}
evaluate: {{metrics: [accuracy, log_loss], require: {require}}}
"""


def write(folder, name, require, units=4):
    (folder / f"{name}.yaml").write_text(SPEC.format(name=name, require=require, units=units))
    return f"{name}.yaml"


@pytest.mark.parametrize(
    ("require", "code", "said"),
    [
        ("{accuracy: 0.9}", None, ""),
        ("{accuracy: {at_least: 0.9, interval: true}, log_loss: {at_most: 0.5}, beats: linear}", None, ""),
        ("{acuracy: 0.9}", "unknown-metric", "accuracy"),
        ("{f1_score: 0.9}", "metric-mismatch", "add `f1_score` to `metrics`"),
        ("{accuracy: 90}", "wrong-value", "write `0.9`"),
        ("{accuracy: {at_most: 0.9}}", "wrong-value", "at_least"),
        ("{log_loss: {at_least: 0.9}}", "wrong-value", "at_most"),
        ("{accuracy: {}}", "wrong-value", "at_least"),
        ("{accuracy: high}", "wrong-type", "number"),
        ("{accuracy: {least: 0.9}}", "unknown-key", "at_least"),
        ("{beats: persistence}", "unknown-baseline", "baselines"),
        ("{beats: 3}", "wrong-type", "beats: baselines"),
        ("0.9", "wrong-type", "require: {accuracy: 0.9}"),
    ],
)
def test_what_is_required_is_checked(require, code, said):
    problems = dlspec.validate(SPEC.format(name="a", require=require, units=4))
    assert [problem.code for problem in problems] == ([code] if code else [])
    if code:
        assert said in f"{problems[0].message} {problems[0].help}"


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Two runs of one command, one of which falls short."""
    folder = tmp_path_factory.mktemp("short")
    low = write(folder, "low", "{accuracy: 0.1, log_loss: 5}")
    high = write(folder, "high", "{accuracy: {at_least: 0.99, interval: true}, beats: baselines}", units=3)
    return folder, dlspec_here("run", low, high, cwd=folder)


def test_a_result_that_falls_short_is_kept_and_ends_with_a_code_of_its_own(short):
    folder, done = short
    assert done.returncode == 6
    assert "Required: Accuracy of at least 99.0% at the worse end of its interval: it is" in done.stderr
    assert "Required: to beat the best baseline: " in done.stderr
    assert "Required: Accuracy of at least 10.0%: reached" in done.stdout
    run = dlspec.open_run(folder / "runs" / "high" / "001")
    assert run.finished
    assert [found.met for found in run.metrics.require] == [False, False]
    low, _ = run.metrics.test_intervals["accuracy"]
    assert run.metrics.require[0].found == pytest.approx(low)
    assert "Required: Accuracy of at least 99.0%" in run.report.read_text(encoding="utf-8")
    met = dlspec.open_run(folder / "runs" / "low" / "001").metrics.require
    assert [found.met for found in met] == [True, True]


def test_several_specs_end_with_their_comparison(short):
    _, done = short
    assert "model.0.dense.units" in done.stdout
    assert done.stdout.rstrip().splitlines()[-2:] == ["runs/low/001", "runs/high/001"]


def test_new_data_are_held_to_the_same(short, tmp_path):
    import pandas as pd

    folder, _ = short
    run = dlspec.open_run(folder / "runs" / "high" / "001")
    columns = run.spec.data.dataset.load(5)
    pd.DataFrame(columns).to_csv(tmp_path / "new.csv", index=False)
    done = dlspec_here("evaluate", run.folder, tmp_path / "new.csv", "--json", cwd=tmp_path)
    assert done.returncode == 6
    assert [each["met"] for each in json.loads(done.stdout)["require"]] == [False, False]


def test_a_mistake_in_one_of_several_specs_is_told_before_any_is_trained(short, tmp_path):
    good, bad = write(tmp_path, "good", "{accuracy: 0.1}"), write(tmp_path, "bad", "{acuracy: 0.1}")
    done = dlspec_here("run", good, bad, cwd=tmp_path)
    assert done.returncode == 1
    assert not (tmp_path / "runs").exists()
    assert dlspec_here("run", good, good, "--out", "x", cwd=tmp_path).returncode == 2


@pytest.mark.slow
def test_a_rehearsal_tries_everything_and_keeps_nothing(tmp_path, monkeypatch):
    text = """\
dlspec: 1
name: tried
data: {dataset: {mackey_glass: {samples: 400}}, window: {length: 8}, split: {walk_forward: {folds: 3}}}
model: [lstm: {units: 4, return_sequences: true}, lstm: 3, output]
pretrain: {method: autoencoder, epochs: 50, then: freeze, thaw_after: 2}
train: {epochs: 500}
evaluate: {require: {beats: baselines}, compare: {without_pretraining: {seeds: 3}}}
"""
    seen = []

    class Watching(dlspec.Listener):
        def epoch_ends(self, stage, row):
            seen.append((stage.name, row.epoch))

    monkeypatch.chdir(tmp_path)
    assert dlspec.rehearse(text, listener=Watching()) > 0
    assert {epoch for _, epoch in seen} == {1}
    assert len(seen) == len({*seen}) >= 3
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "spec.yaml").write_text(text)
    done = dlspec_here("run", "spec.yaml", "--rehearse", cwd=tmp_path)
    assert (done.returncode, "runs to its end" in done.stdout) == (0, True)
    assert not (tmp_path / "runs").exists()
