"""Arrays, pictures, words and numbers side by side: each has an input of its own, in training, in the saved model and
for new rows."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dlspec
from dlspec.data.datasets import DATASETS
from dlspec.language.diagnostics.errors import DataError
from tests.commands import dlspec_here
from tests.preloaded import preloaded

PAIRS = """\
dlspec: 1
name: pairs
data: {dataset: {digit_pairs: {samples: 600}}, scale: min_max}
model:
  inputs: {one: left, other: right}
  layers:
    - flatten: {from: one, name: flat}
    - dense: {units: 12, activation: relu, name: code}
    - shared: {layers: [flat, code], from: other}
    - subtract: {from: [code, code_again]}
    - square
    - dense: 4
    - output
train: {epochs: 3}
"""
SHOP = """\
dlspec: 1
name: shop
data:
  images: {path: shop.csv, column: photo}
  features: {picture: image, size: numeric, colour: category, said: {text: {length: 4}}}
  target: price
model:
  inputs: {photo: picture, facts: [size, colour], words: said}
  layers:
    - flatten: {from: photo}
    - dense: {units: 8, activation: relu, name: seen}
    - embedding: {output_dim: 3, mask_zero: true, from: words}
    - global_average_pooling1d: {name: read}
    - concatenate: {from: [seen, facts, read]}
    - dense: {units: 16, activation: relu}
    - output
train: {epochs: 30, optimizer: {adam: 0.01}}
"""


def shop(folder, count, name="shop.csv", seed=0):
    random = np.random.default_rng(seed)
    (folder / "photos").mkdir(exist_ok=True)
    bright, size = random.integers(0, 255, count), random.normal(size=count).round(3)
    for place, value in enumerate(bright):
        picture = Image.fromarray(np.full((6, 5), value, "uint8"))
        picture.save(folder / "photos" / f"{seed}_{place}.png")
    colour, said = random.choice(["red", "blue"], count), random.choice(["good bread", "bad bread", "good"], count)
    price = bright / 64 + size + 2 * (colour == "red") + np.char.startswith(said, "good")
    table = {"photo": [f"photos/{seed}_{place}.png" for place in range(count)], "size": size, "colour": colour}
    pd.DataFrame({**table, "said": said, "price": price.round(3)}).to_csv(folder / name, index=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    shop(folder, 160)
    shop(folder, 40, "new.csv", seed=1)
    (folder / "shop.yaml").write_text(SHOP)
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return dlspec.run(dlspec.load(PAIRS), out=tmp_path_factory.mktemp("pairs") / "run")


@pytest.fixture(scope="module")
def shop_run(home):
    return dlspec.run(home / "shop.yaml", out=home / "run")


def test_two_pictures_go_through_the_same_layers(pairs):
    """The network is the one that one computes by hand from its weights."""
    network = next(layer for layer in pairs.model.layers if layer.name.endswith("_network"))
    weights = {layer.name: layer.get_weights() for layer in network.layers if layer.get_weights()}
    columns = pairs.spec.data.dataset.load(pairs.spec.seed)
    rows = pairs.predictions["row"].to_numpy()

    def code(name):
        flat = columns[name][rows].reshape(len(rows), -1) / 16
        return np.maximum(flat @ weights["code"][0] + weights["code"][1], 0)

    apart = (code("left") - code("right")) ** 2
    (kernel, bias), (last, end) = weights["dense_1"], weights["output"]
    given = 1 / (1 + np.exp(-((apart @ kernel + bias) @ last + end)))
    np.testing.assert_allclose(pairs.predictions["p(yes)"], given[:, 0], atol=1e-4)
    assert pairs.metrics.saved_model.same
    assert [*pairs.model.input] == ["left", "right"]


def test_no_picture_of_the_test_part_was_trained_on(pairs):
    columns, tests = pairs.spec.data.dataset.load(pairs.spec.seed), 150
    prints = [{own.tobytes() for name in ("left", "right") for own in columns[name][part]}
              for part in (slice(0, 600 - tests), slice(600 - tests, 600))]  # fmt: skip
    assert not prints[0] & prints[1]
    assert 0.45 < (columns["same"] == "yes").mean() < 0.6


def test_arrays_are_predicted_by_their_names(pairs, tmp_path):
    new = DATASETS["digit_pairs"](samples=40).load(9)
    found = pairs.predict({"left": new["left"], "right": new["right"]})
    assert [*found] == ["same", "same=no", "same=yes"]
    np.savez(tmp_path / "new.npz", **new)
    done = dlspec_here("predict", str(pairs.folder), "new.npz", "-o", "found.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(tmp_path / "found.csv")
    np.testing.assert_allclose(written["same=yes"], found["same=yes"], rtol=1e-5)
    judged = dlspec.evaluate(pairs, tmp_path / "new.npz")
    assert judged.metrics.test["accuracy"] == pytest.approx((found["same"] == new["same"]).mean())
    with pytest.raises(DataError, match="of row 2 has the shape"):
        pairs.predict(pd.DataFrame({"left": [np.zeros((8, 8)), np.zeros((8, 7))], "right": [np.zeros((8, 8))] * 2}))
    with pytest.raises(DataError, match="no column `right`"):
        pairs.predict({"left": new["left"]})


def test_an_export_takes_both_arrays(pairs, tmp_path):
    assert dlspec.export(pairs, out=tmp_path / "pairs.onnx").exists()  # and is proven to give the predictions
    with pytest.raises(DataError, match="an array that other features stand beside"):
        dlspec.eject(dlspec.load(PAIRS), out=tmp_path / "script.py")


def test_pictures_numbers_words_and_text_stand_side_by_side(shop_run, home):
    assert shop_run.metrics.test["r2"] > 0.8
    assert shop_run.metrics.saved_model.same
    script = (
        "import sys, json\nsys.modules['dlspec'] = None\nimport keras, numpy as np, pandas as pd, tensorflow as tf\n"
        "from PIL import Image\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\n"
        "rows = pd.read_csv('shop.csv').iloc[json.loads(sys.argv[2])]\n"
        "given = {'picture': tf.constant(np.stack([np.asarray(Image.open(p)) for p in rows['photo']])[..., None], "
        "model.input['picture'].dtype), 'size': tf.constant(rows[['size']].to_numpy('float64'))}\n"
        "given |= {name: tf.constant(rows[[name]].to_numpy(str)) for name in ('colour', 'said')}\n"
        "given['picture'] = tf.reshape(given['picture'], (-1, *model.input['picture'].shape[1:]))\n"
        "print(json.dumps(np.ravel(model(given)).tolist()))\n"
    )
    table = shop_run.predictions
    command = ["-c", script, shop_run.folder / "model.keras", json.dumps(table["row"].tolist())]
    done = preloaded("keras").run(*command, cwd=home)
    assert done.returncode == 0, done.stderr[-800:]
    np.testing.assert_allclose(json.loads(done.stdout), table["network"], rtol=1e-4, atol=1e-4)


def test_other_pictures_with_their_columns(shop_run, home):
    done = dlspec_here("predict", str(shop_run.folder), "new.csv", "-o", "found.csv", cwd=home)
    assert done.returncode == 0, done.stderr
    found, new = pd.read_csv(home / "found.csv"), pd.read_csv(home / "new.csv")
    judged = dlspec.evaluate(shop_run, home / "new.csv")
    assert judged.metrics.test["mae"] == pytest.approx((found["price"] - new["price"]).abs().mean(), rel=1e-4)
    assert judged.metrics.test["r2"] > 0.7


def test_pictures_may_stay_in_their_files(shop_run, home):
    spec = dlspec.load(home / "shop.yaml", overrides={"data.cache": "none"})
    again = dlspec.run(spec, out=home / "lazy")
    np.testing.assert_allclose(again.predictions["network"], shop_run.predictions["network"], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("", "`left` holds arrays, such as pictures, and `right` stands beside it"),
        ("  inputs: {both: [left, right]}\n", "`left` holds arrays, such as pictures, and `right` stands beside it"),
    ],
)
def test_arrays_have_inputs_of_their_own(inputs, message):
    text = f"dlspec: 1\ndata: {{dataset: digit_pairs}}\nmodel:\n{inputs}  layers: [flatten, output]\n"
    (found,) = dlspec.validate(text)
    assert message in found.message
    assert found.code == "wrong-value"


def test_one_array_of_several_may_be_all_that_is_seen():
    text = "dlspec: 1\ndata: {dataset: digit_pairs, features: left}\nmodel: [flatten, output]\n"
    assert not dlspec.validate(text)
    assert dlspec.graph(dlspec.load(text)).inputs[0].shape == (None, 8, 8)


@pytest.mark.slow
def test_pixels_reach_a_network_of_others_as_they_are_and_columns_are_scaled(tmp_path):
    random = np.random.default_rng(0)
    x, age = random.integers(0, 256, (60, 32, 32, 3)).astype("uint8"), random.normal(50, 10, 60)
    np.savez(tmp_path / "d.npz", x=x, age=age, y=(age > 50).astype(int))
    text = f"""\
