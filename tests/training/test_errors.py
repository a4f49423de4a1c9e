"""A loss that is no number: the step, the layer, the cure, and what is kept."""

import numpy as np
import pytest

import dlspec
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.runs.listener import Listener
from dlspec.training.progress import Checkpoint

SPIRALS = "data: {dataset: spirals}\n"
ADDING = "data: {dataset: {adding_problem: {samples: 500, timesteps: 10}}}\n"
CASES = {
    # name: spec, what went first, the cure
    "output": (
        SPIRALS + "model: [{dense: {units: 8, activation: relu}}, {dense: {units: 8, name: b}}, output]\n"
        "train: {optimizer: {sgd: 1.0e+12}}\n",
        "the output of `b` was the first that is no finite number, and the largest weight was",
        "lower `learning_rate` under `train` from 1e+12 to 1e+11",
    ),
    "gradient": (
        ADDING + "model: [flatten, {dense: {units: 4, kernel_initializer: {constant: 1.0e+21}}}, "
        "{dense: {units: 4, kernel_initializer: {constant: 1.0e-4}}}, output]\n"
        "train: {optimizer: sgd}\n",
        "at step 1 of epoch 1 the gradient of `dense_2` was the first that is no finite number",
        "lower `learning_rate` under `train` from 0.01 to 0.001",
    ),
    "loss": (
        ADDING + "model: [{lstm: 8}, {dense: {units: 8, activation: relu}}, output]\ntrain: {optimizer: {sgd: 50.0}}\n",
        "at step 4 of epoch 1 all layers put out finite numbers, in the end up to",
        "lower `learning_rate` under `train` from 50 to 5",
    ),
    "compiled": (
        ADDING + "model: [flatten, {dense: {units: 8, activation: relu}}, output]\n"
        "train: {optimizer: {sgd: 50.0}}\nruntime: {xla: on}\n",
        "of which the loss is none",
        "lower `learning_rate` under `train` from 50 to 5",
    ),
    "stage": (
        "data: {dataset: digits}\nmodel: [flatten, {dense: 20}, {dense: 10}, output]\n"
        "pretrain: {method: autoencoder, loss: squared_error, optimizer: {sgd: 30.0}}\n",
        "which trains `dense: 20`: at step",
        "write `per_layer: {dense_1: {optimizer: {sgd: 3.0}}}` under `pretrain`",
    ),
}


def failed(text, folder, **settings):
    with pytest.raises(TrainingError) as caught:
        dlspec.run(dlspec.load(f"dlspec: 1\nname: n\n{text}", settings), out=folder)
    (problem,) = caught.value.diagnostics
    assert problem.code == "loss-not-finite"
    return problem


@pytest.mark.parametrize("name", CASES)
def test_the_step_and_the_layer_are_named(name, tmp_path):
    text, what, cure = CASES[name]
    problem = failed(text, tmp_path / "run")
    assert what in problem.message
    assert cure in problem.help


def test_the_last_good_checkpoint_is_kept(tmp_path):
    """A learning rate that grows a hundredfold every epoch: all is well for some epochs, then it is not."""
    text = (
        f"{ADDING}model: [flatten, {{dense: {{units: 8, activation: relu}}}}, output]\n"
        "train: {epochs: 40, optimizer: sgd, checkpoint_every: 0.001 s,\n"
        "        schedule: {exponential_decay: {decay_steps: 11, decay_rate: 20}}}\n"
    )
    folder = tmp_path / "run"
    problem = failed(text, folder)
    (note,) = problem.notes
    assert f"{folder}/checkpoints/latest.npz` has the weights after" in note
    kept = Checkpoint.load(folder / "checkpoints" / "latest.npz")
    assert f"{kept.progress.epoch} epochs and {kept.progress.step} steps" in note
    assert kept.progress.epoch >= 1
    assert all(np.isfinite(values).all() for values in kept.variables)
    assert "lower `learning_rate` under `train`, or" in problem.help, "the schedule gives the rate"


def test_the_search_ends_at_the_step_that_failed(tmp_path):
    """The step that is named is the first after which a network trained step by step is spoiled."""
    text, _, _ = CASES["loss"]
    problem = failed(text, tmp_path / "run")
    step = int(problem.message.partition("at step ")[2].split()[0])
    steps = []

    class Watch(Listener):
        def step_ends(self, stage, epoch, step, loss):
            steps.append((epoch, step, loss))

    with pytest.raises(TrainingError):
        dlspec.run(dlspec.load(f"dlspec: 1\nname: n\n{text}"), out=tmp_path / "again", listener=Watch())
    finite = [number for epoch, number, loss in steps if epoch == 1 and np.isfinite(loss)]
    assert step in (finite[-1], finite[-1] + 1)
