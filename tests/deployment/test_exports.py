"""Every export is opened in the runtime that it is for and compared with what was measured."""

import json
import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import FALLS_SHORT, cli
from dlspec.deployment import EXPORT_TARGETS, ExportTarget
from dlspec.deployment.base import Loaded
from dlspec.deployment.records import companions, read_receipt
from dlspec.runs.samples import samples_of
from tests.deployment.networks import SPECS_BY_NAME

FORMATS = {
    "keras": "net.keras",
    "onnx": "net.onnx",
    "saved_model": "net_saved_model",
    "litert": "net.tflite",
    "openvino": "net.xml",
}


def beside(file: Path, name: str) -> dict:
    """What a companion of an export says."""
    place = file / name if file.is_dir() else file.with_name(f"{file.name}.{name}")
    return json.loads(place.read_text(encoding="utf-8"))


UNROLLED = [("series", "openvino"), ("sequence", "openvino")]
"""Networks whose loops take long to be written one timestep after the other."""


@pytest.mark.parametrize(
    ("name", "format"),
    [
        pytest.param(
            name, format, marks=pytest.mark.slow if (name, format) in UNROLLED or (i + k) % 5 != 1 or i % 4 else ()
        )
        for i, name in enumerate(SPECS_BY_NAME)
        for k, format in enumerate(FORMATS)  # everyday one format of every fourth, another of the next
    ],
)
def test_every_network_gives_what_was_measured(network, tmp_path, name, format):
    file = dlspec.export(network(name), out=tmp_path / FORMATS[format], format=format)
    receipt = read_receipt(file)
    proof = receipt["proof"]
    assert proof["rows"] >= 5
    assert proof["largest_difference"] <= proof["allowed"]
    assert proof["largest_difference_of_odd_rows"] <= proof["allowed"]
    assert receipt["latency"]["milliseconds"]["median"] > 0
    rows = beside(file, "rows.json")
    assert len(rows["rows"]) == len(rows["outputs"]) == len(rows["predictions"]) == 5
    assert np.isfinite(np.array(rows["outputs"])).all()


def test_the_rows_beside_an_export_are_those_that_predict_gives(network, tmp_path):
    """Numbers, classes, labels: named as `Run.predict` names them."""
    for name, target in (("table", "price"), ("sequence", "ward"), ("labels", "tags"), ("numbers", "price")):
        run = network(name)
        file = dlspec.export(run, out=tmp_path / f"{name}.onnx")
        found = beside(file, "rows.json")["predictions"]
        places = samples_of(run).places[:5]
        written = run.predictions.iloc[places]
        if name in ("table", "numbers"):
            column = "network" if name == "table" else f"network:{target}"
            np.testing.assert_allclose([row[target] for row in found], written[column], rtol=1e-5)
        elif name == "sequence":
            assert [row[target] for row in found] == written["network"].tolist()
            assert {*found[0]["probabilities"]} == {*run.data.target.classes}
        else:
            shares = written[[f"network:{label}" for label in ("big", "far", "loud")]].to_numpy()
            np.testing.assert_allclose([[*row["probabilities"].values()] for row in found], shares, atol=1e-5)
            assert found[0][target] == ", ".join(np.array(["big", "far", "loud"])[shares[0] > 0.5])


def test_a_text_goes_through_the_reader_that_comes_along(network, tmp_path):
    """Without dlspec: the reader, the network in ONNX Runtime, and the names of what comes out."""
    import importlib.util

    import onnxruntime

    run = network("counted")
    file = dlspec.export(run, out=tmp_path / "net.onnx")
    spec = importlib.util.spec_from_file_location("reader", tmp_path / "preprocessing.py")
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    steps = reader.Preprocessing.read(tmp_path / "net.onnx.preprocessing.json")
    rows = beside(file, "rows.json")
    values = steps.before({name: [[row[name]] for row in rows["rows"]] for name in ("said", "town")})
    session = onnxruntime.InferenceSession(file)
    takes = [value["name"] for value in beside(file, "signature.json")["takes"]]
    (predicted,) = steps.after(session.run(None, dict(zip(takes, values, strict=True))), values.kept)
    np.testing.assert_allclose(predicted, rows["outputs"], atol=1e-6)
    with pytest.raises(ValueError, match="`said` lacks a value in row 2"):
        steps.before({"said": [["red"], [""]], "town": [["town 1"], ["town 2"]]})


