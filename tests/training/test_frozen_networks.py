"""Networks that others have trained: frozen, in part, and thawed."""

import numpy as np
import pytest

import dlspec
from tests.backbones import saved_backbone
from tests.trained import StopAfter, Training, same

SPEC = """\
dlspec: 1
name: over
seed: 3
data: {{dataset: digits, scale: none, limit: 96}}
model:
  - reshape: [8, 8, 1]
  - network: {{file: {file}, up_to: pool5, trainable: {trainable}}}
  - flatten
  - output
train: {{epochs: 4, batch_size: 16, optimizer: {{adam: 0.01}}{more}}}
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return saved_backbone(tmp_path_factory.mktemp("backbones"))


def training(saved, trainable, more=""):
    return Training(SPEC.format(file=saved[0], trainable=trainable, more=more))


def unchanged(values, model):
    """Names of layers that are as they were in the file; their weights come first."""
    found, left = set(), [*values]
    for name, count in (("conv1", 1), ("bn1", 4), ("conv2", 2), ("bn2", 4)):
        own, left = left[:count], left[count:]
        if same(own, model.get_layer(name).get_weights()):
            found.add(name)
    return found


def test_frozen_it_stays_to_the_last_bit_its_normalization_included(saved):
    frozen = training(saved, "false")
    values, history = frozen.run()
    assert unchanged(values, saved[1]) == {"conv1", "bn1", "conv2", "bn2"}
    assert [stage.frozen for stage in frozen.plan.stages] == [("backbone_conv1", "backbone_bn1", "backbone_conv2",
                                                              "backbone_bn2")]  # fmt: skip
    assert history[-1].loss < history[0].loss


def test_trained_all_of_it_changes(saved):
    whole = training(saved, "true")
    assert unchanged(whole.run()[0], saved[1]) == set()


def test_the_last_layers_are_counted_as_keras_counts_them(saved):
    """Of the part up to `pool5`, whose last four layers are conv2, bn2, added and pool5."""
    some = training(saved, "{last: 3}")
    assert unchanged(some.run()[0], saved[1]) == {"conv1", "bn1", "conv2"}
    some = training(saved, "{last: 4}")
    assert unchanged(some.run()[0], saved[1]) == {"conv1", "bn1"}


def test_what_was_frozen_when_the_file_was_saved_is_trained_where_the_spec_says_so(saved, tmp_path):
    import keras

    model = keras.models.load_model(saved[0])
    model.trainable = False
    model.save(tmp_path / "backbone.keras")
    for trainable, held in (("true", set()), ("{last: 3}", {"conv1", "bn1", "conv2"})):
        values, _ = training((tmp_path / "backbone.keras", model), trainable).run()
        assert unchanged(values, model) == held


@pytest.mark.parametrize(
    ("trainable", "thaws"), [("{last: 3}", 2), pytest.param("false", None, marks=pytest.mark.slow)]
)
def test_losses_are_those_of_keras_by_hand(saved, trainable, thaws, tmp_path):
    """In steps of all samples, in which their order counts nothing."""
    import keras

    from dlspec.runs.job import load_data

    text = SPEC.format(file=saved[0], trainable=trainable, more=f", thaw_after: {thaws}" if thaws else "")
    text = text.replace("batch_size: 16, optimizer: {adam: 0.01}", "batch_size: 96, optimizer: {sgd: 0.002}")
    (tmp_path / "spec.yaml").write_text(text)
    spec = dlspec.load(text)
    data, begun = load_data(spec), dlspec.build(spec)
    run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "runs")
    base = keras.models.load_model(saved[0])
    base = keras.Model(base.input, base.get_layer("pool5").output)
    for layer in base.layers[: -3 if thaws else None]:
        layer.trainable = False
    given = keras.Input((8, 8))
    x = keras.layers.Flatten()(base(keras.layers.Reshape((8, 8, 1))(given)))
    model = keras.Model(given, keras.layers.Dense(10, activation="softmax")(x))
    model.layers[-1].set_weights(begun.layers[-1].get_weights())
    losses = []
    for epochs in (thaws, 4 - thaws) if thaws else (4,):
        model.compile(keras.optimizers.SGD(0.002), "sparse_categorical_crossentropy")
        held_out = (data.validation.inputs[:], data.validation.targets[:])
        history = model.fit(data.train.inputs[:], data.train.targets[:], batch_size=96, epochs=epochs,
                            validation_data=held_out, verbose=0).history  # fmt: skip
        losses += zip(history["loss"], history["val_loss"], strict=True)
        for layer in base.layers:
            layer.trainable = True
    own = [(row.loss, row.val_loss) for row in run.history]
    np.testing.assert_allclose(own, losses, rtol=2e-4)


@pytest.mark.slow
def test_it_thaws_after_some_epochs_and_a_run_that_was_stopped_goes_on(saved):
    thawing = training(saved, "false", ", thaw_after: 2")
    values, history = thawing.run()
    assert [(row.stage, row.epoch) for row in history] == [
        ("fine_tune:frozen", 1), ("fine_tune:frozen", 2), ("fine_tune", 1), ("fine_tune", 2),
    ]  # fmt: skip
    middle = next(c for c in thawing.saved if c.progress.stage == 1 and not c.progress.epoch)
    assert unchanged(middle.variables, saved[1]) == {"conv1", "bn1", "conv2", "bn2"}
    assert unchanged(values, saved[1]) == set()
    again, _ = training(saved, "false", ", thaw_after: 2").run(checkpoint=middle)
    assert same(again, values)
    for steps in (3, 15):
        stopped = training(saved, "false", ", thaw_after: 2")
        assert stopped.run(listener=StopAfter(steps)) == (None, None)
        resumed, _ = training(saved, "false", ", thaw_after: 2").run(checkpoint=stopped.saved[-1])
        assert same(resumed, values), steps


@pytest.mark.slow
def test_pretrained_layers_and_taken_networks_thaw_each_in_its_time(saved):
    text = SPEC.format(file=saved[0], trainable="false", more=", thaw_after: 1")
    text = text.replace("  - output", "  - dense: {units: 5, activation: tanh}\n  - output")
    text += "pretrain: {method: autoencoder, epochs: 1, then: freeze, thaw_after: 3}\n"
    both = Training(text)
    assert [(stage.name, stage.epochs, both.graph.in_short(stage.frozen)) for stage in both.plan.stages] == [
        ("pretrain:dense_1", 1, []),
        ("fine_tune:frozen", 1, ["dense_1", "backbone"]),
        ("fine_tune:thawing", 2, ["dense_1"]),
        ("fine_tune", 1, []),
    ]
    _, history = both.run()
    assert len(history) == 5


@pytest.mark.slow
def test_a_run_saves_a_model_that_keras_loads_alone(saved, tmp_path):
    import subprocess
    import sys

    spec = tmp_path / "over.yaml"
    spec.write_text(SPEC.format(file=saved[0], trainable="false", more=", thaw_after: 2"))
    run = dlspec.run(spec, out=tmp_path / "runs")
    raw = np.random.default_rng(0).integers(0, 17, (6, 8, 8)).astype("float64")
    np.save(tmp_path / "raw.npy", raw)
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1])\nassert 'dlspec' not in sys.modules\n"
        "np.save(sys.argv[2], model(np.load(sys.argv[3])))"
    )
    subprocess.run([sys.executable, "-c", script, run.folder / "model.keras", tmp_path / "out.npy",
                    tmp_path / "raw.npy"], check=True, capture_output=True)  # fmt: skip
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), np.asarray(run.model(raw)), atol=1e-6)
    assert run.spec.train.thaw_after == 2
    saved[0].rename(saved[0].with_suffix(".away"))
    try:  # what a run predicts does not hang on the file
        assert dlspec.open_run(run.folder).model(raw).shape == (6, 10)
    finally:
        saved[0].with_suffix(".away").rename(saved[0])
