"""`main` of a script trains what `dlspec run` trains: with the same random numbers both end with the same weights.

Every random number is made a function of its shape, so that it does not matter how many were drawn before.
"""

import importlib

import keras
import numpy as np
import pytest

import dlspec
from dlspec.ejection import ejecting
from dlspec.ejection.copying import snippet_names
from dlspec.evaluation.evaluate import evaluate
from dlspec.model.build import build_network
from dlspec.runs.job import load_data, plan_of
from dlspec.runs.listener import Listener
from dlspec.spec.defaults import fill_in, fill_in_sizes
from dlspec.spec.planning import without_pretraining
from dlspec.training.progress import Hooks
from dlspec.training.stage_run import StageRun
from dlspec.training.trainer import Trainer
from tests.conftest import ROOT
from tests.ejection.scripts import check_style
from tests.ejection.written import imported

TRAIN = "train: {epochs: 2, batch_size: 16}\n"
DENSE = "model: [flatten, dense: {units: 9, activation: sigmoid}, dense: {units: 5, activation: %s}, output]\n"
DIGITS = "data: {dataset: digits, scale: min_max, limit: 60}\n" + DENSE
IRIS = "data: {dataset: iris%s}\n" + DENSE % "tanh"
BACK = "data: {dataset: digits, scale: min_max, limit: 60, target: input}\nmodel: [%s]\n"
PICTURE = "reshape: [8, 8, 1], {conv2d: {filters: 3, kernel_size: 3, activation: relu}}, {max_pooling2d: 2}"
TWO = "flatten, dense: {units: 9, activation: sigmoid}, dense: 5"
SERIES = "data: {dataset: {mackey_glass: {samples: 160}}, window: {length: 6}%s}\nmodel: [%s{lstm: {units: 4, "
SERIES += "return_sequences: true}}, {gru: 3}%s]\n"
COMPARE = "evaluate: {compare: {without_pretraining: {seeds: 1}}}\n"
CASES = {
    "labels": IRIS % "" + "pretrain: {method: supervised, epochs: 2, early_stopping: {patience: 1}}\n"
    "train: {epochs: 2, loss: categorical_crossentropy, class_weight: balanced}\n",
    "nothing beside": SERIES
    % (", scale: none, target: input", "", ", output")
    + "train: {epochs: 1}\nevaluate: {metrics: [mse], "
    "baselines: []}\nruntime: {deterministic: true}\n",
}
SLOW = {
    "folds": IRIS % ", split: {folds: 2}" + "pretrain: {method: autoencoder, epochs: 1, layers: [dense_1]}\n" + TRAIN,
    "thaws": IRIS % "" + "pretrain: {method: autoencoder, epochs: 1, then: freeze, thaw_after: 1, "
    "loss: mse, decoder_activation: tanh}\ntrain: {epochs: 3, batch_size: 8, optimizer: {adam: 0.05}}\n" + COMPARE,
    "tied": BACK % TWO
    + "pretrain: {method: denoising_autoencoder, tied_weights: true, epochs: 1, then: unroll}\n"
    + TRAIN,
    "contraction": DIGITS % "relu" + "pretrain: {method: contractive_autoencoder, epochs: 2, early_stopping: "
    "{patience: 1}}\n" + TRAIN,
    "labels of a series": SERIES % ("", "", ", output") + "pretrain: {method: supervised, epochs: 1}\n" + TRAIN,
    "labels of several shapes": SERIES % ("", "{conv1d: {filters: 3, kernel_size: 2}}, ", ", output")
    + "pretrain: {method: supervised, epochs: 1}\n" + TRAIN,
    "frozen": IRIS % "" + "pretrain: {method: autoencoder, epochs: 1, then: freeze}\ntrain: {epochs: 4, batch_size: 4, "
    "optimizer: {adam: 0.05}}\n" + COMPARE,
    "pictures": BACK % (PICTURE + ", {conv2d: {filters: 2, kernel_size: 2}}")
    + "pretrain: {method: sparse_autoencoder, penalty: l1, tied_weights: true, epochs: 1, then: unroll}\n" + TRAIN,
    "estimated contraction": DIGITS.replace("flatten", PICTURE + ", flatten") % "tanh"
    + "pretrain: {method: contractive_autoencoder, epochs: 1}\n" + TRAIN,
    "normalized": DIGITS.replace(", output", ", batch_normalization, output") % "sigmoid"
    + "pretrain: {method: autoencoder, epochs: 1}\n" + TRAIN,
    "machines": DIGITS % "relu" + "pretrain: {method: rbm, epochs: 2, persistent: true, gibbs_steps: 2}\n" + TRAIN,
    "momentum": DIGITS % "tanh" + "pretrain: {method: autoencoder, epochs: 1, then: freeze, thaw_after: 1}\ntrain: "
    "{epochs: 3, optimizer: {sgd: {learning_rate: 0.1, momentum: {start: 0.2, end: 0.9}}}}\n",
}  # fmt: skip