@pytest.mark.everyday("onnx", "keras")
@pytest.mark.parametrize("format", FORMATS)
def test_step_by_step_is_equal_to_the_whole_window(network, tmp_path, format):
    run = network("series")
    file = dlspec.export(run, out=tmp_path / FORMATS[format], format=format, step_by_step=True)
    proof, signature = read_receipt(file)["proof"], beside(file, "signature.json")
    assert proof["largest_difference"] <= 1e-5
    assert [state["shape"] for state in signature["states"]] == [[4], [4], [3]], "two of the LSTM, one of the GRU"
    assert signature["inputs"][0]["shape"] == [2, 3], "returns take the timestep before, too"


def test_an_exported_step_goes_on_from_its_states(network, tmp_path):
    """As a sensor would use it: ONNX Runtime, a timestep at a time, the states handed back."""
    import onnxruntime

    run = network("series")
    file = dlspec.export(run, out=tmp_path / "step.onnx", step_by_step=True)
    session, signature = onnxruntime.InferenceSession(file), beside(file, "signature.json")
    window = samples_of(run).raw["raw"][:1]
    states = {state["name"]: np.zeros((1, *state["shape"]), state["dtype"]) for state in signature["states"]}
    for step in range(window.shape[1] - 1):
        output, *after = session.run(None, {"raw": window[:, step : step + 2], **states})
        states = dict(zip(states, after, strict=True))
    np.testing.assert_allclose(output, run.model(window), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pictures", "`conv2d_1` (conv2d) sees several timesteps at once"),
        ("sequence", "it takes no sequence of timesteps"),
        ("given_back", "`flatten_1` (flatten) sees several timesteps at once"),
        ("numbers", "it takes no sequence of timesteps"),
    ],
)
def test_what_has_no_steps_is_refused(network, tmp_path, name, message):
    with pytest.raises(dlspec.DataError, match="cannot-export") as caught:
        dlspec.export(network(name), out=tmp_path / "net.onnx", step_by_step=True)
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    ("format", "advice"),
    [("keras", "`model.predict` rounds numbers"), ("openvino", '{"INFERENCE_PRECISION_HINT": "f32"}'), ("onnx", None)],
)
def test_where_the_usual_call_gives_other_values_that_is_said(network, tmp_path, monkeypatch, format, advice):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        cli, ["export", str(network("table").folder), "-o", FORMATS[format]], standalone_mode=False
    )
    said = read_receipt(tmp_path / FORMATS[format]).get("advice")
    if advice is None:
        assert said is None
    else:
        assert advice in said
        assert said in done.stderr


@pytest.mark.everyday("code..-onnx", "..code-keras")
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("layers", ["..code", "code..", "code..code"])
def test_a_part_is_compared_with_the_layers_of_the_run(network, tmp_path, layers, format):
    file = dlspec.export(network("given_back"), layers=layers, out=tmp_path / FORMATS[format], format=format)
    proof = read_receipt(file)["proof"]
    assert proof["rows"] > 5
    assert proof["largest_difference"] <= 1e-5
    assert beside(file, "signature.json")["outputs"]["kind"] == "layer"


class Rounded(ExportTarget):
    """A format that loses digits."""

    suffixes: ClassVar = (".rounded",)
    digits: ClassVar = 1

    def write(self, model, path):
        path.write_text(json.dumps([np.round(weight, self.digits).tolist() for weight in model.get_weights()]))

    def load(self, path):
        import keras

        from dlspec.training.values import predict

        model = keras.models.load_model(self.of / "model.keras")
        model.set_weights([np.array(weight) for weight in json.loads(path.read_text())])
        return Loaded(lambda values: [predict(model, next(iter(values.values())))], None, "none")


def test_what_gives_other_values_is_not_kept(network, tmp_path, monkeypatch):
    run = network("given_back")
    EXPORT_TARGETS.register(Rounded)
    monkeypatch.setattr(Rounded, "of", run.folder, raising=False)
    try:
        with pytest.raises(dlspec.DataError, match="export-differs"):
            dlspec.export(run, out=tmp_path / "net.rounded")
        assert not list(tmp_path.iterdir())
        monkeypatch.setattr(Rounded, "digits", 7)
        assert read_receipt(dlspec.export(run, out=tmp_path / "net.rounded"))["proof"]["largest_difference"] > 0
    finally:
        EXPORT_TARGETS.remove("rounded")


