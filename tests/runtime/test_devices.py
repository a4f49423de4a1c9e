"""Several devices make the steps of one, up to rounding. Here they are parts of the processor, in their own process,
since TensorFlow fixes its devices when it starts."""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache

import pytest

import dlspec
from dlspec.runs.listener import Listener
from tests.conftest import ROOT

DENSE = "dense: {units: 20, activation: relu, kernel_regularizer: {l2: 0.01}}"
UNITS = "dense: {units: 12, activation: sigmoid}"
SPECS = {
    "dropout": f"model: [{DENSE}, dropout: 0.3, dense: 9, output]",
    "autoencoder": f"model: [{DENSE}, dense: 9, output]\npretrain: {{method: denoising_autoencoder, epochs: 2}}",
    "rbm": f"model: [{UNITS}, output]\npretrain: {{method: rbm, epochs: 2}}",
    "supervised": f"model: [{DENSE}, dense: 9, output]\npretrain: {{method: supervised, epochs: 2}}",
    "synchronized": "model: [dense: {units: 9, use_bias: false}, batch_normalization: {synchronized: true}, "
    "dropout: 0.2, output]",
    "sampling": f"model:\n  - {DENSE}\n  - dense: {{units: 4, name: mean}}\n"
    "  - dense: {units: 4, name: log_var, from: dense_1}\n  - sampling: {from: [mean, log_var]}\n  - output\n",
    "quantiles": f"model:\n  - {DENSE}\n  - output: {{quantiles: [0.1, 0.5, 0.9]}}\n"
    "pretrain: {method: supervised, epochs: 2}",
    "mixture": f"model:\n  - {DENSE}\n  - output: {{mixture: 3}}\npretrain: {{method: supervised, epochs: 2}}",
    "masked": "model: [masking, lstm: {units: 4, return_sequences: true}, output]",
    "outputs": f"model:\n  layers: [{DENSE}, dropout: 0.3]\n  outputs:\n"
    "    kind: {target: species, class_weight: balanced}\n"
    "    width: {target: petal_width, weight: 2, quantiles: [0.1, 0.5, 0.9]}",
    "masked_outputs": "model:\n  layers: [masking, lstm: {units: 4, return_sequences: true, name: each}, lstm: 3]\n"
    "  outputs: {side: {target: {y: category}, from: each}, sum: z}",
}
OTHERS = [name for name in SPECS if name != "dropout"]
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
import dlspec
from dlspec.training.progress import Stopped
from dlspec.runs.listener import Listener

class StopOnce(Listener):
    def step_ends(self, stage, epoch, step, loss):
        if stage.kind == "fine_tune" and (epoch, step) == (2, 2):
            os.kill(os.getpid(), signal.SIGINT)

SEVERAL = {"runtime.distribute.strategy": "mirrored", "runtime.distribute.devices": 2}
specs, found = json.loads(sys.argv[1]), {}
random = np.random.default_rng(1)
there = np.arange(9) < np.sort(random.integers(1, 10, 100))[:, None]
np.savez("padded.npz", x=(random.normal(size=(100, 9, 2)) * there[..., None]).astype("float32"), y=there * 1,
         z=there.sum(axis=1) * 1.0)
for name, text in specs.items():
    runs = []
    for more in (SEVERAL, {}):
        Path("spec.yaml").write_text(text)
        runs.append(dlspec.run(dlspec.load("spec.yaml", more), out=f"{name}-{len(runs)}"))
    ours, theirs = ([np.asarray(w) for w in run.model.get_weights()] for run in runs)
    found[name] = [max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs)), runs[0].environment.device]
    scores = [run.metrics.test.get("accuracy") for run in runs]
    assert scores[0] == scores[1], scores
if "dropout" in specs:
    Path("spec.yaml").write_text(specs["dropout"])
    try:
        dlspec.run(dlspec.load("spec.yaml", SEVERAL), out="stopped", listener=StopOnce())
        raise SystemExit("it was not stopped")
    except Stopped:
        ours, theirs = (run.model.get_weights() for run in (dlspec.resume("stopped"), dlspec.open_run("dropout-0")))
    found["resumed"] = [all(np.array_equal(a, b) for a, b in zip(ours, theirs)), ""]
print(json.dumps(found))
"""


@cache
def found(*names: str) -> dict:
    """What came of each spec on two devices and on one: the largest difference of a weight, and the device."""
    common = (
        "dlspec: 1\nname: n\nMODEL\n"
        "data: {dataset: iris, scale: min_max, split: {validation: 0.1, test: 0.1}}\n"
        "train: {epochs: 3, batch_size: 33, optimizer: {adam: 0.01}, gradient_clipping: {norm: 0.1}}\n"
        "runtime: {device: cpu, xla: off}\n"
    )
    specs = {name: common.replace("MODEL", SPECS[name]) for name in names}
    if "synchronized" in specs:
        specs["synchronized"] = specs["synchronized"].replace("_size: 33", "_size: 30")  # Keras wants equal parts
    for name in {"quantiles", "mixture"} & {*specs}:
        specs[name] = specs[name].replace("dataset: iris", "dataset: diabetes")
    for name in {"masked", "masked_outputs"} & {*specs}:  # sequences of unequal lengths, and a class at each timestep
        arrays = "arrays: padded.npz, scale: none" + (
            ", target: {y: category}" if name == "masked" else ", features: x"
        )
        specs[name] = specs[name].replace("dataset: iris, scale: min_max", arrays)
    # the first spec of a process decides which devices there are, so those of one device come second
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, json.dumps(specs)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def weights_are_those_of_one_device(difference: float, device: str) -> None:
    assert difference < 1e-5
    assert "2 parts of" in device


@pytest.mark.slow
def test_two_devices_make_the_weights_of_one():
    weights_are_those_of_one_device(*found("dropout")["dropout"])


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_two_devices_make_the_weights_of_one_also(name):
    weights_are_those_of_one_device(*found(*OTHERS)[name])


@pytest.mark.slow
def test_a_stopped_run_on_several_devices_goes_on_to_the_same_bits():
    assert found("dropout")["resumed"][0]


def test_one_device_is_said_to_be_one(tmp_path):
    text = (
        "dlspec: 1\nname: n\ndata: {dataset: iris}\nmodel: [output]\ntrain: {epochs: 1}\n"
        "runtime: {device: cpu, distribute: {strategy: mirrored}}\n"
    )
    told = []

    class Notes(Listener):
        def note(self, text):
            told.append(text)

    dlspec.run(dlspec.load(text), out=tmp_path / "run", listener=Notes())
    assert "`distribute` finds one device, on which the network is trained as without it" in told
