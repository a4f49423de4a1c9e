"""Weights of `keras.applications`: out of Keras's cache, or a file; where they are not there, which file goes where."""

import keras
import numpy as np
import pytest
from keras.src.backend import config
from keras.src.legacy.saving import legacy_h5_format

import dlspec
from tests.model.test_applications import item, pictures, shaken

SIDE = 128
FILE = "mobilenet_2_5_128_tf_no_top.h5"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of Keras, of this process as of a new one."""
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path / "keras"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    return tmp_path / "keras" / "models"


@pytest.fixture(scope="module")
def mobilenet():
    return shaken(
        keras.applications.MobileNet(
            include_top=False, weights=None, alpha=0.25, pooling="avg", input_shape=(SIDE, SIDE, 3)
        )
    )


def spec_of(folder, side=SIDE, **given):
    layers = "".join(f"  - {layer}\n" for layer in (item(given.pop("network", "mobilenet"), **given), "output"))
    path = folder / "spec.yaml"
    path.write_text(
        f"dlspec: 1\ndata: {{arrays: {pictures(folder, side, side, 3)}}}\nmodel:\n{layers}", encoding="utf-8"
    )
    return path


def outputs(network, x, name="mobilenet_avg_pool"):
    return np.asarray(keras.Model(network.input, network.get_layer(name).output)(x))


def test_they_come_out_of_the_cache_as_keras_reads_it(cache, mobilenet, tmp_path):
    import h5py

    with h5py.File(cache / FILE, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, mobilenet)
    network = dlspec.build(spec_of(tmp_path, alpha=0.25, pooling="avg"))
    theirs = keras.applications.MobileNet(
        include_top=False, weights="imagenet", alpha=0.25, pooling="avg", input_shape=(SIDE, SIDE, 3)
    )
    x = np.random.default_rng(3).integers(0, 256, (2, SIDE, SIDE, 3)).astype("float32")
    wanted = np.asarray(theirs(keras.applications.mobilenet.preprocess_input(x.copy())))
    assert np.array_equal(wanted, np.asarray(mobilenet(keras.applications.mobilenet.preprocess_input(x.copy()))))
    np.testing.assert_allclose(outputs(network, x), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def test_where_they_are_not_there_the_message_says_which_file_goes_where(cache, tmp_path, monkeypatch):
    def unreachable(*given, **more):
        raise OSError("no route to host")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.run(spec_of(tmp_path, alpha=0.25, pooling="avg"), out=tmp_path / "runs")
    (problem,) = caught.value.diagnostics
    assert problem.code == "weights-not-found"
    assert f"`{FILE}`" in problem.message
    assert "not in Keras's cache" in problem.message
    assert "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/" + FILE in problem.help
    assert str(cache) in problem.help
    (cache / "efficientnetb0_notop.h5").write_bytes(b"cut off")
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.build(spec_of(tmp_path, network="efficientnet_b0", side=32, pooling="avg"))
    assert "is not the file that Keras has the checksum 50bc" in caught.value.diagnostics[0].message
    assert (cache / "efficientnetb0_notop.h5").read_bytes() == b"cut off"  # which Keras would have removed


@pytest.mark.slow
def test_a_file_of_ones_own_is_relative_to_the_spec_and_its_run(mobilenet, tmp_path):
    mobilenet.save_weights(tmp_path / "own.weights.h5")
    spec = spec_of(tmp_path, alpha=0.25, pooling="avg", weights="own.weights.h5", trainable=False)
    run = dlspec.run(spec, {"train.epochs": 1, "data.split": {"validation": 0.25, "test": 0.25}}, out=tmp_path / "runs")
    network = next(layer for layer in run.model.layers if isinstance(layer, keras.Model))
    x = np.random.default_rng(3).integers(0, 256, (2, SIDE, SIDE, 3)).astype("float32")
    wanted = np.asarray(mobilenet(keras.applications.mobilenet.preprocess_input(x.copy())))
    np.testing.assert_allclose(outputs(network, x), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    resolved = dlspec.load(run.folder / "resolved.yaml")
    again = dlspec.build(resolved)
    assert np.array_equal(outputs(again, x), outputs(network, x))
    assert resolved.data.scale == "none"


def test_weights_of_another_network_are_refused(mobilenet, tmp_path):
    mobilenet.save_weights(tmp_path / "own.weights.h5")
    for weights, said in (("own.weights.h5", "holds no weights of `MobileNet`"), ("gone.h5", "there is no file")):
        with pytest.raises(dlspec.DataError) as caught:
            dlspec.build(spec_of(tmp_path, alpha=0.5, pooling="avg", weights=weights))
        assert said in caught.value.diagnostics[0].message
