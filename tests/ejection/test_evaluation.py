"""`evaluate` of ejected scripts: metrics and baselines are those of dlspec."""

import json

import numpy as np
import pytest

from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.metrics.curves import Curve
from tests.ejection.scripts import subject_of
from tests.ejection.standing_in import Evaluated, some_outputs

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


def evaluated(text, folder, **evaluate):
    subject = subject_of(f"data: {{{text}}}\nevaluate: {json.dumps(evaluate)}", folder)
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
    assert {*kinds} == {*METRICS}


@pytest.mark.parametrize("name", DATA)
def test_baselines_are_those_of_dlspec(name, tmp_path):
    task = subject_of(f"data: {{{DATA[name]}}}", tmp_path).data.signature.task
    names = [own for own in BASELINES if task in BASELINES[own].tasks]
    check_baselines(DATA[name], [{"pca": {"components": 2}} if own == "pca" else own for own in names], tmp_path)


def check_baselines(text, names, folder):
    found = evaluated(text, folder, baselines=names)
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
