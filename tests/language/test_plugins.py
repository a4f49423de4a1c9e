"""Files that `--plugin` names, and installed packages, add to the language what it does not have."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.cli import COMMANDS, main
from dlspec.language import registry
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.language.registry import Registry
from dlspec.model.layers import LAYERS
from dlspec.model.saved import _known
from tests.commands import forget_plugins
from tests.conftest import ROOT

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
"""The worked examples of CONTRIBUTING.md, each a file of Python."""
LAYER, METHOD, DATASET, ENGINE, EXPORT_TARGET, _ = EXAMPLES

SPEC = """\
dlspec: 1
name: mixed
data: {dataset: iris}
model:
  - reshape: [4, 1]
  - pointwise: {filters: 3, activation: relu, name: mixing}
  - flatten
  - output
pretrain: {method: dropout_autoencoder, rate: 0.1, epochs: 1}
train: {epochs: 1}
"""
IRIS = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n"
FLAT = "dlspec: 1\ndata: {dataset: iris}\nmodel:\n  - dense: 4\n  - output\n"


@pytest.fixture(autouse=True)
def nothing_is_added():
    yield
    forget_plugins()


@pytest.fixture
def call(monkeypatch, capsys):
    """The command line in this process, begun without plugins."""

    def call(*arguments):
        forget_plugins()
        monkeypatch.setattr(sys, "argv", ["dlspec", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return call


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with both plugins, a spec and the run that was made of them."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "pointwise.py").write_text(LAYER, encoding="utf-8")
    (folder / "dropout_autoencoder.py").write_text(METHOD, encoding="utf-8")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    (folder / "iris.csv").write_text(IRIS, encoding="utf-8")
    dlspec.load_plugin(folder / "pointwise.py")
    dlspec.load_plugin(folder / "dropout_autoencoder.py")
    dlspec.run(folder / "spec.yaml", out=folder / "run")
    forget_plugins()
    return folder


@pytest.fixture
def options(files):
    return ["--plugin", files / "pointwise.py", "--plugin", files / "dropout_autoencoder.py"]


def test_a_spec_may_name_what_plugins_add(call, files, options):
    code, _, err = call("validate", files / "spec.yaml")
    assert code == 1
    assert "error[unknown-layer]: there is no layer `pointwise`" in err
    for arguments in (["validate", files / "spec.yaml", *options], [*options, "validate", files / "spec.yaml"]):
        code, out, err = call(*arguments)
        assert (code, err) == (0, "")
        assert out.endswith("spec.yaml: fine\n")


def test_a_plan_tells_of_what_plugins_add(call, files, options):
    code, out, _ = call("plan", files / "spec.yaml", *options)
    assert code == 0
    assert "(batch, 4, 3)" in out
    assert "mixing: dropout autoencoder" in out


def test_a_name_of_a_plugin_that_is_misspelt_is_found(call, files, tmp_path):
    spec = tmp_path / "s.yaml"
    spec.write_text(SPEC.replace("pointwise:", "pointwize:"), encoding="utf-8")
    _, _, err = call("validate", spec, "--plugin", files / "pointwise.py")
    assert "help: did you mean `pointwise`?" in err


def test_what_plugins_add_is_explained_like_all_else(call, files, options):
    _, out, _ = call("layers", "pointwise", *options)
    assert "(batch, 6, 3) becomes (batch, 6, 4): 16 parameters" in out
    _, out, _ = call("layers", "dropout_autoencoder", *options)
    assert "fraction of inputs dropped" in out
    for language in ("en", "ko"):
        _, out, _ = call("explain", files / "spec.yaml", "--lang", language, *options)
        assert "Fraction of inputs dropped: 0.1." in out


def test_the_schema_has_what_plugins_add(call, options):
    _, out, _ = call("schema", *options)
    assert "How many channels come out" in out
    assert "dropout_autoencoder" in out


def test_a_run_keeps_which_plugins_it_was_made_with(files):
    recorded = dlspec.open_run(files / "run").environment.plugins
    assert [entry["path"] for entry in recorded] == [
        str((files / name).resolve()) for name in ("pointwise.py", "dropout_autoencoder.py")
    ]
    assert all(len(entry["sha256"]) == 64 for entry in recorded)


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "run"),
        ("predict", "run", "iris.csv"),
        ("report", "run"),
        ("run", "--resume", "stopped"),
        ("run", "run/resolved.yaml"),
    ],
    ids=" ".join,
)
def test_without_its_plugins_a_run_says_what_to_add(call, files, monkeypatch, arguments):
    monkeypatch.chdir(files)
    if not (files / "stopped").exists():
        shutil.copytree(files / "run", files / "stopped")
        (files / "stopped" / "metrics.json").unlink()
    code, _, err = call(*arguments)
    assert code == 1
    assert "error[unknown-layer]: there is no layer `pointwise`" in err
    assert "note: this run was made with the plugin `pointwise.py`" in err
    assert "help: add `--plugin pointwise.py --plugin dropout_autoencoder.py`" in err


def test_of_two_plugins_the_one_that_is_missing_is_named(call, files, monkeypatch):
    monkeypatch.chdir(files)
    _, _, err = call("report", "run", "--plugin", "pointwise.py")
    assert "help: add `--plugin dropout_autoencoder.py`" in err
    assert "the plugin `pointwise.py`" not in err


def test_with_its_plugins_a_run_is_repeated_and_predicts(call, files, options):
    code, out, _ = call("replay", files / "run", *options)
    assert code == 0
    assert "Equal: weights" in out
    code, out, _ = call("predict", files / "run", files / "iris.csv", *options)
    assert code == 0
    assert out.startswith("sepal_length,sepal_width,petal_length,petal_width,species")


def test_a_replay_tells_of_a_plugin_that_has_changed(call, files, options, tmp_path):
    changed = tmp_path / "pointwise.py"
    changed.write_text(LAYER + "# of today\n", encoding="utf-8")
    code, out, _ = call("replay", files / "run", "--json", "--plugin", changed, *options[2:])
    assert code == 0
    (change,) = (each for each in json.loads(out)["changes"] if "plugin" in each["name"])
    assert change["name"] == "plugin pointwise.py"
    assert change["before"] != change["now"]


def test_a_plugin_is_loaded_once(files, tmp_path):
    counter = tmp_path / "counter.py"
    counter.write_text("import sys\nsys.dlspec_counted = getattr(sys, 'dlspec_counted', 0) + 1\n", encoding="utf-8")
    first = dlspec.load_plugin(counter)
    assert dlspec.load_plugin(str(counter)) is first
    assert sys.dlspec_counted == 1
    assert sys.modules[first.__name__] is first


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("import os\n\nLAYER.register\n", 3, "NameError: name 'LAYER' is not defined"),
        ("x = 1\ndef f(:\n", 2, "SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
        (LAYER.replace("class Pointwise", "class Dense"), 10, "there is a layer `dense` of dlspec, so"),
    ],
    ids=["name", "syntax", "exit", "taken"],
)
def test_what_is_wrong_in_a_plugin_is_said_at_its_line(call, tmp_path, monkeypatch, text, line, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    (tmp_path / "s.yaml").write_text(FLAT, encoding="utf-8")
    code, _, err = call("validate", "s.yaml", "--plugin", "mine.py")
    assert code == 3
    assert err.startswith(f"mine.py:{line}:")
    assert f"error[broken-plugin]: {message}" in err.replace("the plugin cannot be loaded: ", "")
    assert "Traceback" not in err
    assert LAYERS["dense"].__module__ == "dlspec.model.layers.core"


def test_a_plugin_that_failed_leaves_nothing_and_can_be_mended(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(LAYER + "1 / 0\n", encoding="utf-8")
    with pytest.raises(DataError, match="ZeroDivisionError: division by zero"):
        dlspec.load_plugin(path)
    assert "pointwise" not in LAYERS
    path.write_text(LAYER, encoding="utf-8")
    dlspec.load_plugin(path)
    assert "pointwise" in LAYERS


def test_two_plugins_with_one_name_are_both_named(tmp_path):
    for name in ("mine.py", "yours.py"):
        (tmp_path / name).write_text(LAYER, encoding="utf-8")
    dlspec.load_plugin(tmp_path / "mine.py")
    with pytest.raises(DataError) as caught:
        dlspec.load_plugin(tmp_path / "yours.py")
    (found,) = caught.value.diagnostics
    assert "mine.py`, so `" in found.message
    assert "yours.py` cannot add one" in found.message


@pytest.mark.parametrize(("name", "code"), [("nowhere.py", "file-not-found"), ("spec.yaml", "broken-plugin")])
def test_what_is_no_plugin_is_refused(call, files, name, code):
    status, _, err = call("validate", files / "spec.yaml", "--plugin", files / name)
    assert status == 3
    assert f"error[{code}]" in err


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "doctor"])
def test_every_command_takes_plugins(call, name):
    _, out, _ = call(name, "--help")
    assert "--plugin FILE" in out


CUSTOM = LAYER.replace(
    "        layer = keras.layers.Conv1D(self.filters, 1, activation=self.activation, name=name, dtype=self.dtype)",
    "        class Own(keras.layers.Conv1D):\n            pass\n\n        layer = Own(self.filters, 1, name=name)",
)


@pytest.mark.filterwarnings("ignore:.*register_keras_serializable.*")
def test_a_network_that_could_not_be_opened_again_is_refused_before_training(tmp_path):
    (tmp_path / "own.py").write_text(CUSTOM, encoding="utf-8")
    (tmp_path / "s.yaml").write_text(SPEC.replace("dropout_autoencoder, rate: 0.1", "autoencoder"), encoding="utf-8")
    dlspec.load_plugin(tmp_path / "own.py")
    with pytest.raises(DataError, match=r"cannot be opened again once it is saved: .*Own"):
        dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")


def test_a_plugin_makes_no_other_class_of_keras_pass_in_a_model_file(tmp_path):
    (tmp_path / "mine.py").write_text(LAYER.replace("class Pointwise", "class Lambda"), encoding="utf-8")
    dlspec.load_plugin(tmp_path / "mine.py")
    assert "lambda" in LAYERS
    assert not _known("keras.layers", "Lambda")
    assert _known("keras.layers", "Conv1D")


# --- installed packages


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with entry points where Python finds it."""

    def install(name, group, entry, code):
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        information = tmp_path / f"{module}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        text = f"[{group}]\n{entry.partition(':')[0]} = {module}:{entry.partition(':')[2]}\n"
        (information / "entry_points.txt").write_text(text, encoding="utf-8")
        look_again()
        modules.append(module)

    def look_again():
        registry._installed.cache_clear()
        for each in Registry.made:
            each.__dict__.pop("_added", None)

    modules = []
    monkeypatch.syspath_prepend(tmp_path)
    yield install
    for each in Registry.made:
        for module in modules:
            for name in each.names_of(module):
                each.remove(name)
    for module in modules:
        sys.modules.pop(module, None)
    monkeypatch.undo()
    look_again()


