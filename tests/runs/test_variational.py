"""Runs of variational autoencoders: what they save, export, show and say."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.collapsed import collapsed_units, divergence_of_units
from dlspec.runs.job import load_data, new_network, plan_of
from dlspec.training.values import predict
from tests.preloaded import preloaded

VAE = """\
dlspec: 1
name: tiny_vae
seed: 3
data: {dataset: digits, scale: min_max, target: input}
model:
  - flatten
  - dense: {units: 24, activation: relu, name: seen}
  - dense: {units: CODE, name: log_var}
  - dense: {units: CODE, name: mean, from: seen}
  - sampling: {from: [mean, log_var], name: code}
  - dense: {units: 24, activation: relu}
  - output
train: {epochs: 2, batch_size: 50}
"""
TABLE = VAE.replace("dataset: digits", "dataset: iris").replace("  - flatten\n", "")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run by the units of its code."""
    found = {}

    def get(units):
        if units not in found:
            folder = tmp_path_factory.mktemp("vae") / f"{units}"
            found[units] = dlspec.run(dlspec.load(VAE.replace("CODE", str(units))), out=folder)
        return found[units]

    return get


def test_the_saved_model_is_plain_keras_and_gives_the_mean(runs):
    run = dlspec.open_run(runs(2).folder)
    script = (
        "import sys\nsys.modules['dlspec'] = None\nimport keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\n"
        "network = next(layer for layer in model.layers if isinstance(layer, keras.Model))\n"
        "assert all(type(layer).__module__.startswith('keras.') for layer in network.layers)\n"
        "x = np.load(sys.argv[2])\nfirst, second = (np.asarray(model(x)) for _ in range(2))\n"
        "assert np.array_equal(first, second)\nnp.save(sys.argv[3], first)\n"
    )
    columns = run.spec.data.dataset.load(run.spec.seed)
    rows, home = columns["image"][run.predictions["row"]], runs(2).folder.parent
    np.save(home / "x.npy", rows.astype("float64"))
    done = preloaded("keras").run("-c", script, run.folder / "model.keras", home / "x.npy", home / "y.npy")
    assert done.returncode == 0, done.stderr[-2000:]
    errors = ((np.load(home / "y.npy") - rows) ** 2).reshape(len(rows), -1).sum(axis=1) / 16**2
    assert errors == pytest.approx(run.predictions["network"].to_numpy(), rel=1e-4)


def test_parts_lead_to_the_code_and_back(runs):
    run = dlspec.open_run(runs(2).folder)
    rows = run.spec.data.dataset.load(run.spec.seed)["image"][:9].astype("float64")
    code = np.asarray(run.encoder("code")([rows]))
    network = next(layer for layer in run.model.layers if layer.name.endswith("_network"))
    dense = {layer.name: layer.get_weights() for layer in network.layers if layer.get_weights()}
    seen = np.maximum((rows / 16).reshape(9, -1) @ dense["seen"][0] + dense["seen"][1], 0)
    np.testing.assert_allclose(code, seen @ dense["mean"][0] + dense["mean"][1], atol=1e-4)
    decoder = run.part("code", None)
    np.testing.assert_allclose(np.asarray(decoder(code)), np.asarray(network(rows / 16)), atol=1e-5)


def test_a_layer_for_training_alone_is_said_to_be_one(runs):
    with pytest.raises(DataError) as caught:
        runs(2).encoder("log_var")
    (found,) = caught.value.diagnostics
    assert found.code == "unknown-layer-name"
    assert "for training alone" in found.message


def test_the_plane_of_a_code_of_two_numbers_is_what_the_decoder_makes(runs):
    run = runs(2)
    plane, values = run.pictures["decoded:plane"], run.pictures["decoded:values"]
    assert plane.shape == (15, 15, 8, 8)
    assert values[[0, 7, 14]] == pytest.approx([-2, 0, 2], abs=1e-6)
    assert np.all(np.diff(values) > 0)
    assert np.diff(values)[7] < np.diff(values)[0], "they lie closer where codes are more probable"
    network = next(layer for layer in run.model.layers if layer.name.endswith("_network"))
    import keras

    decoder = keras.Model(network.get_layer("code").output, network.output)
    for row, column in ((0, 0), (3, 12), (14, 1)):
        given = np.array([[values[column], values[row]]], "float32")  # the first number to the right, the second up
        np.testing.assert_allclose(plane[row, column].ravel(), np.asarray(decoder(given))[0], atol=1e-5)
    page = run.report.read_text()
    assert "The plane of the code" in page


