"""Baselines guess the same after they were kept in a run folder, and what was changed there is noticed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.evaluation.baselines import BASELINES
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data
from dlspec.runs.records.baselines import read_baselines, write_baselines
from tests.conftest import TINY

TAGS = "words,y\n" + "".join(f"w{i % 7} w{i % 3},{'a' if i % 2 else ''} {'b' if i % 3 else ''}\n" for i in range(80))


def fitted(data, *names):
    return {name: BASELINES[name]().fit(data) for name in names}


def test_every_kind_that_is_kept_is_known_to_a_new_process():
    """Whatever was imported before; of a subclass without arrays of its own there is none to keep."""
    script = (
        "import pathlib\nfrom dlspec.runs.records.baselines import read_baselines\n"
        "read_baselines(pathlib.Path('nowhere'))\nfrom dlspec.evaluation.fitted import Fitted\nprint(*Fitted.kinds)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    sources = Path(dlspec.__file__).parent.joinpath("evaluation").rglob("*.py")
    written = {name for path in sources for name in re.findall(r"^class (Fitted\w+)\(", path.read_text("utf-8"), re.M)}
    assert len(written) > 10
    assert written <= {*done.stdout.split()}


@pytest.mark.parametrize("name", TINY)
def test_what_a_run_keeps_guesses_what_it_wrote_down(tiny_run, name):
    run = dlspec.open_run(tiny_run(name).folder)
    data = load_data(run.spec)
    assert [*run.baselines] == [*run.metrics.baselines]
    for who, kept in run.baselines.items():
        guess, own = kept.guess(data.test), run.predictions[who].to_numpy()
        if data.signature.target.kind == "class":
            labels = np.array(data.signature.target.classes)
            assert list(labels[guess.argmax(axis=1)]) == [str(word) for word in own], who
        else:
            assert np.allclose(guess, own, rtol=1e-6), who


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("data: {dataset: iris}", ["majority", "linear"]),
        ("data: {dataset: diabetes}", ["mean", "linear"]),
        ("data: {dataset: {spirals: {samples: 60}}}", ["majority", "linear"]),
        ("data: {dataset: goog, target: close, predict: return, window: {length: 5}}", ["persistence", "linear"]),
        ("data: {dataset: goog, target: [high, low], window: {length: 5, steps: 2}}", ["persistence", "linear"]),
        ("data: {dataset: digits, target: input}", ["mean"]),
        ("data: {table: tags.csv, target: {y: {tags: ' '}}, features: {words: {text: {words: 9}}}}",
         ["majority", "linear"]),
        ("data: {dataset: {sums: {samples: 90}}, features: {question: {text: {tokens: characters, length: 7}}},"
         " target: {answer: {sequence: characters, feed_back: shifted}}}", ["majority", "nearest_text"]),
    ],
)  # fmt: skip
def test_every_kind_comes_back_as_it_was(tmp_path, text, names):
    (tmp_path / "tags.csv").write_text(TAGS)
    model = "[flatten, output]"
    if "feed_back" in text:
        layers = "[{embedding: {output_dim: 2, from: shifted}}, output]"
        model = f"{{inputs: {{sum: question, shifted: answer}}, layers: {layers}}}"
    (tmp_path / "spec.yaml").write_text(f"dlspec: 1\n{text}\nmodel: {model}\n")
    data = load_data(dlspec.load(tmp_path / "spec.yaml"))
    found = fitted(data, *names)
    if "input" in text:
        found["pca"] = BASELINES["pca"](components=3).fit(data)
    write_baselines(tmp_path, found)
    again = read_baselines(tmp_path)
    assert [*again] == [*found]
    for name, own in found.items():
        guess = own.guess(data.test)
        assert np.array_equal(again[name].guess(data.test), guess), name
        assert len(guess) == len(data.test)
        assert again[name].notes == own.notes


def test_the_guess_is_of_the_samples_that_are_given():
    data = load_data(dlspec.load("dlspec: 1\ndata: {dataset: diabetes}\nmodel: [output]\n"))
    linear = fitted(data, "linear")["linear"]
    assert linear.guess(data.test.at(np.array([3, 1]))) == pytest.approx(linear.guess(data.test)[[3, 1]], rel=1e-12)
    assert len(linear.guess(data.validation)) == len(data.validation)


def test_what_was_changed_is_noticed(tmp_path):
    data = load_data(dlspec.load("dlspec: 1\ndata: {dataset: iris}\nmodel: [output]\n"))
    write_baselines(tmp_path, fitted(data, "majority", "linear"))
    said = json.loads((tmp_path / "baselines.json").read_text())
    for wrong in (
        {**said, "linear": {**said["linear"], "kind": "FittedLabels"}},
        {**said, "linear": {**said["linear"], "kind": "eval"}},
        {**said, "best": {"kind": "FittedConstant"}},
        {**said, "linear": {"notes": []}},
    ):
        (tmp_path / "baselines.json").write_text(json.dumps(wrong))
        with pytest.raises(DataError, match="baselines"):
            read_baselines(tmp_path)
    (tmp_path / "baselines.json").write_text(json.dumps(said))
    with np.load(tmp_path / "baselines.npz") as arrays:
        changed = {**arrays, "linear/level": arrays["linear/level"] + 1}
    np.savez(tmp_path / "baselines.npz", **changed)
    with pytest.raises(DataError, match="checksum"):
        read_baselines(tmp_path)
    (tmp_path / "baselines.json").unlink()
    assert read_baselines(tmp_path) is None
