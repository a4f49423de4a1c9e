"""What happens in a run is written as it happens, and a run ends when it is asked to, without a signal."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import dlspec
from dlspec.runs.events import Events
from dlspec.runs.listener import Listener
from dlspec.runs.names import EVENTS, STOP
from dlspec.runs.records.events import last_seq, read_events
from dlspec.runs.records.history import GrowingHistory, read_history, write_history
from dlspec.training.progress import HistoryRow
from tests.commands import dlspec_here
from tests.conftest import ROOT

SPEC = """\
dlspec: 1
data: {dataset: {spirals: {samples: 300}}}
model: [{dense: {units: 8, activation: tanh}}, output]
pretrain: {method: autoencoder, epochs: 2}
train: {epochs: EPOCHS, batch_size: 16}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("events")
    (folder / "spec.yaml").write_text(SPEC.replace("EPOCHS", "6"), encoding="utf-8")
    (folder / "long.yaml").write_text(SPEC.replace("EPOCHS", "100000"), encoding="utf-8")
    return folder


class StopsAfter(Listener):
    """Wants the end once so many epochs of fine-tuning are done, and looks at the files then."""

    def __init__(self, epochs: int) -> None:
        self.left, self.folder, self.rows = epochs, None, []

    def opens(self, folder, spec, history):
        self.folder = folder

    def epoch_ends(self, stage, row):
        self.left -= stage.kind == "fine_tune"

    def step_ends(self, stage, epoch, step, loss):
        if epoch > 1 and step == 1:
            self.rows.append((epoch, len(read_history(self.folder / "history.csv"))))

    def wants_stop(self):
        return self.left <= 0


@pytest.fixture(scope="module")
def stopped(home):
    """A run that was stopped by its listener in a thread that is not the main one."""
    listener, caught = StopsAfter(3), []

    def train():
        try:
            dlspec.run(home / "spec.yaml", out=home / "run", listener=listener)
        except dlspec.Stopped as stop:
            caught.append(stop)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    events = read_events(home / "run")
    (home / "run" / STOP).touch()
    resumed = dlspec.resume(home / "run")
    return listener, caught, events, resumed


def kinds(events):
    return [event["event"] for event in events]


def test_a_thread_that_is_not_the_main_one_stops_after_the_step(stopped):
    listener, caught, events, _ = stopped
    (stop,) = caught
    assert not stop.terminated
    assert listener.left == 0
    assert events[-1]["event"] == "stopped"


def test_the_history_has_each_epoch_as_soon_as_it_is_done(stopped):
    listener, *_ = stopped
    assert [rows for epoch, rows in listener.rows] == [1, 3, 4]  # one of two stages, then both


def test_events_are_numbered_through_all_legs(stopped):
    _, _, first, run = stopped
    events = run.events()
    assert events[: len(first)] == first
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert run.events(after=len(first)) == events[len(first) :]
    assert kinds(first)[:4] == ["begins", "ready", "opens", "stage_begins"]
    begins = first[0]
    assert [stage["epochs"] for stage in begins["stages"]] == [2, 6]
    assert sum(begins["samples"].values()) == 300
    opened = [event["epochs_kept"] for event in events if event["event"] == "opens"]
    assert opened == [0, 5]
    assert kinds(events)[-1] == "done"


def test_epochs_are_those_of_the_history(stopped):
    run = stopped[-1]
    told = [
        (event["stage"], event["epoch"], event["loss"], event["val_loss"], event.get("measures", {}))
        for event in run.events()
        if event["event"] == "epoch_ends"
    ]
    assert told == [(row.stage, row.epoch, row.loss, row.val_loss, dict(row.measures)) for row in run.history]
    assert len(told) == 8


def test_the_end_says_what_came_of_it(stopped):
    run = stopped[-1]
    judged = run.events()[-1]["judged"]
    assert judged["metric"] == "accuracy"
    assert judged["value"] == run.metrics.test["accuracy"]
    assert EVENTS not in (run.folder / "SHA256SUMS").read_text(encoding="utf-8")


def test_a_stopped_run_ends_on_the_weights_of_one_that_was_not(stopped, home):
    whole = dlspec.run(home / "spec.yaml", out=home / "whole")
    found, expected = (np.load(folder / "layers.npz") for folder in (stopped[-1].folder, whole.folder))
    assert all(np.array_equal(found[name], expected[name]) for name in expected.files)
    assert kinds(whole.events())[-1] == "done"
    assert (whole.folder / "history.csv").read_text("utf-8").count("\n") == 9


