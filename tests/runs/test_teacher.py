"""A network that learns from that of another run: the loss is that of the paper, and the teacher is who it must be."""

import numpy as np
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.training.values import as_array
from tests.trained import same

LARGE = """\
dlspec: 1
name: large
seed: 3
data: {dataset: digits, split: {test: 0.3}}
model: [flatten, dense: {units: 64, activation: relu}, output]
train: {epochs: 12, optimizer: {adam: 0.003}}
"""
SMALL = """\
dlspec: 1
name: small
seed: 3
data: {dataset: digits, split: {test: 0.3}, limit: 100}
model: [flatten, dense: {units: 16, activation: relu}, output]
train: {epochs: 4, batch_size: 16, teacher: {from: FOLDER, temperature: 3, share: 0.8}}
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return dlspec.run(dlspec.load(LARGE), out=tmp_path_factory.mktemp("teacher") / "large")


@pytest.fixture(scope="module")
def small(large):
    return dlspec.run(dlspec.load(SMALL.replace("FOLDER", str(large.folder))), out=large.folder.parent / "small")


def test_the_divergence_is_that_of_the_paper():
    from dlspec.training.teaching import divergences

    random = np.random.default_rng(0)
    logits, other = random.normal(size=(2, 7, 5)) * 2

    def softmax(values):
        shares = np.exp(values - values.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    one, two = softmax(logits / 3), softmax(other / 3)
    wanted = 9 * (one * np.log(one / two)).sum(axis=1)
    found = as_array(divergences(softmax(logits).astype("float32"), softmax(other).astype("float32"), 3.0))
    assert found == pytest.approx(wanted, rel=1e-3)
    yes, guess = 1 / (1 + np.exp(-random.normal(size=(2, 6, 1))))
    both = [np.concatenate([1 - shares, shares], axis=1).astype("float32") for shares in (yes, guess)]
    alone = as_array(divergences(both[0], guess.astype("float32"), 2.0))
    assert alone == pytest.approx(as_array(divergences(*both, 2.0)), rel=1e-5)


def test_the_loss_is_of_the_truth_and_of_the_teacher(small, large):
    for row in small.history:
        measures = row.measures
        assert 0.2 * measures["truth_loss"] + 0.8 * measures["teacher_loss"] == pytest.approx(row.loss, rel=1e-5)
        together = 0.2 * measures["val_truth_loss"] + 0.8 * measures["val_teacher_loss"]
        assert together == pytest.approx(row.val_loss, rel=1e-5)
    assert small.history[-1].measures["teacher_loss"] < small.history[0].measures["teacher_loss"]
    assert small.environment.teacher_fingerprint
    assert small.spec.train.teacher.from_ == "../large"


def test_it_is_trained_as_by_keras_with_the_same_loss(small, large):
    import keras
    from keras import ops

    from dlspec.data.preparation import generator
    from dlspec.model.build import build_network
    from dlspec.runs.job import load_data, plan_of
    from dlspec.training.values import predict, seed_everything

    data = load_data(small.spec)
    plan = plan_of(small.spec, data)
    seed_everything(small.spec.seed, "network")
    network = build_network(plan.graph, small.spec.name, one_input=True)
    raw = data.columns["image"][data.train.rows]
    answers = predict(large.model, raw.astype("float64"))
    optimizer = keras.optimizers.Adam()
    optimizer.build(network.trainable_variables)
    import tensorflow as tf

    def softened(shares):
        return ops.softmax(ops.log(ops.clip(shares, 1e-7, 1.0)) / 3.0)

    for epoch in range(1, 5):
        order = generator(small.spec.seed, f"fine_tune/{epoch}").permutation(len(data.train))
        for first in range(0, len(order), 16):
            rows = order[first : first + 16]
            with tf.GradientTape() as tape:
                given = network(data.train.inputs[rows], training=True)
                truth = keras.losses.sparse_categorical_crossentropy(data.train.targets[rows], given)
                taught = 9 * keras.losses.kl_divergence(softened(answers[rows].astype("float32")), softened(given))
                loss = ops.mean(0.2 * truth + 0.8 * taught)
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
    ours = next(layer for layer in small.model.layers if layer.name.endswith("_network"))
    for one, other in zip(ours.weights, network.weights, strict=True):
        np.testing.assert_allclose(as_array(one), as_array(other), atol=2e-4)


@pytest.mark.slow
def test_it_goes_on_as_it_was_and_notices_another_teacher(small, large, one_step_at_a_time, tmp_path):
    import shutil

    from dlspec.training.progress import Stopped
    from tests.trained import StopAfter

    teacher = tmp_path / "teacher"
    shutil.copytree(large.folder, teacher)
    spec = dlspec.load(SMALL.replace("FOLDER", str(teacher)))
    with pytest.raises(Stopped):
        dlspec.run(spec, out=tmp_path / "run", listener=StopAfter(9))
    other = dlspec.run(dlspec.load(LARGE, overrides={"train.epochs": 1}), out=tmp_path / "other")
    shutil.copytree(other.folder, teacher, dirs_exist_ok=True)
    with pytest.raises(DataError, match="the network of the teacher has changed"):
        dlspec.resume(tmp_path / "run")
    shutil.rmtree(teacher)
    shutil.copytree(large.folder, teacher)
    again = dlspec.resume(tmp_path / "run")
    shutil.rmtree(teacher)
    again = dlspec.open_run(again.folder)  # a network that was trained needs its teacher no more
    assert len(again.predict(again.spec.data.dataset.load(3)["image"][:2])) == 2
    assert same([as_array(w) for w in again.model.weights], [as_array(w) for w in small.model.weights])


@pytest.mark.slow
def test_a_number_is_taught_by_columns_that_the_network_does_not_see(tmp_path):
    large = """\
