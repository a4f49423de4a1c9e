"""What `pip install dlspec` brings is enough to check, show, explain and plan; whatever else is asked for ends with the
command that installs it, and never with a traceback."""

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement

import dlspec
from dlspec.data.sources import FILE_SOURCES
from dlspec.runtime.packages import (
    ASIDE,
    EXTRAS,
    REPORT,
    install,
    is_there,
    model_modules,
    require,
    training_modules,
)
from tests.commands import dlspec_here
from tests.conftest import ROOT, SPECS
from tests.light import light_packages, make_light_environment, run_light

SCRIPT = """
import contextlib, io, json, sys
from dlspec.cli import call
found = []
for words in json.load(sys.stdin):
    sys.argv = ["dlspec", *words]
    printed, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        code = call()
    found.append([code, *(stream.buffer.getvalue().decode() for stream in (printed, errors))])
print(json.dumps(found))
"""
ROWS = pd.DataFrame({"a": np.arange(60) % 7 + 0.5, "b": np.arange(60) % 5, "kind": ["low", "high", "high"] * 20})
TABLE = "dlspec: 1\ndata: {table: FILE, target: kind}\nmodel: [dense: 3, output]\n"
FILES = ("rows.csv", "rows.tsv", "rows.jsonl", "rows.csv.gz", "rows.parquet")
NEEDS = {
    **dict.fromkeys(("digits", "digit_pairs", "digit_strips", "iris", "goog"), "datasets"),
    "images": "pictures",
    "audio": "sounds",
}
"""Datasets and sources whose `plan` needs an extra, and which."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files in every format of rows, arrays, and a spec for each."""
    home = tmp_path_factory.mktemp("light")
    ROWS.to_csv(home / "rows.csv", index=False)
    ROWS.to_csv(home / "rows.csv.gz", index=False)
    ROWS.to_csv(home / "rows.tsv", index=False, sep="\t")
    ROWS.to_json(home / "rows.jsonl", orient="records", lines=True)
    ROWS.to_parquet(home / "rows.parquet")
    for name in FILES:
        (home / f"{name}.yaml").write_text(TABLE.replace("FILE", name), encoding="utf-8")
    np.savez(home / "rows.npz", x=ROWS[["a", "b"]].to_numpy(), y=(ROWS["b"] > 2).to_numpy())
    (home / "rows.npz.yaml").write_text(
        "dlspec: 1\ndata: {arrays: rows.npz}\nmodel: [dense: 3, output]\n", encoding="utf-8"
    )
    return home


@pytest.fixture(scope="module")
def light(folder, tiny_run):
    """(words of a command) -> (exit code, standard output, standard error), each without any extra."""
    run, other = str(tiny_run("digits").folder), str(tiny_run("table").folder)
    rows = str(folder / "rows.csv")
    asked = [
        *([command, *more, str(spec)] for spec in SPECS for command, *more in OF_A_SPEC),
        *([command, str(folder / f"{name}.yaml")] for name in (*FILES, "rows.npz") for command in ("validate", "plan")),
        *(["init", str(folder / name), "-o", "-"] for name in (*FILES, "rows.npz")),
        *(["init", name, "-o", "-"] for name in ("iris", "goog", "digits", "mnist", "sine")),
        ["show", "--diagram", "svg", str(SPECS[0])],
        ["show", "--filters", run], ["show", "--filters", run, "-o", "sheet.svg"],
        ["diff", str(SPECS[0]), str(SPECS[1])], ["diff", str(SPECS[1]), str(SPECS[2]), "--format", "markdown"],
        ["layers"], ["layers", "lstm"], ["schema"], ["doctor", "--json"], ["validate", str(ROOT / "specs")],
        ["run", "--resume", run], ["runs", run], ["compare", run, other], ["replay", run], ["report", run],
        ["predict", run, rows], ["evaluate", run, rows], ["export", run], ["adopt", rows],
        ["eject", str(SPECS[0]), "-o", "ejected.py"],
        ["serve", run],
    ]  # fmt: skip
    environment = make_light_environment(folder / "packages")
    done = run_light(SCRIPT, environment=environment, cwd=folder, input=json.dumps(asked))
    assert done.returncode == 0, done.stderr
    return {tuple(words): tuple(found) for words, found in zip(asked, json.loads(done.stdout), strict=True)}


