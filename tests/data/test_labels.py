"""Targets of which a sample may have any number: several columns of yes and no, or tags in one column."""

import json

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.scores import Scorer
from dlspec.runs.job import find_oddities, load_data

TEXT = """\
dlspec: 1
name: labels
data: {table: news.csv, target: %s, features: [a, b, c]}
model: [{dense: {units: 24, activation: relu}}, {dense: {units: 24, activation: relu}}, output]
train: {epochs: 30, batch_size: 16, optimizer: {adam: 0.01}}
"""
TAGS = ("music", "politics", "sport")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    random = np.random.default_rng(0)
    a, b, c = random.normal(size=(3, 500))
    there = {"music": abs(a) < 0.4, "politics": b * c > 0.3, "sport": a + b > 0.5}
    table = pd.DataFrame({"a": a, "b": b, "c": c})
    table["tags"] = ["; ".join(tag for tag in TAGS if there[tag][i]) for i in range(500)]
    table["music"] = there["music"].astype(int)
    table["politics"] = np.where(there["politics"], "yes", "no")
    table["sport"] = np.where(there["sport"], "true", "false")
    table["mood"] = random.choice(["good", "bad", "so so"], 500)
    table.to_csv(folder / "news.csv", index=False)
    return folder


def run_of(home, text, name):
    (home / "s.yaml").write_text(text, encoding="utf-8")
    return dlspec.run(dlspec.load(home / "s.yaml"), out=home / name)


@pytest.fixture(scope="module")
def tagged(home):
    return run_of(home, TEXT % "{tags: {tags: ;}}", "tagged")


@pytest.fixture(scope="module")
def columns(home):
    return run_of(home, TEXT % "[music, politics, sport]", "columns")


def test_the_output_and_the_loss_follow_from_labels(tagged, columns):
    for run in (tagged, columns):
        output = run.graph["output"]
        assert output.output_shape == (None, 3)
        assert output.layer.activation == "sigmoid"
        assert run.spec.train.loss.type_name == "binary_crossentropy"
        assert list(run.metrics.test) == ["log_loss", "binary_accuracy", "f1_score"]
        assert list(run.metrics.baselines) == ["majority", "linear"]


def test_labels_are_learned_and_each_is_judged_alone(tagged, columns, home):
    frame = pd.read_csv(home / "news.csv", keep_default_na=False, dtype={"sport": str})
    for run in (tagged, columns):
        test = run.metrics.test
        assert test["binary_accuracy"] > 0.9
        assert run.metrics.verdict.outcome == "better"
        assert "log loss" in run.metrics.verdict.sentence
        table = run.predictions
        rows = frame.iloc[table["row"]]
        np.testing.assert_array_equal(table["truth:sport"], rows["sport"] == "true")
        np.testing.assert_array_equal(table["truth:politics"], ["politics" in tags for tags in rows["tags"]])
        of_each = [run.metrics.by_target[tag]["network"]["log_loss"] for tag in TAGS]
        assert np.mean(of_each) == pytest.approx(test["log_loss"], abs=1e-6)
        shares = np.stack([table[f"network:{tag}"] for tag in TAGS], axis=1)
        truth = np.stack([table[f"truth:{tag}"] for tag in TAGS], axis=1)
        loss = -np.log(np.clip(np.where(truth == 1, shares, 1 - shares), 1e-12, 1)).mean()
        assert test["log_loss"] == pytest.approx(loss, rel=1e-4)
        assert "Log loss of each label" in run.report.read_text(encoding="utf-8")


def test_majority_is_how_often_a_label_is_there_in_training(columns, home):
    data = load_data(dlspec.load(home / "s.yaml"))
    assert data.test.targets.dtype == np.float32
    table = columns.predictions
    np.testing.assert_allclose(table["majority:music"], data.train.truth[:, 0].mean())
    assert table["majority:sport"].nunique() == 1


