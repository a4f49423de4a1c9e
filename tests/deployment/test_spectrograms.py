"""Spectrograms, whose Fourier transform runtimes do not have, as convolutions."""

import numpy as np
import pytest

import dlspec
from dlspec.deployment.convertible import convertible
from dlspec.deployment.records import read_receipt
from dlspec.model.layers import LAYERS

MEL = [
    {"fft_length": 64, "sequence_stride": 16},
    {"fft_length": 64, "sequence_stride": 24, "sequence_length": 40, "window": "hamming"},
    {"fft_length": 64, "sequence_stride": 24, "sequence_length": 41},
    {"fft_length": 64, "sequence_stride": 24, "sequence_length": 40, "window": None},
    {"fft_length": 64, "sequence_stride": 16, "mag_exp": 1, "power_to_db": False},
    {"fft_length": 64, "sequence_stride": 16, "mag_exp": 1.5, "top_db": 10},
    {"fft_length": 32, "sequence_stride": 10, "sampling_rate": 8000, "min_freq": 100, "max_freq": 3000},
    {"fft_length": 64, "sequence_stride": 16, "min_power": 0.5, "ref_power": 3.0},
]
SOUNDS = """\
dlspec: 1
name: sounds
data: {arrays: sounds.npz}
model:
  - mel_spectrogram: {fft_length: 64, sequence_stride: 16, num_mel_bins: 8, sampling_rate: 4000}
  - flatten
  - output
train: {epochs: 2, batch_size: 16}
"""
CHANNELS = """\
dlspec: 1
name: channels
data: {arrays: sounds.npz}
model:
  - reshape: [300, 2]
  - stft_spectrogram: {frame_length: 32, mode: MODE}
  - {conv1d: {filters: 3, kernel_size: 3}}
  - flatten
  - output
train: {epochs: 2, batch_size: 16}
"""
FORMATS = ["net.onnx", "net.tflite", "net.xml"]


@pytest.mark.parametrize("written", MEL, ids=str)
def test_the_convolution_gives_what_the_layer_gives(written):
    import keras

    layer = LAYERS.read({"mel_spectrogram": {"num_mel_bins": 12, **written}})
    inputs = keras.Input((600,))
    network = keras.Model(inputs, layer.connect(layer.build("mel"), [inputs]))
    sounds = _sounds()[:6]
    expected, found = (np.asarray(model(sounds)) for model in (network, convertible(network)))
    assert convertible(network) is not network
    assert expected.std() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def _sounds():
    random = np.random.default_rng(0)
    times = np.arange(600) / 4000
    pitch = random.uniform(200, 1500, (60, 1))
    return (np.sin(2 * np.pi * pitch * times) + 0.1 * random.normal(size=(60, 600))).astype("float32")


@pytest.fixture(scope="module")
def trained_sounds(tmp_path_factory):
    home = tmp_path_factory.mktemp("sounds")
    sounds = _sounds()
    np.savez(home / "sounds.npz", x=sounds, y=(np.abs(np.diff(sounds)).mean(axis=1) > 0.9).astype(int))
    specs = {"mel": SOUNDS, **{mode: CHANNELS.replace("MODE", mode) for mode in ("log", "stft")}}
    runs = {}

    def run(name):
        if name not in runs:
            (home / f"{name}.yaml").write_text(specs[name], encoding="utf-8")
            runs[name] = dlspec.run(home / f"{name}.yaml", out=home / name)
        return runs[name]

    return run


@pytest.mark.everyday("mel-net.onnx")
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["mel", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("log", "stft"))])
def test_a_network_of_sounds_is_exported(trained_sounds, tmp_path, name, format):
    proof = read_receipt(dlspec.export(trained_sounds(name), out=tmp_path / format))["proof"]
    assert 0 < proof["largest_difference"] <= 1e-5