def test_an_installed_package_adds_a_layer(install):
    install("points", "dlspec.layers", "pointwise:Pointwise", LAYER)
    text = SPEC.replace("dropout_autoencoder, rate: 0.1", "autoencoder")
    assert dlspec.validate(text) == []
    assert dlspec.graph(dlspec.load(text)).parameters == 6 + 13 * 3
    (problem,) = dlspec.validate(text.replace("pointwise:", "pointwize:"))
    assert problem.help == "did you mean `pointwise`?"


def test_an_installed_package_adds_a_pretraining_method(install):
    install("drop", "dlspec.pretraining_methods", "dropout_autoencoder:DropoutAutoencoder", METHOD)
    text = SPEC.replace("pointwise: {filters: 3, activation: relu, name: mixing}", "dense: 3")
    assert dlspec.validate(text) == []


def test_a_package_cannot_replace_what_dlspec_has(install):
    install("better-dense", "dlspec.layers", "dense:Dense", LAYER.replace("class Pointwise", "class Dense"))
    assert dlspec.validate(FLAT) == []  # nobody else is asked
    with pytest.raises(DataError, match="the package `better-dense` adds a layer `dense`, which dlspec has already"):
        dlspec.validate(FLAT.replace("dense", "dens"))


def test_two_packages_with_one_name_are_both_named(install):
    install("points", "dlspec.layers", "pointwise:Pointwise", LAYER)
    install("dots", "dlspec.layers", "pointwise:Pointwise", LAYER)
    with pytest.raises(DataError, match=r"adds a layer `pointwise`, which `(points|dots)` has already"):
        dlspec.validate(SPEC)


