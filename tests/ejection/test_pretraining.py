"""`pretrain`: the objective of every method is dlspec's, and a step of training moves the weights as there."""

import keras
import numpy as np
import pytest
from keras import ops

import dlspec
from dlspec.ejection.layers import NotWritten
from dlspec.ejection.network import write_network
from dlspec.ejection.pretraining import pretraining_needs, write_pretraining
from dlspec.ejection.script import Script
from dlspec.ejection.snippets import rbm
from dlspec.ejection.subject import Subject
from dlspec.pretraining import PRETRAINING
from dlspec.pretraining._boltzmann import BoltzmannMachine
from dlspec.pretraining.denoising_autoencoder import CORRUPTIONS
from dlspec.runs.job import load_data, plan_of
from dlspec.spec.defaults import fill_in
from dlspec.training.plan import StageTask
from tests.ejection.scripts import loaded

DIGITS = "data: {dataset: digits, scale: min_max, limit: 60}\nmodel: [flatten, %s, output]\n"
DENSE = DIGITS % "{dense: {units: 12, activation: sigmoid, name: h1}}, {dense: {units: 5, activation: %s, name: h2}}"
SERIES = """data: {dataset: {mackey_glass: {samples: 200}}, window: {length: 8}}
model: [{lstm: {units: 6, return_sequences: true}}, {gru: 4}, output]
"""
PICTURES = """data: {dataset: digits, limit: 60}
model: [reshape: [8, 8, 1], {conv2d: {filters: 4, kernel_size: 3, activation: relu}}, max_pooling2d: 2, flatten, output]
"""
AUTOENCODERS = {
    "dense": DENSE % "tanh" + "pretrain: {method: autoencoder, optimizer: {sgd: 0.1}}",
    "tied": DENSE % "sigmoid" + "pretrain: {method: autoencoder, tied_weights: true, optimizer: {sgd: 0.1}}",
    "errors": DENSE % "sigmoid"
    + "pretrain: {method: autoencoder, loss: mse, decoder_activation: relu, per_layer: {h2: {loss: squared_error}}}",
    "probabilities": DENSE % "sigmoid" + "pretrain: {method: autoencoder, decoder_activation: hard_sigmoid}",
    "mean cross-entropy": DENSE % "sigmoid" + "pretrain: {method: autoencoder, loss: binary_crossentropy}",
    "few active units": DENSE % "sigmoid" + "pretrain: {method: sparse_autoencoder, sparsity_weight: 0.3}",
    "a small code": DENSE % "relu" + "pretrain: {method: sparse_autoencoder, penalty: l1, optimizer: {sgd: 0.01}}",
    "contractive": DENSE % "tanh" + "pretrain: {method: contractive_autoencoder, contraction: 0.5}",
    "of a series": SERIES + "pretrain: {method: autoencoder, optimizer: {sgd: {learning_rate: 0.1, momentum: 0.5}}}",
    "of pictures": PICTURES + "pretrain: {method: autoencoder}",
    "of pictures, tied": PICTURES.replace("max_pooling2d: 2, ", "")
    + "pretrain: {method: autoencoder, tied_weights: true}",
    "two kinds of optimizers": DENSE % "tanh"
    + "pretrain: {method: autoencoder, per_layer: {h2: {epochs: 2, optimizer: {sgd: {momentum: 0.5}}}}}",
}


def ejected(text, folder):
    (folder / "spec.yaml").write_text(f"dlspec: 1\nname: tried\n{text}\n", encoding="utf-8")
    spec = dlspec.load(folder / "spec.yaml")
    data = load_data(spec)
    subject = Subject(fill_in(spec, data.signature), (data,), plan_of(spec, data), folder)
    script = Script("tried")
    write_network(script, subject)
    write_pretraining(script, subject)
    return subject, loaded(script, folder)


def step(model, x, *given):
    """One weight update from all samples at once; returns the loss before it."""
    return float(model.train_on_batch(x, *given))