dlspec: 1
data: {{arrays: {tmp_path}/d.npz}}
model:
  inputs: {{photo: x, facts: age}}
  layers:
    - application: {{mobilenet: {{weights: null, pooling: avg, alpha: 0.25, from: photo}}}}
    - concatenate: {{from: [mobilenet, facts]}}
    - output
train: {{epochs: 1}}
"""
    run = dlspec.run(dlspec.load(text), out=tmp_path / "run")
    from dlspec.model.build import preprocessing_of

    seen = np.asarray(preprocessing_of(run.model)({"x": x[:3].astype("float32"), "age": age[:3, None]}))
    np.testing.assert_array_equal(seen[:, :-1].reshape(x[:3].shape), x[:3])
    assert np.abs(seen[:, -1]).max() < 4
    scaled = text.replace("npz}", "npz, features: {x: {image: {scale: min_max}}, age: numeric}}")
    assert "scaled-twice" in [problem.code for problem in dlspec.validate(scaled)]
    dark = tmp_path / "dark.npz"
    np.savez(dark, x=(x / 255).astype("float32"), age=age, y=(age > 50).astype(int))
    with pytest.raises(DataError, match="lies from 0 to 1"):
        dlspec.run(dlspec.load(text.replace(f"{tmp_path}/d.npz", str(dark))), out=tmp_path / "other")


def test_arrays_side_by_side_may_have_scales_of_their_own():
    text = """\
dlspec: 1
data: {dataset: parcels, features: {picture: {image: {scale: none}}, pixel: numeric}, target: weight}
model:
  inputs: {photo: picture, facts: pixel}
  layers: [flatten: {from: photo, name: flat}, concatenate: {from: [flat, facts]}, output]
"""
    from dlspec.runs.job import load_data

    data = load_data(dlspec.load(text))
    assert data.train.inputs[:, :-1].mean() == pytest.approx(data.columns["picture"][data.train.rows].mean(), rel=1e-4)
    assert data.train.inputs[:, -1].std() == pytest.approx(1, rel=1e-3)
    alone = "dlspec: 1\ndata: {dataset: digits, features: {image: {image: {scale: none}}}}\nmodel: [flatten, output]\n"
    (found,) = dlspec.validate(alone)
    assert "write `scale: none` under `data`" in found.help
