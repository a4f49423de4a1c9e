"""Specs as subjects, and scripts as modules."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import dlspec
from dlspec.ejection.script import Script, as_json
from dlspec.ejection.subject import Subject
from dlspec.runs.job import load_data
from dlspec.spec.defaults import fill_in
from tests.conftest import ROOT


def subject_of(text, folder, model="[flatten, output]"):
    """A spec without its first line and, as here, without `model`, with its data and the defaults that follow."""
    (folder / "spec.yaml").write_text(f"dlspec: 1\nname: tried\n{text}\nmodel: {model}\n", encoding="utf-8")
    spec = dlspec.load(folder / "spec.yaml")
    data = load_data(spec)
    return Subject(fill_in(spec, data.signature), (data,), None, folder)


def written(script, folder):
    """A script and what stands beside it; returns its path."""
    path = folder / f"{script.name}.py"
    path.write_text(script.text('"""What is tried."""', 'if __name__ == "__main__":\n    pass'), encoding="utf-8")
    if script.fitted:
        path.with_suffix(".json").write_text(as_json(script.fitted), encoding="utf-8")
    if script.arrays:
        np.savez(path.with_suffix(".npz"), **script.arrays)
    return path


def loaded(script, folder):
    """A script as a module, whose style was checked."""
    path = written(script, folder)
    check_style(path)
    kind = importlib.util.spec_from_file_location(script.name, path)
    module = importlib.util.module_from_spec(kind)
    exec(compile(path.read_bytes(), path, "exec"), vars(module))  # no bytecode of another script at this place
    if script.arrays:
        with module.ARRAYS as arrays:  # a script leaves its file open until it ends
            module.ARRAYS = dict(arrays)
    return module


def check_style(path: Path) -> None:
    """It reads as everything else here does."""
    ruff = shutil.which("ruff", path=Path(sys.executable).parent)
    command = [ruff] if ruff else [sys.executable, "-m", "ruff"]
    for how in (["check"], ["format", "--check", "--diff"]):
        given = [*command, *how, "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(path)]
        found = subprocess.run(given, capture_output=True, text=True)
        assert found.returncode == 0, f"{found.stdout}{found.stderr}\n{path.read_text(encoding='utf-8')}"


def script_of(subject, *writers):
    script = Script("tried")
    for write in writers:
        write(script, subject)
    return script
