"""`evaluate` of ejected scripts: metrics and baselines are those of dlspec."""

import json
import re

import numpy as np
import pytest

import dlspec
from dlspec.ejection.evaluation import write_evaluation
from dlspec.ejection.guesses import kept
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.metrics.curves import Curve
from dlspec.model.build import preprocessing_of
from dlspec.runs.job import load_data, plan_of
from dlspec.spec.defaults import fill_in, fill_in_sizes
from tests.conftest import ROOT, SPECS, TINY
from tests.ejection.scripts import check_style, loaded, script_of, subject_of, written
from tests.ejection.standing_in import Evaluated, some_outputs, write_targets
from tests.ejection.test_eject import REFUSED

DATA = {
    "number": "dataset: diabetes",
    "numbers": "dataset: diabetes, target: [bmi, progression]",
    "numbers of one unit": "dataset: iris, target: [petal_length, petal_width]",
    "two classes": "dataset: {spirals: {samples: 200}}",
    "three classes": "dataset: iris",
    "ten classes": "dataset: digits",
    "labels": "dataset: {copy_memory: {samples: 300, bits: 4, delay: 3}}",
    "series": "dataset: goog, features: [open, close], predict: return, window: {length: 5}",
    "series of a level": "dataset: {mackey_glass: {samples: 300}}, window: {length: 5, horizon: 3}",
    "several steps": "dataset: goog, target: [high, low], predict: difference, window: {length: 5, steps: 2}",
    "mixed units": "dataset: goog, target: [high, volume], features: [volume, close], window: {length: 5}",
    "input": "dataset: digits, target: input, scale: min_max",
    "input of columns": "dataset: iris, target: input",
    "input of bins": "dataset: diabetes, target: input, features: {bmi: {numeric: {bins: 4}}, age: numeric}",
    "input of windows": "dataset: goog, target: input, features: [close, volume], window: {length: 5}",
    "input of changes": "dataset: goog, target: input, features: [close, low], predict: return, window: {length: 5}",
}


def metrics_for(data, number, curves):
    """An example of each metric that judges these data, those of the same place in their lists."""
    target, found = data.signature.target, []
    classes = len(target.classes or target.labels)
    for kind in METRICS.load_all().values():
        examples = [
            example
            for example in kind.examples
            if kind.judges(target.kind, series=data.signature.window is not None)
            and METRICS.read(example).refuses(classes, labels=target.kind == "labels") is None
        ]
        if examples and issubclass(kind, Curve) == curves and (number < len(examples) or number == 0):
            found.append(examples[min(number, len(examples) - 1)])
    return found


def evaluated(text, folder, model="[flatten, output]", **evaluate):
    subject = subject_of(f"data: {{{text}}}\nevaluate: {json.dumps(evaluate)}", folder, model)
    return Evaluated(subject, folder, some_outputs(subject.data))


def check_metrics(name, curves, folder):
    data, checked = subject_of(f"data: {{{DATA[name]}}}", folder).data, set()
    for number in range(3):
        metrics = metrics_for(data, number, curves)
        if metrics:
            found = evaluated(DATA[name], folder, metrics=metrics, baselines=[])
            assert [*found.scores] == ["network"]
            np.testing.assert_array_equal(found.guesses[0], found.on_scale)
            assert found.scores["network"] == pytest.approx(found.expected(found.on_scale), rel=1e-9, nan_ok=True)
            assert all(type(value) is float for value in found.scores["network"].values())
            checked |= {*found.scores["network"]}
    return checked


@pytest.mark.parametrize("name", DATA)
def test_metrics_are_those_of_dlspec(name, tmp_path):
    assert check_metrics(name, False, tmp_path)


@pytest.mark.parametrize("name", ["two classes", "three classes", "labels"])
def test_curves_are_those_of_dlspec(name, tmp_path):
    assert check_metrics(name, True, tmp_path)


