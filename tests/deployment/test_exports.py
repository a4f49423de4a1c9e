"""Every export is opened in the runtime that it is for and compared with what was measured."""

import json

import numpy as np
import pytest

import dlspec
from tests.deployment.networks import SPECS_BY_NAME, receipt_of

FORMATS = {
    "keras": "net.keras",
    "onnx": "net.onnx",
    "saved_model": "net_saved_model",
    "litert": "net.tflite",
    "openvino": "net.xml",
}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", SPECS_BY_NAME)
def test_every_network_gives_what_was_measured(network, tmp_path, name, format):
    file = dlspec.export(network(name), out=tmp_path / FORMATS[format], format=format)
    receipt = receipt_of(file)
    proof = receipt["proof"]
    assert proof["rows"] >= 5
    assert proof["largest_difference"] <= proof["allowed"]
    assert proof["largest_difference_of_odd_rows"] <= proof["allowed"]
    rows = json.loads((file / "rows.json" if file.is_dir() else tmp_path / "net.rows.json").read_text(encoding="utf-8"))
    assert len(rows["rows"]) == len(rows["outputs"]) == len(rows["predictions"]) == 5
    assert np.isfinite(np.array(rows["outputs"])).all()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("layers", ["..code", "code.."])
def test_a_part_of_a_network_is_exported_in_every_format(network, tmp_path, layers, format):
    file = dlspec.export(network("given_back"), layers=layers, out=tmp_path / FORMATS[format], format=format)
    receipt = receipt_of(file)
    assert receipt["proof"]["largest_difference"] <= 1e-5
    signature = json.loads((file / "signature.json" if file.is_dir() else tmp_path / "net.signature.json").read_text())
    assert signature["outputs"]["kind"] == "layer"
    assert signature["preprocessing"] is None