def test_tags_come_back_as_they_stand_in_the_file(tagged, home):
    frame = pd.read_csv(home / "news.csv", keep_default_na=False, dtype={"sport": str})
    predicted = tagged.predict(frame)
    assert list(predicted.columns) == ["tags", "tags=music", "tags=politics", "tags=sport"]
    assert (predicted["tags"] == frame["tags"]).mean() > 0.85
    assert "" in set(predicted["tags"]), "a sample may have no tag"
    np.testing.assert_array_equal(predicted["tags=sport"] > 0.5, ["sport" in tags for tags in predicted["tags"]])


def test_yes_and_no_come_back_in_the_words_of_each_column(columns, home):
    frame = pd.read_csv(home / "news.csv", dtype={"sport": str})
    predicted = columns.predict(frame)
    assert list(predicted.columns)[:4] == ["music", "politics", "sport", "music=1"]
    assert set(predicted["politics"]) == {"yes", "no"}
    assert set(predicted["sport"]) == {"true", "false"}
    assert (predicted["politics"] == frame["politics"]).mean() > 0.9
    dlspec.predict(columns, home / "news.csv", home / "predicted.csv")
    assert "predicted politics" in pd.read_csv(home / "predicted.csv")


def test_the_resolved_spec_runs_again(tagged, home):
    again = dlspec.run(tagged.folder / "resolved.yaml", out=home / "again")
    assert again.metrics.test == tagged.metrics.test
    described = json.loads((tagged.folder / "data.json").read_text())
    assert described["class_counts"]["sport"]["test"] == int(tagged.predictions["truth:sport"].sum())


def test_the_plan_counts_tags(home):
    (home / "s.yaml").write_text(TEXT % "{tags: {tags: ;}}", encoding="utf-8")
    found = {column.name: column for column in dlspec.columns(dlspec.load(home / "s.yaml"))}
    assert (found["tags"].role, found["tags"].type) == ("target", "tags")
    assert found["tags"].values.startswith("sport, music, politics")
    assert found["tags"].missing == 0, "no tag is no missing value"


def test_zeros_and_ones_may_be_numbers_beside_others(home):
    (home / "s.yaml").write_text(TEXT.replace("[a, b, c]", "[b, c]") % "[music, a]")
    data = load_data(dlspec.load(home / "s.yaml"))
    assert data.signature.target.kind == "number"
    np.testing.assert_array_equal(np.unique(data.train.truth[:, 0]), [0.0, 1.0])
    (home / "s.yaml").write_text(TEXT % "{music: numeric}", encoding="utf-8")
    assert load_data(dlspec.load(home / "s.yaml")).signature.target.kind == "number"


def test_every_metric_of_labels_against_scikit_learn(home):
    from sklearn import metrics as known

    random = np.random.default_rng(1)
    truth = (random.random((400, 3)) < [0.2, 0.5, 0.7]).astype("uint8")
    guess = np.clip(0.6 * truth + random.random((400, 3)) * 0.5, 0.01, 0.99)
    said = guess > 0.5
    expected = {
        "accuracy": known.accuracy_score(truth, said),
        "binary_accuracy": (truth == said).mean(),
        "f1_score": known.f1_score(truth, said, average="macro"),
        "precision": known.precision_score(truth, said, average="micro"),
        "recall": known.recall_score(truth, said, average="micro"),
        "log_loss": np.mean([known.log_loss(truth[:, i], guess[:, i]) for i in range(3)]),
        "true_positives": (said & (truth == 1)).sum(),
    }
    for name, value in expected.items():
        assert METRICS[name]().compute(truth, guess) == pytest.approx(value, abs=1e-9), name
    auc = known.roc_auc_score(truth.ravel(), guess.ravel())
    assert METRICS["auc"]().compute(truth, guess) == pytest.approx(auc, abs=0.003)
    for name, metric in METRICS.load_all().items():
        if metric.judges("labels", series=False):
            for example in metric.examples:
                found = METRICS.read(example)
                if found.refuses(3, labels=True) is None:
                    assert np.isfinite(found.compute(truth, guess)), name