def test_metrics_of_every_kind_are_tried(tmp_path):
    kinds = {}
    for name in DATA:
        data = subject_of(f"data: {{{DATA[name]}}}", tmp_path).data
        for metric in [*metrics_for(data, 0, False), *metrics_for(data, 0, True)]:
            kinds.setdefault(metric if isinstance(metric, str) else next(iter(metric)), name)
    unwritten = {
        name for name in METRICS if METRICS[name].of in ("tags", "sequence") or "value" not in METRICS[name].forms
    }
    assert {*kinds} == {*METRICS} - unwritten  # of which no script is written


@pytest.mark.everyday(3)
@pytest.mark.parametrize("name", DATA)
def test_baselines_are_those_of_dlspec(name, tmp_path):
    task = subject_of(f"data: {{{DATA[name]}}}", tmp_path).data.signature.task
    names = [own for own in BASELINES if task in BASELINES[own].tasks and "value" in BASELINES[own].forms]
    check_baselines(DATA[name], [{"pca": {"components": 2}} if own == "pca" else own for own in names], tmp_path)


def check_baselines(text, names, folder, model="[flatten, output]"):
    found = evaluated(text, folder, model, baselines=names)
    data, baselines = found.subject.data, found.subject.spec.evaluate.baselines
    assert [*found.scores] == ["network", *(baseline.type_name for baseline in baselines)]
    assert len(baselines) == len(names) > 0
    for baseline, guess in zip(baselines, found.guesses[1:], strict=True):
        expected, is_class = baseline.fit(data).guess(data.test), data.signature.target.kind in ("class", "labels")
        assert guess.shape == expected.shape
        off = 1e-4 if baseline.type_name == "linear" and is_class else 1e-6 * np.abs(expected).max()
        np.testing.assert_allclose(guess, expected, rtol=0, atol=off, err_msg=baseline.type_name)
        assert found.scores[baseline.type_name] == pytest.approx(found.expected(guess), rel=1e-9)
    return found


FILES = ROOT / "specs" / "data"
EDGES = {
    "several series": f"series: {FILES}/tides.csv, group: harbour, target: level, window: {{length: 12, horizon: 6}}",
    "a class at a later timestep": f"series: {FILES}/motion.csv, group: person, target: activity, features: [x, y, z], "
    "window: {length: 10, horizon: 3}, limit: 300",
    "a target that the model does not take": "dataset: goog, target: volume, features: close, window: {length: 5}",
    "differences": "dataset: goog, target: close, predict: difference, scale: min_max, window: {length: 5}",
    "another scale": "dataset: iris, target: [petal_length, petal_width], scale: min_max",
    "no scale": "dataset: goog, scale: none, target: [high, low], predict: return, window: {length: 5}",
    "no scale of one": "dataset: diabetes, scale: none",
    "columns with types": "dataset: iris, target: petal_length, features: [sepal_length, species]",
    "classes that training lacks": "dataset: digits, limit: 8",
    "one class in training": "dataset: digits, limit: 1",
    "labels that are always the same": "dataset: {copy_memory: {samples: 100, bits: 4}}, limit: 3",
    "texts": "table: reviews.csv, target: good, features: {stars: numeric, text: {text: {length: 6, words: 9}}}",
    "texts alone": "table: reviews.csv, target: stars, features: {text: {text: {length: 6, words: 9}}}",
    "large whole numbers": "table: whole.csv, target: input",
}
MODELS = {
    "texts alone": "[embedding: 4, flatten, output]",
    "texts": "{inputs: {stars: [stars], words: [text]}, layers: [{embedding: {output_dim: 4, from: words}}, flatten, "
    "{dense: {units: 4, from: stars, name: other}}, {concatenate: {from: [flatten_1, other]}}, output]}",
}


