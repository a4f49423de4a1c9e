"""The run folder: whole, readable, repeatable, and what is taken from it works elsewhere."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.runs import resume
from dlspec.runs.listener import Listener
from dlspec.runtime.environment import typed_as
from dlspec.training.callbacks.base import RUN_FILES
from dlspec.training.progress import Stopped
from tests.conftest import SPIRALS, TINY
from tests.preloaded import preloaded
from tests.trained import same

FILES = {
    "spec.yaml", "resolved.yaml", "environment.json", "data.json", "history.csv", "metrics.json",
    "predictions.csv", "state.json", "model.keras", "model.txt", "layers.npz", "baselines.json", "baselines.npz",
    "pictures.npz", "samples.npz", "report.html", "events.jsonl", "SHA256SUMS", "checkpoints",
}  # fmt: skip


@pytest.mark.parametrize("name", TINY)
def test_a_run_leaves_a_whole_folder(tiny_run, name):
    run = dlspec.open_run(tiny_run(name).folder)
    pretrained = {"pretrained.npz"} if run.spec.pretrain else set()
    assert {path.name for path in run.folder.iterdir()} == FILES | pretrained
    assert {*RUN_FILES} >= FILES | pretrained
    assert (run.folder / "spec.yaml").read_text() == TINY[name]
    assert run.metrics["test"] is run.metrics.test, "a value can also be read by its name in the file"
    assert set(run.metrics.test) == {m.type_name for m in run.spec.evaluate.metrics}
    assert set(run.metrics.baselines) == {b.type_name for b in run.spec.evaluate.baselines}
    assert run.environment.seed == run.spec.seed
    assert run.environment["tensorflow"]
    stages = [row["stage"] for row in run.history]
    assert stages[-1] == "fine_tune"
    assert [row["epoch"] for row in run.history if row["stage"] == "fine_tune"] == [1, 2, 3]


@pytest.mark.parametrize("name", ["series", "digits"])
def test_pretraining_has_rows_of_its_own_in_the_history(tiny_run, name):
    layers = {"series": ["lstm_1", "lstm_2"], "digits": ["h1", "h2"]}[name]
    stages = [row["stage"] for row in tiny_run(name).history]
    assert stages == [f"pretrain:{layer}" for layer in layers for _ in range(2)] + ["fine_tune"] * 3


@pytest.mark.parametrize("name", TINY)
def test_the_saved_model_takes_raw_columns(tiny_run, name):
    """What `predict` gives for raw rows is what the run wrote for its test part."""
    run = dlspec.open_run(tiny_run(name).folder)
    columns = run.spec.data.dataset.load(run.spec.seed)
    written = run.predictions
    if name == "digits":
        rows = columns["image"][written["row"]]
    elif name == "series":
        rows = {"x": columns["x"]}
    else:
        rows = {key: values[written["row"]] for key, values in columns.items()}
    predicted = run.predict(rows)
    target = run.data.target.name + ("+2" if name == "series" else "")
    if name == "series":  # a prediction stands at the last row of its window, the target two rows later
        predicted = predicted.loc[written["row"] - 2]
    if run.data.target.kind == "class":
        assert list(predicted[target].astype(str)) == list(written["network"].astype(str))
        label = run.data.target.classes[0]
        assert predicted[f"{target}={label}"].to_numpy() == pytest.approx(written[f"p({label})"], abs=1e-5)
    else:
        assert predicted[target].to_numpy() == pytest.approx(written["network"], rel=1e-4)


def test_the_model_loads_in_a_fresh_process_that_knows_nothing_of_dlspec(tiny_run):
    run = tiny_run("series")
    script = (
        "import sys, json, numpy as np, keras\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\n"
        "x = np.linspace(0.5, 1.2, 9).reshape(1, 9, 1)\n"
        "print(json.dumps(float(model.predict(x, verbose=0)[0, 0])))\n"
        "assert not any(name.startswith('dlspec') for name in sys.modules)\n"
    )
    done = preloaded("keras").run("-c", script, run.folder / "model.keras")
    assert done.returncode == 0, done.stderr
    here = run.predict({"x": np.linspace(0.5, 1.2, 9)})["x+2"].iloc[0]
    assert json.loads(done.stdout) == pytest.approx(here, rel=1e-6)


def test_the_resolved_spec_runs_again_to_the_same_result(tiny_run, tmp_path):
    first = tiny_run("digits")
    again = dlspec.run(first.folder / "resolved.yaml", out=tmp_path / "again")
    assert again.metrics == first.metrics
    assert again.environment.data_fingerprint == first.environment.data_fingerprint
    weights = [list(map(np.asarray, run.model.get_weights())) for run in (first, again)]
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_nothing_is_overwritten(tiny_run, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "precious.txt").write_text("mine")
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.run(dlspec.load(TINY["spirals"]), out=taken)
    assert caught.value.diagnostics[0].code == "folder-not-empty"
    assert [path.name for path in taken.iterdir()] == ["precious.txt"]


def test_runs_are_numbered(monkeypatch, tmp_path):
    from dlspec.runs.results import new_folder

    monkeypatch.chdir(tmp_path)
    spec = dlspec.load(TINY["spirals"])
    assert [str(new_folder(spec, None)) for _ in range(2)] == ["runs/tiny_spirals/001", "runs/tiny_spirals/002"]
    (tmp_path / "runs/tiny_spirals/017").mkdir()
    assert new_folder(spec, None).name == "018"


def test_a_finished_run_has_nothing_to_go_on_with(tiny_run):
    with pytest.raises(dlspec.DataError) as caught:
        resume(tiny_run("spirals").folder, listener=None)
    assert caught.value.diagnostics[0].code == "run-finished"


def test_a_folder_without_a_run_is_no_run(tmp_path):
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.open_run(tmp_path)
    assert caught.value.diagnostics[0].code == "no-run"


def test_predict_names_what_is_missing(tiny_run):
    run = tiny_run("series")
    with pytest.raises(dlspec.DataError, match="no column `x`"):
        run.predict({"y": [1, 2, 3]})
    with pytest.raises(dlspec.DataError, match="takes 9 rows"):
        run.predict({"x": [1.0, 2.0, 3.0]})


def test_a_failing_write_leaves_the_old_file(tmp_path):
    from dlspec.runtime.files import written_whole

    path = tmp_path / "it.txt"
    path.write_text("old")

    def write_half() -> None:
        with written_whole(path) as draft:
            draft.write_text("half of the new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["it.txt"]


def test_the_listener_is_told_everything_in_order(tmp_path):
    said = []

    class Say(Listener):
        def begins(self, spec, plan, data):
            said.append("begins")

        def stage_begins(self, stage, samples, steps):
            said.append(f"{stage.name} begins: {samples}/{steps}")

        def epoch_ends(self, stage, row):
            said.append(f"{stage.name} {row.epoch}")

        def stage_ends(self, stage, reason):
            said.append(f"{stage.name} ends: {reason}")

    dlspec.run(dlspec.load(TINY["spirals"], overrides={"train.epochs": 2}), out=tmp_path / "run", listener=Say())
    assert said == ["begins", "fine_tune begins: 84/6", "fine_tune 1", "fine_tune 2", "fine_tune ends: all epochs"]


@pytest.mark.slow  # every day: the signals of `tests/cli`, and the same end of `tests/training`
@pytest.mark.parametrize("xla", ["on", "off"])
def test_ctrl_c_leaves_a_run_that_goes_on_to_the_same_end(write_spec, tmp_path, xla):
    """The real command, a real signal, and the weights of a run that was never stopped."""
    text = TINY["series"].replace("{epochs: 3", "{epochs: 400").replace("patience: 5", "patience: 400")
    path = write_spec(f"{text}\nruntime: {{xla: {xla}}}\n")  # which 400 epochs are worth, and 40 are not
    command = [sys.executable, "-m", "dlspec", "run", str(path)]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "stopped")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    for line in process.stdout:
        if line.startswith("fine_tune 3/"):
            process.send_signal(signal.SIGINT)
            break
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"dlspec run --resume {tmp_path / 'stopped'}" in errors
    assert not (tmp_path / "stopped" / "metrics.json").exists()
    reached = len((tmp_path / "stopped" / "history.csv").read_text().splitlines())
    assert reached >= 8
    resolved = tmp_path / "stopped" / "resolved.yaml"
    resolved.write_text(resolved.read_text().replace("epochs: 400", "epochs: 40"))  # 400 would take too long
    done = subprocess.run(
        [*command[:4], "--resume", str(tmp_path / "stopped")], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "stopped")
    whole = dlspec.run(dlspec.load(path, overrides={"train.epochs": 40}), out=tmp_path / "whole")
    resumed = dlspec.open_run(tmp_path / "stopped")
    assert resumed.metrics == whole.metrics
    assert all(
        np.array_equal(a, b) for a, b in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True)
    )


@pytest.mark.slow
def test_a_resumed_run_is_compiled_as_it_was_begun(write_spec, tmp_path, monkeypatch):
    """The rule may say otherwise by then, and the two ways differ in the last digits."""
    path = write_spec(TINY["spirals"])
    run = dlspec.run(dlspec.load(path, overrides={"runtime.xla": "on"}), out=tmp_path / "run")
    stages = [stage.name for stage in dlspec.plan(run.spec).stages]
    assert list(run.environment.compiled_by_xla) == stages
    weights = run.model.get_weights()
    for name in ("metrics.json", "SHA256SUMS", "checkpoints/latest.npz", "checkpoints/before.npz"):
        (run.folder / name).unlink()
    text = run.resolved_text.replace("xla: on", "xla: off")
    (run.folder / "resolved.yaml").write_text(text, encoding="utf-8")
    again = dlspec.resume(run.folder)
    assert all(np.array_equal(a, b) for a, b in zip(weights, again.model.get_weights(), strict=True))


def test_changed_data_are_noticed_on_resume(tmp_path, write_spec):
    rows = "".join(f"{i},{np.sin(i / 5):.4f}\n" for i in range(120))
    write_spec("t,y\n" + rows, "wave.csv")
    path = write_spec(
        "dlspec: 1\ndata: {series: wave.csv, time: t, target: y, features: y, window: {length: 5}}\n"
        "model: [{lstm: 3}, output]\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(path, out=tmp_path / "run")
    (run.folder / "metrics.json").unlink()
    write_spec("t,y\n" + rows.replace("0,0.0000", "0,0.5000"), "wave.csv")
    with pytest.raises(dlspec.DataError) as caught:
        resume(run.folder, listener=None)
    assert caught.value.diagnostics[0].code == "data-changed"


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    "layers",
    [
        "    - dense: {units: 6, name: tower, from: a}\n    - shared: {layers: tower, from: b}\n"
        "    - concatenate: {from: [tower, tower_again]}\n    - dense: {units: 5, name: h}\n    - output\n",
        "    - dense: {units: 2, from: a}\n    - output\n",
    ],
    ids=["two inputs and a shared layer", "one input is not used"],
)
def test_networks_of_several_inputs_are_pretrained_trained_and_reported(layers, tmp_path):
    run = dlspec.run(
        "dlspec: 1\ndata: {dataset: iris}\nmodel:\n  inputs:\n"
        "    a: {features: [petal_length, petal_width]}\n    b: {features: [sepal_length, sepal_width]}\n"
        f"  layers:\n{layers}pretrain: {{method: autoencoder, epochs: 1}}\ntrain: {{epochs: 1}}\n",
        out=tmp_path / "run",
    )
    assert run.report.is_file()
    rows = pd.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=["sepal_length", "sepal_width", "petal_length", "petal_width"])
    assert len(run.predict(rows)) == 1


def test_a_run_that_was_stopped_after_training_is_not_trained_again(tiny_run, tmp_path, monkeypatch):
    import dlspec.runs.run

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dlspec.runs.run, "_write_results", stopped)
        with pytest.raises(Stopped):
            dlspec.run(dlspec.load(TINY["spirals"]), out=tmp_path / "run")
    started = json.loads((tmp_path / "run" / "environment.json").read_text())
    with typed_as("again"):
        resumed = resume(tmp_path / "run", listener=None)
    whole = tiny_run("spirals")
    assert resumed.metrics == whole.metrics
    assert [row["epoch"] for row in resumed.history] == [row["epoch"] for row in whole.history]
    assert resumed.environment.started == started["started"]
    assert resumed.environment.resumed[0]["command"] == "again"


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    "text",
    [
        "name: 주식\n" + SPIRALS + "model: [{dense: 3}, output]\n",
        "name: raw\n" + SPIRALS + "model: [{dense: {units: 3, name: raw}}, {dense: {units: 3, name: exp}}, output]\n",
        SPIRALS + "model: [{dense: 3}, {dense: 1}, {activation: sigmoid}]\n",
        SPIRALS.replace("60}}", "60}}, limit: 1") + "model: [{dense: 3}, output]\n",
    ],
    ids=["korean-name", "names-of-our-own-parts", "output-is-an-activation", "one-training-sample"],
)
def test_what_validate_accepts_runs(text, tmp_path):
    assert dlspec.run(dlspec.load("dlspec: 1\n" + text), out=tmp_path / "run").finished


def test_building_draws_by_the_seed():
    spec = dlspec.load(TINY["spirals"])
    assert same(dlspec.build(spec).get_weights(), dlspec.build(spec).get_weights())
