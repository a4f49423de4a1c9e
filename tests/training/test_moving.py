"""Masks move with their pictures while training: pixel for pixel, in every engine, and at no other time."""

import numpy as np
import pytest

import dlspec
from dlspec.data.signature import Target
from dlspec.language.diagnostics.errors import SpecError
from dlspec.training.engines.base import StepByStep
from dlspec.training.engines.tensorflow import TensorFlowEngine
from dlspec.training.losses import LOSSES
from dlspec.training.masked import keep_mask
from dlspec.training.moving import Moves
from dlspec.training.values import as_array

SIZE, CLASSES, COUNT, BATCH = (12, 10), 3, 22, 8
NEAREST = {"interpolation": "nearest", "fill_mode": "constant", "fill_value": 0.0}


def layers():
    """Kind of Keras layer -> its arguments."""
    return {
        "RandomFlip": {},
        "RandomRotation": {"factor": 0.3, **NEAREST},
        "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3, **NEAREST},
        "RandomZoom": {"height_factor": (-0.4, 0.5), **NEAREST},
        "RandomShear": {"x_factor": (0.1, 0.6), "y_factor": (0.1, 0.4), **NEAREST},
        "RandomPerspective": {"factor": 1.0, "scale": 0.6, "interpolation": "nearest", "fill_value": 0.0},
        "CutMix": {"factor": 1.0},
    }


def masks(count=COUNT):
    return np.random.default_rng(0).integers(0, CLASSES, (count, *SIZE)).astype("int32")


def network_of(*kinds, head=()):
    import keras

    given = layers()
    made = [getattr(keras.layers, kind)(**given[kind], seed=i, name=f"moves_{i}") for i, kind in enumerate(kinds)]
    channels = CLASSES if head else 1
    return keras.Sequential([keras.Input((*SIZE, channels)), *made, *head])


def names(*kinds):
    return [f"moves_{i}" for i in range(len(kinds))]


CASES = [*[(kind,) for kind in layers()], ("RandomFlip", "RandomRotation", "RandomZoom"), ("CutMix", "RandomFlip")]


@pytest.mark.parametrize("kinds", CASES, ids="+".join)
def test_a_mask_moves_as_its_picture_pixel_for_pixel(kinds):
    """The picture is the mask, and what comes in from outside of it is 0."""
    network, y = network_of(*kinds), masks()
    moves = Moves(network, names(*kinds))
    found = np.asarray(network((y + 1)[..., None].astype("float32"), training=True))[..., 0]
    moved, weights = moves.moved(y, y.astype("float32"))
    assert (found != y + 1).mean() > 0.2
    np.testing.assert_array_equal(np.asarray(moved), found.astype("int32") - 1)
    np.testing.assert_array_equal(np.asarray(weights), np.maximum(found - 1, 0))
    assert np.asarray(moved).dtype == y.dtype
    again, _ = moves.moved(y, None)  # nothing was led forward since
    np.testing.assert_array_equal(np.asarray(again), y)


@pytest.mark.parametrize("kind", ["RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear"])
def test_what_comes_in_from_outside_does_not_count_however_pictures_are_filled(kind):
    import keras

    given = {**layers()[kind], "interpolation": "bilinear", "fill_mode": "reflect"}
    network = keras.Sequential([keras.Input((*SIZE, 1)), getattr(keras.layers, kind)(**given, seed=0, name="it")])
    y = np.repeat(np.arange(COUNT, dtype="int32") % CLASSES, SIZE[0] * SIZE[1]).reshape(COUNT, *SIZE)
    moves = Moves(network, ["it"])
    found = np.asarray(network(y[..., None].astype("float32"), training=True))[..., 0]
    moved = np.asarray(moves.moved(y, None)[0])
    np.testing.assert_allclose(found, y, atol=1e-5)  # of one color, also where it is its own mirror image
    assert {*np.unique(moved[y > 0])} == {-1, 1, 2}
    np.testing.assert_array_equal(moved[moved >= 0], y[moved >= 0])


