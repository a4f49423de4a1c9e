"""What tests share. Training tests run in one process each worker, since importing TensorFlow takes seconds."""

from __future__ import annotations

import gc
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

import dlspec

os.environ["DLSPEC_CACHE"] = tempfile.mkdtemp(prefix="dlspec_cache_")  # what tests time is of no use to a user
os.fsync = lambda file: None  # no test cuts the power, and a run waits for its disk fifty times
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every process that a test starts compiles dlspec again

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
REAL_DATA = Path(os.environ.get("DLSPEC_TEST_DATA", ROOT.parent / "shared" / "data"))

TINY_SERIES = """\
dlspec: 1
name: tiny_series
seed: 3
data:
  dataset: {mackey_glass: {samples: 260}}
  window: {length: 8, horizon: 2}
  predict: difference
model:
  - lstm: {units: 6, return_sequences: true}
  - dropout: 0.2
  - lstm: 4
  - output
pretrain: {method: autoencoder, epochs: 2, batch_size: 43}
train: {epochs: 3, batch_size: 16, early_stopping: {patience: 5}}
"""

TINY_DIGITS = """\
dlspec: 1
name: tiny_digits
seed: 3
data: {dataset: digits, scale: min_max, labels: 60}
model:
  - flatten
  - dense: {units: 12, activation: sigmoid, name: h1}
  - dropout: 0.1
  - dense: {units: 8, activation: sigmoid, name: h2}
  - output
pretrain: {method: denoising_autoencoder, tied_weights: true, epochs: 2, batch_size: 64}
train: {epochs: 3, batch_size: 16}
"""

TINY_SPIRALS = """\
dlspec: 1
name: tiny_spirals
data: {dataset: {spirals: {samples: 120}}}
model:
  - dense: {units: 6, activation: tanh}
  - dense: {units: 5, activation: tanh}
  - output
train: {epochs: 3, batch_size: 16, optimizer: {adam: 0.01}}
"""

TINY_TABLE = """\
dlspec: 1
name: tiny_table
data: {dataset: diabetes}
model:
  - dense: {units: 6, activation: relu}
  - output
train: {epochs: 3, batch_size: 32}
"""

SPIRALS = "data: {dataset: {spirals: {samples: 60}}}\ntrain: {epochs: 1}\n"
"""Sections of a spec that lacks its first line and `model`."""
TINY = {"series": TINY_SERIES, "digits": TINY_DIGITS, "spirals": TINY_SPIRALS, "table": TINY_TABLE}


LONG = (
    "test_crashes",
    "test_lost_writes",
    "test_devices",
    "test_fuzz",
    "test_drawn_layers",
    "test_engines",
    "test_docs",
)
"""Files of tests that take longest, which begin first, so that no worker waits for another at the end."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Each worker takes whole files, so that what the tests of a file share is trained once."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False  # in the order of `pytest_collection_modifyitems`
    return LoadFileScheduling(config, log)


def pytest_collection_modifyitems(items):
    """Long files come first; the order is otherwise as it was. Cases that are not everyday are slow."""
    met = Counter()
    for item in items:
        everyday = item.get_closest_marker("everyday")
        if everyday:
            test, (first, *_) = item.nodeid.partition("[")[0], everyday.args
            met[test] += 1
            if item.callspec.id not in everyday.args and not (isinstance(first, int) and met[test] <= first):
                item.add_marker(pytest.mark.slow)
    place = {name: i for i, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Tests are compiled once, and what collecting makes stays and is not looked through again and again."""
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    gc.disable()
    try:
        return (yield)
    finally:
        sys.dont_write_bytecode = kept
        gc.freeze()
        gc.enable()


@pytest.fixture
def write_spec(tmp_path):
    """Writes YAML text to a file of the test's own folder and returns its path."""

    def write(text: str, name: str = "spec.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def one_step_at_a_time(monkeypatch):
    """A listener can look at the network, and stop training, after every step and not only after a run of steps."""
    monkeypatch.setattr("dlspec.training.engines.base.AT_A_TIME", 0.0)


@pytest.fixture
def keras_home(monkeypatch):
    """Lets Keras's own sets be read from the folder of real data; skips where that does not have them."""

    def use(name: str) -> None:
        home = REAL_DATA / "keras"
        if not list((home / "datasets").glob(f"{name.replace('_', '-')}*")):
            pytest.skip(f"no {name} in {home}")
        monkeypatch.setenv("KERAS_HOME", str(home))

    return use


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """A finished run of one of the tiny specs, trained once in each worker."""
    runs = {}

    def get(name: str):
        if name not in runs:
            folder = tmp_path_factory.mktemp("runs") / name
            runs[name] = dlspec.run(dlspec.load(TINY[name]), out=folder)
        return runs[name]

    return get


NEEDED = {"dlspec": "dlspec: 1", "data": "data: {dataset: digits}", "model": "model: [flatten, output]"}


def problems_of(example, folder):
    """What is wrong with a spec out of the documentation, which leaves out what does not matter there.

    Trackers may be missing, as notes say, which is not wrong.
    """
    given = set(re.findall(r"^(\w+)[:：]", example, re.MULTILINE))
    left_out = [line for key, line in NEEDED.items() if key not in given and "extends" not in given]
    (folder / "base.yaml").write_text("\n".join(NEEDED.values()), encoding="utf-8")
    (folder / "spec.yaml").write_text("\n".join([*left_out, example]), encoding="utf-8")
    found = dlspec.validate(folder / "spec.yaml")
    return [problem for problem in found if (problem.code, problem.severity) != ("missing-package", "note")]