def test_the_code_that_is_shown_is_the_mean_wherever_that_stands(runs):
    run = runs(2)
    rows = run.spec.data.dataset.load(run.spec.seed)["image"][run.predictions["row"]].astype("float64")
    np.testing.assert_allclose(run.pictures["code:points"], np.asarray(run.encoder("code")([rows])), atol=1e-4)


@pytest.mark.slow
def test_a_code_of_more_numbers_is_shown_by_what_is_drawn(runs):
    run = runs(3)
    assert run.pictures["decoded:drawn"].shape == (20, 8, 8)
    assert "decoded:plane" not in run.pictures
    assert "Drawn from the code" in run.report.read_text()


@pytest.mark.slow
def test_a_table_has_no_pictures_and_other_columns(tmp_path):
    run = dlspec.run(dlspec.load(TABLE.replace("CODE", "2")), out=tmp_path / "run")
    assert not [name for name in run.pictures if name.startswith("decoded")]
    assert "The plane of the code" not in run.report.read_text()
    columns = list(pd.read_csv(run.folder / "history.csv"))
    parts = ["reconstruction", "divergence", "val_reconstruction", "val_divergence"]
    assert columns == ["stage", "epoch", "loss", "val_loss", *parts, "seconds"]


def test_the_history_file_has_the_parts(runs):
    table = pd.read_csv(runs(2).folder / "history.csv")
    for prefix in ("", "val_"):
        total = table[f"{prefix}reconstruction"] + table[f"{prefix}divergence"]
        assert total.to_numpy() == pytest.approx(table[f"{prefix}loss"].to_numpy(), rel=1e-5)


def test_units_that_say_nothing_are_named(runs):
    spec = dlspec.load(VAE.replace("CODE", "3"))
    data = load_data(spec)
    plan = plan_of(spec, data)
    network = new_network(spec, plan, data)
    for name in ("mean", "log_var"):
        kernel, bias = network.get_layer(name).get_weights()
        kernel[:, 1], bias[1] = 0, 0  # the standard normal, whatever comes
        network.get_layer(name).set_weights([kernel, bias])
    x = data.train.inputs[:200]
    seen = predict(dlspec_model(network, "seen"), x)
    parts = [seen @ network.get_layer(n).get_weights()[0] for n in ("mean", "log_var")]
    wanted = (0.5 * (parts[0] ** 2 + np.exp(parts[1]) - 1 - parts[1])).mean(axis=0)
    each = divergence_of_units(network, "code", x)
    assert each == pytest.approx(wanted, rel=1e-4, abs=1e-9)
    assert each[1] == 0
    (said,) = collapsed_units(plan.graph, network, x)
    assert "1 of 3 units of the code `code` has collapsed (unit 2)" in said


def dlspec_model(network, name):
    import keras

    return keras.Model(network.inputs, network.get_layer(name).output)


@pytest.mark.slow
def test_a_run_with_a_large_factor_collapses_and_says_so(tmp_path):
    text = VAE.replace("CODE", "4").replace("name: code", "kl: 50, name: code").replace("epochs: 2", "epochs: 25")
    notes = dlspec.run(dlspec.load(text), out=tmp_path / "run").metrics["notes"]
    assert any("4 of 4 units of the code `code` have collapsed (units 1, 2, 3, 4)" in note for note in notes), notes


def test_a_code_that_is_used_is_not_reported(runs):
    assert not [note for note in runs(2).metrics["notes"] if "collapsed" in note]


def test_predict_gives_the_same_twice(runs):
    rows = runs(2).spec.data.dataset.load(1)["image"][:5]
    first, second = (runs(2).predict(rows) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_a_script_is_refused_by_name(tmp_path):
    with pytest.raises(DataError) as caught:
        dlspec.eject(VAE.replace("CODE", "2"), out=tmp_path / "vae.py")
    (found,) = caught.value.diagnostics
    assert (found.code, "`sampling`" in found.message) == ("cannot-eject", True)
    without = VAE.replace("CODE", "2").replace("  - sampling: {from: [mean, log_var], name: code}\n", "")
    with pytest.raises(DataError) as caught:
        dlspec.eject(without.replace("train: {", "train: {loss: squared_error, "), out=tmp_path / "vae.py")
    assert "`squared_error`" in caught.value.diagnostics[0].message
    assert not list(tmp_path.iterdir())
