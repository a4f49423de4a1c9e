"""Runs of two classes whose network ends in a unit for each."""

import io
import json

import numpy as np
import pandas as pd
import pytest

import dlspec
from tests.runs.test_places import sequences

BOTH = {"softmax": "dense: {units: 2, activation: softmax}", "sigmoid": "output"}
TABLE = """\
dlspec: 1
name: two
seed: 3
data: {table: rows.csv, target: state, features: [a, b]}
model: [dense: {units: 6, activation: tanh}, LAST]
train: {epochs: 12, batch_size: 32, optimizer: {adam: 0.02}, class_weight: balanced}
evaluate: {metrics: [accuracy, log_loss, auc, f1_score, {precision: {thresholds: 0.7}}]}
"""


def rows_of(count, seed=0):
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(count, 2)), columns=["a", "b"])
    table["state"] = np.where(table["a"] + random.normal(0, 0.4, count) > 0.5, "ill", "well")
    return table


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each of both ends."""
    home, found = tmp_path_factory.mktemp("two"), {}
    rows_of(500).to_csv(home / "rows.csv", index=False)
    rows_of(200, 5).to_csv(home / "new.csv", index=False)
    for name, last in BOTH.items():
        (home / f"{name}.yaml").write_text(TABLE.replace("LAST", last), encoding="utf-8")
        found[name] = dlspec.run(home / f"{name}.yaml", out=home / name)
    return found


def test_the_saved_model_gives_the_probability_of_each_class(runs):
    run = runs["softmax"]
    assert run.metrics.saved_model.same
    assert run.model.output_shape == (None, 2)
    table = pd.read_csv(run.folder.parent / "rows.csv").iloc[run.predictions["row"]]
    shares = np.asarray(run.model.predict_on_batch(table[["a", "b"]].to_numpy()))
    found = run.predictions[["p(ill)", "p(well)"]].to_numpy()
    np.testing.assert_allclose(found, shares, rtol=1e-5)
    assert (run.predictions["network"] == np.array(["ill", "well"])[shares.argmax(axis=1)]).all()
    assert "the probability of each class of `state`: `ill` and" in (run.folder / "model.txt").read_text("utf-8")


def test_metrics_are_of_the_same_class(runs):
    """Both learn the same, so that a metric of the second class would stand out if it were of the first."""
    for name in runs["sigmoid"].metrics.test:
        ours, theirs = (runs[which].metrics.test[name] for which in BOTH)
        assert ours == pytest.approx(theirs, abs=0.08), name
    run = runs["softmax"]
    truth = (run.predictions["truth"] == "well").to_numpy()
    said = run.predictions["p(well)"].to_numpy() > 0.7
    assert run.metrics.test["precision"] == pytest.approx((truth & said).sum() / said.sum())
    assert list(run.metrics.baselines) == ["majority", "linear"]
    assert run.metrics.by_class["ill"].scores["network"]["recall"] > 0.5


def test_predict_evaluate_intervals_and_reasons(runs):
    home = runs["softmax"].folder.parent
    found = {}
    for name, run in runs.items():
        out = io.BytesIO()
        dlspec.predict(run.folder, home / "new.csv", out, intervals=0.9, explain=1)
        found[name] = pd.read_csv(io.BytesIO(out.getvalue()))
    ours, theirs = found.values()
    assert list(ours) == list(theirs)
    assert (ours["predicted state"] == theirs["predicted state"]).mean() > 0.95
    np.testing.assert_allclose(ours["state=ill"] + ours["state=well"], 1, atol=1e-6)
    judged = dlspec.evaluate(runs["softmax"].folder, home / "new.csv").metrics.test["accuracy"]
    assert judged == pytest.approx((ours["predicted state"] == ours["state"]).mean())


def test_both_are_compared_class_by_class(runs):
    (paired,) = dlspec.compare(*(run.folder for run in runs.values())).found.pairs
    assert paired.mcnemar is not None


def test_exports_give_both_probabilities(runs, tmp_path):
    dlspec.export(runs["softmax"].folder, out=tmp_path / "two.onnx")
    signature = json.loads((tmp_path / "two.onnx.signature.json").read_text(encoding="utf-8"))
    assert signature["outputs"]["shape"] == [2]
    assert signature["outputs"]["classes"] == ["ill", "well"]


def test_the_script_does_the_same(runs, tmp_path):
    """Ejecting runs the script beside dlspec, and refuses where they differ."""
    dlspec.eject(runs["softmax"].folder.parent / "softmax.yaml", out=tmp_path / "two.py")
    assert "1 - second" not in (tmp_path / "two.py").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "layers", "more"),
    [
        ("dataset: {spirals: {samples: 200}}", "[dense: {units: 8, activation: tanh}, LAST]", ""),
        ("dataset: {rectangles: {samples: 300}}", "[flatten, dense: 9, LAST]", ""),
        ("table: reviews.csv, features: {text: {text: {length: 6, words: 9}}}, target: good",
         "[embedding: 4, lstm: 4, LAST]", ""),
        ("series: busy.csv, time: t, target: busy, features: [a], window: {length: 6, horizon: 1}",
         "[gru: 4, LAST]", ""),
        ("dataset: {spirals: {samples: 200}}", "[dense: {units: 8, activation: tanh, name: h}, LAST]",
         "pretrain: {method: supervised, epochs: 2}"),
        ("table: rows.csv, target: state, features: [a, b], split: {folds: 3}", "[dense: 6, LAST]", ""),
    ],
)  # fmt: skip
def test_every_sort_of_data(tmp_path, data, layers, more):
    rows_of(200).to_csv(tmp_path / "rows.csv", index=False)
    words = [f"the {('good', 'bad', 'fine')[i % 3]} film,{'yes' if i % 3 != 1 else 'no'}" for i in range(150)]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,good", *words]), encoding="utf-8")
    hours = [
        f"2024-01-{1 + i // 24:02d} {i % 24:02d}:00,{np.sin(i):.3f},{'yes' if np.sin(i) > 0 else 'no'}"
        for i in range(600)
    ]
    (tmp_path / "busy.csv").write_text("\n".join(["t,a,busy", *hours]), encoding="utf-8")
    text = f"dlspec: 1\nname: x\ndata: {{{data}}}\nmodel: {layers.replace('LAST', BOTH['softmax'])}\n"
    (tmp_path / "s.yaml").write_text(f"{text}train: {{epochs: 3}}\n{more}\n", encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert run.metrics.saved_model.same
    assert run.model.output_shape == (None, 2)
    assert 0 < run.metrics.test["accuracy"] <= 1


@pytest.mark.slow
def test_a_class_of_two_at_each_place(tmp_path):
    x, y = sequences()
    np.savez(tmp_path / "steps.npz", x=x, y=y)
    layers = "[lstm: {units: 6, return_sequences: true}, dense: {units: 2, activation: softmax}]"
    text = f"dlspec: 1\nname: x\ndata: {{arrays: steps.npz, target: {{y: category}}}}\nmodel: {layers}\n"
    (tmp_path / "s.yaml").write_text(f"{text}train: {{epochs: 6, optimizer: {{adam: 0.02}}}}\n", encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert run.metrics.saved_model.same
    assert run.model.output_shape == (None, 10, 2)
    assert run.metrics.test["accuracy"] > run.metrics.baselines["majority"]["accuracy"]
    found = dlspec.evaluate(run.folder, tmp_path / "steps.npz")
    assert found.metrics.test["accuracy"] > 0.6