def test_nothing_is_overwritten_and_formats_stand_side_by_side(network, tmp_path):
    run = network("numbers")
    dlspec.export(run, out=tmp_path / "net.onnx")
    dlspec.export(run, out=tmp_path / "net.keras")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "net.onnx").unlink()
    with pytest.raises(dlspec.DataError, match="is there already"):
        dlspec.export(run, out=tmp_path / "net.onnx")
    assert before == {**{path.name: path.read_bytes() for path in tmp_path.iterdir()}, "net.onnx": before["net.onnx"]}
    assert {*before} >= {path.name for path in companions(tmp_path / "net.onnx", EXPORT_TARGETS["onnx"]()).values()} - {
        "net.onnx.preprocessing.json", "preprocessing.py", "preprocessing.mjs"
    }  # fmt: skip


def test_a_run_that_has_kept_no_rows_reads_its_data_again(network, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(network("numbers").folder, old)
    (old / "samples.npz").unlink()
    shutil.copy(network("numbers").folder.parent / "table.csv", tmp_path)
    file = dlspec.export(old, out=tmp_path / "net.onnx")
    kept = dlspec.export(network("numbers"), out=tmp_path / "kept.onnx")
    assert beside(file, "rows.json") == beside(kept, "rows.json")
    (tmp_path / "table.csv").unlink()
    with pytest.raises(dlspec.DataError, match="no-samples"):
        dlspec.export(old, out=tmp_path / "other.onnx")


def test_rows_that_were_changed_are_refused(network, tmp_path):
    odd = tmp_path / "odd"
    shutil.copytree(network("numbers").folder, odd)
    content = bytearray((odd / "samples.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (odd / "samples.npz").write_bytes(content)
    with pytest.raises(dlspec.DataError, match=r"samples\.npz"):
        dlspec.export(odd, out=tmp_path / "net.onnx")


def test_the_command_says_how_near_it_is_and_holds_the_budget(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = network("numbers").folder
    done = CliRunner().invoke(cli, ["export", str(folder), "--format", "onnx"], standalone_mode=False)
    assert done.return_value == 0
    assert done.stdout == "numbers.onnx\n"
    assert "rows of the test part and" in done.stderr
    assert "by onnxruntime" in done.stderr
    slow = tmp_path / "slow"
    shutil.copytree(folder, slow)
    (slow / "SHA256SUMS").unlink()
    resolved = (slow / "resolved.yaml").read_text(encoding="utf-8")
    resolved = resolved.replace("budget: {}", "budget: {latency: 0.001 us}")
    (slow / "resolved.yaml").write_text(resolved, encoding="utf-8")
    done = CliRunner().invoke(cli, ["export", str(slow), "-o", "slow.onnx"], standalone_mode=False)
    assert done.return_value == FALLS_SHORT
    assert "over the budget" in done.stderr
    assert (tmp_path / "slow.onnx").is_file(), "what was measured is kept"
    assert read_receipt(Path("slow.onnx"))["budget"]["kept"] is False


def test_a_reader_of_another_version_is_replaced_and_a_file_of_ones_own_is_not(network, tmp_path):
    run, place = network("counted"), tmp_path / "preprocessing.py"
    first = dlspec.export(run, out=tmp_path / "one.onnx")
    reader = place.read_text(encoding="utf-8")
    place.write_text(f"{reader}# of another version\n", encoding="utf-8")
    dlspec.export(run, out=tmp_path / "two.onnx")
    assert place.read_text(encoding="utf-8") == reader
    place.write_text("print('my own')\n", encoding="utf-8")
    dlspec.export(network("numbers"), out=tmp_path / "three.onnx")
    with pytest.raises(dlspec.DataError, match="is there already"):
        dlspec.export(run, out=tmp_path / "four.onnx")
    assert place.read_text(encoding="utf-8") == "print('my own')\n"
    assert first.exists()
    assert not list(tmp_path.glob("four*"))


@pytest.mark.parametrize("format", ["keras", "onnx"])
def test_numbers_at_places_that_hardly_differ_are_compared_by_the_scale_of_the_target(tmp_path, format):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "waves.npz", x=random.normal(size=(60, 12, 2)), y=random.normal(size=(60, 12)))
    (tmp_path / "waves.yaml").write_text("""\
dlspec: 1
data: {arrays: waves.npz, target: {y: numeric}, scale: none}
model:
  - dense: {units: 8, kernel_initializer: {random_normal: {stddev: 1e-6}}, bias_initializer: ones}
  - output
train: {epochs: 1, optimizer: {sgd: 1e-9}}
""")
    run = dlspec.run(tmp_path / "waves.yaml", out=tmp_path / "run")
    file = dlspec.export(run, out=tmp_path / FORMATS[format], format=format)
    assert read_receipt(file)["proof"]["largest_difference"] <= 1e-5
