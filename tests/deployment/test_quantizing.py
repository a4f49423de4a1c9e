"""Weights of 8 bits: where they pay, what they cost, and what is said where they do not."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.deployment.quantizing import Cost, cost_of
from dlspec.deployment.records import read_receipt
from dlspec.language.diagnostics.errors import DataError
from dlspec.training.values import predict

DIGITS = """\
dlspec: 1
name: wide_digits
data: {dataset: digits, scale: min_max}
model: [flatten, {dense: {units: 64, activation: relu}}, output]
train: {epochs: 4, batch_size: 32}
"""
EXACT = """\
dlspec: 1
name: exact
data: {table: exact.csv, target: y, features: [a, b, c]}
model: [dense: 64, dense: 64, output]
train: {epochs: 40, batch_size: 16, optimizer: {adam: 0.003}}
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return dlspec.run(_spec(tmp_path_factory.mktemp("digits"), DIGITS), out=tmp_path_factory.mktemp("runs") / "digits")


def _spec(folder, text):
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return folder / "spec.yaml"


@pytest.mark.parametrize("format", ["net.tflite", "net.onnx"])
def test_a_quantized_file_is_smaller_and_as_accurate(digits, tmp_path, format):
    plain = dlspec.export(digits, out=tmp_path / f"plain_{format}")
    small = dlspec.export(digits, out=tmp_path / format, quantize=True)
    receipt = read_receipt(small)
    said = receipt["quantized"]
    assert said["metric"] == "accuracy"
    assert said["before"] == pytest.approx(digits.metrics.test["accuracy"], abs=1e-9)
    assert said["after"] >= said["before"] - 0.005
    assert said["rows"] == len(digits.predictions)
    assert said["smaller_by"] == pytest.approx(1 - small.stat().st_size / plain.stat().st_size, rel=0.01)
    assert said["smaller_by"] > 0.4
    # it is another network, and the receipt does not hide it
    assert receipt["proof"]["largest_difference"] > read_receipt(plain)["proof"]["allowed"]
    assert "quantized" not in read_receipt(plain)


@pytest.mark.parametrize("format", ["net.tflite", "net.onnx"])
def test_nothing_is_kept_where_the_file_is_not_smaller(network, tmp_path, format):
    with pytest.raises(DataError, match="do not pay") as caught:
        dlspec.export(network("labels"), out=tmp_path / format, quantize=True)
    assert caught.value.diagnostics[0].code == "cannot-export"
    assert not [*tmp_path.iterdir()]


def test_nothing_is_kept_where_it_costs_more_than_a_hundredth_of_the_error(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(400, 3)), columns=["a", "b", "c"])
    frame.assign(y=3 * frame.a - 2 * frame.b + frame.c).to_csv(tmp_path / "exact.csv", index=False)
    run = dlspec.run(_spec(tmp_path, EXACT), out=tmp_path / "run")
    (tmp_path / "exports").mkdir()
    with pytest.raises(DataError, match=r"has on the 60 rows of the test part an RMSE of `y` of .* instead of"):
        dlspec.export(run, out=tmp_path / "exports" / "net.onnx", quantize=True)
    assert not [*(tmp_path / "exports").iterdir()]
    (tmp_path / "exact.csv").unlink()
    with pytest.raises(DataError, match="what quantizing costs cannot be measured") as caught:
        dlspec.export(run, out=tmp_path / "exports" / "net.onnx", quantize=True)
    assert caught.value.diagnostics[0].code == "no-samples"
    assert not [*(tmp_path / "exports").iterdir()]


def test_a_part_and_a_format_without_it_are_refused(digits, tmp_path):
    with pytest.raises(DataError, match="a part of a network has no figure"):
        dlspec.export(digits, layers="..dense_1", out=tmp_path / "net.onnx", quantize=True)
    with pytest.raises(DataError, match="the format `openvino` is not quantized") as caught:
        dlspec.export(digits, out=tmp_path / "net.xml", quantize=True)
    assert "`litert` or `onnx`" in caught.value.diagnostics[0].help
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["table", "numbers", "series", "labels", "given_back", "half"])
def test_what_is_measured_before_is_what_the_run_has(network, name):
    run = network(name)

    def same(raw):
        return predict(run.model, raw if isinstance(run.model.input, dict) else next(iter(raw.values())))

    cost, rows = cost_of(run, run.model, same), run.predictions
    assert cost.before == cost.after
    assert cost.rows == len(rows)
    if name in ("numbers", "series"):
        off = [rows[f"truth:{value}"] - rows[f"network:{value}"] for value in cost.values]
        assert cost.before == pytest.approx([np.sqrt((each**2).mean()) for each in off], rel=1e-6)
    else:
        own = {"table": "rmse", "labels": "log_loss", "given_back": "rmse", "half": "accuracy"}[name]
        assert cost.before == (pytest.approx(run.metrics.test[own], rel=1e-5),)


@pytest.mark.parametrize(
    ("metric", "before", "after", "worst"),
    [
        ("accuracy", (0.9,), (0.8951,), None),
        ("accuracy", (0.9,), (0.894,), 0),
        ("accuracy", (0.9,), (0.95,), None),
        ("rmse", (2.0, 3.0), (2.019, 3.029), None),
        ("rmse", (2.0, 3.0), (2.0, 3.04), 1),
        ("loss", (0.5,), (float("nan"),), 0),
    ],
)
def test_how_much_may_be_lost(metric, before, after, worst):
    assert Cost(metric, ("a", "b")[: len(before)], before, after, 10).worst == worst
