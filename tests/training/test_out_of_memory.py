"""What is said where memory runs out, or would."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import dlspec
from dlspec.api import graph, plan
from dlspec.runs.job import load_data, plan_of, too_large
from dlspec.runs.listener import Listener
from dlspec.runtime import memory as machine
from dlspec.training.errors import backend_errors_in_words, out_of_memory
from dlspec.training.estimates import fit, stage_memory, training_memory
from tests.commands import dlspec as dlspec_command

WIDE = """\
dlspec: 1
data: {dataset: {moons: {samples: 800000}}}
model: [dense: 100, repeat_vector: 1000000, activation: tanh, global_max_pooling1d, output]
train: {epochs: 1, batch_size: 524288}
runtime: {device: cpu, xla: off}
"""
"""Its values need more addresses than a process can have, so that asking for them fails at once."""
HEAVY = """\
dlspec: 1
data: {dataset: {moons: {samples: 200}}}
model: [dense: 10000000, dense: {units: 20000000, name: huge}, output]
train: {epochs: 1, batch_size: 16}
runtime: {device: cpu}
"""
SMALL = """\
dlspec: 1
data: {dataset: digits}
model: [flatten, dense: {units: 100, name: h1}, dense: {units: 50, name: h2}, output]
train: {batch_size: 256}
"""


def run_of(text, folder):
    (folder / "spec.yaml").write_text(text)
    return dlspec_command("run", "spec.yaml", "--out", "run", cwd=folder)


@pytest.mark.slow
def test_a_batch_that_does_not_fit_ends_with_the_one_that_does(tmp_path):
    done = run_of(WIDE, tmp_path)
    assert done.returncode == 4, done.stderr
    assert "warning[too-little-memory]: `fine_tune` takes about " in done.stderr
    error = done.stderr[done.stderr.index("error[out-of-memory]") :]
    assert "memory ran out in `fine_tune` with a batch of 524,288: by estimate it takes 419 TB" in error
    assert re.search(
        "help: write `batch_size: (1|2|4|8|16|32|64|128|256)` under `train`, which fits by estimate", error
    )
    assert "Traceback" not in done.stderr


def test_weights_that_do_not_fit_name_their_layer(tmp_path):
    done = run_of(HEAVY, tmp_path)
    assert done.returncode == 4, done.stderr
    error = done.stderr[done.stderr.index("error[out-of-memory]") :]
    assert "memory ran out before the first step of `fine_tune`: by estimate it takes " in error
    assert "whatever the batch; `huge` takes " in error
    assert "Traceback" not in done.stderr


def fine_tuning(text):
    spec = dlspec.load(text)
    found = plan(spec)
    return spec, found, found.stages[-1]


def test_the_batch_that_fits_is_a_power_of_two_and_at_most_half():
    spec, found, stage = fine_tuning(SMALL)
    memory = training_memory(spec.training, graph(spec))
    for_one = memory.activations // 256
    room = memory.weights + memory.gradients + memory.optimizer
    assert fit(spec.training, found.graph, stage, 256, room + 100 * for_one).largest_batch == 64
    assert fit(spec.training, found.graph, stage, 256, room + 64 * for_one).largest_batch == 64
    assert fit(spec.training, found.graph, stage, 256, room + 64 * for_one - 1).largest_batch == 32
    assert fit(spec.training, found.graph, stage, 256, room + 10_000 * for_one).largest_batch == 128
    assert fit(spec.training, found.graph, stage, 200, room + 10_000 * for_one).largest_batch == 64
    assert fit(spec.training, found.graph, stage, 256, room).largest_batch == 0
    assert fit(spec.training, found.graph, stage, 1, room + 10_000 * for_one).largest_batch == 0


def test_what_is_in_memory_already_does_not_have_to_fit_again():
    spec, found, stage = fine_tuning(SMALL)
    memory = training_memory(spec.training, graph(spec))
    free = memory.gradients + memory.activations // 256 * 32
    assert fit(spec.training, found.graph, stage, 256, free, begun=True).largest_batch == 32
    assert fit(spec.training, found.graph, stage, 256, free).largest_batch == 0


def test_a_stage_of_pretraining_takes_its_own_batch_and_a_decoder():
    spec, found, tuning = fine_tuning(SMALL + "pretrain: {method: autoencoder, batch_size: 32, optimizer: sgd}\n")
    stage = found.pretraining[0]
    own = stage_memory(spec.training, found.graph, stage, 32)
    assert list(own) == ["h1"]
    assert own["h1"].weights == 2 * (64 + 1) * 100 * 4  # an encoder and a decoder, float32
    assert own["h1"].optimizer == 0
    assert own["h1"].activations == 2 * 32 * (100 + 64) * 4
    assert list(stage_memory(spec.training, found.graph, tuning, 256)) == [layer.name for layer in found.graph.layers]


@pytest.mark.parametrize(
    ("free", "begun", "message", "help"),
    [
        (None, True, "with a batch of 256", "write `batch_size: 128` under `train`"),
        (None, False, "before the first step of `fine_tune`", "make layers smaller"),
        (300_000, True, "in `fine_tune` with a batch of 256", "write `batch_size: 128` under `train`, which fits"),
        (100_000, True, "by estimate it takes 422 KB, and there are 245 KB", "write `batch_size: 32` under `train`"),
        (10_000, False, "and there are 10.0 KB for it", "averages take 193 KB whatever the batch; `h1` takes 104 KB"),
    ],
)  # fmt: skip
def test_what_is_said(free, begun, message, help):
    spec, found, stage = fine_tuning(SMALL)
    (problem,) = out_of_memory(spec.training, found, stage, 256, free, begun=begun).diagnostics
    assert message in problem.message
    assert help in problem.help


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: out of memory")], ids=repr)
def test_the_errors_of_numpy_and_xla_are_put_into_words(error):
    spec = dlspec.load(SMALL)
    data = load_data(spec)
    found = plan_of(spec, data)
    with (
        pytest.raises(dlspec.TrainingError, match="memory ran out in `fine_tune` with a batch of 256"),
        backend_errors_in_words(spec.training, found, found.stages[-1], data, lambda: True),
    ):
        raise error


def test_another_error_stays_what_it_is():
    spec = dlspec.load(SMALL)
    data = load_data(spec)
    found = plan_of(spec, data)
    with pytest.raises(ValueError, match="else"), backend_errors_in_words(spec.training, found, found.stages[-1], data):
        raise ValueError("something else")


class Warnings(Listener):
    def __init__(self):
        self.found = []

    def warns(self, warnings, texts):
        self.found += warnings


def test_what_takes_more_than_is_free_is_warned_about_before_training(tmp_path, monkeypatch):
    listener = Warnings()
    monkeypatch.setattr("dlspec.runs.job.free_device_memory", lambda: 250_000)
    dlspec.run(dlspec.load(SMALL, {"train.epochs": 1}), out=tmp_path / "run", listener=listener)
    (problem,) = [warning for warning in listener.found if warning.code == "too-little-memory"]
    assert problem.message == "`fine_tune` takes about 422 KB with a batch of 256, and 250 KB are free"
    assert problem.help == "write `batch_size: 32` under `train`, which fits by estimate"
    assert problem.span.line == 4
    assert not problem.is_error


def test_nothing_is_said_of_what_fits_or_is_not_known():
    text = SMALL + "pretrain: {method: autoencoder, batch_size: 512}\n"
    spec = dlspec.load(text)
    data = load_data(spec)
    found = plan_of(spec, data)
    assert too_large(spec, found, found.samples, None) == []
    assert too_large(spec, found, found.samples, 10**9) == []
    both = too_large(spec, found, found.samples, 1000)
    assert [problem.message.partition(" ")[0] for problem in both] == ["`pretrain:h1`", "`fine_tune`"]


# --- how much is free


def test_the_limit_of_a_container_counts(tmp_path, monkeypatch):
    """Of both versions of control groups, and of each group on the way up."""
    own = tmp_path / "two" / "jobs" / "mine"
    own.mkdir(parents=True)
    (tmp_path / "groups").write_text("0::/jobs/mine\n")
    for folder, limit in ((own, "max"), (own.parent, "1000000")):
        (folder / "memory.max").write_text(limit + "\n")
        (folder / "memory.current").write_text("400000\n")
        (folder / "memory.stat").write_text("anon 1\ninactive_file 30000\n")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "CONTROL_GROUPS", tmp_path / "two")
    assert machine.free_memory() == 630_000

    old = tmp_path / "one" / "memory" / "mine"
    old.mkdir(parents=True)
    (tmp_path / "groups").write_text("4:cpu:/mine\n3:memory:/mine\n")
    (old / "memory.limit_in_bytes").write_text("500000\n")
    (old / "memory.usage_in_bytes").write_text("100000\n")
    (old / "memory.stat").write_text("total_inactive_file 1000\n")
    monkeypatch.setattr(machine, "CONTROL_GROUPS", tmp_path / "one")
    assert machine.free_memory() == 401_000


def test_without_a_container_it_is_what_the_machine_has(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "none")
    (line,) = [x for x in Path("/proc/meminfo").read_text().splitlines() if x.startswith("MemAvailable")]
    assert machine.free_memory() == pytest.approx(int(line.split()[1]) * 1024, rel=0.2)
    assert machine.free_memory() <= machine.machine_memory()


def test_a_limit_of_addresses_counts():
    code = "from dlspec.runtime.memory import free_memory; print(free_memory())"
    limit = 600 * 2**20
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert 0 < int(done.stdout) < limit
