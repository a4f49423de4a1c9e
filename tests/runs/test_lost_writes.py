"""Nothing is lost when writing fails: each write of a run fails once, in turn, and the run then ends as if none had."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.checkpoints import BEFORE, LATEST
from dlspec.runs.listener import Listener
from dlspec.runs.lock import only_here
from dlspec.training.progress import Stopped
from tests.conftest import ROOT
from tests.runs.crashes import results

SPEC = (
    "dlspec: 1\nname: n\ndata: {dataset: iris, scale: min_max}\n"
    "model: [{dense: {units: 6, activation: sigmoid}}, output]\n"
    "pretrain: {method: rbm, epochs: 2}\ntrain: {epochs: 3, checkpoint_every: 1 h}\n"
    "evaluate: {compare: {without_pretraining: {seeds: 1}}}\n"
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Failing:
    """Lets the operating system refuse one of the writes below a folder; those of `state.json` and of `events.jsonl`,
    without which a run goes on, are none of them.

    With `of_states` it refuses one of those alone, or all with `fails_at` None.
    """

    def __init__(self) -> None:
        self.folder: str | None = None
        self.of_states = False
        self.count = 0
        self.fails_at: int | None = -1
        sys.addaudithook(self._look)

    def _look(self, event: str, arguments: tuple) -> None:
        if self.folder is None or threading.current_thread() is not threading.main_thread():
            return
        path = str(arguments[0]) if arguments else ""
        if event == "open":  # of the folder itself: whether it takes locks, which need not be known
            writes = path != self.folder and bool(arguments[2] & WRITES)
        else:
            writes = event == "os.rename" or (event == "os.mkdir" and not os.path.isdir(path))
        if Path(path).name == "events.jsonl":
            return
        of_state = Path(path).name.startswith(("state.", ".state."))
        if not writes or not path.startswith(self.folder) or of_state != self.of_states:
            return
        self.count += 1
        if self.fails_at in (None, self.count - 1):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))

    def __call__(self, folder: Path, fails_at: int | None = -1, of_states: bool = False) -> "Failing":
        self.folder, self.count, self.fails_at, self.of_states = str(folder), 0, fails_at, of_states
        return self

    def __enter__(self) -> "Failing":
        return self

    def __exit__(self, *_: object) -> None:
        self.folder, self.of_states = None, False


@pytest.fixture(scope="module")
def failing():
    return Failing()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, failing):
    """A run that was never disturbed, and how often it wrote."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with failing(folder) as counted:
        dlspec.run(dlspec.load(SPEC), out=folder)
    return results(folder), counted.count


def ends_alike(folder: Path, whole) -> None:
    """The run goes on, or begins again where nothing was trained yet, to the same results."""
    if (folder / "resolved.yaml").is_file():
        run = dlspec.resume(folder)
    else:
        folder = folder.with_name("again")
        run = dlspec.run(dlspec.load(SPEC), out=folder)
    assert run.report.is_file()
    found = results(folder)
    assert not [name for name in found.keys() | whole.keys() if found.get(name) != whole.get(name)]
    assert not list(folder.rglob(".*")), "nothing half written is left"


def refused(folder: Path, failing, at: int, whole) -> None:
    with failing(folder, at), pytest.raises(DataError) as caught:
        dlspec.run(dlspec.load(SPEC), out=folder)
    (problem,) = caught.value.diagnostics
    assert problem.code == "cannot-write"
    assert "no space left on device" in problem.message
    assert problem.help
    ends_alike(folder, whole)