def test_a_metric_of_a_label_is_that_of_a_class_of_two(home):
    (home / "s.yaml").write_text(TEXT % "[music, politics]", encoding="utf-8")
    data = load_data(dlspec.load(home / "s.yaml"))
    truth = np.asarray(data.test.truth)
    guess = np.abs(truth - 0.2)
    guess[0] = 1 - guess[0]
    of = Scorer([METRICS["accuracy"](), METRICS["f1_score"]()], data, data.test).by_value({"network": guess})
    assert of["music"]["network"]["accuracy"] == pytest.approx(1 - 1 / len(truth))
    assert 0.8 < of["politics"]["network"]["f1_score"] < 1


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (("target: %s", "target: [politics, a]"), "wrong-value", "all numbers, or all yes or no"),
        (("target: %s", "target: [mood, a]"), "wrong-value", "`mood` holds labels"),
        (("target: %s", "target: {politics: boolean, mood: boolean}"), "wrong-value", "`boolean` is yes or no"),
        (("target: %s", "target: {music: boolean}"), "wrong-value", "`boolean` is for several targets"),
        (("target: %s", "target: {music: tags, sport: tags}"), "wrong-value", "all `numeric`, or all `boolean`"),
        (("target: %s", "target: {music: labels}"), "wrong-value", "or `tags`, got the text"),
        (("target: %s", "target: {}"), "wrong-value", "columns with a type"),
        (("train: {", "train: {class_weight: balanced, "), "class-weight-mismatch", "is labels"),
        (("train: {", "train: {loss: mse, "), "loss-mismatch", "is labels"),
        (("output]", "{dense: {units: 3, activation: softmax}}]"), "output-mismatch", "3 labels need probabilities"),
        (("output]", "{dense: 2}]"), "output-mismatch", "3 labels"),
        (("train:", "evaluate: {metrics: [rmse]}\ntrain:"), "metric-mismatch", "is labels"),
        (("train:", "evaluate: {baselines: [mean]}\ntrain:"), "baseline-mismatch", "labels"),
    ],
)
def test_what_does_not_fit_labels_is_said(home, change, code, says):
    text = TEXT.replace(*change).replace("%s", "[music, politics, sport]").replace("[a, b, c]", "[b, c]")
    (home / "bad.yaml").write_text(text, encoding="utf-8")
    found = dlspec.validate(home / "bad.yaml")
    assert [problem.code for problem in found] == [code]
    assert says in found[0].message


@pytest.mark.slow
def test_labels_go_through_folds_supervised_stages_and_metrics_of_several(home):
    """Metrics that speak of several labels are of all of them together, and of no label alone."""
    text = (
        (TEXT % "[music, politics, sport]").replace("c]}", "c], split: {folds: 3}}").replace("epochs: 30", "epochs: 2")
    )
    text += (
        "pretrain: {method: supervised, epochs: 1}\n"
        "evaluate:\n  metrics: [log_loss, {precision: {class_id: 2}}, {recall: {top_k: 2}}, "
        "{auc: {multi_label: true, label_weights: [1.0, 2.0, 3.0]}}, {f1_score: {average: micro}}]\n"
        "  compare: {without_pretraining: {seeds: 2}}\n"
    )
    run = run_of(home, text, "several")
    names = ["log_loss", "precision", "recall", "auc", "f1_score"]
    assert list(run.metrics.test) == names
    assert list(run.metrics.by_target["sport"]["network"]) == ["log_loss"]
    assert len(run.metrics.folds.test["log_loss"].values) == 3
    assert run.metrics.compare is not None
    run = run_of(home, (TEXT % "[music, sport]") + "evaluate: {metrics: [{precision: {class_id: 1}}]}\n", "one")
    assert "What the network says where a label is there" in run.report.read_text(encoding="utf-8")