@pytest.mark.everyday("tied")
@pytest.mark.parametrize("case", AUTOENCODERS)
def test_an_autoencoder_has_the_same_objective_and_takes_the_same_step(case, tmp_path, monkeypatch):
    subject, module = ejected(AUTOENCODERS[case], tmp_path)
    network = module.build_network()
    before = network.get_weights()
    built = []
    monkeypatch.setattr(keras.Model, "fit", lambda self, x, y, **given: built.append((self, x, given)))
    x = np.asarray(subject.data.train.inputs)
    module.pretrain(network, x)
    assert len(built) == len(subject.plan.pretraining)
    for stage, (theirs, seen, given) in zip(subject.plan.pretraining, built, strict=True):
        assert (given["epochs"], given["batch_size"]) == (stage.epochs, stage.batch_size)
        network.set_weights(before)
        encoder = [network.get_layer(name) for name in stage.encoder]
        start = [layer.get_weights() for layer in encoder]
        ours = stage.method.build(encoder, stage.place, StageTask(10))
        ours.forward(ops.convert_to_tensor(seen[:2]), ours.draw(ops.convert_to_tensor(seen[:2])))
        known = {id(weight) for layer in encoder for weight in layer.weights}
        back = [weight for weight in ours.decoder.weights if id(weight) not in known]
        own = [weight for weight in theirs.trainable_weights if id(weight) not in known]
        assert [weight.shape for weight in own] == [weight.shape for weight in back]
        for weight, other in zip(own, back, strict=True):
            weight.assign(other)
        values = [ops.convert_to_numpy(weight) for weight in back]
        moved = []
        for model, weights in ((ours, back), (theirs, own)):
            for layer, held in zip(encoder, start, strict=True):
                layer.set_weights(held)
            for weight, value in zip(weights, values, strict=True):
                weight.assign(value)
            loss = step(model, seen, *([seen] if model is theirs else []))
            moved.append((loss, [layer.get_weights() for layer in encoder]))
        assert moved[1][0] == pytest.approx(moved[0][0], rel=1e-5)
        for one, other in zip(moved[0][1], moved[1][1], strict=True):
            for a, b in zip(one, other, strict=True):
                np.testing.assert_allclose(a, b, atol=2e-5)
        assert any(not np.array_equal(a, b) for a, b in zip(start[0], moved[1][1][0], strict=True))


@pytest.mark.parametrize("corruption", ["{masking: 0.4}", "{gaussian: 0.3}", "{salt_and_pepper: 0.4}"])
def test_input_is_spoiled_as_often(corruption, tmp_path):
    spec = DENSE % "sigmoid" + f"pretrain: {{method: denoising_autoencoder, corruption: {corruption}, epochs: 1}}"
    subject, module = ejected(spec, tmp_path)
    text = (tmp_path / "tried.py").read_text(encoding="utf-8")
    kind = {"{m": "MaskingNoise", "{g": "GaussianNoise", "{s": "SaltAndPepperNoise"}[corruption[:2]]
    make = keras.layers.GaussianNoise if kind == "GaussianNoise" else getattr(module, kind)
    assert f"{kind}({corruption[-4:-1]})(inputs)" in text
    x = np.random.default_rng(0).uniform(0.2, 0.8, (200, 64)).astype("float32")
    amount = float(corruption[-4:-1])
    theirs, ours = make(amount), subject.spec.pretrain.corruption.build()
    shares = [float((np.asarray(layer(x, training=True)) != x).mean()) for layer in (ours, theirs)]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    np.testing.assert_array_equal(np.asarray(theirs(x, training=False)), x)
    module.pretrain(module.build_network(), np.asarray(subject.data.train.inputs))


UNITS = {
    "sigmoid": rbm.binary,
    "linear": rbm.gaussian,
    "relu": rbm.rectified,
    "bernoulli": rbm.binary,
    "gaussian": rbm.gaussian,
}


@pytest.mark.everyday("1-bernoulli-sigmoid", "3-gaussian-linear", "1-gaussian-relu")
@pytest.mark.parametrize("hidden", ["sigmoid", "linear", "relu"])
@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("gibbs_steps", [1, 3])
def test_contrastive_divergence_moves_the_weights_as_dlspec_does(hidden, visible, gibbs_steps, monkeypatch):
    tf = pytest.importorskip("tensorflow")
    random = np.random.default_rng(3)
    v0 = random.uniform(size=(20, 7)).astype("float32")
    layer = keras.layers.Dense(4, activation=hidden)
    layer.build((None, 7))
    layer.bias.assign(random.normal(size=4))
    machine = BoltzmannMachine([layer], hidden=hidden, visible=visible, gibbs_steps=gibbs_steps)
    machine.build((None, 7))
    machine.visible_bias.assign(random.normal(size=7))
    weights = [layer.kernel, layer.bias, machine.visible_bias]
    draw = random.uniform if hidden == "sigmoid" else random.normal
    noise = [draw(size=(20, 4)).astype("float32") for _ in range(gibbs_steps)]
    with tf.GradientTape() as tape:
        found = machine.forward(tf.constant(v0), tuple(noise))
        objective = machine.objective(tf.constant(v0), None, found)
    gradients = [np.asarray(each) for each in tape.gradient(objective, [weight.value for weight in weights])]

    given = iter(noise)
    visible_noise = np.zeros((20, 7), "float32")  # of visible units the mean is taken, and nothing is drawn

    def drawn(shape):
        return next(given, noise[-1]) if shape == (20, 4) else visible_noise

    monkeypatch.setattr(rbm.np.random, "random", drawn)
    monkeypatch.setattr(rbm.np.random, "standard_normal", drawn)
    values = [np.asarray(weight) for weight in weights]
    (dw, db, dc), error = rbm.contrastive_divergence(v0, *values, UNITS[hidden], UNITS[visible], gibbs_steps)
    for gradient, move in zip(gradients, (dw, db, dc), strict=True):
        np.testing.assert_allclose(-gradient, move, rtol=1e-5, atol=3e-5)
    assert error == pytest.approx(float(objective), rel=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        "{method: rbm, epochs: 6, batch_size: 10, momentum: {start: 0.5, end: 0.9}, weight_decay: 2e-4}",
        "{method: rbm, epochs: 8, batch_size: 10, persistent: true, optimizer: {sgd: 0.02}}",
        "{method: rbm, epochs: 6, batch_size: 10, gibbs_steps: 2, optimizer: {adam: 0.01}, layers: [h1]}",
    ],
)
def test_an_rbm_learns(settings, tmp_path, capsys):
    subject, module = ejected(DENSE % "sigmoid" + f"pretrain: {settings}", tmp_path)
    keras.utils.set_random_seed(0)
    module.pretrain(module.build_network(), np.asarray(subject.data.train.inputs))
    errors = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines() if line.startswith("h1")]
    assert len(errors) == subject.plan.pretraining[0].epochs
    assert errors[-1] < 0.8 * errors[0]


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    ("settings", "trained"),
    [
        ("{patience: 2}", True),
        ("{patience: 1, min_delta: 1000, start_from_epoch: 1, restore_best_weights: false}", True),
        ("{patience: 2, monitor: free_energy_gap}", False),
    ],
)
def test_an_rbm_stops_when_held_out_samples_get_no_better(settings, trained, tmp_path, capsys):
    spec = f"pretrain: {{method: rbm, epochs: 40, batch_size: 10, optimizer: {{sgd: 0.4}}, early_stopping: {settings}}}"
    subject, module = ejected(DENSE % "sigmoid" + spec, tmp_path)
    network, (x, held_out) = (
        module.build_network(),
        (np.asarray(part.inputs) for part in (subject.data.train, subject.data.validation)),
    )
    assert pretraining_needs(subject) == (["held_out"] if trained else [])
    module.pretrain(network, x, *([held_out] if trained else []))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("h1")]
    if not trained:
        assert len(lines) == 40
        return
    assert len(lines) < 40
    errors = [float(line.split()[-1]) for line in lines]
    if "min_delta" in settings:
        assert len(errors) == 3  # the first is not looked at, the second is the best, and one is waited for
        return
    assert np.argmin(errors) == len(errors) - 3
    kernel, bias = network.get_layer("h1").get_weights()
    assert kernel.shape == (64, 12)
    assert bias.any()