@pytest.mark.parametrize("name", EDGES)
def test_baselines_of_other_data_are_those_of_dlspec(name, tmp_path):
    words = [["good", "bad", "fine", "dull"][i % 4] for i in range(120)]
    rows = [
        f"{i * 7 % 5}.5,the {word} film {'was' * (i % 3)},{'yes' if i % 4 in (0, 2) else 'no'}"
        for i, word in enumerate(words)
    ]
    (tmp_path / "reviews.csv").write_text("\n".join(["stars,text,good", *rows]), encoding="utf-8")
    rows = [f"{2**40 + i * i * 7919},{2**30 - i}" for i in range(80)]
    (tmp_path / "whole.csv").write_text("\n".join(["a,b", *rows]), encoding="utf-8")
    model = MODELS.get(name, "[flatten, output]")
    data = subject_of(f"data: {{{EDGES[name]}}}", tmp_path, model).data
    assert (data.preprocessing.dtype == "int64") == (name == "large whole numbers")
    task = data.signature.task
    names = [own for own in BASELINES if task in BASELINES[own].tasks and "value" in BASELINES[own].forms]
    check_baselines(
        EDGES[name], [{"pca": {"components": 1}} if own == "pca" else own for own in names], tmp_path, model
    )


@pytest.mark.parametrize("name", ["number", "three classes", "labels", "input"])
def test_of_many_values_baselines_are_fitted_to_some(name, tmp_path, monkeypatch):
    for module in ("evaluation.baselines.linear", "evaluation.baselines.pca", "ejection.guesses"):
        monkeypatch.setattr(f"dlspec.{module}.MOST_VALUES", 300)
    found = check_baselines(DATA[name], [{"pca": {"components": 2}} if name == "input" else "linear"], tmp_path)
    assert "def evenly(" in found.script.text("", "")


@pytest.mark.parametrize(
    "name", ["table", *(pytest.param(name, marks=pytest.mark.slow) for name in TINY if name != "table")]
)
def test_a_saved_model_has_the_figures_of_its_run(name, tiny_run, tmp_path):
    run = dlspec.open_run(tiny_run(name).folder)
    data, model = load_data(run.spec), run.model
    subject = Subject(run.spec, (data,), None, tmp_path)
    module = loaded(script_of(subject, write_targets, write_evaluation), tmp_path)
    module.network_targets = lambda x, y: np.asarray(data.train.targets)
    train, test = ((np.asarray(part.raw), np.asarray(part.truth)) for part in (data.train, data.test))
    found = module.evaluate(model, preprocessing_of(model), train, test)
    assert found.pop("network") == pytest.approx(run.metrics.test, rel=1e-5)
    assert [*found] == [*run.metrics.baselines]
    for who, scores in found.items():  # lags of a smooth series are nearly the same: the last digits of inputs count
        off = 1e-2 if (name, who) == ("series", "linear") else 1e-5
        assert scores == pytest.approx(run.metrics.baselines[who], rel=off), who


