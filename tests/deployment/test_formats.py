"""What others do with the files of each format, without dlspec."""

import json
import subprocess
import sys

import numpy as np
import pytest

import dlspec
from dlspec.deployment.convertible import named
from dlspec.deployment.float32 import in_float32
from dlspec.deployment.records import read_receipt
from dlspec.deployment.steps import Program, Step, Value, program_of
from dlspec.deployment.targets.saved_model import identifiers
from dlspec.language.diagnostics.errors import DataError

CLIPS = """\
dlspec: 1
name: clips
data: {arrays: clips.npz}
model: [conv3d: {filters: 2, kernel_size: 2}, adaptive_max_pooling3d: {output_size: 2, name: smaller}, flatten, output]
train: {epochs: 1, batch_size: 16}
"""


def test_a_saved_model_takes_words_by_the_names_of_columns(network, tmp_path):
    import tensorflow as tf

    run = network("numbers")
    folder = dlspec.export(run, out=tmp_path / "numbers_saved_model", format="saved_model")
    serve = tf.saved_model.load(folder).signatures["serve"]
    words = {"garden": ["yes", "no", "yes"], "ward": ["north", "wäst", "east"]}
    found = serve(**{name: tf.constant([[word] for word in values]) for name, values in words.items()})["output_0"]
    np.testing.assert_allclose(found.numpy(), run.predict(words)[["price", "rooms"]].to_numpy(), rtol=1e-6)


def test_names_of_columns_become_names_that_tensorflow_takes():
    found = identifiers(["wind speed", "wind_speed", "온도", "기압", "2nd", "x"])
    assert found["x"] == "x"
    assert {found["wind speed"], found["wind_speed"]} >= {"wind_speed"}
    assert len({*found.values()}) == len(found)
    assert all(name.isidentifier() and name.isascii() for name in found.values())


