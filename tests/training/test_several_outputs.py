"""A network of several outputs is the one that one compiles by hand with a loss and a weight for each."""

from functools import cache

import numpy as np
import pytest

from dlspec.data.preparation import generator
from dlspec.model.build import build_network
from dlspec.training.engines.base import StepByStep
from dlspec.training.engines.tensorflow import TensorFlowEngine
from dlspec.training.several import OutputTargets, loss_of_outputs
from dlspec.training.values import as_array, seed_everything
from tests.trained import StopAfter, Training, same

SPEC = """\
dlspec: 1
name: two
seed: 3
data: {dataset: iris, split: {validation: 0.2}}
model:
  layers:
    - dense: {units: 12, activation: relu, kernel_regularizer: {l2: 0.01}}
    - dropout: 0.2
    - dense: {units: 6, activation: tanh, name: body}
  outputs:
    kind: {target: species, weight: 2, class_weight: {virginica: 3}}
    width: {target: petal_width, loss: mae, from: body}
    both: {target: [petal_length, sepal_width], weight: 0.5}
train: {epochs: 4, batch_size: 16}
"""
LOSSES = {"kind": "sparse_categorical_crossentropy", "width": "mae", "both": "mse"}
WEIGHTS = {"kind": 2.0, "width": 1.0, "both": 0.5}


@cache
def whole():
    training = Training(SPEC)
    return training, *training.run()


def test_all_outputs_share_a_split_and_no_answer_is_seen():
    data = whole()[0].data
    assert [column.name for column in data.signature.features] == ["sepal_length"]
    assert {*data.outputs} == {*LOSSES}
    for own in data.outputs.values():
        for name in ("train", "validation", "test"):
            part, first = getattr(own, name), getattr(data, name)
            assert np.array_equal(part.rows, first.rows)
            assert np.array_equal(part.inputs, first.inputs)
    kinds = np.bincount(data.outputs["kind"].test.truth)
    assert kinds.max() - kinds.min() <= 1, "the first output is a class, by which the split is stratified"
    for name, column in (("width", "petal_width"), ("kind", "species")):
        truth = data.outputs[name].train.truth
        written = data.columns[column][data.train.rows]
        if name == "kind":
            truth = np.array(data.outputs[name].signature.target.classes)[truth]
        assert np.array_equal(truth, written)


def test_it_is_trained_as_by_keras_with_a_loss_and_a_weight_for_each():
    training, weights, history = whole()
    import keras

    seed_everything(training.spec.seed, "network")
    by_hand = build_network(training.graph)
    seed_everything(training.spec.seed, "fine_tune")
    by_hand.compile(
        optimizer=training.spec.train.optimizer.over(1000, None),
        loss=[keras.losses.get(loss) for loss in LOSSES.values()],
        loss_weights=[*WEIGHTS.values()],
    )
    data, size = training.data, 16
    answers = [own.train.targets for own in data.outputs.values()]
    every = np.ones(len(data.train), "float32")
    weights_of = [np.where(answers[0] == 2, 3, every), every, every]
    for epoch in range(1, 5):
        order = generator(training.spec.seed, f"fine_tune/{epoch}").permutation(len(data.train))
        for first in range(0, len(order), size):
            rows = order[first : first + size]
            given = ([values[rows] for values in each] for each in (answers, weights_of))
            by_hand.train_on_batch(data.train.inputs[rows], *given)
    for own, wanted in zip(weights, by_hand.weights, strict=True):
        np.testing.assert_allclose(own, as_array(wanted), atol=2e-5)
    found = by_hand.evaluate(
        data.validation.inputs,
        [own.validation.targets for own in data.outputs.values()],
        batch_size=len(data.validation),
        return_dict=True,
        verbose=0,
    )
    assert history[-1].val_loss == pytest.approx(found["loss"], rel=1e-4)


def test_the_loss_is_the_weighted_sum_of_its_columns():
    _, _, history = whole()
    for row in history:
        for start, loss in (("", row.loss), ("val_", row.val_loss)):
            summed = sum(weight * row.measures[f"{start}{name}_loss"] for name, weight in WEIGHTS.items())
            assert 0 < loss - summed < 0.2, "what is left is the penalty of the first layer"
    assert history[-1].measures["kind_loss"] < history[0].measures["kind_loss"]


