"""A script that is written, imported and held against dlspec's own values."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import dlspec
from dlspec.ejection.preprocessing import write_preprocessing
from dlspec.ejection.script import Script, as_json
from dlspec.ejection.sources import write_files, write_unlabeled
from dlspec.ejection.subject import Subject
from dlspec.runs.job import load_data, plan_of
from dlspec.training.values import predict as outputs_of
from tests.conftest import ROOT

NAME = "written"
WRITTEN: list[str] = []
"""Every script so far, whose style is checked at the end."""
MODEL = "model: [dense: 4, output]\ntrain: {epochs: 1}\n"
MAIN = 'def main():\n    pass\n\n\nif __name__ == "__main__":\n    main()'


@dataclass(frozen=True)
class Written:
    """A script and what it was written of."""

    subject: Subject
    script: Script
    module: ModuleType
    text: str

    @property
    def loading(self) -> str:
        """`load_data` as it is written."""
        return next(chunk for chunk in self.script.chunks["data"] if "def load_data" in chunk)

    @property
    def fell_back(self) -> bool:
        return any("read by dlspec" in sentence for sentence in self.script.left_out)


def written(spec: Path | str, folder: Path) -> Written:
    """The script of a spec, imported from a file in a folder."""
    spec = dlspec.load(spec)
    folds = tuple(load_data(spec, fold) for fold in range(spec.data.split.times_trained))
    subject = Subject(spec, folds, plan_of(spec, folds[spec.data.split.shown_fold]), folder)
    script = Script(NAME)
    if spec.data.dataset is None:
        write_files(script, subject)
    if spec.data.unlabeled is not None:
        write_unlabeled(script, subject)
    write_preprocessing(script, subject)
    text = script.text('"""A script."""', MAIN)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.py").write_text(text, encoding="utf-8")
    if script.fitted:
        (folder / f"{NAME}.json").write_text(as_json(script.fitted), encoding="utf-8")
    if script.arrays:
        np.savez(folder / f"{NAME}.npz", **script.arrays)
    WRITTEN.append(text)
    return Written(subject, script, imported(folder / f"{NAME}.py"), text)


def imported(file: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"{file.stem}_{abs(hash(file))}", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def check_style(folder: Path) -> None:
    """All scripts in a folder are formatted, and have no import and no variable that they do not need."""
    common = ["--config", str(ROOT / "pyproject.toml"), str(folder)]
    for command in (["check", "--no-cache"], ["format", "--check", "--diff", "--no-cache"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, *common], capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def at(x: Any, rows: Any) -> Any:
    return {name: values[rows] for name, values in x.items()} if isinstance(x, dict) else np.asarray(x[rows])


def check_rows(case: Written) -> None:
    """`load_data` gives what dlspec has of every part."""
    data, target = case.subject.data, case.subject.target
    x, y = case.module.load_data()
    for part in (data.train, data.validation, data.test):
        rows = np.asarray(part.rows[:])
        if case.subject.is_series:
            _check_series(case, part, x, y, rows)
            continue
        if not case.subject.is_typed:
            np.testing.assert_array_equal(at(x, rows), part.raw[:])
        if target.kind == "input":
            assert y is None
        else:
            np.testing.assert_array_equal(y[rows], part.truth[:])
            assert y.dtype == part.truth.dtype


def _check_series(case: Written, part: Any, x: Any, y: Any, rows: Any) -> None:
    """The last row of each window, and what it leads to, where rows follow each other."""
    data, target, window = case.subject.data, case.subject.target, case.subject.data.signature.window
    names = data.preprocessing.raw_columns
    np.testing.assert_allclose(x, np.stack([data.columns[name].astype(float) for name in names], axis=1), rtol=1e-12)
    if target.kind == "input" or len(rows) == 0:
        return
    steps = target.steps or (window.horizon,)
    if target.kind == "class" or (len(steps) == 1 and not target.columns):
        np.testing.assert_array_equal(y[rows], part.truth[:])
    if data.signature.group is None:
        last = rows - steps[0]
        np.testing.assert_allclose(x[last], part.raw[:][:, -1], rtol=1e-12)


def small_network(shape: tuple[int, ...], units: int) -> Any:
    import keras

    keras.utils.set_random_seed(7)
    x = keras.Input(shape)
    return keras.Model(x, keras.layers.Dense(units, name="out")(keras.layers.Flatten()(x)), name="small")


def check_preprocessing(case: Written) -> None:
    """The model of the script gives what the network sees, and the one that is saved what dlspec's gives."""
    from dlspec.model.build import with_preprocessing

    data, module, series = case.subject.data, case.module, case.subject.is_series
    model = module.build_preprocessing()
    x, y = (None, None) if series or not hasattr(module, "load_data") else module.load_data()
    network = small_network(data.train.inputs.shape[1:], case.subject.target.units)
    own, other = module.with_preprocessing(model, network), with_preprocessing(network, data)
    for part in (data.train, data.validation, data.test):
        if not len(part):
            continue
        rows = np.asarray(part.rows[:])
        raw = part.raw[:] if x is None else at(x, rows)
        seen = outputs_of(model, raw)
        expected = np.asarray(part.inputs[:])
        assert seen.dtype == "float32"
        assert seen.shape == expected.shape
        np.testing.assert_allclose(seen, expected, rtol=1e-6, atol=1e-6)
        truth = None if case.subject.target.kind == "input" else part.truth[:] if y is None else y[rows]
        given = expected if case.subject.target.kind == "input" else raw
        targets = module.network_targets(given, truth)
        assert targets.dtype == part.targets.dtype
        assert targets.shape == part.targets.shape
        np.testing.assert_allclose(targets, part.targets[:], rtol=1e-6, atol=1e-6)
        predicted, wanted = outputs_of(own, raw), outputs_of(other, raw)
        assert predicted.dtype == wanted.dtype
        assert predicted.shape == wanted.shape
        np.testing.assert_allclose(predicted, wanted, rtol=2e-5, atol=1e-5)
