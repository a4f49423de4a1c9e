"""`method: masked`: the network below its output fills in what was hidden from it."""

import keras
import numpy as np
import pytest

import dlspec
from dlspec.model.layers import LAYERS
from dlspec.pretraining.masked import Masked
from dlspec.spec.planning import place_of_network
from dlspec.training.plan import StagePlace, StageTask
from dlspec.training.values import as_array
from dlspec.views.prose.telling import tell
from tests.conftest import problems_of
from tests.trained import StopAfter, Training, same, trained

HEAD = "dlspec: 1\ndata: {dataset: digits, scale: min_max, labels: 60, limit: 300}\n"
MODEL = """\
model:
  - reshape: [8, 8, 1]
  - conv2d: {filters: 4, kernel_size: 3, activation: relu, name: c}
  - batch_normalization
  - flatten
  - dropout: 0.2
  - dense: {units: 8, activation: relu, name: h}
  - output
"""
PRETRAIN = "pretrain: {method: masked, epochs: 2, batch_size: 64}\ntrain: {epochs: 1}\n"
PICTURES = HEAD + MODEL + PRETRAIN
TABLE = "dlspec: 1\ndata: {dataset: iris, labels: 30}\nmodel: [dense: 8, output]\n"
SERIES = (
    "dlspec: 1\ndata: {dataset: {mackey_glass: {samples: 400}}, window: {length: 24}}\n"
    "model: [conv1d: {filters: 4, kernel_size: 3, padding: causal}, lstm: 6, output]\n"
)


def place(*shape, code=(3,), in_time=False):
    return StagePlace((LAYERS.read("flatten"),), (None, *shape), False, True, (None, *code), in_time)


def model_of(method, shape, code=(3,), in_time=False, widths=()):
    """A stage model above a dense layer that stands for a network."""
    below = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(code[0])])
    return method.build([below], place(*shape, code=code, in_time=in_time), StageTask(100, widths=widths))


# --- what is hidden


def test_patches_of_a_picture_lie_side_by_side_and_share_its_channels():
    parts = Masked(patch=2).parts(place(4, 5, 3))
    assert parts[..., 0].tolist() == [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5], [3, 3, 4, 4, 5]]
    assert Masked(patch=2).parts(place(4, 4)).tolist() == [[0, 0, 1, 1]] * 2 + [[2, 2, 3, 3]] * 2


def test_stretches_of_a_sequence_hide_all_its_features():
    assert Masked(patch=3).parts(place(7, 2, in_time=True)).tolist() == [[0], [0], [0], [1], [1], [1], [2]]


def test_all_numbers_of_a_column_are_hidden_together():
    assert Masked().parts(place(5), (1, 3, 1)).tolist() == [0, 1, 1, 1, 2]
    model = model_of(Masked(), (5,), widths=(1, 3, 1))
    assert model.count == 3
    drawn = model.forward(np.ones((9, 5), "float32"), model.draw(np.ones((9, 5), "float32")))
    hidden = as_array(drawn["hidden"])
    assert (hidden[:, 1] == hidden[:, 2]).all()
    assert (hidden[:, 2] == hidden[:, 3]).all()


@pytest.mark.parametrize(("share", "hidden"), [(0.01, 1), (0.5, 8), (0.75, 12), (0.99, 15)])
def test_of_every_sample_as_many_parts_are_hidden_and_never_all(share, hidden):
    model = model_of(Masked(share=share, patch=2), (8, 8))
    x = np.zeros((50, 8, 8), "float32")
    for drawn in (model.draw(x)[0], model.patterns):
        assert set(as_array(drawn).sum(axis=1)) == {hidden}
    first, second = (as_array(model.draw(x)[0]) for _ in range(2))
    assert (first != second).any()


def test_the_default_patch_is_a_sixth_and_two_at_least():
    assert int(Masked().parts(place(28, 28)).max()) + 1 == 36
    assert int(Masked().parts(place(8, 8)).max()) + 1 == 16
    assert int(Masked().parts(place(60, 1, in_time=True)).max()) + 1 == 6


# --- the loss