@pytest.mark.parametrize(
    "part", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow), 3]
)
def test_a_write_that_fails_loses_nothing(part, failing, whole, tmp_path):
    found, count = whole
    assert count > 30, "the writes are seen"
    refused(tmp_path / "run", failing, part * (count - 1) // 3, found)


@pytest.mark.slow
def test_no_write_that_fails_loses_anything(failing, whole, tmp_path):
    found, count = whole
    for at in range(count):
        refused(tmp_path / str(at) / "run", failing, at, found)
    print(f"\n{count} writes failed, 0 lost")


def test_a_state_that_cannot_be_written_changes_nothing(failing, whole, tmp_path):
    with failing(tmp_path / "run", None, of_states=True) as refused_writes:
        run = dlspec.run(dlspec.load(SPEC), out=tmp_path / "run")
    assert refused_writes.count == 2, "running, finished"
    assert not (run.folder / "state.json").exists()
    found = results(run.folder)
    assert not [name for name in found.keys() | whole[0].keys() if found.get(name) != whole[0].get(name)]
    (summary,) = dlspec.list_runs(tmp_path)
    assert (summary.state, summary.metric) == ("finished", "accuracy")


def test_a_full_disk_is_the_error_also_where_the_state_cannot_be_written(failing, tmp_path, monkeypatch):
    def no_room(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("dlspec.runs.run.write_history", no_room)
    with failing(tmp_path / "run", None, of_states=True), pytest.raises(DataError) as caught:
        dlspec.run(dlspec.load(SPEC), out=tmp_path / "run")
    assert caught.value.diagnostics[0].code == "cannot-write"


@pytest.mark.parametrize("size", [pytest.param(600, marks=pytest.mark.slow), 20_000])
def test_a_disk_that_is_full_in_the_middle_of_a_file_loses_nothing(size, whole, tmp_path):
    """The system refuses what is longer than a limit, as it does on a full disk, after the first part was written."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with pytest.raises(DataError) as caught:
            dlspec.run(dlspec.load(SPEC), out=tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.diagnostics[0].code == "cannot-write"
    ends_alike(tmp_path / "run", whole[0])


class StopLate(Listener):
    """Presses Ctrl-C in the last stage."""

    def epoch_ends(self, stage, row):
        if stage.kind == "fine_tune" and row.epoch == 2:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def stopped(tmp_path):
    """A run that was stopped in its last stage."""
    with pytest.raises(Stopped):
        dlspec.run(dlspec.load(SPEC), out=tmp_path / "run", listener=StopLate())
    return tmp_path / "run"


class Notes(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text):
        self.notes.append(text)


def test_a_damaged_checkpoint_is_noticed_and_the_one_before_is_used(stopped, whole):
    data = bytearray((stopped / LATEST).read_bytes())
    data[len(data) // 2] ^= 1
    (stopped / LATEST).write_bytes(data)
    told = Notes()
    dlspec.resume(stopped, listener=told)
    assert [note for note in told.notes if "latest.npz` is damaged" in note and "the checkpoint before is used" in note]
    found = results(stopped)
    assert not [name for name in found.keys() | whole[0].keys() if found.get(name) != whole[0].get(name)]


def test_without_a_whole_checkpoint_the_run_says_so(stopped):
    for name in (LATEST, BEFORE):
        data = (stopped / name).read_bytes()
        (stopped / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError) as caught:
        dlspec.resume(stopped)
    assert "is damaged" in caught.value.diagnostics[0].message


def test_every_bit_of_a_checkpoint_is_guarded(stopped):
    """Whatever is changed is noticed, or changes nothing that is read."""
    from dlspec.training.progress import Checkpoint

    data, random = (stopped / LATEST).read_bytes(), np.random.default_rng(0)
    right = Checkpoint.load(stopped / LATEST)
    noticed = 0
    for place in random.integers(0, len(data), 300):
        changed = bytearray(data)
        changed[place] ^= 1 << int(random.integers(8))
        (stopped / LATEST).write_bytes(changed)
        try:
            read = Checkpoint.load(stopped / LATEST)
        except DataError:
            noticed += 1
            continue
        assert read.progress == right.progress
        assert all(np.array_equal(a, b) for a, b in zip(read.variables, right.variables, strict=True)), place
    assert noticed > 200


def test_a_run_folder_is_written_by_one_process_at_a_time(stopped, whole):
    with only_here(stopped), pytest.raises(DataError) as caught:
        dlspec.resume(stopped)
    assert caught.value.diagnostics[0].code == "run-in-use"
    dlspec.resume(stopped)
    assert results(stopped)["metrics"] == whole[0]["metrics"]


def test_a_run_without_its_report_gets_it(stopped):
    dlspec.resume(stopped).report.unlink()
    assert dlspec.resume(stopped).report.is_file()
    with pytest.raises(DataError) as caught:
        dlspec.resume(stopped)
    assert caught.value.diagnostics[0].code == "run-finished"


@pytest.mark.slow
def test_runs_at_once_have_folders_of_their_own(tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC.replace("name: n", "name: many"), encoding="utf-8")
    command = [sys.executable, "-m", "dlspec", "run", "spec.yaml"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ended = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ended
    folders = {printed.splitlines()[-1] for printed, _ in ended}
    assert folders == {f"runs/many/{number:03}" for number in (1, 2, 3)}
    scores = [json.loads((tmp_path / folder / "metrics.json").read_text())["test"] for folder in folders]
    assert scores[0] == scores[1] == scores[2]