WRITTEN = [path for path in SPECS if path.parent.name == "specs" and path.stem not in ("digits_ctc", "sums_seq2seq")]
"""Specs that are ejected: no script writes texts item by item."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [path for path in SPECS if path.parent.name == "specs" and path.stem not in REFUSED],
    ids=lambda path: path.stem,
)
def test_evaluation_of_every_spec_reads_well(path, tmp_path):
    spec = dlspec.load(path)
    folds = tuple(load_data(spec, fold) for fold in range(spec.data.split.times_trained))
    plan = plan_of(spec, folds[spec.data.split.shown_fold])
    filled_in = fill_in_sizes(fill_in(spec, folds[0].signature), plan.graph)
    subject = Subject(filled_in, folds, plan, tmp_path)
    script = script_of(subject, write_targets, write_evaluation)
    check_style(written(script, tmp_path))
    assert bool(script.left_out) == (len(folds) > 1), script.left_out


# --- what is required


def required(require, folder, metrics=("rmse", "r2"), baselines=("mean", "linear")):
    """The function that ends a script, of numbers, and what the script leaves out."""
    given = json.dumps({"metrics": metrics, "baselines": baselines, "require": require})
    subject = subject_of(f"data: {{dataset: diabetes}}\nevaluate: {given}", folder)
    found = Evaluated(subject, folder, some_outputs(subject.data))
    return found.module, found.script.left_out


def scores(rmse, r2=0.5):
    return {"network": {"rmse": rmse, "r2": r2}, "mean": {"rmse": 9.0, "r2": 0.0}, "linear": {"rmse": 5.0, "r2": 0.4}}


@pytest.mark.parametrize(
    ("require", "enough", "short", "says"),
    [
        ({"rmse": 6}, scores(6.0), scores(6.1), "RMSE of at most 6"),
        ({"r2": {"at_least": 0.4}}, scores(1.0), scores(1.0, 0.39), "R² of at least 0.4"),
        ({"beats": "baselines"}, scores(4.9), scores(5.0), "a better RMSE than the best baseline"),
        ({"beats": "mean", "r2": 0.2}, scores(8.9), scores(9.1), "a better RMSE than `mean`"),
    ],
)
def test_what_falls_short_ends_with_an_exit_code(require, enough, short, says, tmp_path, capsys):
    module, left_out = required(require, tmp_path)
    assert module.require(enough) is None
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        module.require(short)
    assert ended.value.code == 6
    assert f"falls short of what is required: {says}" in capsys.readouterr().out
    assert any("chance" in sentence for sentence in left_out) == ("beats" in require)


def test_an_interval_that_is_required_is_left_out(tmp_path):
    module, left_out = required({"r2": {"at_least": 0.4, "interval": True}}, tmp_path)
    assert any("interval of `r2`" in sentence for sentence in left_out)
    assert module.require(scores(1.0)) is None


def test_nothing_is_required_by_itself(tmp_path):
    assert not hasattr(evaluated(DATA["number"], tmp_path).module, "require")


class Lucky(METRICS["mae"]):
    """A metric that another package brings."""


class Oracle(BASELINES["mean"]):
    """A baseline that another package brings."""


def test_what_plugins_compute_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setitem(METRICS._classes, "lucky", Lucky)
    monkeypatch.setitem(BASELINES._classes, "oracle", Oracle)
    found = evaluated(DATA["number"], tmp_path, metrics=["lucky", "rmse"], baselines=["oracle", "mean"])
    assert {who: [*scores] for who, scores in found.scores.items()} == {"network": ["rmse"], "mean": ["rmse"]}
    assert sorted(found.script.left_out) == [
        "The baseline `oracle` is that of a plugin, and is not computed.",
        "The metric `lucky` is that of a plugin, and is not computed.",
    ]


# --- what is printed


def test_the_table_names_units_and_lines_up(tmp_path, capsys):
    found = evaluated(DATA["series"], tmp_path, metrics=["mae", "mape", "mase"], baselines=["persistence", "linear"])
    first, *rows = capsys.readouterr().out.splitlines()
    assert first.split() == ["test", "part", "MAE", "(USD)", "MAPE", "MASE"]
    assert [row.split()[0] for row in rows] == ["network", "persistence", "linear"]
    assert len({len(line) for line in (first, *rows)}) == 1
    assert f"{found.scores['linear']['mape']:.2%}" in rows[2].split()


def test_large_numbers_are_printed_whole(tmp_path, capsys):
    evaluated("dataset: goog, target: volume, window: {length: 5}", tmp_path, metrics=["mae", "r2"], baselines=[])
    _, network = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"network +\d{1,3}(,\d{3})+ +-?\d\.\d+", network)


def test_values_that_stand_beside_the_script_stand_there_once():
    script = Script("tried")
    mean = script.keep("target_mean", 0.1)
    assert kept(script, "mean_of_target", 0.1 * (1 + 1e-15)) == mean
    assert kept(script, "target_mean", 0.2) == 'FITTED["target_mean_"]'
    assert kept(script, "target_std", [0.1]) == 'FITTED["target_std"]'
    assert script.fitted == {"target_mean": 0.1, "target_mean_": 0.2, "target_std": [0.1]}