def test_only_what_was_hidden_counts_and_the_network_does_not_see_it():
    model = model_of(Masked(patch=2), (4, 4))
    model.token.assign([0.3])
    random = np.random.default_rng(3)
    x = random.normal(size=(6, 4, 4)).astype("float32")
    found = model(x, training=True)
    m, z = as_array(found["hidden"]), as_array(found["filled"])
    loss = float(model.compute_loss(x=x, y=None, y_pred=found))
    assert loss == pytest.approx(((m * (x - z) ** 2).sum(axis=(1, 2)) / m.sum(axis=(1, 2))).mean(), rel=1e-5)
    flat = (x * (1 - m) + 0.3 * m).reshape(6, 16)
    kernels = [as_array(w) for w in [*model.encoder[0].weights, *model.head[1].weights]]
    by_hand = (flat @ kernels[0] + kernels[1]) @ kernels[2] + kernels[3]
    assert z.reshape(6, 16) == pytest.approx(by_hand, abs=1e-5)


def test_held_out_samples_are_hidden_in_the_same_places_every_time():
    model = model_of(Masked(patch=2), (8, 8))
    x = np.random.default_rng(1).normal(size=(20, 8, 8)).astype("float32")
    first, second = (as_array(model(x, training=False)["filled"]) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_code_with_the_places_of_the_input_is_led_back_place_by_place():
    below = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Conv2D(5, 3, padding="same")])
    model = Masked(patch=2).build([below], place(6, 6, 3, code=(6, 6, 5)), StageTask(10))
    assert [type(layer).__name__ for layer in model.head] == ["Dense"]
    assert model.head[0].kernel.shape == (5, 3)
    assert as_array(model(np.zeros((2, 6, 6, 3), "float32"))["filled"]).shape == (2, 6, 6, 3)


def test_it_learns_to_tell_a_column_from_others():
    """The second column is twice the first: once trained, hiding it costs nothing."""
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(0)
    one = random.normal(size=(400, 1)).astype("float32")
    x = np.concatenate([one, 2 * one, random.normal(size=(400, 1)).astype("float32")], axis=1)
    model = model_of(Masked(share=0.34, optimizer={"adam": 0.02}), (3,), code=(8,))
    for _ in range(300):
        model.train_on_batch(x, np.zeros((400, 1), "float32"))
    shown = model.shows(x)
    errors = ((shown["filled"] - x) ** 2).mean(axis=0) / x.var(axis=0)
    assert errors[1] < 0.05
    assert errors[2] > 0.8


# --- a stage of it


def test_all_layers_below_the_output_are_trained_in_one_stage():
    training, _, history = trained(PICTURES)
    (stage,) = training.plan.pretraining
    assert (stage.name, stage.below) == ("pretrain:masked", "output")
    assert training.plan.pretrained == ("c", "batch_normalization_1", "h")
    losses = [row.loss for row in history if row.stage == "pretrain:masked"]
    assert losses[1] < losses[0]


def test_it_leaves_the_output_as_it_was_and_what_is_frozen_as_it_left_it():
    text = PICTURES.replace("batch_size: 64}", "batch_size: 64, then: freeze}")
    training, weights, _ = trained(text)
    names = [weight.path for weight in training.network.weights]
    fresh = dict(zip(names, Training(PICTURES.replace("epochs: 2", "epochs: 1")).run()[0], strict=True))
    assert training.plan.frozen == ("c", "batch_normalization_1", "h")
    assert not np.array_equal(fresh["h/kernel"], dict(zip(names, weights, strict=True))["h/kernel"])


@pytest.mark.everyday(1)
@pytest.mark.parametrize("steps", [6, 9], ids=["within the stage", "in training"])
def test_stopped_and_continued_is_the_same_to_the_last_bit(steps, one_step_at_a_time):
    _, weights, history = trained(PICTURES)
    stopped = Training(PICTURES)
    assert stopped.run(StopAfter(steps)) == (None, None)
    resumed, again = stopped.run(checkpoint=stopped.saved[-1])
    assert same(weights, resumed)
    assert [row.loss for row in again] == [row.loss for row in history]


@pytest.mark.parametrize("text", [TABLE, SERIES], ids=["table", "series"])
def test_tables_and_series_are_filled_in(text):
    training, _, history = trained(text + PRETRAIN.replace("64", "32"))
    losses = [row.loss for row in history if row.stage == "pretrain:masked"]
    assert losses[1] < losses[0]
    assert training.plan.pretraining[0].name == "pretrain:masked"


