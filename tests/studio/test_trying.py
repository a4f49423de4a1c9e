"""The network of a run on other inputs: the answer is that of `predict`, and what is shown of the inside is right."""

import json

import numpy as np
import pytest

import dlspec
from dlspec.runs.kept_pictures import from_quantized, quantized
from dlspec.studio.trying import Tried
from tests.conftest import TINY_SERIES

pytestmark = pytest.mark.slow
LINE = """\
dlspec: 1
name: line
data: {dataset: {spirals: {samples: 200}}}
model: [output]
train: {epochs: 3}
"""
TABLE = """\
dlspec: 1
name: homes
data: {table: homes.csv, target: price, features: {size: numeric, city: category, built: time}}
model: [dense: 4, output]
train: {epochs: 2}
"""
HOMES = "size,city,built,price\n" + "".join(
    f"{30 + i % 70},{('Seoul', 'Busan')[i % 2]},20{10 + i % 9}-0{1 + i % 9}-1{i % 10},{3 * (30 + i % 70) + i % 7}\n"
    for i in range(120)
)
DIGITS = """\
dlspec: 1
name: digits
data: {dataset: digits, scale: min_max}
model: [reshape: [8, 8, 1], conv2d: {filters: 4, kernel_size: 3, activation: relu}, flatten, output]
train: {epochs: 2}
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    place = tmp_path_factory.mktemp("tried")
    (place / "homes.csv").write_text(HOMES)
    texts = {"line": LINE, "table": TABLE, "series": TINY_SERIES, "digits": DIGITS}
    found = {}
    for name, text in texts.items():
        (place / f"{name}.yaml").write_text(text)
        found[name] = Tried(dlspec.run(place / f"{name}.yaml", out=place / name))
    return found


def shares(answer):
    return {each["label"]: each["share"] for each in answer["answers"][0]["classes"]}


KINDS = [("line", "form"), ("table", "form"), ("series", "series"), ("digits", "picture")]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_sample_given_back_has_the_same_answer(tried, name, kind):
    one = tried[name]
    assert one.form({})["kind"] == kind
    shown = one.another({"number": 2})
    json.dumps(shown)
    given = shown["given"]
    if "array" in given:
        low, high = one.form({})["range"]
        given = {"picture": quantized((from_quantized(given["array"]) - low) / (high - low), "u1")}
        given["picture"] |= {"low": 0.0, "high": given["picture"]["high"]}
    again = one.ask(given)
    first, second = shown["answers"][0], again["answers"][0]
    if "classes" in first:
        assert shares(shown) == pytest.approx(shares(again), abs=0.02)
    else:
        assert second["number"] == pytest.approx(first["number"], rel=1e-4)
        assert first["low"] < first["number"] < first["high"]


def test_answers_are_those_of_predict(tried):
    one = tried["table"]
    values = {"size": 55.0, "city": "Busan", "built": "2014-03-12"}
    answer = one.ask({"values": values})
    found = one.run.predict({name: [value] for name, value in values.items()})
    assert answer["answers"][0]["number"] == pytest.approx(float(found["price"].iloc[0]), rel=1e-6)
    assert answer["notes"] == []
    far = one.ask({"values": {**values, "size": 5000.0, "city": "Jeju"}})
    assert any("size" in note for note in far["notes"])
    assert any("Jeju" in note for note in far["notes"])


def test_the_truth_of_a_sample_is_that_of_the_data(tried):
    one = tried["digits"]
    predictions = one.run.predictions
    for number in range(4):
        shown = one.another({"number": number})
        row = predictions.iloc[int(one.samples.places[number])]
        assert shown["truth"] == str(row["truth"])
        assert shown["answers"][0]["classes"][0]["label"] == str(row["network"])


def test_where_it_looks_is_the_gradient(tried):
    one = tried["line"]
    shown = one.another({"number": 0})
    looks = from_quantized(shown["looks"])
    layers = np.load(one.run.folder / "layers.npz")
    weights = np.abs(next(layers[name] for name in layers.files if layers[name].ndim == 2))
    assert looks.shape == (2,)
    assert looks.argmax() == weights[:, 0].argmax()
    strongest = shown["looks"]["high"] / max(shown["looks"]["low"], 1e-12)
    assert strongest == pytest.approx(float(weights.max() / weights.min()), rel=0.02)


def test_maps_are_those_of_the_layers(tried):
    one = tried["digits"]
    shown = one.another({"number": 0})
    layer = shown["layers"][0]
    assert (layer["name"], layer["shape"]) == ("conv2d_1", [6, 6, 4])
    raw = next(iter(one.samples.raw.values()))[:1]
    maps = np.moveaxis(one.run.encoder("conv2d_1").predict_on_batch(raw)[0], -1, 0)
    np.testing.assert_allclose(from_quantized(layer["maps"]), maps, atol=float(np.ptp(maps)) / 255)


def test_a_picture_unlike_all_others_is_a_warning(tried):
    one = tried["digits"]
    white = one.ask({"picture": {**quantized(np.full((8, 8), 1.0), "u1"), "low": 1.0, "high": 1.0}})
    assert any("may not know" in note for note in white["notes"])