def test_a_file_of_litert_works_with_the_reader_beside_it(network, tmp_path):
    file = dlspec.export(network("table"), out=tmp_path / "table.tflite")
    code = """
import json, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
sys.path.insert(0, ".")
from preprocessing import Preprocessing
steps = Preprocessing.read("table.tflite.preprocessing.json")
shown = json.load(open("table.tflite.rows.json", encoding="utf-8"))
raw = {each["name"]: [[row[each["name"]]] for row in shown["rows"]] for each in steps.inputs}
raw = {name: [[np.nan if value is None else value for value in row] for row in rows] for name, rows in raw.items()}
(values,) = given = steps.before(raw)
interpreter = Interpreter("table.tflite", num_threads=1)
(into,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
interpreter.resize_tensor_input(into["index"], values.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(into["index"], values)
interpreter.invoke()
(found,) = steps.after([interpreter.get_tensor(out["index"])], given.kept)
assert not {"dlspec", "keras", "tensorflow"} & {*sys.modules}
print(json.dumps([found.tolist(), shown["outputs"]]))
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=file.parent, capture_output=True, text=True, check=True)
    ours, theirs = json.loads(found.stdout.splitlines()[-1])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.everyday("net.tflite-given_back-True")
@pytest.mark.parametrize(("name", "raw"), [("given_back", True), ("pictures", True), ("half", False), ("table", False)])
@pytest.mark.parametrize("format", ["net.tflite", "net.xml"])
def test_raw_numbers_go_in_where_float32_loses_nothing(network, tmp_path, name, raw, format):
    dlspec.export(network(name), out=tmp_path / format)
    assert (tmp_path / f"{format}.preprocessing.json").exists() is not raw
    (given,) = json.loads((tmp_path / f"{format}.signature.json").read_text(encoding="utf-8"))["takes"]
    assert given["dtype"] == "float32"
    assert (given["name"] == "raw") is raw


@pytest.mark.parametrize(
    ("scale", "offset", "inside"), [(0.5, 3.0, True), (0.05, -100.0, False), (1e-9, -1.6, True), (2.0, [0, 5], False)]
)
def test_offsets_that_are_large_by_the_scaled_values_stay_in_float64(scale, offset, inside):
    raw, out = Value("raw", "float64", (2,)), Value("network_0", "float32", (1,))
    steps = (
        Step("scaled", "float64", (2,), "multiply", ("raw", np.float64(scale))),
        Step("moved", "float64", (2,), "add", ("scaled", np.array(offset))),
        Step("given", "float32", (2,), "cast", ("moved",)),
    )
    found = in_float32(Program((raw,), steps, (steps[-1],), (out,), (), (out,)))
    assert (found is not None) is inside
    assert found is None or {step.dtype for step in found.before} == {"float32"}


@pytest.mark.slow
def test_a_recurrent_network_takes_one_row_at_a_time_in_litert(network, tmp_path):
    receipt = read_receipt(dlspec.export(network("series"), out=tmp_path / "net.tflite"))
    assert receipt["batch"] == 1
    assert read_receipt(dlspec.export(network("labels"), out=tmp_path / "other.tflite"))["batch"] is None


def test_dropout_inside_of_a_recurrent_layer_is_no_obstacle():
    import keras

    from dlspec.deployment.targets.litert import Litert

    inputs = keras.Input((4, 2))
    layer = keras.layers.Bidirectional(keras.layers.LSTM(3, dropout=0.3, recurrent_dropout=0.2))
    network = keras.Model(inputs, layer(inputs))
    values = np.random.default_rng(0).normal(size=(1, 4, 2)).astype("float32")
    assert _by(Litert(), network, values) == pytest.approx(np.asarray(network(values)), abs=1e-6)


LAYERS = {
    "a loop both ways": (lambda layers: layers.Bidirectional(layers.GRU(3)), (4, 2)),
    "groups of channels": (lambda layers: layers.Conv2D(4, 3, groups=2), (7, 6, 2)),
    "mean over three axes": (lambda layers: layers.AveragePooling3D(2, strides=2, padding="same"), (5, 4, 3, 2)),
    "largest over three axes": (lambda layers: layers.MaxPooling3D((2, 3, 2), strides=1), (5, 4, 3, 2)),
    "given normalization": (lambda layers: layers.Normalization(mean=[1.0, 2.0], variance=[2.0, 3.0]), (2,)),
    "bins": (lambda layers: layers.Discretization([-0.5, 0.0, 0.7]), (5,)),
    "bins one by one": (lambda layers: layers.Discretization([-0.5, 0.7], output_mode="one_hot"), (1,)),
}


@pytest.mark.everyday("groups of channels-litert", "mean over three axes-openvino", "bins-onnx")
@pytest.mark.parametrize(
    ("case", "format"),
    [
        pytest.param(
            case, format, marks=[pytest.mark.slow] if (case, format) == ("a loop both ways", "openvino") else []
        )
        for case in LAYERS
        for format in ("onnx", "litert", "openvino")
    ],
)
def test_layers_that_converters_do_not_know_are_said_otherwise(case, format):
    import keras

    from dlspec.deployment import EXPORT_TARGETS

    build, shape = LAYERS[case]
    inputs = keras.Input(shape)
    network = keras.Model(inputs, build(keras.layers)(inputs))
    values = np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")
    found = _by(EXPORT_TARGETS[format](), network, values)
    assert found.shape == np.asarray(network(values)).shape
    np.testing.assert_allclose(found, np.asarray(network(values)), atol=1e-6)


def _by(target, network, values):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file = Path(folder) / f"net{target.suffixes[0]}"
        target.write(network, file)
        loaded = target.load(file)
        parts = np.array_split(values, len(values) if loaded.batch else 1)
        return np.concatenate([loaded.run({network.layers[0].name: part})[0] for part in parts])


@pytest.mark.slow
def test_a_layer_that_a_format_has_not_is_named_and_nothing_is_left(tmp_path, capfd):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "clips.npz", x=random.normal(size=(60, 4, 6, 6, 1)), y=random.integers(0, 2, 60))
    (tmp_path / "clips.yaml").write_text(CLIPS, encoding="utf-8")
    run = dlspec.run(tmp_path / "clips.yaml", out=tmp_path / "run")
    (tmp_path / "out").mkdir()
    capfd.readouterr()
    with pytest.raises(DataError) as caught:
        dlspec.export(run, out=tmp_path / "out" / "net.tflite")
    (problem,) = caught.value.diagnostics
    assert problem.code == "cannot-export"
    assert problem.message.endswith("it has no operation for the layer `smaller` (adaptive_max_pooling3d)")
    assert "`--format keras`" in problem.help
    assert capfd.readouterr() == ("", "")
    assert not [*(tmp_path / "out").iterdir()]
    assert read_receipt(dlspec.export(run, out=tmp_path / "out" / "net.onnx"))["proof"]["largest_difference"] <= 1e-5


@pytest.mark.everyday("net.onnx", "net.tflite")
@pytest.mark.parametrize("format", ["net.onnx", "net.tflite", "net.xml"])
def test_converters_print_nothing(network, tmp_path, capfd, format):
    capfd.readouterr()
    dlspec.export(network("half"), out=tmp_path / format)
    assert capfd.readouterr() == ("", "")


def test_the_kind_of_a_layer_stands_behind_its_name(network):
    names = [named(layer) for layer in program_of(network("sequence").model)[1].layers]
    assert "`embedding_1` (embedding)" in names
    assert "`output` (dense)" in names


@pytest.mark.slow
def test_a_loop_that_openvino_has_not_is_written_out_unless_it_is_long(tmp_path):
    import keras

    from dlspec.deployment.base import CannotExport
    from dlspec.deployment.targets.openvino import Openvino

    inputs = keras.Input((300, 1))
    network = keras.Model(inputs, keras.layers.GRU(2, name="slow")(inputs))
    with pytest.raises(CannotExport, match=r"^`slow` \(gru\) has no loop there, and more than 256 timesteps"):
        Openvino().write(network, tmp_path / "net.xml")
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_every_activation_goes_into_onnx():
    """One network of a layer for each of them, side by side."""
    import keras
    import onnxruntime

    from dlspec.deployment.targets.onnx import network_as_onnx
    from dlspec.model.activations import ACTIVATIONS

    given = keras.Input((5,))
    layers = [keras.layers.Dense(3, activation=name)(given) for name in ACTIVATIONS]
    network = keras.Model(given, keras.layers.Concatenate()(layers))
    values = np.random.default_rng(0).normal(0, 2, (20, 5)).astype("float32")
    session = onnxruntime.InferenceSession(network_as_onnx(network).SerializeToString())
    (found,) = session.run(None, {session.get_inputs()[0].name: values})
    np.testing.assert_allclose(found, network(values), rtol=1e-5, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table", "given_back"])
def test_inputs_of_openvino_are_called_as_the_signature_says(network, tmp_path, name):
    import openvino

    file = dlspec.export(network(name), out=tmp_path / "net.xml")
    signature = json.loads((tmp_path / "net.xml.signature.json").read_text(encoding="utf-8"))
    found = [each.get_any_name() for each in openvino.Core().read_model(file).inputs]
    assert found == [value["name"] for value in signature["takes"]]