@pytest.fixture
def same_numbers(monkeypatch):
    """Random numbers by their shape alone, and samples in their order."""
    tf = pytest.importorskip("tensorflow")
    drawing = importlib.import_module("keras.src.backend.tensorflow.random")
    monkeypatch.setattr(drawing, "draw_seed", lambda seed: tf.constant([7, 7], tf.int32))
    monkeypatch.setattr(np.random, "random", lambda shape: tf.random.stateless_uniform(shape, [7, 7]).numpy())
    monkeypatch.setattr(np.random, "standard_normal", lambda shape: tf.random.stateless_normal(shape, [7, 7]).numpy())
    monkeypatch.setattr(np.random, "permutation", np.arange)
    monkeypatch.setattr(StageRun, "_order", lambda self, epoch: np.arange(len(self.samples.x)))
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)  # it cannot be undone
    monkeypatch.setattr(ejecting, "times_as_fast", lambda *given: None)
    fit = keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda *given, **more: fit(*given, **{**more, "shuffle": False, "verbose": 0})
    )


def trained(spec, plan, data):
    """The network that dlspec trains, and its metrics."""
    network = build_network(plan.graph, spec.name, one_input=True)
    Trainer(spec.training, plan, data, network, Hooks(Listener())).run()
    return network.get_weights(), evaluate(spec.evaluate, network, data, stops_early=False).test


def trained_by_script(file):
    """The weights and the metrics of every training in `main`."""
    module, found = imported(file), []
    save, score = module.with_preprocessing, module.score

    def saved(preprocessing, network):
        found.append([network.get_weights(), None])
        return save(preprocessing, network)

    def scored(truth, guess):
        scores = score(truth, guess)
        found[-1][1] = found[-1][1] or scores  # the first is that of the network
        return scores

    module.with_preprocessing, module.score = saved, scored
    module.main()
    if hasattr(module, "ARRAYS"):
        module.ARRAYS.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", [*CASES, *(pytest.param(case, marks=pytest.mark.slow) for case in SLOW)])
def test_main_trains_what_a_run_trains(case, write_spec, tmp_path, same_numbers):
    spec = dlspec.load(write_spec(f"dlspec: 1\nname: tried\n{ {**CASES, **SLOW}[case] }"))
    file = dlspec.eject(spec, out=tmp_path / "tried.py").file
    check_style(file)
    theirs, ours = trained_by_script(file), []
    for fold in range(spec.data.split.times_trained):
        data = load_data(spec, fold)
        plan = plan_of(spec, data)
        filled = fill_in_sizes(fill_in(spec, data.signature), plan.graph)
        ours.append(trained(filled, plan, data))
    if spec.evaluate.compare is not None:
        ours.append(trained(filled, without_pretraining(plan, filled), data))
    assert len(theirs) == len(ours)
    for (weights, scores), (expected, metrics) in zip(theirs, ours, strict=True):
        for own, other in zip(weights, expected, strict=True):
            np.testing.assert_allclose(own, other, rtol=0, atol=2e-3 * max(np.abs(other).max(initial=0), 1e-2))
        assert scores == pytest.approx(metrics, rel=5e-3)


def test_no_name_is_in_two_snippets():
    """They may come into one script, in which the later one would stand in for the other."""
    found = [
        line.split()[1].partition("(")[0].rstrip(":")
        for file in (ROOT / "dlspec" / "ejection" / "snippets").glob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith(("def ", "class "))
    ]
    twice = {name for name in found if found.count(name) > 1}
    assert twice == {"outputs_of"}  # of which a script has one, for samples that are columns or for those that are not
    assert len(found) > 50
    assert {*found} <= {*snippet_names()}