def test_series_hide_timesteps():
    spec = dlspec.load(SERIES + PRETRAIN)
    assert Masked().hides(place_of_network(spec, dlspec.plan(spec).graph, Masked())) == "timesteps"


def test_it_stands_in_a_list_with_methods_for_layers():
    entries = "pretrain: [{method: masked}, {method: supervised, layers: [h]}, {method: masked, epochs: 3}]\n"
    plan = dlspec.plan(HEAD + MODEL + entries)
    assert [stage.name for stage in plan.pretraining] == ["pretrain:masked", "pretrain:h", "pretrain:masked:2"]
    sentences = [sentence.text for sentence in tell(dlspec.load(PICTURES), plan.graph)]
    assert any(text.startswith("All layers below the output are pretrained together. `masked`") for text in sentences)


# --- what it cannot do


@pytest.mark.parametrize(
    ("model", "settings", "message", "help"),
    [
        (MODEL, "layers: [h]", "trains the whole network below its output, and has no `layers`", "remove `layers`"),
        (MODEL, "per_layer: {h: {epochs: 3}}", "and has no `per_layer`", "remove"),
        (MODEL, "from: runs/x", "and has no `from`", "in an entry before this one"),
        (MODEL.replace("  - output\n", ""), "then: unroll", "leads back through the decoders of layers", "fine_tune"),
        (MODEL, "patch: 8", "a patch of 8 is all of a sample of 8 x 8", "write `patch: 1`"),
        (MODEL, "share: 1.0", "`share` must be less than 1", ""),
        (MODEL.replace("  - conv2d", "  - random_flip: horizontal\n  - conv2d"), "epochs: 2", "moves pixels", ""),
        (
            MODEL.replace("name: c}", "name: c, trainable: false}").replace("name: h}", "name: h, trainable: false}"),
            "epochs: 2", "no layer below the output is to be trained", "",
        ),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_said_at_its_place(model, settings, message, help, tmp_path):
    text = HEAD + model + f"pretrain: {{method: masked, {settings}}}\n"
    problems = [problem for problem in problems_of(text, tmp_path) if problem.is_error]
    (found,) = (problem for problem in problems if message in problem.message)
    assert help in (found.help or "")
    assert found.span.line == text.count("\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLE + "pretrain: {method: masked, patch: 2}\n", "`patch` is of pictures and sequences"),
        (
            "dlspec: 1\ndata: {dataset: imdb}\nmodel: [embedding: {output_dim: 4, mask_zero: false}, lstm: 4, output]\n"
            "pretrain: {method: masked}\n",
            "the network sees words",
        ),
        (
            "dlspec: 1\ndata: {dataset: {adding_problem: {timesteps: 10, samples: 100}}, scale: none}\n"
            "model: [masking: -1, gru: 4, output]\npretrain: {method: masked}\n",
            "does not heed which timesteps `masking_1` masks",
        ),
    ],
)  # fmt: skip
def test_data_that_it_cannot_hide_are_refused(text, message, tmp_path):
    problems = [problem for problem in problems_of(text, tmp_path) if problem.is_error]
    assert sum(message in problem.message for problem in problems) == 1, problems


# --- what the report shows


def test_the_report_shows_what_was_filled_in(tmp_path):
    run = dlspec.run(
        PICTURES.replace("train: {epochs: 1}", "train: {epochs: 1}\nevaluate: {baselines: []}"), out=tmp_path / "r"
    )
    shown = {
        key.rpartition(":")[2]: run.pictures[key] for key in run.pictures if key.startswith("shown:pretrain:masked:")
    }
    assert shown["original"].shape == shown["filled"].shape
    assert shown["hidden"].mean() == pytest.approx(0.5)
    page = (tmp_path / "r" / "report.html").read_text()
    assert "What pretraining filled in" in page
    assert "No label has been used" in page


@pytest.mark.slow
def test_what_a_later_stage_has_changed_is_not_shown_as_what_this_one_left(tmp_path):
    later = "pretrain: [{method: masked, epochs: 1}, {method: supervised, layers: [h], epochs: 1}]\n"
    text = HEAD + MODEL + later + "train: {epochs: 1}\nevaluate: {baselines: []}\n"
    run = dlspec.run(text, out=tmp_path / "r")
    assert not any(key.startswith("shown:") for key in run.pictures)