def test_a_plugin_cannot_replace_what_a_package_adds(install, tmp_path):
    install("points", "dlspec.layers", "pointwise:Pointwise", LAYER)
    (tmp_path / "mine.py").write_text(LAYER, encoding="utf-8")
    with pytest.raises(DataError, match=r"a layer `pointwise` of the package `points`, so .*mine.py` cannot add one"):
        dlspec.load_plugin(tmp_path / "mine.py")


def test_packages_are_asked_only_for_names_that_dlspec_does_not_have(install, monkeypatch):
    install("points", "dlspec.layers", "pointwise:Pointwise", LAYER)
    monkeypatch.setattr(registry, "_installed", lambda: pytest.fail("looks for packages"))
    assert dlspec.validate(FLAT) == []


def test_every_registry_has_a_group_of_entry_points_of_its_own():
    groups = [each.group for each in Registry.made]
    assert len(set(groups)) == len(groups)
    assert {"dlspec.layers", "dlspec.datasets", "dlspec.losses", "dlspec.pretraining_methods"} <= set(groups)


def test_a_run_made_with_a_package_that_is_gone_says_nothing_of_plugins(tmp_path):
    (tmp_path / "resolved.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "environment.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        dlspec.load(tmp_path / "resolved.yaml")
    assert all(not found.notes for found in caught.value.diagnostics)


# --- engines and export targets


@pytest.fixture
def added():
    """Registers a class, and takes it out again."""
    known = []

    def add(to, cls):
        known.append((to, to.register(cls)))
        return cls

    yield add
    for to, cls in known:
        to.remove(cls.type_name)


def test_an_engine_that_fits_and_is_preferred_trains(added, monkeypatch, tmp_path):
    from dlspec.training.engines import choice as engines
    from dlspec.training.engines.base import ENGINES, EngineKind, StepByStep

    trained = []

    class SlowAndSteady(EngineKind):
        """Keras's own way, of stages with batches of 16 that are not compiled."""

        preference = 9

        def fits(self, task):
            return not task.compiled and task.batch_size == 16

        def make(self, task):
            trained.append(len(task.x))
            return StepByStep(task.model, task.x, task.y, task.weights, task.batch_size)

    spec = dlspec.load(FLAT, overrides={"train.epochs": 1, "train.batch_size": 16, "runtime.xla": "off"})
    run = dlspec.run(spec, out=tmp_path / "before")
    assert trained == []
    added(ENGINES, SlowAndSteady)
    again = dlspec.run(spec, out=tmp_path / "after")
    assert trained == [run.data.parts["train"]]
    assert again.history[-1]["loss"] == pytest.approx(run.history[-1]["loss"], rel=1e-4)
    task = engines.TrainingTask(None, [], None, None, 32, False, False, "jax")
    assert engines.choose_engine(task).type_name == "keras_steps"


def test_no_engine_is_chosen_for_another_backend():
    from types import SimpleNamespace

    from dlspec.training.engines.choice import TrainingTask, choose_engine

    def chosen(backend, devices):
        model = SimpleNamespace(distribute_strategy=SimpleNamespace(num_replicas_in_sync=devices))
        return choose_engine(TrainingTask(model, [], None, None, 8, False, False, backend)).type_name

    assert chosen("tensorflow", 1) == "tensor_flow_runs"
    assert chosen("tensorflow", 2) == "mirrored"
    assert chosen("torch", 2) == chosen("jax", 1) == "keras_steps"


def test_an_export_target_is_chosen_by_suffix_or_name(added, call, files, options, monkeypatch, tmp_path):
    from dlspec.deployment import EXPORT_TARGETS, ExportTarget

    class Summary(ExportTarget):
        """The layers as text."""

        suffixes = (".txt", ".text")

        def write(self, model, path):
            path.write_text("\n".join(layer.name for layer in model.layers), encoding="utf-8")

    added(EXPORT_TARGETS, Summary)
    monkeypatch.chdir(tmp_path)
    code, out, _ = call("export", files / "run", "--layers", "..mixing", "-o", "layers.text", *options)
    assert (code, out) == (0, "layers.text\n")
    assert (tmp_path / "layers.text").read_text(encoding="utf-8")
    code, out, _ = call("export", files / "run", "--format", "summary", *options)
    assert (code, out) == (0, "mixed.txt\n")


def test_the_usual_export_target_is_keras(call, files, options, monkeypatch, tmp_path):
    import keras

    monkeypatch.chdir(tmp_path)
    code, out, _ = call("export", files / "run", *options)
    assert (code, out) == (0, "mixed.keras\n")
    assert keras.models.load_model("mixed.keras", safe_mode=True).input_shape


@pytest.mark.parametrize(
    ("given", "message", "help"),
    [
        (
            ["-o", "net.h5"],
            "no format has files that end in `.h5`",
            "`net.keras` or `net.tflite` or `net.onnx` or `net.xml` or `net.html`",
        ),
        (
            ["-o", "net"],
            "`net` names no format",
            "`net.keras` or `net.tflite` or `net.onnx` or `net.xml` or `net.html`",
        ),
        (["--format", "kera"], "there is no format `kera`", "did you mean `keras`?"),
        (["--format", "coreml"], "there is no format `coreml`", "there are `docker`, `keras`"),
        (["--format", "keras", "-o", "net.zip"], "`net.zip` is no name of a file of the format `keras`", "net.keras"),
    ],
    ids=" ".join,
)
def test_a_format_that_is_none_is_named(call, files, options, monkeypatch, tmp_path, given, message, help):
    monkeypatch.chdir(tmp_path)
    code, _, err = call("export", files / "run", *given, *options)
    assert code == 3
    assert f"error[unknown-export-target]: {message}" in err
    assert help in err.partition("help: ")[2]
    assert not list(tmp_path.iterdir())


def test_the_other_worked_examples_work_as_plugins(call, files, options, monkeypatch, tmp_path):
    """A dataset, an engine and an export target, as CONTRIBUTING.md has them."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("coins", DATASET), ("debugging", ENGINE), ("numpy_target", EXPORT_TARGET)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    added = ["--plugin", "coins.py", "--plugin", "debugging.py"]
    (tmp_path / "coins.yaml").write_text(FLAT.replace("dataset: iris", "dataset: coins"), encoding="utf-8")
    code, _, err = call("run", "coins.yaml", *added, "-s", "train.epochs=1", "--out", "run")
    assert code == 0, err
    assert [Path(entry["path"]).name for entry in dlspec.open_run("run").environment.plugins] == added[1::2]
    code, _, err = call("export", "run", "-o", "coins.npz", *added, "--plugin", "numpy_target.py")
    assert code == 0, err
    with np.load("coins.npz") as arrays:
        assert sorted(array.shape for array in arrays.values()) == sorted(
            tuple(weight.shape) for weight in dlspec.open_run("run").model.weights
        )
