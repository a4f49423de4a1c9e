"""`data: {weight: COLUMN}`: a sample of weight 2 is as good as two, in training, metrics, baselines and verdict."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.evaluation.baselines.linear import best_penalty, ridge
from dlspec.evaluation.baselines.pca import _components
from dlspec.evaluation.intervals import INDEPENDENT
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.score_intervals import intervals_of_scores, worth
from dlspec.evaluation.verdict import interval_of_gain
from dlspec.language.diagnostics.errors import DataError

COUNT = 300
RANDOM = np.random.default_rng(11)
OFTEN = RANDOM.integers(0, 5, COUNT)
WEIGHTS = OFTEN.astype("float64")


def of_kind(kind, classes):
    """Truth and guess of a kind of target."""
    if kind == "class":
        truth = RANDOM.integers(0, classes, COUNT)
        values = np.exp(RANDOM.normal(size=(COUNT, classes)) + np.eye(classes)[truth])
        return truth, values / values.sum(axis=1, keepdims=True)
    if kind == "labels":
        truth = RANDOM.integers(0, 2, (COUNT, classes))
        return truth, (0.6 * truth + 0.4 * RANDOM.random((COUNT, classes))).clip(0.01, 0.99)
    shape = (COUNT, 6) if kind == "input" else (COUNT,)
    truth = RANDOM.gamma(2.0, 3.0, shape)
    return truth, (truth + RANDOM.normal(0.3, 1.0, shape)).clip(0.01)


def judging():
    METRICS.load_all()
    for name in METRICS:
        for written in METRICS[name].examples:
            metric = METRICS.read(written)
            if "num_regressors" in str(written):  # it is of how many samples there are
                continue
            for kind in ("number", "class", "labels", "input"):
                for classes in (2, 4) if kind == "class" else (3,):
                    if not metric.judges(kind, series=True) or metric.refuses(classes, labels=kind == "labels"):
                        continue
                    yield pytest.param(metric, kind, classes, id=f"{written}-{kind}{classes}")


@pytest.mark.parametrize(("metric", "kind", "classes"), list(judging()))
def test_a_sample_of_weight_two_is_as_good_as_two(metric, kind, classes):
    truth, guess = of_kind(kind, classes)
    naive = RANDOM.uniform(0.5, 2.0, COUNT) if metric.only_series else None
    repeated = np.repeat(naive, OFTEN) if naive is not None else None
    found = metric.compute(truth, guess, naive, WEIGHTS)
    wanted = metric.compute(np.repeat(truth, OFTEN, axis=0), np.repeat(guess, OFTEN, axis=0), repeated)
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    scale = 1.0 if metric.unit != "count" else 2.0
    assert metric.compute(truth, guess, naive, 2 * WEIGHTS) == pytest.approx(scale * found, rel=1e-5, abs=1e-6)


def test_equal_weights_change_no_interval():
    values = RANDOM.normal(size=COUNT) ** 2

    def scores(places):
        return {"mean": float(values[places].mean())}

    plain = intervals_of_scores(scores, COUNT, INDEPENDENT, {"mean": (0, np.inf)})
    weighed = intervals_of_scores(scores, COUNT, INDEPENDENT, {"mean": (0, np.inf)}, weights=np.full(COUNT, 3.0))
    assert plain["mean"] == pytest.approx(weighed["mean"])
    gain = RANDOM.normal(size=COUNT)
    assert interval_of_gain(gain, INDEPENDENT, "class", weights=np.full(COUNT, 3.0)) == pytest.approx(
        interval_of_gain(gain, INDEPENDENT, "class")
    )


def test_an_interval_of_weighed_scores_holds_its_share():
    """Of samples of a known mean, 95 of 100 intervals hold it, and so do those of gains."""
    random, held, of_gains, rounds = np.random.default_rng(3), 0, 0, 200
    for _ in range(rounds):
        weights = random.choice([0.2, 1.0, 6.0], 150)
        values = random.normal(1.0, 1.0, 150)

        def scores(places, values=values, weights=weights):
            return {"mean": float(np.average(values[places], weights=weights[places]))}

        low, high = intervals_of_scores(scores, 150, INDEPENDENT, {"mean": (-np.inf, np.inf)}, weights=weights)["mean"]
        held += low <= 1.0 <= high
        found = interval_of_gain((values - 1) * weights / weights.mean(), INDEPENDENT, "number", weights=weights)
        of_gains += found.low <= 0.0 <= found.high
        assert found.pieces == pytest.approx(worth(150, weights))
    assert 0.9 <= held / rounds <= 0.99
    assert 0.9 <= of_gains / rounds <= 0.99


def test_baselines_are_fitted_by_weight():
    from sklearn.decomposition import PCA
    from sklearn.linear_model import Ridge

    inputs = RANDOM.normal(size=(COUNT, 4))
    targets = inputs[:, :1] * 2 + RANDOM.normal(size=(COUNT, 1)) * (1 + abs(inputs[:, 1:2]))
    weights = WEIGHTS / WEIGHTS.mean()
    slopes, level, strength = ridge(inputs, targets, weights)
    reference = Ridge(strength).fit(inputs, targets, weights)
    assert slopes[:, 0] == pytest.approx(reference.coef_.ravel(), abs=1e-8)
    assert level == pytest.approx(reference.intercept_, abs=1e-8)
    directions, mean = _components(inputs, WEIGHTS, 2)
    whole = PCA(2).fit(np.repeat(inputs, OFTEN, axis=0))
    assert abs((directions * whole.components_).sum(axis=1)) == pytest.approx([1, 1], abs=1e-6)
    assert mean == pytest.approx(whole.mean_)
    labels = (targets[:, 0] > 0).astype(int)
    assert best_penalty(inputs, labels, in_order=False, weights=np.full(COUNT, 2.0)) == best_penalty(
        inputs, labels, in_order=False
    )


def table(folder, classes, rows=240):
    """The same data twice: with weights, and with each row as often as it weighs."""
    random = np.random.default_rng(5)
    often = random.integers(1, 4, rows)
    x = random.normal(size=(rows, 3))
    noisy = x[:, 0] - x[:, 1] + 0.7 * random.normal(size=rows) + 0.3 * often
    frame = pd.DataFrame(x, columns=list("abc"))
    frame["part"] = np.array(["train", "train", "validation", "test"])[np.arange(rows) % 4]
    frame["y"] = np.where(noisy > 0.5, "yes", "no") if classes else noisy
    frame.assign(w=often).to_csv(folder / "weighed.csv", index=False)
    frame.loc[np.repeat(np.arange(rows), often)].to_csv(folder / "repeated.csv", index=False)
    return often


SPEC = """\
dlspec: 1
data: {{table: {file}, target: y, features: [a, b, c], scale: none, split: {{column: part}}{weight}}}
model: [dense: {{units: 5, activation: tanh}}, output]
train: {{epochs: 4, batch_size: 4096, optimizer: {{sgd: 0.3}}{more}}}
evaluate: {{baselines: [{constant}, linear]}}
"""


@pytest.mark.parametrize(
    ("classes", "more", "constant"),
    [
        (True, ", class_weight: balanced", "majority"),
        pytest.param(False, "", "mean", marks=pytest.mark.slow),
        pytest.param(True, "", "majority", marks=pytest.mark.slow),
    ],
)
def test_a_run_with_weights_is_that_of_repeated_rows(classes, more, constant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, classes)
    form = {"more": more, "constant": constant}
    weighed = dlspec.run(SPEC.format(file="weighed.csv", weight=", weight: w", **form), out=tmp_path / "a")
    repeated = dlspec.run(SPEC.format(file="repeated.csv", weight="", **form), out=tmp_path / "b")
    assert [feature.name for feature in weighed.data.features] == ["a", "b", "c"]
    for one, other in zip(weighed.model.get_weights(), repeated.model.get_weights(), strict=True):
        assert one == pytest.approx(other, abs=2e-5)
    for one, other in zip(weighed.history, repeated.history, strict=True):
        assert one.loss == pytest.approx(other.loss, abs=2e-5)
        assert one.val_loss == pytest.approx(other.val_loss, abs=2e-5)
    for part in ("train", "validation", "test"):
        assert getattr(weighed.metrics, part) == pytest.approx(getattr(repeated.metrics, part), abs=1e-4)
    assert weighed.metrics.baselines[constant] == pytest.approx(repeated.metrics.baselines[constant], abs=1e-9)
    assert any("tell as much as" in note for note in weighed.metrics.notes)
    assert weighed.predictions["weight"].tolist() == pd.read_csv("weighed.csv")["w"][3::4].tolist()
    judged = dlspec.evaluate(weighed, tmp_path / "weighed.csv")
    again = dlspec.evaluate(repeated, tmp_path / "repeated.csv")
    assert judged.metrics.test == pytest.approx(again.metrics.test, abs=1e-4)
    pd.read_csv("weighed.csv").drop(columns="w").to_csv("without.csv", index=False)
    with pytest.raises(DataError, match="no column `w`"):
        dlspec.evaluate(weighed, tmp_path / "without.csv")
    assert dlspec.predict(weighed, tmp_path / "without.csv", tmp_path / "out.csv") == 240


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda frame: frame.assign(w=-1), "wrong-value", "weighs -1"),
        (lambda frame: frame.assign(w=0), "too-few-rows", "weigh 0"),
        (lambda frame: frame.assign(w=frame["w"].where(frame["w"] > 1)), "missing-value", "lacks a value"),
    ],
)
def test_what_is_no_weight_is_named(change, code, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, classes=True)
    change(pd.read_csv("weighed.csv")).to_csv("weighed.csv", index=False)
    spec = dlspec.load(SPEC.format(file="weighed.csv", weight=", weight: w", more="", constant="majority"))
    with pytest.raises(DataError) as caught:
        dlspec.run(spec, out=tmp_path / "run")
    (problem,) = caught.value.diagnostics
    assert (problem.code, words in problem.message) == (code, True)
    assert problem.span.column == spec.span("data", "weight").column
    assert "features" not in problem.help


@pytest.mark.parametrize(
    ("data", "train", "code"),
    [
        ("weight: nothing", "", "unknown-column"),
        ("weight: species", "", "wrong-value"),
        ("weight: petal_width, features: [petal_width, sepal_width]", "", "weight-among-features"),
        ("weight: petal_width", "train: {loss: {dice: {axis: 0}}}", "cannot-weigh"),
    ],
)
def test_a_spec_that_cannot_weigh_is_answered(data, train, code):
    text = f"dlspec: 1\ndata: {{dataset: iris, {data}}}\nmodel: [output]\n{train}\n"
    assert [problem.code for problem in dlspec.validate(text)] == [code]


def test_a_weight_is_no_feature_and_a_window_has_that_of_its_target(tmp_path):
    count = 120
    frame = pd.DataFrame({"t": np.arange(count), "x": np.sin(np.arange(count) / 5), "w": np.arange(count) + 1.0})
    frame[::-1].to_csv(tmp_path / "s.csv", index=False)  # the newest row first
    text = (
        f"dlspec: 1\ndata: {{series: {tmp_path / 's.csv'}, time: t, target: x, weight: w, window: {{length: 5}}}}\n"
        "model: [flatten, output]\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(text, out=tmp_path / "run")
    assert [feature.name for feature in run.data.features] == ["x"]
    table = run.predictions
    assert table["weight"].tolist() == (table["time"] + 1).tolist()


@pytest.mark.parametrize(
    "reduction", ["mean_with_sample_weight", pytest.param("sum_over_batch_size", marks=pytest.mark.slow)]
)
def test_the_loss_of_an_epoch_is_the_weighted_mean(reduction, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, classes=False)
    text = SPEC.format(
        file="weighed.csv", weight=", weight: w", constant="mean", more=f", loss: {{mse: {{reduction: {reduction}}}}}"
    )
    text = text.replace("batch_size: 4096", "batch_size: 7").replace("sgd: 0.3", "sgd: 1e-12")
    run = dlspec.run(text, out=tmp_path / "run")
    for row in run.history:
        assert row.loss == pytest.approx(run.metrics.train["rmse"] ** 2, rel=1e-5)
        assert row.val_loss == pytest.approx(run.metrics.validation["rmse"] ** 2, rel=1e-5)