@pytest.mark.everyday(1)
@pytest.mark.parametrize("compiled", [False, True])
def test_keras_own_steps_tell_the_same_losses(compiled):
    training = Training(SPEC.replace("    - dropout: 0.2\n", ""))
    told = []
    for kind in (TensorFlowEngine, StepByStep):
        seed_everything(1, "network")
        network = build_network(training.graph)
        heads = training.spec.model.heads
        targets = OutputTargets(network, training.data, heads)
        network.compile(optimizer="sgd")
        loss_of_outputs(network, targets)
        x, y = training.data.train.inputs, targets.of(training.data, "train")
        more = {"compiled": compiled} if kind is TensorFlowEngine else {}
        engine = kind(network, x, y, None, 16, **more)
        order = np.arange(len(x))
        losses = engine.run(order, 0, engine.steps_of_an_epoch)
        held_out = engine.loss(training.data.validation.inputs, targets.of(training.data, "validation"))
        told.append((losses, engine.parts_of_steps, held_out, engine.parts_held_out))
        engine.close()
    for one, other in zip(*told, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4)


@pytest.mark.parametrize("steps", [13, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 27))])
def test_stopped_and_continued_is_the_same_to_the_last_bit(one_step_at_a_time, steps):
    _, weights, history = whole()
    stopped = Training(SPEC)
    assert stopped.run(StopAfter(steps)) == (None, None)
    again, rows = Training(SPEC).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
    assert [(row.loss, row.val_loss, dict(row.measures)) for row in rows] == [
        (row.loss, row.val_loss, dict(row.measures)) for row in history
    ]


def test_samples_count_by_their_weight_for_every_output(tmp_path):
    """A row of weight 2 is as good as the same row twice."""
    rows = np.random.default_rng(0).normal(size=(80, 2)).round(3)
    lines = [f"{a},{b},{a - b:.3f},{'yes' if a > 0 else 'no'}" for a, b in rows]
    order = "split: {test: 20, validation: 0, by: order}, scale: none"
    spec = """\
dlspec: 1
data: {table: DATA, features: [a, b], %s}
model: {layers: [dense: {units: 4, activation: tanh}], outputs: {far: c, side: d}}
train: {epochs: 3, batch_size: 200, optimizer: {sgd: 0.1}}
"""
    twice = [line for number, line in enumerate(lines) for _ in range(2 if number % 3 == 0 and number < 60 else 1)]
    (tmp_path / "weighted.csv").write_text(
        "a,b,c,d,w\n" + "".join(f"{line},{2 if n % 3 == 0 else 1}\n" for n, line in enumerate(lines))
    )
    (tmp_path / "twice.csv").write_text("a,b,c,d\n" + "".join(f"{line}\n" for line in twice))
    found = []
    for name, more in (("weighted", f"{order}, weight: w"), ("twice", order)):
        text = (spec % more).replace("DATA", str(tmp_path / f"{name}.csv"))
        found.append(Training(text).run())
    for one, other in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("held_out", [0, 0.25])
@pytest.mark.parametrize(
    "layer", ["center_crop: {height: 4, width: 6}", "random_crop: {height: 4, width: 6}", "random_flip"]
)
def test_classes_of_pixels_are_cut_and_moved_beside_another_output(tmp_path, held_out, layer):
    """The held-out loss is that of the middle, whatever a layer cuts off while training; also without such a part."""
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 8, 8, 1)).astype("float32")
    np.savez(tmp_path / "d.npz", x=x, y=(x[..., 0] > 0).astype("int32"), z=x.mean(axis=(1, 2, 3)))
    training = Training(f"""\
dlspec: 1
data: {{arrays: {tmp_path}/d.npz, features: x, split: {{test: 0.2, validation: {held_out}}}}}
model:
  layers: [{{{layer}}}, conv2d: {{filters: 3, kernel_size: 1, name: each}}, flatten]
  outputs: {{pixels: {{target: {{y: category}}, from: each, class_weight: {{"1": 2}}}}, mean: z}}
train: {{epochs: 3, batch_size: 12}}
""")
    _, history = training.run()
    assert all(np.isfinite(row.loss) for row in history)
    if held_out:
        own = training.data.outputs["pixels"].validation
        said = as_array(training.network(own.inputs, training=False)[0])[..., 0]
        truth = np.asarray(own.truth)
        wanted = -np.where(truth == 1, np.log(said), np.log(1 - said)).mean()
        assert history[-1].measures["val_pixels_loss"] == pytest.approx(wanted, rel=1e-4)