def test_what_it_failed_by_is_told_with_place_and_cure(tmp_path):
    text = (
        "dlspec: 1\ndata: {dataset: {adding_problem: {samples: 200, timesteps: 5}}}\n"
        "model: [flatten, {dense: {units: 8, activation: relu}}, output]\ntrain: {optimizer: {sgd: 50.0}}\n"
    )
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(dlspec.TrainingError):
        dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    last = read_events(tmp_path / "run")[-1]
    assert last["event"] == "failed"
    (diagnostic,) = last["diagnostics"]
    assert diagnostic["code"] == "loss-not-finite"
    assert "learning_rate" in diagnostic["help"]


def test_a_bug_is_told_too(tmp_path):
    class Odd(Listener):
        def ready(self, device):
            raise RuntimeError("\x1b[31mred")

    (tmp_path / "spec.yaml").write_text(SPEC.replace("EPOCHS", "1"), encoding="utf-8")
    events = Events()
    events.opens(tmp_path, None, ())
    events.fails(RuntimeError("\x1b[31mred"))
    written = (tmp_path / EVENTS).read_bytes()
    assert b"\x1b" not in written
    assert read_events(tmp_path)[-1]["message"] == "\x1b[31mred"
    with pytest.raises(RuntimeError, match="red"):  # before there is a folder, nothing is written, and it is raised
        dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run", listener=Odd())


@pytest.mark.parametrize("left", [b'{"seq": 3, "ev', b"\n", b"not an event\n", b""])
def test_what_a_killed_process_left_of_a_line_is_cut_off(tmp_path, left):
    path = tmp_path / EVENTS
    path.write_bytes(b'{"seq": 1, "time": "t", "event": "begins"}\n{"seq": 2, "time": "t", "event": "note"}\n' + left)
    if left.startswith(b'{"seq": 3'):
        assert kinds(read_events(tmp_path)) == ["begins", "note"]
        assert last_seq(path) == 2
        assert path.read_bytes().endswith(b'"note"}\n')
    elif left:
        with pytest.raises(dlspec.DataError, match="line 3 is no event"):
            read_events(tmp_path)
    else:
        assert last_seq(path) == 2


def test_numbers_that_are_not_finite_are_null(tmp_path):
    events = Events()
    events.opens(tmp_path, None, ())
    events.epoch_ends(None, HistoryRow("fine_tune", 1, 1.0, None, 0.1, {"own": float("nan")}))
    (_, line) = (tmp_path / EVENTS).read_text("utf-8").splitlines()
    assert json.loads(line)["measures"] == {"own": None}
    events.folder = tmp_path / "gone"
    events.note("a disk that is full ends no run")


def test_a_history_that_grows_is_the_one_that_is_written_whole(tmp_path):
    rows = [
        HistoryRow("a", 1, 0.5, None, 0.1, {"objective": 1.0}),
        HistoryRow("a", 2, 0.25, 0.75, 0.1, {"objective": 2.0}),
        HistoryRow("b", 1, 0.1, 0.2, 0.3),
        HistoryRow("b", 2, 0.1, 0.2, 0.3, {"own, with comma": float("nan")}),
    ]
    growing = GrowingHistory(tmp_path / "one.csv", rows[:1])
    for row in rows[1:]:
        growing.add(row)
    write_history(tmp_path / "other.csv", rows)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()


def test_another_process_stops_it(home):
    """By the command, which says how to go on."""
    arguments = [sys.executable, "-m", "dlspec", "run", "long.yaml", "--out", "asked", "--quiet"]
    running = subprocess.Popen(arguments, cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)})
    folder, until = home / "asked", time.monotonic() + 120
    while time.monotonic() < until and "epoch_ends" not in kinds(read_events(folder)):
        time.sleep(0.1)
    done = dlspec_here("stop", folder, "--wait", "60", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "has stopped" in done.stdout
    assert f"dlspec run --resume {folder}" in done.stdout
    assert running.wait(60) == 130
    assert not (folder / STOP).exists()
    assert kinds(read_events(folder))[-1] == "stopped"
    again = dlspec_here("stop", folder, cwd=home)
    assert again.returncode == 3
    assert "is not being trained" in again.stderr
    with pytest.raises(dlspec.DataError, match="nothing to stop"):
        dlspec.stop(folder)


def test_a_finished_run_cannot_be_stopped(stopped):
    with pytest.raises(dlspec.DataError, match="is finished; there is nothing to stop"):
        dlspec.stop(stopped[-1])


def test_what_was_asked_of_an_earlier_process_is_forgotten(stopped):
    assert stopped[-1].finished
    assert not (stopped[-1].folder / STOP).exists()