def test_one_hot_targets_and_weights_move_too():
    network, y = network_of("RandomRotation"), masks()
    moves = Moves(network, names("RandomRotation"))
    found = np.asarray(network((y + 1)[..., None].astype("float32"), training=True))[..., 0].astype(int)
    moved = np.asarray(moves.moved(np.eye(CLASSES, dtype="float32")[y], np.ones(COUNT, "float32"))[0])
    expected = np.where((found == 0)[..., None], -1, np.eye(CLASSES)[found - 1])
    np.testing.assert_array_equal(moved, expected)


def trained(kinds, engine, loss, *, with_mask, **more):
    """Losses of an epoch of a network that says of each pixel the class of its color, without a mistake, and of use."""
    import keras

    head = keras.layers.Dense(CLASSES, activation="softmax", use_bias=False)
    network = network_of(*kinds, head=[head])
    head.set_weights([np.eye(CLASSES, dtype="float32") * 30])
    kind = LOSSES.read(loss)
    network.compile(keras.optimizers.SGD(0.0), kind.build())
    target = Target("mask", "class", ("a", "b", "c"), places=SIZE, numbered=True)
    keep_mask(network, target, kind, Moves(network, names(*kinds)) if with_mask else None)
    y = masks()
    x = np.eye(CLASSES, dtype="float32")[y]
    made = engine(network, x, kind.encode(y, CLASSES), None, BATCH, **more)
    losses = made.run(np.random.default_rng(1).permutation(COUNT), 0, made.steps_of_an_epoch)
    held_out = made.loss(x, kind.encode(y, CLASSES))
    made.close()
    return losses, held_out, [as_array(variable) for variable in network.non_trainable_variables]


@pytest.mark.everyday(
    "sparse_categorical_crossentropy-RandomFlip-StepByStep",
    "sparse_categorical_crossentropy-RandomFlip+RandomRotation-TensorFlowEngine",
    "sparse_categorical_crossentropy-CutMix-TensorFlowEngine",
    "categorical_crossentropy-RandomFlip-TensorFlowEngine",
    "categorical_crossentropy-CutMix-StepByStep",
    "dice-RandomFlip+RandomRotation-StepByStep",
    "dice-CutMix-TensorFlowEngine",
)
@pytest.mark.parametrize("engine", [StepByStep, TensorFlowEngine])
@pytest.mark.parametrize("kinds", [("RandomFlip",), ("RandomFlip", "RandomRotation"), ("CutMix",)], ids="+".join)
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy", "dice"])
def test_training_compares_with_the_moved_mask_and_use_does_not_move(engine, kinds, loss):
    losses, held_out, _ = trained(kinds, engine, loss, with_mask=True)
    assert len(losses) == 3
    assert losses == pytest.approx(np.zeros(3), abs=1e-5)
    assert held_out == pytest.approx(0, abs=1e-5)


def test_a_compiled_run_moves_masks_too():
    losses, held_out, _ = trained(
        ("RandomFlip",), TensorFlowEngine, "sparse_categorical_crossentropy", with_mask=True, compiled=True
    )
    assert losses == pytest.approx(np.zeros(3), abs=1e-5)
    assert held_out == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("engine", [StepByStep, TensorFlowEngine])
def test_without_that_it_would_learn_other_pixels(engine):
    losses, held_out, _ = trained(("RandomFlip",), engine, "sparse_categorical_crossentropy", with_mask=False)
    assert min(losses) > 5
    assert held_out == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("kinds", [("RandomFlip",), ("RandomRotation",)], ids="+".join)
def test_nothing_more_is_drawn_for_masks(kinds):
    given = [trained(kinds, StepByStep, "sparse_categorical_crossentropy", with_mask=how)[2] for how in (True, False)]
    for one, other in zip(*given, strict=True):
        np.testing.assert_array_equal(one, other)


def spec_of(folder, layers, kind="category", shape=(8, 8)):
    y = np.random.default_rng(0).integers(0, 3, (40, *shape))
    np.savez(folder / "it.npz", x=np.repeat(y[..., None], 3, axis=-1).astype("float32"), y=y)
    return (
        f"dlspec: 1\nseed: 1\ndata: {{arrays: {folder / 'it.npz'}, target: {{y: {kind}}}}}\nmodel:\n{layers}"
        "  - conv2d: {filters: 4, kernel_size: 3, padding: same, activation: relu}\n  - output\n"
        "train: {epochs: 1}\n"
    )