def test_a_label_that_no_sample_has_is_warned_of(home, tmp_path):
    frame = pd.read_csv(home / "news.csv", dtype={"sport": str})
    frame["music"] = 0
    frame.loc[499, "music"] = 1
    frame.to_csv(tmp_path / "news.csv", index=False)
    text = TEXT % "[music, sport]"
    (tmp_path / "s.yaml").write_text(text.replace("c]}", "c], split: {by: order}}"), encoding="utf-8")
    with pytest.raises(dlspec.SpecError, match="`sport` is yes or no, and `music` is not in the training part"):
        dlspec.load(tmp_path / "s.yaml")
    for seed in range(20):  # drawn row by row, the one sample may lie anywhere
        (tmp_path / "s.yaml").write_text(f"{text}seed: {seed}\n", encoding="utf-8")
        spec = dlspec.load(tmp_path / "s.yaml")
        data = load_data(spec)
        if not data.train.truth[:, 0].any():
            break
    found = find_oddities(spec, data)
    assert [problem.code for problem in found] == ["rare-class"]
    assert found[0].message == "the label `music` is in no sample of the training part"


def test_arrays_of_several_targets(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 4)).astype("float32")
    text = "dlspec: 1\ndata: {arrays: a.npz}\nmodel: [{dense: 8}, output]\ntrain: {epochs: 2}\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")

    def target_of(y):
        np.savez(tmp_path / "a.npz", x=x, y=y)
        data = load_data(dlspec.load(tmp_path / "s.yaml"))
        return data.signature.target, data

    target, data = target_of((x[:, :3] > 0).astype("float32"))
    assert (target.kind, target.values) == ("labels", ("y_1", "y_2", "y_3"))
    np.testing.assert_array_equal(data.train.truth, x[data.train.rows][:, :3] > 0)
    target, data = target_of(x[:, :2] * 7)
    assert (target.kind, target.values) == ("number", ("y_1", "y_2"))
    np.testing.assert_allclose(data.test.truth, x[data.test.rows][:, :2] * 7)
    target, data = target_of(np.eye(4)[random.integers(0, 4, 300)])
    assert (target.kind, target.classes) == ("class", ("0", "1", "2", "3"))
    target, _ = target_of(np.eye(150)[np.arange(300) % 150])  # whole numbers of so many values would be numbers
    assert (target.kind, target.classes) == ("class", tuple(map(str, range(150))))
    target, _ = target_of(x[:, :1])
    assert (target.kind, target.name) == ("number", "y")
    run = dlspec.run(dlspec.load(tmp_path / "s.yaml"), out=tmp_path / "run")
    assert list(run.predict(x[:5]).columns) == ["y"]


def test_bits_are_copied_from_memory(tmp_path):
    text = (
        "dlspec: 1\ndata: {dataset: {copy_memory: {bits: 6, delay: 4, samples: 600}}}\nmodel: [{lstm: 8}, output]\n"
        "train: {epochs: 1}\nevaluate: {baselines: [linear]}\n"
    )
    data = load_data(dlspec.load(text))
    inputs, truth = np.asarray(data.train.raw), np.asarray(data.train.truth)
    assert inputs.shape[1:] == (11, 2)
    np.testing.assert_array_equal(inputs[:, :6, 0], 2.0 * truth - 1)
    assert not inputs[:, 6:, 0].any()
    np.testing.assert_array_equal(inputs[:, :, 1], np.eye(11)[[10] * len(inputs)])
    assert 0.4 < truth.mean() < 0.6
    run = dlspec.run(dlspec.load(text), out=tmp_path / "run")
    assert run.metrics.baselines["linear"]["binary_accuracy"] > 0.99, "the bits can be read off"


def test_too_many_classes_or_tags_are_said_before_training(tmp_path):
    table = pd.DataFrame(
        {"a": range(1500), "id": [f"u{i}" for i in range(1500)], "tags": [f"t{i},x" for i in range(1500)]}
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    for target, what in (("{id: category}", "classes"), ("{tags: tags}", "tags")):
        text = f"dlspec: 1\ndata: {{table: t.csv, target: {target}, features: [a]}}\nmodel: [output]\n"
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        (problem,) = dlspec.validate(tmp_path / "s.yaml")
        assert problem.code == "too-many-classes"
        assert f"more than 1,000 different {what}" in problem.message