def test_a_decoder_begins_with_what_the_machines_have_learned(tmp_path):
    spec = """data: {dataset: digits, scale: min_max, target: input, limit: 60}
model:
  - flatten
  - dense: {units: 12, activation: sigmoid, name: h1}
  - dense: {units: 5, name: h2}
  - dense: {units: 3, name: h3}
pretrain: {method: rbm, epochs: 1, then: unroll, layers: [h1], optimizer: {sgd: 0.01}}"""
    subject, module = ejected(spec, tmp_path)
    network = module.build_network()
    module.pretrain(network, np.asarray(subject.data.train.inputs))
    for name in ("h1", "h2", "h3"):
        kernels = [ops.convert_to_numpy(network.get_layer(each).kernel) for each in (name, f"{name}_mirror")]
        np.testing.assert_array_equal(kernels[0].T, kernels[1])


def test_supervised_stages_and_early_stopping(tmp_path):
    spec = DENSE % "relu" + "pretrain: {method: supervised, epochs: 3, early_stopping: {patience: 1}}"
    subject, module = ejected(spec, tmp_path)
    assert pretraining_needs(subject) == ["y", "held_out"]
    network = module.build_network()
    before = network.get_weights()
    parts = [
        (np.asarray(part.inputs), np.asarray(part.targets)) for part in (subject.data.train, subject.data.validation)
    ]
    module.pretrain(network, *parts[0], parts[1])
    after = network.get_weights()
    assert not np.array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])
    np.testing.assert_array_equal(before[4], after[4])  # the output is trained later


def test_layers_of_a_code_with_pooling_are_trained_together(tmp_path):
    subject, module = ejected(PICTURES + "pretrain: {method: denoising_autoencoder, epochs: 1}", tmp_path)
    text = (tmp_path / "tried.py").read_text(encoding="utf-8")
    assert 'for names in (["conv2d_1", "max_pooling2d_1"],):' in text
    module.pretrain(module.build_network(), np.asarray(subject.data.train.inputs))


class Strange(PRETRAINING["autoencoder"]):
    """A method that another package brings, which is an autoencoder and something more."""


class Dust(CORRUPTIONS["masking"]):
    """A corruption that another package brings."""


@pytest.mark.parametrize(
    ("method", "name"),
    [("strange", "strange"), ("denoising_autoencoder, corruption: {dust: 0.1}", "dust")],
)
def test_what_a_plugin_brings_is_refused(method, name, tmp_path, monkeypatch):
    monkeypatch.setitem(PRETRAINING._classes, "strange", Strange)
    monkeypatch.setitem(CORRUPTIONS._classes, "dust", Dust)
    with pytest.raises(NotWritten, match=f"`{name}` comes from a plugin"):
        ejected(DENSE % "sigmoid" + f"pretrain: {{method: {method}, epochs: 1}}", tmp_path)