OF_A_SPEC = (
    ["validate"],
    ["show"],
    ["show", "--resolved"],
    ["explain"],
    ["explain", "--lang", "ko"],
    ["plan"],
    ["run"],
)


def test_no_command_fails_on_what_is_not_installed(light):
    assert {words: errors for words, (code, _, errors) in light.items() if code not in (0, 3)} == {}


@pytest.mark.parametrize("command", [words for words in OF_A_SPEC if words[0] not in ("plan", "run")], ids=" ".join)
def test_specs_are_checked_shown_and_explained_as_with_everything(light, command):
    for spec in SPECS:
        code, printed, errors = light[(*command, str(spec))]
        whole = dlspec_here(*command, spec, cwd=ROOT)
        assert (code, printed, errors) == (whole.returncode, whole.stdout, whole.stderr)


def test_a_plan_needs_what_reads_the_data(light):
    for file in SPECS:
        code, _, errors = light["plan", str(file)]
        data = dlspec.load(file).data
        named = next(name for name in ("dataset", *FILE_SOURCES) if getattr(data, name) is not None)
        named = data.dataset.type_name if named == "dataset" else named
        if named == "mnist":  # read where it lies in Keras's cache, and fetched by Keras where it does not
            assert code == 0 or "dlspec[tensorflow]" in errors
        elif named not in NEEDS:
            assert code == 0, file
        else:
            assert (code, f'-m pip install "dlspec[{NEEDS[named]}]"' in errors) == (3, True), file


def test_whatever_needs_keras_says_how_it_is_installed(light):
    for words, (code, printed, errors) in light.items():
        if words[0] in ("run", "replay", "predict", "evaluate", "export", "adopt", "eject"):
            assert (code, printed) == (3, ""), words
            assert f'type `{sys.executable} -m pip install "dlspec[tensorflow]"`' in errors, words
        if words[0] == "compare":
            assert (code, '-m pip install "dlspec[sounds]"' in errors) == (3, True), errors
        if words[0] == "serve":
            assert (code, '-m pip install "dlspec[onnx,serve]"' in errors) == (3, True), errors
        if words[0] == "report":
            assert (code, '-m pip install "dlspec[tensorflow]"' in errors) == (3, True)