WRONG = [
    ("  - mix_up\n", "category", "lays two pictures over each other"),
    ("  - rand_augment\n", "category", "does not say how"),
    ("  - random_flip\n", "numeric", "stays"),
    ("  - max_pooling2d: 2\n  - random_flip\n  - up_sampling2d: 2\n", "category", "moves (batch, 4, 4, 3)"),
    ("  - permute: [2, 1, 3]\n  - random_flip\n", "category", "cannot be moved by as much"),
    ("  - skip: [random_flip]\n", "category", "on one way to the output, and not on another"),
    ("  - max_pooling2d: 2\n  - center_crop: {height: 3, width: 3}\n", "category", "is not cut with them"),
    ("  - random_crop: {height: 8, width: 6}\n", "category", "is not cut with them"),
    ("  - random_crop: {height: 6, width: 6}\n  - center_crop: {height: 4, width: 4}\n", "category", "is not cut"),
    ("  - random_crop: {height: 6, width: 6}\n", "numeric", "is not cut with them"),
]


@pytest.mark.parametrize(("layers", "kind", "said"), WRONG)
def test_what_cannot_be_moved_is_an_error_by_name(tmp_path, layers, kind, said):
    problems = dlspec.validate(spec_of(tmp_path, layers, kind))
    problem = next(each for each in problems if each.code == "mask-not-moved")
    assert said in problem.message
    assert problem.help
    with pytest.raises(SpecError):
        dlspec.load(spec_of(tmp_path, layers, kind))


RIGHT = [
    "  - random_flip: horizontal\n  - random_rotation: 0.1\n  - random_contrast: 0.2\n  - random_erasing: 0.3\n",
    "  - conv2d: {filters: 3, kernel_size: 3, padding: same}\n  - random_zoom: 0.2\n",
    "  - random_rotation: 0.1\n  - random_crop: {height: 5, width: 6}\n  - random_flip\n",
    "  - skip: [random_brightness: {factor: 0.1, value_range: [0, 1]}]\n",
]


@pytest.mark.parametrize("layers", RIGHT)
def test_what_can_be_moved_or_stays_is_fine(tmp_path, layers):
    assert [each for each in dlspec.validate(spec_of(tmp_path, layers)) if each.code == "mask-not-moved"] == []


def test_a_crop_that_is_made_larger_again_does_not_fit(tmp_path):
    layers = "  - random_crop: {height: 6, width: 6}\n  - resizing: {height: 8, width: 8}\n"
    assert [each.code for each in dlspec.validate(spec_of(tmp_path, layers))] == ["output-mismatch"]


@pytest.mark.parametrize("kind", ["RandomCrop", "CenterCrop"])
@pytest.mark.parametrize("window", [(7, 5), (8, 9), (11, 4)])
def test_a_mask_is_cut_as_its_picture_and_in_use_to_the_middle(kind, window):
    import keras

    from dlspec.data.preparation.places import in_the_middle

    network = keras.Sequential([keras.Input((*SIZE, 1)), getattr(keras.layers, kind)(*window, name="it")])
    y, starts = masks(), set()
    moves = Moves(network, ["it"])
    for _ in range(6):
        found = np.asarray(network((y + 1)[..., None].astype("float32"), training=True))[..., 0]
        moved, weights = moves.moved(y, y.astype("float32"))
        np.testing.assert_array_equal(np.asarray(moved) + 1, found)
        np.testing.assert_array_equal(np.asarray(weights) + 1, found)
        starts.add(found.tobytes())
    assert (len(starts) > 1) == (kind == "RandomCrop")
    middle = keras.layers.CenterCrop(*window)((y + 1)[..., None].astype("float32"))
    np.testing.assert_array_equal(in_the_middle(y, window) + 1, np.asarray(middle)[..., 0])


def test_several_devices_are_refused_where_places_come_in_from_outside(tmp_path):
    text = spec_of(tmp_path, "  - random_rotation: 0.1\n")
    devices = "runtime: {device: cpu, distribute: {strategy: mirrored}}\n"
    assert "one device trains on masks" in dlspec.validate(text + devices)[0].help
    assert "one device trains on masks" not in str(
        dlspec.validate(text.replace("  - random_rotation: 0.1\n", "") + devices)
    )