dlspec: 1
data: {dataset: diabetes}
model: [dense: {units: 16, activation: relu}, output]
train: {epochs: 5}
"""
    first = dlspec.run(dlspec.load(large), out=tmp_path / "large")
    small = large.replace("diabetes}", "diabetes, features: [bmi, bp]}").replace(
        "epochs: 5", f"epochs: 3, teacher: {{from: {first.folder}}}"
    )
    found = dlspec.run(dlspec.load(small), out=tmp_path / "small")
    row = found.history[-1].measures
    assert 0.1 * row["truth_loss"] + 0.9 * row["teacher_loss"] == pytest.approx(found.history[-1].loss, rel=1e-5)
    assert row["teacher_loss"] < row["truth_loss"], "what the teacher says is smoother than the truth"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (("dataset: digits", "dataset: iris"), "teacher-mismatch", "the teacher predicts `0`, `1`"),
        (("FOLDER", "FOLDER/none"), "no-run", "there is no run folder"),
        (("seed: 3", "seed: 4"), "seen-test-part", "was trained on the same data in other parts"),
        (("{test: 0.3}", "{test: 0.2}"), "seen-test-part", "was trained on the same data in other parts"),
        (("{test: 0.3}", "{folds: 4}"), "teacher-mismatch", "what other folds are tested on"),
        (("share: 0.8", "share: 1.2"), "out-of-range", "1.2"),
        (("temperature: 3", "temperature: 0"), "out-of-range", "0"),
        (("target", "target"), None, ""),
    ],
)
def test_who_may_teach(large, change, code, message):
    found = dlspec.validate(SMALL.replace(*change).replace("FOLDER", str(large.folder)))
    if code is None:
        assert not found
    else:
        assert code in [problem.code for problem in found]
        assert any(message in problem.message for problem in found if problem.code == code)


@pytest.mark.everyday(1)
@pytest.mark.parametrize("who", ["the network", "this one"])
@pytest.mark.parametrize(("output", "what"), [("quantiles: [0.1, 0.5, 0.9]", "quantiles"), ("mixture: 2", "a mixture")])
def test_quantiles_and_mixtures_are_neither_taught_nor_do_they_teach(who, output, what, tmp_path):
    text = "dlspec: 1\ndata: {dataset: diabetes}\nmodel: [dense: 4, output]\ntrain: {epochs: 1}\n"
    specs = [text, text.replace("output", f"output: {{{output}}}")]
    teacher, learner = specs if who == "the network" else reversed(specs)
    dlspec.run(dlspec.load(teacher), out=tmp_path / "teacher")
    taught = learner.replace("epochs: 1", f"epochs: 1, teacher: {{from: {tmp_path / 'teacher'}}}")
    (problem,) = dlspec.validate(taught)
    assert problem.code == "teacher-mismatch"
    assert f"{who} gives {what}" in problem.message


def test_a_spec_with_a_teacher_is_not_ejected(large, tmp_path):
    with pytest.raises(DataError, match="learns from that of another run"):
        dlspec.eject(dlspec.load(SMALL.replace("FOLDER", str(large.folder))), out=tmp_path / "script.py")
    with pytest.raises(SpecError):
        dlspec.load(SMALL.replace("train:", "evaluate: {compare: {without_pretraining: {seeds: 1}}}\ntrain:"))


OUTPUTS = """\
dlspec: 1
name: outputs
seed: 3
data: {dataset: iris}
model:
  layers: [dense: {units: 12, activation: tanh}]
  outputs: {kind: {target: species, class_weight: {virginica: 2}}, width: {target: petal_width, weight: 3}}
