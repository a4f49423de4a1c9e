"""A class for each pixel of a picture, from files to the report and to masks that are written."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

import dlspec
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.runs.job import load_data

VALUES = {"ground": 0, "ball": 7, "box": 90}
SPEC = """\
dlspec: 1
seed: 1
data:
  images:
    {{path: photos, masks: masks, size: [16, 16], fit: pad, classes: {{0: ground, 7: ball, 90: box}}, ignore: 255}}
  scale: min_max
model:
{layers}  - conv2d: {{filters: 6, kernel_size: {size}, padding: same, activation: relu}}
  - output
train: {{epochs: {epochs}, batch_size: 8, optimizer: {{adam: 0.02}}{more}}}
"""


def draw(folder, count=60, first=0, suffix="jpg"):
    """Photos of balls and boxes, 24 x 30, and masks whose edges do not count."""
    random = np.random.default_rng(first)
    for kind in ("photos", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for i in range(first, first + count):
        photo = Image.fromarray(random.integers(0, 90, (24, 30, 3)).astype("uint8"))
        mask = Image.new("L", photo.size, 0)
        on_photo, on_mask = ImageDraw.Draw(photo), ImageDraw.Draw(mask)
        x, y = int(random.integers(1, 9)), int(random.integers(1, 12))
        for left, name, color in ((x, "ball", (220, 90, 60)), (x + 11, "box", (70, 120, 230))):
            drawn = "ellipse" if name == "ball" else "rectangle"
            getattr(on_mask, drawn)((left - 1, y - 1, left + 9, y + 9), fill=255)
            getattr(on_mask, drawn)((left, y, left + 8, y + 8), fill=VALUES[name])
            getattr(on_photo, drawn)((left, y, left + 8, y + 8), fill=color)
        photo.save(folder / "photos" / f"{i:02d}.{suffix}")
        mask.save(folder / "masks" / f"{i:02d}.png")


def values_in(folder):
    """The values of the masks in a folder, in the order of their names."""
    found = []
    for file in sorted(folder.iterdir()):
        with Image.open(file) as mask:
            found.append(np.asarray(mask))
    return found


def spec_in(folder, layers="", epochs=6, more="", size=3):
    file = folder / "it.yaml"
    file.write_text(SPEC.format(layers=layers, epochs=epochs, more=more, size=size))
    return file


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def run(home):
    return dlspec.run(spec_in(home), out=home / "run")


def test_a_run_is_whole(run):
    assert run.graph.output_shape == (None, 16, 16, 3)
    assert run.metrics.saved_model.same
    assert {*run.metrics.test} == {"accuracy", "mean_iou", "log_loss"}
    assert {*run.metrics.baselines} == {"majority", "place_majority"}
    assert run.metrics.test["mean_iou"] > run.metrics.baselines["place_majority"]["mean_iou"]
    assert run.data.target.classes == ("ground", "ball", "box")
    counts = run.data.class_counts
    assert (
        sum(part for each in counts.values() for part in each.as_json().values()) < 60 * 16 * 13
    )  # of 16 rows 3 are edges
    page = run.report.read_text(encoding="utf-8")
    assert "Truth, guess, and where they differ" in page
    assert {"places:seen", "places:truth", "places:network"} <= {*run.pictures}
    assert (run.pictures["places:truth"] == -1).any()


def test_pixels_that_are_ignored_count_in_no_metric(run):
    data = load_data(run.spec)
    truth = np.asarray(data.test.truth)
    assert (truth == -1).mean() > 0.2
    assert (truth[:, [0, -1]] == -1).all()  # edges that were put in
    shares = np.asarray(run.model.predict_on_batch(np.asarray(data.test.raw)))
    found, counts = shares.argmax(axis=-1), truth >= 0
    assert run.metrics.test["accuracy"] == pytest.approx((found == truth)[counts].mean())
    overlaps = [((found == i) & (truth == i)).sum() / (((found == i) | (truth == i)) & counts).sum() for i in range(3)]
    assert run.metrics.test["mean_iou"] == pytest.approx(np.mean(overlaps))
    wrong = ((found != truth) & counts).sum(axis=(1, 2)) / counts.sum(axis=(1, 2)).mean()
    assert run.predictions["network"].to_numpy() == pytest.approx(wrong)


def test_the_loss_of_validation_is_over_pixels_that_count(run):
    data = load_data(run.spec)
    truth = np.asarray(data.validation.truth)
    shares = np.asarray(run.model.predict_on_batch(np.asarray(data.validation.raw)))
    own = np.take_along_axis(shares, np.maximum(truth, 0)[..., None], axis=-1)[..., 0]
    assert run.history[-1].val_loss == pytest.approx(-np.log(own)[truth >= 0].mean(), rel=1e-5)


LOSSES = [
    "sparse_categorical_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy", "dice",
    "{dice: {axis: -1}}", "tversky", "categorical_generalized_cross_entropy",
    "{sparse_categorical_crossentropy: {reduction: sum}}",
]  # fmt: skip


def trained(spec, data, engine, flat=False, steps=3):
    """Losses of some steps and the weights after them, by an engine.

    Args:
        flat: whether pixels that do not count are seen in another color.
    """
    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.tensorflow import TensorFlowEngine
    from dlspec.training.masked import keep_mask
    from dlspec.training.stage_data import encoded_targets
    from dlspec.training.values import as_array, seed_everything

    seed_everything(1, "it")
    network = dlspec.build(spec)
    network.compile(optimizer="sgd", loss=spec.train.loss.build())
    keep_mask(network, data.signature.target, spec.train.loss)
    y = np.asarray(encoded_targets(data.train, spec.train.loss, data.signature.target, network)[:])
    x = np.array(data.train.inputs[:])
    if flat:
        x[np.asarray(data.train.truth) < 0] = 0.5
    kinds = {"keras": StepByStep, "tensorflow": TensorFlowEngine}
    made = kinds[engine](network, x, y, None, 8)
    order = np.random.default_rng(0).permutation(len(x))
    losses = np.asarray(made.run(order, 0, steps))
    held_out = made.loss(x, y)
    made.close()
    return losses, held_out, [as_array(weight) for weight in network.weights]


@pytest.mark.everyday(
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "tversky",
    "{sparse_categorical_crossentropy: {reduction: sum}}",
)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_leaves_out_what_does_not_count_in_both_engines(home, loss):
    spec = dlspec.load(spec_in(home, more=f", loss: {loss}", size=1))
    data = load_data(spec)
    given = [trained(spec, data, engine, flat) for engine in ("keras", "tensorflow") for flat in (False, True)]
    assert np.isfinite(given[0][0]).all()
    for losses, held_out, weights in given[1:]:  # a network that sees single pixels learns nothing of those left out
        np.testing.assert_allclose(losses, given[0][0], rtol=1e-4)
        assert held_out == pytest.approx(given[0][1], rel=1e-4)
        for one, other in zip(weights, given[0][2], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_predict_writes_a_mask_for_each_photo(run, home, tmp_path):
    notes = []
    assert dlspec.predict(run.folder, home / "photos", tmp_path / "found", note=notes.append) == 60
    assert notes[-1] == (
        f"wrote 60 masks to `{tmp_path / 'found'}`, PNG with a palette, whose values are 0 ground, 7 ball, 90 box"
    )
    found, true = (values_in(folder) for folder in (tmp_path / "found", home / "masks"))
    assert {values.shape for values in found} == {(24, 30)}
    assert {*np.unique(found)} <= {0, 7, 90}
    right = np.concatenate([(one == other)[other != 255] for one, other in zip(found, true, strict=True)]).mean()
    assert right == pytest.approx(run.metrics.test["accuracy"], abs=0.08)
    with Image.open(tmp_path / "found" / "00.png") as first:
        assert first.mode == "P"
    one = dlspec.predict(run.folder, home / "photos" / "03.jpg", tmp_path / "one")
    assert one == 1
    np.testing.assert_array_equal(values_in(tmp_path / "one")[0], found[3])


def test_what_is_written_can_be_read_as_masks(run, home, tmp_path):
    dlspec.predict(run.folder, home / "photos", tmp_path / "masks")
    shutil.copytree(home / "photos", tmp_path / "photos")
    evaluated = dlspec.evaluate(run.folder, tmp_path)
    assert evaluated.metrics.test["accuracy"] > 0.97  # but for what sizes change


def test_predict_needs_a_new_folder(run, home, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.txt").write_text("mine")
    for out, said in ((tmp_path / "there", "is there already"), (tmp_path / "a.csv", "called as a file")):
        with pytest.raises(DataError, match=said):
            dlspec.predict(run.folder, home / "photos", out)
    with (tmp_path / "open").open("wb") as stream, pytest.raises(DataError, match="a mask is written for each"):
        dlspec.predict(run.folder, home / "photos", stream)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["open", "there"]


def test_evaluate_takes_a_folder_with_both(run, tmp_path):
    draw(tmp_path, 20, first=70, suffix="png")
    evaluated = dlspec.evaluate(run.folder, tmp_path)
    assert evaluated.metrics.test["mean_iou"] > evaluated.metrics.baselines["majority"]["mean_iou"]
    assert len(evaluated.predictions) == 20
    with pytest.raises(DataError, match="no folder"):
        dlspec.evaluate(run.folder, tmp_path / "photos")
    values = values_in(tmp_path / "masks")[0].copy()
    values[0, 0] = 33
    Image.fromarray(values).save(tmp_path / "masks" / "70.png")
    with pytest.raises(DataError, match=r"33 in `masks/70\.png`"):
        dlspec.evaluate(run.folder, tmp_path)


def test_an_export_gives_the_same_and_the_rest_is_refused_by_name(run, home, tmp_path):
    dlspec.export(run.folder, out=tmp_path / "m.onnx")
    assert json.loads((tmp_path / "m.onnx.signature.json").read_text())["outputs"]["places"] == [16, 16]
    for call, code in (
        (lambda: dlspec.serve(run.folder, port=0), "cannot-serve"),
        (lambda: dlspec.eject(run.folder, out=tmp_path / "m.py"), "cannot-eject"),
        (lambda: dlspec.predict(run.folder, home / "photos", intervals=0.9, out=tmp_path / "p"), "no-intervals"),
    ):
        with pytest.raises(DataError) as caught:
            call()
        assert caught.value.diagnostics[0].code == code


@pytest.mark.slow
def test_folds_and_large_data_go_with_masks(home):
    file = spec_in(home, epochs=1)
    done = dlspec.run(file, {"data.split.folds": 2, "data.cache": "none"}, out=home / "folds")
    assert len(done.metrics.folds.parts) == 2
    assert all(saved.same for saved in done.metrics.folds.saved_models if saved is not None)


def test_training_that_was_stopped_goes_on_to_the_same_weights(home, monkeypatch):
    from dlspec.training.progress import Checkpoint
    from tests.trained import StopAfter, Training, same

    monkeypatch.setattr("dlspec.training.engines.base.AT_A_TIME", 0.0)  # one step at a time
    file = spec_in(home, "  - random_flip\n  - random_rotation: 0.2\n  - cut_mix\n", epochs=3)
    whole, history = Training(file).run()
    training = Training(file)
    assert training.run(StopAfter(8)) == (None, None)
    training.saved[-1].save(home / "checkpoint.npz")
    resumed, again = training.run(checkpoint=Checkpoint.load(home / "checkpoint.npz"))
    assert same(whole, resumed)
    assert [(row.loss, row.val_loss) for row in history] == [(row.loss, row.val_loss) for row in again]


def test_several_devices_are_refused(home):
    file = spec_in(home)
    file.write_text(f"{file.read_text()}runtime: {{device: cpu, distribute: {{strategy: mirrored}}}}\n")
    assert "one device trains on masks" in str(dlspec.validate(file)[0].help)


def test_masks_of_pretraining_alone_are_refused(home):
    file = spec_in(home)
    file.write_text(
        file.read_text().replace("  scale:", "  unlabeled: {images: {path: photos, masks: masks}}\n  scale:")
    )
    with pytest.raises(SpecError, match="masks"):
        dlspec.load(file)


@pytest.mark.slow
def test_where_pictures_are_cut_masks_are(home, tmp_path):
    layers = "  - random_flip: horizontal\n  - random_crop: {height: 12, width: 14}\n"
    done = dlspec.run(spec_in(home, layers, epochs=3, more=", class_weight: balanced"), out=tmp_path / "run")
    assert done.data.target.places == (12, 14)
    assert done.data.target.cut_from == (16, 16)
    data = load_data(done.spec)
    truth, whole = np.asarray(data.validation.truth), np.asarray(data.validation.targets)
    assert whole.shape[1:] == (16, 16)
    np.testing.assert_array_equal(truth, whole[:, 2:14, 1:15])
    shares = np.asarray(done.model.predict_on_batch(np.asarray(data.validation.raw)))
    own = np.take_along_axis(shares, np.maximum(truth, 0)[..., None], axis=-1)[..., 0]
    assert done.history[-1].val_loss == pytest.approx(-np.log(own)[truth >= 0].mean(), rel=1e-5)
    assert done.metrics.saved_model.same
    assert done.pictures["places:seen"].shape[1:3] == (12, 14)
    dlspec.predict(done.folder, home / "photos", tmp_path / "found")
    found = values_in(tmp_path / "found")[0]
    assert found.shape == (24, 30)
    assert (found[:, 0] == 255).all()  # cut off
    assert {*np.unique(found)} > {255}
    assert dlspec.evaluate(done.folder, home).metrics.test["accuracy"] > 0.6