def test_files_of_rows_and_arrays_are_planned_and_begun_with(light, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for name in (*FILES, "rows.npz"):
        spec, expected = str(folder / f"{name}.yaml"), 3 if name.endswith(".parquet") else 0
        assert light["plan", spec][0] == light["init", str(folder / name), "-o", "-"][0] == expected, name
        assert light["validate", spec][0] == 0
        whole = dlspec_here("plan", spec, cwd=folder)
        if not expected:
            assert light["plan", spec][1] == whole.stdout
    for command in (("validate", "rows.parquet.yaml"), ("plan", "rows.parquet.yaml")):
        errors = light[command[0], str(folder / command[1])][2]
        assert "missing-package" in errors
        assert '-m pip install "dlspec[parquet]"' in errors
        assert "rows.parquet" in errors


def test_filters_are_shown_and_a_sheet_of_them_needs_matplotlib(light):
    (shown, *_), (drawn, _, errors) = (found for words, found in light.items() if words[:2] == ("show", "--filters"))
    assert (shown, drawn) == (0, 3)
    assert 'pip install "dlspec[datasets]"' in errors


def test_doctor_says_that_training_is_not_installed(light):
    findings = {finding["name"]: finding for finding in json.loads(light["doctor", "--json"][1])}
    assert findings["training"]["status"] == "missing"
    assert findings["training"]["cure"] == install("dlspec[tensorflow]")
    assert findings["packages"]["status"] == "fine"
    assert "Keras" not in findings


def test_every_module_that_is_asked_for_comes_with_its_extra():
    """The names of `EXTRAS` are those of `pyproject.toml`."""
    providers = metadata.packages_distributions()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, modules in EXTRAS.items():
        if not all(is_there(module) for module in modules):
            assert extra in ASIDE
            continue
        brought = {Requirement(text).name for text in project["optional-dependencies"][extra]}
        for module in modules:
            assert brought & {name.lower() for name in providers[module]}, (extra, module)
    everything = {module for modules in EXTRAS.values() for module in modules}
    assert {*training_modules(), *model_modules(), *REPORT} <= everything
    assert not {"tensorflow", "keras", "pyarrow", "scipy", "scikit-learn", "matplotlib"} & light_packages()


def test_a_missing_package_names_the_smallest_install(monkeypatch):
    monkeypatch.setattr("dlspec.runtime.packages.is_there", lambda name: False)

    def help_of(*modules):
        with pytest.raises(dlspec.DataError) as caught:
            require(*modules, what="`it`")
        return caught.value.diagnostics[0].help.partition("pip install ")[2]

    assert help_of("pyarrow") == '"dlspec[parquet]"`'
    assert help_of("pyarrow", "cv2") == '"dlspec[parquet,pictures]"`'
    assert help_of("keras", "sklearn") == '"dlspec[tensorflow]"`'
    assert help_of("tensorboard") == '"dlspec[tensorboard]"`'
    assert help_of("jax", "keras") == '"dlspec[tensorflow]" jax`'


def test_the_backend_is_the_one_that_keras_takes(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert model_modules() == ("tensorflow", "keras", "h5py")
    for written, backend in (("[]", "tensorflow"), ("{", "tensorflow"), ('{"backend": "jax"}', "jax")):
        (tmp_path / "keras.json").write_text(written, encoding="utf-8")
        assert model_modules()[0] == backend
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert model_modules()[0] == "torch"
    monkeypatch.setenv("KERAS_BACKEND", "nonsense")
    with pytest.raises(dlspec.DataError, match="KERAS_BACKEND"):  # and nothing of that name is proposed to be installed
        model_modules()


def test_a_folder_with_the_name_of_a_package_is_no_package(monkeypatch, tmp_path):
    (tmp_path / "simplejunk").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_there("simplejunk")
    assert is_there("keras")


def test_files_that_are_no_modules_are_installed_too():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    named = {file for glob in tools["setuptools"]["package-data"]["dlspec"] for file in (ROOT / "dlspec").glob(glob)}
    files = (file for file in (ROOT / "dlspec").rglob("*") if file.is_file() and file.suffix not in (".py", ".pyc"))
    assert {file.relative_to(ROOT) for file in {*files} - named} == set()


@pytest.mark.slow
def test_the_light_install_is_small(tmp_path):
    """A real one, from the package index: at most 250 MB on the disk, pip included, of which 45 MB are downloaded."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-cache-dir", ROOT], check=True)
    frozen = subprocess.run([*pip, "freeze", "--exclude", "dlspec"], check=True, capture_output=True, text=True).stdout
    (tmp_path / "wheels").mkdir()
    command = [*pip, "download", "-q", "--no-deps", "--only-binary=:all:", *frozen.split()]
    subprocess.run(command, cwd=tmp_path / "wheels", check=True)
    downloaded, kept = (
        sum(f.stat().st_size for f in Path(tmp_path / name).rglob("*") if f.is_file() and not f.is_symlink())
        for name in ("wheels", "venv")
    )
    print(f"\n{downloaded / 1e6:.0f} MB to download, {kept / 1e6:.0f} MB on the disk")
    assert downloaded < 45e6
    assert kept < 250e6
    done = subprocess.run([python, "-m", "dlspec", "validate", "specs"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