train: {epochs: 5, batch_size: 20, optimizer: {adam: 0.01}%s}
"""


def test_each_of_several_outputs_is_taught_by_that_of_the_same_target(tmp_path):
    """The loss of each is that of the truth and of its teacher, and its weight is of both together."""
    from dlspec.runs.folder import open_run
    from dlspec.runs.job import load_data
    from dlspec.training.teaching import divergences

    dlspec.run(dlspec.load(OUTPUTS % ""), out=tmp_path / "large")
    taught = f", teacher: {{from: {tmp_path}/large, temperature: 3, share: 0.8}}"
    text = (OUTPUTS % taught).replace("kind:", "first:").replace("width:", "second:")
    assert dlspec.validate(text) == []
    spec = dlspec.load(text)
    run, data = dlspec.run(spec, out=tmp_path / "small"), load_data(spec)
    teacher, last = open_run(tmp_path / "large"), run.history[-1]
    table = {name: values[np.asarray(data.validation.rows)] for name, values in data.columns.items()}
    own, theirs = run.predict(table), teacher.predict(table)
    classes = [f"species={label}" for label in data.signature.target.classes]
    taught = as_array(divergences(*(found[classes].to_numpy("float32") for found in (theirs, own)), 3.0)).mean()
    wanted = 0.2 * run.outputs["first"].metrics.validation["log_loss"] + 0.8 * taught
    assert last.measures["val_first_loss"] == pytest.approx(wanted, rel=1e-3)
    width = data.outputs["second"]
    guess, told = own["petal_width"].to_numpy(), theirs["petal_width"].to_numpy()
    errors = 0.2 * (guess - width.validation.truth) ** 2 + 0.8 * (guess - told) ** 2
    wanted = errors.mean() * width.preprocessing.target.scale[0] ** 2
    assert last.measures["val_second_loss"] == pytest.approx(wanted, rel=1e-3)
    together = last.measures["val_first_loss"] + 3 * last.measures["val_second_loss"]
    assert last.val_loss == pytest.approx(together, rel=1e-5)
    (problem,) = [each for each in dlspec.validate(text.replace("petal_width", "petal_length")) if each.is_error]
    assert problem.message == "no output of the teacher predicts `petal_length`"
